"""The engine: connections, pragmas, and the two ways in.

`read()` and `write()` both give a connection with a transaction that ends with the block. On SQLite a write begins
with `BEGIN IMMEDIATE`: a transaction that reads first and writes later fails whenever another writer came between.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import QueuePool

BUSY_TIMEOUT_S = 5
POOL_SIZE = 10
SQLITE_POOL_SIZE = 24
_WRITES = "writes"


class Turnstile:
    """A lock that lets threads through in the order they came.

    SQLite has one writer; with an unfair lock the unlucky thread waits many times the usual. Group commit, should
    it ever be needed, would go in here.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *exc_info: object) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


class Database:
    """One database, SQLite or PostgreSQL, by SQLAlchemy URL."""

    def __init__(self, url: str) -> None:
        self.url = _driver(make_url(url))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _server_engine(self.url)
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._turnstile: AbstractContextManager[None] = Turnstile() if self.is_sqlite else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection for writing; committed, durably, when the block ends, rolled back when it raises."""
        with self._turnstile, self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _driver(url: URL) -> URL:
    """The URL with the driver Scribe speaks through: `postgres://` and `postgresql://` mean psycopg 3."""
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    return url


def _server_engine(url: URL) -> Engine:
    return create_engine(url, pool_size=POOL_SIZE, max_overflow=POOL_SIZE, pool_recycle=1800)


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("Scribe's SQLite database is a file: sqlite:////var/lib/scribe/scribe.db")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=SQLITE_POOL_SIZE,
        max_overflow=SQLITE_POOL_SIZE,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: Any, _record: object) -> None:
        # The driver's own BEGIN would be a deferred one; ours is emitted below.
        dbapi_connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
