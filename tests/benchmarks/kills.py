"""Killed again and again over both transports and both databases: what is lost, and what is said twice."""

import random
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.effort import Effort
from tests.benchmarks.report import heading, say, table
from tests.benchmarks.servers import Urls, urls
from tests.reliability.kills import Kills, kill
from tests.reliability.migrating import kill_migrations
from tests.support.workplace import HTTP, SOCKET

PLACES = tuple((transport, database) for transport in (HTTP, SOCKET) for database in ("SQLite", "PostgreSQL"))
LAPSE = 0.7
COLUMNS = (
    "acknowledged",
    "lost",
    "doubled",
    "out_of_order",
    "drafts",
    "half_drafts",
    "messages",
    "unsent",
    "sent_twice",
)


def measure(effort: Effort) -> None:
    """Print what came of `effort.times` kills, shared out evenly, and of half as many killed migrations."""
    say(f"seed {effort.seed}")
    with TemporaryDirectory(prefix="scribe-kills-") as folder, urls(Path(folder)) as made:
        each = max(1, effort.times // len(PLACES))
        killed = {place: _killed(place, made, Path(folder), each, effort.seed) for place in PLACES}
        _print(killed, each)
        _migrations(made, Path(folder), max(1, effort.times // 4), effort.seed)


def _killed(place: tuple[str, str], made: Urls, folder: Path, times: int, seed: int) -> Kills:
    transport, database = place
    own = folder / f"{transport}-{database}"
    own.mkdir()
    return kill(transport, made.fresh(database, own), own, times=times, dice=random.Random(seed), lapse=LAPSE)  # noqa: S311


def _print(killed: dict[tuple[str, str], Kills], each: int) -> None:
    heading("Kills at random moments under load")
    rows = [
        (
            f"{transport}, {database}",
            str(each),
            *(str(getattr(of.comparison, name)) for name in COLUMNS),
            str(of.repeats),
        )
        for (transport, database), of in killed.items()
    ]
    table(("", "kills", *(name.replace("_", " ") for name in COLUMNS), "delivered again"), rows)
    moments = sum((of.moments for of in killed.values()), Counter[str]())
    heading("What the process was at when it was killed")
    table(("", "times"), [(moment, str(count)) for moment, count in moments.most_common()])
    faults = {place: of.comparison.faults for place, of in killed.items() if of.comparison.faults}
    assert not faults, faults


def _migrations(made: Urls, folder: Path, times: int, seed: int) -> None:
    heading("Migrations from the first schema, killed and run again")
    rows = []
    for database in ("SQLite", "PostgreSQL"):
        own = folder / f"migrating-{database}"
        own.mkdir()
        of = kill_migrations(made.fresh(database, own), own, times=times, dice=random.Random(seed))  # noqa: S311
        rows.append((database, *map(str, (of.kills, of.before_the_end, of.half_migrated, of.rows_lost))))
    table(("", "kills", "before it was done", "half migrated", "rows lost"), rows)
