"""The database: its engine, connections and transactions, on SQLite and on PostgreSQL.

`read()` and `write()` both give a connection inside a transaction that ends with the block. On SQLite a write begins
with `BEGIN IMMEDIATE`: a deferred transaction that reads first and writes later fails when another writer commits in
between.
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

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, literal, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from storage.availability import BusyError, QueryWatchdog, remaining_s
from storage.models import workspaces

BUSY_TIMEOUT_S = 2
"""Seconds to wait for another process's write to end; Slack waits 3 s for an answer."""
CONNECT_TIMEOUT_S = 2
DIAGNOSIS_CONNECT_S = 5
"""Seconds a server has to answer `scribe doctor`, unless the URL says otherwise."""
POOL_SIZE = 10
SQLITE_POOL_SIZE = 24
_WAL_RETRY_S = 0.01
_HIDE_PARAMETERS = True
"""Keep values out of SQLAlchemy's errors: they are what people typed, and errors are logged."""
_DRIVERS = {"sqlite": "sqlite", "postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
_LOCATION_PARAMETERS = ("host", "port", "sslmode")
"""Parameters of a URL's query that say where to connect; others may hold a password."""
_RETRY_NEEDS_S = 1.5
"""Seconds that must be left of the time limit for a second attempt."""
_SELECT_ONE = select(literal(1))
_PROBE_WORKSPACE = "-doctor-"
"""Not a possible id of a Slack workspace."""

Result = TypeVar("Result")


def retry_stale_connection(attempt: Callable[[], Result]) -> Result:
    """Call `attempt`, and once more if its pooled connection turns out dead, as all do after a server's restart.

    `attempt` must be idempotent: the connection may have died after the commit.
    """
    try:
        return attempt()
    except DBAPIError as error:
        limit_s = remaining_s()
        if not error.connection_invalidated or (limit_s is not None and limit_s < _RETRY_NEEDS_S):
            raise
    return attempt()


class Database:
    """One database, SQLite or PostgreSQL, by SQLAlchemy URL. Raises ValueError for any other kind."""

    def __init__(self, url: str) -> None:
        self.url = _with_driver(make_url(url))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url)
        self._write_lock: AbstractContextManager[None] = FifoLock() if self.is_sqlite else nullcontext()
        self._watchdog = QueryWatchdog(sqlite3.Connection.interrupt if self.is_sqlite else _shut_down_socket)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; its transaction is rolled back when the block ends."""
        with self.engine.connect() as connection, self._watchdog.guard(_driver_connection(connection)):
            self._begin(connection, "BEGIN")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection for writing; committed durably when the block ends, rolled back when it raises."""
        # The watchdog encloses the transaction because a server can also hang during the commit.
        with (
            self._write_lock,
            self.engine.connect() as connection,
            self._watchdog.guard(_driver_connection(connection)),
            connection.begin(),
        ):
            self._begin(connection, "BEGIN IMMEDIATE")
            yield connection

    def _begin(self, connection: Connection, statement: str) -> None:
        """Begin SQLite's transaction explicitly. SQLAlchemy's `begin` event could do it, but slows every statement."""
        if not self.is_sqlite:
            return
        try:
            _driver_connection(connection).execute(statement)
        except sqlite3.Error as error:
            raise OperationalError(statement, None, error) from error

    def probe_write(self) -> None:
        """Begin a write transaction and end it. Raises DBAPIError when that is impossible."""
        with self.write() as connection:
            connection.execute(_SELECT_ONE)

    def probe_insert(self) -> None:
        """Insert a row and roll it back. Raises DBAPIError when that is impossible.

        Before the first migration there is no table, and only the lock for writing is tested.
        """
        with self.write() as connection:
            if inspect(connection).has_table(workspaces.name):
                connection.execute(insert(workspaces), {"id": _PROBE_WORKSPACE, "last_incident_number": 0})
            connection.rollback()

    def is_file_missing(self) -> bool:
        """Whether the SQLite file was deleted or moved: open connections still write to it, and all of that is lost."""
        return self.is_sqlite and not Path(str(self.url.database)).exists()

    @property
    def address(self) -> str:
        """The URL to be shown, without its password and without its query, which may hold one too."""
        return self.url.set(query={}).render_as_string()

    def close(self) -> None:
        """Close the pooled connections."""
        self._watchdog.stop()
        self.engine.dispose()


class FifoLock:
    """A lock that threads acquire in the order in which they asked.

    SQLite has one writer at a time. With `threading.Lock`, which is not fair, some threads wait many times longer than
    others. A group commit would be implemented here.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._locked = False

    def __enter__(self) -> None:
        """Acquire the lock. Raises BusyError when the limit of `availability.within` passes first."""
        with self._mutex:
            if not self._locked:
                self._locked = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        limit_s = remaining_s()
        try:
            acquired = turn.acquire(timeout=-1 if limit_s is None else limit_s)
        except BaseException:
            # Ctrl-C: the lock handed to a waiter that is gone would block every later writer.
            self._give_up(turn)
            raise
        if not acquired:
            self._give_up(turn)
            raise BusyError

    def __exit__(self, *exc_info: object) -> None:
        with self._mutex:
            self._hand_over()

    def _give_up(self, turn: threading.Lock) -> None:
        """Leave the queue; if the lock was handed over in the meantime, hand it to the next."""
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:
                self._hand_over()

    def _hand_over(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._locked = False


def open_for_diagnosis(url: str) -> Database:
    """The database at a URL, with a longer time to connect than the bot's. Raises ValueError for an invalid URL."""
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite" and "connect_timeout" not in parsed.query:
        parsed = parsed.update_query_dict({"connect_timeout": str(DIAGNOSIS_CONNECT_S)})
    return Database(parsed.render_as_string(hide_password=False))


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for a server's. Raises ValueError for an invalid URL."""
    parsed = _parse(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def libpq_url(url: str) -> str:
    """A server's URL without its password, as psql and pg_dump take it. Raises ValueError for an unknown database."""
    given = _with_driver(make_url(url))
    query = {name: given.query[name] for name in _LOCATION_PARAMETERS if name in given.query}
    return URL.create(
        "postgresql", given.username, None, given.host, given.port, given.database, query
    ).render_as_string()


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise ValueError("that is no address of a database") from None


def _with_driver(url: URL) -> URL:
    """The URL with the driver Scribe depends on, whichever one it names; `postgres://` is PostgreSQL too."""
    backend = url.get_backend_name()
    if backend not in _DRIVERS:
        raise ValueError(f"{backend} is no database Scribe knows; write sqlite:///… or postgresql://…")
    return url.set(drivername=_DRIVERS[backend])


def _driver_connection(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _shut_down_socket(connection: Any) -> None:
    """Break a server's connection at once: closing it properly would wait for the server's answer."""
    if connection.closed:
        return
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)


def _postgres_engine(url: URL) -> Engine:
    return create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_recycle=1800,
        pool_timeout=CONNECT_TIMEOUT_S,
        hide_parameters=_HIDE_PARAMETERS,
        connect_args={} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_S},
    )


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ValueError("Scribe's SQLite database is a file: sqlite:////var/lib/scribe/scribe.db")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=SQLITE_POOL_SIZE,
        max_overflow=SQLITE_POOL_SIZE,
        hide_parameters=_HIDE_PARAMETERS,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: Any, _record: object) -> None:
        # Without this the driver begins deferred transactions itself; Database begins them instead.
        dbapi_connection.isolation_level = None
        _enable_wal(dbapi_connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    return engine


def _enable_wal(dbapi_connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, with retries: the busy timeout does not apply while another process does so."""
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            dbapi_connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(_WAL_RETRY_S)
        else:
            return
