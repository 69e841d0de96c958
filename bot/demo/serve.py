"""`scribe demo`: serve the page on 127.0.0.1 until a signal stops the process."""

import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.clock import now
from bot.config import Settings
from bot.demo.casefile import Case
from bot.demo.clock import AdjustableClock
from bot.demo.demo import DRILL_SPEED, Demo, run_demo
from bot.demo.page import Page
from bot.fakeslack.slack import Slack
from bot.server.shutdown import HANGUP, on_signal
from storage import schema
from storage.database import Database

_WAKE_EVERY_S = 0.5


def serve(
    database: Database | None,
    cases: Mapping[str, Case],
    *,
    listener: socket.socket,
    token: str,
    http: bool,
    drill: str | None,
    speed: float | None,
) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP, at `/TOKEN/` on `listener`; without a `database`, over a temporary one.

    `cases` are the drills by id; the one whose id is `drill` starts when the page is first loaded.
    """
    stopped = threading.Event()
    on_signal(stopped.set, *HANGUP)
    logging.basicConfig(level=_log_level())
    page = serve_page(database, cases, environment=os.environ, listener=listener, token=token, http=http)
    with page as (_, demo):
        if drill:
            demo.start_drill_on_first_view(drill, DRILL_SPEED if speed is None else speed)
        while not stopped.wait(_WAKE_EVERY_S):
            # Python runs signal handlers in the main thread only: it must wake for a signal another thread received.
            pass


def _log_level() -> str:
    """SCRIBE_LOG_LEVEL, by default ERROR. Raises UsageError for an unknown level."""
    return Settings.from_env({"SCRIBE_LOG_LEVEL": os.environ.get("SCRIBE_LOG_LEVEL") or "ERROR"}).log_level


@contextmanager
def temporary_database() -> Iterator[Database]:
    """A migrated SQLite database, deleted at the end."""
    with TemporaryDirectory(prefix="scribe-demo-", ignore_cleanup_errors=True) as folder:
        database = Database(f"sqlite:///{Path(folder, 'demo.db')}")
        schema.migrate(database)
        try:
            yield database
        finally:
            database.close()


@contextmanager
def _spool_folder(database: Database) -> Iterator[Path]:
    """Beside the SQLite file, so that what is spooled outlives the process as the database does; else temporary."""
    if database.is_sqlite and database.url.database:
        yield Path(f"{database.url.database}-spool")
        return
    with TemporaryDirectory(prefix="scribe-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def serve_page(
    database: Database | None,
    cases: Mapping[str, Case],
    *,
    environment: Mapping[str, str],
    listener: socket.socket | None = None,
    token: str = "",
    http: bool = False,
) -> Iterator[tuple[str, Demo]]:
    """The page's address, and the demo behind it; without a `database`, over a temporary one.

    The page can be loaded before the bot has started, and waits for it.
    """
    clock, page = AdjustableClock(now), Page(token)
    slack = Slack(clock=clock)
    with ExitStack() as stack:
        stack.enter_context(slack.serving(listener=listener, pages=page.routes(lambda: slack.address)))
        # Runs before the server stops, which would otherwise wait for the requests that are held open.
        stack.callback(page.close)
        address = f"{slack.address}/{page.token}/"
        store = database or stack.enter_context(temporary_database())
        spool = stack.enter_context(_spool_folder(store))
        demo = stack.enter_context(run_demo(slack, store, environment, spool=spool, clock=clock, http=http))
        demo.cases.update(cases)
        page.demo = demo
        yield address, demo
