"""Killed at random moments, restarted, and compared."""

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select, update

from bot.clock import now
from bot.fakeslack.slack import Slack
from storage import schema
from storage.database import Database
from storage.models import outbox
from tests.benchmarks import seed
from tests.reliability import due
from tests.reliability.comparison import Comparison, compared
from tests.reliability.typists import Typist, typing
from tests.reliability.victim import Victim, victim

SPAN_S = 1.5
"""Kills come at any moment of so many seconds after it is up."""
START_SPAN_S = 1.5
STARTING = 0.2
"""The share of kills that come while it is still starting."""
CHANNELS = 4
WAIT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What came of it; `moments` counts the kills by what the process had in hand: a job's kind, or its start."""

    metrics: Comparison
    moments: Counter[str] = field(default_factory=Counter)
    again: int = 0
    log: str = ""


def kill(
    transport: str,
    url: str,
    folder: Path,
    *,
    times: int,
    dice: random.Random,
    entries: int = 300,
    lapse: float = 0.0,
) -> Killed:
    """Kill it `times` times under load, then compare. Each channel's incident begins with so many entries.

    The database at `url` is empty. After so many of the kills as `lapse` says, a share, the leases of the process
    killed are ended by hand instead of waited out, so that the next kill finds the outbox at work again.
    """
    database = Database(url)
    schema.migrate(database)
    moments: Counter[str] = Counter()
    try:
        with victim(transport, url, folder) as target:
            target.wait_s = WAIT_S
            typists = [_typist(database, target, number, entries) for number in range(CHANNELS)]
            target.start()
            with typing(typists):
                for _ in range(times):
                    moments.update(_once(database, target, dice))
                    if dice.random() < lapse:
                        _lapse(database)
                    target.start()
            due.bring(database)
            metrics = compared(database, target.slack, typists, before=entries)
            target.end(signal.SIGTERM)
            again = sum(author_name.again for author_name in typists)
            return Killed(metrics=metrics, moments=moments, again=again, log=target.log())
    finally:
        database.close()


def _typist(database: Database, target: Victim, number: int, entries: int) -> Typist:
    slack: Slack = target.slack
    user, channel = slack.add_user(f"typist{number}", zone="UTC"), slack.add_channel(f"incident-{number}")
    with database.write() as connection:
        seed.incident(connection, channel, entries)
    return Typist(victim=target, user=user, channel=channel)


def _once(database: Database, target: Victim, dice: random.Random) -> list[str]:
    """Kill it at a random moment; what it was at."""
    if dice.random() < STARTING:
        target.end()
        target.spawn()
        time.sleep(dice.uniform(0, START_SPAN_S))
        target.end()
        return ["while starting"]
    due.bring(database)
    time.sleep(dice.uniform(0, SPAN_S))
    target.end()
    with database.read() as connection:
        sending = connection.execute(select(outbox.c.action).where(outbox.c.state == "sending")).scalars()
        return sorted({f"with a {action} in hand" for action in sending}) or ["between jobs"]


def _lapse(database: Database) -> None:
    """End the leases of a process that is dead."""
    with database.write() as connection:
        connection.execute(update(outbox).where(outbox.c.state == "sending").values(due_at=now()))
