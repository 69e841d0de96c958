"""Renders an operator's own template in a child process with limited time and memory.

Jinja's sandbox keeps a template from Python's internals and from files, but not from looping for ever, and only a
process can be killed. The child gets the document on standard input and no setting of Scribe's in its environment, and
answers in JSON: a template that escapes from Jinja's sandbox finds no token and can return only text.
"""

import json
import os
import pickle
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import IO, Any

from bot.documents.escaping import visible
from bot.documents.templates import MOST_BYTES, SUFFIXES, TEMPLATES, TemplateCatalog
from bot.domain.postmortem.document import Document
from storage.values import Section

LIMIT_S = 5.0
"""The most seconds that one rendering may take."""
WAIT_S = 30.0
"""The most seconds to wait for one of the processes."""
MOST_PROCESSES = 2
MEMORY_BYTES = 768 * 1024 * 1024
ANSWER_BYTES = 16 * 1024 * 1024
_START_S = 1.0
"""Seconds added for starting the child."""
_LONGEST_REASON = 200
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL", "PYTHONTZPATH")

_processes = threading.BoundedSemaphore(MOST_PROCESSES)


class BrokenTemplateError(Exception):
    """An operator's template that cannot be used. The message names its file, the line if known, and the reason."""


class _TooLongError(Exception):
    """Raised by the child's alarm, which rings before the parent kills it, so that the line is known."""


def render(
    document: Document, catalog: TemplateCatalog, name: str, *, limit_s: float = LIMIT_S, wait_s: float = WAIT_S
) -> tuple[Section, ...]:
    """Render the template `name` of the catalogue within `limit_s` seconds.

    Raises BrokenTemplateError if the template fails, takes too long or needs too much memory, and if none of the
    MOST_PROCESSES processes becomes free within `wait_s` seconds.
    """
    file = catalog.path(name).name
    _check_size(catalog.path(name))
    order = pickle.dumps((document, catalog.custom_dir, name, limit_s))
    if not _processes.acquire(timeout=wait_s):
        raise BrokenTemplateError(f"{file}: too many are being rendered at once; ask again in a moment")
    try:
        with TemporaryFile() as answer:
            code = _run(file, order, answer, limit_s)
            answer.seek(0)
            outcome = _parse_answer(answer.read(ANSWER_BYTES))
    finally:
        _processes.release()
    try:
        # The child's text is not trusted: `visible` removes what a database or a page would refuse.
        return tuple(
            Section(key=str(each["key"]), heading=visible(str(each["heading"])), body=visible(str(each["body"])))
            for each in outcome["sections"]
        )
    except (KeyError, TypeError):
        died = f"its process ended with code {code} and no answer, most likely for want of memory"
        raise BrokenTemplateError(str(outcome.get("problem") or f"{file}: {died}")) from None


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BrokenTemplateError(f"{path.name}: it cannot be read ({error.strerror})") from None
    if size > MOST_BYTES:
        raise BrokenTemplateError(f"{path.name}: it has {size:,} bytes, and {MOST_BYTES:,} are the most")


def environment() -> dict[str, str]:
    """The child's environment: what Python needs to start, and no setting of Scribe's."""
    return {key: os.environ[key] for key in _INHERITED if key in os.environ} | {"PYTHONPATH": str(TEMPLATES.parent)}


def _run(file: str, order: bytes, answer: IO[bytes], limit_s: float) -> int:
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
        raise BrokenTemplateError(f"{file}: {_too_long(limit_s)}") from None


def _parse_answer(answer: bytes) -> dict[str, Any]:
    try:
        outcome = json.loads(answer)
    except ValueError:
        return {}
    return outcome if isinstance(outcome, dict) else {}


def _too_long(limit_s: float) -> str:
    return f"it took longer than {limit_s:g} s and was stopped"


def main() -> None:
    """The child process: read the order, limit itself, render, and write the answer."""
    document, custom_dir, name, limit_s = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our parent
    from bot.documents import markup, rendering  # noqa: PLC0415 - imported before the limits apply

    markup.headings("")
    file = TemplateCatalog(custom_dir).path(name).name
    _limit(limit_s)
    answer: dict[str, Any]
    try:
        sections = rendering.render_draft(document, name, custom_dir=custom_dir)
        answer = {"sections": [{"key": each.key, "heading": each.heading, "body": each.body} for each in sections]}
    except Exception as error:  # noqa: BLE001 - the boundary: any failure of a template is reported, not traced
        answer = {"problem": describe_error(error, file, limit_s)}
    written = json.dumps(answer)
    if len(written) > ANSWER_BYTES:
        written = json.dumps({"problem": f"{file}: it makes more than {ANSWER_BYTES // 2**20} MB"})
    sys.stdout.write(written)


def _limit(limit_s: float) -> None:
    """Limit this process's time and memory. On a platform without such limits, only the parent's timeout applies."""
    try:
        import resource  # noqa: PLC0415 - not on every platform
        import signal  # noqa: PLC0415 - as above
    except ImportError:
        return
    seconds = int(limit_s + _START_S) + 1
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        # Ends a loop also if the parent is gone.
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


def describe_error(error: Exception, template: str, limit_s: float = LIMIT_S) -> str:
    """The error on one line, with its place: `ours.md.j2, line 3: 'x' is undefined`. `template` is the file's name."""
    reasons = {
        _TooLongError: _too_long(limit_s),
        MemoryError: f"it needed more than {MEMORY_BYTES // 2**20} MB of memory and was stopped",
        RecursionError: "it calls itself without an end",
        UnicodeDecodeError: "it is not written in UTF-8",
    }
    reason = reasons.get(type(error)) or _first_line(error)
    file, line = _where(error)
    return f"{file or template}{f', line {line}' if line else ''}: {reason}"


def _first_line(error: Exception) -> str:
    words = " ".join((str(error) or type(error).__name__).split())
    if type(error).__name__ == "TemplateNotFound":
        words = f"there is no file {words} to include"
    return words if len(words) <= _LONGEST_REASON else f"{words[: _LONGEST_REASON - 1]}…"


def _where(error: Exception) -> tuple[str | None, int | None]:
    """The template file and line: attributes of a syntax error; for any other error, from its traceback."""
    file, line = getattr(error, "filename", None), getattr(error, "lineno", None)
    if file and line:
        return Path(file).name, line
    frames = traceback.extract_tb(error.__traceback__)
    inside = next((frame for frame in reversed(frames) if frame.filename.endswith(SUFFIXES)), None)
    return (Path(inside.filename).name, inside.lineno) if inside else (None, None)


if __name__ == "__main__":
    main()
