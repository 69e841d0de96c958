"""The only clock."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def to_milliseconds(moment: datetime) -> datetime:
    """The aware instant `moment` in UTC, cut to the millisecond: the precision every store keeps."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def now() -> datetime:
    """The present instant, aware, UTC, in whole milliseconds."""
    return to_milliseconds(datetime.now(UTC))


class SetClock:
    """A clock that stands still until it is set: it plays an incident back at the incident's own times.

    `instant` is an aware datetime. Calling the clock gives it in UTC, in whole milliseconds.
    """

    def __init__(self, instant: datetime) -> None:
        self.set(instant)

    def set(self, instant: datetime) -> None:
        """Move the hands to `instant`, an aware datetime."""
        self._instant = to_milliseconds(instant)

    def __call__(self) -> datetime:
        """The instant last set."""
        return self._instant
