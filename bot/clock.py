"""The clock: a function that returns the present instant. All other code is given one."""

from collections.abc import Callable
from datetime import UTC, datetime

from storage.values import whole_milliseconds

Clock = Callable[[], datetime]


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
