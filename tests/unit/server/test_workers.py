"""Threads that work for an event loop."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from bot.server import supervisor as module
from bot.server.supervisor import Supervisor, Workers
from bot.telemetry import context
from bot.telemetry.context import HEARTBEATS

WAIT_S = 60


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor()
    yield made
    made.stop()


def test_each_call_gets_its_own_result_however_many_come_at_once(supervisor: Supervisor) -> None:
    at_work = set[str]()

    def double(number: int) -> int:
        at_work.add(threading.current_thread().name)
        return 2 * number

    async def all_of_them() -> list[int]:
        return list(await asyncio.gather(*(workers.call(number) for number in range(500))))

    workers = Workers(double, 4, name="request", supervisor=supervisor)
    for _ in range(3):
        assert asyncio.run(all_of_them()) == [2 * number for number in range(500)]
    assert at_work <= {f"request-{number}" for number in range(4)}


def test_a_call_that_comes_alone_goes_to_the_thread_that_worked_last(supervisor: Supervisor) -> None:
    # Within a second, after which an idle thread shows that it goes on; a busy machine may take longer than that.
    async def one_after_another() -> list[str]:
        return [await workers.call() for _ in range(20)]

    workers = Workers(lambda: threading.current_thread().name, 8, name="request", supervisor=supervisor)
    for _ in range(200):
        if len(set(asyncio.run(one_after_another()))) == 1:
            break
    else:
        pytest.fail("every call goes to another thread")


@pytest.mark.parametrize(
    ("error", "raised"), [(ValueError, ValueError), (SystemExit, RuntimeError), (KeyboardInterrupt, RuntimeError)]
)
def test_what_a_call_raises_is_its_callers_and_ends_neither_thread_nor_loop(
    supervisor: Supervisor, error: type[BaseException], raised: type[Exception]
) -> None:
    def fail(outcome: str) -> str:
        if outcome == "fail":
            raise error("stop")
        return outcome

    async def ask() -> str:
        for _ in range(3):
            with pytest.raises(raised):
                await workers.call("fail")
        return await workers.call("goes on")

    workers = Workers(fail, 1, name="request", supervisor=supervisor)
    assert asyncio.run(ask()) == "goes on"


def test_one_who_waits_no_longer_leaves_the_threads_to_the_others(supervisor: Supervisor) -> None:
    release = threading.Event()

    async def leave_then_ask() -> str:
        impatient = asyncio.create_task(workers.call())
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        release.set()
        return await workers.call()

    def work() -> str:
        release.wait(WAIT_S)
        return "done"

    workers = Workers(work, 1, name="request", supervisor=supervisor)
    assert asyncio.run(leave_then_ask()) == "done"


def test_a_call_that_hangs_is_named_by_its_thread(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, now_s = threading.Event(), threading.Event(), [1_000.0]

    class Seconds:
        monotonic = staticmethod(lambda: now_s[0])

    def hang() -> None:
        begun.set()
        go_on.wait(WAIT_S)

    async def ask() -> None:
        task = asyncio.create_task(workers.call())
        assert await asyncio.to_thread(begun.wait, WAIT_S)
        now_s[0] += context.STUCK_S + 1
        assert "request-0" in HEARTBEATS.late()
        go_on.set()
        await task

    monkeypatch.setattr(context, "time", Seconds)
    monkeypatch.setattr(module, "time", Seconds)
    workers = Workers(hang, 1, name="request", supervisor=supervisor)
    asyncio.run(ask())


def test_threads_that_could_not_be_started_at_first_do_the_calls_later(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def ask() -> str:
        task = asyncio.create_task(workers.call())
        await asyncio.sleep(0)
        supervisor.look()
        return await task

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        workers = Workers(lambda: "done", 2, name="request", supervisor=supervisor)
    assert asyncio.run(ask()) == "done"
