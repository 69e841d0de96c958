"""The supervisor: it starts every loop of the process, and sees to it that each goes on.

A loop is a thread that takes its turn again and again. A turn that raises, whatever it raises, is logged and counted,
and the next one follows after a pause that grows. A loop whose thread is gone, or could not be started, gets another.
A loop that hangs cannot be helped from outside, as no thread can be ended: `dead` names it, and `scribe run` ends the
process with an exit code by which its own supervisor starts it anew.

    supervisor = Supervisor()
    supervisor.run("leases", delivery.renew_leases)
    supervisor.start(when_stuck=end_the_process)
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Generic, ParamSpec, TypeVar

from bot.telemetry.context import HEARTBEATS, NO_METRICS, Heartbeat, Metrics, beating

LOOK_S = 5.0
"""Seconds between two looks at the loops. With STUCK_S, and the time to stop, a hung loop is seen within 90 s."""
_ASLEEP_S = 3 * LOOK_S
"""A look that comes later than this shows that the whole process stood still."""
_LONGEST_PAUSE_S = 30.0
_DOUBLINGS = 6
_IDLE_S = 1.0
"""Seconds after which an idle worker takes another turn, to show that it goes on."""
_log = logging.getLogger(__name__)

Params = ParamSpec("Params")
Returned = TypeVar("Returned")
_Work = Callable[[], None]
Turn = Callable[[], object]
"""One turn of a loop, with its own waiting, which takes a few seconds at most; it returns False to end the loop."""


class Loop:
    """One thread that takes turns. `stop` ends it after the turn in hand."""

    def __init__(self, name: str, turn: Turn, failed: Callable[[str, BaseException], None]) -> None:
        self.name = name
        self._turn = turn
        self._failed = failed
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.heartbeat = HEARTBEATS.add(Heartbeat(name))

    @property
    def over(self) -> bool:
        """Whether the loop was stopped, or has ended by itself."""
        return self._stopped.is_set()

    def ensure_running(self) -> None:
        """Start the thread unless it runs or is over. Raises RuntimeError where no thread can be started."""
        if self.over or (self._thread is not None and self._thread.is_alive()):
            return
        thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        thread.start()
        self._thread = thread

    def stop(self) -> None:
        """Take no further turn."""
        self._stopped.set()
        HEARTBEATS.remove(self.heartbeat)

    def join(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` seconds for the end of the thread."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        failures = 0
        with beating(self.heartbeat):
            while not self.over:
                self.heartbeat.beat()
                try:
                    if self._turn() is False:
                        break
                    failures = 0
                except BaseException as error:  # noqa: BLE001 - the boundary: nothing that happens in a turn ends a loop
                    failures += 1
                    self._failed(self.name, error)
                    self._stopped.wait(min(_LONGEST_PAUSE_S, 0.5 * 2 ** min(failures, _DOUBLINGS)))
        self.stop()


class Supervisor:
    """Starts loops, starts them anew, and names those that hang."""

    def __init__(self, metrics: Metrics = NO_METRICS) -> None:
        self._metrics = metrics
        self._lock = threading.Lock()
        self._loops: list[Loop] = []
        self._stopping = threading.Event()
        self._when_stuck: Callable[[Sequence[str]], None] | None = None
        self._looked_s: float | None = None

    def run(self, name: str, turn: Turn) -> Loop:
        """Have a thread take turns from now on; where none can be started, a later look tries again."""
        loop = Loop(name, turn, self.failed)
        with self._lock:
            self._loops = [each for each in self._loops if not each.over] + [loop]
        try:
            loop.ensure_running()
        except RuntimeError as error:
            self.failed(name, error)
        return loop

    def start(self, when_stuck: Callable[[Sequence[str]], None] | None = None) -> None:
        """Look after the loops from now on; `when_stuck` is called once, with the names of those that hang."""
        self._when_stuck = when_stuck
        threading.Thread(target=self._watch, name="supervisor", daemon=True).start()

    def stop(self) -> None:
        """Let all loops end after the turn in hand."""
        self._stopping.set()
        with self._lock:
            for each in self._loops:
                each.stop()

    def failed(self, name: str, error: BaseException) -> None:
        """Log and count what a turn raised. Never raises: there may be no memory left even for that."""
        with suppress(Exception):
            self._metrics.loop_failed(name)
        with suppress(Exception):
            _log.error("%s failed, and goes on", name, exc_info=error)

    def dead(self) -> list[str]:
        """What does not go on: loops, and units of work such as a request that is never answered."""
        looked_s = self._looked_s
        blind = looked_s is not None and not self._stopping.is_set() and time.monotonic() - looked_s > _ASLEEP_S
        return [*HEARTBEATS.late(), *(["supervisor"] if blind else [])]

    def look(self) -> None:
        """Start the loops anew whose thread is gone, and tell `when_stuck` of those that hang."""
        asleep_s = 0.0 if self._looked_s is None else time.monotonic() - self._looked_s
        self._looked_s = time.monotonic()
        if asleep_s > _ASLEEP_S:
            HEARTBEATS.forgive()
        with self._lock:
            loops = [each for each in self._loops if not each.over]
        for each in loops:
            try:
                each.ensure_running()
            except RuntimeError as error:
                self.failed(each.name, error)
        late = HEARTBEATS.late()
        if late and self._when_stuck is not None:
            when_stuck, self._when_stuck = self._when_stuck, None
            when_stuck(late)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except BaseException as error:  # noqa: BLE001 - the boundary: nobody looks after this thread
                self.failed("supervisor", error)
            self._stopping.wait(LOOK_S)


class Workers(Generic[Params, Returned]):
    """Threads that call one blocking function for event loops; further calls wait for a thread, in their order.

    Each is a loop of the supervisor's: a thread that is gone gets another one, and a call that hangs is seen. A call
    goes to the thread that was busy last, whose memory is still in the processor's cache. `run_in_executor` takes any
    thread, and makes two futures of each call, a lock for one of them, and a copy of the context.
    """

    def __init__(self, function: Callable[Params, Returned], count: int, *, name: str, supervisor: Supervisor) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._waiting = deque[_Work]()
        self._idle: list[SimpleQueue[_Work]] = []
        for number in range(count):
            supervisor.run(f"{name}-{number}", partial(self._turn, SimpleQueue()))

    async def call(self, *args: Params.args, **kwargs: Params.kwargs) -> Returned:
        """What the function returns, or raises. Raises RuntimeError where it asks for the end of the process."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Returned] = loop.create_future()

        def work() -> None:
            settle: Callable[[], None]
            try:
                settle = partial(_settle, answer, self._function(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - the boundary: it is the caller's
                # In an event loop the end that is asked for would be the loop's; here nobody meant the process.
                failure = error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
                settle = partial(_fail, answer, failure)
            # The loop is closed where the process ends, and nobody waits there any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle)

        with self._lock:
            if self._idle:
                self._idle.pop().put(work)
            else:
                self._waiting.append(work)
        return await answer

    def _turn(self, own: SimpleQueue[_Work]) -> None:
        """Do the call that waits longest, or the next one that comes; `own` is this thread's."""
        work: _Work | None = None
        with self._lock:
            # A call handed over in the very instant in which the last turn gave up must not wait behind another one.
            if own.empty() and self._waiting:
                work = self._waiting.popleft()
            elif own.empty() and own not in self._idle:
                self._idle.append(own)
        with suppress(Empty):
            work = work or own.get(timeout=_IDLE_S)
        if work is not None:
            work()


def _settle(answer: asyncio.Future[Returned], returned: Returned) -> None:
    if not answer.done():
        answer.set_result(returned)


def _fail(answer: asyncio.Future[Returned], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
