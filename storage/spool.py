"""The spool: requests received while the database is away, kept on the local disk until they can be replayed.

A folder of files with one record a line: a checksum and a JSON object. Each process appends to a file of its own and
holds a lock on it. A file without a lock was left by a process that died, and the next process to replay takes it over.
A line whose checksum does not match, such as one cut short by a crash, is moved to a file of rejects; the others are
replayed.
"""

import errno
import json
import os
import shutil
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import portalocker

RESERVE_BYTES = 1 << 20
"""Size of a file that is deleted to make room when the disk is full, which is a likely reason to need the spool."""
_SUFFIX = ".spool"
_RESERVE = "reserve"
_REJECTS = "bad"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """The content of one file: its records in order, and the lines that cannot be used."""

    records: list[Record] = field(default_factory=list)
    rejected: list[bytes] = field(default_factory=list)

    def reject(self, record: Record) -> None:
        """Add a record that is readable but cannot be used to the rejected lines."""
        self.rejected.append(_encode(record).rstrip(b"\n"))


class Spool:
    """The spool in a folder, which is created when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own_file: IO[bytes] | None = None

    @property
    def rejects_file(self) -> Path:
        """The file that holds the lines that could not be used."""
        return self.folder / _REJECTS

    def append(self, record: Record, *, at: datetime) -> None:
        """Append the record; it is on the disk when this returns. Raises OSError when the disk does not take it."""
        line = _encode(record)
        try:
            self._write(line, at)
        except OSError as error:
            if error.errno != errno.ENOSPC or not self._free_reserve():
                raise
            self._write(line, at)

    def _write(self, line: bytes, at: datetime) -> None:
        file = self._own_file or self._open(at)
        before = file.seek(0, os.SEEK_END)
        try:
            _write_durably(file, line)
        except OSError:
            # The next line would be appended to half a line, and both would be rejected.
            with suppress(OSError):
                file.truncate(before)
            raise

    def _open(self, at: datetime) -> IO[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The time comes first in the name, so that files are replayed in the order in which they were begun.
        path = self.folder / f"{at:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}{_SUFFIX}"
        file = _open_private(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        portalocker.lock(file, portalocker.LOCK_EX)
        _sync_folder(self.folder)
        self._own_file = file
        return file

    def close(self) -> None:
        """Close and unlock this process's file, so that it can be replayed."""
        if self._own_file is not None:
            self._own_file.close()
            self._own_file = None

    def reserve_space(self) -> None:
        """Write the reserve file. Without room for it the spool works all the same, until the disk is full."""
        path = self.folder / _RESERVE
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                path.write_bytes(b"\0" * RESERVE_BYTES)

    def _free_reserve(self) -> bool:
        try:
            (self.folder / _RESERVE).unlink()
        except OSError:
            return False
        return True

    def is_writable(self) -> bool:
        """Whether a record could be appended now: the folder is writable or can be made, and its disk has room."""
        place = nearest_folder(self.folder / _RESERVE)
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            return False
        return shutil.disk_usage(place).free >= RESERVE_BYTES or (self.folder / _RESERVE).exists()

    def files(self) -> list[Path]:
        """The files of all processes, oldest first."""
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    @contextmanager
    def replaying(self, path: Path) -> Iterator[SpoolFile | None]:
        """Lock a file and yield its content; yield None when another process holds it.

        At the end of the block its rejected lines are kept and the file is deleted; when the block raises, it stays.
        """
        try:
            file = path.open("rb")
        except FileNotFoundError:
            yield None
            return
        with file:
            try:
                portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
            except portalocker.LockException:
                yield None
                return
            # Another process may have replayed and deleted it between the opening and the lock.
            if not path.exists():
                yield None
                return
            content = _decode(file.read())
            yield content
            self._keep_rejected(content.rejected)
            path.unlink()
            _sync_folder(self.folder)

    def _keep_rejected(self, lines: list[bytes]) -> None:
        if lines:
            with _open_private(self.rejects_file, os.O_CREAT | os.O_APPEND | os.O_WRONLY) as file:
                _write_durably(file, b"".join(line + b"\n" for line in lines))

    def count(self) -> int:
        """The number of records to be replayed. Raises OSError when the folder cannot be read."""
        total = 0
        for path in self.files():
            # A file may be replayed and deleted between the listing and the reading.
            with suppress(FileNotFoundError):
                total += len(_decode(path.read_bytes()).records)
        return total

    def rejected_count(self) -> int:
        """The number of lines that could not be used."""
        return self.rejects_file.read_bytes().count(b"\n") if self.rejects_file.exists() else 0


def nearest_folder(file: Path) -> Path:
    """The closest existing ancestor of a path; it may be a file, where one is in the way."""
    return next(place for place in file.absolute().parents if place.exists())


def _encode(record: Record) -> bytes:
    content = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(content), content)


def _decode(content: bytes) -> SpoolFile:
    result = SpoolFile()
    for line in filter(None, content.split(b"\n")):
        record = _decode_line(line)
        if record is None:
            result.rejected.append(line)
        else:
            result.records.append(record)
    return result


def _decode_line(line: bytes) -> Record | None:
    checksum, _, content = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(content):
            return None
        record = json.loads(content)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _open_private(path: Path, flags: int) -> IO[bytes]:
    """Open a file unbuffered, readable by its owner alone: it holds what people typed."""
    return os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0)


def _write_durably(file: IO[bytes], content: bytes) -> None:
    """Write and fsync all of it. Raises OSError, also when the disk took only a part."""
    if file.write(content) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a new or deleted name durable: fsync of a file does not cover the folder's entry for it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
