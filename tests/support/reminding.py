"""Remind until nothing is due: `python -m tests.support.reminding`, told about its surroundings in variables.

Its clock stands still, so what it had in hand when it was killed waits for somebody with a later one.
"""

import os
import sys

from bot.clock import SetClock
from bot.config import Settings
from bot.slack.bot import build
from storage import outbox, reminder_schedules
from storage.database import Database
from tests.support.many_items import AT


def main() -> None:
    settings = Settings.from_env(os.environ)
    database = Database(settings.database_url)
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
    database.close()


if __name__ == "__main__":
    main()
