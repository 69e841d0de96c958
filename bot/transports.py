"""The two ways by which Slack reaches a running bot, each until the process is told to stop."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.routing import Route

from bot.config import Settings
from bot.errors import UsageError
from bot.server.limits import Patience
from bot.server.shutdown import leave_within, on_signal
from bot.server.threaded import listen
from bot.slack.bot import Bot
from bot.slack.inbound.arrivals import Signatures, dispatch
from bot.slack.inbound.http import application

if TYPE_CHECKING:
    from bot.slack.inbound.socket import Silence

STOP_S = 10
"""Seconds from the signal to the end of the process, whatever Slack or the database do."""
HTTP_STOP_S = 4
"""Of these, for requests that are in hand; an ack has three."""
DEAF = 1
"""The exit code of a process that hears nothing of Slack any more: its supervisor starts another."""
_LOOK_S = 0.5
_log = logging.getLogger(__name__)


class Line:
    """The connection of Socket Mode, once there is one."""

    def __init__(self) -> None:
        self.socket: Any = None

    def connected(self) -> bool:
        """Whether it is open."""
        return self.socket is not None and bool(self.socket.connected)


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where HTTP is served, and what beside Slack's endpoint."""

    host: str
    port: int
    routes: Sequence[Route]


def http(bot: Bot, settings: Settings, at: At) -> None:
    """Serve Slack's requests. Raises UsageError for a port that cannot be had."""
    try:
        listener = listen(at.port, at.host)
    except OSError as error:
        raise UsageError(
            f"{at.host}:{at.port}: {os.strerror(error.errno) if error.errno else error}. Choose another with --port."
        ) from None
    web = application(partial(dispatch, bot.app), Signatures(settings).hold, tally=bot.door.tally, routes=at.routes)
    _log.info("listening on http://%s:%s/slack/events", at.host, listener.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(
            web, http=Patience, ws="none", log_config=None, log_level="warning",
            access_log=False, timeout_graceful_shutdown=HTTP_STOP_S,
        )
    )  # fmt: skip

    def stop() -> None:
        server.should_exit = True

    # uvicorn raises the signal once more when it has stopped: without a handler of ours that would end the
    # process there and then, with work in hand.
    _on_signal(stop)
    server.run(sockets=[listener])


def socket(bot: Bot, settings: Settings, line: Line, silence: "Silence | None" = None) -> None:
    """Keep a connection open, told of by `line`. Raises SystemExit(DEAF) when nothing is heard of Slack any more."""
    from bot.slack.inbound.socket import connect  # noqa: PLC0415 - HTTP mode does without the WebSocket client

    stopped = threading.Event()
    _on_signal(stopped.set)
    line.socket = connect(bot, settings, stopped, silence=silence)
    # A signal that another thread was given is not acted on before this one wakes.
    while not stopped.wait(_LOOK_S) and not line.socket.deaf:
        pass
    deaf = not stopped.is_set()
    if deaf:
        _log.error(
            "nothing heard of Slack for %.0f s; ending, so that the supervisor starts anew", line.socket.silent_s
        )
        leave_within(STOP_S, DEAF)
    line.socket.close()
    if deaf:
        raise SystemExit(DEAF)


def _on_signal(stop: Callable[[], None]) -> None:
    def stopping() -> None:
        leave_within(STOP_S, 0)
        stop()

    on_signal(stopping)
