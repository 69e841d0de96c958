"""Whether the database answers: which errors mean that it is away, and how long an answer may take."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOTADB,
    }
)
_PRIMARY = 0xFF
"""The bits of SQLite's extended codes that hold the primary one."""
_POSTGRES_CLASSES = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58", "XX"})
_READ_ONLY = "25006"


ERRORS = (DBAPIError, NoConnectionError)
"""What is raised when the database is away, and for other reasons too: `is_away` tells."""


class BusyError(OperationalError):
    """Other writers of this process were before us for longer than we may wait."""

    def __init__(self) -> None:
        super().__init__("BEGIN IMMEDIATE", None, NoConnectionError("other writers are before this one"))


def is_away(error: BaseException) -> bool:
    """Whether trying again later may help. A mistake in a statement, or a row that may not be, is not that."""
    if isinstance(error, NoConnectionError | BusyError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & _PRIMARY in _SQLITE
    if not isinstance(error, OperationalError) and not hasattr(cause, "sqlstate"):
        return False
    state = getattr(cause, "sqlstate", None)
    if state is None:
        # No word from the server: the connection was refused, broken or timed out.
        return isinstance(error, OperationalError)
    return state == _READ_ONLY or state[:2] in _POSTGRES_CLASSES


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


class QueryWatchdog:
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
    def guard(self, connection: Any) -> Iterator[None]:
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
