"""The only clock."""

from collections.abc import Callable
from datetime import UTC, datetime

from storage.values import whole_milliseconds

Clock = Callable[[], datetime]


def now() -> datetime:
    """The present instant, aware, UTC, in whole milliseconds."""
    return whole_milliseconds(datetime.now(UTC))


class SetClock:
    """A clock that stands still until it is set: it plays an incident back at the incident's own times.

    `instant` is an aware datetime. Calling the clock gives it in UTC, in whole milliseconds.
    """

    def __init__(self, instant: datetime) -> None:
        self.set(instant)

    def set(self, instant: datetime) -> None:
        """Move the hands to `instant`, an aware datetime."""
        self._instant = whole_milliseconds(instant)

    def __call__(self) -> datetime:
        """The instant last set."""
        return self._instant
