"""What a database is asked: for tests that look at the statements themselves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, event

from storage.database import Database
from storage.dialects import _Driven


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The text of every statement that is executed within the block, in order, with its parameters' places.

    Those of `Prepared` are among them: on SQLite they go past SQLAlchemy, which tells of the others.
    """
    said: list[str] = []
    execute = _Driven.first

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    def first(driven: _Driven, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        said.append(driven.text)
        return execute(driven, connection, parameters)

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        with patch.object(_Driven, "first", first):
            yield said
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)
