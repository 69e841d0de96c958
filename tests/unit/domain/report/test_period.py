from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.report.period import LONGEST, parse_period
from bot.errors import UsageError
from tests.support.workplace import at

NOW = at("2026-11-21T12:00:00Z")
UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "days", "words"),
    [
        ("", 30, "the last 30 days"),
        ("30d", 30, "the last 30 days"),
        ("  7D ", 7, "the last 7 days"),
        ("last 12 weeks", 84, "the last 12 weeks"),
        ("1d", 1, "the last 24 hours"),
        ("1w", 7, "the last week"),
        ("1y", 365, "the last year"),
        ("10 years", 3650, "the last 10 years"),
    ],
)
def test_a_length_is_counted_back_from_now(typed: str, days: int, words: str) -> None:
    period = parse_period(typed, now=NOW, zone=UTC)
    assert (period.since, period.words) == (NOW - timedelta(days=days), words)
    assert period.until - timedelta(milliseconds=1) == NOW


@pytest.mark.parametrize("typed", ["2026-10-01..2026-10-31", "2026-10-01 … 2026-10-31", "2026-10-01 to 2026-10-31"])
def test_two_dates_are_whole_days_of_the_typists_calendar(typed: str) -> None:
    period = parse_period(typed, now=NOW, zone=BERLIN)
    assert (period.since, period.until) == (at("2026-09-30T22:00:00Z"), at("2026-10-31T23:00:00Z"))
    assert period.words == "2026-10-01 to 2026-10-31"


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("-3d", "-3d is no period I know. Periods are 30d, 12w, 1y or 2026-10-01..2026-10-31."),
        ("3m", "3m is no period I know. Periods are 30d, 12w, 1y or 2026-10-01..2026-10-31."),
        ("lots", "lots is no period I know. Periods are 30d, 12w, 1y or 2026-10-01..2026-10-31."),
        ("0d", "0d is no time at all."),
        ("400y", "400y is longer than ten years."),
        ("999999999w", "999999999w is longer than ten years."),
        ("2000-01-01..2026-01-01", "2000-01-01..2026-01-01 is longer than ten years."),
        ("2026-13-01..2026-12-01", "2026-13-01 is no date of the calendar."),
        ("2026-01-01..2026-02-30", "2026-02-30 is no date of the calendar."),
        ("2026-11-22..2026-11-23", "2026-11-22 is still to come, so there is nothing to report."),
    ],
)
def test_what_is_no_period_is_answered_with_examples(typed: str, problem: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_period(typed, now=NOW, zone=UTC)
    assert str(error.value) == f"{problem} Try: 30d"


def test_dates_the_wrong_way_round_are_offered_the_right_way_round() -> None:
    with pytest.raises(UsageError, match=r"ends before it begins\. Try: 2026-10-01\.\.2026-10-31"):
        parse_period("2026-10-31..2026-10-01", now=NOW, zone=UTC)


def test_today_and_the_last_day_of_the_calendar_are_no_trouble() -> None:
    assert parse_period("2026-11-21..2026-11-21", now=NOW, zone=UTC).words == "2026-11-21"
    with pytest.raises(UsageError, match="longer than ten years"):
        parse_period("2026-11-21..9999-12-31", now=NOW, zone=UTC)


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{1,12} ?[dwyDWY]|[0-9-]{10}\.\.[0-9-]{10}", fullmatch=True))
def test_any_words_are_a_period_of_some_length_or_a_usage_error(typed: str) -> None:
    try:
        period = parse_period(typed, now=NOW, zone=BERLIN)
    except UsageError as error:
        assert "Try: " in str(error)  # noqa: PT017 - either is right, and neither is nothing
    else:
        assert timedelta() < period.until - period.since <= LONGEST + timedelta(days=2)
