"""The work in hand: its facts for the log, and the counts of what came of it."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from secrets import token_hex
from typing import ParamSpec, TypeVar

Fields = dict[str, object]
Given = ParamSpec("Given")
Done = TypeVar("Done")

_FACTS: ContextVar[Fields | None] = ContextVar("facts", default=None)


@contextmanager
def bound(**facts: object) -> Iterator[Fields]:
    """Within the block the work is about these facts too, beside those of the block around it.

    Gives the facts; what is noted within the block is in them afterwards.
    """
    known = {**current(), **facts}
    token = _FACTS.set(known)
    try:
        yield known
    finally:
        _FACTS.reset(token)


def bind(**facts: object) -> None:
    """Add what is known only now; outside of any block it is forgotten. None says that nothing is known."""
    known = _FACTS.get()
    if known is not None:
        known.update({name: value for name, value in facts.items() if value is not None})


def current() -> Fields:
    """A copy of the facts of the work in hand."""
    return dict(_FACTS.get() or {})


class ContextThreadPool(ThreadPoolExecutor):
    """Threads that work on what whoever hands them the work is working on."""

    def submit(self, work: Callable[Given, Done], /, *given: Given.args, **how: Given.kwargs) -> Future[Done]:
        """Do the work in a thread of its own, about the same facts."""
        return super().submit(copy_context().run, partial(work, *given, **how))


class Metrics:
    """Told of what happened; every method returns at once and never raises."""

    def acked(self, transport: str, seconds: float) -> None:
        """A delivery of Slack's was answered, so many seconds after it was received."""

    def recorded(self, kind: str) -> None:
        """A timeline entry was committed."""

    def drafted(self) -> None:
        """A version of a postmortem was kept."""

    def reminded(self, people: int) -> None:
        """So many people were sent a reminder."""

    def slack_failed(self, method: str, error: str) -> None:
        """A call of the Web API's method did not succeed; `error` is Slack's word for it, or the failure's name."""


NO_METRICS = Metrics()


RECORDED, DRAFTED = "kind", "draft"
"""What is noted of an entry that was recorded, and of a draft that was kept."""

Answer = TypeVar("Answer")
Dispatch = Callable[[str, Mapping[str, str]], Answer]
Tell = Callable[[], None]
_log = logging.getLogger(__name__)


@contextmanager
def measured_work(metrics: Metrics, **facts: object) -> Iterator[None]:
    """Count what is recorded and drafted within the block, and log one line about it, also when it raises."""
    begun_s = time.perf_counter()
    with bound(**facts) as known:
        try:
            yield
        finally:
            _tell(metrics, known, time.perf_counter() - begun_s)


def measured_dispatch(metrics: Metrics, dispatch: Dispatch[Answer]) -> Dispatch[tuple[Answer, Tell]]:
    """The same function, each call of it watched under an id of its own.

    With its answer it gives what counts and logs: that can wait until the answer has left.
    """

    def answer(body: str, headers: Mapping[str, str]) -> tuple[Answer, Tell]:
        begun_s = time.perf_counter()
        with bound(request=request_id()) as known:
            given = dispatch(body, headers)
        return given, partial(_tell, metrics, known, time.perf_counter() - begun_s)

    return answer


def _tell(metrics: Metrics, known: Fields, seconds: float) -> None:
    """Count, and log a line with ids, the command and the kind of entry, and no word that anybody typed.

    What is noted is committed, whatever failed after that.
    """
    if RECORDED in known:
        metrics.recorded(str(known[RECORDED]))
    if DRAFTED in known:
        metrics.drafted()
    if "command" in known or DRAFTED in known:
        with bound(**known):
            _log.info("done", extra={"ms": round(seconds * 1000, 1)})


def request_id() -> str:
    """A new id for a delivery; it stands in every line of the log about it."""
    return token_hex(6)
