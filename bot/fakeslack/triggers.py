"""Trigger ids: each opens one modal, within three seconds of the person's doing."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from threading import Lock

from bot.fakeslack.arguments import ApiError

TRIGGER_LIFETIME_S = 3.0


@dataclass(slots=True, kw_only=True)
class Trigger:
    """Who did something, when by the monotonic clock, and whether a modal came of it."""

    user: str
    issued_at_s: float
    used: bool = False


class Triggers:
    """The trigger ids given out. `monotonic` counts real seconds: a set clock does not stretch them."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._issued: dict[str, Trigger] = {}

    def issue(self, user: str, trigger_id: str | None = None) -> str:
        """A new trigger id of a person's; one given by the caller is kept as it was the first time."""
        with self._lock:
            name = trigger_id or f"{len(self._issued) + 1}.{token_hex(5)}.{token_hex(16)}"
            self._issued.setdefault(name, Trigger(user=user, issued_at_s=self._monotonic()))
        return name

    def exchange(self, trigger_id: str) -> str:
        """The person behind a trigger id, which is used up by this. Raises Refused."""
        with self._lock:
            trigger = self._issued.get(trigger_id)
            if trigger is None:
                raise ApiError("invalid_trigger_id")
            if trigger.used:
                raise ApiError("exchanged_trigger_id")
            if self._monotonic() - trigger.issued_at_s > TRIGGER_LIFETIME_S:
                raise ApiError("expired_trigger_id")
            trigger.used = True
            return trigger.user
