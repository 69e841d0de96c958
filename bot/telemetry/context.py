"""The unit of work in hand: fields for its log lines, and counts of what it did.

A unit of work is one delivery from Slack, one job of the outbox or one replayed request. Its fields are ids, the
command and the kind of entry, never anything a person typed.

The fields are one immutable mapping in one context variable. structlog's contextvars keep a variable for each field,
so the end of a block would not undo what was bound inside it, and a pooled thread would carry that into its next
request. Importing structlog would also add 15 ms to each command that handles a request without `scribe run`.
"""

import logging
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


class ContextThreadPool(ThreadPoolExecutor):
    """A thread pool whose functions run with the fields of the code that submitted them."""

    def submit(
        self, function: Callable[Params, Returned], /, *args: Params.args, **kwargs: Params.kwargs
    ) -> Future[Returned]:
        """Run the function in a thread of the pool, in a copy of the caller's context."""
        return super().submit(copy_context().run, partial(function, *args, **kwargs))


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
    with bound(**fields):
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
        with bound(request=request_id()):
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
