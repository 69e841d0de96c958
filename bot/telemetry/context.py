"""Around every piece of work: an id for the log, and the counts of what came of it."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from secrets import token_hex
from typing import TypeVar

from bot.telemetry import trace
from bot.telemetry.tally import Tally

RECORDED, DRAFTED = "kind", "draft"
"""What is noted of an entry that was recorded, and of a draft that was kept."""

Answer = TypeVar("Answer")
Dispatch = Callable[[str, Mapping[str, str]], Answer]
Tell = Callable[[], None]
_log = logging.getLogger(__name__)


@contextmanager
def watched(tally: Tally, **facts: object) -> Iterator[None]:
    """Count what is recorded and drafted within the block, and log one line about it, also when it raises."""
    begun_s = time.perf_counter()
    with trace.about(**facts) as known:
        try:
            yield
        finally:
            _tell(tally, known, time.perf_counter() - begun_s)


def watching(tally: Tally, dispatch: Dispatch[Answer]) -> Dispatch[tuple[Answer, Tell]]:
    """The same function, each call of it watched under an id of its own.

    With its answer it gives what counts and logs: that can wait until the answer has left.
    """

    def answer(body: str, headers: Mapping[str, str]) -> tuple[Answer, Tell]:
        begun_s = time.perf_counter()
        with trace.about(request=request_id()) as known:
            given = dispatch(body, headers)
        return given, partial(_tell, tally, known, time.perf_counter() - begun_s)

    return answer


def _tell(tally: Tally, known: trace.Facts, seconds: float) -> None:
    """Count, and log a line with ids, the command and the kind of entry, and no word that anybody typed.

    What is noted is committed, whatever failed after that.
    """
    if RECORDED in known:
        tally.recorded(str(known[RECORDED]))
    if DRAFTED in known:
        tally.drafted()
    if "command" in known or DRAFTED in known:
        with trace.about(**known):
            _log.info("done", extra={"ms": round(seconds * 1000, 1)})


def request_id() -> str:
    """A new id for a delivery; it stands in every line of the log about it."""
    return token_hex(6)
