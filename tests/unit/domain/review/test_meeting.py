from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from bot.domain.items.cadence import Cadence
from bot.domain.review.meeting import (
    Plan,
    change_invitees,
    in_utc,
    parse_plan,
    propose_invitees,
    reminds_at,
    span,
    zone_from_key,
    zone_key,
)
from bot.errors import UsageError
from storage.values import ActionItem, Invitee, Review, TimelineEntry
from tests.support.casebook import entry, item
from tests.unit.domain.check.checking import INCIDENT, after
from tests.unit.domain.texts import QUICK, TEXTS, outcome
from tests.unit.domain.time.reading import NOW, utc

PEOPLE = {"alice": "U1", "bob": "U2", "carol": "U3"}
NAMES = {"U01": "alice", "U02": "Bob Dba", "U03": "carol", "U04": "dave", "U05": "eve", "U06": "Eve", "U09": "scribe"}


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
        read = plan(words)
        assert [person.user_id for person in read.invited] == ["U1", "U2", "U3"]
        assert read.duration_s == 2700
    assert plan("without @bob").left_out[0].name == "bob"
    appointment = plan("friday 10:00").appointment
    assert appointment is not None
    assert appointment.at == utc("2026-11-27 10:00")
    assert plan("for 45m").appointment is None
    assert plan("for friday 10:00 for 45m") == plan("friday 10:00 for 45m")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("for ever", "I read no day and time in ever. Try: friday 10:00 CET"),
        ("friday 10:00 for ever", "ever is no length of a meeting. Try: friday 10:00 for 45m"),
        ("friday 10:00 for 45", "45 is no length of a meeting."),
        ("friday 10:00 for", "That is no length of a meeting."),
        ("friday 10:00 for 4m", "A review takes from 5 minutes to 8 hours, not 4m."),
        ("friday 10:00 for 9h", "A review takes from 5 minutes to 8 hours"),
        ("friday 10:00 for 45m for 1h", "There are two parts that begin with “for”."),
        ("friday 10:00 with", "With whom? Type an @ after “with” and pick each one: with @alice @bob"),
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


def ids(*entries: TimelineEntry, items: tuple[ActionItem, ...] = (), **incident: Any) -> list[str]:
    facts = {"lead": None, "lead_id": None, **incident}
    people = propose_invitees(replace(INCIDENT, **facts), entries, items, names=NAMES, bots={"U09"})
    return [person.user_id for person in people]


def note(number: int, text: str = "x", author_id: str = "U01", **other: Any) -> TimelineEntry:
    return entry(number, "note", after(number), text, author_id=author_id, **{"author": "author", **other})


def test_the_lead_the_authors_those_named_and_the_owners_come_in_this_order_once_each() -> None:
    entries = (note(2, "@carol and @bob_dba look", "U04"), note(1, "x", "U01"), note(3, "again <@U02|bob>", "U04"))
    items = (
        item(1, "x", owner="ann", owner_id="U07"),
        replace(item(2, "x", owner="z", owner_id="U08"), state="dropped"),
    )
    assert ids(*entries, items=items, lead="eve", lead_id="U05") == ["U05", "U01", "U04", "U03", "U02", "U07"]


def test_bots_teams_addresses_and_unknown_people_are_left_out() -> None:
    entries = (
        note(1, "@scribe and @sre-team and @oncall and @nobody and @WEBTEAM, mail carol@example.com", "U09"),
        note(2, "disk full", "B123"),
        note(3, "from a terminal", "root"),
        note(4, "@dave"),
    )
    assert ids(*entries) == ["U01", "U04"]


def test_a_name_of_two_people_invites_neither_and_a_retracted_entry_invites_none() -> None:
    assert ids(note(1, "@eve @carol"), note(2, "@dave", "U02", retracted=True)) == ["U01", "U03"]


def test_a_person_is_found_by_their_author_name_too() -> None:
    assert ids(note(1, "x", "U07", author="zoe.k"), note(2, "thanks @zoe.k and @U04", "U01")) == ["U07", "U01", "U04"]


def test_people_are_named_by_their_display_name_and_else_by_their_author_name() -> None:
    entries = (note(1, "x", "U02", author="bobby"), note(2, "x", "U07", author="zoe"))
    people = propose_invitees(replace(INCIDENT, lead=None, lead_id=None), entries, (), names=NAMES, bots=())
    assert [person.name for person in people] == ["Bob Dba", "zoe"]


def test_adding_and_leaving_out_keep_the_order_and_everybody_once() -> None:
    alice, bob, carol = (Invitee(user_id=user_id, name=user_id) for user_id in ("U01", "U02", "U03"))
    assert change_invitees((alice, bob), add=(carol, alice), leave_out=(bob,)) == (alice, carol)
    assert change_invitees((alice,), add=(bob,), leave_out=(bob, alice)) == ()


def planned(starts: str, zone: str, *, at: str = "2026-01-01", minutes: int = 45) -> Review:
    return Review(
        sequence=0, starts_at=utc(starts), duration_s=minutes * 60, timezone=zone, cancelled=False,
        people=(Invitee(user_id="U1", name="alice"),), planned_at=utc(at), planned_by_id="U1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        (UTC, "UTC"),
        (ZoneInfo("Europe/Berlin"), "Europe/Berlin"),
        (ZoneInfo("CET"), "CET"),
        (timezone(timedelta(hours=1), "CET"), "CET UTC+1"),
        (timezone(timedelta(0), "WET"), "UTC"),
        (timezone(timedelta(hours=5, minutes=30)), "UTC+5:30"),
        (timezone(-timedelta(hours=9, minutes=30)), "UTC-9:30"),
    ],
)
def test_a_zone_is_written_down_and_read_back(zone: tzinfo, text: str) -> None:
    assert zone_key(zone) == text
    for day in (utc("2026-01-15"), utc("2026-07-15")):
        assert day.astimezone(zone_from_key(text)).utcoffset() == day.astimezone(zone).utcoffset()


@pytest.mark.parametrize(
    ("review", "text"),
    [
        (planned("2026-12-01 09:00", "Europe/Berlin"), "Tuesday 1 December 2026, 10:00 to 10:45 CET (09:00 UTC)"),
        (planned("2026-07-01 08:00", "Europe/Berlin"), "Wednesday 1 July 2026, 10:00 to 10:45 CEST (08:00 UTC)"),
        (planned("2026-12-01 09:00", "UTC"), "Tuesday 1 December 2026, 09:00 to 09:45 UTC"),
        (
            planned("2026-11-30 23:30", "Pacific/Auckland"),
            "Tuesday 1 December 2026, 12:30 to 13:15 NZDT (30 November, 23:30 UTC)",
        ),
        (planned("2026-12-01 04:30", "Asia/Kolkata"), "Tuesday 1 December 2026, 10:00 to 10:45 IST (04:30 UTC)"),
        (planned("2026-12-01 09:00", "UTC+5:45"), "Tuesday 1 December 2026, 14:45 to 15:30 UTC+5:45 (09:00 UTC)"),
    ],
)
def test_the_time_of_a_review_is_written_in_its_own_zone_and_in_utc(review: Review, text: str) -> None:
    assert span(review) == text


@pytest.mark.parametrize(
    ("starts", "zone", "reminder"),
    [
        # A Tuesday in Berlin: Monday at nine there, whatever the plan's own zone.
        ("2026-12-01 09:00", "Europe/Berlin", "2026-11-30 08:00"),
        ("2026-12-01 09:00", "America/New_York", "2026-11-30 14:00"),
        # In Tokyo that meeting is on the same day, at 18:00; one at 23:00 UTC is on the next.
        ("2026-12-01 09:00", "Asia/Tokyo", "2026-11-30 00:00"),
        ("2026-12-01 23:00", "Asia/Tokyo", "2026-12-01 00:00"),
        # On Monday: the Friday before; after a holiday on that Friday, the Thursday.
        ("2026-11-30 09:00", "Europe/Berlin", "2026-11-27 08:00"),
        ("2026-12-28 09:00", "Europe/Berlin", "2026-12-23 08:00"),
        # The clocks went back or forward in between: still nine on the clock.
        ("2026-10-26 09:00", "Europe/Berlin", "2026-10-23 07:00"),
        ("2026-03-30 09:00", "Europe/Berlin", "2026-03-27 08:00"),
        ("2026-01-02 00:00", "UTC", None),
        ("2026-01-01 12:00", "UTC", None),
    ],
)
def test_the_reminder_comes_at_the_opening_of_the_workday_before(starts: str, zone: str, reminder: str | None) -> None:
    holidays = frozenset({date(2026, 12, 24), date(2026, 12, 25), date(2026, 1, 1)})
    found = reminds_at(planned(starts, "Europe/London"), ZoneInfo(zone), Cadence(holidays=holidays))
    assert found == (utc(reminder) if reminder else None)


def test_nobody_is_reminded_of_what_was_planned_after_that_opening() -> None:
    friday = planned("2026-03-23 10:00", "UTC", at="2026-03-20 09:00")
    assert reminds_at(friday, ZoneInfo("UTC"), Cadence()) is None
    assert reminds_at(friday, ZoneInfo("America/New_York"), Cadence()) == utc("2026-03-20 13:00")


def test_an_instant_in_utc_names_its_day_only_where_that_is_another() -> None:
    there = datetime(2026, 12, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert in_utc(there) == "30 November, 23:30 UTC"
    assert in_utc(there + timedelta(hours=2)) == "01:30 UTC"
