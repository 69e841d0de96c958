"""Kills a migration from the first schema at random moments, and runs it again."""

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import MetaData, Table, inspect, text

from bot.clock import now
from storage import schema
from storage.database import Database
from tests.reliability.process import MIGRATE, scribe_process
from tests.support.workplace import HTTP

OLDEST = "0001"
ENTRIES = 2_000


@dataclass(slots=True, kw_only=True)
class MigrationKills:
    """The number of kills, how many came before the migration had finished, and the faults found afterwards."""

    kills: int = 0
    before_the_end: int = 0
    half_migrated: int = 0
    rows_lost: int = 0


def kill_migrations(url: str, folder: Path, *, times: int, dice: random.Random) -> MigrationKills:
    """`times` times: create the schema OLDEST with rows, kill `scribe migrate`, check, run it to its end, check."""
    result, database = MigrationKills(), Database(url)
    try:
        with scribe_process(HTTP, url, folder) as target:

            def run(then: Callable[[], object]) -> None:
                target.spawn(MIGRATE)
                then()
                target.end(signal.SIGKILL)

            rows = _old(database)
            shapes: dict[str | None, dict[str, list[str]]] = {OLDEST: _shape(database)}
            began_s = time.monotonic()
            run(lambda: target.process and target.process.wait(60))
            whole_s = time.monotonic() - began_s
            shapes[schema.newest()] = _shape(database)
            for _ in range(times):
                _old(database)
                # The first half of the time is the start of Python.
                run(lambda: time.sleep(dice.uniform(whole_s / 2, whole_s)))
                result.kills += 1
                result.before_the_end += schema.current(database) != schema.newest()
                result.half_migrated += shapes.get(schema.current(database)) != _shape(database)
                run(lambda: target.process and target.process.wait(60))
                result.half_migrated += schema.current(database) != schema.newest()
                result.rows_lost += rows - _rows(database)
            return result
    finally:
        database.close()


def _old(database: Database) -> int:
    """Create the schema of the first release with one incident; return the number of rows."""
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    if database.is_sqlite:
        _drop_all(database)
    with database.write() as connection:
        command.upgrade(schema._config(connection), OLDEST)
        tables = MetaData()
        tables.reflect(connection)
        connection.execute(tables.tables["workspaces"].insert(), {"id": "T1", "last_incident_number": 1})
        connection.execute(tables.tables["incidents"].insert(), _filled(tables.tables["incidents"], id=1))
        entries = tables.tables["timeline_entries"]
        connection.execute(entries.insert(), [_filled(entries, id=n, number=n) for n in range(1, ENTRIES + 1)])
    return _rows(database)


def _drop_all(database: Database) -> None:
    with database.write() as connection:
        tables = MetaData()
        tables.reflect(connection)
        tables.drop_all(connection)


def _filled(table: Table, **known: object) -> dict[str, object]:
    """A row with a sample value in every column that is not nullable."""
    samples: dict[type, Any] = {int: 1, str: "x", bool: False}
    row: dict[str, object] = {"workspace_id": "T1", "incident_id": 1, **known}
    for column in table.columns:
        if not column.nullable and column.name not in row and column.server_default is None:
            kind = column.type.python_type
            row[column.name] = samples[kind] if kind in samples else now()
    return {name: value for name, value in row.items() if name in table.columns}


def _rows(database: Database) -> int:
    with database.read() as connection:
        tables = ("workspaces", "incidents", "timeline_entries")
        return sum(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables)  # noqa: S608


def _shape(database: Database) -> dict[str, list[str]]:
    """The columns of every table."""
    with database.read() as connection:
        found = inspect(connection)
        return {table: [each["name"] for each in found.get_columns(table)] for table in sorted(found.get_table_names())}
