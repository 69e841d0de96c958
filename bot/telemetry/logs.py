"""The log: one line a record, from our code and from libraries, with the fields of the unit of work it belongs to.

`json` is for machines, `text` for a terminal. In both, logged text cannot start a line of its own, and tokens and
passwords are redacted: records of Bolt, the SDK and the HTTP server pass through the same formatter.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO

from bot.telemetry import context

JSON, TEXT = "json", "text"
OWN_LOGGERS = ("bot", "storage")
LIBRARY_LEVELS = {
    "alembic": logging.WARNING,
    "apscheduler": logging.ERROR,
    "httpx": logging.WARNING,
    "websocket": logging.WARNING,
}
"""Lowest level logged of libraries that otherwise log every probe, tick, connection and address.

APScheduler warns every second about a tick that waits for the database; exceptions of a tick it logs as errors.
"""
_TOKEN = re.compile(r"\b(xox[a-z]|xapp|xwfp)-[A-Za-z0-9-]+")
_PASSWORD = re.compile(r"(://[^\s/:@]*):[^\s/@]+@")
_WEBHOOK = re.compile(r"(hooks\.slack\.com/)[A-Za-z0-9_/-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TRACEBACK = "exception"
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

Event = dict[str, object]
Render = Callable[[Event], str]


def configure(level: str, log_format: str | None = None, *, stream: IO[str] | None = None) -> None:
    """Send every record of this process to `stream`, by default standard error.

    `level` applies to our own loggers. Libraries are logged from INFO at the lowest, because below it they log request
    bodies, which hold what people typed. The default format is `text` on a terminal and `json` elsewhere.
    """
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    form = log_format or (TEXT if out.isatty() else JSON)
    handler.setFormatter(Formatter(_render_text if form == TEXT else _render_json))
    # Not shown, and costly: where each call stands. Source of the names: Python's "Logging HOWTO", "Optimization".
    logging._srcfile = None  # noqa: SLF001 - documented there
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=max(logging.getLevelName(level), logging.INFO), handlers=[handler], force=True)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(level)
    for name, library_level in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(library_level)
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_thread_exception


def _log_thread_exception(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit:
        name = args.thread.name if args.thread else "?"
        error = args.exc_value or args.exc_type()
        logging.getLogger("bot.thread").error("the thread %s died", name, exc_info=error)


class Formatter(logging.Formatter):
    """One line a record: time, level, logger and event first, then the fields of the work and the record's own.

    A traceback is last.
    """

    def __init__(self, render: Render) -> None:
        super().__init__()
        self._render = render

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end, and without the tokens and passwords that were in it."""
        instant = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
        event: Event = {
            "time": f"{instant.isoformat(timespec='microseconds')}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **context.current(),
            **{name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD},
        }
        if record.exc_info:
            event[_TRACEBACK] = self.formatException(record.exc_info)
        return self._render({name: _redacted(each) if isinstance(each, str) else each for name, each in event.items()})


def _redacted(text: str) -> str:
    # Most texts hold no secret: a substring test costs less than the regular expression.
    if "xox" in text or "xapp-" in text or "xwfp-" in text:
        text = _TOKEN.sub(r"\1-…", text)
    return _WEBHOOK.sub(r"\1…", _PASSWORD.sub(r"\1:…@", text)) if "/" in text else text


def _render_json(event: Event) -> str:
    return json.dumps(event, default=repr)


def _render_text(event: Event) -> str:
    """`2026-03-12T12:00:00Z info bot.slack.bot: done request=…`; the lines of a traceback are indented."""
    values = {name: _escape_controls(value) for name, value in event.items() if name != _TRACEBACK}
    head = f"{values.pop('time', '')} {values.pop('level', '')} {values.pop('logger', '')}: {values.pop('event', '')}"
    lines = [" ".join([head, *(f"{name}={value}" for name, value in values.items())])]
    if event.get(_TRACEBACK):
        lines += (f"    {_escape_controls(line)}" for line in str(event[_TRACEBACK]).split("\n"))
    return "\n".join(lines)


def _escape_controls(value: object) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(value))
