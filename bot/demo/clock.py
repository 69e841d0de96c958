"""A clock that can be moved and run at any rate: for time travel, and for drills played at another speed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from storage.values import whole_milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """The clock shows `shown_at` at the real instant `real_at`, and runs on from there until `until_at`, if given.

    `rate` is shown seconds per real second; 0 stands still.
    """

    real_at: datetime
    shown_at: datetime
    rate: float = 1.0
    until_at: datetime | None = None


class AdjustableClock:
    """Shows the real time until it is set; calling it returns an aware UTC instant. Any thread may read and set it.

    `real` is the clock that measures the time between two calls.
    """

    def __init__(self, real: Clock) -> None:
        self._real = real
        # One immutable value, replaced as a whole: a reader in another thread never sees half a change.
        self._state = ClockState(real_at=real(), shown_at=real())

    def __call__(self) -> datetime:
        """The shown instant, in whole milliseconds."""
        state = self._state
        shown = state.shown_at + (self._real() - state.real_at) * state.rate
        return whole_milliseconds(shown if state.until_at is None else min(shown, state.until_at))

    @property
    def rate(self) -> float:
        """Shown seconds per real second."""
        return self._state.rate

    @property
    def until_at(self) -> datetime | None:
        """The instant at which the clock stops, if any."""
        return self._state.until_at

    def set(self, instant: datetime, *, rate: float = 1.0, until: datetime | None = None) -> None:
        """Show the aware `instant` now and run on at `rate`, until `until` at most."""
        self._state = ClockState(real_at=self._real(), shown_at=instant, rate=rate, until_at=until)

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`, then run at the real rate."""
        self.set(self() + by)

    def run(self, *, rate: float = 1.0, until: datetime | None = None) -> None:
        """Run on from the shown instant at `rate`, until `until` at most."""
        self.set(self(), rate=rate, until=until)


TICK_EVERY: Final = timedelta(hours=1)
TRAVEL_STEPS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


def travel(clock: AdjustableClock, by: timedelta, tick: Callable[[], None]) -> None:
    """Move the clock forward by `by` in steps of an hour; `tick` runs what is due after each step."""
    left = by
    while left > timedelta():
        clock.advance(min(TICK_EVERY, left))
        left -= TICK_EVERY
        tick()
