"""Remind until nothing is due: `python -m tests.support.reminding`, told about its surroundings in variables.

Its clock stands still. What it had in hand when it was killed waits until the lease is over. With `SINCE`, the
time.time() at which its clock showed AT, the clock goes, and workers deliver as those of `scribe run` do.
"""

import os
import sys
import time
from datetime import datetime, timedelta
from functools import partial

from bot.clock import SetClock, now
from bot.config import Settings
from bot.slack.bot import build
from storage import outbox
from storage.database import Database
from storage.items import reminder_schedules
from storage.values import whole_milliseconds
from tests.support.many_items import AT

_TICK_S = 0.5


def main() -> None:
    settings = Settings.from_env(os.environ)
    database = Database(settings.database_url)
    since = os.environ.get("SINCE")
    if since:
        run(settings, database, float(since))
    else:
        drain(settings, database)
    database.close()


def run(settings: Settings, database: Database, since_s: float) -> None:
    """Tick and deliver until no job is left, those of others included."""
    clock = partial(_time, since_s)
    bot = build(settings, database, clock=clock)
    print("ready", flush=True)
    sys.stdin.readline()
    bot.context.delivery.start()
    busy = True
    while busy:
        bot.remind()
        time.sleep(_TICK_S)
        with database.read() as connection:
            # Leases of a process that was killed are unsent jobs, too.
            later, expired = clock() + timedelta(days=1), now() + timedelta(days=1)
            unsent = outbox.is_due(connection, at=later, lease_at=expired)
            busy = reminder_schedules.is_due(connection, at=clock()) or unsent
    bot.stop()


def _time(since_s: float) -> datetime:
    return whole_milliseconds(AT + timedelta(seconds=time.time() - since_s))


def drain(settings: Settings, database: Database) -> None:
    """Tick and deliver, one job after the other."""
    bot = build(settings, database, clock=SetClock(AT))
    print("ready", flush=True)
    sys.stdin.readline()
    busy = True
    while busy:
        bot.remind()
        bot.context.delivery.deliver_due()
        with database.read() as connection:
            busy = reminder_schedules.is_due(connection, at=AT) or outbox.is_due(connection, at=AT)
    bot.stop()


if __name__ == "__main__":
    main()
