"""What the spool has set aside: listed with the reasons, and put back to be replayed once more."""

import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from storage.spool import ASIDE, PART, SUFFIX, Spool
from storage.spool_lines import (
    REASONS,
    RUBBISH,
    UNKNOWN,
    NoFileError,
    Record,
    UnusableError,
    decode_line,
    lines,
    open_private,
    open_regular,
    problem_of,
    sync_folder,
    without_reason,
    write_all,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A file or a line that could not be used, where it lies, and why; the `record`, if it is one."""

    file: Path
    reason: str
    size: int
    record: Record | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """The number of files and lines that are to be replayed again, and of those that still cannot be read."""

    again: int = 0
    left: int = 0


def listed(spool: Spool) -> Iterator[SetAside]:
    """Yield what could not be used: whole files first, then lines. Raises OSError when the folder is unreadable."""
    for path in spool.aside_files():
        reason = REASONS.get(path.name.rpartition(ASIDE)[2], UNKNOWN)
        with suppress(FileNotFoundError):
            yield SetAside(file=path, reason=reason, size=path.lstat().st_size)
    for path in (*spool.files(), spool.rejects_file):
        problem = problem_of(path)
        if problem is not None:
            yield SetAside(file=path, reason=REASONS[problem], size=path.lstat().st_size)
    with suppress(FileNotFoundError, NoFileError), open_regular(spool.rejects_file) as file:
        for marked in lines(file):
            yield _rejected(spool.rejects_file, marked)


def _rejected(file: Path, marked: bytes | None) -> SetAside:
    if marked is None:
        return SetAside(file=file, reason=REASONS[RUBBISH], size=0)
    reason, line = without_reason(marked)
    try:
        record = decode_line(line)
    except UnusableError:
        record = None
    return SetAside(file=file, reason=reason, size=len(line), record=record)


def put_back(spool: Spool) -> PutBack:
    """Have what was set aside replayed again by the process that replays; what still cannot be read stays.

    Run by root, it gives the files to the owner of the folder. Raises OSError when the folder cannot be written.
    """
    again = left = 0
    for path in (*spool.aside_files(), *(each for each in spool.files() if problem_of(each) is not None)):
        if not _is_readable_after_repair(path, spool.folder):
            left += 1
            continue
        again += 1
        if ASIDE in path.name:
            path.rename(_free_name(spool.folder, path.name.rpartition(ASIDE)[0].rpartition(".")[0]))
    if problem_of(spool.rejects_file) is not None and not _is_readable_after_repair(spool.rejects_file, spool.folder):
        return PutBack(again=again, left=left + 1)
    with suppress(FileNotFoundError), spool.rejects(os.O_RDWR) as file:
        rejected = _put_lines_back(spool, file)
        return PutBack(again=again + rejected.again, left=left + rejected.left)
    return PutBack(again=again, left=left)


def _put_lines_back(spool: Spool, file: IO[bytes]) -> PutBack:
    """Move the rejected lines that are records to a file of their own, which is there before they are taken away."""
    again = left = 0
    target = _free_name(spool.folder, f"put-back-{uuid.uuid4().hex[:8]}")
    back, rest = (spool.folder / f"{name}{PART}" for name in (target.name, spool.rejects_file.name))
    create = os.O_CREAT | os.O_TRUNC | os.O_WRONLY
    try:
        with open_private(back, create) as good, open_private(rest, create) as bad:
            for marked in lines(file):
                item = _rejected(spool.rejects_file, marked)
                if item.record is not None and marked is not None:
                    write_all(good, without_reason(marked)[1] + b"\n")
                    again += 1
                else:
                    # A line that is too long cannot be one that was set aside here.
                    write_all(bad, b"" if marked is None else marked + b"\n")
                    left += marked is not None
            for copy in (good, bad):
                os.fsync(copy.fileno())
        if again:
            for copy_path in (back, rest):
                _give_to_owner(copy_path, spool.folder)
            back.rename(target)
            rest.replace(spool.rejects_file)
            sync_folder(spool.folder)
    finally:
        back.unlink(missing_ok=True)
        rest.unlink(missing_ok=True)
    return PutBack(again=again, left=left)


def _is_readable_after_repair(path: Path, folder: Path) -> bool:
    """Whether it is a regular file that can be read now; root gives it to the folder's owner first."""
    with suppress(OSError):
        if stat.S_ISREG(path.lstat().st_mode):
            _give_to_owner(path, folder)
    return path.exists() and problem_of(path) is None


def _give_to_owner(path: Path, folder: Path) -> None:
    owner = folder.stat()
    with suppress(PermissionError):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
        path.chmod(0o600)


def _free_name(folder: Path, base: str) -> Path:
    """A name for a file to be replayed that is not taken."""
    path = folder / f"{base}{SUFFIX}"
    return path if not os.path.lexists(path) else folder / f"{base}-{uuid.uuid4().hex[:8]}{SUFFIX}"
