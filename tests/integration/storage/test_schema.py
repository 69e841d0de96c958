import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.schema import CreateSchema

from storage import schema
from storage.database import Database
from storage.models import metadata
from tests.support.paths import ROOT
from tests.support.together import together

RACER = """
import sys
from storage import schema
from storage.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
schema.migrate(database)
print(schema.current(database))
"""


@pytest.fixture
def empty(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it; on the server, a schema of its own."""
    if database.is_sqlite:
        chosen = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    else:
        name = f"empty_{abs(hash(request.node.name))}"
        with database.engine.begin() as connection:
            connection.execute(CreateSchema(name))
        chosen = Database(
            database.url.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)
        )
    yield chosen
    chosen.close()
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))


def shape(database: Database) -> set[tuple[str, ...]]:
    """Every table, constraint and index as the database itself writes it down."""
    with database.read() as connection:
        return {tuple(row) for row in connection.execute(text(SHAPES[connection.dialect.name]))}


SHAPES = {
    "sqlite": """
        SELECT 'column', m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
        FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name <> 'alembic_version'
        UNION ALL SELECT 'foreign key', m.name, f."from", f."table", f."to", f.on_delete, ''
        FROM sqlite_master m, pragma_foreign_key_list(m.name) f
        UNION ALL SELECT 'index', tbl_name, name, sql, '', '', '' FROM sqlite_master
        WHERE type = 'index' AND tbl_name <> 'alembic_version'
    """,
    "postgresql": """
        SELECT 'column', table_name::text, column_name::text, udt_name::text, is_nullable::text,
            coalesce(character_maximum_length::text, ''), coalesce(column_default, '')
        FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name <> 'alembic_version'
        UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', ''
        FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace AND conrelid <> to_regclass('alembic_version')
        UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '', ''
        FROM pg_indexes WHERE schemaname = current_schema() AND tablename <> 'alembic_version'
    """,
}


def difference(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found: list[Any] = compare_metadata(context, metadata)
    return found


def test_an_empty_database_upgraded_has_the_tables_of_the_models(empty: Database) -> None:
    schema.migrate(empty)
    with empty.read() as connection:
        assert difference(connection) == []


def test_migrations_and_models_make_the_same_columns_constraints_and_indexes(empty: Database) -> None:
    schema.migrate(empty)
    migrated = shape(empty)
    with empty.write() as connection:
        command.downgrade(schema._config(connection), "base")
        metadata.create_all(connection)
    assert len(migrated) > 80
    assert shape(empty) == migrated


def test_the_schema_goes_down_to_nothing_and_up_again(empty: Database) -> None:
    schema.migrate(empty)
    before = shape(empty)
    with empty.write() as connection:
        command.downgrade(schema._config(connection), "base")
    assert shape(empty) == set()
    assert schema.current(empty) is None
    schema.migrate(empty)
    assert shape(empty) == before
    assert schema.current(empty) == schema.newest()


def test_migrating_twice_does_nothing(empty: Database) -> None:
    schema.migrate(empty)
    before = shape(empty)
    schema.migrate(empty)
    assert shape(empty) == before


def test_a_migration_that_fails_leaves_nothing_behind(empty: Database) -> None:
    with empty.write() as connection:
        connection.execute(text("CREATE TABLE receipts (mine INTEGER)"))
    before = shape(empty)
    with pytest.raises(Exception, match="receipts"):
        schema.migrate(empty)
    assert shape(empty) == before
    assert schema.current(empty) is None


def test_an_sqlite_file_is_brought_to_the_newest_schema_when_it_is_opened(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    schema.ensure(database)
    assert schema.current(database) == schema.newest()
    schema.ensure(database)
    database.close()


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_server_is_not_migrated_behind_its_operators_back(empty: Database) -> None:
    with pytest.raises(schema.OutdatedSchemaError):
        schema.ensure(empty)
    assert shape(empty) == set()
    schema.migrate(empty)
    schema.ensure(empty)


def test_a_newer_scribes_schema_is_left_alone(empty: Database) -> None:
    schema.migrate(empty)
    with empty.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for step in (schema.ensure, schema.migrate):
        with pytest.raises(schema.UnknownSchemaError):
            step(empty)


def test_threads_that_migrate_one_database_at_once_all_succeed(empty: Database) -> None:
    together(lambda _: schema.migrate(empty), threads=4)
    assert schema.current(empty) == schema.newest()


def test_processes_that_migrate_one_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'raced.db'}"
    racers = [
        subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-c", RACER, url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert [(racer.communicate(timeout=120)[0].strip(), racer.returncode) for racer in racers] == [
        (schema.newest(), 0)
    ] * 3
