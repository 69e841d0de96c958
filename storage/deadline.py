"""A limit on waiting for the database: who must answer in three seconds cannot hang with it.

A server that was frozen, or cut off without a word, lets a connection wait for ever; no setting of the server ends
that, so the wait is ended on this side.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

LOOK_S = 0.1
_until: ContextVar[float | None] = ContextVar("until", default=None)


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    """Whatever waits for the database in this block gives up `limit_s` seconds from now."""
    token = _until.set(time.monotonic() + limit_s)
    try:
        yield
    finally:
        _until.reset(token)


def left_s() -> float | None:
    """The seconds that are left of the block's limit, never less than 0; None where there is none."""
    until = _until.get()
    return None if until is None else max(0.0, until - time.monotonic())


class Watch:
    """Ends what a connection waits for when the limit of its block has passed. `cut` does it, to a driver's connection.

    One look every LOOK_S at what is under way, instead of a timer for each: most are done within a millisecond.
    """

    def __init__(self, cut: Callable[[Any], None]) -> None:
        self._cut = cut
        self._lock = threading.Lock()
        self._watched: dict[int, tuple[float, Any]] = {}
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    @contextmanager
    def over(self, connection: Any) -> Iterator[None]:
        """Watch the driver's connection while the block runs."""
        until = _until.get()
        if until is None:
            yield
            return
        self._begin()
        with self._lock:
            self._watched[id(connection)] = (until, connection)
        try:
            yield
        finally:
            # Under the lock: once this is done, the connection may be somebody else's, and must not be cut.
            with self._lock:
                self._watched.pop(id(connection), None)

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _begin(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._look, name="deadline", daemon=True)
                    self._thread.start()

    def _look(self) -> None:
        while not self._stopped.wait(LOOK_S):
            with self._lock:
                late = [key for key, (until, _) in self._watched.items() if time.monotonic() > until]
                for key in late:
                    self._cut(self._watched.pop(key)[1])
