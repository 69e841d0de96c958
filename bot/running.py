"""`scribe run`: the bot, its ticks and one of the two transports, until told to stop."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from sqlalchemy.exc import DBAPIError

from bot.config import Settings
from bot.errors import UsageError
from bot.scheduler import scheduler
from bot.signals import on_signal as _on_signal
from bot.slack.app import Bot, Signatures, build, dispatch
from bot.web import application
from storage import schema
from storage.away import is_away
from storage.database import Database

REFRESH_S = 6 * 3600.0
LEARN_S = 60.0
DRAIN_S = 1.0
PRUNE_S = 24 * 3600.0
REMIND_S = 60.0
STOP_S = 10
_LOOK_S = 0.5
_log = logging.getLogger(__name__)


def serve(settings: Settings, database: Database, *, host: str, port: int) -> None:
    """Run until SIGTERM or SIGINT.

    Raises UsageError naming the setting that is missing, and what `schema.ensure` raises.
    """
    _check(settings)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    with running(build(settings, database), ensured=_ensured(database)) as bot:
        if settings.app_token.get_secret_value():
            _socket(bot, settings)
        else:
            _http(bot, settings, host=host, port=port)
    database.close()


def _check(settings: Settings) -> None:
    if not settings.bot_token.get_secret_value():
        raise UsageError("SLACK_BOT_TOKEN is not set. It is under OAuth & Permissions on the app's page, xoxb-…")
    if not settings.app_token.get_secret_value() and not settings.signing_secret.get_secret_value():
        raise UsageError(
            "Set SLACK_APP_TOKEN (xapp-…, for Socket Mode, no public address needed) "
            "or SLACK_SIGNING_SECRET (for HTTP)."
        )


def _ensured(database: Database) -> bool:
    """Bring the schema up to date; False where a server cannot be reached, which may be the very incident."""
    try:
        schema.ensure(database)
    except DBAPIError as error:
        if database.is_sqlite or not is_away(error):
            raise
        _log.error("database away: %s; what is typed is kept until it is back", type(error.orig).__name__)
        return False
    return True


@contextmanager
def running(bot: Bot, *, ensured: bool = True) -> Iterator[Bot]:
    """The bot with its background work under way; what is in hand is finished at the end."""
    ticks = scheduler(ticks_of(bot))
    bot.start(ensured=ensured)
    ticks.start()
    try:
        yield bot
    finally:
        ticks.shutdown(wait=False)
        bot.stop()


def ticks_of(bot: Bot) -> dict[Callable[[], object], float]:
    """What is called again and again, and every how many seconds."""
    return {
        bot.refresh: REFRESH_S,
        bot.door.identity.learn: LEARN_S,
        bot.drain: DRAIN_S,
        bot.remind: REMIND_S,
        bot.prune: PRUNE_S,
    }


def _http(bot: Bot, settings: Settings, *, host: str, port: int) -> None:
    web = application(partial(dispatch, bot.app), Signatures(settings).hold)
    _log.info("listening on http://%s:%s/slack/events", host, port)
    server = uvicorn.Server(
        uvicorn.Config(
            web, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=STOP_S
        )
    )

    def stop() -> None:
        server.should_exit = True

    # uvicorn raises the signal once more when it has stopped: without a handler of ours that would end the
    # process there and then, with work in hand.
    _on_signal(stop)
    server.run()


def _socket(bot: Bot, settings: Settings) -> None:
    from bot.slack.socket import connect  # noqa: PLC0415 - HTTP mode does without the WebSocket client

    stopped = threading.Event()
    _on_signal(stopped.set)
    handler = connect(bot, settings, stopped)
    while not stopped.wait(_LOOK_S):
        # A signal that another thread was given is not acted on before this one wakes.
        pass
    handler.close()
