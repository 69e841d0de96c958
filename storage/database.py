"""The database: its engine, connections and transactions, on SQLite and on PostgreSQL.

`read()` and `write()` both give a connection inside a transaction that ends with the block. On SQLite a write begins
with `BEGIN IMMEDIATE`: a deferred transaction that reads first and writes later fails when another writer commits in
between. `write_together()` is for what is short and comes in crowds: on SQLite several such writes share a commit.
"""

import os
import socket
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event, false, func, insert, inspect, select, update
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from storage.availability import (
    ERRORS,
    BusyError,
    CircuitBreaker,
    DatabaseFile,
    QueryWatchdog,
    is_away,
    is_damaged,
    lost_prepared_statement,
    needs_new_session,
    remaining_s,
    within,
)
from storage.dialects import Instant
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
_AFTER_DEADLOCK_NEEDS_S = 0.3
"""The same after a deadlock."""
_DEADLOCK = "40P01"
"""PostgreSQL's state for the transaction that it ends so that the others can go on."""
_PREPARE_THRESHOLD = "prepare_threshold"
"""The parameter of a server's URL: the executions of a statement before it is prepared; `none` prepares none."""
_DEFAULT_THRESHOLD = 5
"""psycopg's own."""
_SERVER_TIME = select(func.clock_timestamp(type_=Instant))
_TIME_S = 1.0
"""Seconds a server may take to tell the time; the answer would be no use later."""
_WRITE_NOTHING = update(workspaces).values(id=workspaces.c.id).where(false())
_PROBE_WORKSPACE = "-doctor-"
"""Not a possible id of a Slack workspace."""

CHECK_S = 2.0
"""Seconds in which a file is looked through for damage at the start."""

Result = TypeVar("Result")


class DamagedFileError(Exception):
    """The SQLite file is damaged, or none of SQLite's; the message names it and says what SQLite says."""

    def __init__(self, file: Path, problem: object) -> None:
        super().__init__(f"{file} is damaged ({' '.join(str(problem).split())[:200]})")


def retry_stale_connection(attempt: Callable[[], Result]) -> Result:
    """Call `attempt`, and once more if its pooled connection turns out dead, as all do after a server's restart.

    So too where it was the victim of a deadlock, of which the server has rolled back everything. `attempt` must be
    idempotent: the connection may have died after the commit.
    """
    try:
        return attempt()
    except DBAPIError as error:
        limit_s = remaining_s()
        deadlocked = was_deadlocked(error)
        if not (error.connection_invalidated or deadlocked):
            raise
        # The server looks for deadlocks after a second, and then the other transaction goes on at once.
        needed_s = _AFTER_DEADLOCK_NEEDS_S if deadlocked else _RETRY_NEEDS_S
        if limit_s is not None and limit_s < needed_s:
            raise
    return attempt()


def was_deadlocked(error: DBAPIError) -> bool:
    """Whether the server ended the transaction because it and another one waited for each other."""
    return getattr(error.orig, "sqlstate", None) == _DEADLOCK


class Transactions(Protocol):
    """What gives connections inside transactions: a Database, or a rehearsal on one."""

    def read(self) -> AbstractContextManager[Connection]:
        """A connection for reading."""

    def write(self) -> AbstractContextManager[Connection]:
        """A connection for writing; what the block writes is undone if it raises."""


class Database:
    """One database, SQLite or PostgreSQL, by SQLAlchemy URL. Raises ValueError for any other kind."""

    def __init__(self, url: str) -> None:
        self.url = _with_driver(make_url(url))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.preparing = Preparing(str(self.url.query.get(_PREPARE_THRESHOLD, _DEFAULT_THRESHOLD)))
        self._watchdog = QueryWatchdog(sqlite3.Connection.interrupt if self.is_sqlite else _shut_down_socket)
        self.file = DatabaseFile(_sqlite_path(self.url)) if self.is_sqlite else None
        self.engine = (
            _sqlite_engine(self.url, self.file)
            if self.file
            else _postgres_engine(self.url, self.preparing, self._watchdog)
        )
        self._write_lock: AbstractContextManager[None] = FifoLock() if self.is_sqlite else nullcontext()
        self._group_commit = GroupCommit(self.write, self._watchdog.guard) if self.is_sqlite else None
        self._breaker = CircuitBreaker()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A guarded connection. Raises UnreachedError where the circuit breaker is open, and what the driver raises."""
        self._breaker.check()
        try:
            connection = self.engine.connect()
        except ERRORS as error:
            if is_away(error):
                self._breaker.open(connecting=True)
            raise
        try:
            with connection, self._watchdog.guard(_driver_connection(connection)):
                yield connection
        except ERRORS as error:
            if is_away(error) and remaining_s() == 0:
                self._breaker.open()
            raise
        self._breaker.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; its transaction is rolled back when the block ends."""
        with self._connected() as connection:
            self._begin(connection, "BEGIN")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection for writing; committed durably when the block ends, rolled back when it raises.

        Raises FileLostError where the SQLite file was taken away meanwhile: then nothing counts as written.
        """
        # The watchdog encloses the transaction because a server can also hang during the commit.
        with self._write_lock, self._connected() as connection:
            with connection.begin():
                self._begin(connection, "BEGIN IMMEDIATE")
                yield connection
            if self.file is not None:
                # The file may have been taken away meanwhile, and the commit with it.
                self.file.check_written(_driver_connection(connection))

    def write_together(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns of a connection for writing, once what it wrote is committed durably.

        If it raises, what it wrote is undone; all raise what `write` does. On SQLite it may run in another thread, in
        a transaction with others, and a second time by itself. So it takes little time, asks nobody but the database,
        and has no effect elsewhere.
        """
        if self._group_commit is not None:
            return self._group_commit.run(work)
        with self.write() as connection:
            return work(connection)

    def _begin(self, connection: Connection, statement: str) -> None:
        """Begin SQLite's transaction explicitly. SQLAlchemy's `begin` event could do it, but slows every statement."""
        if self.file is None:
            return
        driver = _driver_connection(connection)
        self.file.check(driver)
        try:
            driver.execute(statement)
        except sqlite3.Error as error:
            raise OperationalError(statement, None, error) from error

    def probe_write(self) -> None:
        """Begin a write that changes nothing, and end it. Raises DBAPIError when that is impossible.

        It fails wherever a real one would: a standby answers queries all the same.
        """
        with self.write() as connection:
            connection.execute(_WRITE_NOTHING)

    def probe_insert(self) -> None:
        """Insert a row and roll it back. Raises DBAPIError when that is impossible.

        Before the first migration there is no table, and only the lock for writing is tested.
        """
        with self.write() as connection:
            if inspect(connection).has_table(workspaces.name):
                connection.execute(insert(workspaces), {"id": _PROBE_WORKSPACE, "last_incident_number": 0})
            connection.rollback()

    def is_file_lost(self) -> bool:
        """Whether the SQLite file was deleted, moved or replaced: open connections still have the old one."""
        return self.file is not None and (self.file.is_missing() or self.file.is_lost())

    def let_go(self) -> bool:
        """Close the connections to a file that was lost; False while one of them is in use.

        The last one that is closed moves what is in the write-ahead log into the file, if both are still there.
        """
        if cast("QueuePool", self.engine.pool).checkedout():
            return False
        self.engine.dispose()
        return True

    def check_pages(self) -> None:
        """Read through an SQLite file, as far as that is done in CHECK_S. Raises DamagedFileError."""
        if self.file is None:
            return
        try:
            with within(CHECK_S), self.read() as connection:
                (found,) = _driver_connection(connection).execute("PRAGMA quick_check(1)").fetchone()
        except (sqlite3.Error, DBAPIError) as error:
            if is_damaged(error):
                raise DamagedFileError(self.file.path, getattr(error, "orig", error)) from None
            # Busy, or too long for the time there is: the database's first use says more.
            return
        if found != "ok":
            raise DamagedFileError(self.file.path, found)

    def server_time(self) -> datetime | None:
        """The time by the server's clock; None for SQLite, which has that of this machine. Raises DBAPIError."""
        if self.is_sqlite:
            return None
        with within(_TIME_S), self.read() as connection:
            return connection.execute(_SERVER_TIME).scalar_one()

    def compact(self) -> None:
        """Rewrite an SQLite file, so that no free page and no line of its write-ahead log keeps what was overwritten.

        On a server this does nothing: there an operator vacuums. Raises BlockingIOError while another process reads
        the old state; then only a part is done, and it may be tried again.
        """
        if not self.is_sqlite:
            return
        with self._write_lock, self.engine.connect() as connection:
            driver = _driver_connection(connection)
            try:
                driver.execute("VACUUM")
                (busy, *_) = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                    raise
                busy = True
        if busy:
            raise BlockingIOError("another process reads the database")

    @property
    def address(self) -> str:
        """The URL to be shown, without its password and without its query, which may hold one too."""
        return self.url.set(query={}).render_as_string()

    def close(self) -> None:
        """Close the pooled connections."""
        self._watchdog.stop()
        is_idle = self.let_go()
        self.engine.dispose()
        if self.file is not None and is_idle:
            self.file.let_go()


class FifoLock:
    """A lock that threads acquire in the order in which they asked.

    SQLite has one writer at a time. With `threading.Lock`, which is not fair, some threads wait many times longer than
    others.
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


@dataclass(slots=True, eq=False)
class _Member:
    """A work in a group, with the context that it runs in: the time limit of who brought it, and the log's fields."""

    work: Callable[[Connection], Any]
    context: Context = field(default_factory=copy_context)
    result: Any = None
    error: BaseException | None = None


class _Group:
    """Works that share a commit. `failure` is why there was none; then nothing of them is written."""

    def __init__(self) -> None:
        self.waiting: deque[_Member] = deque()
        self.begun = 0
        self.is_given_up = self.is_committing = False
        self.failure: BaseException | None = None
        self.settled = threading.Event()


class GroupCommit:
    """Group commit: what is to be written while a commit is under way shares the next one.

    Who comes first leads the group. When it is its turn to `write`, it carries out all works that have come by then,
    each in a savepoint, and commits when there is no further one. Nobody is told anything before that, not even of a
    failure, which may follow from what another one wrote. Where the commit fails, or SQLite undoes the transaction,
    each is tried again by itself. `guard` watches over the time limit of the work in hand.
    """

    def __init__(
        self,
        write: Callable[[], AbstractContextManager[Connection]],
        guard: Callable[[Any], AbstractContextManager[None]],
    ) -> None:
        self._write = write
        self._guard = guard
        self._mutex = threading.Lock()
        self._forming: _Group | None = None

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """As `Database.write_together`. Raises BusyError when its time limit passes before the commit begins."""
        member = _Member(work)
        with self._mutex:
            group = self._forming
            leads = group is None
            if group is None:
                group = self._forming = _Group()
            group.waiting.append(member)
        if leads:
            self._lead(group, member)
        else:
            self._wait(group, member)
        if group.failure is None:
            if member.error is not None:
                raise member.error
            return cast("Result", member.result)
        if group.failure is member.error:
            raise group.failure
        with self._write() as connection:
            return work(connection)

    def _lead(self, group: _Group, leader: _Member) -> None:
        try:
            with self._write() as connection:
                while (member := self._next(group)) is not None:
                    self._carry_out(connection, member)
        except BaseException as error:
            group.failure = error
            if group.begun <= 1:
                # There was nobody else whose work it could be for.
                leader.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            with self._mutex:
                if self._forming is group:
                    self._forming = None
            group.settled.set()

    def _next(self, group: _Group) -> _Member | None:
        """The next work; without one the group is closed, and the commit begins."""
        # One step: who came between the look and the closing would wait for ever, or be told of another's commit.
        with self._mutex:
            if group.is_given_up:
                raise BusyError
            if group.waiting:
                group.begun += 1
                return group.waiting.popleft()
            self._forming = None
            group.is_committing = True
            return None

    def _carry_out(self, connection: Connection, member: _Member) -> None:
        """Run the work; what it writes is undone if it raises. Raises where SQLite has undone that of others too."""
        driver = _driver_connection(connection)
        driver.execute("SAVEPOINT member")
        try:
            member.result = member.context.run(self._run_guarded, member.work, connection)
        except Exception as error:
            member.error = error
            # After an interrupt, or where the disk is full, SQLite may have undone the whole transaction:
            # https://sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction
            if not driver.in_transaction:
                raise
            driver.execute("ROLLBACK TO member")
        driver.execute("RELEASE member")

    def _run_guarded(self, work: Callable[[Connection], Result], connection: Connection) -> Result:
        with self._guard(_driver_connection(connection)):
            return work(connection)

    def _wait(self, group: _Group, member: _Member) -> None:
        """Wait until the group is settled. Raises BusyError when the time limit passes before the commit begins."""
        if group.settled.wait(remaining_s()):
            return
        with self._mutex:
            if not group.is_committing:
                if member in group.waiting:
                    group.waiting.remove(member)
                else:
                    # What it wrote must not be committed after its caller was told that it is not.
                    group.is_given_up = True
                raise BusyError
        group.settled.wait()


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


class Preparing:
    """Whether a server's connections prepare statements: as `asked` by the URL, but never through a pooler.

    A pooler in transaction mode, such as PgBouncer, gives each transaction another of the server's sessions. What is
    prepared in one is unknown in the next, or is another statement under the same name. Raises ValueError for a value
    of the URL's parameter that is neither a number nor `none`.
    """

    def __init__(self, asked: str = str(_DEFAULT_THRESHOLD)) -> None:
        if asked.casefold() != "none" and not asked.isdecimal():
            raise ValueError(f"{_PREPARE_THRESHOLD}={asked[:20]} is no number of executions, and not none")
        self._threshold = int(asked) if asked.isdecimal() else None
        self.is_pooled: bool | None = None
        """Whether a pooler stood before the server at the latest connection; None before the first."""

    @property
    def is_on(self) -> bool:
        """Whether new connections prepare statements."""
        return self._threshold is not None and not self.is_pooled

    def begin(self, connection: Any) -> None:
        """Set a new psycopg connection up."""
        self.is_pooled = _is_pooled(connection)
        connection.prepare_threshold = self._threshold if self.is_on else None

    def give_up(self) -> None:
        """Prepare no statement in connections opened from now on."""
        self._threshold = None


def _is_pooled(connection: Any) -> bool:
    """Whether somebody else answers in the server's name: a pooler makes up the process id it gives at the start."""
    connection.autocommit = True
    (served_by,) = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    connection.autocommit = False
    return bool(served_by != connection.info.backend_pid)


def _postgres_engine(url: URL, preparing: Preparing, watchdog: QueryWatchdog) -> Engine:
    engine = create_engine(
        url.difference_update_query([_PREPARE_THRESHOLD]),
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_recycle=1800,
        pool_timeout=CONNECT_TIMEOUT_S,
        hide_parameters=_HIDE_PARAMETERS,
        connect_args={} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_S},
    )

    # Before SQLAlchemy's own listener, which queries the server at the first connection: a pooler lets clients in while
    # the server behind it is away, and queries wait. The transaction's `guard` takes the watch over.
    @event.listens_for(engine, "connect", insert=True)
    def _begin(dbapi_connection: Any, _record: object) -> None:
        watchdog.watch(dbapi_connection)
        preparing.begin(dbapi_connection)

    @event.listens_for(engine, "handle_error")
    def _give_up_preparing(context: ExceptionContext) -> None:
        if lost_prepared_statement(context.original_exception):
            preparing.give_up()
        if needs_new_session(context.original_exception):
            # So it is for every pooled connection. The attempt after this one gets a new one, which prepares nothing,
            # or is led to the server that has become the primary.
            context.is_disconnect = True

    return engine


def _sqlite_path(url: URL) -> Path:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ValueError("Scribe's SQLite database is a file: sqlite:////var/lib/scribe/scribe.db")
    return Path(url.database)


def _sqlite_engine(url: URL, file: DatabaseFile) -> Engine:
    file.path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        creator=lambda: file.connect(timeout=BUSY_TIMEOUT_S, check_same_thread=False),
        poolclass=QueuePool,
        pool_size=SQLITE_POOL_SIZE,
        max_overflow=SQLITE_POOL_SIZE,
        hide_parameters=_HIDE_PARAMETERS,
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
