import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from storage import incidents, schema, timeline
from storage.availability import BusyError, QueryWatchdog, within
from storage.database import BUSY_TIMEOUT_S, Database, FifoLock
from storage.models import receipts, workspaces
from storage.values import MEMBER
from tests.integration.storage.rows import NOW, declare, say, write_and_fail
from tests.support.paths import ROOT
from tests.support.together import THREADS, together
from tests.support.workplace import at

WRITER = """
import sys
from storage import incidents, timeline
from storage.database import Database
from tests.integration.storage.rows import say
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for turn in range(25):
    with database.write() as connection:
        incident = incidents.by_id(connection, 1)
        say(connection, incident, f"{sys.argv[2]}-{turn}")
"""


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What SQLite itself is told, BEGIN and COMMIT included, by every connection opened meanwhile."""
    said: list[str] = []
    with ExitStack() as connections:
        opened = [connections.enter_context(database.engine.connect()) for _ in range(3)]
        for each in opened:
            each.connection.driver_connection.set_trace_callback(said.append)  # type: ignore[union-attr]
    yield said


def test_every_pooled_sqlite_connection_is_durable_and_waits_for_locks(tmp_path: Path) -> None:
    # Not the tests' database, which does without fsync.
    sqlite = Database(f"sqlite:///{tmp_path}/own.db")
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": BUSY_TIMEOUT_S * 1000}
    with ExitStack() as opened:
        connections = [opened.enter_context(sqlite.read()) for _ in range(THREADS)]
        for connection in connections:
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
            assert found == wanted
    sqlite.close()


def test_every_sqlite_write_begins_immediately_and_a_read_does_not(sqlite: Database) -> None:
    with statements(sqlite) as said:
        with sqlite.write() as connection:
            declare(connection)
        with sqlite.read() as connection:
            incidents.by_id(connection, 1)
    assert (said[0], said.count("COMMIT")) == ("BEGIN IMMEDIATE", 1)
    assert [each for each in said if each.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]


def test_a_write_that_raises_leaves_nothing_and_lets_the_next_one_in(database: Database) -> None:
    for _ in range(30):  # more often than there are connections
        with pytest.raises(ZeroDivisionError):
            write_and_fail(database, declare)
    with database.write() as connection:
        assert declare(connection).number == 1


def test_threads_that_read_and_then_write_lose_nothing(database: Database) -> None:
    with database.write() as connection:
        declare(connection)

    def speak(number: int) -> None:
        for turn in range(15):
            with database.write() as connection:
                found = incidents.in_channel(connection, "T1", "C1", lock=True)
                assert found is not None
                before = len(timeline.of_incident(connection, found.id, kinds=["note"]))
                assert say(connection, found, f"{number}-{turn}").number == before + 1

    together(speak)
    with database.read() as connection:
        entries = timeline.of_incident(connection, 1)
    assert [entry.number for entry in entries] == list(range(1, 15 * THREADS + 1))
    assert {entry.text for entry in entries} == {f"{who}-{turn}" for who in range(THREADS) for turn in range(15)}


def test_processes_that_write_one_file_at_once_lose_nothing(sqlite: Database) -> None:
    with sqlite.write() as connection:
        declare(connection)
    url = sqlite.url.render_as_string()
    writers = [
        subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-c", WRITER, url, str(number)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.communicate(timeout=120) and writer.returncode for writer in writers] == [0] * 4
    with sqlite.read() as connection:
        assert [entry.number for entry in timeline.of_incident(connection, 1)] == list(range(1, 101))


def test_a_file_that_another_process_holds_is_an_error_and_nothing_stays_locked(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    schema.migrate(database)
    with database.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    holder = Database(f"sqlite:///{tmp_path / 'a.db'}")
    with (
        holder.write(),
        pytest.raises(OperationalError, match="database is locked"),
        database.write(),
    ):
        pass
    with database.write() as connection:
        assert declare(connection).number == 1
    for each in (database, holder):
        each.close()


def test_threads_acquire_the_write_lock_in_the_order_in_which_they_asked() -> None:
    lock, passed = FifoLock(), []

    def enter(number: int) -> None:
        with lock:
            passed.append(number)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(20)]
    with lock:
        for waiting, thread in enumerate(threads):
            thread.start()
            while len(lock._waiting) <= waiting:
                pass
    for thread in threads:
        thread.join(timeout=60)
    assert passed == list(range(20))
    assert not lock._locked


class Interruption:
    """An interruption that takes its time: `meanwhile` says whether the other thread went on during it."""

    def __init__(self) -> None:
        self.begun, self.other = threading.Event(), threading.Event()
        self.meanwhile: bool | None = None

    def __call__(self, _connection: object) -> None:
        self.begun.set()
        self.meanwhile = self.other.wait(timeout=0.3)


def test_a_connection_is_not_given_back_while_it_is_being_interrupted() -> None:
    interruption = Interruption()
    watchdog = QueryWatchdog(interruption)
    with within(0.0), watchdog.guard(object()):
        assert interruption.begun.wait(timeout=60)
    interruption.other.set()
    watchdog.stop()
    assert interruption.meanwhile is False


def test_no_connection_is_added_to_the_watched_while_these_are_gone_through() -> None:
    interruption = Interruption()
    watchdog = QueryWatchdog(interruption)

    def watch_another() -> None:
        assert interruption.begun.wait(timeout=60)
        with within(60.0):
            watchdog.watch("another")
        interruption.other.set()

    another = threading.Thread(target=watch_another)
    another.start()
    with within(0.0):
        watchdog.watch("late")
    another.join(timeout=60)
    watchdog.stop()
    assert interruption.meanwhile is False


def test_one_thread_alone_is_started_for_the_watch_over_all_connections() -> None:
    watchdog = QueryWatchdog(lambda _connection: None)

    def watch() -> None:
        with within(60.0):
            watchdog.watch("a connection")

    def is_watching() -> bool:
        return watchdog._thread is not None

    threads = [threading.Thread(target=watch) for _ in range(2)]
    with watchdog._lock:
        for each in threads:
            each.start()
        threads[0].join(timeout=0.2)
        assert not is_watching(), "it was started by who did not wait"
    for each in threads:
        each.join(timeout=60)
    assert is_watching()
    watchdog.stop()


QUEUED: dict[str, Callable[[Database], None]] = {"write": Database.probe_write, "compact": Database.compact}


@pytest.mark.parametrize("do", QUEUED.values(), ids=QUEUED)
def test_whatever_writes_to_a_file_waits_in_the_queue(sqlite: Database, do: Callable[[Database], None]) -> None:
    queue, done = sqlite._write_lock, threading.Event()
    assert isinstance(queue, FifoLock)

    def work() -> None:
        do(sqlite)
        done.set()

    thread = threading.Thread(target=work)
    with sqlite.write():
        thread.start()
        until = time.monotonic() + BUSY_TIMEOUT_S
        while not queue._waiting and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.001)
        assert len(queue._waiting) == 1
        assert not done.is_set()
    thread.join(timeout=60)
    assert done.is_set()


def test_whoever_reads_a_file_waits_for_no_writer(sqlite: Database) -> None:
    with sqlite.write(), sqlite.read() as connection:
        assert incidents.workspace_ids(connection) == []


def test_a_thread_with_a_time_limit_gives_up_waiting_for_the_write_lock() -> None:
    lock = FifoLock()
    with lock, pytest.raises(BusyError), within(0.01), lock:
        pytest.fail("two at once")
    with lock:
        pass


def test_the_write_lock_is_released_when_its_holder_raises() -> None:
    lock = FifoLock()
    with pytest.raises(KeyboardInterrupt), lock:
        raise KeyboardInterrupt
    with lock:
        assert lock._locked
    assert not lock._locked


def test_a_writer_interrupted_while_it_waits_does_not_block_the_later_ones() -> None:
    """Ctrl-C reaches only a main thread, so a process of its own is interrupted."""
    script = """
import os, signal, threading
from storage.database import FifoLock
signal.signal(signal.SIGINT, signal.default_int_handler)
lock, inside, leave = FifoLock(), threading.Event(), threading.Event()
def hold():
    with lock:
        inside.set()
        leave.wait(60)
def interrupt():
    while not lock._waiting:
        pass
    os.kill(os.getpid(), signal.SIGINT)
holder = threading.Thread(target=hold)
holder.start()
inside.wait(60)
threading.Thread(target=interrupt).start()
try:
    with lock:
        print("never")
except KeyboardInterrupt:
    print("interrupted")
leave.set()
holder.join()
with lock:
    print("next")
"""
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("interrupted\nnext\n", "", 0)


def test_a_lock_handed_to_a_waiter_that_gave_up_goes_to_the_next() -> None:
    lock = FifoLock()
    with lock:
        late = threading.Lock()
        late.acquire()
        lock._waiting.append(late)
    assert lock._locked  # handed to the waiter that is giving up
    lock._give_up(late)
    assert not lock._locked


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Kathmandu"])
def test_instants_come_back_aware_in_utc_with_their_milliseconds(database: Database, zone: str) -> None:
    east = datetime(2026, 3, 29, 2, 30, 0, 123_000, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    url = database.url if database.is_sqlite else database.url.update_query_dict({"options": f"-ctimezone={zone}"})
    there = Database(url.render_as_string(hide_password=False))
    with there.write() as connection:
        entry = say(connection, declare(connection), occurred_at=east, recorded_at=NOW)
    for store in (there, database):
        with store.read() as connection:
            found = timeline.numbered(connection, 1, entry.number)
        assert found is not None
        assert found.occurred_at.tzinfo is UTC
        assert found.occurred_at.isoformat() == "2026-03-28T20:45:00.123000+00:00"
        assert found.recorded_at == NOW
    there.close()


@pytest.mark.parametrize("year", ["0100-01-01", "1969-12-31", "2100-01-01", "9999-12-31"])
def test_far_instants_keep_their_order(database: Database, year: str) -> None:
    instant = at(f"{year}T00:00:00Z")
    with database.write() as connection:
        say(connection, declare(connection), occurred_at=instant)
    with database.read() as connection:
        assert timeline.of_incident(connection, 1)[0].occurred_at == instant


def test_a_naive_datetime_is_refused(database: Database) -> None:
    row = {"workspace_id": "T1", "key": "k", "answer": {}, "answered_at": NOW.replace(tzinfo=None)}
    with pytest.raises(StatementError, match="naive"), database.write() as connection:
        connection.execute(insert(receipts), row)


def test_foreign_keys_are_held(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        incidents.declare(
            connection, workspace_id="nowhere", number=1, channel_id="C", channel_name="c", title="t", severity=None,
            lead=None, lead_id=None, declared_at=NOW, declared_by="a", timezone="UTC", private=False,
        )  # fmt: skip


def test_every_way_to_write_a_servers_url_means_the_driver_that_is_there() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"):
        database = Database(f"{scheme}://scribe:secret@db.example.org:5433/scribe?sslmode=require")
        assert database.url.drivername == "postgresql+psycopg"
        assert (database.url.host, database.url.port, database.url.query) == (
            "db.example.org", 5433, {"sslmode": "require"},
        )  # fmt: skip
        assert not database.is_sqlite


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is a file"):
        Database(url)


@pytest.mark.parametrize("url", ["mysql://root@localhost/scribe", "oracle://x/y"])
def test_a_database_of_another_make_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no database Scribe knows"):
        Database(url)


@pytest.mark.parametrize("name", ["with spaces", "100% sure", "größe", "a#b", "deep/er/still"])
def test_any_path_is_accepted_and_its_folder_made(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "scribe.db"
    database = Database(f"sqlite:///{path}")
    schema.ensure(database)
    with database.write() as connection:
        declare(connection)
    database.close()
    assert path.is_file()


def test_a_full_disk_is_an_error_that_saves_nothing_and_passes(sqlite: Database) -> None:
    with sqlite.write() as connection:
        incident = declare(connection)
    with sqlite.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def fill(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        for _ in range(100):
            say(connection, incident, "x" * 10_000)

    with pytest.raises(OperationalError, match="full"):
        write_and_fail(sqlite, fill)
    with sqlite.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert timeline.of_incident(connection, incident.id) == []
        assert say(connection, incident).number == 1


def test_a_file_that_may_only_be_read_refuses_writes_and_still_reads(sqlite: Database) -> None:
    with sqlite.write() as connection:
        declare(connection)
    with sqlite.read() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(DBAPIError, match="readonly"):
        write_and_fail(sqlite, declare)
    with sqlite.read() as connection:
        assert [
            each.number for each in incidents.listing(connection, "T1", "C1", open_only=True, limit=9, standing=MEMBER)
        ] == [1]


def test_a_compacted_file_and_its_log_hold_nothing_that_was_overwritten(sqlite: Database) -> None:
    file = Path(str(sqlite.url.database))

    def held() -> bool:
        return any(b"Tr0ub4dor" in each.read_bytes() for each in file.parent.glob(f"{file.name}*"))

    with sqlite.write() as connection:
        connection.execute(insert(workspaces), {"id": "Tr0ub4dor", "last_incident_number": 0})
    with sqlite.write() as connection:
        connection.execute(update(workspaces).values(id="T1"))
    assert held()
    with sqlite.read() as reader:
        reader.execute(select(workspaces.c.id)).all()
        with pytest.raises(BlockingIOError):
            sqlite.compact()
    sqlite.compact()
    assert not held()
    with sqlite.read() as connection:
        assert connection.execute(select(workspaces.c.id)).scalars().all() == ["T1"]


def test_a_server_is_not_compacted(postgres: Database) -> None:
    postgres.compact()
