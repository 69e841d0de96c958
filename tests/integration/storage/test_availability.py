"""What ails a database, from real errors of real servers and files: kept, and no mistake of the person's."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from storage import availability, schema
from storage.availability import BUSY, CONDITIONS, Condition, UnreachedError, condition, is_away, within
from storage.database import Database

STATES = {
    "08P01": availability.UNREACHABLE,
    "08006": availability.UNREACHABLE,
    "28P01": availability.SIGN_IN,
    "3D000": availability.SIGN_IN,
    "25P03": availability.ENDED,
    "57014": availability.ENDED,
    "57P01": availability.ENDED,
    "57P03": availability.ENDED,
    "57P05": availability.ENDED,
    "25006": availability.READ_ONLY,
    "40001": availability.BUSY,
    "40P01": availability.BUSY,
    "55P03": availability.BUSY,
    "53100": availability.NO_ROOM,
    "53200": availability.EXHAUSTED,
    "53300": availability.EXHAUSTED,
    "58030": availability.DAMAGED,
    "XX000": availability.DAMAGED,
    "XX001": availability.DAMAGED,
    "42P01": availability.SCHEMA,
    "42703": availability.SCHEMA,
    "3F000": availability.SCHEMA,
    "42501": availability.RIGHTS,
    "0A000": availability.SESSION,
    "26000": availability.SESSION,
}
OURS = ("22001", "22P02", "23505", "23503", "42601", "42883", "22021", "54000", "25P02")
"""States of what is wrong with a statement or its values: a later attempt meets them again."""


def raised(state: str) -> DBAPIError:
    cause = errors.lookup(state)("not told")
    return OperationalError("SELECT 1", None, cause)


@pytest.mark.parametrize("state", STATES)
def test_a_state_of_the_server_has_its_condition(state: str) -> None:
    assert condition(raised(state)) is STATES[state]


@pytest.mark.parametrize("state", OURS)
def test_a_mistake_of_ours_is_no_condition_of_the_database(state: str) -> None:
    assert condition(raised(state)) is None


@pytest.mark.parametrize(
    ("code", "met"),
    [
        ("SQLITE_BUSY_SNAPSHOT", availability.BUSY),
        ("SQLITE_LOCKED", availability.BUSY),
        ("SQLITE_READONLY_DBMOVED", availability.READ_ONLY),
        ("SQLITE_IOERR_FSYNC", availability.DAMAGED),
        ("SQLITE_CORRUPT", availability.DAMAGED),
        ("SQLITE_NOTADB", availability.DAMAGED),
        ("SQLITE_FULL", availability.NO_ROOM),
        ("SQLITE_CANTOPEN", availability.UNREACHABLE),
        ("SQLITE_NOMEM", availability.EXHAUSTED),
        ("SQLITE_CONSTRAINT_UNIQUE", None),
        ("SQLITE_MISMATCH", None),
    ],
)
def test_a_code_of_sqlite_has_its_condition(code: str, met: Condition | None) -> None:
    cause = sqlite3.OperationalError("not told")
    cause.sqlite_errorcode = getattr(sqlite3, code)
    assert condition(OperationalError("SELECT 1", None, cause)) is met


def test_no_state_stands_in_two_conditions_and_none_is_hidden_by_its_class() -> None:
    states = [state for each in CONDITIONS for state in each.states]
    assert len(states) == len(set(states))
    for state in states:
        assert condition(raised(state.ljust(5, "0"))) is not None or len(state) == 2


@contextmanager
def failing() -> Iterator[list[DBAPIError]]:
    caught: list[DBAPIError] = []
    with pytest.raises(DBAPIError) as found:
        yield caught
    caught.append(found.value)


@pytest.fixture
def own(postgres: Database) -> Iterator[Database]:
    """Another connection pool over the same server."""
    database = Database(postgres.url.render_as_string(hide_password=False))
    yield database
    database.close()


def test_a_session_that_was_idle_in_its_transaction_is_away_and_the_next_attempt_succeeds(own: Database) -> None:
    with failing() as caught, own.write() as connection:
        connection.execute(text("SET idle_in_transaction_session_timeout = 50"))
        connection.execute(text("SELECT pg_sleep(0)"))
        driver = connection.connection.driver_connection
        assert driver is not None
        # Until the server's word is there: it ends the session while this waits for nothing else.
        for _ in driver.notifies(timeout=10):
            pass
        connection.execute(text("SELECT 1"))
    assert is_away(caught[0])
    own.probe_write()


@pytest.mark.parametrize(
    ("statements", "met"),
    [
        (("SELECT * FROM no_such_table",), availability.SCHEMA),
        (("SELECT no_such_column FROM workspaces",), availability.SCHEMA),
        (("SET TRANSACTION READ ONLY", "UPDATE workspaces SET id = id"), availability.READ_ONLY),
        (("SET statement_timeout = 10", "SELECT pg_sleep(5)"), availability.ENDED),
        (("SET ROLE pg_monitor", "UPDATE workspaces SET id = id"), availability.RIGHTS),
        (("SELECT pg_terminate_backend(pg_backend_pid())",), availability.ENDED),
        (("SELEC 1",), None),
        (("SELECT 1/0",), None),
    ],
)
def test_what_the_server_itself_raises_is_told_apart(
    own: Database, statements: tuple[str, ...], met: Condition | None
) -> None:
    with failing() as caught, own.write() as connection:
        for each in statements:
            connection.execute(text(each))
    found = condition(caught[0])
    assert found is met or {found, met} == {availability.ENDED, availability.UNREACHABLE}


def test_a_lock_that_somebody_else_holds_is_busy(own: Database, postgres: Database) -> None:
    with postgres.write() as holding:
        holding.execute(text("LOCK TABLE workspaces IN ACCESS EXCLUSIVE MODE"))
        with failing() as caught, own.write() as connection:
            connection.execute(text("SET lock_timeout = 20"))
            connection.execute(text("SELECT * FROM workspaces"))
    assert condition(caught[0]) is BUSY


def test_after_a_failover_to_a_standby_every_pooled_session_is_given_up(own: Database) -> None:
    """A demoted primary keeps its sessions; a new one is led to the server that was promoted."""
    with own.write() as connection:
        before = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    with failing() as caught, own.write() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text("UPDATE workspaces SET id = id"))
    assert caught[0].connection_invalidated
    with own.write() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar() != before


def test_a_probe_fails_on_a_server_that_takes_no_writes(postgres: Database) -> None:
    options = "-c default_transaction_read_only=on"
    standby = Database(postgres.url.update_query_dict({"options": options}).render_as_string(hide_password=False))
    with failing() as caught:
        standby.probe_write()
    assert condition(caught[0]) is availability.READ_ONLY
    standby.close()


def test_a_value_that_the_driver_refuses_is_no_outage(own: Database) -> None:
    with failing() as caught, own.write() as connection:
        connection.execute(text("SELECT :it"), {"it": "a\0b"})
    assert not is_away(caught[0])
    assert not is_away(IntegrityError("INSERT", None, psycopg.errors.UniqueViolation("x")))


def test_missing_tables_columns_and_rights_make_a_database_unusable(postgres: Database, own: Database) -> None:
    schema.check_usable(own)
    role = "scribe_without_rights"
    with postgres.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.execute(text(f"DROP ROLE IF EXISTS {role}"))
        admin.execute(text(f"CREATE ROLE {role}"))
        admin.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"))
    as_role = Database(
        postgres.url.update_query_dict({"options": f"-c role={role}"}).render_as_string(hide_password=False)
    )
    try:
        with pytest.raises(schema.MissingRightsError, match="sequence of"):
            schema.check_usable(as_role)
        with postgres.write() as admin_connection:
            admin_connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"))
        schema.check_usable(as_role)
        with postgres.write() as admin_connection:
            admin_connection.execute(text(f"REVOKE UPDATE ON timeline_entries FROM {role}"))
        with pytest.raises(schema.MissingRightsError, match="UPDATE on timeline_entries"):
            schema.check_usable(as_role)
        with postgres.write() as admin_connection:
            admin_connection.execute(text(f"REVOKE ALL ON members FROM {role}"))
        with pytest.raises(schema.MissingRightsError):
            schema.check_usable(as_role)
    finally:
        as_role.close()
        with postgres.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
            admin.execute(text(f"DROP OWNED BY {role}"))
            admin.execute(text(f"DROP ROLE {role}"))


def test_an_empty_or_older_database_is_unusable(sqlite: Database) -> None:
    schema.check_usable(sqlite)
    with sqlite.write() as connection:
        connection.execute(text("ALTER TABLE members DROP COLUMN role"))
    with pytest.raises(schema.OutdatedSchemaError, match="role"):
        schema.check_usable(sqlite)
    with sqlite.write() as connection:
        connection.execute(text("DROP TABLE members"))
    with pytest.raises(schema.OutdatedSchemaError, match="members"):
        schema.check_usable(sqlite)


def test_after_a_wait_in_vain_a_request_does_not_wait_again_and_an_answer_ends_that(own: Database) -> None:
    with pytest.raises(DBAPIError), within(0.3, at_once=True), own.read() as connection:
        connection.execute(text("SELECT pg_sleep(20)"))
    with pytest.raises(UnreachedError), within(0.2, at_once=True), own.read():
        pass
    # What may take longer than was waited may still be answered.
    with within(5.0, at_once=True), own.read() as connection:
        connection.execute(text("SELECT 1"))
    with pytest.raises(DBAPIError), within(0.3, at_once=True), own.read() as connection:
        connection.execute(text("SELECT pg_sleep(20)"))
    with within(2.0), own.read() as connection:
        connection.execute(text("SELECT 1"))
    with within(2.0, at_once=True), own.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_a_statement_that_fails_in_time_makes_nobody_impatient(own: Database) -> None:
    with pytest.raises(DBAPIError), within(5.0), own.read() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with within(2.0, at_once=True), own.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
