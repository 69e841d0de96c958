"""No typed text pings a person, becomes a link or breaks an answer."""

import re

from bot.clock import SetClock
from tests.support.ledger import items, standing
from tests.support.workplace import Workplace, at

RAW = (
    ("<!channel> look", "@channel look"),
    ("<!here|here> look", "@here look"),
    ("<!subteam^S123|@sre> look", "@sre look"),
    ("<!everyone>", "@everyone"),
    ("<#C123|general> is down", "#general is down"),
    ("<#C123> is down", "#C123 is down"),
    ("<https://example.org/a?b=1&amp;c=2|the board> is red", "the board (https://example.org/a?b=1&c=2) is red"),
    ("<mailto:a@example.org|a@example.org> wrote", "a@example.org wrote"),
    ("&lt;script&gt; in a log", "<script> in a log"),
    ("&amp;lt; as typed", "&lt; as typed"),
    ("p99 < 5 > 3 & more", "p99 < 5 > 3 & more"),
    ("<not a token>", "<not a token>"),
)
PING = re.compile(r"<[@!]")


def test_slacks_markup_is_removed_once_and_escaped_once(office: Workplace) -> None:
    office.say("/detected disk full")
    for raw, words in RAW:
        answer = office.ask(f"/did {raw}", raw=True)
        assert standing(office)[-1] == ("did", words), raw
        assert not PING.search(answer.text), answer.text


def test_a_person_named_in_the_words_keeps_their_name_and_is_not_pinged(office: Workplace) -> None:
    office.say("/detected @carol saw the disk")
    assert standing(office) == [("detected", "@carol saw the disk")]
    office.ask(f"/did paged <@{office.carol}|carol> and <@U404>", raw=True)
    assert standing(office)[-1] == ("did", "paged @carol and @U404")


def test_no_answer_of_the_bot_pings(office: Workplace, clock: SetClock) -> None:
    hostile = "<!channel> <@U000000002> <!here>"
    for typed in (
        "/incident open SEV1", "/note", "/incident title", "/impact", "/cause", "/lesson well:", "/actionitem",
        "/actionitem by 2020-01-01:", "/actionitem drop 1", "/incident edit 1", "/detected by customer:",
        "/did at 25:00", "/incident lead", "/incident search", "/timeline", "/incident", "/postmortem", "/nosuch",
    ):  # fmt: skip
        for raw in (False, True):
            assert not PING.search(office.ask(f"{typed} {hostile}", raw=raw).text), typed
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say(f"/resolved {hostile}")
    for typed in ("/timeline", "/incident status", "/incident list all", "/actionitem list", "/postmortem show"):
        assert not PING.search(office.ask(typed).text), typed
    assert [message.text for message in office.messages(user=office.alice) if PING.search(message.text)] == []
    assert not PING.search(office.drafts[0].content.decode().replace("\\<", "").replace("&lt;", ""))


def test_people_with_unusual_names_can_own_action_items(office: Workplace) -> None:
    office.say("/detected disk full")
    for name in ("Ana María", "O'Neil (on call)", "小林", "J. R."):
        office.ask(f"/actionitem <@{office.bob}|{name}> short-term: watch the disk", raw=True)
        owned = items(office)[-1]
        assert (owned.owner_id, owned.kind, owned.text) == (office.bob, "short-term", "watch the disk"), name
