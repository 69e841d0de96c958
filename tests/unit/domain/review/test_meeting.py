"""A planned review on people's clocks."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from bot.domain.review.meeting import in_utc, local_start, reminds_at, span, zone_from_key, zone_key
from storage.values import Invited, Review
from tests.unit.domain.time.reading import utc


def planned(starts: str, zone: str, *, at: str = "2026-01-01", minutes: int = 45) -> Review:
    return Review(
        sequence=0, starts_at=utc(starts), duration_s=minutes * 60, timezone=zone, cancelled=False,
        people=(Invited(user_id="U1", name="alice"),), planned_at=utc(at), planned_by_id="U1",
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
def test_a_review_is_told_on_its_own_clocks_and_in_utc(review: Review, text: str) -> None:
    assert span(review) == text


@pytest.mark.parametrize(
    ("starts", "zone", "reminder"),
    [
        ("2026-12-01 09:00", "Europe/Berlin", "2026-11-30 09:00"),
        # On Sunday the clocks went back, or forward: the same time on the clock, not 24 hours.
        ("2026-10-25 09:00", "Europe/Berlin", "2026-10-24 08:00"),
        ("2026-03-29 08:00", "Europe/Berlin", "2026-03-28 09:00"),
        ("2026-11-01 15:00", "America/New_York", "2026-10-31 14:00"),
        # There was no 02:30 on that day.
        ("2026-03-30 00:30", "Europe/Berlin", "2026-03-29 01:30"),
        ("2026-01-02 00:00", "UTC", None),
        ("2026-01-01 12:00", "UTC", None),
    ],
)
def test_the_reminder_comes_at_the_same_local_time_the_day_before(starts: str, zone: str, reminder: str | None) -> None:
    review = planned(starts, zone)
    found = reminds_at(review)
    assert found == (utc(reminder) if reminder else None)
    if found and starts != "2026-03-30 00:30":
        assert (local_start(review) - found.astimezone(zone_from_key(zone))).days == 1


def test_an_instant_in_utc_names_its_day_only_where_that_is_another() -> None:
    there = datetime(2026, 12, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert in_utc(there) == "30 November, 23:30 UTC"
    assert in_utc(there + timedelta(hours=2)) == "01:30 UTC"
