"""A clock that can be moved: for time travel, and for drills, which play at their own times and pace."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from storage.values import whole_milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """Where the hands stood, `shown_at`, at the real instant `real_at`, and how they go on from there.

    `rate` is shown seconds a real second, 0 stands still; they stop at `until_at`, where there is one.
    """

    real_at: datetime
    shown_at: datetime
    rate: float = 1.0
    until_at: datetime | None = None


class Travelling:
    """The demo's clock. It shows the real time until it is set; calling it gives an aware UTC instant.

    `real` is the clock it is moved against. Any thread may read and set it.
    """

    def __init__(self, real: Clock) -> None:
        self._real = real
        self._hands = ClockState(real_at=real(), shown_at=real())

    def __call__(self) -> datetime:
        """The instant it shows, in whole milliseconds."""
        hands = self._hands
        shown = hands.shown_at + (self._real() - hands.real_at) * hands.rate
        return whole_milliseconds(shown if hands.until_at is None else min(shown, hands.until_at))

    @property
    def rate(self) -> float:
        """Shown seconds a real second."""
        return self._hands.rate

    @property
    def until_at(self) -> datetime | None:
        """Where it stops by itself."""
        return self._hands.until_at

    def set(self, instant: datetime, *, rate: float = 1.0, until: datetime | None = None) -> None:
        """Move the hands to the aware `instant` and let them go on at `rate`, to `until` at most."""
        self._hands = ClockState(real_at=self._real(), shown_at=instant, rate=rate, until_at=until)

    def forward(self, by: timedelta) -> None:
        """Move the hands forward; they go on at the real pace."""
        self.set(self() + by)

    def go_on(self, *, rate: float = 1.0, until: datetime | None = None) -> None:
        """Go on from what it shows, at `rate`, to `until` at most."""
        self.set(self(), rate=rate, until=until)


STEP: Final = timedelta(hours=1)
JOURNEYS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


def travel(clock: Travelling, by: timedelta, tick: Callable[[], None]) -> None:
    """Move the clock forward `by`; `tick` does what has become due, after every hour and at the end."""
    left = by
    while left > timedelta():
        clock.forward(min(STEP, left))
        left -= STEP
        tick()
