"""The engine: connections, pragmas, and the two ways in.

`read()` and `write()` both give a connection with a transaction that ends with the block. On SQLite a write begins
with `BEGIN IMMEDIATE`: a transaction that reads first and writes later fails whenever another writer came between.
"""

import os
import socket
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, literal, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from storage.availability import BusyError, QueryWatchdog, left_s

BUSY_TIMEOUT_S = 2
"""Seconds to wait for another process's write to end. An answer has three."""
CONNECT_TIMEOUT_S = 2
POOL_SIZE = 10
SQLITE_POOL_SIZE = 24
_AGAIN_S = 0.01
_HIDE = True
"""Keep values out of SQLAlchemy's errors: they are people's words, and errors end up in logs."""
_DRIVERS = {"sqlite": "sqlite", "postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


_NOTHING = select(literal(1))
_TIME_FOR_ANOTHER_S = 1.5
Result = TypeVar("Result")


def retry_stale_connection(attempt: Callable[[], Result]) -> Result:
    """Do it, and once more where its connection had died unnoticed in the pool, as all do when a server restarts.

    Whatever it does must bear being done twice: the first attempt may have died after its commit.
    """
    try:
        return attempt()
    except DBAPIError as error:
        limit_s = left_s()
        if not error.connection_invalidated or (limit_s is not None and limit_s < _TIME_FOR_ANOTHER_S):
            raise
    return attempt()


class FifoLock:
    """A lock that lets threads through in the order they came.

    SQLite has one writer; with an unfair lock the unlucky thread waits many times the usual. Group commit, should
    it ever be needed, would go in here.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        """Wait for one's turn. Raises BusyError when the limit of `deadline.within` passes first."""
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        limit_s = left_s()
        try:
            came = turn.acquire(timeout=-1 if limit_s is None else limit_s)
        except BaseException:
            # Ctrl-C: a turn that nobody takes would stop every writer after it.
            self._give_up(turn)
            raise
        if not came:
            self._give_up(turn)
            raise BusyError

    def __exit__(self, *exc_info: object) -> None:
        with self._mutex:
            self._pass_on()

    def _give_up(self, turn: threading.Lock) -> None:
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:
                self._pass_on()

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._taken = False


class Database:
    """One database, SQLite or PostgreSQL, by SQLAlchemy URL. Raises ValueError for a URL of any other kind."""

    def __init__(self, url: str) -> None:
        self.url = _driver(make_url(url))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _server_engine(self.url)
        self._turnstile: AbstractContextManager[None] = FifoLock() if self.is_sqlite else nullcontext()
        self._watch = QueryWatchdog(_interrupt if self.is_sqlite else _hang_up)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading."""
        with self.engine.connect() as connection, self._watch.guard(_driven(connection)):
            self._begin(connection, "BEGIN")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection for writing; committed, durably, when the block ends, rolled back when it raises."""
        # The watch is round the transaction: a server may hang just as well in the commit.
        with (
            self._turnstile,
            self.engine.connect() as connection,
            self._watch.guard(_driven(connection)),
            connection.begin(),
        ):
            self._begin(connection, "BEGIN IMMEDIATE")
            yield connection

    def _begin(self, connection: Connection, how: str) -> None:
        """Begin in SQLite's own words. A hook on the engine would do it too, and slow every statement down."""
        if not self.is_sqlite:
            return
        try:
            _driven(connection).execute(how)
        except sqlite3.Error as error:
            raise OperationalError(how, None, error) from error

    def probe_write(self) -> None:
        """Begin a write and end it. Raises what keeps it from one."""
        with self.write() as connection:
            connection.execute(_NOTHING)

    def close(self) -> None:
        """Give the connections back."""
        self._watch.stop()
        self.engine.dispose()


def _driven(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.driver_connection


def _interrupt(connection: sqlite3.Connection) -> None:
    connection.interrupt()


def _hang_up(connection: Any) -> None:
    """End a server's connection without waiting for the server to agree."""
    if connection.closed:
        return
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _driver(url: URL) -> URL:
    """The URL with the driver Scribe brings along, whichever one it names; `postgres://` is PostgreSQL too."""
    backend = url.get_backend_name()
    if backend not in _DRIVERS:
        raise ValueError(f"{backend} is no database Scribe knows; write sqlite:///… or postgresql://…")
    return url.set(drivername=_DRIVERS[backend])


def _server_engine(url: URL) -> Engine:
    return create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_recycle=1800,
        pool_timeout=CONNECT_TIMEOUT_S,
        hide_parameters=_HIDE,
        connect_args={} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_S},
    )


def _enable_wal(dbapi_connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging. SQLite does not wait when another process is just doing so to a new file."""
    give_up_at_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            dbapi_connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at_s:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ValueError("Scribe's SQLite database is a file: sqlite:////var/lib/scribe/scribe.db")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=SQLITE_POOL_SIZE,
        max_overflow=SQLITE_POOL_SIZE,
        hide_parameters=_HIDE,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: Any, _record: object) -> None:
        # The driver's own BEGIN would be a deferred one; Database says its own.
        dbapi_connection.isolation_level = None
        _enable_wal(dbapi_connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    return engine
