"""The schema's revision: query it, compare it with that of this code, and migrate to the newest."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from storage.database import Database


class OutdatedSchemaError(Exception):
    """The database's schema is older than that of this code; `scribe migrate` updates it."""


class UnknownSchemaError(Exception):
    """The database's schema is unknown to this code: a newer release of Scribe migrated it."""


_ADVISORY_LOCK = 7302155
"""The key of the PostgreSQL advisory lock that serialises migrations; an arbitrary number."""
_MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def newest() -> str | None:
    """The newest revision in the migrations of this code."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(database: Database) -> str | None:
    """The revision of the database; None when it is empty."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def ensure(database: Database) -> None:
    """Migrate an SQLite file to the newest schema; a server's database must have it already.

    Raises UnknownSchemaError, and OutdatedSchemaError for a server's database: its other replicas may still run an
    older release, so an operator decides when to migrate.
    """
    found = current(database)
    _check_known(found)
    if found == newest():
        return
    if not database.is_sqlite:
        raise OutdatedSchemaError
    migrate(database)


def is_known(revision: str | None) -> bool:
    """Whether this code has a migration from the revision to the newest; None, an empty database, counts as known."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return revision is None or revision in known


def _check_known(revision: str | None) -> None:
    if not is_known(revision):
        raise UnknownSchemaError


def migrate(database: Database) -> None:
    """Migrate to the newest schema in one transaction; does nothing when it is current. Raises UnknownSchemaError."""
    _check_known(current(database))
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        command.upgrade(_config(connection), "head")
