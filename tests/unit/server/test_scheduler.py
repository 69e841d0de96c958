import threading
import time

import pytest

from bot.server.scheduler import ClockWatch, scheduler
from storage.database import Database

WAIT_S = 60


def test_every_function_is_called_again_and_again() -> None:
    calls = {"one": threading.Semaphore(0), "two": threading.Semaphore(0)}

    def one() -> None:
        calls["one"].release()

    def two() -> None:
        calls["two"].release()

    ticks = scheduler({one: 0.02, two: 0.03})
    ticks.start()
    try:
        for semaphore in calls.values():
            assert all(semaphore.acquire(timeout=WAIT_S) for _ in range(3))
    finally:
        ticks.shutdown()


def test_one_that_raises_is_called_again_and_does_not_stop_the_other() -> None:
    raised, called = threading.Semaphore(0), threading.Semaphore(0)

    def fail() -> None:
        raised.release()
        raise ZeroDivisionError

    ticks = scheduler({fail: 0.02, called.release: 0.02})
    ticks.start()
    try:
        assert all(raised.acquire(timeout=WAIT_S) and called.acquire(timeout=WAIT_S) for _ in range(3))
    finally:
        ticks.shutdown()


def test_a_database_that_is_away_takes_a_line_of_the_log_a_time_and_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    called = threading.Semaphore(0)
    nowhere = Database("postgresql://scribe@127.0.0.1:1/scribe")

    def look() -> None:
        called.release()
        nowhere.probe_write()

    ticks = scheduler({look: 0.02})
    ticks.start()
    try:
        assert all(called.acquire(timeout=WAIT_S) for _ in range(3))
    finally:
        ticks.shutdown()
        nowhere.close()
    # On a busy machine a tick may last longer than its interval; APScheduler logs that itself.
    own = [each for each in caplog.records if each.name == "bot.server.scheduler"]
    assert {(each.getMessage(), each.exc_info) for each in own} == {("look not done: the database is away", None)}


def test_a_slow_one_never_runs_twice_at_once_and_is_made_up_for_once() -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()
    inside: list[int] = []
    most: list[int] = []

    def slow() -> None:
        inside.append(1)
        most.append(len(inside))
        begun.release()
        go_on.wait(WAIT_S)
        inside.pop()

    ticks = scheduler({slow: 0.02})
    ticks.start()
    try:
        assert begun.acquire(timeout=WAIT_S)
        missed_until_s = time.monotonic() + 0.2
        while time.monotonic() < missed_until_s:
            assert not begun.acquire(timeout=0.02)
        go_on.set()
        assert begun.acquire(timeout=WAIT_S)
    finally:
        ticks.shutdown()
    assert max(most) == 1


def test_jobs_are_not_kept_anywhere() -> None:
    ticks = scheduler({test_jobs_are_not_kept_anywhere: 3600.0})
    assert not ticks.running
    ticks.start(paused=True)
    (job,) = ticks.get_jobs()
    assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    ticks.shutdown()


@pytest.mark.parametrize("moved_s", [7200.0, -7200.0, 3.0, -3.0])
def test_when_the_clock_was_set_everything_is_due_at_once(moved_s: float) -> None:
    wall, passed = [1_800_000_000.0], [100.0]
    ticks = scheduler({len: 3600.0, max: 60.0})  # type: ignore[dict-item]
    watch = ClockWatch(ticks, wall=lambda: wall[0], monotonic=lambda: passed[0])
    # Nothing is called: what is paused only keeps the times.
    ticks.start(paused=True)
    try:
        before = [job.next_run_time for job in ticks.get_jobs()]
        # Time that passes by both clocks, and an adjustment of a second, are no reason.
        wall[0], passed[0] = wall[0] + 501.0, passed[0] + 500.0
        watch.look()
        assert [job.next_run_time for job in ticks.get_jobs()] == before
        wall[0] += moved_s
        watch.look()
        assert {job.next_run_time.timestamp() for job in ticks.get_jobs()} == {wall[0]}
    finally:
        ticks.shutdown()


@pytest.mark.parametrize("error", [ZeroDivisionError, RecursionError, MemoryError, SystemExit, KeyboardInterrupt])
def test_whatever_a_function_raises_is_told_and_ends_nothing(error: type[BaseException]) -> None:
    told: list[str] = []
    again = threading.Semaphore(0)

    def breaks() -> None:
        again.release()
        raise error

    ticks = scheduler({breaks: 0.02}, lambda name, raised: told.append(f"{name}: {type(raised).__name__}"))
    ticks.start()
    try:
        assert all(again.acquire(timeout=WAIT_S) for _ in range(3))
    finally:
        ticks.shutdown()
    assert set(told) == {f"breaks: {error.__name__}"}
