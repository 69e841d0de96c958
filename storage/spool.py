"""The spool: requests received while the database is away, kept on the local disk until they can be replayed.

A folder of files with one record a line: a checksum and a JSON object. Each process appends to a file of its own and
holds a lock on it. A file without a lock was left by a process that died, and the next process to replay takes it over.

What cannot be read or done stops nothing else. A line is moved to a file of rejects, with its reason; what is no file
of lines, or holds more of them than memory should, is renamed as a whole, with the reason in its name: that needs no
room on the disk. Both stay until an operator has them tried again.
"""

import errno
import os
import shutil
import stat
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

import portalocker

from storage.spool_lines import (
    CHUNK_BYTES,
    DEVICE,
    MOST_LINE_BYTES,
    REASONS,
    RUBBISH,
    UNDONE,
    UNREADABLE,
    NoFileError,
    Record,
    UnusableError,
    changed_line,
    decode_line,
    encode,
    is_intact,
    lines,
    open_private,
    open_regular,
    problem_of,
    sync_folder,
    with_reason,
    write_all,
    write_durably,
)

RESERVE_BYTES = 1 << 20
"""Size of a file that is deleted to make room when the disk is full, which is a likely reason to need the spool."""
_MOST_REJECTED_BYTES = 4 << 20
"""With more rejected lines than that the file is kept whole, so that memory stays bounded."""
_MOST_COUNTED_BYTES = 32 << 20
"""How far `count` reads; what lies behind is not counted, so that a probe is answered whatever lies there."""
SUFFIX = ".spool"
ASIDE = ".aside-"
"""Between the name of a file that was set aside, and why: a key of REASONS."""
PART = ".part"
_RESERVE = "reserve"
_REJECTS = "bad"
_MOST_NAME_BYTES = 100
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
MOST_DEATHS = 3
"""Times the process may end in the middle of a line before the line is set aside."""
DEADLY = f"the process ended {MOST_DEATHS} times while it was done"
_ATTEMPTS = ".attempts"
_MOST_ATTEMPTS_BYTES = 1 << 16


class SpooledRecord(NamedTuple):
    """A record with the line it was read from."""

    line: bytes
    record: Record


class Attempts:
    """What of a file is in hand, and at what earlier processes ended, in a small file beside it.

    Its first line holds a name for each of the deaths and one for what is in hand, which is a death where the next
    process reads it. The kernel keeps what is written when the process dies, by whatever signal. It is synced at the
    first attempt, and at all once a process has died at the file: then the line may take the machine along. A disk
    that takes nothing keeps nothing from being replayed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._deaths: Counter[str] = Counter()
        self._file: IO[bytes] | None = None

    def read(self) -> None:
        """Read what earlier processes left."""
        with suppress(OSError, NoFileError), open_regular(self._path) as file:
            names, _, _ = file.read(_MOST_ATTEMPTS_BYTES).partition(b"\n")
            self._deaths = Counter(names.decode(errors="replace").split())

    def begin(self, name: str) -> bool:
        """Write down that this is in hand; False where processes have ended at it MOST_DEATHS times."""
        if self._deaths[name] >= MOST_DEATHS:
            return False
        self._write(name, durably=self._file is None or bool(self._deaths))
        return True

    def end(self) -> None:
        """Write down that nothing is in hand: the process lives."""
        if self._file is not None:
            self._write("", durably=False)
            self._file.close()
            self._file = None

    def forget(self) -> None:
        """Delete the file: what it is about is done or set aside."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _write(self, in_hand: str, *, durably: bool) -> None:
        line = " ".join([in_hand, *self._deaths.elements()])
        with suppress(OSError):
            if self._file is None:
                self._file = open_private(self._path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            # Over what was there, without emptying it first: a death in between leaves the one or the other.
            os.pwrite(self._file.fileno(), f"{line}\n".encode(), 0)
            if durably:
                os.fsync(self._file.fileno())


class SpoolFile:
    """A locked file: its records in order, read line by line, and what of it cannot be used."""

    def __init__(self, path: Path, file: IO[bytes], attempts: Attempts) -> None:
        self.path = path
        self._file = file
        self._attempts = attempts
        self.rejected: list[bytes] = []
        self.rejections = 0
        self.spoiled: str | None = None
        """Why the file is to be kept as a whole: one of REASONS."""
        self._rejected_bytes = 0

    @property
    def key(self) -> str:
        """A short name for the file that any database takes, the same at the next attempt."""
        name = self.path.name
        plain = name.isascii() and name.isprintable() and len(name) <= _MOST_NAME_BYTES
        return name if plain else f"{zlib.crc32(os.fsencode(name)):08x}"

    def records(self) -> Iterator[SpooledRecord]:
        """Yield the records; a line that is none is rejected."""
        for line in self._lines():
            if not self._attempts.begin(_name_of(line)):
                self._reject_line(line, DEADLY)
                continue
            try:
                record = decode_line(line)
            except UnusableError as error:
                self._reject_line(line, str(error))
            else:
                yield SpooledRecord(line, record)

    def batches(self, most: int) -> Iterator[list[SpooledRecord]]:
        """Yield the records in lists of at most `most`."""
        records = self.records()
        while batch := list(islice(records, most)):
            yield batch

    def begin(self, spooled: SpooledRecord) -> None:
        """Write down that the record is about to be done."""
        self._attempts.begin(_name_of(spooled.line))

    def begin_to_tell(self, number: int) -> bool:
        """Write down that the batch of that number is about to be told of; False where that has ended processes."""
        return self._attempts.begin(f"telling-{number}")

    def reject(self, spooled: SpooledRecord, reason: str) -> None:
        """Keep a record that is readable but cannot be used or done."""
        self._reject_line(spooled.line, reason)

    def _lines(self) -> Iterator[bytes]:
        try:
            for line in lines(self._file):
                if line is None:
                    self._spoil(RUBBISH)
                else:
                    yield line
        except OSError:
            # A disk that gives half of the file.
            self._spoil(UNREADABLE)

    def _reject_line(self, line: bytes, reason: str) -> None:
        self.rejections += 1
        kept = with_reason(line, reason)
        # Short lines take more memory for their reasons than for themselves.
        self._rejected_bytes += len(kept)
        if self._rejected_bytes > _MOST_REJECTED_BYTES:
            self._spoil(RUBBISH)
        elif self.spoiled is None:
            self.rejected.append(kept)

    def _spoil(self, reason: str) -> None:
        self.rejections += self.spoiled is None
        self.spoiled = self.spoiled or reason
        # They stay in the file, which is kept.
        self.rejected.clear()


class Spool:
    """The spool in a folder, which is created when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own_file: IO[bytes] | None = None
        self._done: set[tuple[int, int, int]] = set()
        """Device, inode and time of files that were replayed and could be neither deleted nor renamed."""

    @property
    def rejects_file(self) -> Path:
        """The file that holds the lines that could not be used."""
        return self.folder / _REJECTS

    def append(self, record: Record, *, at: datetime) -> None:
        """Append the record; it is on the disk when this returns. Raises OSError when the disk does not take it."""
        line = encode(record)
        try:
            self._write(line, at)
        except OSError as error:
            if error.errno not in _FULL or not self._free_reserve():
                raise
            self._write(line, at)

    def _write(self, line: bytes, at: datetime) -> None:
        file = self._own_file or self._open(at)
        before = file.seek(0, os.SEEK_END)
        try:
            write_durably(file, line)
        except OSError:
            # The next line would be appended to half a line, and both would be rejected.
            with suppress(OSError):
                file.truncate(before)
            raise

    def _open(self, at: datetime) -> IO[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The time comes first in the name, so that files are replayed in the order in which they were begun.
        path = self.folder / f"{at:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}{SUFFIX}"
        file = open_private(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        portalocker.lock(file, portalocker.LOCK_EX)
        sync_folder(self.folder)
        self._own_file = file
        return file

    def close(self) -> None:
        """Close and unlock this process's file, so that it can be replayed."""
        if self._own_file is not None:
            self._own_file.close()
            self._own_file = None

    def reserve_space(self) -> None:
        """Write the reserve file, unless it is there or the disk is nearly full.

        Without it the spool works all the same, until the disk is full. Call it now and then: the reserve is used up
        by the first full disk.
        """
        if self._has_reserve():
            return
        path = self.folder / _RESERVE
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if shutil.disk_usage(self.folder).free < RESERVE_BYTES * 3 // 2:
                return
            try:
                with open_private(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK) as file:
                    write_durably(file, b"\0" * RESERVE_BYTES)
            except OSError:
                path.unlink(missing_ok=True)

    def _has_reserve(self) -> bool:
        try:
            found = (self.folder / _RESERVE).lstat()
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size >= RESERVE_BYTES

    def _free_reserve(self) -> bool:
        if not self._has_reserve():
            return False
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
        return shutil.disk_usage(place).free >= RESERVE_BYTES or self._has_reserve()

    def files(self) -> list[Path]:
        """The files of all processes, oldest first. Raises OSError when the folder cannot be read."""
        return self._named(lambda name: name.endswith(SUFFIX))

    def aside_files(self) -> list[Path]:
        """The files that were set aside as a whole. Raises OSError when the folder cannot be read."""
        return self._named(lambda name: ASIDE in name)

    def _named(self, wanted: Callable[[str], bool]) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if wanted(path.name))
        except (FileNotFoundError, NotADirectoryError):
            return []

    @contextmanager
    def replaying(self, path: Path) -> Iterator[SpoolFile | None]:
        """Lock a file and yield it; yield None when another process holds it, or it was set aside.

        At the end of the block its rejected lines are kept and the file is deleted; when the block raises, it stays.
        """
        file = self._take(path)
        if file is None:
            yield None
            return
        attempts = Attempts(path.with_name(f"{path.name}{_ATTEMPTS}"))
        with file:
            attempts.read()
            content = SpoolFile(path, file, attempts)
            try:
                yield content
            finally:
                attempts.end()
            self._finish(content, file)
            attempts.forget()

    def _take(self, path: Path) -> IO[bytes] | None:
        """The file, opened and locked; what is no readable file is set aside."""
        try:
            file = open_regular(path)
        except FileNotFoundError:
            return None
        except NoFileError as error:
            self._set_aside(path, str(error))
            return None
        try:
            portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
            is_same = os.path.samestat(path.lstat(), os.fstat(file.fileno()))
        except (portalocker.LockException, OSError):
            # Another process has it, or has replayed and deleted it between the opening and the lock.
            is_same = False
        if not is_same or _identity(file) in self._done:
            file.close()
            return None
        return file

    def _finish(self, content: SpoolFile, file: IO[bytes]) -> None:
        """Keep what was rejected, and the file itself where that is impossible; then it is out of the way."""
        reason = content.spoiled
        if reason is None and content.rejected and not self._keep_rejected(content.rejected):
            reason = UNDONE
        if reason is not None:
            done = self._set_aside(content.path, reason)
        else:
            try:
                content.path.unlink()
            except OSError:
                done = False
            else:
                done = True
                with suppress(OSError):
                    sync_folder(self.folder)
        if not done:
            self._done.add(_identity(file))

    def _keep_rejected(self, lines: list[bytes]) -> bool:
        content = b"".join(line + b"\n" for line in lines)
        try:
            self._append_rejected(content)
        except OSError as error:
            if error.errno not in _FULL or not self._free_reserve():
                return False
            try:
                self._append_rejected(content)
            except OSError:
                return False
        return True

    def _append_rejected(self, content: bytes) -> None:
        with self.rejects(os.O_CREAT | os.O_RDWR) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                write_durably(file, content)
            except OSError:
                with suppress(OSError):
                    file.truncate(before)
                raise

    @contextmanager
    def rejects(self, flags: int) -> Iterator[IO[bytes]]:
        """The file of rejected lines, locked. Raises OSError, also when it is no file or another process holds it."""
        with open_private(self.rejects_file, flags | os.O_NOFOLLOW | os.O_NONBLOCK) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, REASONS[DEVICE], str(self.rejects_file))
            try:
                portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
            except portalocker.LockException:
                raise BlockingIOError(errno.EAGAIN, "another process holds it", str(self.rejects_file)) from None
            if not os.path.samestat(os.fstat(file.fileno()), self.rejects_file.stat()):
                raise BlockingIOError(errno.EAGAIN, "another process rewrites it", str(self.rejects_file))
            yield file

    def _set_aside(self, path: Path, reason: str) -> bool:
        """Rename the file so that it is not replayed again; False where the folder does not let it."""
        base = os.fsdecode(os.fsencode(path.name.removesuffix(SUFFIX))[:_MOST_NAME_BYTES])
        try:
            path.rename(path.with_name(f"{base}.{uuid.uuid4().hex[:8]}{ASIDE}{reason}"))
        except OSError:
            return False
        with suppress(OSError):
            sync_folder(self.folder)
        return True

    def rewrite(self, change: Callable[[Record], Record], erase: Callable[[str], str]) -> int:
        """Change the records that wait, and the rejected lines, which may be no records; returns how many changed.

        A file that another process appends to or replays is left alone: it is about to be written to the database. So
        is what cannot be read.
        """
        paths = self._named(lambda name: name.endswith(SUFFIX) or ASIDE in name or name == _REJECTS)
        return sum(self._rewrite_file(path, change, erase) for path in paths)

    def _rewrite_file(self, path: Path, change: Callable[[Record], Record], erase: Callable[[str], str]) -> int:
        with suppress(FileNotFoundError, NoFileError, portalocker.LockException), open_regular(path) as file:
            portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
            changed = sum(line is not None and changed_line(line, change, erase) != line for line in lines(file))
            if changed:
                file.seek(0)
                part = path.with_name(f"{path.name[:_MOST_NAME_BYTES]}{PART}")
                with open_private(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY) as copy:
                    # A line that is too long to be looked through may hold the words, and is no record: it goes too.
                    for line in filter(None, lines(file)):
                        write_all(copy, changed_line(line, change, erase) + b"\n")
                    os.fsync(copy.fileno())
                part.replace(path)
                sync_folder(self.folder)
            return changed
        return 0

    def count(self) -> int:
        """The number of records to be replayed, at least: of much it counts the beginning.

        Raises OSError when the folder cannot be read.
        """
        total, budget = 0, _MOST_COUNTED_BYTES
        for path in self.files():
            # A file may be replayed and deleted between the listing and the reading.
            with suppress(FileNotFoundError, NoFileError), open_regular(path) as file:
                for line in lines(file):
                    total += line is not None and is_intact(line)
                    budget -= MOST_LINE_BYTES if line is None else len(line) + 1
                    if budget < 0:
                        return total
        return total

    def rejected_count(self) -> int:
        """The number of files and lines that could not be used. Raises OSError when the folder cannot be read."""
        aside = len(self.aside_files())
        unusable = sum(problem_of(path) is not None for path in (*self.files(), self.rejects_file))
        lines = 0
        with suppress(FileNotFoundError, NoFileError), open_regular(self.rejects_file) as file:
            while chunk := file.read(CHUNK_BYTES):
                lines += chunk.count(b"\n")
        return aside + unusable + lines


def nearest_folder(file: Path) -> Path:
    """The closest existing ancestor of a path; it may be a file, where one is in the way."""
    return next(place for place in file.absolute().parents if place.exists())


def _name_of(line: bytes) -> str:
    return f"{zlib.crc32(line):08x}"


def _identity(file: IO[bytes]) -> tuple[int, int, int]:
    held = os.fstat(file.fileno())
    return held.st_dev, held.st_ino, held.st_mtime_ns
