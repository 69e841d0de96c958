"""The scheduler: APScheduler calls functions at fixed intervals, and keeps no state.

Its jobs are in memory and only poll; the tables say what is due, and it is claimed there, so any number of replicas
may poll.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler

from bot.telemetry.context import HEARTBEATS
from storage import availability

JUMP_S = 2.0
"""A difference between the machine's clock and the time that has passed which shows that the clock was set."""
LOOK_S = 1.0
_log = logging.getLogger(__name__)

Failed = Callable[[str, BaseException], None]
"""Is told the name of a function, and what it raised."""


def scheduler(ticks: dict[Callable[[], object], float], failed: Failed | None = None) -> BackgroundScheduler:
    """A scheduler, not started yet, that calls each function at an interval given in seconds.

    Missed calls are made up for by one, and a slow function is never called again while it runs. One that raises is
    called again at its next time; one that hangs holds up no other, and its heartbeat is late.
    """
    background = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})
    for tick, every_s in ticks.items():
        name = getattr(tick, "__name__", "tick")
        call = partial(_run, tick, name, failed or _log_failure)
        background.add_job(call, "interval", seconds=every_s, max_instances=1, name=name)
    return background


def _run(tick: Callable[[], object], name: str, failed: Failed) -> None:
    """Call the function; log a database that is away without a traceback, as it may be away for hours."""
    with HEARTBEATS.of_work(name):
        try:
            tick()
        except availability.ERRORS as error:
            if not availability.is_away(error):
                failed(name, error)
                return
            _log.warning("%s not done: the database is away", name)
        except BaseException as error:  # noqa: BLE001 - the boundary: one function must not end the others
            failed(name, error)


def _log_failure(name: str, error: BaseException) -> None:
    _log.error("%s failed", name, exc_info=error)


class ClockWatch:
    """Makes every function due when the machine's clock was set: APScheduler waits for times of that clock.

    After a clock that was two hours ahead is put right, nothing would be called for two hours.
    """

    def __init__(
        self,
        background: BackgroundScheduler,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._background = background
        self._wall = wall
        self._monotonic = monotonic
        self._ahead_s = wall() - monotonic()

    def look(self) -> None:
        """Make the functions due if the clock was set since the last look."""
        ahead_s = self._wall() - self._monotonic()
        moved_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        if abs(moved_s) < JUMP_S:
            return
        _log.warning("the machine's clock was set by %.0f s", moved_s)
        for job in self._background.get_jobs():
            job.modify(next_run_time=datetime.fromtimestamp(self._wall(), UTC))
