"""Injected faults: calls of the Web API that fail or are delayed, on demand or at random."""

import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.fakeslack.schema import Json

TOO_MANY_REQUESTS = 429
RANDOM_ERRORS = (("internal_error", 500), ("service_unavailable", 503), ("fatal_error", 200), ("request_timeout", 408))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The failure of one call of `method`. `retry_after_s` is sent only with status 429."""

    method: str
    error: str
    status: int
    retry_after_s: int


FaultSource = Callable[[str, Json], Fault | None]
"""Returns the fault for a call of a method with these arguments, or None."""


class Faults:
    """The pending faults, each used once and in order, and the delays by method."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.pending: list[Fault] = []
        self.delays_s: dict[str, float] = {}
        self.source: FaultSource | None = None
        self.upload_status = 0
        """The HTTP status with which upload URLs refuse every file; 0 for none."""

    def add(self, fault: Fault, *, times: int) -> None:
        """Add a fault for that many calls."""
        with self._lock:
            self.pending.extend([fault] * times)

    def take(self, method: str, args: Json) -> Fault | None:
        """Return the fault for a call: the next pending one of the method, else what `source` returns."""
        with self._lock:
            for fault in self.pending:
                if fault.method == method:
                    self.pending.remove(fault)
                    return fault
        return self.source(method, args) if self.source else None


TIERS = {
    20: "canvases.create conversations.archive conversations.create conversations.setPurpose pins.list usergroups.list "
    "usergroups.users.list users.list",
    50: "canvases.edit chat.delete chat.update conversations.history conversations.info conversations.invite "
    "conversations.open conversations.replies files.delete team.info users.conversations",
    100: "chat.postEphemeral conversations.members files.completeUploadExternal files.getUploadURLExternal files.info "
    "users.info views.open views.publish views.update",
}
"""Methods by the calls a minute that Slack allows an app in a workspace: tiers 2, 3 and 4 of its "Rate limits"."""
CALLS_A_MINUTE = {method: calls for calls, methods in TIERS.items() for method in methods.split()}
MINUTE_S, MESSAGE_S = 60.0, 1.0


class RateTiers:
    """A fault source that allows each method its tier's calls in a minute, and each channel a message a second.

    `too_early` counts the calls made before the time that a Retry-After header named.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[tuple[str, str], list[datetime]] = {}
        self._retry_at: dict[tuple[str, str], datetime] = {}
        self._lock = threading.Lock()
        self.too_early = 0

    def next_fault(self, method: str, args: Json) -> Fault | None:
        """Return the refusal of a call beyond its limit, or None if it is within."""
        is_message = method == "chat.postMessage"
        if not is_message and method not in CALLS_A_MINUTE:
            return None
        key = (method, str(args.get("channel")) if is_message else "")
        most, window_s = (1, MESSAGE_S) if is_message else (CALLS_A_MINUTE[method], MINUTE_S)
        with self._lock:
            now = self._clock()
            if now < self._retry_at.get(key, now):
                self.too_early += 1
            recent = [each for each in self._calls.get(key, ()) if (now - each).total_seconds() < window_s]
            self._calls[key] = recent
            if len(recent) < most:
                recent.append(now)
                return None
            wait_s = max(1, math.ceil(window_s - (now - recent[0]).total_seconds()))
            self._retry_at[key] = now + timedelta(seconds=wait_s)
        return Fault(method=method, error="ratelimited", status=TOO_MANY_REQUESTS, retry_after_s=wait_s)


class RandomFaults:
    """A fault source for chat.*: a share of the calls fails, and a channel accepts one message in `every_s` seconds.

    `failing` is the share of calls that fail. The same `seed` gives the same faults for the same calls. `too_early`
    counts the calls made before the time of a Retry-After header.
    """

    def __init__(self, clock: Clock, *, seed: int = 1, failing: float = 0.3, every_s: float = 1.0) -> None:
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - not used for cryptography
        self._failing = failing
        self._every = timedelta(seconds=every_s)
        self._free_at: dict[tuple[str, str], datetime] = {}
        self._retry_at: dict[tuple[str, str], datetime] = {}
        self._lock = threading.Lock()
        self.too_early = 0

    def next_fault(self, method: str, args: Json) -> Fault | None:
        """Return the fault for a call, or None if it succeeds."""
        if not method.startswith("chat."):
            return None
        key = (method, str(args.get("channel")))
        with self._lock:
            now = self._clock()
            if now < self._retry_at.get(key, now):
                self.too_early += 1
            if self._random.random() < self._failing:
                error, status = self._random.choice(RANDOM_ERRORS)
                return Fault(method=method, error=error, status=status, retry_after_s=0)
            if now < self._free_at.get(key, now):
                wait_s = max(1, round((self._free_at[key] - now).total_seconds()))
                self._retry_at[key] = now + timedelta(seconds=wait_s)
                return Fault(method=method, error="ratelimited", status=TOO_MANY_REQUESTS, retry_after_s=wait_s)
            self._free_at[key] = now + self._every
            return None
