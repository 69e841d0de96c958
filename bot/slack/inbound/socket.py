"""Socket Mode: a WebSocket that the bot opens to Slack, so that it needs no public address.

Slack's own clients close the old connection before they open the next, which loses the acks in flight, and none of them
notices a connection over which nothing arrives any more. Here the next connection is opened first, and silence counts.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_websocket

from bot.config import Settings
from bot.errors import UsageError
from bot.slack.bot import Bot
from bot.slack.client import OK, reason
from bot.slack.context import CALL_S
from bot.slack.outbound.delivery import TEMPORARY_ERRORS
from bot.telemetry.context import Metrics, measured_work, request_id

WORKERS = 10
"""Envelopes handled at the same time; further ones wait for a thread."""
FINISH_S = 5.0
"""Seconds for the envelopes in flight when a connection or the process ends; an ack has three."""
_CLOSE_S = 2.0
_CHECK_S = 0.5
"""Seconds between two checks whether the connections are silent."""
_BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 30.0)
_MESSAGE_LIMIT = 1 << 22
_JSON = "application/json"
_log = logging.getLogger(__name__)
_websocket_log = logging.getLogger(f"{__name__}.websocket")
# Below this level websockets logs the messages, which contain people's words.
_websocket_log.setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepalive:
    """How long a connection may be silent, in seconds.

    Slack answers the pings sent every `ping_s`, and sends pings itself. Without an answer for `ping_s`, or without a
    message or ping from Slack for `silent_s`, another connection is opened. After `lost_s` of silence on all of them
    the process should end and be restarted. Source of the 30 s: Slack's Node SDK, `serverPingTimeout`.
    """

    ping_s: float = 10.0
    silent_s: float = 30.0
    lost_s: float = 90.0


class _Connection(ClientConnection):
    """A connection with the time of the last frame that Slack sent unasked: an answer to a ping does not count."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heard_at_s = time.monotonic()
        self.leaving = False

    def process_event(self, event: Any) -> None:
        """Note the time of a frame that arrives."""
        if not isinstance(event, Frame) or event.opcode is not Opcode.PONG:
            self.heard_at_s = time.monotonic()
        super().process_event(event)


class Socket:
    """Keeps a connection to Slack open until `close`; envelopes are answered on the connection they arrived by."""

    def __init__(self, bot: Bot, settings: Settings, keepalive: Keepalive) -> None:
        self._token = settings.app_token.get_secret_value()
        # Not the bot's client: a pause that `Retry-After` sets for the bot's calls must not delay a connection.
        self._client = WebClient(token=self._token, base_url=settings.api_url, timeout=CALL_S)
        self._keepalive = keepalive
        self._envelopes = Envelopes(bot.app, bot.context.metrics)
        self._changed = threading.Condition()
        self._connections: list[_Connection] = []
        self._closing = False
        self._heard_at_s = time.monotonic()
        self._reconnector = threading.Thread(target=self._reconnect, name="socket", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether a connection to Slack is open."""
        return bool(self._connections)

    @property
    def silent_s(self) -> float:
        """Seconds since Slack sent anything on any connection."""
        with self._changed:
            return time.monotonic() - max([self._heard_at_s, *(each.heard_at_s for each in self._connections)])

    @property
    def lost(self) -> bool:
        """Whether Slack has been silent for longer than `Keepalive.lost_s`."""
        return self.silent_s > self._keepalive.lost_s

    @property
    def in_flight(self) -> int:
        """How many envelopes are being handled."""
        return self._envelopes.in_flight

    @property
    def closing(self) -> bool:
        """Whether `close` has begun, so that further envelopes are ignored."""
        return self._envelopes.closed

    def open(self) -> bool:
        """Open a connection; False while Slack is not reached. Raises UsageError when Slack refuses the token."""
        try:
            url = self._client.apps_connections_open(app_token=self._token)["url"]
            # websockets warns of a connection that is never entered; `close` leaves it.
            connection = open_websocket(
                url,
                create_connection=_Connection,
                logger=_websocket_log,
                open_timeout=CALL_S,
                ping_interval=self._keepalive.ping_s,
                ping_timeout=self._keepalive.ping_s,
                close_timeout=_CLOSE_S,
                max_size=_MESSAGE_LIMIT,
            ).__enter__()
        except (SlackClientError, WebSocketException, OSError) as error:
            code = reason(error)
            if isinstance(error, SlackApiError) and error.response.status_code == OK and code not in TEMPORARY_ERRORS:
                raise UsageError(f"SLACK_APP_TOKEN: Slack does not take it ({code}).") from None
            _log.warning("Slack is not reached, trying again: %s", code)
            return False
        self._use(connection)  # type: ignore[arg-type]
        return True

    def start(self) -> None:
        """Begin to replace connections that are closed, silent or about to be closed by Slack."""
        self._reconnector.start()

    def close(self) -> None:
        """Finish the envelopes in flight, for at most FINISH_S, and close all connections."""
        self._envelopes.close(within_s=FINISH_S)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            connections = list(self._connections)
        for connection in connections:
            connection.close()
        if self._reconnector.is_alive():
            self._reconnector.join(timeout=_CLOSE_S)

    def _use(self, connection: _Connection) -> None:
        with self._changed:
            self._connections.append(connection)
            closing = self._closing
        _log.info("connected to Slack by Socket Mode")
        threading.Thread(target=self._read, args=(connection,), name="socket-reader", daemon=True).start()
        if closing:
            connection.close()

    def _read(self, connection: _Connection) -> None:
        with suppress(ConnectionClosed):
            for text in connection:
                self._receive(connection, text)
        connection.close()
        with self._changed:
            self._connections.remove(connection)
            self._heard_at_s = max(self._heard_at_s, connection.heard_at_s)
            self._changed.notify_all()

    def _receive(self, connection: _Connection, text: str | bytes) -> None:
        try:
            message = json.loads(text)
            if message.get("type") == "disconnect":
                _log.info("Slack asks for another connection: %s", message.get("reason"))
                with self._changed:
                    connection.leaving = True
                    self._changed.notify_all()
            elif "envelope_id" in message:
                self._envelopes.submit(message, connection.send)
        except (ValueError, AttributeError) as error:
            _log.error("message of Slack's not read: %s", type(error).__name__)

    def _reconnect(self) -> None:
        waits_s = _backoff_s()
        while self._wait_until_needed():
            if self._replace():
                waits_s = _backoff_s()
            else:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, next(waits_s))

    def _wait_until_needed(self) -> bool:
        """Wait until no connection is usable; False when the socket is closing instead."""
        with self._changed:
            while self._is_usable() and not self._closing:
                # With a timeout, since silence notifies no condition.
                self._changed.wait(_CHECK_S)
            return not self._closing

    def _is_usable(self) -> bool:
        silent_since_s = time.monotonic() - self._keepalive.silent_s
        return any(not each.leaving and each.heard_at_s > silent_since_s for each in self._connections)

    def _replace(self) -> bool:
        old = list(self._connections)
        try:
            opened = self.open()
        except UsageError as error:
            # A token revoked while connected: the old connection may still answer the envelopes in flight.
            _log.error("%s", error)
            return False
        if opened:
            for each in old:
                threading.Thread(target=self._close_later, args=(each,), name="socket-closer", daemon=True).start()
        return opened

    @staticmethod
    def _close_later(connection: _Connection) -> None:
        """Close the connection after FINISH_S, in which answers still leave by it, unless Slack closes it earlier."""
        connection.wait_closed(FINISH_S)
        connection.close()


def connect(
    bot: Bot, settings: Settings, stopped: threading.Event | None = None, *, keepalive: Keepalive | None = None
) -> Socket:
    """Open a connection, and keep one open from then on.

    While Slack is not reached, try again until `stopped` is set. Raises UsageError when Slack refuses the token.
    """
    socket = Socket(bot, settings, keepalive or Keepalive())
    stopped, waits_s = stopped or threading.Event(), _backoff_s()
    while not socket.open():
        if stopped.wait(next(waits_s)):
            return socket
    socket.start()
    return socket


def _backoff_s() -> Iterator[float]:
    return chain(_BACKOFF_S, repeat(_BACKOFF_S[-1]))


Send = Callable[[str], object]


class Envelopes:
    """A thread pool that handles envelopes. After `close` it ignores further ones and finishes those in flight.

    Slack delivers an envelope without an ack again, to this or another connection.
    """

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="envelope")
        self._idle = threading.Condition()
        self.in_flight = 0
        self.closed = False

    def submit(self, envelope: Mapping[str, Any], send: Send) -> None:
        """Handle the envelope in a thread, and pass its ack to `send`."""
        with self._idle:
            if not self.closed:
                self._workers.submit(self._handle, envelope, send)

    def close(self, *, within_s: float) -> None:
        """Ignore further envelopes, and wait at most `within_s` seconds for those in flight."""
        with self._idle:
            self.closed = True
            self._idle.wait_for(lambda: not self.in_flight, within_s)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _handle(self, envelope: Mapping[str, Any], send: Send) -> None:
        with self._idle:
            if self.closed:
                return
            self.in_flight += 1
        received_s = time.perf_counter()
        try:
            with measured_work(self._metrics, request=request_id()):
                ack = _ack(self._app, envelope)
                if ack is not None:
                    send(json.dumps(ack))
            self._metrics.acked("socket", time.perf_counter() - received_s)
        except Exception as error:  # noqa: BLE001 - the boundary: without an ack Slack delivers it again
            _log.error("envelope not answered: %s", type(error).__name__)
        finally:
            with self._idle:
                self.in_flight -= 1
                self._idle.notify_all()


def _ack(app: App, envelope: Mapping[str, Any]) -> dict[str, Any] | None:
    """Bolt's answer to the envelope; None where Bolt refuses it."""
    # HTTP has these values in headers of this name, where Bolt looks for them.
    retries = {"x-slack-retry-num": "retry_attempt", "x-slack-retry-reason": "retry_reason"}
    headers: dict[str, Any] = {
        header: str(envelope[key]) for header, key in retries.items() if envelope.get(key) is not None
    }
    request = BoltRequest(mode="socket_mode", body=envelope["payload"], headers=headers)
    response: BoltResponse = app.dispatch(request)
    if response.status != OK:
        _log.warning("envelope answered %s", response.status)
        return None
    ack = {"envelope_id": envelope["envelope_id"]}
    if not response.body:
        return ack
    kind = response.headers.get("content-type", [""])[0]
    return ack | {"payload": json.loads(response.body) if kind.startswith(_JSON) else {"text": response.body}}
