"""Kills the bot at random moments under load, restarts it, and compares what was acknowledged with what is stored."""

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select, update

from bot.clock import now
from bot.fakeslack.slack import Slack
from bot.handlers.review.reviews import REMINDER
from storage import schema
from storage.database import Database
from storage.models import outbox
from tests.benchmarks import seed
from tests.reliability.comparison import Comparison, compare
from tests.reliability.process import ScribeProcess, scribe_process
from tests.reliability.responders import Responder, responding
from tests.support.ledger import expire_leases

SPAN_S = 1.5
"""A kill comes within so many seconds after the bot is up."""
START_SPAN_S = 1.5
STARTING = 0.2
"""The share of kills during the start."""
CHANNELS = 4
WAIT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kills:
    """The result. `moments` counts the kills by what the process was doing; `repeats` the repeated deliveries."""

    comparison: Comparison
    moments: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
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
) -> Kills:
    """Kill it `times` times under load, then compare. Each channel's incident starts with `entries` entries.

    The database at `url` is empty. After a share `lapse` of the kills, the dead process's leases are expired by hand,
    so that the next kill finds the outbox busy again.
    """
    database = Database(url)
    schema.migrate(database)
    moments: Counter[str] = Counter()
    try:
        with scribe_process(transport, url, folder) as target:
            target.wait_s = WAIT_S
            responders = [_responder(database, target, number, entries) for number in range(CHANNELS)]
            target.start()
            with responding(responders):
                for _ in range(times):
                    moments.update(_once(database, target, dice))
                    if dice.random() < lapse:
                        expire_leases(database)
                    target.start()
            _make_all_due(database)
            comparison = compare(database, target.slack, responders, before=entries)
            target.end(signal.SIGTERM)
            repeats = sum(each.repeats for each in responders)
            return Kills(comparison=comparison, moments=moments, repeats=repeats, log=target.log())
    finally:
        database.close()


def _responder(database: Database, target: ScribeProcess, number: int, entries: int) -> Responder:
    slack: Slack = target.slack
    user, channel = slack.add_user(f"responder{number}", zone="UTC"), slack.add_channel(f"incident-{number}")
    with database.write() as connection:
        seed.incident(connection, channel, entries)
    return Responder(process=target, user=user, channel=channel)


def _once(database: Database, target: ScribeProcess, dice: random.Random) -> list[str]:
    """Kill it at a random moment; return what it was doing."""
    if dice.random() < STARTING:
        target.end()
        target.spawn()
        time.sleep(dice.uniform(0, START_SPAN_S))
        target.end()
        return ["while starting"]
    _make_all_due(database)
    time.sleep(dice.uniform(0, SPAN_S))
    target.end()
    with database.read() as connection:
        sending = connection.execute(select(outbox.c.action).where(outbox.c.state == "sending")).scalars()
        return sorted({f"with a {action} in hand" for action in sending}) or ["between jobs"]


def _make_all_due(database: Database) -> None:
    """Make jobs scheduled for days ahead due now, so that kills interrupt them too: the reminders of reviews."""
    with database.write() as connection:
        scheduled = (outbox.c.action == REMINDER) & (outbox.c.state == "waiting")
        connection.execute(update(outbox).where(scheduled).values(due_at=now()))
