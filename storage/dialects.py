"""Statements and types that differ between SQLite and PostgreSQL."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Integer,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(connection: Connection) -> Any:
    """The `insert` of the connection's dialect, which has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return _INSERTS[connection.dialect.name]


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
