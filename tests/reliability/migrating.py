"""A migration of a database of old, killed at random moments, and run again."""

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
from tests.reliability.victim import MIGRATE, victim
from tests.support.workplace import HTTP

OLDEST = "0001"
ENTRIES = 2_000


@dataclass(slots=True, kw_only=True)
class Migrated:
    """How many migrations were killed, how many of those before they were done, and what was wrong afterwards."""

    kills: int = 0
    before_the_end: int = 0
    half_migrated: int = 0
    rows_lost: int = 0


def kill_migrations(url: str, folder: Path, *, times: int, dice: random.Random) -> Migrated:
    """Bring the database to OLDEST with rows in it, kill `scribe migrate`, look, let it end, look; `times` times."""
    told, database = Migrated(), Database(url)
    try:
        with victim(HTTP, url, folder) as target:

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
                # The first half is Python coming up.
                run(lambda: time.sleep(dice.uniform(whole_s / 2, whole_s)))
                told.kills += 1
                told.before_the_end += schema.current(database) != schema.newest()
                told.half_migrated += shapes.get(schema.current(database)) != _shape(database)
                run(lambda: target.process and target.process.wait(60))
                told.half_migrated += schema.current(database) != schema.newest()
                told.rows_lost += rows - _rows(database)
            return told
    finally:
        database.close()


def _old(database: Database) -> int:
    """Make the database what the first release made of it, with an incident in it; how many rows that are."""
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
    """A row with something in every column that must have something."""
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
