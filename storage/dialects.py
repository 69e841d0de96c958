"""Statements and types that differ between SQLite and PostgreSQL; statements that are compiled once for each."""

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Insert,
    Integer,
    Select,
    Update,
    exc,
    func,
    literal_column,
    select,
)
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator


def upsert(connection: Connection) -> Any:
    """The `insert` of the connection's dialect, which has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    # Its module is there already: to import the other one would take 4 MB, and a twentieth of the start.
    return import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert


def row_id(inserted: CursorResult[Any]) -> int:
    """The generated id of the row of a single-row insert."""
    key = inserted.inserted_primary_key
    assert key is not None  # noqa: S101 - the callers' tables have a generated key
    return int(key[0])


def rowid(table: str) -> ColumnElement[int]:
    """SQLite's own id of a row of the table, by which one is found whose key cannot be read."""
    return literal_column(f"{table}.rowid", Integer)


def without_text(
    connection: Connection,
    columns: tuple[Column[Any], ...],
    where: ColumnElement[bool],
    parameters: Mapping[str, Any],
) -> dict[int, tuple[str, ...]]:
    """The rows, by SQLite's id, where one of the table's columns holds no text, with what they hold as far as it is.

    Empty on PostgreSQL, which lets nothing else into such a column.
    """
    if connection.dialect.name != "sqlite":
        return {}
    held = [part for column in columns for part in (func.typeof(column), func.hex(column))]
    found: dict[int, tuple[str, ...]] = {}
    for row, *parts in connection.execute(select(rowid(columns[0].table.name), *held).where(where), parameters):
        values = [bytes.fromhex(each) for each in parts[1::2]]
        shown = tuple(value.decode(errors="backslashreplace") for value in values)
        is_text = all(kind == "text" for kind in parts[::2])
        if not is_text or [each.encode() for each in shown] != values:
            found[row] = shown
    return found


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant. SQLite stores no zone: it is removed on writing and added on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC. Raises ValueError for a naive datetime: its zone is unknown."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: instants are aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Convert to UTC: PostgreSQL returns instants in the zone of the session."""
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


Row = TypeVar("Row", bound=tuple[Any, ...])
_Process = Callable[[Any], Any]
"""What a type does to each value on its way to the driver, or back."""


class Prepared(Generic[Row]):
    """A statement of the hot path. On SQLite it is compiled once, and executed by the driver itself.

    SQLAlchemy takes ten times as long to execute a small statement as SQLite does. What it does to values, their types
    do here too, both ways. The text must not depend on the values, as that of an IN does, and an INSERT must name its
    columns. On a server, where the way there and back takes longest, SQLAlchemy executes it. `Row` is the type of the
    rows that come back.
    """

    def __init__(self, statement: Select[Any] | Insert | Update) -> None:
        self._statement = statement
        self._driven: _Driven | None = None

    def first(self, connection: Connection, parameters: Mapping[str, Any]) -> Row | None:
        """Execute; the first row, or None where there is none. Raises DBAPIError, as `Connection.execute` does."""
        row: Any
        if connection.dialect.name == "sqlite":
            if self._driven is None:
                self._driven = _Driven(self._statement, connection.dialect)
            row = self._driven.first(connection, parameters)
        else:
            result = connection.execute(self._statement, parameters)
            row = result.first() if result.returns_rows else None
        found: Row | None = row
        return found

    def one(self, connection: Connection, parameters: Mapping[str, Any]) -> Row:
        """The same of a statement that always returns a row. Raises NoResultFound where it does not."""
        row = self.first(connection, parameters)
        if row is None:
            raise exc.NoResultFound("there is no row where there must be one")
        return row


class _Driven:
    """A statement's text in SQLite's dialect, and what its types do to parameters and rows."""

    def __init__(self, statement: Select[Any] | Insert | Update, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - no other compiles these
        assert compiled.positiontup is not None  # noqa: S101 - so SQLite's does
        self.text = str(compiled)
        self._defaults = {name: value for name, value in compiled.params.items() if not compiled.binds[name].required}
        self._parameters: list[tuple[str, _Process | None]] = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup
        ]
        types = [column.type.dialect_impl(dialect) for column in statement.exported_columns]
        processes = [each.result_processor(dialect, None) for each in types]
        self._results = [(place, process) for place, process in enumerate(processes) if process is not None]

    def first(self, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        """The first row, as the columns' types make it."""
        given = {**self._defaults, **parameters}
        values = [given[name] if process is None else process(given[name]) for name, process in self._parameters]
        driver: Any = connection.connection.driver_connection
        try:
            row = driver.execute(self.text, values).fetchone()
        except sqlite3.Error as error:
            # As SQLAlchemy raises it; without the values, which people typed.
            kind: type[exc.DBAPIError] = getattr(exc, type(error).__name__, exc.DBAPIError)
            raise kind(self.text, None, error) from error
        if row is None or not self._results:
            return row
        found = list(row)
        for place, process in self._results:
            found[place] = process(found[place])
        return tuple(found)
