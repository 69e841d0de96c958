"""Files of the messages that entries were made from: what is known of each, and the bytes in a folder.

The bytes lie under their SHA-256, so that the same picture lies there once, and a name says whether the bytes are
whole. A file is written before its row says that it is kept; bytes that no row names are of a process that died there.
"""

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from storage import outbox
from storage.dialects import row_id
from storage.models import entry_files
from storage.spool_lines import open_private, sync_folder, write_durably

KEEP = "keep_file"
"""The action of the job that fetches a file."""
WAITING, KEPT, REFUSED, ERASED = "waiting", "kept", "refused", "erased"
_NAME = re.compile(r"[0-9a-f]{64}")
_PART = ".part"


class FileStore:
    """The folder of the bytes. It is created with the first file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes) -> str:
        """Write the bytes, complete or not at all, durable when this returns; returns their SHA-256. Raises OSError."""
        digest = sha256(content).hexdigest()
        if self.read(digest) is not None:
            return digest
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.folder / f".{digest}.{token_hex(4)}{_PART}"
        try:
            with open_private(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY) as file:
                write_durably(file, content)
            part.replace(self._path(digest))
        except OSError:
            part.unlink(missing_ok=True)
            raise
        sync_folder(self.folder)
        return digest

    def read(self, digest: str) -> bytes | None:
        """The bytes; None where they are not there, or not whole."""
        try:
            content = self._path(digest).read_bytes()
        except OSError:
            return None
        return content if sha256(content).hexdigest() == digest else None

    def delete(self, digest: str) -> None:
        """Delete the bytes, durably. Raises OSError."""
        with suppress(FileNotFoundError):
            self._path(digest).unlink()
            sync_folder(self.folder)

    def names(self) -> set[str]:
        """The SHA-256 of all that lies here."""
        return {each.name for each in self.folder.glob("*") if _NAME.fullmatch(each.name)}

    def copy_from(self, other: "FileStore", digests: Iterable[str]) -> int:
        """Copy these files from another folder; returns how many of them are not there. Raises OSError."""
        missing = 0
        for digest in digests:
            content = other.read(digest)
            missing += content is None
            if content is not None:
                self.put(content)
        return missing

    def _path(self, digest: str) -> Path:
        if not _NAME.fullmatch(digest):
            raise ValueError("no SHA-256")
        return self.folder / digest


def add(connection: Connection, workspace_id: str, entry_id: int, file_ids: Sequence[str], *, at: Any) -> None:
    """Note that the entry's message has these files, and have each fetched by a job of its own lane."""
    for file_id in dict.fromkeys(file_ids):
        facts = {"entry_id": entry_id, "file_id": file_id, "state": WAITING, "name": "", "added_at": at}
        row = row_id(connection.execute(insert(entry_files), facts))
        content, lane = {"file": row}, f"file:{row}"
        outbox.add(connection, workspace_id, lane=lane, action=KEEP, content=content, at=at)


def waiting(connection: Connection, row: int) -> str | None:
    """Slack's id of the file that is to be fetched; None where it is not any more."""
    query = select(entry_files.c.file_id).where(entry_files.c.id == row, entry_files.c.state == WAITING)
    found: str | None = connection.execute(query).scalar()
    return found


def keep(
    connection: Connection, row: int, *, name: str, kind: str, size: int, digest: str, permalink: str | None
) -> bool:
    """Note that the bytes are kept; False where the file was erased meanwhile."""
    facts = {"name": name, "kind": kind, "size": size, "sha256": digest, "permalink": permalink}
    return _settle(connection, row, state=KEPT, **facts)


def refuse(connection: Connection, row: int, *, name: str, problem: str) -> None:
    """Note that the file is not kept, and why, in a word."""
    _settle(connection, row, state=REFUSED, name=name, problem=problem[:64])


def _settle(connection: Connection, row: int, **facts: Any) -> bool:
    still = and_(entry_files.c.id == row, entry_files.c.state == WAITING)
    return connection.execute(update(entry_files).where(still).values(**facts)).rowcount == 1


def move(connection: Connection, workspace_id: str, entry_id: int, *, to: int, at: Any) -> None:
    """Note the files of an entry on the copy that takes its place; those that are still to come are fetched for it."""
    rows = connection.execute(select(entry_files).where(entry_files.c.entry_id == entry_id).order_by(entry_files.c.id))
    for row in rows.mappings().all():
        if row["state"] == WAITING:
            add(connection, workspace_id, to, [row["file_id"]], at=at)
        else:
            facts = {name: value for name, value in row.items() if name != "id"}
            connection.execute(insert(entry_files), facts | {"entry_id": to})


def erase(connection: Connection, entry_ids: Iterable[int]) -> list[str]:
    """Forget the files of these entries; returns the SHA-256 of the bytes that no other entry has."""
    of_entries = entry_files.c.entry_id.in_(list(entry_ids))
    held = connection.execute(select(entry_files.c.sha256).where(of_entries, entry_files.c.sha256.is_not(None)))
    digests = set(held.scalars())
    gone = {"state": ERASED, "name": "", "sha256": None, "permalink": None}
    connection.execute(update(entry_files).where(of_entries).values(**gone))
    return sorted(digests - referenced(connection))


def referenced(connection: Connection) -> set[str]:
    """The SHA-256 of all bytes that are kept for an entry."""
    query = select(entry_files.c.sha256).where(entry_files.c.sha256.is_not(None)).distinct()
    return set(connection.execute(query).scalars())


def refused_by_problem(connection: Connection) -> dict[str, int]:
    """How many files are not kept, by the reason."""
    query = select(entry_files.c.problem, func.count()).where(entry_files.c.state == REFUSED)
    return {problem: count for problem, count in connection.execute(query.group_by(entry_files.c.problem))}  # noqa: C416 - a Row is no pair to mypy
