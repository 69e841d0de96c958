"""Whether the database is available: which errors mean that it is away, and a time limit for waiting on it.

For SQLite also whether the file is still the one that was opened.
"""

import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Why a database does not do what is asked of it, though the request is right.

    `states` are SQLSTATEs, or whole classes of them by their two characters; `codes` are SQLite's primary result codes,
    `words` what SQLite says under its general code.
    """

    name: str
    states: frozenset[str] = frozenset()
    codes: frozenset[int] = frozenset()
    words: tuple[str, ...] = ()


def _condition(name: str, states: str = "", *codes: int, words: tuple[str, ...] = ()) -> Condition:
    return Condition(name=name, states=frozenset(states.split()), codes=frozenset(codes), words=words)


UNREACHABLE = _condition("unreachable", "08", sqlite3.SQLITE_CANTOPEN)
"""The connection fails or breaks. PgBouncer and Odyssey answer so, with 08P01, when they have no server, no room or
no patience left. A driver's error without a state is of this kind too."""
SIGN_IN = _condition("sign-in", "28 3D")
"""The server, or a proxy with credentials of its own such as that of RDS, takes the user or the database not."""
ENDED = _condition("ended", "57 25P03 25P04")
"""The server starts, stops, recovers or cancels (57P01 to 57P03, 57014), or ends a session that has been idle or in one
transaction for too long (57P05, 25P03, 25P04)."""
READ_ONLY = _condition("read-only", "25006", sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)
"""A standby, also one that was the primary before a failover; a file or a mount that cannot be written to."""
BUSY = _condition(
    "busy", "40 55", sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT
)
"""Another transaction is in the way: a lock (55P03), a deadlock, a conflict with a standby's recovery (40001)."""
NO_ROOM = _condition("no room", "53100", sqlite3.SQLITE_FULL)
"""The disk is full."""
EXHAUSTED = _condition("exhausted", "53", sqlite3.SQLITE_NOMEM)
"""Too many connections (53300), too little memory (53200), or a limit that the server's configuration sets (53400)."""
DAMAGED = _condition(
    "damaged", "58 XX F0", sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_NOLFS
)
"""The disk, a file or the server fails; some proxies, such as Pgpool-II, report all that befalls them as XX000."""
SCHEMA = _condition(
    "schema",
    "42P01 42703 3F000",
    sqlite3.SQLITE_SCHEMA,
    words=("no such table", "no such column", "has no column named"),
)
"""Tables or columns are missing: after a failover or a restore the database is an empty or an older one."""
RIGHTS = _condition("rights", "42501", sqlite3.SQLITE_AUTH)
"""The user may not read or write the tables: rights were revoked, or a failover led to a server without them."""
SESSION = _condition("session", "26000 42P05 0A000")
"""The session is another than was prepared: a pooler has changed it under a prepared statement (26000, 42P05), a
migration what that returns (0A000), or a proxy cannot do something."""

CONDITIONS = (
    READ_ONLY, ENDED, NO_ROOM, EXHAUSTED, SCHEMA, RIGHTS, SESSION, UNREACHABLE, SIGN_IN, BUSY, DAMAGED,
)  # fmt: skip
"""All; one that names a state stands before one that names its class. A request that meets any of them is kept.

Sources: the table of SQLSTATEs in appendix A of PostgreSQL's manual, and the settings it names beside them
(https://www.postgresql.org/docs/current/errcodes-appendix.html); https://sqlite.org/rescode.html; those of PgBouncer
(https://www.pgbouncer.org/config.html), Pgpool-II (https://www.pgpool.net/docs/latest/en/html/) and RDS Proxy
(https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.troubleshooting.html).
"""
MAY_BE_OUR_FAULT = frozenset({SCHEMA, RIGHTS, SESSION})
"""What a wrong statement of ours would meet too: it is that, for one request, if the database is otherwise in order."""
_PRIMARY_CODE_MASK = 0xFF
"""SQLite's extended result codes hold the primary code in their low byte."""
_PREPARED_STATEMENT_STATES = frozenset({"26000", "42P05"})
_CONNECT_ANEW_STATES = _PREPARED_STATEMENT_STATES | {"0A000", "25006"}
"""Errors that every later transaction of the session would meet, while a new one may be led to another server."""
_OUR_ERRORS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
"""The classes of what a driver refuses by itself, without a state: values and statements that are wrong."""

ERRORS = (DBAPIError, NoConnectionError)
"""What to catch when the database may be away; `is_away` tells these errors from others of the same classes."""


class BusyError(OperationalError):
    """Other writers of this process held the write lock for longer than the time limit."""

    def __init__(self) -> None:
        super().__init__("BEGIN IMMEDIATE", None, NoConnectionError("other writers are before this one"))


class FileLostError(OperationalError):
    """The SQLite file was removed, renamed or replaced while it was open: what is written to it is lost."""

    def __init__(self, file: Path) -> None:
        super().__init__("BEGIN", None, FileNotFoundError(f"{file} was removed, renamed or replaced"))


class UnreachedError(OperationalError):
    """Another request has just waited for the database in vain, so this one does not wait as long again."""

    def __init__(self) -> None:
        super().__init__("BEGIN", None, NoConnectionError("the database did not answer a moment ago"))


def is_damaged(error: BaseException) -> bool:
    """Whether SQLite says that the file is none of its own, or damaged."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE_MASK in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def condition(error: BaseException) -> Condition | None:
    """The condition of the database that the error tells of; None for invalid statements and violated constraints."""
    if isinstance(error, BusyError):
        return BUSY
    if isinstance(error, NoConnectionError | UnreachedError | FileLostError):
        return UNREACHABLE
    if not isinstance(error, DBAPIError):
        return None
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        # The server sent no SQLSTATE: the connection was refused, broken or timed out.
        ours = isinstance(error, _OUR_ERRORS) and not error.connection_invalidated
        return None if ours else UNREACHABLE
    return next((each for each in CONDITIONS if not each.states.isdisjoint({state, state[:2]})), None)


def _of_sqlite(cause: sqlite3.Error) -> Condition | None:
    code = getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE_MASK
    found = next((each for each in CONDITIONS if code in each.codes), None)
    if found is None and code == sqlite3.SQLITE_ERROR:
        found = next((each for each in CONDITIONS if any(part in str(cause) for part in each.words)), None)
    return found


def is_away(error: BaseException) -> bool:
    """Whether a later attempt may succeed; False for invalid statements and violated constraints."""
    return condition(error) is not None


_Value = TypeVar("_Value")
SetAside = Callable[[int, Exception], None]
"""Called with the id of a row that cannot be read, and with why."""


def read_each(ids: Sequence[int], read: Callable[[int], Sequence[_Value]], set_aside: SetAside) -> list[_Value]:
    """What `read` finds of each row by itself, where not all of them can be read; raises if the database is away."""
    found: list[_Value] = []
    for row_id in ids:
        try:
            found += read(row_id)
        except Exception as error:
            if is_away(error):
                raise
            set_aside(row_id, error)
    return found


def lost_prepared_statement(error: BaseException) -> bool:
    """Whether the driver's error says that a pooler has taken away the session a statement was prepared in."""
    return getattr(error, "sqlstate", None) in _PREPARED_STATEMENT_STATES


def needs_new_session(error: BaseException) -> bool:
    """Whether the driver's error would come again in every session that is open, and perhaps in no new one."""
    return getattr(error, "sqlstate", None) in _CONNECT_ANEW_STATES


WATCHDOG_INTERVAL_S = 0.1
_DEADLINE: ContextVar[float | None] = ContextVar("deadline", default=None)
"""The end of the innermost `within` block, on the monotonic clock."""
_AT_ONCE: ContextVar[float | None] = ContextVar("at_once", default=None)
"""The limit of the innermost `within` block, in seconds, if it wants to fail at once; else None."""
_PAUSE_S = 1.0
"""Seconds after a wait in vain during which requests do not wait for the same database."""


@contextmanager
def within(limit_s: float, *, at_once: bool = False) -> Iterator[None]:
    """Limit the block: waiting for the write lock or for a query fails once `limit_s` seconds have passed.

    With `at_once`, for a request that has a few seconds for all it asks, the block fails at once where another wait for
    the same database, as long as this may take, has just been in vain.
    """
    tokens = _DEADLINE.set(time.monotonic() + limit_s), _AT_ONCE.set(limit_s if at_once else None)
    try:
        yield
    finally:
        _DEADLINE.reset(tokens[0])
        _AT_ONCE.reset(tokens[1])


class CircuitBreaker:
    """Open for a moment after a wait in vain, so that a hung server costs a request one wait, not several.

    See https://martinfowler.com/bliki/CircuitBreaker.html; only requests that ask for it `at_once` are cut off.
    """

    def __init__(self) -> None:
        self._lost: tuple[float, float] | None = None

    def check(self) -> None:
        """Raise UnreachedError in a block that wants to fail at once, during _PAUSE_S after a longer wait in vain."""
        lost, limit_s = self._lost, _AT_ONCE.get()
        if lost is not None and limit_s is not None and limit_s <= lost[0] and time.monotonic() < lost[1]:
            raise UnreachedError

    def open(self, *, connecting: bool = False) -> None:
        """The innermost block waited in vain; `connecting` says that there was not even a connection."""
        waited_s = math.inf if connecting else _AT_ONCE.get() or 0.0
        self._lost = (waited_s, time.monotonic() + _PAUSE_S)

    def close(self) -> None:
        """The database has answered."""
        self._lost = None


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
        """Interrupt the driver's connection if the block outlasts its limit; without a limit do nothing.

        Within another block of the same connection, this one's limit holds until it ends.
        """
        deadline = _DEADLINE.get()
        if deadline is None:
            yield
            return
        outer = self._guarded.get(id(connection))
        self.watch(connection)
        try:
            yield
        finally:
            # Under the lock: afterwards the connection may serve another thread and must not be interrupted.
            with self._lock:
                if outer is None:
                    self._guarded.pop(id(connection), None)
                else:
                    self._guarded[id(connection)] = outer

    def watch(self, connection: Any) -> None:
        """Interrupt the driver's connection at the limit's end, unless a `guard` of it ends first."""
        deadline = _DEADLINE.get()
        if deadline is not None:
            self._ensure_thread()
            with self._lock:
                self._guarded[id(connection)] = (deadline, connection)

    def stop(self) -> None:
        """Stop the thread."""
        self._stopped.set()

    def _ensure_thread(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
                    # Kept only once it runs: where no thread can be started, the next query tries again.
                    thread.start()
                    self._thread = thread

    def _watch(self) -> None:
        while not self._stopped.wait(WATCHDOG_INTERVAL_S):
            with self._lock:
                late = [key for key, (deadline, _) in self._guarded.items() if time.monotonic() > deadline]
                for key in late:
                    connection = self._guarded.pop(key)[1]
                    # A connection that is closed already must not end the watch over all others.
                    with suppress(Exception):
                        self._interrupt(connection)


FileId = tuple[int, int]
"""Device and inode."""
_HEAD_BYTES = 20
_HEAD_OF_OURS = (b"SQLite format 3\x00", b"\x02\x02")
"""The beginning of the head, and its end, which says that there is a write-ahead log; a copy of ours has none."""
_NOTE = (
    "{name} is Scribe's database. While this note lies here, Scribe makes no empty one in its place.\n"
    "To begin with an empty one all the same: scribe run --new\n"
)


class FileConnection(sqlite3.Connection):
    """A connection that knows which file it has open."""

    file_id: FileId | None = None


class DatabaseFile:
    """The SQLite file at a path: whether it is still the one that was opened, and whether there was one.

    A connection goes on writing to a file that was deleted, renamed or replaced, and all of that is lost. So each
    connection knows its file by device and inode, and a transaction compares them with what lies at the path. A copy
    that is written over the file keeps both: that is known by the file's head, which says how it is journalled.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._opened: FileId | None = None
        self._has_log = self._is_log_lost = self._had_head = False
        # Not closed while a connection is open: the system would end the connection's locks on the file.
        self._head_fd: int | None = None

    @property
    def marker(self) -> Path:
        """The note beside the file that tells that there was one; its name keeps it from `rm scribe.db*`."""
        return self.path.parent / f".{self.path.name}.known"

    def mark(self) -> None:
        """Note that there is a database now. Where the folder takes no note, there is none."""
        with suppress(OSError):
            if not self.marker.exists():
                self.marker.write_text(_NOTE.format(name=self.path.name), encoding="utf-8")

    def forget(self) -> None:
        """Let an empty database be made where there was one. Raises OSError."""
        self.marker.unlink(missing_ok=True)

    def is_missing(self) -> bool:
        """Whether there was a file, and it, or all that was in it, is gone: an empty one would take its place."""
        was_there = self.marker.exists()
        try:
            return was_there and self.path.stat().st_size == 0
        except OSError:
            return was_there or self._opened is not None

    def is_lost(self) -> bool:
        """Whether the file that was opened no longer lies at the path, or its log is gone."""
        return (
            self._is_log_lost or self._is_overwritten() or (self._opened is not None and self._find() != self._opened)
        )

    def connect(self, **options: Any) -> FileConnection:
        """Connect. The file is made only where there never was one, for its owner alone.

        Raises FileLostError where another one lies there now than was opened, and what sqlite3 raises.
        """
        if self.is_lost():
            raise FileLostError(self.path)
        mode = "rw" if self._opened is not None or self.marker.exists() else "rwc"
        if mode == "rwc":
            # What cannot be made is told by sqlite3.
            with suppress(OSError):
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(f"{self.path.as_uri()}?mode={mode}", uri=True, factory=FileConnection, **options)
        connection.file_id = self._opened = self._opened or self._find()
        if self._head_fd is None:
            self._head_fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        return connection

    def check(self, connection: FileConnection) -> None:
        """Raise FileLostError unless the connection's file still lies at the path."""
        if self._is_log_lost or self._is_overwritten() or connection.file_id != self._find():
            raise FileLostError(self.path)

    def check_written(self, connection: FileConnection) -> None:
        """The same after a commit, which went to the write-ahead log beside the file, if it has one."""
        self.check(connection)
        has_log = os.path.exists(f"{self.path}-wal")  # noqa: PTH110 - for each write: without building a Path
        if self._has_log and not has_log:
            self._is_log_lost = True
            raise FileLostError(self.path)
        self._has_log = has_log

    def take_new(self) -> None:
        """Let new connections open what lies at the path now."""
        self.let_go()
        # Never None, not even for a moment: then an empty one could be made.
        self._opened = self._find() or self._opened

    def let_go(self) -> None:
        """Forget what is known of the open file; no connection to it may be open."""
        self._has_log = self._is_log_lost = self._had_head = False
        if self._head_fd is not None:
            os.close(self._head_fd)
            self._head_fd = None

    def _is_overwritten(self) -> bool:
        """Whether the open file was emptied, or something else was written over it."""
        if self._head_fd is None:
            return False
        try:
            head = os.pread(self._head_fd, _HEAD_BYTES, 0)
        except OSError:
            # The disk fails, or another thread has just let go of it.
            return True
        is_ours = (head[:16], head[18:]) == _HEAD_OF_OURS
        # A file that is just being made has no head yet.
        self._had_head = self._had_head or is_ours
        return self._had_head and not is_ours

    def _find(self) -> FileId | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116 - for each transaction: a third of Path.stat's time
        except OSError:
            return None
        return found.st_dev, found.st_ino
