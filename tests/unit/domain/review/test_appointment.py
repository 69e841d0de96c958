from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.review.appointment import FARTHEST, Appointment, parse_appointment
from bot.domain.review.meeting import zone_from_key, zone_key
from bot.errors import UsageError
from tests.unit.domain.texts import NOWS, QUICK, TEXTS, ZONES, outcome
from tests.unit.domain.time.reading import NOW, utc


def ahead(words: str, *, now: datetime = NOW, zone: str = "Europe/Berlin") -> Appointment:
    return parse_appointment(words, now=now, zone=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("words", "at", "zone"),
    [
        ("2026-12-01 10:00", "2026-12-01 09:00", "Europe/Berlin"),
        ("2026-12-01T10:00", "2026-12-01 09:00", "Europe/Berlin"),
        ("2026-12-01T10:00Z", "2026-12-01 10:00", "UTC"),
        ("2026-12-01T10:00:00-03:00", "2026-12-01 13:00", "UTC-3"),
        ("2026-12-01 10:00 CET", "2026-12-01 09:00", "Europe/Berlin"),
        ("2026-12-01, 10:00 (CET)", "2026-12-01 09:00", "Europe/Berlin"),
        ("2027-07-01 10:00 CET", "2027-07-01 09:00", "CET UTC+1"),
        ("2026-12-01 10:00 EST", "2026-12-01 15:00", "EST UTC-5"),
        ("2026-12-01 10:00 UTC+5:30", "2026-12-01 04:30", "UTC+5:30"),
        ("2026-12-01 10:00 ET", "2026-12-01 15:00", "America/New_York"),
        ("tomorrow 15:00", "2026-11-22 14:00", "Europe/Berlin"),
        ("tomorrow at 3pm", "2026-11-22 14:00", "Europe/Berlin"),
        ("3 p.m. tomorrow Asia/Kolkata", "2026-11-22 09:30", "Asia/Kolkata"),
        ("10:00 CET on friday", "2026-11-27 09:00", "Europe/Berlin"),
        ("friday @ 12 am", "2026-11-26 23:00", "Europe/Berlin"),
        ("1 December, 12:30 pm", "2026-12-01 11:30", "Europe/Berlin"),
        ("today 23:59", "2026-11-21 22:59", "Europe/Berlin"),
        ("2027-10-31 02:30 CEST", "2027-10-31 00:30", "Europe/Berlin"),
        ("2027-10-31 02:30 CET", "2027-10-31 01:30", "Europe/Berlin"),
    ],
)
def test_a_day_and_a_time_are_one_instant_in_the_zone_they_were_typed_in(words: str, at: str, zone: str) -> None:
    found = ahead(words)
    assert (found.at, zone_key(found.zone)) == (utc(at), zone)
    assert found.at.astimezone(zone_from_key(zone)).replace(tzinfo=None) == found.at.astimezone(found.zone).replace(
        tzinfo=None
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("2026-12-01", "At what time on 2026-12-01? Try: 2026-12-01 10:00"),
        ("friday", "At what time on 2026-11-27? Try: 2026-11-27 10:00"),
        ("10:00", "On which day? Try: tomorrow 10:00"),
        ("soon", "I read no day and time in soon. Try: friday 10:00 CET"),
        ("2026-11-20 10:00", "2026-11-20 10:00 is past: it is 2026-11-21 14:04 CET now. Try: 2026-11-28 10:00"),
        ("today 14:04", "2026-11-21 14:04 is past"),
        ("2025-12-01 10:00", "2025-12-01 is past: today is 2026-11-21."),
        ("2426-12-01 10:00", "2426-12-01 is more than a year ahead. Check the year: 2026-11-28 10:00"),
        ("9999-12-31 23:59 UTC-12", "9999-12-31 is more than a year ahead."),
        ("0001-01-01 00:00", "0001-01-01 is past"),
        ("2027-02-30 10:00", "2027-02-30 is no date I know."),
        ("30 February 10:00", "30 February is no date I know."),
        ("friday 25:00", "25:00 is no time of day. Try: 2026-11-28 10:00"),
        ("friday 13 pm", "13 pm is no time of day."),
        ("friday 10:00 Berlin", "I cannot read Berlin after the time. A zone is typed as 10:00 CET"),
        ("friday 10:00 CST", "CST is used by several zones"),
        ("friday 10:00-11:00", "How long it takes is typed after “for”. Try: 2026-11-28 10:00 for 45m"),
        ("03/04 10:00", "03/04 is read differently in different places."),
        ("2027-03-28 02:30", "There is no 02:30 on 28 March 2027 in Berlin: the clocks go forward."),
        (
            "2027-10-31 02:30",
            "02:30 on 31 October 2027 in Berlin comes twice: the clocks go back. Type which: 2027-10-31 02:30 CEST, or",
        ),
        (
            "tomorrow 00:30 Pacific/Auckland",
            "Today is 2026-11-21 in Berlin and 2026-11-22 in Auckland. Type the date: 2026-11-23 00:30 Pacific",
        ),
    ],
)  # fmt: skip
def test_what_is_no_instant_ahead_is_refused_with_an_example(words: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        ahead(words)
    assert str(caught.value).startswith(problem)


def test_each_example_a_refusal_offers_is_taken() -> None:
    for words in ("2027-03-28 03:30", "2027-10-31 02:30 CEST", "2026-11-28 10:00", "2026-11-23 00:30 Pacific/Auckland"):
        assert ahead(words).at > NOW


@settings(QUICK, max_examples=400)
@given(words=TEXTS, zone=ZONES)
def test_no_text_raises_anything_but_a_usage_error(words: str, zone: str) -> None:
    found = outcome(lambda: ahead(words, zone=zone))
    if isinstance(found, Appointment):
        assert NOW < found.at <= NOW + FARTHEST + timedelta(days=2)


@QUICK
@given(now=NOWS, zone=ZONES, minutes=st.integers(2, 360 * 24 * 60))
def test_a_local_time_typed_is_that_time_on_those_clocks(now: datetime, zone: str, minutes: int) -> None:
    clocks = ZoneInfo(zone)
    wall = (now + timedelta(minutes=minutes)).astimezone(clocks).replace(second=0, microsecond=0, tzinfo=None)
    found = outcome(lambda: ahead(f"{wall:%F %H:%M}", now=now, zone=zone))
    if isinstance(found, Appointment):
        assert found.at.astimezone(clocks).replace(tzinfo=None) == wall
        assert found.zone_assumed
    else:
        # In the hour that comes twice, and nowhere else.
        offsets = {wall.replace(tzinfo=clocks, fold=fold).astimezone(UTC) for fold in (0, 1)}
        assert len(offsets) == 2 or "is past" in str(found)
