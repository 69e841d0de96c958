"""The log: one line a record, whoever wrote it, with the ids of the work it belongs to.

`json` is for machines, `text` for a terminal. Neither lets what is logged begin a line of its own, and neither holds a
token: Bolt's, the SDK's and the server's records pass through here too.
"""

import logging
import re
import sys
import threading
from collections.abc import Iterable
from typing import IO, Any

import structlog
from structlog.typing import EventDict, Processor

from bot.telemetry import context

JSON, TEXT = "json", "text"
OURS = ("bot", "storage")
TALKATIVE = {"alembic": logging.WARNING, "apscheduler": logging.ERROR, "websocket": logging.WARNING}
"""From which level libraries are let through that tell what nobody asked for: of every probe, tick and connection.

APScheduler warns every second of a tick that waits for the database; what a tick raises, it tells as an error.
"""
_TOKEN = re.compile(r"\b(xox[a-z]|xapp|xwfp)-[A-Za-z0-9-]+")
_PASSWORD = re.compile(r"(://[^\s/:@]*):[^\s/@]+@")
_HOOK = re.compile(r"(hooks\.slack\.com/)[A-Za-z0-9_/-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FIRST = ("time", "level", "logger", "event")
_TRACE = "exception"


def configure(level: str, form: str | None = None, *, stream: IO[str] | None = None) -> None:
    """Send every record of this process to `stream`, standard error unless given.

    `level` is for our own records; those of libraries are let through from INFO at the least, since below it they hold
    what people typed. Without a `form` it is `text` on a terminal and `json` elsewhere.
    """
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(form or (TEXT if out.isatty() else JSON)))
    logging.basicConfig(level=max(logging.getLevelName(level), logging.INFO), handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    for name, least in TALKATIVE.items():
        logging.getLogger(name).setLevel(least)
    logging.captureWarnings(capture=True)
    threading.excepthook = _died


def _died(about: threading.ExceptHookArgs) -> None:
    if about.exc_type is not SystemExit:
        name = about.thread.name if about.thread else "?"
        error = about.exc_value or about.exc_type()
        logging.getLogger("bot.thread").error("the thread %s died", name, exc_info=error)


def _formatter(form: str) -> logging.Formatter:
    chain: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _with_facts,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
        _without_secrets,
    ]
    last: Processor = _as_text if form == TEXT else structlog.processors.JSONRenderer(ensure_ascii=True)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=chain,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _in_order, last],
    )


def _with_facts(_logger: Any, _name: str, event: EventDict) -> EventDict:
    return {**context.current(), **event}


def _without_secrets(_logger: Any, _name: str, event: EventDict) -> EventDict:
    return {name: _hidden(value) if isinstance(value, str) else value for name, value in event.items()}


def _hidden(text: str) -> str:
    text = _TOKEN.sub(r"\1-…", text) if "xox" in text or "xapp-" in text or "xwfp-" in text else text
    return _HOOK.sub(r"\1…", _PASSWORD.sub(r"\1:…@", text)) if "/" in text else text


def _in_order(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """The time, the level, who says it and what; then the facts; a trace at the end."""
    rest = [name for name in event if name not in {*_FIRST, _TRACE}]
    return {name: event[name] for name in (*_FIRST, *rest, _TRACE) if name in event}


def _as_text(_logger: Any, _name: str, event: EventDict) -> str:
    """`2026-03-12T12:00:00Z info bot.slack.bot: done request=…`; the lines of a trace are indented."""
    said = {name: _one_line(value) for name, value in event.items() if name != _TRACE}
    head = f"{said.pop('time', '')} {said.pop('level', '')} {said.pop('logger', '')}: {said.pop('event', '')}"
    line = " ".join([head, *(f"{name}={value}" for name, value in said.items())])
    return "\n".join([line, *_indented(event.get(_TRACE))])


def _one_line(value: object) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(value))


def _indented(lines: object) -> Iterable[str]:
    return (f"    {_one_line(line)}" for line in str(lines).split("\n")) if lines else ()
