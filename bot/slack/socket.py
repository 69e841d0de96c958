"""Socket Mode: Bolt over a WebSocket the bot opens itself, so that no public address is needed."""

import logging
import threading
import time
from contextlib import suppress
from itertools import chain, repeat
from socket import SHUT_RD
from typing import Any

from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.config import Settings
from bot.errors import UsageError
from bot.slack.app import Bot
from bot.slack.delivery import TEMPORARY
from bot.tally import Tally
from bot.watching import request_id, watched

WORKERS = 10
_CLOSE_S = 2.0
_LOOK_S = 0.05
_WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0)
_log = logging.getLogger(__name__)


class _Handler(SocketModeHandler):
    """Bolt's handler, which now and then never came back from closing.

    The client closes the socket while another thread waits for it to be readable, and that thread, which it then
    joins, may wait for ever. So the reader is told to leave first, and closes the connection itself.
    """

    def __init__(self, tally: Tally, *given: Any, **how: Any) -> None:
        super().__init__(*given, **how)
        self._tally = tally

    @property
    def connected(self) -> bool:
        """Whether a connection to Slack is open."""
        return bool(self.client.is_connected())

    def handle(self, client: Any, req: Any) -> None:
        """Answer one envelope, watched under an id of its own."""
        received_s = time.perf_counter()
        with watched(self._tally, request=request_id()):
            super().handle(client, req)
        self._tally.acked("socket", time.perf_counter() - received_s)

    def close(self) -> None:
        """Close the connection; it is not opened again."""
        client, reader = self.client, self.client.current_session_runner
        client.auto_reconnect_enabled = False
        reader.event.set()
        give_up_at_s = time.monotonic() + _CLOSE_S
        while reader.is_alive() and time.monotonic() < give_up_at_s:
            # More than once: a session that is only being opened sets itself running again.
            _stop(client.current_session)
            reader.thread.join(timeout=_LOOK_S)
        if not reader.is_alive():
            super().close()  # type: ignore[no-untyped-call]


def _stop(session: Any) -> None:
    if session is None:
        return
    session.keep_running = False
    if session.sock is not None and session.sock.sock is not None:
        with suppress(OSError):  # closed by the other side
            session.sock.sock.shutdown(SHUT_RD)


def connect(bot: Bot, settings: Settings, stopped: threading.Event | None = None) -> Any:
    """Open the connection; the handler given back has `close()`.

    While Slack is away it is tried again, until `stopped` is set. Raises UsageError when Slack refuses the token.
    """
    token = settings.app_token.get_secret_value()
    handler = _Handler(
        bot.door.tally,
        bot.app,
        token,
        # Neither client reads SLACK_API_URL by itself; and this adapter, unlike the built-in, switches Nagle off.
        web_client=WebClient(token=token, base_url=settings.api_url),
        concurrency=WORKERS,
    )
    stopped, waits_s = stopped or threading.Event(), chain(_WAITS_S, repeat(_WAITS_S[-1]))
    while not _connected(handler):
        if stopped.wait(next(waits_s)):
            break
    return handler


def _connected(handler: SocketModeHandler) -> bool:
    try:
        handler.client.connect()
    except SlackApiError as error:
        reason = str(error.response.get("error"))
        if error.response.status_code == 200 and reason not in TEMPORARY:  # noqa: PLR2004 - HTTP's "done"
            raise UsageError(f"SLACK_APP_TOKEN: Slack does not take it ({reason}).") from None
    except (SlackClientError, OSError) as error:
        reason = type(error).__name__
    else:
        _log.info("connected to Slack by Socket Mode")
        return True
    _log.warning("Slack is not reached, trying again: %s", reason)
    return False
