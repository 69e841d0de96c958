"""The schema's revision: query it, compare it with that of this code, and migrate to the newest."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Select, false, func, inspect, literal_column, select, text
from sqlalchemy.exc import DBAPIError

from storage import availability
from storage.availability import is_damaged
from storage.database import DamagedFileError, Database
from storage.models import metadata
from storage.search import index as search_index

if TYPE_CHECKING:
    from alembic.config import Config


class UnusableSchemaError(Exception):
    """What is in the database cannot be used by this code as it is: an operator has to do something."""


class OutdatedSchemaError(UnusableSchemaError):
    """The database's schema is older than that of this code, or it lacks a table; `scribe migrate` updates it."""


class MissingRightsError(UnusableSchemaError):
    """The user of the database may not read or write what it has to; the message names it."""


class UnknownSchemaError(UnusableSchemaError):
    """The database's schema is unknown to this code: a newer release of Scribe migrated it."""


class LostDatabaseError(Exception):
    """There was a database, and an empty one would be made in its place; the message is the file's path."""


_ADVISORY_LOCK = 7302155
"""The key of the PostgreSQL advisory lock that serialises migrations; an arbitrary number."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION_TABLE = "alembic_version"
_VERSION: Select[str] = select(literal_column("version_num")).select_from(text(_VERSION_TABLE))
"""Where Alembic keeps the revision."""


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - with Mako and Pygments, a tenth of a start that migrates nothing

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@cache
def _revisions() -> tuple[str, ...]:
    """The revisions in the migrations of this code, oldest first: each file's name begins with its own."""
    return tuple(sorted(file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*_*.py")))


def newest() -> str:
    """The newest revision in the migrations of this code."""
    return _revisions()[-1]


def current(database: Database) -> str | None:
    """The revision of the database; None when it is empty."""
    with database.read() as connection:
        if not inspect(connection).has_table(_VERSION_TABLE):
            return None
        row = connection.execute(_VERSION).first()
        return None if row is None else row[0]


def ensure(database: Database) -> None:
    """Migrate an SQLite file to the newest schema; a server's database must have it already.

    Raises UnknownSchemaError; LostDatabaseError and DamagedFileError for an SQLite file; and OutdatedSchemaError for a
    server's database: its other replicas may still run an older release, so an operator decides when to migrate.
    """
    found = _checked(database)
    if found == newest():
        _mark(database)
        return
    if not database.is_sqlite:
        raise OutdatedSchemaError
    migrate(database)


_ALL_COLUMNS = [select(*table.c).where(false()) for table in metadata.sorted_tables]
"""For each table a query for no row of it, which fails where a column is missing."""
_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def check_usable(database: Database) -> None:
    """Check that all tables and columns of this code are there, and may be read and written.

    After a failover, or a restore under the running bot, the database may be empty, older, or without its rights.
    Raises OutdatedSchemaError and MissingRightsError.
    """
    try:
        with database.read() as connection:
            for columns in _ALL_COLUMNS:
                connection.execute(columns)
            if not database.is_sqlite:
                _check_rights(connection)
    except DBAPIError as error:
        met = availability.condition(error)
        if met == availability.SCHEMA:
            raise OutdatedSchemaError(_first_line(error)) from None
        if met == availability.RIGHTS:
            raise MissingRightsError(_first_line(error)) from None
        raise


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).partition("\n")[0]


def _check_rights(connection: Connection) -> None:
    wanted = {
        f"{right} on {table.name}": func.has_table_privilege(table.name, right)
        for table in metadata.sorted_tables
        for right in _RIGHTS
    }
    # A column that the server counts by itself needs the right to do so; without a sequence of its own this is NULL.
    wanted |= {
        f"USAGE on the sequence of {table.name}": func.has_sequence_privilege(
            func.pg_get_serial_sequence(table.name, table.autoincrement_column.name), "USAGE"
        )
        for table in metadata.sorted_tables
        if table.autoincrement_column is not None
    }
    held = connection.execute(select(*wanted.values())).one()
    missing = [name for name, is_held in zip(wanted, held, strict=True) if is_held is False]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise MissingRightsError(f"missing: {missing[0]}{more}")


def is_known(revision: str | None) -> bool:
    """Whether this code has a migration from the revision to the newest; None, an empty database, counts as known."""
    return revision is None or revision in _revisions()


def _checked(database: Database) -> str | None:
    """The revision, if a migration may begin from it."""
    file = database.file
    if file is not None and file.is_missing():
        raise LostDatabaseError(str(file.path))
    # Looked at before the revision: another thread may be migrating just now.
    was_there = file is not None and file.marker.exists()
    try:
        found = current(database)
        is_empty = found is None and was_there and _is_none_of_ours(database)
    except DBAPIError as error:
        if file is None or not is_damaged(error):
            raise
        raise DamagedFileError(file.path, error.orig) from None
    if file is not None and is_empty:
        raise LostDatabaseError(str(file.path))
    if not is_known(found):
        raise UnknownSchemaError
    return found


def _is_none_of_ours(database: Database) -> bool:
    with database.read() as connection:
        return not inspect(connection).has_table(_VERSION_TABLE)


def _mark(database: Database) -> None:
    if database.file is not None:
        database.file.mark()


def migrate(database: Database) -> str | None:
    """Migrate to the newest schema in one transaction; does nothing when it is current. Returns the revision before.

    The words of what was told before are indexed afterwards, in portions; where that is interrupted, the bot goes on.

    Raises UnknownSchemaError, and LostDatabaseError and DamagedFileError for an SQLite file.
    """
    from alembic import command  # noqa: PLC0415 - as in _config

    before = _checked(database)
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        command.upgrade(_config(connection), "head")
        search_index.note_missed(connection)
    _mark(database)
    while search_index.catch_up(database):
        pass
    return before
