"""Commits Scribe's files with the operator's `git`.

As it is Git itself that commits, the repository's hooks, signing, worktrees and configuration apply. Git gets no
terminal to prompt on, a limited time, and none of the bot's secrets in its environment.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from bot.publishing.target import NotYetError

LIMIT_S: Final = 20.0
"""The most seconds for all commands together, hooks and the wait for another commit included."""
LOCK_TRIES, LOCK_WAIT_S = 10, 0.2
"""How often, and at what interval in seconds, a command is tried while another Git process holds the index lock."""
_SECRETS = ("SLACK_", "SCRIBE_", "DATABASE_URL", "PGPASS")
_LOCATION = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"})
_NO_PROMPTS = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}
_DEFAULT_IDENTITY = {"user.name": "Scribe", "user.email": "scribe@localhost"}
"""The committer if Git's configuration has none."""
_LONGEST_REASON, _MOST_OUTPUT_BYTES = 300, 100_000
_LOOK_S, _ENDLESS_BYTES = 0.25, 10_000_000
"""Every how many seconds a command's output, hooks included, is looked at, and how much of it is too much."""
_ENDLESS = "The files are written, but git, or a hook of the repository, does not stop to write messages."
_commit_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    status: int
    stdout: str
    stderr: str


def commit(folder: Path, names: Sequence[str], *, message: str) -> str | None:
    """Commit the files `names` of `folder`, and nothing else, and return the commit's short id.

    Returns None if no file differs, or if the folder is not in a work tree. Files that others staged stay staged.
    Raises NotYetError with Git's message if Git refuses.
    """
    if shutil.which("git") is None:
        if any((parent / ".git").exists() for parent in (folder, *folder.resolve().parents)):
            raise NotYetError("The files are written, but git is not installed, so nothing is committed.")
        return None
    git = _Git(folder, until_s=time.monotonic() + LIMIT_S)
    if not _commit_lock.acquire(timeout=LIMIT_S):
        raise _too_slow()
    try:
        if not git.can_track(names[0]):
            return None
        # One that was deleted before it was ever committed is nothing to Git.
        names = [name for name in names if (folder / name).exists() or git.tracks(name)]
        git.checked("add", "--", *names)
        if not git.checked("status", "--porcelain", "--", *names):
            return None
        git.checked(*git.identity_options(), "commit", "--quiet", "--only", "-m", message, "--", *names)
        return git.checked("rev-parse", "--short", "HEAD")
    finally:
        _commit_lock.release()


@dataclass(frozen=True, slots=True)
class _Git:
    """Runs Git commands in `folder` until `until_s` on the monotonic clock."""

    folder: Path
    until_s: float

    def can_track(self, name: str) -> bool:
        """Whether the folder is in a work tree that does not ignore the file."""
        inside = self.run("rev-parse", "--is-inside-work-tree")
        if inside.status != 0 and "not a git repository" not in inside.stderr:
            raise _refusal(inside)
        return inside.stdout == "true" and self.run("check-ignore", "--quiet", name).status != 0

    def tracks(self, name: str) -> bool:
        """Whether the file is in the index."""
        return self.run("ls-files", "--error-unmatch", "--", name).status == 0

    def identity_options(self) -> Iterator[str]:
        """Options for each part of _DEFAULT_IDENTITY that is not configured."""
        for key, value in _DEFAULT_IDENTITY.items():
            if self.run("config", key).status != 0:
                yield from ("-c", f"{key}={value}")

    def checked(self, *arguments: str) -> str:
        """The output of a command, which is retried while the index is locked. Raises NotYetError if it fails."""
        for left in reversed(range(LOCK_TRIES)):
            result = self.run(*arguments)
            if result.status == 0:
                return result.stdout
            if not ("index.lock" in result.stderr and left):
                break
            time.sleep(LOCK_WAIT_S)
        raise _refusal(result)

    def run(self, *arguments: str) -> _Result:
        """Run one command. Raises NotYetError if it goes on or writes for too long, and kills it with its children."""
        # Files instead of pipes: a hook's child that lives on would hold a pipe open, and reading would wait for it.
        with TemporaryFile() as stdout, TemporaryFile() as stderr:
            process = subprocess.Popen(  # noqa: S603 - Scribe's own arguments
                ["git", *arguments],  # noqa: S607 - the one on the operator's path
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=_environment(),
                start_new_session=True,
            )
            while True:
                left_s = self.until_s - time.monotonic()
                with suppress(subprocess.TimeoutExpired):
                    status = process.wait(timeout=min(max(0.0, left_s), _LOOK_S))
                    return _Result(status=status, stdout=_read(stdout), stderr=_read(stderr))
                is_endless = any(os.fstat(each.fileno()).st_size > _ENDLESS_BYTES for each in (stdout, stderr))
                if left_s <= 0 or is_endless:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    raise NotYetError(_ENDLESS) if is_endless else _too_slow()


def _too_slow() -> NotYetError:
    return NotYetError(f"The files are written, but git did not finish within {LIMIT_S:.0f} s.")


def _read(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read(_MOST_OUTPUT_BYTES).decode(errors="replace").strip()


def _refusal(result: _Result) -> NotYetError:
    reason = " ".join(result.stderr.split()) or f"exit code {result.status}, and nothing said"
    reason = reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"
    return NotYetError(f"The files are written, but git did not commit them: {reason}")


def _environment() -> dict[str, str]:
    """The bot's environment without its secrets, and without variables that point Git to another repository."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(_SECRETS) and name not in _LOCATION
    } | _NO_PROMPTS
