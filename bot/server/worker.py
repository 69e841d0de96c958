"""One child process for what computes for long, such as the draft of an incident with thousands of entries.

In a thread of the bot it would hold the interpreter's lock, and everybody's answers would wait for it. The child is
started when it is first needed and ends when nobody has needed it for a while. It opens the database itself, anew for
each call, and keeps nothing between two calls: what is erased is in no memory of its.

A call whose child dies, or takes longer than it may, raises WorkerDiedError, and the next call gets another child. So
only what may be done again is called: a job of the outbox, which is then tried again, or something that only reads.
"""

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import IO, Concatenate, ParamSpec, TypeVar, cast

from bot.documents import sandbox
from bot.telemetry.context import bind, bound, current, progress
from storage.database import Database

LIMIT_S = 45.0
"""The most seconds that one call may take, and wait for its turn: less than STUCK_S, after which a loop counts as hung.
"""
IDLE_S = 300.0
"""Seconds without a call after which the child is ended, and its memory is free."""
_CONNECTS_BY = ("PG", "HOME", "TMPDIR")
"""How the variables begin that a driver of the database reads."""

Params = ParamSpec("Params")
Returned = TypeVar("Returned")


class WorkerDiedError(Exception):
    """The child died, or was ended because the call took too long; whether the call was done is not known."""


class Worker:
    """The child process of one database. Starts nothing until it is called."""

    def __init__(self, database: Database, *, limit_s: float = LIMIT_S) -> None:
        self._url = database.url.render_as_string(hide_password=False)
        self.limit_s = limit_s
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._used_s = 0.0

    def pid(self) -> int | None:
        """The child's process id; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def call(
        self, function: Callable[Concatenate[Database, Params], Returned], *args: Params.args, **kwargs: Params.kwargs
    ) -> Returned:
        """What the function returns or raises in the child, with a database of its own as the first argument.

        The function is a module's, and all arguments and results can be pickled. One call is done at a time. Raises
        WorkerDiedError, TimeoutError when it is not its turn in time, and OSError where no process can be started.
        """
        order = pickle.dumps(pickle.dumps((self._url, function, args, kwargs)))
        progress()
        if not self._turn.acquire(timeout=self.limit_s):
            raise TimeoutError("others are being computed")
        try:
            progress()
            answer = self._exchange(order)
        finally:
            self._used_s = time.monotonic()
            self._turn.release()
        succeeded, outcome, fields = pickle.loads(answer)  # noqa: S301 - from our own child
        bind(**fields)
        if not succeeded:
            raise outcome
        returned: Returned = outcome
        return returned

    def tend(self) -> None:
        """End the child if nobody needed it for IDLE_S seconds."""
        if self._turn.acquire(blocking=False):
            try:
                if time.monotonic() - self._used_s > IDLE_S:
                    self.stop()
            finally:
                self._turn.release()

    def forget(self) -> None:
        """End the child when what it does is done: freed memory may still hold words that are erased by now."""
        with self._turn:
            self.stop()

    def stop(self) -> None:
        """End the child, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _exchange(self, order: bytes) -> bytes:
        """Send the order, and read the answer to it.

        Each is pickled twice, so that one that cannot be read leaves the next one whole.
        """
        if self.pid() is None:
            self.stop()
        process = self._process = self._process or _start()
        stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        # Its end is also the end of the pipe that is read below.
        alarm = threading.Timer(self.limit_s, process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            stdin.write(order)
            stdin.flush()
            answer: bytes = pickle.load(stdout)  # noqa: S301 - from our own child
        except (OSError, ValueError, EOFError, pickle.UnpicklingError):
            # ValueError: the pipe was closed by who stopped it.
            self.stop()
            raise WorkerDiedError(f"the child ended with code {process.returncode}") from None
        finally:
            alarm.cancel()
        return answer


def _start() -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(_CONNECTS_BY)}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bot.server.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=kept | sandbox.environment(),
    )


def main() -> None:
    """The child process: do one call after the other, until there are no more or the parent is gone."""
    # The parent is told by these to end, and ends the child when its job in hand is done.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever is printed must not be taken for an answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    orders = queue.SimpleQueue[bytes]()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    while True:
        answers.write(pickle.dumps(_answer(orders.get())))
        answers.flush()


def _read(orders: "queue.SimpleQueue[bytes]") -> None:
    """Pass on the orders; when there is nobody any more to give them, end the process at once, also while it works."""
    with suppress(Exception):
        while True:
            orders.put(pickle.load(sys.stdin.buffer))  # noqa: S301 - from our parent
    os._exit(0)


def _answer(order: bytes) -> bytes:
    """Whether the function succeeded, what it returned or raised, and the fields that it bound; pickled."""
    with bound():
        try:
            url, function, args, kwargs = pickle.loads(order)  # noqa: S301 - from our parent
            with closing(Database(url)) as database:
                return pickle.dumps((True, function(database, *args, **kwargs), current()))
        except Exception as error:  # noqa: BLE001 - the boundary: it is the caller's
            return pickle.dumps((False, error, current()))


if __name__ == "__main__":
    main()
