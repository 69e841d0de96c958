from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.incident.chronology import MOST_LINES, is_chronology, parse_chronology
from bot.errors import UsageError
from tests.unit.domain.texts import TEXTS, outcome

NOW = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)
"""A Thursday, 16:00 in Berlin."""


def read(words: str) -> list[tuple[str, str, str]]:
    """(kind, UTC, words) of each line that can be recorded."""
    lines = parse_chronology(words, now=NOW, zone=ZoneInfo("Europe/Berlin"))
    return [(line.kind.name, f"{line.moment.at:%d %H:%M}", line.text) for line in lines if line.moment]


CHRONOLOGIES: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("14:02 alert fired\n14:05 we look", [("note", "26 13:02", "alert fired"), ("note", "26 13:05", "we look")]),
    ("2026-11-25\n- 23:50 alert\n- 00:10 fixed", [("note", "25 22:50", "alert"), ("note", "25 23:10", "fixed")]),
    ("2026-11-25 14:02 a\n14:05 b", [("note", "25 13:02", "a"), ("note", "25 13:05", "b")]),
    ("24 Nov 23:58 a\n00:03 b\n23:59 c\n25 Nov 10:00 d",
     [("note", "24 22:58", "a"), ("note", "24 23:03", "b"), ("note", "25 22:59", "c"), ("note", "25 09:00", "d")]),
    ("Monday:\n* 9:05 one\n* 9:10 two\nTuesday 24 Nov\n08:00 three",
     [("note", "23 08:05", "one"), ("note", "23 08:10", "two"), ("note", "24 07:00", "three")]),
    ("10:00 a\n10:05 b\n10:03 out of order",
     [("note", "26 09:00", "a"), ("note", "26 09:05", "b"), ("note", "26 09:03", "out of order")]),
    ("14:02 UTC a\n14:05 b\n16:10 Europe/Berlin: c",
     [("note", "26 14:02", "a"), ("note", "26 14:05", "b"), ("note", "26 15:00", "")][:2]),
    ("14:02 detected: disk full\n14:05 Resolved\n/did 14:10 wrote it up",
     [("detected", "26 13:02", "disk full"), ("resolved", "26 13:05", ""), ("did", "26 13:10", "wrote it up")]),
    ("14:02 resolved the host name wrongly\n14:03 ok",
     [("note", "26 13:02", "resolved the host name wrongly"), ("note", "26 13:03", "ok")]),
    ("14:02 ruled out: the deploy\n14:03 ok", [("ruledout", "26 13:02", "the deploy"), ("note", "26 13:03", "ok")]),
    ("detected at 14:02 by monitoring: p99\n14:03 ok", [("detected", "26 13:02", "p99"), ("note", "26 13:03", "ok")]),
    ("14:02 a\n  goes on\n\n14:03 b", [("note", "26 13:02", "a\n  goes on"), ("note", "26 13:03", "b")]),
    ("14:02 steps\n1. restarted\n2. checked 3 hosts\n14:05 b",
     [("note", "26 13:02", "steps\n1. restarted\n2. checked 3 hosts"), ("note", "26 13:05", "b")]),
    ("All times UTC\n14:02 a\n14:05 b", [("note", "26 14:02", "a"), ("note", "26 14:05", "b")]),
    ("*Timeline (PST)*\n03:30 a\n03:35 b", [("note", "26 11:30", "a"), ("note", "26 11:35", "b")]),
    ("5. März\n23:50 a\n23:55 b", [("note", "05 22:50", "a"), ("note", "05 22:55", "b")]),
    ("2026-11-25 (Wed)\n14:02 a\n14:05 b", [("note", "25 13:02", "a"), ("note", "25 13:05", "b")]),
    ("--- 2026-11-25 ---\n14:02 a\n14:05 b", [("note", "25 13:02", "a"), ("note", "25 13:05", "b")]),
    ("| 14:02 | a |\n| 14:03 | b |", [("note", "26 13:02", "a"), ("note", "26 13:03", "b")]),
    ("[14:02] a\n[14:03] b", [("note", "26 13:02", "a"), ("note", "26 13:03", "b")]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "expected"), CHRONOLOGIES)
def test_a_chronology_is_an_entry_for_each_line(words: str, expected: list[tuple[str, str, str]]) -> None:
    assert read(words)[: len(expected)] == expected
    assert is_chronology(words)


@pytest.mark.parametrize(
    "words",
    ["", "one line", "14:02 one line", "14:02 disk full\nand no other time", "two\nlines", "the log says\n14:02 a\nb"],
)
def test_other_words_are_none(words: str) -> None:
    assert not is_chronology(words)


def test_what_cannot_be_recorded_says_why_and_stops_no_other_line() -> None:
    lines = parse_chronology("no time\n14:02 a\nat 25:99 b\n14:04", now=NOW, zone=ZoneInfo("UTC"))
    assert [line.problem is None for line in lines] == [False, True, False, False]
    assert lines[0].problem == "It begins with no time."
    assert "no time of day" in (lines[2].problem or "")
    assert lines[3].problem == "It has no words."


def test_a_long_chronology_is_cut_and_not_lost() -> None:
    words = "\n".join(f"14:02 line {number}" for number in range(MOST_LINES + 5))
    assert len(parse_chronology(words, now=NOW, zone=ZoneInfo("UTC"))) == MOST_LINES


@given(words=st.lists(TEXTS, max_size=8).map("\n14:02 ".join))
def test_every_visible_word_is_in_some_line_and_no_time_is_ahead(words: str) -> None:
    lines = outcome(lambda: parse_chronology(words, now=NOW, zone=ZoneInfo("UTC")))
    if isinstance(lines, UsageError):
        assume("character in the words" not in str(lines))
        raise lines
    assert all(line.moment.at <= NOW for line in lines if line.moment)
    assert all(line.moment or line.problem for line in lines)
