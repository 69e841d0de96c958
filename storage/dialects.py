"""Statements that SQLAlchemy spells differently for SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.dialects import postgresql, sqlite

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(connection: Connection) -> Any:
    """The `insert` of the connection's dialect, which has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return _INSERTS[connection.dialect.name]


def row_id(inserted: CursorResult[Any]) -> int:
    """The generated id of the row of a single-row insert."""
    key = inserted.inserted_primary_key
    assert key is not None  # noqa: S101 - the callers' tables have a generated key
    return int(key[0])
