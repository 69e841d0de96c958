"""Many threads that set off at one instant, and whether they take turns."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

THREADS = 8
_MOMENT_S = 0.3


def together(do: Callable[[int], Result], threads: int = THREADS) -> list[Result]:
    """What `do(0)`, `do(1)`, … give, each in a thread of its own, all begun at once; raises what one raised."""
    start = threading.Barrier(threads)

    def run(number: int) -> Result:
        start.wait(timeout=60)
        return do(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


class Turns:
    """A hook for what threads are to do one after another: `most` says how many were in it at once.

    Who is in it waits a moment for a second one, which can come only where they take no turns.
    """

    def __init__(self) -> None:
        self.most = 0
        self._inside = 0
        self._mutex = threading.Lock()
        self._met = threading.Event()

    def __call__(self, *_arguments: object) -> None:
        with self._mutex:
            self._inside += 1
            self.most = max(self.most, self._inside)
            if self._inside > 1:
                self._met.set()
        self._met.wait(timeout=_MOMENT_S)
        with self._mutex:
            self._inside -= 1
