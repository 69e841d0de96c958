"""The ticks: APScheduler calls, and decides nothing.

Jobs live in memory and only look; what is due is in the store, claimed there, so any number of replicas may tick.
"""

from collections.abc import Callable

from apscheduler.schedulers.background import BackgroundScheduler


def scheduler(ticks: dict[Callable[[], object], float]) -> BackgroundScheduler:
    """A scheduler, not started yet, that calls each function every so many seconds.

    A tick that comes late is made up for once, however many were missed, and a slow one never runs twice at once.
    """
    made = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})
    for tick, every_s in ticks.items():
        made.add_job(tick, "interval", seconds=every_s, max_instances=1)
    return made
