"""The unit of work in hand: fields for its log lines, and counts of what it did.

A unit of work is one delivery from Slack, one job of the outbox or one replayed request. Its fields are ids, the
command and the kind of entry, never anything a person typed.

The fields are one immutable mapping in one context variable. With a variable for each field, as structlog has them, the
end of a block would not undo what was bound inside it, and a pooled thread would carry that into its next request.

Whether work goes on is told by heartbeats: each loop and each unit of work in a thread of its own has one, which beats
with every turn, every call to Slack and every step of a long job. A thread that exists proves nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from secrets import token_hex
from typing import ParamSpec, TypeVar

Fields = Mapping[str, object]
Params = ParamSpec("Params")
Returned = TypeVar("Returned")

_FIELDS: ContextVar[Fields | None] = ContextVar("fields", default=None)
_log = logging.getLogger(__name__)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add fields for the length of the block; its end removes them, and all that `bind` added within it."""
    token = _FIELDS.set({**current(), **fields})
    try:
        yield
    finally:
        _FIELDS.reset(token)


def bind(**fields: object) -> None:
    """Add fields to the innermost `bound` block, except those that are None; outside of any block it does nothing."""
    before = _FIELDS.get()
    if before is not None:
        _FIELDS.set({**before, **{name: value for name, value in fields.items() if value is not None}})


def current() -> Fields:
    """The fields bound now; empty outside of any block."""
    return _FIELDS.get() or {}


def request_id() -> str:
    """A new random id for a delivery; it is in every log line about it."""
    return token_hex(6)


STUCK_S = 70.0
"""Seconds without a beat after which work counts as stuck; no single call to Slack or to a database takes so long."""


class Heartbeat:
    """Shows that something goes on: it beats, and is late when it has not for STUCK_S seconds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.beat()

    def beat(self) -> None:
        """Record that it goes on now."""
        self._beat_s = time.monotonic()

    @property
    def late(self) -> bool:
        """Whether the last beat is too long ago."""
        return time.monotonic() - self._beat_s > STUCK_S


class Heartbeats:
    """The heartbeats of this process, each from `add` to `remove`."""

    def __init__(self) -> None:
        self._beating: dict[int, Heartbeat] = {}

    def add(self, heartbeat: Heartbeat) -> Heartbeat:
        """Watch the heartbeat, beginning now."""
        heartbeat.beat()
        self._beating[id(heartbeat)] = heartbeat
        return heartbeat

    def remove(self, heartbeat: Heartbeat) -> None:
        """Watch it no more."""
        self._beating.pop(id(heartbeat), None)

    @contextmanager
    def of_work(self, name: str = "") -> Iterator[Heartbeat]:
        """The heartbeat of the block, for `progress`; within another such block in this thread it is that one's.

        It is named as the thread unless it has a `name`.
        """
        outer: Heartbeat | None = getattr(_THREAD, "heartbeat", None)
        if outer is not None:
            outer.beat()
            yield outer
            return
        own = self.add(Heartbeat(name or threading.current_thread().name))
        try:
            with beating(own):
                yield own
        finally:
            self.remove(own)

    def late(self) -> list[str]:
        """The names of those that are late, sorted."""
        return sorted({each.name for each in list(self._beating.values()) if each.late})

    def forgive(self) -> None:
        """Let all begin anew: the process itself stood still for a while."""
        for each in list(self._beating.values()):
            each.beat()


_THREAD = threading.local()
HEARTBEATS = Heartbeats()


@contextmanager
def beating(heartbeat: Heartbeat) -> Iterator[None]:
    """Let `progress` beat with this heartbeat in this thread, for the length of the block."""
    _THREAD.heartbeat = heartbeat
    try:
        yield
    finally:
        _THREAD.heartbeat = None


@contextmanager
def checked(check: Callable[[], None]) -> Iterator[None]:
    """Have `progress` call `check` in this thread, for the length of the block."""
    _THREAD.check = check
    try:
        yield
    finally:
        _THREAD.check = None


def progress() -> None:
    """Beat for this thread, before a step of its work that others see. Raises what a check of the work's raises."""
    heartbeat: Heartbeat | None = getattr(_THREAD, "heartbeat", None)
    if heartbeat is not None:
        heartbeat.beat()
    check: Callable[[], None] | None = getattr(_THREAD, "check", None)
    if check is not None:
        check()


class ContextThreadPool(ThreadPoolExecutor):
    """A thread pool whose functions run with the fields of the code that submitted them, and with a heartbeat."""

    def __init__(self, max_workers: int, thread_name_prefix: str) -> None:
        super().__init__(max_workers, thread_name_prefix)
        self._name = thread_name_prefix
        self._no_thread: Heartbeat | None = None

    def submit(
        self, function: Callable[Params, Returned], /, *args: Params.args, **kwargs: Params.kwargs
    ) -> Future[Returned]:
        """Run the function in a thread of the pool, in a copy of the caller's context.

        Raises RuntimeError where no thread can be started. A pool that stays without one counts as stuck.
        """
        try:
            future = super().submit(copy_context().run, partial(_watched, function, *args, **kwargs))
        except RuntimeError:
            if not (self._shutdown or self._threads or self._no_thread):
                self._no_thread = HEARTBEATS.add(Heartbeat(self._name))
            raise
        if self._no_thread is not None:
            HEARTBEATS.remove(self._no_thread)
            self._no_thread = None
        return future


def _watched(function: Callable[Params, Returned], *args: Params.args, **kwargs: Params.kwargs) -> Returned:
    with HEARTBEATS.of_work():
        try:
            return function(*args, **kwargs)
        except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
            # Handed on to an event loop, it would end that; here nobody meant the process.
            raise RuntimeError(type(error).__name__) from error


class Metrics:
    """Counts of what the bot does. This base class discards them; no method blocks or raises."""

    def acked(self, transport: str, seconds: float) -> None:
        """A delivery from Slack was answered, so many seconds after it was received."""

    def recorded(self, kind: str) -> None:
        """A timeline entry was committed."""

    def drafted(self) -> None:
        """A version of a postmortem was committed."""

    def reminded(self, people: int) -> None:
        """So many people were sent a reminder."""

    def loop_failed(self, name: str) -> None:
        """A turn of a loop, or a task of the scheduler, raised an exception."""

    def slack_failed(self, method: str, error: str) -> None:
        """A call of the Web API failed; `error` is Slack's code for it, or the name of the exception."""


NO_METRICS = Metrics()

Answer = TypeVar("Answer")
Dispatch = Callable[[str, Mapping[str, str]], Answer]
Report = Callable[[], None]


@contextmanager
def measured_work(metrics: Metrics, **fields: object) -> Iterator[None]:
    """Run the block as one unit of work with these fields; count and log it at the end, also when it raises."""
    begun_s = time.perf_counter()
    with HEARTBEATS.of_work(), bound(**fields):
        try:
            yield
        finally:
            _report(metrics, current(), time.perf_counter() - begun_s)


def measured_dispatch(metrics: Metrics, dispatch: Dispatch[Answer]) -> Dispatch[tuple[Answer, Report]]:
    """Wrap `dispatch` so that each call is one unit of work with an id of its own.

    The wrapper returns the answer, and a function that counts and logs the work: call it after the answer is sent, to
    keep that time out of the response.
    """

    def measured(body: str, headers: Mapping[str, str]) -> tuple[Answer, Report]:
        begun_s = time.perf_counter()
        with HEARTBEATS.of_work(), bound(request=request_id()):
            answer = dispatch(body, headers)
            fields = current()
        return answer, partial(_report, metrics, fields, time.perf_counter() - begun_s)

    return measured


def _report(metrics: Metrics, fields: Fields, seconds: float) -> None:
    """Count the work by its fields and log one line about it.

    `kind` and `draft` are bound only after the commit, so they count even when something fails after it.
    """
    if "kind" in fields:
        metrics.recorded(str(fields["kind"]))
    if "draft" in fields:
        metrics.drafted()
    if "command" in fields or "draft" in fields:
        with bound(**fields):
            _log.info("done", extra={"ms": round(seconds * 1000, 1)})
