"""The doctor's checks of the database, the schema, the disks, the spool and the outbox, with real faults."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.clock import now
from bot.doctor.store import disk_diagnosis
from bot.fakeslack.slack import Slack
from bot.server.threaded import base_url, listen
from storage import outbox
from storage.database import Database
from storage.spool import Spool
from tests.integration.doctor.diagnosing import about, diagnose, environment, only


def path_of(database: Database) -> Path:
    return Path(str(database.url.database))


def server(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def test_a_missing_file_is_ok_and_is_not_created(slack: Slack, tmp_path: Path) -> None:
    diagnoses = diagnose(environment(slack, f"sqlite:///{tmp_path}/new/scribe.db"))
    assert (only(diagnoses, "database").level, about(diagnoses, "schema")) == ("ok", [])
    assert "not there yet" in only(diagnoses, "database").message
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_created_is_reported(slack: Slack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = only(diagnose(environment(slack, f"sqlite:///{tmp_path}/file/scribe.db")), "database")
    assert found.level == "fail"
    assert "cannot be made" in found.message


def test_a_folder_is_reported(slack: Slack, tmp_path: Path) -> None:
    found = only(diagnose(environment(slack, f"sqlite:///{tmp_path}")), "database")
    assert (found.level, found.message) == ("fail", f"{tmp_path} is a folder")


def test_a_damaged_file_is_reported(slack: Slack, tmp_path: Path) -> None:
    (tmp_path / "scribe.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    found = only(diagnose(environment(slack, f"sqlite:///{tmp_path}/scribe.db")), "database")
    assert found.level == "fail"
    assert "scribe restore" in found.fix


def test_a_read_only_file_is_reported(slack: Slack, sqlite: Database, url: str) -> None:
    with sqlite.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    sqlite.close()
    with path_of(sqlite).open("r+b") as opened:
        # SQLite, "Database File Format", 1.3.3: a write version above 2 makes the file read-only.
        opened.seek(18)
        opened.write(b"\x03")
    diagnoses = diagnose(environment(slack, url))
    assert only(diagnoses, "database").level == "fail"
    assert "writable" in only(diagnoses, "database").fix
    assert about(diagnoses, "schema") == about(diagnoses, "outbox") == []


def test_a_locked_file_is_reported(slack: Slack, sqlite: Database, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.database.BUSY_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(path_of(sqlite), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = only(diagnose(environment(slack, url)), "database")
    assert (found.level, found.message) == ("fail", f"{path_of(sqlite)}: database is locked")
    assert "fuser" in found.fix


def test_an_invalid_url_is_reported(slack: Slack) -> None:
    for url in ("mysql://scribe@host/scribe", "scribe.db"):
        found = only(diagnose(environment(slack, url)), "database")
        assert found.level == "fail"
        assert "sqlite:////" in found.fix


def test_a_stopped_server_is_reported_without_its_password(slack: Slack) -> None:
    listener = listen(0)
    port = base_url(listener).rpartition(":")[2]
    listener.close()
    diagnoses = diagnose(environment(slack, f"postgresql://scribe:hidden-word@127.0.0.1:{port}/scribe"))
    found = only(diagnoses, "database")
    assert found.level == "fail"
    assert "psql" in found.fix
    assert "hidden-word" not in str(diagnoses)


def test_a_server_that_does_not_answer_is_reported(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    # psycopg waits two seconds at least.
    monkeypatch.setattr("storage.database.DIAGNOSIS_CONNECT_S", 2)
    with closing(listen(0)) as silent:
        port = base_url(silent).rpartition(":")[2]
        found = only(diagnose(environment(slack, f"postgresql://scribe@127.0.0.1:{port}/scribe")), "database")
    assert (found.level, "timeout" in found.message) == ("fail", True)


def test_a_database_that_does_not_exist_is_reported(slack: Slack, postgres: Database) -> None:
    url = postgres.url.set(database="not_created").render_as_string(hide_password=False)
    assert "createdb" in only(diagnose(environment(slack, url)), "database").fix


@contextmanager
def at_revision(database: Database, revision: str) -> Iterator[None]:
    """The database claims that revision of the schema."""
    change = text("UPDATE alembic_version SET version_num = :revision")
    with database.write() as connection:
        before = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        connection.execute(change, {"revision": revision})
    yield
    with database.write() as connection:
        connection.execute(change, {"revision": before})


@contextmanager
def setting(database: Database, assignment: str) -> Iterator[None]:
    """New connections to the database have the setting, `NAME = VALUE`."""
    name = database.url.database
    for change in (f"SET {assignment}", f"RESET {assignment.partition(' ')[0]}"):
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(text(f'ALTER DATABASE "{name}" {change}'))
        if change.startswith("SET"):
            yield


def test_a_read_only_server_is_reported(slack: Slack, postgres: Database) -> None:
    with setting(postgres, "default_transaction_read_only = on"):
        found = only(diagnose(environment(slack, server(postgres))), "database")
    assert found.level == "fail"
    assert "standby" in found.fix
    assert only(diagnose(environment(slack, server(postgres))), "database").level == "ok"


def test_the_probing_write_is_rolled_back(slack: Slack, database: Database) -> None:
    diagnose(environment(slack, server(database)))
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM workspaces")).scalar() == 0


@pytest.mark.parametrize(
    ("revision", "on_sqlite", "on_postgresql"),
    [("0001", ("warn", "scribe backup"), ("fail", "scribe migrate")), ("9999", ("fail", "newer"), ("fail", "newer"))],
)
def test_an_older_or_newer_schema_is_reported(
    slack: Slack, database: Database, revision: str, on_sqlite: tuple[str, str], on_postgresql: tuple[str, str]
) -> None:
    with at_revision(database, revision):
        diagnoses = diagnose(environment(slack, server(database)))
    found, (level, words) = only(diagnoses, "schema"), on_sqlite if database.is_sqlite else on_postgresql
    assert found.level == level
    assert words in f"{found.message} {found.fix}"
    assert about(diagnoses, "outbox") == []


def test_an_empty_database_needs_its_first_migration(slack: Slack, server_url: str) -> None:
    diagnoses = diagnose(environment(slack, server_url))
    assert "scribe migrate" in only(diagnoses, "schema").fix


@pytest.mark.parametrize(("free", "level"), [(50_000_000, "fail"), (500_000_000, "warn"), (5_000_000_000, "ok")])
def test_a_full_disk_is_reported(free: int, level: str) -> None:
    found = disk_diagnosis(free, Path("/var/lib/scribe"))
    assert found.level == level
    assert "/var/lib/scribe" in found.message


def test_the_disk_of_the_spool_is_checked_too_and_each_disk_once(slack: Slack, tmp_path: Path) -> None:
    spool = str(tmp_path / "spool")
    (found,) = about(diagnose(environment(slack, f"sqlite:///{tmp_path}/new/scribe.db", SCRIBE_SPOOL=spool)), "disk")
    assert str(tmp_path) in found.message
    (found,) = about(diagnose(environment(slack, "postgresql://scribe@127.0.0.1:1/scribe", SCRIBE_SPOOL=spool)), "disk")
    assert str(tmp_path) in found.message


def test_a_spool_that_cannot_be_written_is_reported(slack: Slack, url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = only(diagnose(environment(slack, url, SCRIBE_SPOOL=str(tmp_path / "file" / "spool"))), "spool")
    assert found.level == "fail"
    assert "would be lost" in found.message
    assert "SCRIBE_SPOOL" in found.fix


def test_waiting_and_unusable_entries_of_the_spool_are_counted_without_their_text(
    slack: Slack, url: str, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool")
    for number in range(3):
        spool.append({"typed": "the secret runbook", "number": number}, at=now())
    spool.close()
    spool.rejects_file.write_bytes(b"00000000 {}\n")
    diagnoses = diagnose(environment(slack, url, SCRIBE_SPOOL=str(spool.folder)))
    waiting, bad = about(diagnoses, "spool")
    assert (waiting.level, bad.level) == ("warn", "warn")
    assert waiting.message == f"3 kept in {spool.folder}, not written to the database yet"
    assert bad.message == f"1 could not be used and is kept in {spool.folder}"
    assert "scribe spool retry" in bad.fix
    assert "scribe log" in bad.fix
    assert "secret" not in str(diagnoses)
    assert spool.count() == 3


@pytest.mark.parametrize(("minutes", "level"), [(2, "ok"), (15, "warn"), (90, "fail")])
def test_jobs_that_wait_too_long_are_reported_with_the_last_error(
    slack: Slack, database: Database, minutes: int, level: str
) -> None:
    then = now() - timedelta(minutes=minutes)
    with database.write() as connection:
        outbox.add(connection, "T1", lane="C1", action="post", content={}, at=then)
        job = outbox.claim(connection, at=then)
        assert job is not None
        outbox.retry_later(connection, job, due_at=now(), problem="URLError")
    found = only(diagnose(environment(slack, server(database))), "outbox")
    assert found.level == level
    assert found.message == f"1 waiting, the oldest for {minutes} min (URLError)"


def test_future_jobs_and_jobs_given_up_long_ago_are_not_reported(slack: Slack, database: Database) -> None:
    year = timedelta(days=365)
    with database.write() as connection:
        outbox.add(connection, "T1", lane="R1", action="post", content={}, at=now() - year, due_at=now() + year)
        outbox.add(connection, "T1", lane="C1", action="post", content={}, at=now() - year)
        job = outbox.claim(connection, at=now())
        assert job is not None
        outbox.park(connection, job, problem="is_archived")
    found = only(diagnose(environment(slack, server(database))), "outbox")
    assert (found.level, found.message) == ("ok", "nothing waits")


def test_jobs_given_up_are_reported_by_reason(slack: Slack, database: Database) -> None:
    with database.write() as connection:
        for problem in ("channel_not_found", "channel_not_found", "invalid_auth", "KeyError"):
            outbox.add(connection, "T1", lane="C1", action="post", content={}, at=now())
            job = outbox.claim(connection, at=now())
            assert job is not None
            outbox.park(connection, job, problem=problem)
    waiting, *parked = about(diagnose(environment(slack, server(database))), "outbox")
    assert waiting.level == "ok"
    assert {each.level for each in parked} == {"warn"}
    assert parked[0].message.startswith("2 post given up: channel_not_found")
    assert "/invite @scribe" in parked[0].fix
    assert len(parked) == 3
