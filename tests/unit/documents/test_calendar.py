"""The calendar file, read back by two readers that know nothing of who wrote it."""

import io
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical  # type: ignore[import-untyped] # it ships no types
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from bot.documents.calendar import Invitation, calendar_file
from tests.unit.domain.check.checking import INCIDENT
from tests.unit.domain.review.test_meeting import planned
from tests.unit.domain.texts import QUICK
from tests.unit.domain.time.reading import utc

WORDS = Invitation(summary="Review of INC-1: disk full", description="Read before.\nWith: alice", location="#incident")
DAYS = (
    "03-07", "03-08", "03-09", "03-28", "03-29", "03-30", "04-04", "04-05", "04-06", "10-24", "10-25", "10-26", "10-31",
    "11-01", "11-02",
)  # fmt: skip
"""Before, on and after the days in 2026 on which one of the zones changes its clocks."""
HOSTILE = (
    "x\r\nATTENDEE:mailto:ceo@example.com", "x\nEND:VEVENT\nBEGIN:VEVENT", "x\rURL:http://evil", "a;b,c\\n\\",
    "\u2028DTSTART:1", "é" * 10_000, "\0\x1b[31m", "\u202e", '"', ":", "🎉" * 100, "\x85ORGANIZER:x", "",
)  # fmt: skip


def event_of(text: str) -> Any:
    """The one event in the file."""
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    return event


def properties(text: str) -> list[str]:
    """The names of the properties, unfolded."""
    lines = text.replace("\r\n ", "").split("\r\n")
    return [line.partition(":")[0].partition(";")[0] for line in lines if line]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize("day", DAYS)
def test_the_event_is_at_its_instant_in_every_reader_on_both_sides_of_a_clock_change(zone: str, day: str) -> None:
    clocks = ZoneInfo(zone)
    for hour in (1, 2, 3, 4, 10, 23):
        start = datetime.fromisoformat(f"2026-{day}").replace(hour=hour, tzinfo=clocks).astimezone(UTC)
        review = planned(f"{start:%F %H:%M}", zone)
        text = calendar_file(INCIDENT, review, WORDS)
        event = event_of(text)
        assert event.start.astimezone(UTC) == start
        assert event.end - event.start == timedelta(minutes=45)
        if "BEGIN:VTIMEZONE" in text:
            assert f"DTSTART;TZID={zone}:2026" in text
            told = tzical(io.StringIO(text)).get(zone)
            wall = event.start.replace(tzinfo=None)
            assert wall.replace(tzinfo=told).utcoffset() == event.start.utcoffset()
        else:
            # On the day itself the time is in UTC, which no reader can take for another.
            assert f"DTSTART:{start:%Y%m%dT%H%M%SZ}" in text


@pytest.mark.parametrize("zone", ["UTC", "CET UTC+1", "UTC+5:45"])
def test_a_zone_without_a_name_of_its_own_is_told_in_utc(zone: str) -> None:
    text = calendar_file(INCIDENT, planned("2026-12-01 09:00", zone), WORDS)
    assert "DTSTART:20261201T090000Z\r\nDTEND:20261201T094500Z\r\n" in text
    assert "VTIMEZONE" not in text


def test_an_update_keeps_the_uid_and_raises_the_sequence_and_a_cancellation_says_so() -> None:
    first = planned("2026-12-01 09:00", "Europe/Berlin")
    moved = replace(first, sequence=1, starts_at=utc("2026-12-02 09:00"))
    gone = replace(moved, sequence=2, cancelled=True)
    texts = [calendar_file(INCIDENT, review, WORDS) for review in (first, moved, gone)]
    events = [event_of(text) for text in texts]
    assert len({str(event["UID"]) for event in events}) == 1
    assert [int(event["SEQUENCE"]) for event in events] == [0, 1, 2]
    assert [str(Calendar.from_ical(text)["METHOD"]) for text in texts] == ["PUBLISH", "PUBLISH", "CANCEL"]
    assert [str(event["STATUS"]) for event in events] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert [len(event.walk("VALARM")) for event in events] == [1, 1, 0]
    elsewhere = calendar_file(replace(INCIDENT, workspace_id="T2"), first, WORDS)
    assert event_of(elsewhere)["UID"] != events[0]["UID"]


def test_the_same_plan_is_the_same_file_at_any_time() -> None:
    review = planned("2026-12-01 09:00", "Europe/Berlin", at="2026-11-21 12:00")
    text = calendar_file(INCIDENT, review, WORDS)
    assert text == calendar_file(INCIDENT, review, WORDS)
    assert "DTSTAMP:20261121T120000Z\r\n" in text


def test_it_names_no_address_since_none_is_known() -> None:
    text = calendar_file(INCIDENT, planned("2026-12-01 09:00", "Europe/Berlin"), WORDS)
    assert {"ATTENDEE", "ORGANIZER"} & set(properties(text)) == set()


@QUICK
@given(st.sampled_from(HOSTILE) | st.text(), st.sampled_from(HOSTILE) | st.text())
def test_no_words_become_a_property_or_break_a_line(line: str, words: str) -> None:
    review = planned("2026-12-01 09:00", "UTC")
    plain = properties(calendar_file(INCIDENT, review, WORDS))
    text = calendar_file(INCIDENT, review, Invitation(summary=line, description=words, location=line))
    assert properties(text) == plain
    assert all(len(folded.encode()) <= 75 for folded in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    assert "\r" not in text.replace("\r\n", "")
    event = event_of(text)
    assert len(str(event["SUMMARY"])) <= 250


def test_a_title_is_read_back_as_it_was_typed() -> None:
    words = replace(WORDS, summary="Review: a;b, c\\d “e” 🎉", description="One\nTwo; three, four\\n")
    event = event_of(calendar_file(INCIDENT, planned("2026-12-01 09:00", "UTC"), words))
    assert (str(event["SUMMARY"]), str(event["DESCRIPTION"])) == (words.summary, words.description)


def test_the_calendar_library_is_loaded_with_the_first_invitation_only() -> None:
    code = "import sys, bot.slack.bot; print('icalendar' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    assert told.stdout == "False\n"
