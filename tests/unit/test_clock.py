from datetime import UTC, datetime, timedelta, timezone

from freezegun import freeze_time

from bot.clock import SetClock, now
from storage.values import whole_milliseconds
from tests.support.workplace import at


def test_now_is_aware_utc_in_whole_milliseconds() -> None:
    before, instant, after = datetime.now(UTC), now(), datetime.now(UTC)
    assert before - timedelta(milliseconds=1) < instant <= after
    assert instant.tzinfo is UTC
    assert instant.microsecond % 1000 == 0


@freeze_time("2026-03-12 12:00:00.123999")
def test_now_cuts_what_lies_below_the_millisecond() -> None:
    assert now() == at("2026-03-12T12:00:00.123Z")


def test_a_set_clock_stands_still_until_it_is_set() -> None:
    clock = SetClock(at("2026-03-12T12:00:00Z"))
    assert clock() == clock() == at("2026-03-12T12:00:00Z")
    clock.set(at("2026-03-12T09:00:00.123999+05:45"))
    assert clock().isoformat() == "2026-03-12T03:15:00.123000+00:00"


def test_milliseconds_are_cut_and_never_rounded_up_into_the_future() -> None:
    east = timezone(timedelta(hours=14))
    last = datetime(2026, 1, 1, 0, 0, 0, 999_999, tzinfo=east)
    assert whole_milliseconds(last).isoformat() == "2025-12-31T10:00:00.999000+00:00"
    before_1970 = datetime(1969, 12, 31, 23, 59, 59, 1_999, tzinfo=UTC)
    assert whole_milliseconds(before_1970).microsecond == 1_000
