"""Copies of the SQLite file: made while others write, and put back when nobody does.

A copy is taken in one step. In write-ahead mode that is one reader's view: consistent, and no writer waits for it.
Taken by pages it would begin anew after every write of another process, and beside a busy bot never end.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from storage import schema

_WAIT_S = 1.0
"""How long to wait for somebody to let go of the database."""
_BESIDE = ("-wal", "-shm", "-journal")
_MAGIC = b"SQLite format 3\x00"
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class CopyError(Exception):
    """A copy cannot be made or put back; the message says why, and nothing was changed."""


class InUseError(CopyError):
    """Somebody else has the database open."""


class HoldsDataError(CopyError):
    """There is something already that would be replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What a copy holds: its schema's revision, how many incidents and entries, and its size in bytes."""

    revision: str | None
    incidents: int
    entries: int
    size: int


def backup(source: Path, target: Path, *, force: bool = False) -> Copy:
    """Copy the database at `source` to the file `target`, whole or not at all, on disk when this returns.

    Raises HoldsDataError when there is a target and not `force`, CopyError when the source is no database or the copy
    is not sound, OSError when the target cannot be written.
    """
    _look_at(source)
    if _same(source, target):
        raise CopyError(f"{target} is the database itself.")
    if target.exists() and not force:
        raise HoldsDataError(f"{target} exists.")
    _be_regular(target)
    with _part_of(target) as part:
        _copy(source, part, target)
        found = inspect(part)
        _put(part, target)
    return found


def inspect(file: Path) -> Copy:
    """What the database file holds. Raises CopyError unless it is sound and of a schema this code knows."""
    _look_at(file)
    with _opened(file) as connection:
        try:
            _check(connection, file)
            return Copy(
                revision=_revision(connection, file),
                incidents=_count(connection, "incidents"),
                entries=_count(connection, "timeline_entries"),
                size=file.stat().st_size,
            )
        except sqlite3.Error as error:
            raise CopyError(f"{file}: {error}") from None


def restore(source: Path, target: Path, *, aside: Path, force: bool = False) -> Copy:
    """Put the copy `source` where the database `target` is; what was there is kept at `aside`.

    Raises HoldsDataError when the target holds incidents, or cannot be read, and not `force`; InUseError when
    somebody has it open; CopyError when the copy is not sound. In all these cases the target is as it was.
    """
    found = inspect(source)
    if _same(source, target):
        raise CopyError(f"{source} is the database itself.")
    target.parent.mkdir(parents=True, exist_ok=True)
    _be_regular(target)
    with _part_of(target) as part:
        _copy(source, part, target)
        with _alone(target, force=force):
            if target.exists():
                _keep(target, aside)
            _put_away(target, aside)
            _give_to(target, part)
            _put(part, target)
    return found


def _look_at(file: Path) -> None:
    with file.open("rb") as opened:
        if opened.read(len(_MAGIC)) != _MAGIC:
            raise CopyError(f"{file} is no SQLite database.")


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """A file beside the target to write to, readable by its owner alone; it is gone after the block."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
    finally:
        for name in ("", *_BESIDE):
            part.with_name(part.name + name).unlink(missing_ok=True)


@contextmanager
def _opened(file: Path, wait_s: float = 5.0) -> Iterator[sqlite3.Connection]:
    """The file, which must be there. For reading alone where it cannot be written."""
    try:
        opened = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=wait_s, isolation_level=None)
    except sqlite3.Error as error:
        raise CopyError(f"{file}: {error}") from None
    with closing(opened) as connection:
        yield connection


def _be_regular(target: Path) -> None:
    """A device or a pipe is not replaced: /dev/null would be a file from then on."""
    if target.exists() and not target.is_file():
        raise CopyError(f"{target} is no regular file.")


def _copy(source: Path, part: Path, target: Path) -> None:
    """Copy the source to the `part` of the target that is being written."""
    with _opened(source) as read, _opened(part) as written:
        # It is flushed to disk once, at the end; should the machine stop before, there is no copy.
        written.execute("PRAGMA synchronous=OFF")
        try:
            read.backup(written)
            # A copy is one file, and can be read where nothing may be written.
            written.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise CopyError(f"{source} cannot be copied to {target}: {error}") from None


def _put(part: Path, target: Path) -> None:
    """Make the written file the target, durably, in one step."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check(connection: sqlite3.Connection, file: Path) -> None:
    (word,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if word != "ok":
        raise CopyError(f"{file} is damaged: {' '.join(str(word).split())}")
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise CopyError(f"{file} is damaged: rows belong to others that are missing.")


def _revision(connection: sqlite3.Connection, file: Path) -> str | None:
    if not _has(connection, "alembic_version"):
        raise CopyError(f"{file} is no database of Scribe's.")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    revision: str | None = row[0] if row else None
    if not schema.is_known(revision):
        raise CopyError(f"{file} is of a newer Scribe: its schema is {revision}.")
    return revision


def _has(connection: sqlite3.Connection, table: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (table,)).fetchone() is not None


def _count(connection: sqlite3.Connection, table: str) -> int:
    if not _has(connection, table):
        return 0
    (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - one of two names above
    return int(found)


@contextmanager
def _alone(target: Path, *, force: bool) -> Iterator[None]:
    """Hold the target alone for the block, if there is one. A bot that runs keeps it open, and SQLite then says so."""
    if not target.exists():
        yield
        return
    with _opened(target, _WAIT_S) as connection:
        try:
            # Only who is alone may leave write-ahead mode; it also brings all of it into the one file.
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            held = _count(connection, "incidents")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF in _IN_USE:
                raise InUseError(f"{target} is in use.") from None
            if not force:
                raise HoldsDataError(f"{target} cannot be read ({error}).") from None
            held = 0
        if held and not force:
            raise HoldsDataError(f"{target} holds {held} incident{'' if held == 1 else 's'}.")
        yield


def _keep(target: Path, aside: Path) -> None:
    """Keep what is there under another name too; the target stays until it is replaced."""
    try:
        os.link(target, aside)
    except FileExistsError:
        raise CopyError(f"{aside} exists.") from None
    except OSError:  # a file system without links
        shutil.copy2(target, aside)


def _put_away(target: Path, aside: Path) -> None:
    """Move what SQLite left beside a file that could not be read, or is gone: it would take it for the new one's."""
    for name in _BESIDE:
        with suppress(FileNotFoundError):
            target.with_name(target.name + name).rename(aside.with_name(aside.name + name))


def _give_to(target: Path, part: Path) -> None:
    """Let the new file belong to whom the old one does, or the folder: who restores need not be who runs the bot."""
    owner = (target if target.exists() else target.parent).stat()
    with suppress(PermissionError):
        os.chown(part, owner.st_uid, owner.st_gid)
    if target.exists():
        part.chmod(owner.st_mode & 0o777)
