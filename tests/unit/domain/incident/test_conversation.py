"""A pasted conversation: who said what when, in the shapes in which chats are copied."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.incident.conversation import is_conversation, parse_conversation, parse_span
from bot.errors import UsageError

NOW, ZONE = datetime(2026, 11, 26, 23, 0, tzinfo=UTC), ZoneInfo("UTC")
ROLLED, BETTER = ("14:02", "Alice", "rolled back"), ("14:03", "Bob", "looks better")
SHAPES = {
    "Slack's client": "Alice\n  2:02 PM\nrolled back\nBob\n  2:03 PM\nlooks better",
    "on one line": "Alice  14:02\nrolled back\n\nBob  14:03\nlooks better",
    "with today": "Alice  Today at 2:02 PM\nrolled back\nBob  Today at 2:03 PM\nlooks better",
    "one blank": "Alice 2:02 PM\nrolled back\nBob 2:03 PM\nlooks better",
    "Slack of old": "Alice [2:02 PM]\nrolled back\nBob [2:03 PM]\nlooks better",
    "bracketed": "[14:02] Alice: rolled back\n[14:03] Bob: looks better",
    "words below": "[14:02] Alice\nrolled back\n[14:03] Bob\nlooks better",
    "IRC": "14:02 <Alice> rolled back\n14:03 <Bob> looks better",
    "WhatsApp": "[26/11/2026, 14:02:00] Alice: rolled back\n[26/11/2026, 14:03:00] Bob: looks better",
    "Telegram": "Alice, [26.11.2026 14:02]\nrolled back\n\nBob, [26.11.2026 14:03]\nlooks better",
    "in parentheses": "Alice (14:02): rolled back\nBob (14:03): looks better",
    "below a date": "Thursday, November 26th\nAlice  14:02\nrolled back\nBob  14:03\nlooks better",
}


def read(words: str) -> list[tuple[str, str, str]]:
    return [(f"{each.at:%H:%M}", each.author, each.text) for each in parse_conversation(words, now=NOW, zone=ZONE)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read(shape: str) -> None:
    assert is_conversation(SHAPES[shape])
    assert read(SHAPES[shape]) == [ROLLED, BETTER]


def test_further_messages_of_one_person_have_their_own_times_and_lines_belong_together() -> None:
    words = "Alice Smith\n  11:59 AM\nrolled back 418\n12:01\nand more\nof it\nBob\n  12:05 PM\nok"
    assert read(words) == [
        ("11:59", "Alice Smith", "rolled back 418"),
        ("12:01", "Alice Smith", "and more\nof it"),
        ("12:05", "Bob", "ok"),
    ]


def test_what_the_client_shows_around_messages_is_no_part_of_them() -> None:
    words = (
        "deploybot\nAPP  2:06 PM\nDeployed 419 (edited)\n3 replies\nLast reply today at 2:10 PMView thread\n"
        "Alice\n  2:07 PM\nsee the graph\ngraph.png\n:eyes:\n2\nBob\n  2:08 PM\njoined #incident-12."
    )
    bot, alice, bob = parse_conversation(words, now=NOW, zone=ZONE)
    assert (bot.text, bot.by_app, bot.edited) == ("Deployed 419", True, True)
    assert (alice.text, alice.files, dict(alice.reactions)) == ("see the graph", ("graph.png",), {"eyes": 2})
    assert (bob.event, alice.event) == (True, False)


def test_the_clock_goes_round_below_a_date() -> None:
    words = "Wednesday, November 25th\nAlice  23:58\na\nBob  0:02\nb"
    assert [f"{each.at:%d %H:%M}" for each in parse_conversation(words, now=NOW, zone=ZONE)] == ["25 23:58", "26 00:02"]


@pytest.mark.parametrize(
    "words",
    ["[14:02] restarted db1\n[14:03] it is back", "14:02 detected: x\n14:03 alice: y", "disk full", "", "14:02"],
)
def test_a_chronology_is_no_conversation(words: str) -> None:
    assert not is_conversation(words)


def test_a_text_without_messages_is_refused_with_an_example() -> None:
    with pytest.raises(UsageError, match=r"\[14:02\] alice: restarted db1"):
        parse_conversation("disk full", now=NOW, zone=ZONE)


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("14:00..15:30", "26 14:00", "26 15:30"),
        ("14:00-15:30", "26 14:00", "26 15:30"),
        ("14:00 to 15:30", "26 14:00", "26 15:30"),
        ("2026-11-25 23:00..01:30", "25 23:00", "26 01:30"),
        ("14:00..", "26 14:00", "26 23:00"),
        ("2pm..3pm", "26 14:00", "26 15:00"),
    ],
)
def test_a_stretch_of_time_has_two_ends(words: str, start: str, end: str) -> None:
    span = parse_span(words, now=NOW, zone=ZONE)
    assert span is not None
    assert (f"{span.start:%d %H:%M}", f"{span.end:%d %H:%M}") == (start, end)


@pytest.mark.parametrize("words", ["disk full", "14:00", "2026-11-26", "disk full - 14:00"])
def test_other_words_are_no_stretch(words: str) -> None:
    assert parse_span(words, now=NOW, zone=ZONE) is None


@pytest.mark.parametrize(
    "words", ["14:00..25:99x", "2026-01-01 10:00..2026-11-01 10:00", "2026-11-26 15:00..2026-11-26 14:00"]
)
def test_a_stretch_that_cannot_be_is_refused(words: str) -> None:
    with pytest.raises(UsageError):
        parse_span(words, now=NOW, zone=ZONE)
