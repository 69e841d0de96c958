"""Loops that raise, die, cannot be started or hang."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from bot.server import supervisor as module
from bot.server.supervisor import Supervisor
from bot.telemetry import context
from bot.telemetry.context import HEARTBEATS, ContextThreadPool, Heartbeat, Metrics, checked, progress

WAIT_S = 60


class Counted(Metrics):
    def __init__(self) -> None:
        self.failures: list[str] = []

    def loop_failed(self, name: str) -> None:
        self.failures.append(name)


class PassingSeconds:
    """What `time.monotonic` returns, where the test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> PassingSeconds:
    clock = PassingSeconds()
    monkeypatch.setattr(context, "time", clock)
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor(Counted())
    yield made
    made.stop()


def no_thread(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("error", [ZeroDivisionError, RecursionError, MemoryError, SystemExit, KeyboardInterrupt])
def test_whatever_a_turn_raises_the_next_one_follows_and_it_is_counted(error: type[BaseException]) -> None:
    metrics = Counted()
    turns = threading.Semaphore(0)
    first = [True]

    def turn() -> None:
        if first.pop() if first else False:
            raise error
        turns.release()

    supervisor = Supervisor(metrics)
    loop = supervisor.run("work", turn)
    try:
        assert all(turns.acquire(timeout=WAIT_S) for _ in range(3))
    finally:
        supervisor.stop()
        loop.join(WAIT_S)
    assert metrics.failures == ["work"]


def test_a_log_that_raises_too_ends_no_loop(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise MemoryError

    monkeypatch.setattr(module._log, "error", broken)
    supervisor.failed("work", MemoryError())


def test_a_loop_ends_when_its_turn_says_so(supervisor: Supervisor) -> None:
    left = [True, True, False]
    loop = supervisor.run("work", lambda: left.pop(0))
    loop.join(WAIT_S)
    assert (left, loop.over) == ([], True)


def test_a_loop_whose_thread_cannot_be_started_is_started_at_a_later_look(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = threading.Semaphore(0)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        supervisor.run("work", ran.release)
        supervisor.look()
        assert not ran.acquire(timeout=0.1)
    supervisor.look()
    assert ran.acquire(timeout=WAIT_S)


def test_a_loop_that_hangs_is_named_once_and_the_others_are_not(
    supervisor: Supervisor, seconds: PassingSeconds
) -> None:
    told: list[Sequence[str]] = []
    hangs, turns = threading.Event(), threading.Semaphore(0)
    supervisor.run("hangs", lambda: hangs.wait(WAIT_S))
    supervisor.run("works", turns.release)
    supervisor._when_stuck = told.append
    # In steps as of the looks: one leap would show that the process itself stood still.
    for _ in range(14):
        seconds.now_s += module.LOOK_S
        _drain(turns)
        supervisor.look()
    assert (told, supervisor.dead()) == ([], [])
    for _ in range(3):
        seconds.now_s += module.LOOK_S
        _drain(turns)
        supervisor.look()
    assert told == [["hangs"]]
    assert supervisor.dead() == ["hangs"]
    hangs.set()


def _drain(turns: threading.Semaphore) -> None:
    """Wait for a turn that began after now."""
    while turns.acquire(blocking=False):
        pass
    assert turns.acquire(timeout=WAIT_S)
    assert turns.acquire(timeout=WAIT_S)


def test_after_the_process_stood_still_no_loop_is_blamed(supervisor: Supervisor, seconds: PassingSeconds) -> None:
    told: list[Sequence[str]] = []
    slow = threading.Event()
    supervisor.run("slow", lambda: slow.wait(WAIT_S))
    supervisor._when_stuck = told.append
    supervisor.look()
    seconds.now_s += 3_600
    assert supervisor.dead() == ["slow", "supervisor"]
    supervisor.look()
    assert (told, supervisor.dead()) == ([], [])
    slow.set()


@pytest.mark.parametrize("begin", [lambda: None, progress])
def test_a_long_piece_of_work_is_stuck_only_without_progress(
    seconds: PassingSeconds, begin: Callable[[], None]
) -> None:
    with HEARTBEATS.of_work("publishing"):
        seconds.now_s += context.STUCK_S
        begin()
        seconds.now_s += 1
        assert ("publishing" in HEARTBEATS.late()) == (begin is not progress)
    assert "publishing" not in HEARTBEATS.late()


def test_work_within_work_beats_for_the_outer_one(seconds: PassingSeconds) -> None:
    with HEARTBEATS.of_work("tick"):
        seconds.now_s += context.STUCK_S
        with HEARTBEATS.of_work("replayed request"):
            pass
        seconds.now_s += 1
        assert HEARTBEATS.late() == []


def test_progress_asks_the_check_of_its_own_block_alone() -> None:
    def refuse() -> None:
        raise PermissionError

    with checked(refuse), pytest.raises(PermissionError):
        progress()
    progress()


def test_a_pool_that_can_start_no_thread_counts_as_stuck_until_it_can(
    seconds: PassingSeconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = ContextThreadPool(2, "requests")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="new thread"):
                pool.submit(len, [])
        seconds.now_s += context.STUCK_S + 1
        assert HEARTBEATS.late() == ["requests"]
    assert pool.submit(len, [1]).result(WAIT_S) == 1
    assert HEARTBEATS.late() == []
    pool.shutdown()


def test_a_task_of_a_pool_that_hangs_is_named_by_its_thread(seconds: PassingSeconds) -> None:
    pool = ContextThreadPool(1, "requests")
    begun, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        go_on.wait(WAIT_S)

    task = pool.submit(hang)
    assert begun.wait(WAIT_S)
    seconds.now_s += context.STUCK_S + 1
    assert HEARTBEATS.late() == ["requests_0"]
    go_on.set()
    task.result(WAIT_S)
    pool.shutdown()
    assert HEARTBEATS.late() == []


def test_a_heartbeat_is_late_only_after_its_limit(seconds: PassingSeconds) -> None:
    heartbeat = Heartbeat("http")
    seconds.now_s += context.STUCK_S
    states = [heartbeat.late]
    seconds.now_s += 1
    states.append(heartbeat.late)
    heartbeat.beat()
    assert [*states, heartbeat.late] == [False, True, False]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_task_that_asks_for_the_end_ends_no_event_loop(error: type[BaseException]) -> None:
    def leave() -> None:
        raise error

    async def wait_for_it(pool: ContextThreadPool) -> None:
        with pytest.raises(RuntimeError, match=error.__name__):
            await asyncio.get_running_loop().run_in_executor(pool, leave)

    pool = ContextThreadPool(1, "requests")
    asyncio.run(wait_for_it(pool))
    pool.shutdown()
