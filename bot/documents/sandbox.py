"""An operator's own template, rendered in a process of its own that cannot outlive its time or its memory.

Jinja's sandbox keeps a template from Python and from files, but not from looping for ever; only a process can be
ended for certain. The child gets the document on standard input, no environment, and answers in JSON, so that even
a template that broke out of the sandbox would find no token and could hand nothing back but text.
"""

import json
import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import IO, Any

from bot.documents.escaping import visible
from bot.documents.templates import MOST_BYTES, SUFFIX, TEMPLATES, TemplateCatalog
from bot.domain.postmortem.document import Document
from storage.values import Section

LIMIT_S = 5.0
"""Seconds one rendering may take."""
WAIT_S = 30.0
"""Seconds to wait for a place when many ask at once."""
PLACES = 2
MEMORY_BYTES = 768 * 1024 * 1024
ANSWER_BYTES = 16 * 1024 * 1024
_START_S = 1.0
"""Seconds the child may take to come up before it renders."""
_LONGEST_REASON = 200
_KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL", "PYTHONTZPATH")

_places = threading.BoundedSemaphore(PLACES)


class BrokenTemplateError(Exception):
    """An own template that cannot be used; the message names its file, the line where one is known, and the reason."""


class _TooLongError(Exception):
    """The child's own alarm, which comes before it is killed and can still tell the line."""


def render(
    document: Document, catalog: TemplateCatalog, name: str, *, limit_s: float = LIMIT_S, wait_s: float = WAIT_S
) -> tuple[Section, ...]:
    """The sections of the template `name` of the shelf, within `limit_s` seconds.

    Raises BrokenTemplateError when it breaks, takes too long or needs too much memory, and when no place among the
    few renderings at a time came free within `wait_s`.
    """
    _measure(catalog.path(name))
    order = pickle.dumps((document, catalog.custom_dir, name, limit_s))
    with _place(name, wait_s), TemporaryFile() as answer:
        code = _run(name, order, answer, limit_s)
        answer.seek(0)
        outcome = _read(answer)
    try:
        return tuple(_section(each) for each in outcome["sections"])
    except (KeyError, TypeError):
        raise BrokenTemplateError(str(outcome.get("problem") or f"{name}{SUFFIX}: {_died(code)}")) from None


def _section(each: dict[str, str]) -> Section:
    """A section as the child tells it, with nothing in it that a database or a page would refuse."""
    return Section(key=str(each["key"]), heading=visible(str(each["heading"])), body=visible(str(each["body"])))


def _measure(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BrokenTemplateError(f"{path.name}: it cannot be read ({error.strerror})") from None
    if size > MOST_BYTES:
        raise BrokenTemplateError(f"{path.name}: it has {size:,} bytes, and {MOST_BYTES:,} are the most")


@contextmanager
def _place(name: str, wait_s: float) -> Iterator[None]:
    if not _places.acquire(timeout=wait_s):
        raise BrokenTemplateError(f"{name}{SUFFIX}: too many are being rendered at once; ask again in a moment")
    try:
        yield
    finally:
        _places.release()


def environment() -> dict[str, str]:
    """What the child finds in its environment: how to start Python, and no setting of Scribe's."""
    return {key: os.environ[key] for key in _KEPT if key in os.environ} | {"PYTHONPATH": str(TEMPLATES.parent)}


def _run(name: str, order: bytes, answer: IO[bytes], limit_s: float) -> int:
    try:
        return subprocess.run(
            [sys.executable, "-P", "-m", "bot.documents.sandbox"],
            input=order,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            env=environment(),
            timeout=limit_s + _START_S,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        raise BrokenTemplateError(f"{name}{SUFFIX}: {_too_long(limit_s)}") from None


def _read(answer: IO[bytes]) -> dict[str, Any]:
    try:
        outcome = json.loads(answer.read(ANSWER_BYTES))
    except ValueError:
        return {}
    return outcome if isinstance(outcome, dict) else {}


def _too_long(limit_s: float) -> str:
    return f"it took longer than {limit_s:g} s and was stopped"


def _died(code: int) -> str:
    return f"its process ended with code {code} and no answer, most likely for want of memory"


def main() -> None:
    """The child: read an order, limit oneself, render, answer."""
    document, custom_dir, name, limit_s = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our parent
    from bot.documents import rendering  # noqa: PLC0415 - imported here, where it is not yet limited

    _limit(limit_s)
    answer: dict[str, Any]
    try:
        sections = rendering.render_draft(document, name, custom_dir=custom_dir)
        answer = {"sections": [{"key": each.key, "heading": each.heading, "body": each.body} for each in sections]}
    except Exception as error:  # noqa: BLE001 - the boundary: whatever a template does wrong is told, not traced
        answer = {"problem": describe_error(error, name, limit_s)}
    written = json.dumps(answer)
    if len(written) > ANSWER_BYTES:
        written = json.dumps({"problem": f"{name}{SUFFIX}: it makes more than {ANSWER_BYTES // 2**20} MB"})
    sys.stdout.write(written)


def _limit(limit_s: float) -> None:
    """Bound this process's time and memory; where the platform knows no such bounds, the parent's clock remains."""
    try:
        import resource  # noqa: PLC0415 - not on every platform
        import signal  # noqa: PLC0415 - as above
    except ImportError:
        return
    seconds = int(limit_s + _START_S) + 1
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        # Should the parent be gone, nobody else would end a loop.
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, ANSWER_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise _TooLongError

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit_s)


def describe_error(error: Exception, name: str, limit_s: float = LIMIT_S) -> str:
    """What went wrong, in one line a person can act on: `ours.md.j2, line 3: 'x' is undefined`."""
    reasons = {
        _TooLongError: _too_long(limit_s),
        MemoryError: f"it needed more than {MEMORY_BYTES // 2**20} MB of memory and was stopped",
        RecursionError: "it calls itself without an end",
        UnicodeDecodeError: "it is not written in UTF-8",
    }
    reason = reasons.get(type(error)) or _first_line(error)
    file, line = _where(error)
    return f"{file or name + SUFFIX}{f', line {line}' if line else ''}: {reason}"


def _first_line(error: Exception) -> str:
    words = " ".join((str(error) or type(error).__name__).split())
    if type(error).__name__ == "TemplateNotFound":
        words = f"there is no file {words} to include"
    return words if len(words) <= _LONGEST_REASON else f"{words[: _LONGEST_REASON - 1]}…"


def _where(error: Exception) -> tuple[str | None, int | None]:
    """The template file and line: a syntax error knows its own, any other has them in its traceback."""
    file, line = getattr(error, "filename", None), getattr(error, "lineno", None)
    if file and line:
        return Path(file).name, line
    frames = traceback.extract_tb(error.__traceback__)
    inside = next((frame for frame in reversed(frames) if frame.filename.endswith(SUFFIX)), None)
    return (Path(inside.filename).name, inside.lineno) if inside else (None, None)


if __name__ == "__main__":
    main()
