"""Trouble on order: calls that fail, calls that take long."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure ordered for the next call of `method`. `retry_after_s` is sent with a 429 only."""

    method: str
    error: str
    status: int
    retry_after_s: int


Meets = Callable[[str, dict[str, Any]], Fault | None]
"""What a call of a method with these arguments meets."""


class Faults:
    """The trouble ordered so far, each failure used once, in the order given."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.ordered: list[Fault] = []
        self.delays_s: dict[str, float] = {}
        self.weather: Meets | None = None

    def add(self, fault: Fault, *, times: int) -> None:
        """Order a failure for so many calls."""
        with self._lock:
            self.ordered.extend([fault] * times)

    def take(self, method: str, given: dict[str, Any]) -> Fault | None:
        """The failure this call of `method` meets, if any; one that was ordered is used up by that."""
        with self._lock:
            for fault in self.ordered:
                if fault.method == method:
                    self.ordered.remove(fault)
                    return fault
        return self.weather(method, given) if self.weather else None
