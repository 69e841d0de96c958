"""Many threads that set off at one instant."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

THREADS = 8


def together(do: Callable[[int], Result], threads: int = THREADS) -> list[Result]:
    """What `do(0)`, `do(1)`, … give, each in a thread of its own, all begun at once; raises what one raised."""
    start = threading.Barrier(threads)

    def run(number: int) -> Result:
        start.wait(timeout=60)
        return do(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
