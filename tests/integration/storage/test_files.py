"""Files of messages: their rows on either database, and their bytes in the folder."""

from pathlib import Path

import pytest
from sqlalchemy import select

from storage import timeline
from storage.database import Database
from storage.models import entry_files
from storage.models import outbox as jobs
from storage.sources import files
from storage.sources.files import FileStore
from tests.integration.storage.rows import NOW, declare, say


def kept(database: Database, row: int, *, digest: str) -> bool:
    with database.write() as connection:
        return files.keep(connection, row, name="p99.png", kind="png", size=3, digest=digest, permalink=None)


def test_rows_are_added_kept_refused_moved_and_erased(database: Database) -> None:
    one, other = "1" * 64, "2" * 64
    with database.write() as connection:
        incident = declare(connection)
        entry, copy = say(connection, incident), say(connection, incident)
        files.add(connection, "T1", entry.id, ["F1", "F2", "F1", "F3", "F4"], at=NOW)
        rows = list(connection.execute(select(entry_files.c.id).order_by(entry_files.c.id)).scalars())
    assert [kept(database, row, digest=digest) for row, digest in zip(rows, (one, other), strict=False)] == [True, True]
    assert not kept(database, rows[0], digest=other)
    with database.write() as connection:
        files.refuse(connection, rows[2], name="sheet.xlsx", problem="kind_not_kept")
        assert [files.waiting(connection, row) for row in rows] == [None, None, None, "F4"]
        files.move(connection, "T1", entry.id, to=copy.id, at=NOW)
        assert [each.sha256 for each in timeline.files(connection, incident.id)] == [one, other, one, other]
        timeline.revise(connection, entry, by="U1", at=NOW, retracted=True)
        assert [each.entry_number for each in timeline.files(connection, incident.id)] == [2, 2]
        assert files.refused_by_problem(connection) == {"kind_not_kept": 2}
        written = connection.execute(select(jobs.c.lane).where(jobs.c.action == files.KEEP)).scalars()
        assert len(set(written)) == 5  # four files, and the copy's one that was still to come
        assert files.erase(connection, [entry.id]) == []
        assert files.erase(connection, [copy.id]) == [one, other]
        assert files.referenced(connection) == set()
        assert timeline.files(connection, incident.id) == []


def test_bytes_are_whole_or_not_there_and_lie_there_once(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "deep" / "files")
    digest = store.put(b"one")
    assert store.put(b"one") == digest
    assert (store.read(digest), store.names()) == (b"one", {digest})
    (store.folder / digest).write_bytes(b"on")
    assert store.read(digest) is None
    assert store.put(b"one") == digest
    assert store.read(digest) == b"one"
    assert [path.name for path in store.folder.iterdir()] == [digest]
    store.delete(digest)
    store.delete(digest)
    assert store.read(digest) is None
    for name in ("../x", "..", "A" * 64, "1" * 63):
        with pytest.raises(ValueError, match="SHA-256"):
            store.read(name)


def test_a_file_that_cannot_be_written_leaves_no_part_behind(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")
    digest = store.put(b"one")
    store.delete(digest)
    (store.folder / digest).mkdir()
    with pytest.raises(OSError, match="directory"):
        store.put(b"one")
    assert [path.name for path in store.folder.iterdir()] == [digest]
