"""A commit of our own files, by the `git` that the operator's repository is used with.

Hooks, signing, worktrees and configuration are honoured because it is Git that reads them. It gets no terminal to ask
questions on, a bounded time, and none of the bot's secrets in its environment.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from bot.publishing.target import NotYetError

LIMIT_S: Final = 20.0
"""Seconds for all of it, hooks included: less than a job's lease."""
LOCK_TRIES, LOCK_WAIT_S = 10, 0.2
"""How often, and how many seconds apart, to try while another Git is at work in the repository."""
_SECRETS = ("SLACK_", "SCRIBE_", "DATABASE_URL", "PGPASS")
_ELSEWHERE = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"})
_QUIETLY = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}
_NOBODY = {"user.name": "Scribe", "user.email": "scribe@localhost"}
"""Who commits where the repository does not say."""
_MOST_TOLD, _MOST_READ = 300, 100_000
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    status: int
    out: str
    problem: str


def commit(folder: Path, names: Sequence[str], *, message: str) -> str | None:
    """Commit the files `names` of `folder` if they differ, and nothing else; the commit's short id.

    None where nothing differs, or no repository looks after the folder. What others have staged stays staged. Raises
    NotYetError with Git's own words where it would not.
    """
    if shutil.which("git") is None:
        if any((parent / ".git").exists() for parent in (folder, *folder.resolve().parents)):
            raise NotYetError("The files are written, but git is not installed, so nothing is committed.")
        return None
    with _one_at_a_time:
        git = _Git(folder, until_s=time.monotonic() + LIMIT_S)
        if not git.looks_after(names[0]):
            return None
        git.must("add", "--", *names)
        if not git.must("status", "--porcelain", "--", *names):
            return None
        git.must(*git.identity(), "commit", "--quiet", "--only", "-m", message, "--", *names)
        return git.must("rev-parse", "--short", "HEAD")


@dataclass(frozen=True, slots=True)
class _Git:
    """Git at work in `folder`, up to the instant `until_s` of the monotonic clock."""

    folder: Path
    until_s: float

    def looks_after(self, name: str) -> bool:
        """Whether a work tree holds the folder and does not ignore the file."""
        inside = self.run("rev-parse", "--is-inside-work-tree")
        if inside.status != 0 and "not a git repository" not in inside.problem:
            raise _refusal(inside)
        return inside.out == "true" and self.run("check-ignore", "--quiet", name).status != 0

    def identity(self) -> Iterator[str]:
        """The options that say who commits, where the configuration does not."""
        for key, value in _NOBODY.items():
            if self.run("config", key).status != 0:
                yield from ("-c", f"{key}={value}")

    def must(self, *words: str) -> str:
        """What the command says; while another Git holds the lock, it waits a little. Raises NotYetError."""
        for left in reversed(range(LOCK_TRIES)):
            said = self.run(*words)
            if said.status == 0:
                return said.out
            if not ("index.lock" in said.problem and left):
                break
            time.sleep(LOCK_WAIT_S)
        raise _refusal(said)

    def run(self, *words: str) -> _Said:
        """Run one command."""
        # Files, no pipes: a hook's child that lives on would keep a pipe open, and us waiting for its end.
        with TemporaryFile() as out, TemporaryFile() as problem:
            process = subprocess.Popen(  # noqa: S603 - our own words
                ["git", *words],  # noqa: S607 - the one on the operator's path
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=problem,
                env=_environment(),
                start_new_session=True,
            )
            with _ended(process):
                status = process.wait(timeout=max(0.0, self.until_s - time.monotonic()))
            return _Said(status=status, out=_text(out), problem=_text(problem))


def _refusal(said: _Said) -> NotYetError:
    words = " ".join(said.problem.split()) or f"exit code {said.status}, and nothing said"
    words = words if len(words) <= _MOST_TOLD else f"{words[: _MOST_TOLD - 1]}…"
    return NotYetError(f"The files are written, but git did not commit them: {words}")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SECRETS)}
    return {name: value for name, value in kept.items() if name not in _ELSEWHERE} | _QUIETLY


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End it and what it started, should it not end in time."""
    try:
        yield
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise NotYetError(f"The files are written, but git did not finish within {LIMIT_S:.0f} s.") from None


def _text(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read(_MOST_READ).decode(errors="replace").strip()
