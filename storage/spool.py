"""The spool: what was typed while the database is away, kept on this machine's own disk until it is back.

A folder of files, one record a line: a checksum and a JSON object. A process appends to a file of its own, which it
holds locked; a file that nobody holds was left by a process that died, and whoever drains next takes it over. A
line whose checksum does not fit, such as one that a crash cut short, is kept aside and the others are read.
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

from storage.vitals import nearest_folder

RESERVE_BYTES = 1 << 20
"""Kept free for the day the disk is full, which is a day on which a database goes away."""
_SUFFIX = ".spool"
_RESERVE = "reserve"
_BAD = "bad"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """A file of the spool while it is drained: its records in order, and the lines that cannot be used."""

    records: list[Record] = field(default_factory=list)
    rejected: list[bytes] = field(default_factory=list)

    def reject(self, record: Record) -> None:
        """Keep a record that can be read but not be used with the bad lines."""
        self.rejected.append(_line(record).rstrip(b"\n"))


class Spool:
    """The spool in the folder, which is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own: IO[bytes] | None = None

    def append(self, record: Record, *, at: datetime) -> None:
        """Keep the record; it is on the disk when this returns. Raises OSError when the disk cannot take it."""
        line = _line(record)
        try:
            self._write(line, at)
        except OSError as error:
            if error.errno != errno.ENOSPC or not self._give_reserve():
                raise
            self._write(line, at)

    def _write(self, line: bytes, at: datetime) -> None:
        own = self._own or self._open(at)
        before = own.seek(0, os.SEEK_END)
        try:
            _write_through(own, line)
        except OSError:
            # Half a line would take the next one with it.
            with suppress(OSError):
                own.truncate(before)
            raise

    def _open(self, at: datetime) -> IO[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Named by its time, so that files are drained in the order they were begun.
        path = self.folder / f"{at:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}{_SUFFIX}"
        own = _open_for_us_alone(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        portalocker.lock(own, portalocker.LOCK_EX)
        _sync(self.folder)
        self._own = own
        return own

    def close(self) -> None:
        """Leave what is kept to whoever drains next."""
        if self._own is not None:
            self._own.close()
            self._own = None

    def reserve_space(self) -> None:
        """Keep some of the disk free for the spool; where that cannot be had, it does without."""
        path = self.folder / _RESERVE
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                path.write_bytes(b"\0" * RESERVE_BYTES)

    def _give_reserve(self) -> bool:
        try:
            (self.folder / _RESERVE).unlink()
        except OSError:
            return False
        return True

    def is_writable(self) -> bool:
        """Whether it could keep something now: there is a folder to write to, or to be made, and room on its disk."""
        place = nearest_folder(self.folder / _RESERVE)
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            return False
        return shutil.disk_usage(place).free >= RESERVE_BYTES or (self.folder / _RESERVE).exists()

    def files(self) -> list[Path]:
        """The files there are, oldest first, whoever holds them."""
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    @contextmanager
    def replaying(self, path: Path) -> Iterator[SpoolFile | None]:
        """The file, held; None when another process holds it.

        The file is gone when the block ends, and its bad lines are kept aside; when the block raises, all stays.
        """
        try:
            file = path.open("rb")
        except FileNotFoundError:
            yield None
            return
        with file:
            # Drained by another process between the look and the lock, it is no file any more.
            if not _lock(file) or not path.exists():
                yield None
                return
            held = _read(file.read())
            yield held
            self._keep_aside(held.rejected)
            path.unlink()
            _sync(self.folder)

    @property
    def rejects_file(self) -> Path:
        """Where lines that cannot be used are kept."""
        return self.folder / _BAD

    def _keep_aside(self, lines: list[bytes]) -> None:
        if not lines:
            return
        with _open_for_us_alone(self.rejects_file, os.O_CREAT | os.O_APPEND | os.O_WRONLY) as aside:
            _write_through(aside, b"".join(line + b"\n" for line in lines))

    def count(self) -> int:
        """How many records wait. Raises OSError when the folder cannot be read."""
        return sum(len(_read(_content(path)).records) for path in self.files())

    def rejected_count(self) -> int:
        """How many lines were kept aside."""
        return self.rejects_file.read_bytes().count(b"\n") if self.rejects_file.exists() else 0


def _content(path: Path) -> bytes:
    """What is in the file; nothing when it was drained just now."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _line(record: Record) -> bytes:
    content = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(content), content)


def _lock(file: IO[bytes]) -> bool:
    """Hold the file; False when another process does."""
    try:
        portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
    except portalocker.LockException:
        return False
    return True


def _read(content: bytes) -> SpoolFile:
    held = SpoolFile()
    for line in filter(None, content.split(b"\n")):
        record = _record(line)
        if record is None:
            held.rejected.append(line)
        else:
            held.records.append(record)
    return held


def _record(line: bytes) -> Record | None:
    checksum, _, content = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(content):
            return None
        record = json.loads(content)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _open_for_us_alone(path: Path, flags: int) -> IO[bytes]:
    return os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0)


def _write_through(file: IO[bytes], content: bytes) -> None:
    """Write all of it, onto the disk. Raises OSError, also where only a part of it found room."""
    if file.write(content) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make a file's name as durable as its content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
