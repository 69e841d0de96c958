"""`scribe run`: the bot, its ticks and one of the two transports, until the process is told to stop."""

import gc
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn
from sqlalchemy.exc import DBAPIError
from starlette.routing import Route

from bot.config import MALFORMED, TOKEN_PATTERN, Settings
from bot.errors import UsageError
from bot.server.limits import LimitedHttpProtocol
from bot.server.probes import probe_routes, serve_separately
from bot.server.scheduler import Heartbeat, scheduler
from bot.server.shutdown import exit_within, on_signal
from bot.server.threaded import listen
from bot.slack.bot import Bot, build
from bot.slack.inbound.http import application
from bot.telemetry.health import Health
from bot.telemetry.logs import configure
from bot.telemetry.metrics import CONTENT_TYPE, PrometheusMetrics
from storage import schema
from storage.availability import is_away
from storage.database import Database
from storage.spool import Spool

if TYPE_CHECKING:
    from bot.slack.inbound.socket import Keepalive

STOP_S = 10
"""Seconds from the signal to the end of the process, whatever Slack or the database do."""
HTTP_STOP_S = 4
"""Of these, for requests that are in hand; an ack has three."""
EXIT_DISCONNECTED = 1
"""The exit code of a process that hears nothing of Slack any more: its supervisor starts another."""
_LOOK_S = 0.5
_log = logging.getLogger(__name__)


class SocketStatus:
    """The connection of Socket Mode, once there is one."""

    def __init__(self) -> None:
        self.socket: Any = None

    def connected(self) -> bool:
        """Whether it is open."""
        return self.socket is not None and bool(self.socket.connected)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAddress:
    """Where HTTP is served, and what beside Slack's endpoint."""

    host: str
    port: int
    routes: Sequence[Route]


def serve_http(bot: Bot, settings: Settings, at: HttpAddress) -> None:
    """Serve Slack's requests. Raises UsageError for a port that cannot be had."""
    try:
        listener = listen(at.port, at.host)
    except OSError as error:
        raise UsageError(
            f"{at.host}:{at.port}: {os.strerror(error.errno) if error.errno else error}. Choose another with --port."
        ) from None
    web = application(bot, settings, routes=at.routes)
    _log.info("listening on http://%s:%s/slack/events", at.host, listener.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(
            web, http=LimitedHttpProtocol, ws="none", log_config=None, log_level="warning",
            access_log=False, timeout_graceful_shutdown=HTTP_STOP_S,
        )
    )  # fmt: skip

    def stop() -> None:
        server.should_exit = True

    # uvicorn raises the signal once more when it has stopped: without a handler of ours that would end the
    # process there and then, with work in hand.
    _on_signal(stop)
    server.run(sockets=[listener])


def serve_socket(bot: Bot, settings: Settings, line: SocketStatus, keepalive: "Keepalive | None" = None) -> None:
    """Keep a connection open, told of by `line`. Raises SystemExit(DEAF) when nothing is heard of Slack any more."""
    from bot.slack.inbound.socket import connect  # noqa: PLC0415 - HTTP mode does without the WebSocket client

    stopped = threading.Event()
    _on_signal(stopped.set)
    line.socket = connect(bot, settings, stopped, keepalive=keepalive)
    # A signal that another thread was given is not acted on before this one wakes.
    while not stopped.wait(_LOOK_S) and not line.socket.deaf:
        pass
    deaf = not stopped.is_set()
    if deaf:
        _log.error(
            "nothing heard of Slack for %.0f s; ending, so that the supervisor starts anew", line.socket.silent_s
        )
        exit_within(STOP_S, EXIT_DISCONNECTED)
    line.socket.close()
    if deaf:
        raise SystemExit(EXIT_DISCONNECTED)


def _on_signal(stop: Callable[[], None]) -> None:
    def stopping() -> None:
        exit_within(STOP_S, 0)
        stop()

    on_signal(stopping)


REFRESH_S = 6 * 3600.0
LEARN_S = 60.0
DRAIN_S = 1.0
PRUNE_S = 24 * 3600.0
REMIND_S = 60.0
BEAT_S, HEARTBEAT_S = 5.0, 60.0
"""How often the scheduler gives a sign of life, and after how long without one it counts as dead."""
_SWITCH_S = 0.001
"""How long a thread that computes may keep Python from one that has an answer to give; usually five times that."""


def serve(
    settings: Settings,
    database: Database,
    *,
    host: str,
    port: int,
    health_port: int | None = None,
    keepalive: "Keepalive | None" = None,
) -> None:
    """Run until SIGTERM or SIGINT; `keepalive` bounds how long Slack may be silent.

    With a `health_port` the probes are served there, from before the schema is brought up to date; without, HTTP mode
    serves them beside Slack's endpoint. Raises UsageError naming the setting that is missing, what `schema.ensure`
    raises, and SystemExit(1) when nothing is heard of Slack any more.
    """
    _check(settings)
    configure(settings.log_level, settings.log_format)
    sys.setswitchinterval(_SWITCH_S)
    by_socket = bool(settings.app_token.get_secret_value())
    metrics, heartbeat, line = PrometheusMetrics(), Heartbeat(HEARTBEAT_S), SocketStatus()
    bot = build(settings, database, metrics=metrics)
    health = _health(bot, heartbeat, line if by_socket else None)
    routes = probe_routes(health, metrics.exposition, content_type=CONTENT_TYPE)
    with (
        serve_separately(routes, host, health_port) as left,
        running(bot, heartbeat=heartbeat, ensured=_ensured(database)),
    ):
        # What is loaded by now stays; looking through all of it again stops every thread for tens of milliseconds.
        gc.freeze()
        if by_socket:
            serve_socket(bot, settings, line, keepalive)
        else:
            serve_http(bot, settings, HttpAddress(host=host, port=port, routes=left))
    database.close()


def _health(bot: Bot, heartbeat: Heartbeat, line: SocketStatus | None) -> Health:
    """What the probes ask of this bot; `line` is Socket Mode's."""
    context = bot.context
    return Health(
        database=context.database,
        clock=context.clock,
        alive={"delivery": lambda: context.delivery.alive, "scheduler": lambda: heartbeat.alive},
        connected=line.connected if line else None,
        spool=Spool(context.settings.spool),
        away=lambda: context.offline.away,
    )


def _check(settings: Settings) -> None:
    if not settings.bot_token.get_secret_value():
        raise UsageError("SLACK_BOT_TOKEN is not set. It is under OAuth & Permissions on the app's page, xoxb-…")
    if not settings.app_token.get_secret_value() and not settings.signing_secret.get_secret_value():
        raise UsageError(
            "Set SLACK_APP_TOKEN (xapp-…, for Socket Mode, no public address needed) "
            "or SLACK_SIGNING_SECRET (for HTTP)."
        )
    for variable, token in (("SLACK_BOT_TOKEN", settings.bot_token), ("SLACK_APP_TOKEN", settings.app_token)):
        if not TOKEN_PATTERN.fullmatch(token.get_secret_value()):
            raise UsageError(
                f"{MALFORMED.format(variable=variable)}. Copy it anew from the app's page, all of it and in one line."
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
def running(bot: Bot, *, ensured: bool = True, heartbeat: Heartbeat | None = None) -> Iterator[Bot]:
    """The bot with its background work under way; what is in hand is finished at the end.

    The `heartbeat` beats as long as the ticks do.
    """
    heartbeat = heartbeat or Heartbeat(HEARTBEAT_S)
    ticks = scheduler({**tick_intervals(bot), heartbeat.beat: BEAT_S})
    bot.start(ensured=ensured)
    heartbeat.beat()
    ticks.start()
    try:
        yield bot
    finally:
        ticks.shutdown(wait=False)
        bot.stop()


def tick_intervals(bot: Bot) -> dict[Callable[[], object], float]:
    """What is called again and again, and every how many seconds."""
    return {
        bot.refresh: REFRESH_S,
        bot.context.identity.learn: LEARN_S,
        bot.replay_spool: DRAIN_S,
        bot.remind: REMIND_S,
        bot.prune: PRUNE_S,
    }
