"""`scribe demo`: serve the page on 127.0.0.1 until a signal stops the process."""

import logging
import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.clock import now
from bot.config import Settings
from bot.demo.casefile import Case
from bot.demo.clock import AdjustableClock
from bot.demo.demo import DRILL_SPEED, Demo, run_demo
from bot.demo.page import Page
from bot.errors import UsageError
from bot.fakeslack.slack import Slack
from bot.server.shutdown import HANGUP, on_signal
from storage import schema
from storage.database import Database

_WAKE_EVERY_S = 0.5


def serve(
    database: Database | None,
    cases: Mapping[str, Case],
    *,
    echo: Callable[[str], None],
    port: int,
    http: bool,
    browser: bool,
    drill: str | None,
    speed: float | None,
) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; without a `database`, over a temporary one.

    `cases` are the drills by id; the one whose id is `drill` starts when the page is first loaded. `echo` prints a
    line. Raises UsageError when the port is taken.
    """
    stopped = threading.Event()
    on_signal(stopped.set, *HANGUP)
    logging.basicConfig(level=_log_level())
    with ExitStack() as stack:
        store = database or stack.enter_context(temporary_database())
        address, demo = stack.enter_context(serve_page(store, cases, environment=os.environ, port=port, http=http))
        if drill:
            demo.start_drill_on_first_view(drill, DRILL_SPEED if speed is None else speed)
        echo(f"Scribe's demo is at {address}")
        echo("It is for this machine alone, and ends with Ctrl-C.")
        if browser and _has_screen():
            # In a thread, because webbrowser.open blocks until some browsers exit.
            threading.Thread(target=_open_browser, args=[address, echo], daemon=True).start()
        elif browser:
            echo("There is no screen here to open a browser on; open that address in one.")
        while not stopped.wait(_WAKE_EVERY_S):
            # Python runs signal handlers in the main thread only: it must wake for a signal another thread received.
            pass


def _log_level() -> str:
    """SCRIBE_LOG_LEVEL, by default ERROR. Raises UsageError for an unknown level."""
    return Settings.from_env({"SCRIBE_LOG_LEVEL": os.environ.get("SCRIBE_LOG_LEVEL") or "ERROR"}).log_level


def _open_browser(address: str, echo: Callable[[str], None]) -> None:
    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened:
        echo("No browser could be started; open that address in one.")


def _has_screen() -> bool:
    """Whether a graphical browser can open; on a bare terminal webbrowser would start a text browser instead."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER"))


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
    database: Database,
    cases: Mapping[str, Case],
    *,
    environment: Mapping[str, str],
    port: int = 0,
    http: bool = False,
) -> Iterator[tuple[str, Demo]]:
    """The page's address, and the demo behind it. Raises UsageError when the port is taken."""
    clock, page = AdjustableClock(now), Page()
    slack = Slack(clock=clock)
    with ExitStack() as stack:
        spool = stack.enter_context(_spool_folder(database))
        try:
            stack.enter_context(slack.serving(port=port, pages=page.routes(lambda: slack.address)))
        except OSError as error:
            raise UsageError(
                f"Port {port}: {os.strerror(error.errno or 0)}. For any free one: scribe demo --port 0"
            ) from None
        # Runs before the server stops, which would otherwise wait for the requests that are held open.
        stack.callback(page.close)
        demo = stack.enter_context(run_demo(slack, database, environment, spool=spool, clock=clock, http=http))
        demo.cases.update(cases)
        page.demo = demo
        yield f"{slack.address}/{page.token}/", demo
