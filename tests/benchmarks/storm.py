"""Ten thousand messages through a Slack that fails three calls of ten and rate-limits the rest."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.clock import SetClock
from bot.fakeslack.faults import RandomFaults
from bot.fakeslack.slack import Slack
from bot.slack.bot import Bot, build
from storage import outbox, schema
from storage.database import Database
from tests.benchmarks.effort import Effort
from tests.benchmarks.report import heading, say, table
from tests.benchmarks.servers import Urls, urls
from tests.support.workplace import Workplace, workplace

MESSAGES, CHANNELS = 10_000, 500
BEGIN = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)
TICK = timedelta(seconds=0.5)
LONGEST = timedelta(days=2)
REPLICAS = {"SQLite": 1, "PostgreSQL": 2}
POST = "chat.postMessage"


def measure(effort: Effort) -> None:
    """Print what came of them, over SQLite with one bot and over PostgreSQL with two that deliver at once."""
    rows: list[tuple[str, ...]] = []
    with TemporaryDirectory(prefix="scribe-storm-") as folder, urls(Path(folder)) as made:
        for database, bots in REPLICAS.items():
            rows.append((f"{database}, {bots} bot{'s' * (bots > 1)}", *_storm(made, database, Path(folder), effort)))
    heading(
        f"{effort.of(MESSAGES):,} messages to {CHANNELS} channels; 30 % of calls fail, a channel takes one a second"
    )
    table(
        (
            "", "delivered once", "lost", "said twice", "channels out of order", "calls", "failed", "limited",
            "too early", "Slack's time", "ours",
        ),
        rows,
    )  # fmt: skip


def _storm(made: Urls, kind: str, folder: Path, effort: Effort) -> tuple[str, ...]:
    clock, began_s = SetClock(BEGIN), time.monotonic()
    url, each = made.fresh(kind, folder), effort.of(MESSAGES) // CHANNELS
    with ExitStack() as stack:
        database = stack.enter_context(closing(Database(url)))
        schema.migrate(database)
        office = stack.enter_context(workplace(database, clock=clock))
        channels = [office.slack.add_channel(f"c{number}") for number in range(CHANNELS)]
        _fill(office, channels, each, clock)
        faults = RandomFaults(clock)
        office.slack.fail_randomly(faults)
        bots = [office.bot, *(_another(stack, office, url, clock) for _ in range(1, REPLICAS[kind]))]
        _sit_out(bots, database, clock)
        outcome = _compared(office.slack, channels, each)
    took = (f"{(clock() - BEGIN).total_seconds():.0f} s", f"{time.monotonic() - began_s:.0f} s")
    say(f"{kind}: {', '.join(f'{count} {state}' for state, count in outcome.items())}")
    wrong = outcome["lost"] + outcome["twice"] + outcome["disordered"] + faults.too_early
    assert wrong == 0, outcome
    figures = [outcome[name] for name in ("once", "lost", "twice", "disordered", "calls", "failed", "limited")]
    return (*(f"{figure:,}" for figure in (*figures, faults.too_early)), *took)


def _fill(office: Workplace, channels: Sequence[str], each: int, clock: SetClock) -> None:
    """So many messages for each channel, in turn."""
    with office.database.write() as connection:
        for number in range(each):
            for channel in channels:
                content = {"channel": channel, "text": f"message {number}"}
                outbox.add(connection, office.slack.team_id, lane=channel, action="post", content=content, at=clock())


def _another(stack: ExitStack, office: Workplace, url: str, clock: SetClock) -> Bot:
    """A second bot with a connection pool of its own."""
    own = stack.enter_context(closing(Database(url)))
    bot = build(office.bot.context.settings, own, clock=clock)
    stack.callback(bot.stop)
    return bot


def _sit_out(bots: Sequence[Bot], database: Database, clock: SetClock) -> None:
    """Let the time pass, half a second at a time, while all deliver at once, until nothing is left."""
    with ThreadPoolExecutor(len(bots)) as pool:
        while clock() < BEGIN + LONGEST:
            list(pool.map(lambda bot: bot.context.delivery.deliver_due(), bots))
            with database.read() as connection:
                if not outbox.count_by_state(connection).keys() & {"waiting", "sending"}:
                    return
            clock.set(clock() + TICK)


def _compared(slack: Slack, channels: Sequence[str], each: int) -> Counter[str]:
    wanted = [f"message {number}" for number in range(each)]
    outcome = Counter[str]()
    for channel in channels:
        said = [message.text for message in slack.messages(channel)]
        counted = Counter(said)
        outcome["once"] += sum(count == 1 for count in counted.values())
        outcome["lost"] += len(set(wanted) - counted.keys())
        outcome["twice"] += counted.total() - len(counted)
        outcome["disordered"] += list(dict.fromkeys(said)) != [text for text in wanted if text in counted]
    calls = [call for call in slack.calls if call.method == POST]
    outcome["calls"] = len(calls)
    outcome["limited"] = sum(call.error == "ratelimited" for call in calls)
    outcome["failed"] = sum(call.error is not None for call in calls) - outcome["limited"]
    return outcome
