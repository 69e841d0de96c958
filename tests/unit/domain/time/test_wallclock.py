from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.texts import NOWS, QUICK, ZONES, outcome
from tests.unit.domain.time.reading import Read, refusal, said, utc


@pytest.mark.parametrize("words", ["14:05", "14:06", "14:04:01", "14:05 CET", "13:05 UTC"])
def test_a_clock_that_runs_fast_makes_neither_yesterday_nor_the_future(words: str) -> None:
    assert "is still ahead" in refusal(words)


def test_a_clock_that_runs_fast_before_midnight_does_not_lose_a_day() -> None:
    assert "00:00 is still ahead" in refusal("00:00", now=utc("2026-11-21 22:59"))


@pytest.mark.parametrize(
    ("now", "at"),
    [
        ("2026-10-25 00:45", "2026-10-25 00:30"),  # 02:45 CEST
        ("2026-10-25 01:15", "2026-10-25 00:30"),  # 02:15 CET, the second 02:30 is ahead
        ("2026-10-25 01:45", "2026-10-25 01:30"),  # 02:45 CET
        ("2026-10-25 12:00", "2026-10-25 01:30"),
        ("2026-10-25 00:15", "2026-10-24 00:30"),  # 02:15 CEST
    ],
)
def test_in_the_autumn_hour_that_comes_twice_the_latest_one_is_meant(now: str, at: str) -> None:
    assert said("02:30", now=utc(now)).at == utc(at)


def test_a_typed_zone_picks_one_of_the_two_autumn_hours() -> None:
    now = utc("2026-10-25 12:00")
    for day in ("", "today ", "2026-10-25 "):
        assert said(f"{day}02:30 CEST", now=now).at == utc("2026-10-25 00:30")
        assert said(f"{day}02:30 CET", now=now).at == utc("2026-10-25 01:30")
        assert said(f"{day}02:30", now=now).at == utc("2026-10-25 01:30")


@pytest.mark.parametrize(
    ("words", "now"),
    [
        ("02:30", "2026-03-29 01:00"),
        ("02:30", "2026-03-29 12:00"),
        ("02:30", "2026-03-29 23:00"),  # 01:00 on the day after
        ("02:01", "2026-03-29 00:59"),  # within the clock skew
        ("02:30 Europe/Berlin", "2026-03-29 12:00"),
        ("today 02:30", "2026-03-29 12:00"),
        ("yesterday 02:30", "2026-03-30 12:00"),
        ("2026-03-29 02:30", "2026-06-01 12:00"),
    ],
)
def test_a_time_the_clocks_jumped_over_is_refused_and_never_moved(words: str, now: str) -> None:
    message = refusal(words, now=utc(now))
    assert message.startswith("02:")
    assert "did not exist on 29 March in Berlin: the clocks went forward" in message


def test_before_and_after_the_spring_day_the_jump_is_no_matter() -> None:
    assert said("02:30", now=utc("2026-03-29 00:30")).at == utc("2026-03-28 01:30")
    assert said("02:30", now=utc("2026-03-30 12:00")).at == utc("2026-03-30 00:30")
    assert said("01:59", now=utc("2026-03-29 12:00")).at == utc("2026-03-29 00:59")
    assert said("03:00", now=utc("2026-03-29 12:00")).at == utc("2026-03-29 01:00")
    assert "01:30 did not exist on 29 March in London" in refusal(
        "01:30", now=utc("2026-03-29 02:00"), zone="Europe/London"
    )


def test_midnight_may_be_the_hour_that_does_not_exist() -> None:
    """Santiago's clocks go from 23:59 to 01:00."""
    assert "00:30 did not exist on 6 September" in refusal(
        "00:30", now=utc("2026-09-06 12:00"), zone="America/Santiago"
    )


def shows(at: datetime, zone: ZoneInfo, clock: str) -> bool:
    return f"{at.astimezone(zone):%H:%M:%S}" == clock


@QUICK
@given(now=NOWS, zone=ZONES, clock=st.times().map(lambda clock: f"{clock:%H:%M}:{clock.second % 2 * 59:02}"))
def test_a_clock_time_is_the_latest_such_moment_that_is_not_ahead(now: datetime, zone: str, clock: str) -> None:
    place = ZoneInfo(zone)
    # Zones of our time differ by whole minutes: steps of a minute meet every moment that shows the clock.
    start = now.replace(second=int(clock[-2:])) + timedelta(minutes=3)
    steps = [start - timedelta(minutes=back) for back in range(54 * 60)]
    meetings = [at for at in steps if shows(at, place, clock)]
    past = [at for at in meetings if at <= now]
    just_ahead = any(now < at <= now + timedelta(minutes=2) for at in meetings)
    read = outcome(lambda: said(f"at {clock}: x", now=now, zone=zone))
    if isinstance(read, Read):
        assert read.at == past[0]
        assert not just_ahead
    elif "did not exist" in str(read):
        offsets = {at.astimezone(place).utcoffset() or timedelta() for at in steps}
        # Apia left out a whole day in 2011: the moment before the jump may be less than a day ago.
        jump = max(offsets) - min(offsets)
        assert jump
        assert not past or now - past[0] > timedelta(hours=23) - jump
    else:
        assert just_ahead
