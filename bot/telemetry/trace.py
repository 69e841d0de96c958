"""What is being worked on, for the log and the counts: facts that follow the thread which does the work."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import ParamSpec, TypeVar

Facts = dict[str, object]
Given = ParamSpec("Given")
Done = TypeVar("Done")

_FACTS: ContextVar[Facts | None] = ContextVar("facts", default=None)


@contextmanager
def about(**facts: object) -> Iterator[Facts]:
    """Within the block the work is about these facts too, beside those of the block around it.

    Gives the facts; what is noted within the block is in them afterwards.
    """
    known = {**facts_now(), **facts}
    token = _FACTS.set(known)
    try:
        yield known
    finally:
        _FACTS.reset(token)


def note(**facts: object) -> None:
    """Add what is known only now; outside of any block it is forgotten. None says that nothing is known."""
    known = _FACTS.get()
    if known is not None:
        known.update({name: value for name, value in facts.items() if value is not None})


def facts_now() -> Facts:
    """A copy of the facts of the work in hand."""
    return dict(_FACTS.get() or {})


class Background(ThreadPoolExecutor):
    """Threads that work on what whoever hands them the work is working on."""

    def submit(self, work: Callable[Given, Done], /, *given: Given.args, **how: Given.kwargs) -> Future[Done]:
        """Do the work in a thread of its own, about the same facts."""
        return super().submit(copy_context().run, partial(work, *given, **how))
