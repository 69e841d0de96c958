"""The schema's version: bring a database to the newest, or say whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from storage.database import Database


class OutdatedSchemaError(Exception):
    """The database's schema is older than this code wants; `scribe migrate` brings it there."""


class UnknownSchemaError(Exception):
    """The database's schema is none this code knows: a newer Scribe has been there."""


_TURN = 7302155
"""The number under which migrations of one PostgreSQL database wait for each other; any other would do."""
_MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def newest() -> str | None:
    """The revision this code wants."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(database: Database) -> str | None:
    """The revision the database is at; None when it is empty."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def ensure(database: Database) -> None:
    """Make sure the schema is the newest: an SQLite file is brought there, a server's must be already.

    Raises OutdatedSchemaError, since on a server other replicas may still run the code of before, and
    UnknownSchemaError.
    """
    found = current(database)
    _check_known(found)
    if found == newest():
        return
    if not database.is_sqlite:
        raise OutdatedSchemaError
    migrate(database)


def is_known(revision: str | None) -> bool:
    """Whether this code knows the revision and so can bring it to the newest; an empty database's is."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return revision is None or revision in known


def _check_known(revision: str | None) -> None:
    if not is_known(revision):
        raise UnknownSchemaError


def migrate(database: Database) -> None:
    """Bring the database to the newest schema, in one transaction; does nothing when it is there.

    Raises UnknownSchemaError.
    """
    _check_known(current(database))
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_TURN)))
        command.upgrade(_config(connection), "head")
