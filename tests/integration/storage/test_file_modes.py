"""What is written holds people's words: it is for its owner alone, whatever the umask lets others do."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clock import now
from storage import backup, schema
from storage.database import Database
from storage.spool import Spool


@pytest.fixture
def open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def private(folder: Path) -> dict[str, bool]:
    """Of each file and folder below, whether others are kept out of it: by itself, or by a folder above it."""
    closed = {folder: False}
    for path in sorted(folder.rglob("*")):
        closed[path] = closed[path.parent] or not stat.S_IMODE(path.stat().st_mode) & 0o077
    return {path.relative_to(folder).as_posix(): each for path, each in closed.items() if path.is_file()}


@pytest.mark.usefixtures("open_to_all")
def test_others_read_neither_database_nor_copies_nor_spool(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/scribe.db")
    schema.migrate(database)
    backup.backup(tmp_path / "scribe.db", tmp_path / "copy.db")
    spool = Spool(tmp_path / "spool")
    spool.append({"typed": "words"}, at=now())
    found = private(tmp_path)
    assert {"scribe.db", "scribe.db-wal", "scribe.db-shm", "copy.db"} <= found.keys()
    assert [name for name in found if name.startswith("spool/")]
    # The note beside the database says only that there is one.
    assert {name for name, kept in found.items() if not kept} == {".scribe.db.known"}
    spool.close()
    database.close()


@pytest.mark.usefixtures("open_to_all")
def test_a_database_that_others_may_read_already_stays_so(tmp_path: Path) -> None:
    (tmp_path / "scribe.db").touch(0o640)
    database = Database(f"sqlite:///{tmp_path}/scribe.db")
    schema.migrate(database)
    assert stat.S_IMODE((tmp_path / "scribe.db").stat().st_mode) == 0o640
    database.close()


def test_where_no_file_can_be_made_sqlite_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        Database(f"sqlite:///{tmp_path}/file/scribe.db")
