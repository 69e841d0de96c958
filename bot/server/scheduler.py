"""The ticks: APScheduler calls, and decides nothing.

Jobs live in memory and only look; what is due is in the store, claimed there, so any number of replicas may tick.
"""

import logging
import time
from collections.abc import Callable
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler

from storage import availability


class Heartbeat:
    """Beaten by what should be alive; `alive` says whether it was within so many seconds."""

    def __init__(self, within_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._within_s = within_s
        self._monotonic = monotonic
        self._last_s: float | None = None

    def beat(self) -> None:
        """Here I am."""
        self._last_s = self._monotonic()

    @property
    def alive(self) -> bool:
        """Whether it beat lately, or has not begun: before that there may be a long migration."""
        return self._last_s is None or self._monotonic() - self._last_s <= self._within_s


_log = logging.getLogger(__name__)


def scheduler(ticks: dict[Callable[[], object], float]) -> BackgroundScheduler:
    """A scheduler, not started yet, that calls each function every so many seconds.

    A tick that comes late is made up for once, however many were missed, and a slow one never runs twice at once.
    """
    made = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})
    for tick, every_s in ticks.items():
        made.add_job(partial(_calmly, tick), "interval", seconds=every_s, max_instances=1, name=_name(tick))
    return made


def _calmly(tick: Callable[[], object]) -> None:
    """Call it; a database that is away takes one line of the log and no trace: it may be away for hours."""
    try:
        tick()
    except availability.ERRORS as error:
        if not availability.is_away(error):
            raise
        _log.warning("%s not done: the database is away", _name(tick))


def _name(tick: Callable[[], object]) -> str:
    return getattr(tick, "__name__", "tick")
