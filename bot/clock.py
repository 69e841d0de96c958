"""The clock: a function that returns the present instant. All other code is given one."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from storage.values import whole_milliseconds

Clock = Callable[[], datetime]
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", None)
MEASURE_S = 30.0
"""Seconds between two measurements of a server's clock."""
_LONGEST_QUESTION_S = 1.0
"""Seconds a measurement may take: its result is accurate to half of them."""
JUMP = timedelta(seconds=2)
"""A difference between two measurements that is no drift: somebody has set a clock."""
UNSETTLED_S = 5.0
"""Seconds after such a jump in which leases are left alone, until their holders have renewed them by the new time."""


def elapsed_s() -> float:
    """Seconds since some instant, which no setting of a clock changes; Linux counts on while the machine sleeps."""
    return time.monotonic() if _ELAPSED is None else time.clock_gettime(_ELAPSED)


def now() -> datetime:
    """The present instant, aware, UTC, in whole milliseconds."""
    return whole_milliseconds(datetime.now(UTC))


class SetClock:
    """A clock that stands still until it is set, to replay an incident at the times it happened.

    Calling it returns the instant, an aware datetime, in UTC and in whole milliseconds.
    """

    def __init__(self, instant: datetime) -> None:
        self.set(instant)

    def set(self, instant: datetime) -> None:
        """Set the clock to `instant`, an aware datetime."""
        self._instant = whole_milliseconds(instant)

    def __call__(self) -> datetime:
        """The instant last set."""
        return self._instant


class Pause:
    """A wait of `wait_s` seconds by a clock that may be set meanwhile: set back, it does not make the wait longer."""

    def __init__(self, clock: Clock, wait_s: float) -> None:
        self._clock = clock
        self._began_at = clock()
        self._wait_s = wait_s

    @property
    def left_s(self) -> float:
        """Seconds that are left; 0 when the wait is over, or when the clock shows a time before its beginning."""
        passed_s = (self._clock() - self._began_at).total_seconds()
        return 0.0 if passed_s < 0 else max(0.0, self._wait_s - passed_s)


class SharedClock:
    """The time on which all who use one database agree: its server's, which `ask` tells, or None where it has none.

    Between two measurements it goes on by `elapsed_s`, so that nothing moves it that happens to this machine's clock.
    Without a measurement yet, and without a server, it is `clock`.
    """

    def __init__(
        self,
        ask: Callable[[], datetime | None],
        clock: Clock = now,
        *,
        elapsed: Callable[[], float] = elapsed_s,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._elapsed = elapsed
        self._measured: tuple[datetime, float] | None = None
        self._asked_s: float | None = None
        self._settled_s = 0.0

    def __call__(self) -> datetime:
        """The present instant, in whole milliseconds."""
        if self._asked_s is None or self._elapsed() - self._asked_s > MEASURE_S:
            self.measure()
        return whole_milliseconds(self._predicted() or self._clock())

    @property
    def unsettled(self) -> bool:
        """Whether the server's clock has just been set, so that what it says of leases may be wrong."""
        return self._elapsed() < self._settled_s

    def measure(self) -> None:
        """Ask the server; where it does not answer soon, the clock goes on by the last measurement."""
        began_s = self._asked_s = self._elapsed()
        told: datetime | None = None
        with suppress(Exception):
            told = self._ask()
        took_s = self._elapsed() - began_s
        if told is None or took_s > _LONGEST_QUESTION_S:
            return
        predicted = self._predicted(began_s + took_s / 2)
        if predicted is not None and abs(told - predicted) > JUMP:
            self._settled_s = self._elapsed() + UNSETTLED_S
        self._measured = (told, began_s + took_s / 2)

    def _predicted(self, at_s: float | None = None) -> datetime | None:
        if self._measured is None:
            return None
        told, measured_s = self._measured
        return told + timedelta(seconds=(self._elapsed() if at_s is None else at_s) - measured_s)
