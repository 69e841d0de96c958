"""Injected faults: calls that fail or are delayed, on demand or at random."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from bot.clock import Clock

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


FAILURES = (("internal_error", 500), ("service_unavailable", 503), ("fatal_error", 200), ("request_timeout", 408))


class RandomFaults:
    """Says of each call what it meets. The same `seed` gives the same weather.

    `failing` is the share of calls that fail, `every_s` the seconds between two messages a channel takes;
    `too_early` counts the calls that came although they had been asked to wait.
    """

    def __init__(self, clock: Clock, *, seed: int = 1, failing: float = 0.3, every_s: float = 1.0) -> None:
        self._clock = clock
        self._dice = random.Random(seed)  # noqa: S311 - weather is no secret
        self._failing = failing
        self._every = timedelta(seconds=every_s)
        self._free_at: dict[tuple[str, str], datetime] = {}
        self._told: dict[tuple[str, str], datetime] = {}
        self._lock = threading.Lock()
        self.too_early = 0

    def meet(self, method: str, given: dict[str, Any]) -> Fault | None:
        """What this call meets; None where it is let through."""
        if not method.startswith("chat."):
            return None
        with self._lock:
            return self._meet(method, (method, str(given.get("channel"))))

    def _meet(self, method: str, key: tuple[str, str]) -> Fault | None:
        now = self._clock()
        if now < self._told.get(key, now):
            self.too_early += 1
        if self._dice.random() < self._failing:
            error, status = self._dice.choice(FAILURES)
            return Fault(method=method, error=error, status=status, retry_after_s=0)
        if now < self._free_at.get(key, now):
            wait_s = max(1, round((self._free_at[key] - now).total_seconds()))
            self._told[key] = now + timedelta(seconds=wait_s)
            return Fault(method=method, error="ratelimited", status=TOO_MANY_REQUESTS, retry_after_s=wait_s)
        self._free_at[key] = now + self._every
        return None
