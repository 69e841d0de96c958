"""`scribe demo`: serve the page on this machine alone, until told to stop."""

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
from bot.demo.clock import Travelling
from bot.demo.demo import DRILL_SPEED, Demo, staged
from bot.demo.page import Page
from bot.errors import UsageError
from bot.fakeslack.slack import Slack
from bot.server.shutdown import HANGUP, on_signal
from storage import schema
from storage.database import Database

_LOOK_S = 0.5


def serve(
    database: Database | None,
    cases: Mapping[str, Case],
    *,
    tell: Callable[[str], None],
    port: int,
    http: bool,
    browser: bool,
    playing: str | None,
    speed: float | None,
) -> None:
    """Run until SIGTERM or SIGINT; over a store that is gone afterwards, unless a `database` is given.

    `cases` are the drills by id; the one called `playing` begins when the page is opened. `tell` prints a line.
    Raises UsageError when the port is taken.
    """
    stopped = threading.Event()
    on_signal(stopped.set, *HANGUP)
    logging.basicConfig(level=_log_level())
    with ExitStack() as stack:
        store = database or stack.enter_context(temporary_database())
        address, demo = stack.enter_context(
            open_to_browsers(store, cases, environment=os.environ, port=port, http=http)
        )
        if playing:
            demo.begin_when_watched(playing, DRILL_SPEED if speed is None else speed)
        tell(f"Scribe's demo is at {address}")
        tell("It is for this machine alone, and ends with Ctrl-C.")
        if browser and _has_screen():
            # A thread of its own: some browsers keep who calls them waiting.
            threading.Thread(target=_show, args=[address, tell], daemon=True).start()
        elif browser:
            tell("There is no screen here to open a browser on; open that address in one.")
        while not stopped.wait(_LOOK_S):
            # A signal that another thread was given is not acted on before this one wakes.
            pass


def _log_level() -> str:
    """Errors alone, unless SCRIBE_LOG_LEVEL says otherwise. Raises UsageError for what is no level."""
    return Settings.from_env({"SCRIBE_LOG_LEVEL": os.environ.get("SCRIBE_LOG_LEVEL") or "ERROR"}).log_level


def _show(address: str, tell: Callable[[str], None]) -> None:
    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened:
        tell("No browser could be started; open that address in one.")


def _has_screen() -> bool:
    """Whether a browser would open a window; on a bare terminal Python would start a text browser in its place."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER"))


@contextmanager
def temporary_database() -> Iterator[Database]:
    """A store that is gone with the demo."""
    with TemporaryDirectory(prefix="scribe-demo-", ignore_cleanup_errors=True) as folder:
        database = Database(f"sqlite:///{Path(folder, 'demo.db')}")
        schema.migrate(database)
        try:
            yield database
        finally:
            database.close()


@contextmanager
def _spool_of(database: Database) -> Iterator[Path]:
    """A folder of the store's own for what is typed while it is away: beside its file, where it is one."""
    if database.is_sqlite and database.url.database:
        yield Path(f"{database.url.database}-spool")
        return
    with TemporaryDirectory(prefix="scribe-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def open_to_browsers(
    database: Database,
    cases: Mapping[str, Case],
    *,
    environment: Mapping[str, str],
    port: int = 0,
    http: bool = False,
) -> Iterator[tuple[str, Demo]]:
    """The page's address, and the demo behind it. Raises UsageError when the port is taken."""
    clock, page = Travelling(now), Page()
    slack = Slack(clock=clock)
    with ExitStack() as stack:
        spool = stack.enter_context(_spool_of(database))
        try:
            stack.enter_context(slack.serving(port=port, pages=page.routes(lambda: slack.address)))
        except OSError as error:
            raise UsageError(
                f"Port {port}: {os.strerror(error.errno or 0)}. For any free one: scribe demo --port 0"
            ) from None
        # Whoever waits for news is sent away first; the server would wait for them.
        stack.callback(page.close)
        demo = stack.enter_context(staged(slack, database, environment, spool=spool, clock=clock, http=http))
        demo.cases.update(cases)
        page.demo = demo
        yield f"{slack.address}/{page.token}/", demo
