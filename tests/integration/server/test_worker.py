"""The child process that computes: what it answers, how each way to die ends, and that nothing of it is left."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from bot.errors import ExampleError
from bot.server import worker as workers
from bot.server.worker import Worker, WorkerDiedError
from bot.telemetry.context import bind, bound, current
from storage import incidents
from storage.database import Database
from tests.support.asking import ask
from tests.support.paths import ROOT

SOON_S = 0.5


def declared(database: Database) -> list[str]:
    """Reads, prints what is no answer, and binds a field."""
    print("printed")
    bind(incident="INC-1")
    with database.read() as connection:
        return incidents.workspace_ids(connection)


def environment(_database: Database) -> dict[str, str]:
    return dict(os.environ)


def wait(_database: Database, seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def die(_database: Database) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(_database: Database) -> None:
    raise ExampleError("It is no time.", "10:30")


def unknown_table(database: Database) -> None:
    with database.read() as connection:
        connection.exec_driver_sql("SELECT * FROM no_such_table")


def write_and_die(database: Database) -> None:
    with database.write() as connection:
        incidents.lock_workspace(connection, "T9")
        die(database)


@pytest.fixture
def worker(sqlite: Database) -> Iterator[Worker]:
    made = Worker(sqlite)
    yield made
    made.stop()


def test_it_reads_the_database_and_hands_back_what_was_returned_raised_and_bound(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(database)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    monkeypatch.setenv("SCRIBE_HOOKS_SECRET", "a secret of the hooks")
    assert worker.pid() is None
    ask(database, "/detected disk full")
    with bound():
        assert worker.call(declared) == ["T1"]
        assert current() == {"incident": "INC-1"}
    first = worker.pid()
    assert first is not None
    seen = worker.call(environment)
    assert not [name for name in seen if name.startswith(("SLACK_", "SCRIBE_", "DATABASE_"))]
    with pytest.raises(ExampleError, match="It is no time") as refused:
        worker.call(refuse)
    assert refused.value.example == "10:30"
    with pytest.raises(DBAPIError, match="no_such_table"):
        worker.call(unknown_table)
    assert worker.pid() == first
    worker.forget()
    assert worker.pid() is None


def test_one_that_dies_or_hangs_is_replaced_and_what_it_wrote_is_undone(worker: Worker) -> None:
    for deadly in (die, write_and_die):
        with pytest.raises(WorkerDiedError, match="code -9"):
            worker.call(deadly)
        assert worker.pid() is None
    assert worker.call(declared) == []
    # One that died between two calls is no matter at all.
    pid = worker.call(wait, 0.0)
    os.kill(pid, signal.SIGKILL)
    gone(lambda: worker.pid() is None)
    assert worker.call(wait, 0.0) != pid
    worker.limit_s = SOON_S
    with pytest.raises(WorkerDiedError):
        worker.call(wait, 600.0)


def test_who_waits_too_long_for_a_turn_is_told_so_and_stopping_ends_what_is_being_done(worker: Worker) -> None:
    failures: list[Exception] = []

    def first() -> None:
        try:
            worker.call(wait, 600.0)
        except WorkerDiedError as error:
            failures.append(error)

    busy = threading.Thread(target=first)
    busy.start()
    gone(lambda: worker.pid() is not None)
    worker.limit_s = SOON_S
    with pytest.raises(TimeoutError):
        worker.call(wait, 0.0)
    pid = worker.pid()
    assert pid is not None
    worker.stop()
    busy.join(60)
    assert len(failures) == 1
    assert not goes_on(pid)


def test_it_ends_when_nobody_needs_it_for_a_while(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = worker.call(wait, 0.0)
    worker.tend()
    assert worker.pid() == pid
    monkeypatch.setattr(workers, "IDLE_S", 0.0)
    worker.tend()
    assert worker.pid() is None
    assert not goes_on(pid)


def test_it_ends_with_its_parent_also_while_it_works(sqlite: Database) -> None:
    """Without being told: the parent may be killed."""
    program = f"from tests.integration.server import test_worker; test_worker.work({str(sqlite.url)!r})"
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT)  # noqa: S603 - our own words
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert goes_on(pid)
    parent.kill()
    parent.communicate()
    gone(lambda: not goes_on(pid))


def work(url: str) -> None:
    """Tell the child's process id, then give it work that does not end."""
    working = Worker(Database(url))
    print(working.call(wait, 0.0), flush=True)
    working.call(wait, 600.0)


def goes_on(pid: int) -> bool:
    """Whether the process is there; one that nobody has taken note of yet has ended all the same."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not so():
        assert time.monotonic() < until
        time.sleep(0.01)
