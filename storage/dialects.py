"""Where SQLite and PostgreSQL say the same thing in their own words."""

from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.dialects import postgresql, sqlite

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(connection: Connection) -> Any:
    """The dialect's `insert`, the one that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return _INSERTS[connection.dialect.name]


def row_id(inserted: CursorResult[Any]) -> int:
    """The id the database gave the one row that was inserted."""
    key = inserted.inserted_primary_key
    assert key is not None  # noqa: S101 - every table of ours has a primary key
    return int(key[0])
