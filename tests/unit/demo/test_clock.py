from datetime import timedelta

from bot.clock import SetClock
from bot.demo.clock import TRAVEL_STEPS, AdjustableClock, travel
from tests.conftest import NOON

SECOND = timedelta(seconds=1)


def test_it_shows_the_real_time_until_it_is_moved() -> None:
    real = SetClock(NOON)
    clock = AdjustableClock(real)
    real.set(NOON + 5 * SECOND)
    assert clock() == NOON + 5 * SECOND
    clock.advance(timedelta(weeks=1))
    real.set(NOON + 7 * SECOND)
    assert clock() == NOON + timedelta(weeks=1) + 7 * SECOND


def test_it_runs_at_a_rate_until_an_instant_and_can_stand_still() -> None:
    real = SetClock(NOON)
    clock = AdjustableClock(real)
    start = NOON - timedelta(days=3000)
    clock.set(start, rate=600, until=start + 1000 * SECOND)
    real.set(NOON + SECOND)
    assert clock() == start + 600 * SECOND
    real.set(NOON + 9 * SECOND)
    assert clock() == start + 1000 * SECOND
    clock.run(rate=0)
    real.set(NOON + 99 * SECOND)
    assert clock() == start + 1000 * SECOND


def test_travel_ticks_every_hour_and_at_the_end() -> None:
    clock, ticks = AdjustableClock(SetClock(NOON)), []
    travel(clock, TRAVEL_STEPS["day"] + timedelta(minutes=30), lambda: ticks.append(clock()))
    assert ticks == [*(NOON + timedelta(hours=hour) for hour in range(1, 25)), NOON + timedelta(hours=24, minutes=30)]
