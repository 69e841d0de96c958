"""Whatever happens to the database's file, nothing that was acknowledged is lost, and no empty one takes its place."""

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.config import Settings
from bot.doctor.installation import FAIL, OK, Installation
from bot.doctor.store import check_database
from storage import backup, schema
from storage.availability import FileLostError
from storage.database import Database
from storage.outbox import add
from tests.integration.cli.terminal import refused, scribe
from tests.support.ledger import standing
from tests.support.workplace import Workplace, at

AT = at("2026-03-12T12:00:00Z")
PAGE = 4096
LETTER = b"This is a letter to a friend, and no database at all. " * 200


def replace(file: Path, content: bytes) -> None:
    file.with_name("new").write_bytes(content)
    file.with_name("new").replace(file)


def empty_database(file: Path) -> None:
    """As another program leaves it that opens a file which is not there."""
    file.unlink()
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE mine (one)")
    other.close()


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


def link_instead(file: Path) -> None:
    file.unlink()
    file.symlink_to("nothing")


def remove_all(file: Path) -> None:
    for each in file.parent.glob("scribe.db*"):
        each.unlink()


TAKEN_AWAY: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "removed with its log": remove_all,
    "its log removed": lambda file: Path(f"{file}-wal").unlink(),
    "renamed": lambda file: file.rename(file.with_name("elsewhere")),
    "its folder renamed": lambda file: file.parent.rename(file.parent.with_name("elsewhere")),
    "replaced by an empty file": lambda file: replace(file, b""),
    "replaced by a letter": lambda file: replace(file, LETTER),
    "replaced by another database": empty_database,
    "emptied": lambda file: file.write_bytes(b""),
    "a letter written over it": lambda file: file.write_bytes(LETTER),
    "replaced by a folder": folder_instead,
    "replaced by a link to nothing": link_instead,
}


@pytest.fixture
def file(office: Workplace) -> Path:
    return Path(str(office.database.url.database))


@pytest.mark.parametrize("how", TAKEN_AWAY)
def test_what_is_typed_is_kept_until_a_whole_database_lies_there_again(
    office: Workplace, file: Path, tmp_path_factory: pytest.TempPathFactory, how: str
) -> None:
    copy = tmp_path_factory.mktemp("copies") / "copy.db"
    office.say("/detected disk full")
    backup.backup(file, copy)
    TAKEN_AWAY[how](file)
    assert office.say("/note first").startswith("Kept · Note")
    assert office.bot.context.offline.replay() == (how == "its log removed")
    if how != "its log removed":
        assert office.say("/note second").startswith("Kept · Note")
        assert office.database.is_file_lost()
        file.parent.mkdir(exist_ok=True)
        if file.is_dir():
            file.rmdir()
        shutil.copy(copy, tmp_path_factory.getbasetemp() / "whole")
        (tmp_path_factory.getbasetemp() / "whole").replace(file)
        assert office.bot.context.offline.replay() == 2
    else:
        assert office.say("/note second").startswith("Note · ")
    assert [words for _, words in standing(office)] == ["disk full", "first", "second"]
    assert office.say("/note third").startswith("Note · ")
    assert not office.database.is_file_lost()


def test_the_same_file_put_back_has_everything_once(office: Workplace, file: Path) -> None:
    office.say("/detected disk full")
    aside = file.rename(file.with_name("aside"))
    assert office.say("/note first").startswith("Kept · Note")
    aside.rename(file)
    assert office.bot.context.offline.replay() == 1
    assert [words for _, words in standing(office)] == ["disk full", "first"]


def test_a_copy_written_over_the_open_file_is_noticed_before_it_is_written_to(office: Workplace, file: Path) -> None:
    office.say("/detected disk full")
    backup.backup(file, file.with_name("copy"))
    shutil.copyfile(file.with_name("copy"), file)
    assert office.say("/note first").startswith("Kept · Note")
    assert office.bot.context.offline.replay() == 1
    assert [words for _, words in standing(office)] == ["disk full", "first"]
    assert office.say("/note second").startswith("Note · ")


def test_a_file_taken_away_during_the_transaction_counts_as_not_written(sqlite: Database) -> None:
    def write() -> None:
        with sqlite.write() as connection:
            add(connection, "T1", lane="C1", action="post", content={}, at=AT)
            Path(str(sqlite.url.database)).unlink()

    with pytest.raises(FileLostError):
        write()


def emptied(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE mine (one)")
        other.execute("DROP TABLE mine")
    other.close()


GONE: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "removed with all that is named so": remove_all,
    "emptied": lambda file: file.write_bytes(b""),
    "renamed": lambda file: file.rename(file.with_name("elsewhere")),
    "replaced by an empty one": emptied,
    "replaced by another's": empty_database,
}


@pytest.mark.parametrize("how", GONE)
@pytest.mark.parametrize("command", [("migrate",), ("export", "INC-1"), ("log", "INC-1", "note x")])
def test_no_empty_database_is_made_where_there_was_one(tmp_path: Path, how: str, command: tuple[str, ...]) -> None:
    file = tmp_path / "data" / "scribe.db"
    url = f"sqlite:///{file}"
    scribe("migrate", DATABASE_URL=url)
    GONE[how](file)
    told = " ".join(refused(*command, DATABASE_URL=url).split())
    assert "is gone: there was a database" in told
    assert "scribe restore BACKUP" in told
    assert "scribe run --new" in told
    assert not file.exists() or file.stat().st_size <= 2 * PAGE


def test_a_start_says_so_too_and_new_begins_an_empty_one(tmp_path: Path) -> None:
    file = tmp_path / "scribe.db"
    environment = {
        "DATABASE_URL": f"sqlite:///{file}", "SLACK_BOT_TOKEN": "xoxb-1-2-abc", "SLACK_SIGNING_SECRET": "s",
        "SCRIBE_SPOOL": str(tmp_path / "spool"),
    }  # fmt: skip
    scribe("migrate", **environment)
    file.unlink()
    assert "scribe run --new" in refused("run", "--port", "0", **environment)
    assert not file.exists()
    # A port that is taken ends it after the database was made.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "--port" in refused("run", "--new", "--port", str(taken.getsockname()[1]), **environment)
    assert schema.current(Database(environment["DATABASE_URL"])) == schema.newest()


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "a letter": lambda _: LETTER,
    "its first page overwritten": lambda whole: LETTER[:4096] + whole[4096:],
    "its middle overwritten": lambda whole: (
        whole[:4096] + b"\xff" * (len(whole) // 2) + whole[4096 + len(whole) // 2 :]
    ),
    "half of it": lambda whole: whole[: len(whole) // 2 // 4096 * 4096],
    "zeros": lambda whole: b"\0" * len(whole),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_file_is_named_with_the_way_back_by_the_start_and_by_the_doctor(
    tmp_path: Path, migrated: Path, how: str
) -> None:
    file = tmp_path / "scribe.db"
    file.write_bytes(DAMAGED[how](migrated.read_bytes()))
    environment = {
        "DATABASE_URL": f"sqlite:///{file}", "SLACK_BOT_TOKEN": "xoxb-1-2-abc", "SLACK_SIGNING_SECRET": "s",
        "SCRIBE_SPOOL": str(tmp_path / "spool"),
    }  # fmt: skip
    told = " ".join(refused("run", "--port", "0", **environment).split())
    assert f"{file} is damaged" in told
    assert "scribe restore BACKUP --force" in told
    found = check_database(Installation(settings=Settings.from_env(environment), clock=lambda: AT))
    assert [each.level for each in found] == [FAIL]
    assert str(file) in found[0].message
    assert "scribe restore BACKUP --force" in found[0].fix


def test_a_whole_file_is_looked_through_and_well(sqlite: Database) -> None:
    sqlite.check_pages()
    url = sqlite.url.render_as_string()
    found = check_database(Installation(settings=Settings.from_env({"DATABASE_URL": url}), clock=lambda: AT))
    assert [each.level for each in found] == [OK]


def changed(*statements: str) -> Callable[[Path, Path], None]:
    """A copy of the whole database, changed."""

    def make(file: Path, migrated: Path) -> None:
        shutil.copy(migrated, file)
        with sqlite3.connect(file) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return make


def torn(file: Path, migrated: Path) -> None:
    whole = migrated.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


NOT_WHOLE: dict[str, Callable[[Path, Path], object]] = {
    "nothing": lambda file, _: file.write_bytes(b""),
    "a letter": lambda file, _: file.write_bytes(LETTER),
    "half of it": torn,
    "without incidents": changed("DROP TABLE incidents"),
    "without the outbox": changed("DROP TABLE outbox"),
    "without a column": changed("ALTER TABLE members DROP COLUMN barred"),
    "without a schema": changed("DELETE FROM alembic_version"),
    "without the schema's table": changed("DROP TABLE alembic_version"),
    "of a newer release": changed("UPDATE alembic_version SET version_num = '9999'"),
    "of the oldest release, without its entries": changed(
        "UPDATE alembic_version SET version_num = '0001'", "DROP TABLE timeline_entries"
    ),
    "of another program": lambda file, _: empty_of_another(file),
}


def empty_of_another(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
    connection.close()


@pytest.mark.parametrize("how", NOT_WHOLE)
def test_restore_refuses_what_is_no_whole_database_and_changes_nothing(
    tmp_path: Path, sqlite: Database, migrated: Path, how: str
) -> None:
    with sqlite.write() as connection:
        connection.execute(text("INSERT INTO workspaces (id, last_incident_number) VALUES ('T1', 0)"))
    sqlite.close()
    target, copy = Path(str(sqlite.url.database)), tmp_path / "copy.db"
    NOT_WHOLE[how](copy, migrated)
    before = target.read_bytes()
    with pytest.raises(backup.CopyError):
        backup.restore(copy, target, aside=tmp_path / "aside", force=True)
    assert target.read_bytes() == before
    assert not (tmp_path / "aside").exists()


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir])
def test_restore_waits_for_no_pipe(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "copy")
    with pytest.raises(backup.CopyError):
        backup.restore(tmp_path / "copy", tmp_path / "scribe.db", aside=tmp_path / "aside")


def test_a_file_damaged_while_the_bot_runs_keeps_what_is_typed(office: Workplace, file: Path) -> None:
    office.say("/detected disk full")
    office.database.compact()
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.write(b"\xff" * size)
    office.database.engine.dispose()
    assert office.say("/note first").startswith("Kept · Note")
    url = office.database.url.render_as_string()
    found = check_database(Installation(settings=Settings.from_env({"DATABASE_URL": url}), clock=lambda: AT))
    assert [each.level for each in found] == [FAIL]
    assert "scribe restore BACKUP --force" in found[0].fix
