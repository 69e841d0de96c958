import threading
import time

import pytest

from bot.server.scheduler import Heartbeat, scheduler
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


def test_a_heartbeat_is_alive_until_its_last_beat_is_too_old() -> None:
    at_s = [100.0]
    heartbeat = Heartbeat(60, monotonic=lambda: at_s[0])
    states = [heartbeat.alive]
    heartbeat.beat()
    for seconds in (100, 160, 161):
        at_s[0] = seconds
        states.append(heartbeat.alive)
    heartbeat.beat()
    assert [*states, heartbeat.alive] == [True, True, True, False, True]
