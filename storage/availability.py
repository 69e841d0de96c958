"""Whether the database is available: which errors mean that it is away, and a time limit for waiting on it."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

_AWAY_SQLITE_CODES = frozenset(
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
_PRIMARY_CODE_MASK = 0xFF
"""SQLite's extended result codes hold the primary code in their low byte: https://sqlite.org/rescode.html"""
_AWAY_SQLSTATE_CLASSES = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58", "XX"})
"""Connection, authorization, missing database, rollback, resources, object not ready, operator, system, internal."""
_READ_ONLY_TRANSACTION = "25006"

ERRORS = (DBAPIError, NoConnectionError)
"""What to catch when the database may be away; `is_away` tells these errors from others of the same classes."""


class BusyError(OperationalError):
    """Other writers of this process held the write lock for longer than the time limit."""

    def __init__(self) -> None:
        super().__init__("BEGIN IMMEDIATE", None, NoConnectionError("other writers are before this one"))


def is_away(error: BaseException) -> bool:
    """Whether a later attempt may succeed; False for invalid statements and violated constraints."""
    if isinstance(error, NoConnectionError | BusyError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE_MASK in _AWAY_SQLITE_CODES
    state = getattr(cause, "sqlstate", None)
    if state is None:
        # The server sent no SQLSTATE: the connection was refused, broken or timed out.
        return isinstance(error, OperationalError)
    return state == _READ_ONLY_TRANSACTION or state[:2] in _AWAY_SQLSTATE_CLASSES


WATCHDOG_INTERVAL_S = 0.1
_DEADLINE: ContextVar[float | None] = ContextVar("deadline", default=None)
"""The end of the innermost `within` block, on the monotonic clock."""


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    """Limit the block: waiting for the write lock or for a query fails once `limit_s` seconds have passed."""
    token = _DEADLINE.set(time.monotonic() + limit_s)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def remaining_s() -> float | None:
    """The seconds left of the innermost `within` block, never less than 0; None without one."""
    deadline = _DEADLINE.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


class QueryWatchdog:
    """Interrupts queries that run beyond the limit of their `within` block.

    `interrupt` does so to a driver's connection. One thread checks all guarded connections every WATCHDOG_INTERVAL_S; a
    timer for each query would cost more, as most finish within a millisecond.
    """

    def __init__(self, interrupt: Callable[[Any], None]) -> None:
        self._interrupt = interrupt
        self._lock = threading.Lock()
        self._guarded: dict[int, tuple[float, Any]] = {}
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    @contextmanager
    def guard(self, connection: Any) -> Iterator[None]:
        """Interrupt the driver's connection if the block outlasts its limit; without a limit do nothing."""
        deadline = _DEADLINE.get()
        if deadline is None:
            yield
            return
        self._ensure_thread()
        with self._lock:
            self._guarded[id(connection)] = (deadline, connection)
        try:
            yield
        finally:
            # Under the lock: afterwards the connection may serve another thread and must not be interrupted.
            with self._lock:
                self._guarded.pop(id(connection), None)

    def stop(self) -> None:
        """Stop the thread."""
        self._stopped.set()

    def _ensure_thread(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
                    self._thread.start()

    def _watch(self) -> None:
        while not self._stopped.wait(WATCHDOG_INTERVAL_S):
            with self._lock:
                late = [key for key, (deadline, _) in self._guarded.items() if time.monotonic() > deadline]
                for key in late:
                    self._interrupt(self._guarded.pop(key)[1])
