"""Writes that share a commit: none is told "saved" that is not, and none is saved that was told it is not."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from storage import receipts, timeline
from storage.availability import BusyError, FileLostError, within
from storage.database import Database
from storage.models import timeline_entries
from tests.integration.storage.rows import NOW, declare, say
from tests.support.together import THREADS, together

AROUND = ("a", "b", "d", "e")
"""The words of those who come before and after the third, `c`."""
Write = Callable[[Connection], Any]


class Crowd:
    """Writers who all come while another one holds the lock, in order, so that they form one group."""

    def __init__(self, database: Database, pool: ThreadPoolExecutor) -> None:
        self.database = database
        self.calls: list[str] = []
        self.commits = 0
        self._pool = pool
        with database.write() as connection:
            self._incident = declare(connection)
        event.listen(database.engine, "commit", self._count)

    def _count(self, _connection: Connection) -> None:
        self.commits += 1

    def write(self, text: str, then: Write | None = None, *, limit_s: float | None = None) -> int:
        """Say it, and do that too in the same work; the entry's number."""

        def work(connection: Connection) -> int:
            self.calls.append(text)
            number = say(connection, self._incident, text).number
            if then is not None:
                then(connection)
            return number

        with nullcontext() if limit_s is None else within(limit_s):
            return self.database.write_together(work)

    def gather(self, works: dict[str, Write | None], **limits_s: float) -> dict[str, Future[int]]:
        """What becomes of the works, of which the first leads the group."""
        futures: dict[str, Future[int]] = {}
        with self.database.write():
            for count, (text, then) in enumerate(works.items(), 1):
                futures[text] = self._pool.submit(self.write, text, then, limit_s=limits_s.get(text))
                self.wait_for(count)
            self.commits = 0
        return futures

    def wait_for(self, count: int) -> None:
        """Wait until so many are in the group that forms."""
        assert self.database._group_commit is not None
        until = time.monotonic() + 60
        while time.monotonic() < until:
            group = self.database._group_commit._forming
            if group is not None and len(group.waiting) == count:
                return
            time.sleep(0.001)
        pytest.fail(f"there are not {count} in the group")

    def stored(self) -> list[str]:
        """All words, by number."""
        in_order = select(timeline_entries.c.text).order_by(timeline_entries.c.number)
        with self.database.read() as connection:
            return list(connection.execute(in_order).scalars())


class Gate:
    """Something in a work that waits until it is opened."""

    def __init__(self) -> None:
        self.reached, self._opened = threading.Event(), threading.Event()

    def __call__(self, _connection: Connection) -> None:
        self.reached.set()
        assert self._opened.wait(timeout=60)

    def wait(self) -> None:
        """Return when the work has come here."""
        assert self.reached.wait(timeout=60)

    def open(self) -> None:
        """Let it go on."""
        self._opened.set()


@pytest.fixture
def crowd(sqlite: Database) -> Iterator[Crowd]:
    with ThreadPoolExecutor(8) as pool:
        yield Crowd(sqlite, pool)


def fill_disk(connection: Connection) -> None:
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    try:
        receipts.save(connection, "T1", "long", {"text": "x" * 100_000}, at=NOW)
    finally:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")


def repeat(connection: Connection) -> None:
    for _ in range(2):
        receipts.save(connection, "T1", "k", {}, at=NOW)


def interrupt(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: 1, 1)
    try:
        receipts.save(connection, "T1", "k", {}, at=NOW)
    finally:
        driver.set_progress_handler(None, 0)


def divide(_connection: Connection) -> None:
    raise ZeroDivisionError


def undo_all(connection: Connection) -> None:
    connection.exec_driver_sql("ROLLBACK")
    raise ZeroDivisionError


def break_the_commit(connection: Connection) -> None:
    """Nothing is wrong with it until the commit, which is refused: the entry's incident does not exist."""
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    connection.exec_driver_sql("UPDATE timeline_entries SET incident_id = 99 WHERE text = 'c'")


FAILURES: dict[str, tuple[Write, type[Exception], int]] = {
    "raises": (divide, ZeroDivisionError, 1),
    "is refused": (repeat, IntegrityError, 1),
    "fills the disk": (fill_disk, OperationalError, 1),
    "is interrupted": (interrupt, OperationalError, 1),
    "undoes all": (undo_all, ZeroDivisionError, 1),
    "breaks the commit": (break_the_commit, IntegrityError, 2),
}
"""What the third of five does, what it is told, and how often it is tried."""


@pytest.mark.parametrize(("then", "told", "tried"), FAILURES.values(), ids=FAILURES)
def test_one_that_fails_takes_nothing_from_the_others(
    crowd: Crowd, then: Write, told: type[Exception], tried: int
) -> None:
    futures = crowd.gather({"a": None, "b": None, "c": then, "d": None, "e": None})
    with pytest.raises(told):
        futures.pop("c").result(timeout=60)
    numbers = {text: future.result(timeout=60) for text, future in futures.items()}
    assert sorted(crowd.stored()) == sorted(AROUND)
    assert sorted(numbers.values()) == [1, 2, 3, 4]
    with crowd.database.read() as connection:
        for text, number in numbers.items():
            entry = timeline.numbered(connection, 1, number)
            assert entry is not None
            assert entry.text == text
        assert receipts.find(connection, "T1", "k") is None
    assert crowd.calls.count("c") == tried
    assert all(crowd.calls.count(text) <= 2 for text in AROUND)


@pytest.mark.parametrize("then", [divide, undo_all, break_the_commit])
def test_one_that_fails_by_itself_is_not_tried_again(crowd: Crowd, then: Write) -> None:
    with pytest.raises((ZeroDivisionError, IntegrityError)):
        crowd.write("c", then)
    assert (crowd.calls, crowd.stored()) == (["c"], [])
    assert crowd.write("d") == 1


def test_those_who_come_during_a_write_share_one_commit(crowd: Crowd) -> None:
    futures = crowd.gather(dict.fromkeys("abcdefgh"))
    assert [future.result(timeout=60) for future in futures.values()] == list(range(1, 9))
    assert crowd.stored() == list("abcdefgh")
    assert crowd.commits == 2, "that of the one before them, and theirs"


def test_nobody_is_told_anything_before_the_commit(crowd: Crowd) -> None:
    gate = Gate()
    futures = crowd.gather({"a": None, "b": divide, "c": gate, "d": None})
    gate.wait()
    assert not [text for text, future in futures.items() if future.done()]
    assert crowd.stored() == []
    gate.open()
    assert isinstance(futures.pop("b").exception(timeout=60), ZeroDivisionError)
    assert [future.result(timeout=60) for future in futures.values()] == [1, 2, 3]


def test_who_comes_during_a_work_is_still_of_the_group(crowd: Crowd) -> None:
    gate = Gate()
    futures = crowd.gather({"a": gate})
    gate.wait()
    late = crowd._pool.submit(crowd.write, "b")
    crowd.wait_for(1)
    gate.open()
    assert (futures["a"].result(timeout=60), late.result(timeout=60), crowd.commits) == (1, 2, 2)


class Passages:
    """The group commit's lock; when its leader lets it go for the `nth` time, another writer comes at that moment."""

    def __init__(self, crowd: Crowd, nth: int) -> None:
        self.lock = threading.Lock()
        self.other: Future[int] | None = None
        self._crowd, self._left = crowd, nth
        self._leader = threading.current_thread()

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, *_exc_info: object) -> None:
        self.lock.release()
        if threading.current_thread() is self._leader:
            self._left -= 1
            if not self._left:
                before = self._waiting()
                self.other = self._crowd._pool.submit(self._crowd.write, "other")
                until = time.monotonic() + 60
                while self._waiting() == before and time.monotonic() < until:
                    time.sleep(0.001)

    def _waiting(self) -> int:
        commit = self._crowd.database._group_commit
        group = commit._forming if commit else None
        return len(group.waiting) if group else 0


@pytest.mark.parametrize("nth", range(1, 4))
def test_who_comes_between_two_steps_is_of_this_group_or_of_the_next(crowd: Crowd, nth: int) -> None:
    commit = crowd.database._group_commit
    assert commit is not None
    passages = Passages(crowd, nth)
    commit._mutex = passages  # type: ignore[assignment]
    assert crowd.write("first") == 1
    assert passages.other is not None
    assert passages.other.result(timeout=20) == 2
    assert crowd.stored() == ["first", "other"]


def test_who_cannot_wait_for_the_commit_is_told_so_and_nothing_of_theirs_is_written(crowd: Crowd) -> None:
    gate = Gate()
    futures = crowd.gather({"a": None, "b": None, "c": gate}, b=2.0)
    gate.wait()
    assert isinstance(futures.pop("b").exception(timeout=60), BusyError)
    gate.open()
    assert sorted(future.result(timeout=60) for future in futures.values()) == [1, 2]
    assert sorted(crowd.stored()) == ["a", "c"]


def test_who_cannot_wait_for_their_turn_is_not_tried(crowd: Crowd) -> None:
    with crowd.database.write():
        leader = crowd._pool.submit(crowd.write, "a")
        crowd.wait_for(1)
        with pytest.raises(BusyError):
            crowd.write("b", limit_s=0.05)
    assert leader.result(timeout=60) == 1
    assert (crowd.calls, crowd.stored()) == (["a"], ["a"])


def test_a_leader_that_cannot_wait_leaves_the_others_theirs(crowd: Crowd) -> None:
    with crowd.database.write():
        leader = crowd._pool.submit(crowd.write, "a", limit_s=1.0)
        crowd.wait_for(1)
        other = crowd._pool.submit(crowd.write, "b")
        crowd.wait_for(2)
        assert isinstance(leader.exception(timeout=60), BusyError)
    assert other.result(timeout=60) == 1
    assert crowd.stored() == ["b"]


def test_a_work_is_stopped_at_its_own_limit_whoever_leads(crowd: Crowd) -> None:
    def search(connection: Connection) -> None:
        endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
        connection.exec_driver_sql(endless)

    futures = crowd.gather({"a": None, "b": search, "c": None}, a=60.0, b=1.5)
    with pytest.raises(OperationalError, match=r"interrupted|other writers"):
        futures.pop("b").result(timeout=60)
    assert sorted(future.result(timeout=60) for future in futures.values()) == [1, 2]
    assert sorted(crowd.stored()) == ["a", "c"]


def test_where_the_file_is_lost_none_of_the_group_is_saved(crowd: Crowd) -> None:
    def lose(_connection: Connection) -> None:
        file = Path(str(crowd.database.url.database))
        file.rename(file.with_name("elsewhere.db"))

    futures = crowd.gather({"a": None, "b": lose, "c": None})
    assert all(isinstance(future.exception(timeout=60), FileLostError) for future in futures.values())
    assert crowd.calls == ["a", "b", "c"]


def test_after_an_interruption_nothing_of_the_group_is_written_and_the_next_may(crowd: Crowd) -> None:
    def stop(_connection: Connection) -> None:
        raise KeyboardInterrupt

    with crowd.database.write():
        other = crowd._pool.submit(crowd.write, "a")
        crowd.wait_for(1)
        stopped = crowd._pool.submit(crowd.write, "b", stop)
        crowd.wait_for(2)
    assert isinstance(other.exception(timeout=60), KeyboardInterrupt)
    assert isinstance(stopped.exception(timeout=60), KeyboardInterrupt)
    assert crowd.stored() == []
    assert crowd.write("c") == 1


def test_in_a_crowd_in_which_anything_fails_what_is_stored_is_what_was_told(crowd: Crowd) -> None:
    chosen = random.Random(11)  # noqa: S311 - no secret
    fails: tuple[Write | None, ...] = (None, None, None, None, divide, repeat, interrupt, fill_disk, undo_all)
    plans = [
        [(f"{who}-{turn}", chosen.choice(fails), chosen.choice((None, None, 5.0, 0.002))) for turn in range(40)]
        for who in range(THREADS)
    ]

    def type_all(who: int) -> dict[int, str]:
        told: dict[int, str] = {}
        for text, then, limit_s in plans[who]:
            with suppress(ZeroDivisionError, DBAPIError):
                told[crowd.write(text, then, limit_s=limit_s)] = text
        return told

    told = {number: text for each in together(type_all) for number, text in each.items()}
    assert crowd.stored() == [told[number] for number in sorted(told)]
    assert sorted(told) == list(range(1, len(told) + 1))
    assert len(told) > THREADS
