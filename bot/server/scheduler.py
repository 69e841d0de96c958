"""The scheduler: APScheduler calls functions at fixed intervals, and keeps no state.

Its jobs are in memory and only poll; the tables say what is due, and it is claimed there, so any number of replicas
may poll.
"""

import logging
import time
from collections.abc import Callable
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler

from storage import availability

_log = logging.getLogger(__name__)


def scheduler(ticks: dict[Callable[[], object], float]) -> BackgroundScheduler:
    """A scheduler, not started yet, that calls each function at an interval given in seconds.

    Missed calls are made up for by one, and a slow function is never called again while it runs.
    """
    background = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})
    for tick, every_s in ticks.items():
        name = getattr(tick, "__name__", "tick")
        background.add_job(partial(_run, tick, name), "interval", seconds=every_s, max_instances=1, name=name)
    return background


def _run(tick: Callable[[], object], name: str) -> None:
    """Call the function; log a database that is away without a traceback, as it may be away for hours."""
    try:
        tick()
    except availability.ERRORS as error:
        if not availability.is_away(error):
            raise
        _log.warning("%s not done: the database is away", name)


class Heartbeat:
    """Evidence that a loop is alive: the loop calls `beat`, and `alive` says whether it did so within `within_s`."""

    def __init__(self, within_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._within_s = within_s
        self._monotonic = monotonic
        self._last_s: float | None = None

    def beat(self) -> None:
        """Record that the loop is alive now."""
        self._last_s = self._monotonic()

    @property
    def alive(self) -> bool:
        """Whether the last beat is recent. True before the first: a migration may delay it for long."""
        return self._last_s is None or self._monotonic() - self._last_s <= self._within_s
