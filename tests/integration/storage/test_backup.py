import os
import resource
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from storage import backup, incidents, timeline
from storage.backup import CopyError, HoldsDataError, InUseError
from storage.database import Database
from storage.values import Incident
from tests.integration.storage.rows import declare, say

AT_LEAST = 200


@pytest.fixture
def incident(sqlite: Database) -> Incident:
    with sqlite.write() as connection:
        return declare(connection)


def path_of(database: Database) -> Path:
    return Path(str(database.url.database))


@contextmanager
def writing(database: Database, incident: Incident) -> Iterator[list[int]]:
    """Entries written one after another by two threads; the numbers of those that are committed."""
    committed: list[int] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with database.write() as connection:
                number = say(connection, incident).number
            committed.append(number)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield committed
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def numbers(file: Path) -> list[int]:
    database = Database(f"sqlite:///{file}")
    with database.read() as connection:
        found = [entry.number for entry in timeline.of_incident(connection, 1)]
        last = incidents.by_id(connection, 1)
    database.close()
    assert last.number == 1
    return found


def test_a_copy_taken_under_load_is_one_consistent_instant_and_can_be_put_back(
    sqlite: Database, incident: Incident, tmp_path: Path
) -> None:
    copy, target = tmp_path / "copy.db", tmp_path / "elsewhere" / "scribe.db"
    grown = threading.Event()
    with writing(sqlite, incident) as committed:
        while len(committed) < AT_LEAST:
            grown.wait(0.001)
        before = set(committed)
        told = backup.backup(path_of(sqlite), copy)
        after = len(committed)
        while len(committed) < after + AT_LEAST:
            grown.wait(0.001)
    restored = backup.restore(copy, target, aside=tmp_path / "aside")
    found = numbers(target)
    assert before <= set(found)
    assert found == list(range(1, len(found) + 1))
    assert (told.entries, restored.entries) == (len(found), len(found))
    assert len(found) < len(committed)


def test_a_copy_is_one_private_file_and_nothing_is_left_beside_it(
    sqlite: Database, incident: Incident, tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    told = backup.backup(path_of(sqlite), folder / "a.db")
    assert [each.name for each in folder.iterdir()] == ["a.db"]
    assert (folder / "a.db").stat().st_mode & 0o777 == 0o600
    assert (told.incidents, told.entries, told.size) == (1, 0, (folder / "a.db").stat().st_size)
    assert incident.number == 1


def test_a_copy_replaces_another_only_when_told_to(sqlite: Database, tmp_path: Path) -> None:
    copy = tmp_path / "a.db"
    copy.write_text("something else")
    with pytest.raises(HoldsDataError, match=r"a\.db exists"):
        backup.backup(path_of(sqlite), copy)
    assert copy.read_text() == "something else"
    backup.backup(path_of(sqlite), copy, force=True)
    assert backup.inspect(copy).incidents == 0


def test_a_pipe_or_a_device_is_never_replaced(sqlite: Database, tmp_path: Path) -> None:
    copy, pipe = tmp_path / "a.db", tmp_path / "pipe"
    backup.backup(path_of(sqlite), copy)
    os.mkfifo(pipe)
    with pytest.raises(CopyError, match="no regular file"):
        backup.backup(path_of(sqlite), pipe, force=True)
    with pytest.raises(CopyError, match="no regular file"):
        backup.restore(copy, pipe, aside=tmp_path / "aside", force=True)
    assert pipe.is_fifo()


def test_a_copy_that_finds_no_room_leaves_the_older_one_and_no_piece_of_itself(
    sqlite: Database, tmp_path: Path
) -> None:
    older = tmp_path / "a.db"
    older.write_text("older")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # What a full disk is to SQLite; Python ignores the signal that comes with it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(CopyError, match=r"cannot be copied to .*a\.db: disk I/O error"):
            backup.backup(path_of(sqlite), older, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert older.read_text() == "older"
    assert not [each for each in tmp_path.iterdir() if each.name.endswith(".part")]


def test_the_database_is_never_its_own_copy(sqlite: Database, tmp_path: Path) -> None:
    alias = tmp_path / "alias.db"
    alias.hardlink_to(path_of(sqlite))
    for one, other in ((path_of(sqlite), alias), (alias, path_of(sqlite))):
        with pytest.raises(CopyError, match="is the database itself"):
            backup.backup(one, other, force=True)
        with pytest.raises(CopyError, match="is the database itself"):
            backup.restore(one, other, aside=tmp_path / "aside", force=True)


def test_a_database_in_use_is_not_replaced_even_while_idle(
    sqlite: Database, incident: Incident, tmp_path: Path
) -> None:
    copy, target = tmp_path / "a.db", path_of(sqlite)
    backup.backup(target, copy)
    with pytest.raises(InUseError):
        backup.restore(copy, target, aside=tmp_path / "aside", force=True)
    with sqlite.write() as connection:
        say(connection, incident)
    sqlite.close()
    assert numbers(target) == [1]
    assert not (tmp_path / "aside").exists()


def test_incidents_are_replaced_only_when_told_to_and_kept_beside(
    sqlite: Database, incident: Incident, tmp_path: Path
) -> None:
    copy, target, aside = tmp_path / "a.db", path_of(sqlite), tmp_path / "aside.db"
    backup.backup(target, copy)
    with sqlite.write() as connection:
        say(connection, incident)
    sqlite.close()
    with pytest.raises(HoldsDataError, match="holds 1 incident"):
        backup.restore(copy, target, aside=aside)
    assert numbers(target) == [1]
    target.chmod(0o640)
    backup.restore(copy, target, aside=aside, force=True)
    assert numbers(target) == []
    assert numbers(aside) == [1]
    assert target.stat().st_mode & 0o777 == 0o640
    with pytest.raises(CopyError, match="exists"):
        backup.restore(copy, target, aside=aside, force=True)


def test_a_damaged_database_is_replaced_when_told_to_and_kept_beside(
    sqlite: Database, incident: Incident, tmp_path: Path
) -> None:
    copy, target, aside = tmp_path / "a.db", tmp_path / "damaged" / "scribe.db", tmp_path / "damaged" / "old.db"
    backup.backup(path_of(sqlite), copy)
    target.parent.mkdir()
    target.write_bytes(b"SQLite format 3\x00" + b"rubbish" * 2000)
    target.with_name("scribe.db-wal").write_bytes(b"stale")
    with pytest.raises(HoldsDataError, match="cannot be read"):
        backup.restore(copy, target, aside=aside)
    backup.restore(copy, target, aside=aside, force=True)
    assert sorted(each.name for each in target.parent.iterdir()) == ["old.db", "scribe.db"]
    assert backup.inspect(target).incidents == incident.number


def test_a_log_left_by_a_deleted_file_is_not_taken_for_the_new_ones(
    sqlite: Database, incident: Incident, tmp_path: Path
) -> None:
    copy, target = tmp_path / "a.db", tmp_path / "gone" / "scribe.db"
    backup.backup(path_of(sqlite), copy)
    with sqlite.write() as connection:
        say(connection, incident)
    target.parent.mkdir()
    shutil.copy(f"{path_of(sqlite)}-wal", f"{target}-wal")
    backup.restore(copy, target, aside=tmp_path / "gone" / "old.db")
    assert numbers(target) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no SQLite database"),
        (b"PGDMP and more", "no SQLite database"),
        (b"SQLite format 3\x00" + b"\xff" * 8000, "not a database|malformed"),
    ],
)
def test_what_is_no_copy_is_not_put_back(sqlite: Database, tmp_path: Path, content: bytes, problem: str) -> None:
    file, target = tmp_path / "a.db", path_of(sqlite)
    file.write_bytes(content)
    before = target.read_bytes()
    sqlite.close()
    with pytest.raises(CopyError, match=problem):
        backup.restore(file, target, aside=tmp_path / "aside", force=True)
    assert target.read_bytes() == before


def test_a_copy_with_a_damaged_page_of_another_program_or_a_newer_scribe_is_not_put_back(
    sqlite: Database, incident: Incident, tmp_path: Path
) -> None:
    with sqlite.write() as connection:
        for _ in range(300):
            say(connection, incident, "words that fill a page")
    damaged, foreign, newer = (tmp_path / name for name in ("damaged.db", "foreign.db", "newer.db"))
    backup.backup(path_of(sqlite), damaged)
    backup.backup(path_of(sqlite), newer)
    with damaged.open("r+b") as opened:
        opened.seek(-8192, 2)
        opened.write(b"\xaa" * 8192)
    with closing(sqlite3.connect(foreign)) as connection_to:
        connection_to.execute("CREATE TABLE songs (name TEXT)")
    with closing(sqlite3.connect(newer)) as connection_to:
        connection_to.execute("UPDATE alembic_version SET version_num = '9999'")
        connection_to.commit()
    told = {damaged: "damaged|malformed", foreign: "no database of Scribe", newer: "newer Scribe: its schema is 9999"}
    for file, problem in told.items():
        with pytest.raises(CopyError, match=problem):
            backup.restore(file, tmp_path / "new" / "scribe.db", aside=tmp_path / "aside")
    assert not (tmp_path / "new" / "scribe.db").exists()
