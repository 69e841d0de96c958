from datetime import timedelta

from bot.clock import SetClock
from bot.demo.clock import JOURNEYS, Travelling, travel
from tests.conftest import NOON

SECOND = timedelta(seconds=1)


def test_it_shows_the_real_time_until_it_is_moved() -> None:
    real = SetClock(NOON)
    clock = Travelling(real)
    real.set(NOON + 5 * SECOND)
    assert clock() == NOON + 5 * SECOND
    clock.forward(timedelta(weeks=1))
    real.set(NOON + 7 * SECOND)
    assert clock() == NOON + timedelta(weeks=1) + 7 * SECOND


def test_it_runs_at_its_own_rate_stops_where_it_is_told_and_stands_still() -> None:
    real = SetClock(NOON)
    clock = Travelling(real)
    clock.set(NOON - timedelta(days=3000), rate=600, until=NOON - timedelta(days=3000) + 1000 * SECOND)
    real.set(NOON + SECOND)
    assert clock() == NOON - timedelta(days=3000) + 600 * SECOND
    real.set(NOON + 9 * SECOND)
    assert clock() == NOON - timedelta(days=3000) + 1000 * SECOND
    clock.go_on(rate=0)
    real.set(NOON + 99 * SECOND)
    assert clock() == NOON - timedelta(days=3000) + 1000 * SECOND


def test_a_journey_goes_hour_by_hour_and_ends_where_it_should() -> None:
    clock, seen = Travelling(SetClock(NOON)), []
    travel(clock, JOURNEYS["day"] + timedelta(minutes=30), lambda: seen.append(clock()))
    assert seen == [*(NOON + timedelta(hours=hour) for hour in range(1, 25)), NOON + timedelta(hours=24, minutes=30)]
