"""Journeys in time: the clock goes forward hour by hour, and what falls due on the way happens when it would."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from bot.demo.clock import Travelling

STEP: Final = timedelta(hours=1)
JOURNEYS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


def travel(clock: Travelling, by: timedelta, tick: Callable[[], None]) -> None:
    """Move the clock forward `by`; `tick` does what has become due, after every hour and at the end."""
    left = by
    while left > timedelta():
        clock.forward(min(STEP, left))
        left -= STEP
        tick()
