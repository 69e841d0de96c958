"""Trouble on order: calls that fail, calls that take long."""

from dataclasses import dataclass
from threading import Lock

TOO_MANY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure ordered for the next call of `method`. `retry_after_s` is sent with a 429 only."""

    method: str
    error: str
    status: int
    retry_after_s: int


class Faults:
    """The trouble ordered so far, each failure used once, in the order given."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.ordered: list[Fault] = []
        self.delays_s: dict[str, float] = {}

    def add(self, fault: Fault, *, times: int) -> None:
        """Order a failure for so many calls."""
        with self._lock:
            self.ordered.extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """The failure this call of `method` meets, if any; it is used up by that."""
        with self._lock:
            for fault in self.ordered:
                if fault.method == method:
                    self.ordered.remove(fault)
                    return fault
        return None
