"""The log: one line a record, with the ids of its unit of work, and no token or typed text."""

import io
import json
import logging
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from bot.clock import SetClock
from bot.telemetry import context
from bot.telemetry.logs import JSON, LIBRARY_LEVELS, OWN_LOGGERS, TEXT, configure
from storage.database import Database
from tests.support.workplace import workplace

INJECTED = "disk full\n2026-03-12T12:00:00Z error bot: everything is lost\r\x1b[31m\u2028red\x00"


@contextmanager
def logging_to(form: str | None, level: str = "INFO") -> Iterator[io.StringIO]:
    """The whole process logs into the text; everything is as before afterwards."""
    root, out = logging.getLogger(), io.StringIO()
    names = (*OWN_LOGGERS, *LIBRARY_LEVELS)
    handlers, before = root.handlers[:], [root.level, *(logging.getLogger(name).level for name in names)]
    hook = threading.excepthook
    root.handlers = []
    try:
        configure(level, form, stream=out)
        yield out
    finally:
        logging.captureWarnings(capture=False)
        threading.excepthook = hook
        root.handlers = handlers
        for name, kept in zip((None, *names), before, strict=True):
            logging.getLogger(name).setLevel(kept)


def lines_of(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_has_the_ids_of_the_work_it_belongs_to() -> None:
    with logging_to(JSON) as out, context.bound(request="r1", workspace="T1"):
        context.bind(incident="INC-1", kind=None)
        logging.getLogger("bot.anything").info("done %s", 3, extra={"depth": 4})
    (line,) = lines_of(out)
    assert list(line)[:4] == ["time", "level", "logger", "event"]
    assert str(line.pop("time")).endswith("Z")
    assert line == {
        "level": "info", "logger": "bot.anything", "event": "done 3",
        "request": "r1", "workspace": "T1", "incident": "INC-1", "depth": 4,
    }  # fmt: skip


def test_fields_end_with_their_block_and_stay_in_their_thread() -> None:
    with context.bound(request="r1"):
        with context.bound(job=5):
            context.bind(incident="INC-1")
            assert context.current() == {"request": "r1", "job": 5, "incident": "INC-1"}
        assert context.current() == {"request": "r1"}
        seen: list[context.Fields] = []
        thread = threading.Thread(target=lambda: seen.append(context.current()))
        thread.start()
        thread.join()
        assert seen == [{}]
    context.bind(incident="INC-2")
    assert context.current() == {}


def test_a_pooled_thread_carries_no_field_into_its_next_work() -> None:
    def work(request: str) -> context.Fields:
        with context.bound(request=request):
            context.bind(**{f"of_{request}": True})
            return context.current()

    with context.ContextThreadPool(1, "pool") as pool, ThreadPoolExecutor(1) as plain:
        for executor in (pool, plain):
            found = [executor.submit(work, request).result() for request in ("r1", "r2")]
            assert found == [{"request": "r1", "of_r1": True}, {"request": "r2", "of_r2": True}]
            assert executor.submit(context.current).result() == {}
        with context.bound(job=5):
            assert pool.submit(work, "r3").result() == {"job": 5, "request": "r3", "of_r3": True}
            assert context.current() == {"job": 5}


@pytest.mark.parametrize("form", [JSON, TEXT])
def test_what_is_logged_cannot_begin_a_line_of_its_own(form: str) -> None:
    with logging_to(form) as out, context.bound(workspace=INJECTED):
        logging.getLogger("bot").warning("about %s", INJECTED)
        logging.getLogger("bot").error("failed", exc_info=ValueError(INJECTED))
    said = out.getvalue()
    begun = [line for line in said.split("\n") if line and not line.startswith("    ")]
    assert len(begun) == 2, said
    assert not any(character in said for character in "\r\x1b\x00\u2028")
    assert "ValueError" in said


@pytest.mark.parametrize("form", [JSON, TEXT])
def test_no_token_and_no_password_gets_into_the_log(form: str) -> None:
    secrets = ("xoxb-1234-abcd", "xapp-1-A1-beef", "xoxe.xoxp-1-Mi0y", "hidden-word", "T0/B0/zzz")
    with logging_to(form) as out:
        logging.getLogger("slack_sdk").warning("token %s and %s and %s", *secrets[:3])
        problem = OSError(f"postgresql://scribe:{secrets[3]}@db/scribe, https://hooks.slack.com/commands/{secrets[4]}")
        logging.getLogger("bot").error("not reached", exc_info=problem)
    assert [secret for secret in secrets if secret in out.getvalue()] == []
    assert "xoxb-" in out.getvalue()


def test_libraries_are_logged_but_never_below_info_where_they_log_bodies() -> None:
    with logging_to(JSON, "DEBUG") as out:
        logging.getLogger("alembic.runtime").info("Context impl SQLiteImpl.")
        for name in ("bot.x", "storage.x", "slack_sdk.web.base_client", "slack_sdk.socket_mode", "uvicorn.error"):
            logging.getLogger(name).debug("words")
            logging.getLogger(name).warning("look")
    lines = [(line["logger"], line["event"]) for line in lines_of(out)]
    assert [name for name, event in lines if event == "words"] == ["bot.x", "storage.x"]
    assert len(lines) == 7


def test_a_level_above_info_silences_all_loggers() -> None:
    with logging_to(JSON, "ERROR") as out:
        logging.getLogger("bot").warning("look")
        logging.getLogger("slack_sdk").warning("look")
    assert out.getvalue() == ""


def test_warnings_and_exceptions_of_threads_are_logged_in_the_same_format() -> None:
    def die() -> None:
        raise ZeroDivisionError

    with logging_to(JSON) as out:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old ways", DeprecationWarning, stacklevel=1)
        thread = threading.Thread(target=die, name="worker-1")
        thread.start()
        thread.join()
    warned, died = lines_of(out)
    assert "old ways" in str(warned["event"])
    assert (died["event"], died["level"]) == ("the thread worker-1 died", "error")
    assert "ZeroDivisionError" in str(died["exception"])


def test_without_a_form_a_terminal_gets_text_and_anything_else_json() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with logging_to(None) as out:
        logging.getLogger("bot").info("hello")
    assert lines_of(out)[0]["event"] == "hello"
    with logging_to(None):
        screen = Terminal()
        configure("INFO", stream=screen)
        logging.getLogger("bot").info("hello", extra={"depth": 4})
    assert screen.getvalue().endswith(" info bot: hello depth=4\n")


def test_what_is_kept_while_the_database_is_away_and_written_later_is_logged_by_ids_only(
    sqlite: Database, clock: SetClock
) -> None:
    with logging_to(JSON) as out, workplace(sqlite, clock=clock) as office:
        office.bot.context.offline.start(ensured=False)
        office.say("/detected the secret runbook")
        office.slack.wait_for(lambda: "done" in out.getvalue())
        office.bot.replay_spool()
        team = office.slack.team_id
    kept, written = [line for line in lines_of(out) if line["event"] == "done"]
    assert (kept["kept"], kept["command"], kept["workspace"]) == (True, "detected", team)
    assert (written["incident"], written["command"], written["workspace"]) == ("INC-1", "detected", team)
    assert kept["request"] != written["request"]
    assert "secret" not in out.getvalue()


def test_work_in_the_background_is_logged_with_the_ids_of_its_request(sqlite: Database, clock: SetClock) -> None:
    with logging_to(JSON) as out, workplace(sqlite, clock=clock) as office:
        office.say("/detected disk full")
        office.slack.fail_next("views.open", error="internal_error", status=500)
        office.ask("/actionitem")
        office.slack.wait_for(lambda: "form not opened" in out.getvalue() and out.getvalue().count("done") > 1)
    (late,) = [line for line in lines_of(out) if "form not opened" in str(line["event"])]
    (done,) = [line for line in lines_of(out) if line.get("command") == "actionitem" and line["event"] == "done"]
    assert (late["request"], late["workspace"]) == (done["request"], office.slack.team_id)
