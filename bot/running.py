"""`scribe run`: the bot, its ticks and one of the two transports, until told to stop."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.routing import Route

from bot.config import Settings
from bot.errors import UsageError
from bot.health import Health
from bot.logs import configure
from bot.metrics import CONTENT_TYPE, Metrics
from bot.patience import Patience
from bot.probes import probes
from bot.pulse import Pulse
from bot.scheduler import scheduler
from bot.serving import Server, listen
from bot.signals import on_signal as _on_signal
from bot.slack.app import Bot, Signatures, build, dispatch
from bot.web import application
from storage import schema
from storage.away import is_away
from storage.database import Database
from storage.spool import Spool

REFRESH_S = 6 * 3600.0
LEARN_S = 60.0
DRAIN_S = 1.0
PRUNE_S = 24 * 3600.0
REMIND_S = 60.0
BEAT_S, PULSE_S = 5.0, 60.0
"""How often the scheduler gives a sign of life, and after how long without one it counts as dead."""
STOP_S = 10
_LOOK_S = 0.5
_log = logging.getLogger(__name__)


def serve(settings: Settings, database: Database, *, host: str, port: int, health_port: int | None = None) -> None:
    """Run until SIGTERM or SIGINT.

    With a `health_port` the probes are served there, from before the schema is brought up to date; without, HTTP mode
    serves them beside Slack's endpoint. Raises UsageError naming the setting that is missing, and what
    `schema.ensure` raises.
    """
    _check(settings)
    configure(settings.log_level, settings.log_format)
    transport = _socket if settings.app_token.get_secret_value() else _http
    metrics, pulse, line = Metrics(), Pulse(PULSE_S), Line()
    bot = build(settings, database, tally=metrics)
    health = Health(
        database=database,
        clock=bot.door.clock,
        alive={"delivery": lambda: bot.door.delivery.alive, "scheduler": lambda: pulse.alive},
        connected=line.connected if transport is _socket else None,
        spool=Spool(settings.spool),
        away=lambda: bot.door.keeper.away,
    )
    routes = probes(health, metrics.page, content_type=CONTENT_TYPE)
    with _probed(routes, host, health_port) as left, running(bot, pulse=pulse, ensured=_ensured(database)):
        transport(bot, settings, At(host=host, port=port, routes=left, line=line))
    database.close()


class Line:
    """The connection of Socket Mode, once there is one."""

    def __init__(self) -> None:
        self.handler: Any = None

    def connected(self) -> bool:
        """Whether it is open."""
        return self.handler is not None and bool(self.handler.connected)


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where a transport serves, what beside Slack's endpoint, and the line it tells of its connection."""

    host: str
    port: int
    routes: Sequence[Route]
    line: Line


@contextmanager
def _probed(routes: Sequence[Route], host: str, port: int | None) -> Iterator[Sequence[Route]]:
    """The probes on a port of their own, if one is given; the routes that are left to be served elsewhere.

    What balances the load looks at Slack's port, so that always says whether it lives; the rest is the operator's.
    """
    if port is None:
        yield routes
        return
    try:
        listener = listen(port, host)
    except OSError as error:
        raise UsageError(f"SCRIBE_HEALTH_PORT: {host}:{port}: {error.strerror or error}") from None
    server = Server(Starlette(routes=routes), listener)
    server.start()
    _log.info("probes on http://%s:%s/healthz, /readyz and /metrics", host, listener.getsockname()[1])
    try:
        yield [route for route in routes if route.path == "/healthz"]
    finally:
        server.stop()


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
def running(bot: Bot, *, ensured: bool = True, pulse: Pulse | None = None) -> Iterator[Bot]:
    """The bot with its background work under way; what is in hand is finished at the end.

    The `pulse` beats as long as the ticks do.
    """
    pulse = pulse or Pulse(PULSE_S)
    ticks = scheduler({**ticks_of(bot), pulse.beat: BEAT_S})
    bot.start(ensured=ensured)
    pulse.beat()
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


def _http(bot: Bot, settings: Settings, at: At) -> None:
    web = application(partial(dispatch, bot.app), Signatures(settings).hold, tally=bot.door.tally, routes=at.routes)
    _log.info("listening on http://%s:%s/slack/events", at.host, at.port)
    server = uvicorn.Server(
        uvicorn.Config(
            web, host=at.host, port=at.port, http=Patience, ws="none", log_config=None, log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=STOP_S,
        )
    )  # fmt: skip

    def stop() -> None:
        server.should_exit = True

    # uvicorn raises the signal once more when it has stopped: without a handler of ours that would end the
    # process there and then, with work in hand.
    _on_signal(stop)
    server.run()


def _socket(bot: Bot, settings: Settings, at: At) -> None:
    from bot.slack.socket import connect  # noqa: PLC0415 - HTTP mode does without the WebSocket client

    stopped = threading.Event()
    _on_signal(stopped.set)
    handler = at.line.handler = connect(bot, settings, stopped)
    while not stopped.wait(_LOOK_S):
        # A signal that another thread was given is not acted on before this one wakes.
        pass
    handler.close()
