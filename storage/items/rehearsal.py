"""A rehearsal: what the bot would write, written to temporary tables, which hide the real ones, and then rolled back.

The real tables are read in one snapshot and never written or locked: the database refuses both. So `scribe run` works
on as ever, and nothing of a rehearsal is left.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Column, Connection, Index, MetaData, String, Table, UniqueConstraint, func, insert, select, text

from storage.database import Database
from storage.models import (
    UNSENT,
    action_item_revisions,
    action_items,
    agendas,
    digest_items,
    digests,
    handovers,
    incidents,
    members,
    outbox,
    reminders,
    weekly_summaries,
)

_WRITTEN = (
    action_item_revisions, action_items, agendas, digest_items, digests, handovers, incidents, members, outbox,
    reminders, weekly_summaries,
)  # fmt: skip
"""The tables that a tick writes or locks."""
_ONLY = {outbox: UNSENT}
"""The rows that are needed, where not all are."""
_WRITES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})


class Rehearsal:
    """In place of a Database: all reads and writes are in one transaction, which is rolled back in the end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """The connection."""
        yield self._connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The connection; what the block writes is undone if it raises."""
        with self._connection.begin_nested():
            yield self._connection

    def next_due_at(self) -> datetime | None:
        """When something of an agenda, of the hand-overs or of the outbox is due first; None for never."""
        waiting = (
            select(func.min(agendas.c.due_at)),
            select(func.min(handovers.c.due_at)),
            select(func.min(outbox.c.due_at)).where(text(f"outbox.{UNSENT}")),
        )
        found = (self._connection.execute(each).scalar() for each in waiting)
        return min((each for each in found if each), default=None)


@contextmanager
def rehearsal(database: Database) -> Iterator[Rehearsal]:
    """A rehearsal on what the database holds now."""
    protected = _protected_file if database.is_sqlite else _protected_server
    with database.read() as connection:
        source = "main"
        if not database.is_sqlite:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            source = connection.execute(select(func.current_schema(type_=String))).scalar_one()
        try:
            for table in _WRITTEN:
                _hide(connection, table, source)
            with protected(connection):
                yield Rehearsal(connection)
        finally:
            connection.rollback()


def _hide(connection: Connection, table: Table, source: str) -> None:
    """Put a temporary copy of the table, with its indexes and without its foreign keys, before the real one."""
    columns = [
        Column(each.name, each.type, nullable=each.nullable, primary_key=each.primary_key) for each in table.columns
    ]
    copy = Table(table.name, MetaData(), *columns, prefixes=["TEMPORARY"])
    copy.create(connection)
    real = Table(table.name, MetaData(), *(Column(each.name, each.type) for each in table.columns), schema=source)
    rows = select(real).where(text(_ONLY.get(table, "true")))
    connection.execute(insert(copy).from_select([each.name for each in table.columns], rows, include_defaults=False))
    for index in _indexes(table, copy):
        index.create(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ANALYZE {table.name}"))
        if "id" in copy.columns:
            sequence = func.pg_get_serial_sequence(f"pg_temp.{table.name}", "id")
            last = func.coalesce(select(func.max(copy.c.id)).scalar_subquery(), 0)
            connection.execute(select(func.setval(sequence, last + 1)))


def _indexes(table: Table, copy: Table) -> Iterator[Index]:
    """The table's indexes for its copy; they make unique what the table's constraints do."""
    for key in table.constraints:
        if isinstance(key, UniqueConstraint):
            yield Index(f"rehearsed_{key.name}", *(copy.c[each.name] for each in key.columns), unique=True)
    for index in table.indexes:
        wheres = {f"{name}_where": index.dialect_options[name]["where"] for name in ("sqlite", "postgresql")}
        yield Index(index.name, *(copy.c[each.name] for each in index.columns), unique=index.unique, **wheres)


@contextmanager
def _protected_file(connection: Connection) -> Iterator[None]:
    """Refuse to write to the tables of the file itself."""

    def authorize(
        action: int, _table: str | None, _column: str | None, schema: str | None, _trigger: str | None
    ) -> int:
        return sqlite3.SQLITE_DENY if action in _WRITES and schema == "main" else sqlite3.SQLITE_OK

    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - for the type
    driver.set_authorizer(authorize)
    try:
        yield
    finally:
        driver.set_authorizer(None)


@contextmanager
def _protected_server(connection: Connection) -> Iterator[None]:
    """Refuse to write to tables that are not temporary, and to lock their rows."""
    connection.execute(text("SET TRANSACTION READ ONLY"))
    yield
