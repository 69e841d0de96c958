"""How much a database reads to do something: a count, not a time, so it is the same on a machine that is busy."""

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import Connection, event

from storage.database import Database

STEPS = 10
"""SQLite tells every so many instructions of its virtual machine."""


def analyze(database: Database) -> None:
    """Let the database learn what its tables hold, as a server does by itself: plans change after it."""
    with database.write() as connection:
        connection.exec_driver_sql("ANALYZE")


def effort(database: Database, do: Callable[[Connection], object]) -> int:
    """What `do` takes, undone afterwards: SQLite's instructions, the blocks that PostgreSQL looks at."""
    with database.write() as connection:
        if database.is_sqlite:
            taken = _instructions(connection, do)
        else:
            taken = sum(_blocks(connection, *each) for each in _statements(connection, do))
        connection.rollback()
    return taken


def plans(database: Database, do: Callable[[Connection], object]) -> str:
    """The plans of the statements that `do` executes, undone afterwards, one below the other."""
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.write() as connection:
        found = [
            str(row[-1])
            for statement, parameters in _statements(connection, do)
            for row in connection.exec_driver_sql(explain + statement, parameters)
        ]
        connection.rollback()
    return "\n".join(found)


def _instructions(connection: Connection, do: Callable[[Connection], object]) -> int:
    driver = cast("Any", connection.connection.driver_connection)
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += STEPS

    driver.set_progress_handler(count, STEPS)
    try:
        do(connection)
    finally:
        driver.set_progress_handler(None, 0)
    return counted


def _statements(connection: Connection, do: Callable[[Connection], object]) -> list[tuple[str, Any]]:
    """The statements that `do` executes, without inserts; all is undone, so that they can be executed again."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            heard.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", hear)
    with connection.begin_nested() as savepoint:
        do(connection)
        savepoint.rollback()
    event.remove(connection, "before_cursor_execute", hear)
    return heard


def _blocks(connection: Connection, statement: str, parameters: Any) -> int:
    explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters)
    plan = explained.scalar_one()[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
