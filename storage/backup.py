"""Copies of the SQLite file: made while the bot runs, restored while it does not.

SQLite's backup API copies all pages in one step. In write-ahead mode that is one reader's snapshot: consistent, and no
writer waits for it. In several steps it would start anew after each write by another process, and beside a busy bot
never finish: https://sqlite.org/backup.html
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from storage import schema
from storage.models import metadata
from storage.sources.files import FileStore

_EXCLUSIVE_WAIT_S = 1.0
"""Seconds to wait until no other process has the database open."""
_OPEN_WAIT_S = 5.0
_SIDE_FILES = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps beside a database."""
_MAGIC = b"SQLite format 3\x00"
_ALWAYS = frozenset(
    {
        "action_item_revisions", "action_items", "entry_revisions", "incident_changes", "incidents", "members",
        "outbox", "postmortem_versions", "receipts", "timeline_entries", "workspaces",
    }
)  # fmt: skip
"""Tables that every schema has."""
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class CopyError(Exception):
    """A copy cannot be made or restored; the message says why, and nothing was changed."""


class InUseError(CopyError):
    """Another process has the database open."""


class HoldsDataError(CopyError):
    """Existing data would be replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The content of a copy: its schema's revision, the number of incidents and entries, and its size in bytes."""

    revision: str | None
    incidents: int
    entries: int
    size: int


def backup(source: Path, target: Path, *, force: bool = False) -> Copy:
    """Copy the database at `source` to the file `target`, completely or not at all, durable when this returns.

    Raises HoldsDataError when the target exists, unless `force`; CopyError when the source is no database or the copy
    is damaged; OSError when the target cannot be written.
    """
    _check_magic(source)
    if target.exists() and source.samefile(target):
        raise CopyError(f"{target} is the database itself.")
    if target.exists() and not force:
        raise HoldsDataError(f"{target} exists.")
    _check_regular(target)
    with _temporary_beside(target) as part:
        _copy_pages(source, part, target)
        copy = inspect(part)
        _replace_durably(part, target)
    return copy


def inspect(file: Path) -> Copy:
    """The content of a database file. Raises CopyError when it is no whole database of Scribe's.

    It may be damaged, lack tables, or have a schema that is unknown to this code.
    """
    _check_magic(file)
    with _connect(file) as connection:
        try:
            _check_integrity(connection, file)
            revision = _revision(connection, file)
            _check_tables(connection, file, revision)
            return Copy(
                revision=revision,
                incidents=_count(connection, "incidents"),
                entries=_count(connection, "timeline_entries"),
                size=file.stat().st_size,
            )
        except sqlite3.Error as error:
            raise CopyError(f"{file}: {error}") from None


def restore(source: Path, target: Path, *, aside: Path, force: bool = False) -> Copy:
    """Replace the database `target` by the copy `source`; the previous file is kept as `aside`.

    Raises HoldsDataError when the target holds incidents or cannot be read, unless `force`; InUseError when another
    process has it open; CopyError when the copy is no whole database. In all these cases the target is unchanged.
    """
    copy = inspect(source)
    if target.exists() and source.samefile(target):
        raise CopyError(f"{source} is the database itself.")
    target.parent.mkdir(parents=True, exist_ok=True)
    _check_regular(target)
    with _temporary_beside(target) as part:
        _copy_pages(source, part, target)
        with _exclusive(target, force=force):
            if target.exists():
                _link_or_copy(target, aside)
            # Side files of a database that is unreadable or deleted; SQLite would apply them to the new file.
            for suffix in _SIDE_FILES:
                with suppress(FileNotFoundError):
                    target.with_name(target.name + suffix).rename(aside.with_name(aside.name + suffix))
            _copy_ownership(target, part)
            _replace_durably(part, target)
    return copy


def copy_files(database: Path, source: Path, target: Path, *, prune: bool = False) -> tuple[int, int]:
    """Copy the files of messages that the database file names; returns how many it names, and how many are not there.

    `source` and `target` are folders; with `prune` the target keeps no other file, so that none that was erased stays
    in a copy. Raises OSError.
    """
    with _connect(database) as connection:
        if not _has_table(connection, "entry_files"):
            return 0, 0
        named = {digest for (digest,) in connection.execute("SELECT sha256 FROM entry_files") if digest}
    store = FileStore(target)
    missing = store.copy_from(FileStore(source), sorted(named))
    for digest in store.names() - named if prune else ():
        store.delete(digest)
    return len(named), missing


def _check_magic(file: Path) -> None:
    # A pipe would be waited for.
    _check_regular(file)
    with file.open("rb") as opened:
        if opened.read(len(_MAGIC)) != _MAGIC:
            raise CopyError(f"{file} is no SQLite database.")


def _check_regular(target: Path) -> None:
    """Refuse a folder, a device or a pipe: replacing it would turn /dev/null into a file."""
    if target.exists() and not target.is_file():
        raise CopyError(f"{target} is no regular file.")


@contextmanager
def _temporary_beside(target: Path) -> Iterator[Path]:
    """A file in the target's folder, readable by its owner alone; deleted after the block unless it was renamed."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
    finally:
        for suffix in ("", *_SIDE_FILES):
            part.with_name(part.name + suffix).unlink(missing_ok=True)


@contextmanager
def _connect(file: Path, wait_s: float = _OPEN_WAIT_S) -> Iterator[sqlite3.Connection]:
    """A connection to an existing file; SQLite opens it read-only when it is not writable."""
    try:
        opened = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=wait_s, isolation_level=None)
    except sqlite3.Error as error:
        raise CopyError(f"{file}: {error}") from None
    with closing(opened) as connection:
        yield connection


def _copy_pages(source: Path, part: Path, target: Path) -> None:
    """Copy the source to the temporary file; errors name the target it is for."""
    with _connect(source) as reader, _connect(part) as writer:
        # One fsync at the end suffices: after a crash before it, the temporary file is not used.
        writer.execute("PRAGMA synchronous=OFF")
        try:
            reader.backup(writer)
            # In write-ahead mode a read-only folder would make the copy unreadable.
            writer.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise CopyError(f"{source} cannot be copied to {target}: {error}") from None


def _replace_durably(part: Path, target: Path) -> None:
    """Rename the temporary file to the target atomically, with fsync of the file and of its folder."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_integrity(connection: sqlite3.Connection, file: Path) -> None:
    (result,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if result != "ok":
        raise CopyError(f"{file} is damaged: {' '.join(str(result).split())}")
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise CopyError(f"{file} is damaged: rows belong to others that are missing.")


def _revision(connection: sqlite3.Connection, file: Path) -> str | None:
    if not _has_table(connection, "alembic_version"):
        raise CopyError(f"{file} is no database of Scribe's.")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    revision: str | None = row[0] if row else None
    if revision is None:
        raise CopyError(f"{file} is no whole database: it says no schema.")
    if not schema.is_known(revision):
        raise CopyError(f"{file} is of a newer Scribe: its schema is {revision}.")
    return revision


def _check_tables(connection: sqlite3.Connection, file: Path, revision: str | None) -> None:
    """Refuse a file that lacks a table, or one of its columns where its schema is that of this code."""
    is_newest = revision == schema.newest()
    for table in metadata.sorted_tables:
        if not is_newest and table.name not in _ALWAYS:
            continue
        found = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table.name})")}
        missing = {column.name for column in table.columns} - found
        if not found or (is_newest and missing):
            lacks = table.name if not found else f"{table.name}.{min(missing)}"
            raise CopyError(f"{file} is no whole database: it lacks {lacks}.")


def _has_table(connection: sqlite3.Connection, table: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (table,)).fetchone() is not None


def _count(connection: sqlite3.Connection, table: str) -> int:
    if not _has_table(connection, table):
        return 0
    (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - one of two names above
    return int(found)


@contextmanager
def _exclusive(target: Path, *, force: bool) -> Iterator[None]:
    """Lock the target, if it exists, for the block. Raises InUseError while a bot runs: it keeps the file open."""
    if not target.exists():
        yield
        return
    with _connect(target, _EXCLUSIVE_WAIT_S) as connection:
        try:
            # Leaving write-ahead mode needs the only connection; it also moves the log's content into the file.
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            incidents = _count(connection, "incidents")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF in _IN_USE:
                raise InUseError(f"{target} is in use.") from None
            if not force:
                raise HoldsDataError(f"{target} cannot be read ({error}).") from None
            incidents = 0
        if incidents and not force:
            raise HoldsDataError(f"{target} holds {incidents} incident{'' if incidents == 1 else 's'}.")
        yield


def _link_or_copy(target: Path, aside: Path) -> None:
    """Give the file a second name, so that the target exists at every moment until it is replaced."""
    try:
        os.link(target, aside)
    except FileExistsError:
        raise CopyError(f"{aside} exists.") from None
    except OSError:  # a file system without links
        shutil.copy2(target, aside)


def _copy_ownership(target: Path, part: Path) -> None:
    """Give the new file the owner of the old one, or of the folder: root may restore what another user runs."""
    owner = (target if target.exists() else target.parent).stat()
    with suppress(PermissionError):
        os.chown(part, owner.st_uid, owner.st_gid)
    if target.exists():
        part.chmod(owner.st_mode & 0o777)
