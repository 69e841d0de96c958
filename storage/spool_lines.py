"""The lines of the spool's files: a checksum and a record, or a line that was set aside, with its reason before it.

Whatever lies in the folder, files are opened without waiting and read line by line, within a bounded memory.
"""

import errno
import json
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

MOST_LINE_BYTES = 4 << 20
"""The longest line that is read; Slack sends far less."""
CHUNK_BYTES = 1 << 16
_MARK, _TAB = b"!", b"\t"
"""Around the reason of a rejected line; a line of an earlier release has none."""
UNREADABLE, FOLDER, LINK, DEVICE, RUBBISH, UNDONE = "unreadable", "folder", "link", "device", "rubbish", "undone"
REASONS = {
    UNREADABLE: "it cannot be read by the user that runs Scribe",
    FOLDER: "it is a folder",
    LINK: "it is a link",
    DEVICE: "it is a pipe, a socket or a device",
    RUBBISH: "it holds too much that is no record",
    UNDONE: "some of it could not be done, and there was no room to keep that apart",
}
"""Why a file was set aside, by the end of its name."""
UNKNOWN = "unknown"
TORN, NO_RECORD, TOO_DEEP = "torn or changed: its checksum is wrong", "no JSON object", "nested too deep"
_TRANSIENT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EAGAIN})
"""Errors in opening a file that are this process's own, and pass."""

Record = dict[str, Any]


class UnusableError(Exception):
    """A line holds no record; the message says why."""


class NoFileError(Exception):
    """What has the name is no file that can be read; the message is the key of its REASONS."""


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file for reading, unbuffered and without ever waiting.

    Raises FileNotFoundError; OSError for what passes; and NoFileError for anything else.
    """
    code = _kind_of(path)
    if code is not None:
        raise NoFileError(code)
    try:
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _TRANSIENT:
            raise
        raise NoFileError(UNREADABLE) from None


def _kind_of(path: Path) -> str | None:
    """Why the name's kind makes it no file; None for a regular one. Raises FileNotFoundError."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        raise
    except NotADirectoryError:
        raise FileNotFoundError(path) from None
    except OSError:
        return UNREADABLE
    if stat.S_ISREG(mode):
        return None
    return FOLDER if stat.S_ISDIR(mode) else LINK if stat.S_ISLNK(mode) else DEVICE


def problem_of(path: Path) -> str | None:
    """Why it cannot be read, as a key of REASONS; None where it can, or is not there."""
    try:
        open_regular(path).close()
    except NoFileError as error:
        return str(error)
    except OSError:
        return None
    return None


def lines(file: IO[bytes]) -> Iterator[bytes | None]:
    """Yield the lines that are not empty, the last one also without its end; None for each that is too long."""
    rest, skipping = b"", False
    while chunk := file.read(CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if skipping:
                skipping = False
            elif line:
                yield line
        if len(rest) > MOST_LINE_BYTES or skipping:
            if not skipping:
                yield None
            rest, skipping = b"", True
    if rest and not skipping:
        yield rest


def with_reason(line: bytes, reason: str) -> bytes:
    """The line with the reason for which it is set aside before it."""
    plain = " ".join(reason.split())[:200]
    return _MARK + plain.encode(errors="backslashreplace") + _TAB + line


def without_reason(marked: bytes) -> tuple[str, bytes]:
    """The reason of a rejected line, and the line."""
    reason, tab, line = marked.partition(_TAB)
    if not (tab and reason.startswith(_MARK)):
        return UNKNOWN, marked
    return reason[1:].decode(errors="backslashreplace"), line


def encode(record: Record) -> bytes:
    """The record as a line, with its end."""
    content = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(content), content)


def changed_line(marked: bytes, change: Callable[[Record], Record], erase: Callable[[str], str]) -> bytes:
    """The line, with a reason before it or not: its record changed, or its text erased where it is no record."""
    _, line = without_reason(marked)
    head = marked[: len(marked) - len(line)]
    try:
        record = decode_line(line)
        changed = change(record)
        return marked if changed == record else head + encode(changed).rstrip(b"\n")
    except (UnusableError, RecursionError):
        text = marked.decode(errors="backslashreplace")
        erased = erase(text)
        return marked if erased == text else erased.encode(errors="backslashreplace").replace(b"\n", b" ")


def is_intact(line: bytes) -> bool:
    """Whether the line is as it was written, by its checksum."""
    checksum, _, content = line.partition(b" ")
    try:
        return len(checksum) == 8 and int(checksum, 16) == zlib.crc32(content)  # noqa: PLR2004 - its hexadecimal digits
    except ValueError:
        return False


def decode_line(line: bytes) -> Record:
    """The record of a line. Raises UnusableError."""
    if not is_intact(line):
        raise UnusableError(TORN)
    try:
        record = json.loads(line.partition(b" ")[2])
    except ValueError:
        raise UnusableError(NO_RECORD) from None
    except RecursionError:
        raise UnusableError(TOO_DEEP) from None
    if not isinstance(record, dict):
        raise UnusableError(NO_RECORD)
    return record


def open_private(path: Path, flags: int) -> IO[bytes]:
    """Open a file unbuffered, readable by its owner alone: it holds what people typed."""
    return os.fdopen(os.open(path, flags, 0o600), "r+b" if flags & os.O_RDWR else "wb", buffering=0)


def write_all(file: IO[bytes], content: bytes) -> None:
    """Write all of it. Raises OSError, also when the disk took only a part."""
    if file.write(content) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_durably(file: IO[bytes], content: bytes) -> None:
    """Write and fsync all of it. Raises OSError, also when the disk took only a part."""
    write_all(file, content)
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a new or deleted name durable: fsync of a file does not cover the folder's entry for it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
