"""Bad input gets a private answer that names the problem and repeats the words, and writes nothing."""

import json
import logging
from urllib.parse import urlencode

import pytest

from bot.clock import SetClock
from bot.fakeslack.block_kit import MAX_MESSAGE_TEXT
from storage.database import Database
from tests.support.ledger import counts, standing
from tests.support.workplace import SOCKET, Workplace, workplace

REFUSED = (
    ("/did", "There are no words to record."),
    ("/note    ", "There are no words to record."),
    ("/note at 11:00", "There are no words to record."),
    ("/note \u200b\u200f", "There are no words to record."),
    ("/lesson", "There are no words to record. Try: /lesson well: the rollback took a minute"),
    ("/note at 14:99 foo", "14:99 is no time of day."),
    ("/detected at 12:01 foo", "12:01 is still ahead: it is 12:00 UTC."),
    ("/detected 2026-03-13 09:00 foo", "2026-03-13 09:00 is still ahead"),
    ("/detected 1999-12-31 23:59 foo", "1999-12-31 is before the year 2000."),
    ("/did at 11:00 Europe/Atlantis foo", "Europe/Atlantis is no time zone I know."),
    ("/incident stauts", "There is no “stauts”. Did you mean /incident status?"),
    ("/incident detectd foo", "There is no “detectd”. Did you mean /incident detected?"),
    ("/postmortem drfat", "There is no “drfat”. Did you mean /postmortem draft?"),
    ("/incident xyzzy", "There is no “xyzzy”. /incident help lists what there is."),
    ("/incident <b>", "There is no “<b>”."),
    ("/nosuch thing", "There is no “nosuch”."),
    ("/timeline INC-99", "There is no INC-99 here."),
    ("/timeline inc999999999999", "The timeline has 1 page; inc999999999999 is none of them."),
    ("/timeline 2", "The timeline has 1 page; 2 is none of them."),
    ("/timeline -1", "The timeline has 1 page; -1 is none of them."),
    ("/timeline ²", "The timeline has 1 page; ² is none of them."),
    ("/incident edit 99 foo", "INC-1 has no entry 99."),
    ("/postmortem show INC-4", "There is no INC-4 here."),
    ("/postmortem show", "INC-1 has no draft yet. /postmortem draft writes one."),
    ("/note INC-99 we look", "There is no INC-99 here."),
    ("/note INC-1", "There are no words to record."),
    ("/incident INC-99 severity SEV1", "There is no INC-99 here."),
    ("/actionitem INC-0 done 1", "There is no INC-0 here."),
)


def shown(words: str) -> str:
    """The words with Slack's escapes."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_each_mistake_is_named_and_the_words_are_repeated(office: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    office.say("/detected disk full")
    before = counts(office)
    for typed, problem in REFUSED:
        answer = office.refused(typed, raw=True)
        assert answer.startswith(shown(problem)), (typed, answer)
        assert answer.endswith(f"\nYour words: {shown(typed).strip()}"), (typed, answer)
    assert counts(office) == before
    assert errors(caplog) == []


def test_what_is_no_entry_is_refused_where_no_incident_was_ever_declared(office: Workplace) -> None:
    before = counts(office)
    for typed in (
        "/incident severity SEV1",
        "/incident undo",
        "/actionitem buy disks",
        "/timeline",
        "/postmortem draft",
    ):
        assert office.refused(typed) == (
            "This channel has no incident yet. Declare one: /detected what was seen, or /incident open SEV2 title\n"
            f"Your words: {typed}"
        )
    assert counts(office) == before


def test_forty_kilobytes_of_words_are_repeated_as_far_as_they_fit(
    office: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    office.say("/detected disk full")
    before = counts(office)
    for words in ("x" * 40_000, "<" * 40_000, "&amp; " * 8_000, "🔥" * 10_001, "line\n" * 8_000):
        answer = office.ask(f"/did {words}", raw=True)
        assert answer.ok, answer.details
        assert "and 10,000 fit. Link to what is longer.\nYour words: /did " in answer.text
        assert 10_000 < len(answer.text) <= MAX_MESSAGE_TEXT
        assert not answer.text.rstrip("…").endswith(("&", "&a", "&am", "&amp", "&l", "&lt"))
    assert counts(office) == before
    assert errors(caplog) == []


def test_words_of_the_maximum_length_are_stored_whole(office: Workplace) -> None:
    words = "<&>" * 3_333
    answer = office.ask(f"/detected {words}")
    assert answer.ok
    assert standing(office) == [("detected", words)]
    assert office.ask("/timeline").ok
    assert office.ask("/incident list").ok


@pytest.mark.parametrize(
    "words",
    [
        "🔥 база данных упала 🧑‍🚒",
        "השרת נפל",
        "الخادم معطل \u202e abc",
        "*bold* _x_ `code` ```block``` ~gone~",
        "a | b | c",
        "first line\nsecond line\r\n\tthird",
        "100% & <5 % > 3",
        "https://example.org/?a=1&b=2",
        "{{ 7 * 7 }} {% raw %}",
        "'; DROP TABLE incidents; --",
    ],
)
def test_unusual_words_are_stored_as_typed(office: Workplace, words: str) -> None:
    assert shown(words) in office.say(f"/detected {words}")
    assert standing(office) == [("detected", words)]
    assert office.ask("/timeline").ok


def test_nul_characters_are_refused_everywhere_and_shown_as_a_symbol(
    office: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    office.say("/detected disk full")
    office.say("/actionitem watch it")
    before = counts(office)
    for typed in (
        "/did a\0b", "/incident search a\0b", "/incident title a\0b", "/incident lead @a\0b", "/incident open a\0b",
        "/actionitem a\0b", "/actionitem @a\0b: c", "/actionitem drop 1 a\0b", "/actionitem assign 1 @a\0b",
        "/incident edit 1 a\0b", "/incident a\0b", "/timeline \0", "/postmortem show \0",
    ):  # fmt: skip
        answer = office.refused(typed, raw=True)
        assert answer.startswith("There is a NUL character in the words"), answer
        assert answer.endswith(typed.replace("\0", "␀")), answer
    assert counts(office) == before
    assert errors(caplog) == []


def test_a_lone_surrogate_is_refused_over_socket_mode(
    sqlite: Database, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    with workplace(sqlite, clock=clock, transport=SOCKET) as office:
        office.say("/detected disk full")
        before = counts(office)
        for typed in ("/did a\ud800b", "/incident search \udfff", "/incident lead @\ud83d", "/nosuch \ud800"):
            answer = office.refused(typed, raw=True)
            assert answer.startswith("There is half a character in the words"), answer
            assert answer.endswith(
                typed.replace("\ud800", "\ufffd").replace("\udfff", "\ufffd").replace("\ud83d", "\ufffd")
            )
        assert counts(office) == before
    assert errors(caplog) == []


def test_a_user_a_channel_and_a_workspace_never_seen_are_answered(
    office: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    office.say("/detected disk full")
    strangers = ({"user_id": "U404", "user_name": "eve"}, {"channel_id": "C404"}, {"team_id": "T404"})
    # The outer team is the partner's in a channel that a partner created.
    expected = ("· INC-1 #2", "This channel has no incident yet.", "· INC-1 #3")
    for strange, answer in zip(strangers, expected, strict=True):
        payload = {**office.answers[0].delivery.payload, "command": "/did", "text": "it", **strange}
        payload["trigger_id"] = str(strange)
        status, body = office.slack.post_signed(office.url, urlencode(payload))
        assert status == 200
        assert answer in json.loads(body)["text"]
    assert standing(office) == [("detected", "disk full"), ("did", "it"), ("did", "it")]
    assert errors(caplog) == []
