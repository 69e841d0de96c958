"""The words that plan a review."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from bot.domain.review.meeting import Plan, parse_plan
from bot.errors import UsageError
from tests.unit.domain.texts import QUICK, TEXTS, outcome
from tests.unit.domain.time.reading import NOW, utc

PEOPLE = {"alice": "U1", "bob": "U2", "carol": "U3"}


def plan(words: str) -> Plan:
    return parse_plan(words, people=PEOPLE, now=NOW, zone=ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("45m", 2700), ("45 min", 2700), ("90 minutes", 5400), ("1h", 3600), ("1 hour", 3600), ("1h30", 5400),
        ("1h 30m", 5400), ("1.5h", 5400), ("an hour", 3600), ("half an hour", 1800), ("5m", 300), ("8h", 28800),
    ],
)  # fmt: skip
def test_a_length_is_read_in_the_ways_people_write_it(typed: str, seconds: int) -> None:
    assert plan(f"friday 10:00 for {typed}").duration_s == seconds


def test_the_parts_come_in_any_order_and_names_are_joined_as_people_join_them() -> None:
    for words in (
        "friday 10:00 for 45m with @alice, @bob and @carol",
        "friday 10:00 with @alice & @bob @carol for 45m",
        "with @alice @bob, and @carol\nfor 45m",
    ):
        told = plan(words)
        assert [person.user_id for person in told.invited] == ["U1", "U2", "U3"]
        assert told.duration_s == 2700
    assert plan("without @bob").left_out[0].name == "bob"
    appointment = plan("friday 10:00").appointment
    assert appointment is not None
    assert appointment.at == utc("2026-11-27 10:00")
    assert plan("for 45m").appointment is None
    assert plan("for friday 10:00 for 45m") == plan("friday 10:00 for 45m")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("for ever", "I read no day and time in ever. Try: 2026-11-28 10:00"),
        ("friday 10:00 for ever", "ever is no length of a meeting. Try: for 45m"),
        ("friday 10:00 for 45", "45 is no length of a meeting."),
        ("friday 10:00 for", "That is no length of a meeting."),
        ("friday 10:00 for 4m", "A review takes from 5 minutes to 8 hours, not 4m."),
        ("friday 10:00 for 9h", "A review takes from 5 minutes to 8 hours"),
        ("friday 10:00 for 45m for 1h", "There are two parts that begin with “for”."),
        ("friday 10:00 with", "With whom? Try: with @alice @bob"),
        ("friday 10:00 with alice", "alice is no single person I could invite."),
        ("friday 10:00 with @channel", "@channel is no single person I could invite."),
        ("friday 10:00 with @sre-team @alice", "@sre-team is no single person I could invite."),
    ],
)
def test_what_is_no_plan_is_refused_with_an_example(words: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(words)
    assert str(caught.value).startswith(problem)


@QUICK
@given(words=TEXTS, clause=TEXTS)
def test_no_words_raise_anything_but_a_usage_error(words: str, clause: str) -> None:
    for typed in (words, f"{words} for {clause}", f"{words} with {clause} without {clause}"):
        assert isinstance(outcome(lambda typed=typed: plan(typed)), Plan | UsageError)  # type: ignore[misc]


@pytest.mark.parametrize("words", ["for " * 2_000, "with " + "@a," * 3_000, " " * 9_000 + "10:00", "1" * 9_999])
def test_long_words_are_read_to_their_end(words: str) -> None:
    # A pattern that backtracks would hang here for hours.
    assert isinstance(outcome(lambda: plan(words)), UsageError)
