import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.schema import CreateSchema

from storage import incidents, schema, timeline
from storage.database import Database
from storage.models import metadata
from tests.integration.storage.rows import declare, later, say
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


def _is_of_models(_found: object, name: str | None, kind: str, *_rest: object) -> bool:
    """Leaves out what Alembic cannot compare: FTS5 makes tables of its own, and an index is of PostgreSQL alone."""
    return not (kind == "table" and str(name).startswith("search_grams")) and name != "ix_search_documents_grams"


def difference(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": True, "include_object": _is_of_models}
    context = MigrationContext.configure(connection, opts=options)
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


def test_the_files_are_named_as_their_revisions_which_alembic_reads_in_the_same_order() -> None:
    scripts = list(ScriptDirectory.from_config(schema._config()).walk_revisions())
    assert [script.revision for script in reversed(scripts)] == list(schema._revisions())
    assert schema.newest() == scripts[0].revision


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


def test_the_people_of_old_rows_are_kept_by_id_where_an_entry_tells_it(empty: Database) -> None:
    incident = (
        "INSERT INTO incidents (id, workspace_id, number, channel_id, channel_name, title, declared_at, declared_by,"
        " timezone, private, open, last_entry_number, last_item_number)"
        " VALUES (:id, 'T1', :id, 'C1', 'x', 'disk full', '2026-03-12', :by, 'UTC', false, true, 0, 0)"
    )
    entry = (
        "INSERT INTO timeline_entries (incident_id, number, kind, occurred_at, recorded_at, author, author_id,"
        " recorded_by_id, text, source)"
        " VALUES (:incident, :number, 'note', '2026-03-12', '2026-03-12', :author, :id, :id, 'x', 'slash')"
    )
    with empty.write() as connection:
        command.upgrade(schema._config(connection), "0006")
        connection.execute(text("INSERT INTO workspaces VALUES ('T1', 3)"))
        for number, by in enumerate(("alice", "sam", "eve"), start=1):
            connection.execute(text(incident), {"id": number, "by": by})
        told = ((1, "alice", "U1"), (1, "bob", "U2"), (2, "sam", "U3"), (2, "sam", "U4"))
        for number, (of, author, user_id) in enumerate(told, start=1):
            row = {"incident": of, "number": number, "author": author, "id": user_id}
            connection.execute(text(entry), row)
    schema.migrate(empty)
    with empty.read() as connection:
        rows = connection.execute(text("SELECT declared_by, declared_by_id FROM incidents ORDER BY id"))
        assert [tuple(row) for row in rows] == [("alice", "U1"), ("sam", None), ("eve", None)]
        assert connection.execute(text("SELECT count(*) FROM timeline_entries")).scalar_one() == len(told)


CHANGED = (
    (1, "severity", "SEV3", "05"), (1, "severity", "SEV3", "06"), (1, "severity", "SEV1", "07"),
    (1, "lead", "bob", "08"), (1, "lead_id", "U2", "08"), (1, "title", "db1 is full", "09"),
    (1, "title", "carts are empty", "10"), (1, "private", "True", "11"), (2, "closed_as", "cancelled", "05"),
)  # fmt: skip
"""(incident, field, value, minute) of the changes before they were entries; at 9 the words of entry 1 were changed."""


def test_changes_of_before_become_entries_and_old_incidents_get_a_date(empty: Database) -> None:
    incident = (
        "INSERT INTO incidents (id, workspace_id, number, channel_id, channel_name, title, severity, declared_at,"
        " declared_by, timezone, private, open, last_entry_number, last_item_number, erasures)"
        " VALUES (:id, 'T1', :id, 'C1', 'x', 'carts are empty', 'SEV1', '2026-03-12 12:00:00.000000', 'alice',"
        " 'UTC', false, true, 2, 0, 0)"
    )
    entry = (
        "INSERT INTO timeline_entries (incident_id, number, kind, occurred_at, recorded_at, author, author_id,"
        " recorded_by_id, text, source)"
        " VALUES (:incident, :number, :kind, :at, :at, 'alice', 'U1', 'U1', 'x', 'slash')"
    )
    revision = (
        "INSERT INTO entry_revisions (entry_id, number, occurred_at, text, retracted, revised_at, revised_by_id)"
        " VALUES ((SELECT id FROM timeline_entries WHERE incident_id = :of AND number = 1), 1, :at, 'x', :retracted,"
        " '2026-03-12 12:09:00.000000', 'U1')"
    )
    change = (
        "INSERT INTO incident_changes (incident_id, field, value, changed_at, changed_by)"
        " VALUES (:incident, :field, :value, :at, 'U1')"
    )
    told = (
        (1, 1, "detected", "2026-01-15 10:00:00.000000"), (1, 2, "impact", "2026-03-12 11:00:00.000000"),
        (2, 1, "started", "2026-02-01 10:00:00.000000"), (2, 2, "detected", "2026-02-03 10:00:00.000000"),
        (3, 1, "resolved", "2026-02-01 10:00:00.000000"), (3, 2, "impact", "2026-02-03 10:00:00.000000"),
    )  # fmt: skip
    with empty.write() as connection:
        command.upgrade(schema._config(connection), "0012")
        connection.execute(text("INSERT INTO workspaces VALUES ('T1', 4)"))
        for number in (1, 2, 3, 4):
            connection.execute(text(incident), {"id": number})
        for of, place, kind, at in told:
            connection.execute(text(entry), {"incident": of, "number": place, "kind": kind, "at": at})
        for of, at, retracted in (
            (1, "2026-01-16 10:00:00.000000", False),
            (2, "2026-02-01 10:00:00.000000", True),
        ):
            connection.execute(text(revision), {"of": of, "at": at, "retracted": retracted})
        for of, field, value, minute in CHANGED:
            at = f"2026-03-12 12:{minute}:00.000000"
            connection.execute(text(change), {"incident": of, "field": field, "value": value, "at": at})
    schema.migrate(empty)
    with empty.read() as connection:
        entries = timeline.of_incident(connection, 1)
        found = [incidents.by_id(connection, number) for number in (1, 2, 3, 4)]
    assert [(each.number, each.kind, each.text, f"{each.occurred_at:%M}") for each in entries[2:]] == [
        (3, "severity", "SEV3", "05"), (4, "severity", "SEV1", "07"), (5, "lead", "@bob", "08"),
        (6, "title", "carts are empty", "10"), (7, "private", "in its own channel only", "11"),
    ]  # fmt: skip
    assert entries[4].people == {"bob": "U2"}
    assert [f"{each.began_at:%m-%d %H}" for each in found] == ["01-16 10", "02-03 10", "02-01 10", "03-12 12"]
    assert [(each.first_severity, each.highest_severity) for each in found] == [(None, "SEV1"), *[("SEV1", "SEV1")] * 3]
    with empty.write() as connection:
        after = say(connection, found[0], "one more")
    assert after.number == 8


def test_no_migration_converts_a_row_in_python() -> None:
    """Each change is a statement of the database's, so no row that cannot be read stops the start."""
    for path in sorted((ROOT / "storage/migrations/versions").glob("0*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        stated = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
        for call in (each for each in ast.walk(tree) if isinstance(each, ast.Call)):
            name = getattr(call.func, "attr", "")
            # What a statement returns is not looked at.
            assert name != "execute" or id(call) in stated, f"{path.name}:{call.lineno}"
            assert name not in {"scalars", "mappings", "fetchall", "fetchone", "all", "bulk_insert"}, path.name


RUBBISH = ("'never'", "''", "x'00ff'", "0", "-1", "'2026-02-31 99:99'", "'{'")
"""What SQLite lets a column hold, whatever its type."""
NOON_SQL = "'2026-03-12 12:00:00.000000'"


def put(connection: Connection, table: str, row: dict[str, str]) -> None:
    values = ", ".join(row.values())
    connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})")  # noqa: S608 - from above


@pytest.mark.parametrize("column", ["occurred_at", "recorded_at", "text", "author", "kind"])
def test_rows_that_cannot_be_read_do_not_stop_the_start(tmp_path: Path, column: str) -> None:
    database = Database(f"sqlite:///{tmp_path}/scribe.db")
    with database.write() as connection:
        command.upgrade(schema._config(connection), "0005")
        connection.exec_driver_sql("INSERT INTO workspaces (id, last_incident_number) VALUES ('T1', 1)")
        incident = {
            "id": "1", "workspace_id": "'T1'", "number": "1", "channel_id": "'C1'", "channel_name": "'incident'",
            "title": "'disk full'", "declared_at": NOON_SQL, "declared_by": "'alice'", "timezone": "'UTC'",
            "private": "0", "open": "1", "last_entry_number": "9", "last_item_number": "0",
        }  # fmt: skip
        put(connection, "incidents", incident)
        for number, value in enumerate(RUBBISH, 1):
            row = {
                "incident_id": "1", "number": str(number), "kind": "'started'", "occurred_at": NOON_SQL,
                "recorded_at": NOON_SQL, "author": "'alice'", "author_id": "'U1'", "recorded_by_id": "'U1'",
                "text": "'words'", "source": "'slash'",
            }  # fmt: skip
            put(connection, "timeline_entries", row | {column: value})
    schema.migrate(database)
    assert schema.current(database) == schema.newest()
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM timeline_entries").scalar_one() == len(RUBBISH)
    database.close()


def test_entries_and_revisions_of_before_time_ranges_stand_as_exact_times(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    schema.migrate(database)
    with database.write() as connection:
        entry = say(connection, declare(connection), "x", until_at=later(3), approximate=True)
        timeline.revise(connection, entry, by="U2", at=later(4), text="y")
        command.downgrade(schema._config(connection), "0006")
        columns = [row[1] for row in connection.exec_driver_sql("PRAGMA table_info(timeline_entries)")]
        assert not {"approximate", "until_at"} & set(columns)
        command.upgrade(schema._config(connection), "head")
        found = timeline.numbered(connection, 1, 1)
    database.close()
    assert found is not None
    assert (found.text, found.approximate, found.until_at, found.revisions) == ("y", False, None, 1)
