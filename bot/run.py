"""`scribe run`: the bot, its periodic work and one of its two transports, until a signal stops the process."""

import gc
import logging
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from sqlalchemy.exc import DBAPIError
from starlette.routing import Route

from bot.clock import SharedClock
from bot.config import MALFORMED, TOKEN_PATTERN, Settings
from bot.errors import UsageError
from bot.server.hooks import hook_routes
from bot.server.limits import LimitedHttpProtocol
from bot.server.probes import probe_routes, serve_separately
from bot.server.scheduler import LOOK_S as WATCH_S
from bot.server.scheduler import ClockWatch, scheduler
from bot.server.shutdown import exit_within, on_signal
from bot.server.threaded import BeatingServer, listen
from bot.slack.bot import Bot, build
from bot.slack.inbound.http import application
from bot.telemetry.context import HEARTBEATS, Heartbeat
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
"""Seconds from the signal to the end of the process, even while Slack or the database hang."""
HTTP_STOP_S = 4
"""Seconds of these for requests in progress; Slack waits three for an ack."""
EXIT_RESTART = 1
"""The exit code of a process that no longer hears from Slack, or that hangs; its supervisor starts another."""
REFRESH_S = 6 * 3600.0
LEARN_S = 60.0
LIST_S = 5.0
DRAIN_S = 1.0
PRUNE_S = 24 * 3600.0
REMIND_S = 60.0
HAND_OVER_S = 2.0
INDEX_S = 1.0
NUDGE_S = 20.0
HEAR_S = 2.0
LOOK_S = 3600.0
BEAT_S = 5.0
"""Seconds between the scheduler's heartbeats."""
_POLL_S = 0.5
_SWITCH_S = 0.001
"""Seconds between thread switches, so that an answer does not wait for a computation; Python's default is 0.005."""
_log = logging.getLogger(__name__)


class SocketStatus:
    """The connection of Socket Mode; None until it is opened."""

    def __init__(self) -> None:
        self.socket: Any = None

    def connected(self) -> bool:
        """Whether a connection is open over which Slack is heard, and what it says is read."""
        return self.socket is not None and bool(self.socket.hearing)


def serve(
    settings: Settings,
    database: Database,
    *,
    host: str,
    port: int,
    health_port: int | None = None,
    keepalive: "Keepalive | None" = None,
    record: Path | None = None,
) -> None:
    """Run until SIGTERM or SIGINT; `keepalive` bounds how long Slack may be silent.

    What Slack sends is kept in the folder `record`, with every word and id replaced.
    With a `health_port` the probes are served there, from before the schema is migrated; without one, HTTP mode serves
    them beside Slack's endpoint. Raises UsageError naming a missing setting or a port that is taken, what
    `schema.ensure` raises, and SystemExit(EXIT_RESTART) when Slack is silent for too long, or when a loop hangs.
    """
    _check_tokens(settings)
    configure(settings.log_level, settings.log_format)
    told = " ".join(f"{name}={value}" for name, value in settings.summary().items())
    _log.info("Scribe %s on Python %s; %s", version("scribe-bot"), platform.python_version(), told or "no settings")
    sys.setswitchinterval(_SWITCH_S)
    socket_mode = bool(settings.app_token.get_secret_value())
    metrics, status, ending = PrometheusMetrics(), SocketStatus(), Ending()
    bot = build(settings, database, shared=SharedClock(database.server_time), metrics=metrics)
    if record is not None:
        from bot.doctor.recording import Recorder  # noqa: PLC0415 - for the hour in which a workspace is tried

        bot.app.on_payload = Recorder(record)
    serving = threading.Event()
    health = Health(
        database=database,
        clock=bot.context.clock,
        dead=bot.supervisor.dead,
        connected=status.connected if socket_mode else None,
        spool=Spool(settings.spool),
        away=lambda: bot.context.offline.away,
        serving=serving.is_set,
    )
    routes = probe_routes(health, metrics.exposition, content_type=CONTENT_TYPE)
    context = bot.context
    hooks = hook_routes(settings, context.offline, context.clock, database, metrics)
    if socket_mode and hooks and health_port is None:
        _log.warning("SCRIBE_HOOKS_SECRET is set, and nothing listens for sources: give --health-port")
    probing = Heartbeat("probes")
    if health_port is not None:
        HEARTBEATS.add(probing)
    with (
        serve_separately([*routes, *(hooks if socket_mode else ())], host, health_port, probing.beat) as routes_here,
        running(bot, ensured=_ensure_schema(database), when_stuck=ending.stuck),
    ):
        # What was imported until here is never freed; a full collection of it stops every thread for tens of ms.
        gc.freeze()
        gc.enable()
        serving.set()
        if socket_mode:
            serve_socket(bot, settings, status, ending, keepalive)
        else:
            serve_http(bot, settings, ending, host=host, port=port, routes=[*routes_here, *hooks])
    database.close()
    if ending.code:
        raise SystemExit(ending.code)


class Ending:
    """How the process ends: by a signal with 0, or with `EXIT_RESTART`. Within STOP_S, whatever still hangs then."""

    def __init__(self) -> None:
        self.code = 0
        self._stop: Callable[[], None] | None = None

    def prepare(self, stop: Callable[[], None]) -> None:
        """Call `stop` when the process is to end, and at SIGTERM or SIGINT."""
        self._stop = stop
        on_signal(lambda: self.begin(0))

    def begin(self, code: int) -> None:
        """End the process with this exit code."""
        self.code = code
        exit_within(STOP_S, code)
        if self._stop is not None:
            self._stop()

    def stuck(self, names: Sequence[str]) -> None:
        """End the process because these loops hang: no thread can be ended from outside."""
        _log.error("no progress of %s; ending, so that the supervisor starts anew", ", ".join(names))
        self.begin(EXIT_RESTART)


def _check_tokens(settings: Settings) -> None:
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


def _ensure_schema(database: Database) -> bool:
    """Migrate the schema if needed; return False while the server is unreachable: that may be the very incident."""
    try:
        schema.ensure(database)
        database.check_pages()
    except DBAPIError as error:
        if database.is_sqlite or not is_away(error):
            raise
        _log.error("database away: %s; what is typed is kept until it is back", type(error.orig).__name__)
        return False
    return True


@contextmanager
def running(
    bot: Bot, *, ensured: bool = True, when_stuck: Callable[[Sequence[str]], None] | None = None
) -> Iterator[Bot]:
    """Run the bot's background work within the block, and finish what is in progress at its end.

    Unless `ensured`, the schema is yet to be migrated. `when_stuck` is called once when a loop hangs, with its name.
    """
    heartbeat = HEARTBEATS.add(Heartbeat("scheduler"))
    ticks = scheduler({**tick_intervals(bot), heartbeat.beat: BEAT_S}, bot.supervisor.failed)
    watch, stopped = ClockWatch(ticks), threading.Event()

    def watch_clock() -> None:
        stopped.wait(WATCH_S)
        watch.look()

    bot.start(ensured=ensured)
    ticks.start()
    bot.supervisor.run("clock", watch_clock)
    bot.supervisor.start(when_stuck)
    try:
        yield bot
    finally:
        stopped.set()
        HEARTBEATS.remove(heartbeat)
        ticks.shutdown(wait=False)
        bot.stop()


def tick_intervals(bot: Bot) -> dict[Callable[[], object], float]:
    """The functions that the scheduler calls periodically, and every how many seconds."""
    return {
        bot.refresh: REFRESH_S,
        bot.context.identity.learn: LEARN_S,
        bot.list_members: LIST_S,
        bot.replay_spool: DRAIN_S,
        bot.hand_over: HAND_OVER_S,
        bot.remind: REMIND_S,
        bot.nudge: NUDGE_S,
        bot.hear: HEAR_S,
        bot.presence.look_again: LOOK_S,
        bot.index: INDEX_S,
        bot.prune: PRUNE_S,
    }


def serve_http(bot: Bot, settings: Settings, ending: Ending, *, host: str, port: int, routes: Sequence[Route]) -> None:
    """Serve Slack's requests, and `routes`. Raises UsageError for a port that cannot be bound."""
    web = application(bot, settings, routes=routes)
    heartbeat = Heartbeat("http")
    server = BeatingServer(
        uvicorn.Config(
            web, http=LimitedHttpProtocol, ws="none", log_config=None, log_level="warning",
            access_log=False, timeout_graceful_shutdown=HTTP_STOP_S,
        ),
        heartbeat.beat,
    )  # fmt: skip

    def stop() -> None:
        server.should_exit = True

    # uvicorn raises the signal again after it has stopped; without this handler the signal would end the process at
    # once, with work in progress. It is there before the port is: what can reach the port may find work in progress.
    ending.prepare(stop)
    try:
        listener = listen(port, host)
    except OSError as error:
        raise UsageError(
            f"{host}:{port}: {os.strerror(error.errno) if error.errno else error}. Choose another with --port."
        ) from None
    _log.info("listening on http://%s:%s/slack/events", host, listener.getsockname()[1])
    HEARTBEATS.add(heartbeat)
    try:
        server.run(sockets=[listener])
    finally:
        HEARTBEATS.remove(heartbeat)


def serve_socket(
    bot: Bot, settings: Settings, status: SocketStatus, ending: Ending, keepalive: "Keepalive | None" = None
) -> None:
    """Keep a Socket Mode connection open, shown by `status`, until the process ends or Slack is silent for too long."""
    from bot.slack.inbound.socket import connect  # noqa: PLC0415 - HTTP mode does without the WebSocket client

    stopped = threading.Event()
    ending.prepare(stopped.set)
    status.socket = connect(bot, settings, stopped, keepalive=keepalive)
    # A signal delivered to another thread is handled only when this thread, the main one, wakes.
    while not stopped.wait(_POLL_S):
        if status.socket.lost:
            _log.error(
                "nothing heard of Slack for %.0f s; ending, so that the supervisor starts anew", status.socket.silent_s
            )
            ending.begin(EXIT_RESTART)
    status.socket.close()
