"""What the doctor says of the database, the schema, the disk and the outbox: real ones, in real trouble."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.clock import now
from bot.doctor.store import of_free
from bot.fakeslack.slack import Slack
from bot.server.threaded import base_url, listen
from storage import outbox
from storage.database import Database
from storage.spool import Spool
from tests.integration.doctor.visiting import about, environment, one, visit


def path_of(database: Database) -> Path:
    return Path(str(database.url.database))


def server(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def test_a_file_that_is_not_there_yet_is_well_and_is_not_made(slack: Slack, tmp_path: Path) -> None:
    told = visit(environment(slack, f"sqlite:///{tmp_path}/new/scribe.db"))
    assert (one(told, "database").level, about(told, "schema")) == ("ok", [])
    assert "not there yet" in one(told, "database").says
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_made_is_told(slack: Slack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = one(visit(environment(slack, f"sqlite:///{tmp_path}/file/scribe.db")), "database")
    assert found.level == "fail"
    assert "cannot be made" in found.says


def test_a_folder_is_no_database(slack: Slack, tmp_path: Path) -> None:
    found = one(visit(environment(slack, f"sqlite:///{tmp_path}")), "database")
    assert (found.level, found.says) == ("fail", f"{tmp_path} is a folder")


def test_a_file_that_is_no_database_is_told(slack: Slack, tmp_path: Path) -> None:
    (tmp_path / "scribe.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    found = one(visit(environment(slack, f"sqlite:///{tmp_path}/scribe.db")), "database")
    assert found.level == "fail"
    assert "scribe restore" in found.fix


def test_a_file_that_takes_no_writes_is_told(slack: Slack, sqlite: Database, url: str) -> None:
    with sqlite.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    sqlite.close()
    with path_of(sqlite).open("r+b") as opened:
        # SQLite's file format: a write version above 2 makes the file read-only for whoever does not know it.
        opened.seek(18)
        opened.write(b"\x03")
    told = visit(environment(slack, url))
    assert one(told, "database").level == "fail"
    assert "writable" in one(told, "database").fix
    assert about(told, "schema") == about(told, "outbox") == []


def test_a_file_that_somebody_holds_is_told(
    slack: Slack, sqlite: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.BUSY_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(path_of(sqlite), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        found = one(visit(environment(slack, url)), "database")
    assert (found.level, found.says) == ("fail", f"{path_of(sqlite)}: database is locked")
    assert "fuser" in found.fix


def test_an_address_that_is_none_is_told(slack: Slack) -> None:
    for url in ("mysql://scribe@host/scribe", "scribe.db"):
        found = one(visit(environment(slack, url)), "database")
        assert found.level == "fail"
        assert "sqlite:////" in found.fix


def test_a_server_that_is_stopped_is_told_without_its_password(slack: Slack) -> None:
    listener = listen(0)
    port = base_url(listener).rpartition(":")[2]
    listener.close()
    told = visit(environment(slack, f"postgresql://scribe:hidden-word@127.0.0.1:{port}/scribe"))
    found = one(told, "database")
    assert found.level == "fail"
    assert "psql" in found.fix
    assert "hidden-word" not in str(told)


def test_a_server_that_does_not_answer_is_told(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    # psycopg waits two seconds at the least.
    monkeypatch.setattr("storage.database.DIAGNOSIS_CONNECT_S", 2)
    with closing(listen(0)) as silent:
        port = base_url(silent).rpartition(":")[2]
        found = one(visit(environment(slack, f"postgresql://scribe@127.0.0.1:{port}/scribe")), "database")
    assert (found.level, "timeout" in found.says) == ("fail", True)


def test_a_database_that_does_not_exist_is_told(slack: Slack, postgres: Database) -> None:
    url = postgres.url.set(database="nobody_made_it").render_as_string(hide_password=False)
    assert "createdb" in one(visit(environment(slack, url)), "database").fix


@contextmanager
def at_revision(database: Database, revision: str) -> Iterator[None]:
    """The database says that its schema is of that revision."""
    change = text("UPDATE alembic_version SET version_num = :revision")
    with database.write() as connection:
        before = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        connection.execute(change, {"revision": revision})
    yield
    with database.write() as connection:
        connection.execute(change, {"revision": before})


@contextmanager
def setting(database: Database, words: str) -> Iterator[None]:
    """New connections to the database have the setting."""
    name = database.url.database
    for change in (f"SET {words}", f"RESET {words.partition(' ')[0]}"):
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(text(f'ALTER DATABASE "{name}" {change}'))
        if change.startswith("SET"):
            yield


def test_a_server_that_takes_no_writes_is_told(slack: Slack, postgres: Database) -> None:
    with setting(postgres, "default_transaction_read_only = on"):
        found = one(visit(environment(slack, server(postgres))), "database")
    assert found.level == "fail"
    assert "standby" in found.fix
    assert one(visit(environment(slack, server(postgres))), "database").level == "ok"


def test_nothing_is_left_of_trying_to_write(slack: Slack, database: Database) -> None:
    visit(environment(slack, server(database)))
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM workspaces")).scalar() == 0


@pytest.mark.parametrize(
    ("revision", "sqlite_says", "server_says"),
    [("0001", ("warn", "scribe backup"), ("fail", "scribe migrate")), ("9999", ("fail", "newer"), ("fail", "newer"))],
)
def test_a_schema_of_another_scribe_is_told(
    slack: Slack, database: Database, revision: str, sqlite_says: tuple[str, str], server_says: tuple[str, str]
) -> None:
    with at_revision(database, revision):
        told = visit(environment(slack, server(database)))
    found, (level, words) = one(told, "schema"), sqlite_says if database.is_sqlite else server_says
    assert found.level == level
    assert words in f"{found.says} {found.fix}"
    assert about(told, "outbox") == []


def test_an_empty_server_wants_its_first_migration(slack: Slack, server_url: str) -> None:
    told = visit(environment(slack, server_url))
    assert "scribe migrate" in one(told, "schema").fix


@pytest.mark.parametrize(("free", "level"), [(50_000_000, "fail"), (500_000_000, "warn"), (5_000_000_000, "ok")])
def test_a_disk_that_fills_is_told(free: int, level: str) -> None:
    found = of_free(free, Path("/var/lib/scribe"))
    assert found.level == level
    assert "/var/lib/scribe" in found.says


def test_the_disk_under_the_spool_is_looked_at_too_and_one_disk_is_told_once(slack: Slack, tmp_path: Path) -> None:
    spool = str(tmp_path / "spool")
    (found,) = about(visit(environment(slack, f"sqlite:///{tmp_path}/new/scribe.db", SCRIBE_SPOOL=spool)), "disk")
    assert str(tmp_path) in found.says
    (found,) = about(visit(environment(slack, "postgresql://scribe@127.0.0.1:1/scribe", SCRIBE_SPOOL=spool)), "disk")
    assert str(tmp_path) in found.says


def test_a_spool_that_can_take_nothing_is_told(slack: Slack, url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = one(visit(environment(slack, url, SCRIBE_SPOOL=str(tmp_path / "file" / "spool"))), "spool")
    assert found.level == "fail"
    assert "would be lost" in found.says
    assert "SCRIBE_SPOOL" in found.fix


def test_what_waits_in_the_spool_and_what_cannot_be_used_is_told_and_nothing_of_its_words(
    slack: Slack, url: str, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool")
    for number in range(3):
        spool.append({"typed": "the secret runbook", "number": number}, at=now())
    spool.close()
    spool.rejects_file.write_bytes(b"00000000 {}\n")
    told = visit(environment(slack, url, SCRIBE_SPOOL=str(spool.folder)))
    waiting, bad = about(told, "spool")
    assert (waiting.level, bad.level) == ("warn", "warn")
    assert waiting.says == f"3 kept in {spool.folder}, not written to the database yet"
    assert bad.says == f"1 could not be used and is kept in {spool.rejects_file}"
    assert "scribe log" in bad.fix
    assert "secret" not in str(told)
    assert spool.count() == 3


@pytest.mark.parametrize(("minutes", "level"), [(2, "ok"), (15, "warn"), (90, "fail")])
def test_errands_that_wait_too_long_are_told_with_the_reason(
    slack: Slack, database: Database, minutes: int, level: str
) -> None:
    then = now() - timedelta(minutes=minutes)
    with database.write() as connection:
        outbox.add(connection, "T1", lane="C1", action="post", content={}, at=then)
        job = outbox.claim(connection, at=then)
        assert job is not None
        outbox.retry_later(connection, job, due_at=now(), problem="URLError")
    found = one(visit(environment(slack, server(database))), "outbox")
    assert found.level == level
    assert found.says == f"1 waiting, the oldest for {minutes} min (URLError)"


def test_errands_for_later_are_not_late_and_what_was_given_up_long_ago_is_no_news(
    slack: Slack, database: Database
) -> None:
    year = timedelta(days=365)
    with database.write() as connection:
        outbox.add(connection, "T1", lane="R1", action="post", content={}, at=now() - year, due_at=now() + year)
        outbox.add(connection, "T1", lane="C1", action="post", content={}, at=now() - year)
        job = outbox.claim(connection, at=now())
        assert job is not None
        outbox.park(connection, job, problem="is_archived")
    found = one(visit(environment(slack, server(database))), "outbox")
    assert (found.level, found.says) == ("ok", "nothing waits")


def test_errands_that_were_given_up_are_told_by_reason(slack: Slack, database: Database) -> None:
    with database.write() as connection:
        for problem in ("channel_not_found", "channel_not_found", "invalid_auth", "KeyError"):
            outbox.add(connection, "T1", lane="C1", action="post", content={}, at=now())
            job = outbox.claim(connection, at=now())
            assert job is not None
            outbox.park(connection, job, problem=problem)
    waiting, *parked = about(visit(environment(slack, server(database))), "outbox")
    assert waiting.level == "ok"
    assert {each.level for each in parked} == {"warn"}
    assert parked[0].says.startswith("2 post given up: channel_not_found")
    assert "/invite @scribe" in parked[0].fix
    assert len(parked) == 3
