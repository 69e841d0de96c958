"""Socket Mode: a WebSocket that the bot opens to Slack, so that it needs no public address.

Slack's own clients close the old connection before they open the next, which loses the acks in flight, and none of them
notices a connection over which nothing arrives any more. Here the next connection is opened first, and silence counts.
So does a reader that takes nothing more in: that a connection is open, and answers pings, proves only that it is there.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt import App, BoltResponse
from slack_sdk.errors import SlackApiError, SlackClientError
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, reconnect
from websockets.sync.utils import Deadline

from bot.config import Settings
from bot.errors import UsageError
from bot.server.supervisor import Loop
from bot.slack.bot import Bot
from bot.slack.client import CALL_S, OK, StrictClient, in_time
from bot.slack.inbound.payloads import UNREADABLE, bolt_request
from bot.slack.refusals import SERVER_ERROR, backoff_s, gives_up, reason, retry_after_s
from bot.telemetry.context import ContextThreadPool, Metrics, measured_work, request_id

WORKERS = 10
"""Envelopes handled at the same time; further ones wait for a thread."""
FINISH_S = 5.0
"""Seconds for the envelopes in flight when a connection or the process ends; an ack has three."""
_CLOSE_S = 2.0
READ_S = 1.0
"""Seconds in which a reader waits for a message; then it shows that it still reads."""
MOST_UNREAD = 3
"""Messages in a row that cannot be taken from a connection; then it is given up for another one."""
_CHECK_S = 0.5
"""Seconds between two checks whether the connections are silent."""
LONGEST_WAIT_S = 30.0
"""Seconds between two attempts to connect, unless Slack asks for more."""
_LONGEST_TURN_S = 5.0
_KINDS = frozenset({"slash_commands", "interactive", "events_api"})
"""The types of the envelopes that Bolt answers."""
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
    the process should end and be restarted. Source of the 30 s: Slack's Node SDK, `serverPingTimeout`. A connection
    that was greeted and then lived for `lived_s` shows that connecting works; until then the waits grow.
    """

    ping_s: float = 10.0
    silent_s: float = 30.0
    lost_s: float = 90.0
    lived_s: float = 30.0


Monotonic = Callable[[], float]
"""Seconds of a clock that is never set."""


class _Connection(ClientConnection):
    """A connection with the time of the last frame that Slack sent unasked: an answer to a ping does not count.

    `read_at_s` is when its reader last was ready for a message. `greeted_at_s` is when Slack's `hello` came. It is
    `leaving` when Slack asked for another one, and `replaced` when that is open, until `close_at_s`.
    """

    monotonic: Monotonic = staticmethod(time.monotonic)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heard_at_s = self.read_at_s = self.monotonic()
        self.greeted_at_s: float | None = None
        self.leaving = False
        self.replaced = False
        self.close_at_s = float("inf")
        self.unread = 0

    @property
    def alive_at_s(self) -> float:
        """Until when it is known both that Slack speaks here and that its words are read."""
        return min(self.heard_at_s, self.read_at_s)

    def process_event(self, event: Any) -> None:
        """Note the time of a frame that arrives."""
        if not isinstance(event, Frame) or event.opcode is not Opcode.PONG:
            self.heard_at_s = self.monotonic()
        super().process_event(event)


class _Opening(reconnect):
    """Opens a connection where Slack said, and nowhere else: a redirect is no answer of Slack's."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow none."""
        return exc

    def open_socket(self, deadline: Deadline) -> Any:
        """Connect to the host, or to a proxy, within the time of the whole, the look-up of its name included."""
        return in_time(
            partial(super().open_socket, deadline), deadline.timeout() or CALL_S, too_late=lambda sock: sock.close()
        )


class Pace:
    """When the next connection may be opened: at once after one that lived, else after waits that grow.

    So neither refusals nor connections that Slack ends as soon as it has opened them lead to a storm of calls.
    """

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self.attempts = 0
        """How often a connection was opened, or refused, since the last one that lived."""
        self.asked_until_s = 0.0
        """Until when Slack itself has asked to wait, by `monotonic`."""
        self._next_at_s = 0.0

    @property
    def wait_s(self) -> float:
        """Seconds until the next attempt."""
        return max(0.0, self._next_at_s - self._monotonic())

    def attempted(self) -> None:
        """Note an attempt that is about to be made."""
        self.attempts += 1
        self._next_at_s = self._monotonic() + backoff_s(self.attempts, longest_s=LONGEST_WAIT_S)

    def asked(self, wait_s: float) -> None:
        """Note a `Retry-After`; up to two seconds more are waited, so that not all replicas return at once."""
        self.asked_until_s = self._monotonic() + wait_s
        self._next_at_s = max(self._next_at_s, self.asked_until_s + backoff_s(1, longest_s=LONGEST_WAIT_S))

    def lived(self) -> None:
        """Note that connecting works."""
        self.attempts = 0
        self._next_at_s = min(self._next_at_s, self._monotonic())


class Socket:
    """Keeps a connection to Slack open until `close`; envelopes are answered on the connection they arrived by."""

    def __init__(
        self, bot: Bot, settings: Settings, keepalive: Keepalive, *, monotonic: Monotonic = time.monotonic
    ) -> None:
        self._token = settings.app_token.get_secret_value()
        # Not the bot's client: a pause that `Retry-After` sets for the bot's calls must not delay a connection.
        self._client = StrictClient(token=self._token, base_url=settings.api_url)
        self._keepalive = keepalive
        self._monotonic = monotonic
        self.pace = Pace(monotonic)
        self._envelopes = Envelopes(bot.app, bot.context.metrics)
        self._changed = threading.Condition()
        self._connections: list[_Connection] = []
        self._closing = False
        self._heard_at_s = monotonic()
        self._supervisor = bot.supervisor
        self._reconnector: Loop | None = None

    @property
    def connected(self) -> bool:
        """Whether a connection to Slack is open."""
        return bool(self._connections)

    @property
    def usable(self) -> bool:
        """Whether a connection is open that Slack has not asked to leave, and over which it was heard lately."""
        with self._changed:
            return self._is_usable()

    @property
    def hearing(self) -> bool:
        """Whether a connection is open over which Slack was heard lately, and is read."""
        silent_since_s = self._monotonic() - self._keepalive.silent_s
        with self._changed:
            return any(each.alive_at_s > silent_since_s for each in self._connections)

    @property
    def greeted(self) -> bool:
        """Whether Slack has said hello on a connection that is open."""
        with self._changed:
            return any(each.greeted_at_s is not None for each in self._connections)

    @property
    def silent_s(self) -> float:
        """Seconds since a connection took anything of Slack's in, or since the end of a wait that it asked for."""
        with self._changed:
            heard = (self._heard_at_s, self.pace.asked_until_s, *(each.alive_at_s for each in self._connections))
            return self._monotonic() - max(heard)

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
        self.pace.attempted()
        try:
            url = str(self._client.apps_connections_open(app_token=self._token)["url"])
            # Without `with`: `close` leaves it.
            connection = _Opening(
                url,
                create_connection=_Connection,
                logger=_websocket_log,
                open_timeout=CALL_S,
                ping_interval=self._keepalive.ping_s,
                ping_timeout=self._keepalive.ping_s,
                close_timeout=_CLOSE_S,
                max_size=_MESSAGE_LIMIT,
            ).__enter__()
        except (SlackClientError, WebSocketException, OSError, ValueError, RuntimeError) as error:
            # RuntimeError: no further thread could be started.
            code, wait_s = reason(error), retry_after_s(error)
            if isinstance(error, SlackApiError) and gives_up(error, self.pace.attempts):
                raise UsageError(f"SLACK_APP_TOKEN: Slack does not take it ({code}).") from None
            if wait_s is not None:
                self.pace.asked(wait_s)
            _log.warning("Slack is not reached, trying again in %.0f s: %s", self.pace.wait_s, code)
            return False
        self._use(connection)  # type: ignore[arg-type]
        return True

    def start(self) -> None:
        """Begin to replace connections that are closed, silent or about to be closed by Slack."""
        self._reconnector = self._supervisor.run("socket", self._reconnect)

    def close(self) -> None:
        """Finish the envelopes in flight, for at most FINISH_S, and close all connections."""
        self._envelopes.close(within_s=FINISH_S)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            connections = list(self._connections)
        if self._reconnector is not None:
            self._reconnector.stop()
        for connection in connections:
            connection.close()
        if self._reconnector is not None:
            self._reconnector.join(_CLOSE_S)

    def _use(self, connection: _Connection) -> None:
        connection.monotonic = self._monotonic
        connection.heard_at_s = connection.read_at_s = self._monotonic()
        with self._changed:
            self._connections.append(connection)
            closing = self._closing
        _log.info("connected to Slack by Socket Mode")
        self._supervisor.run("socket-reader", partial(self._read, connection))
        if closing:
            connection.close()

    def _read(self, connection: _Connection) -> bool:
        """Take one message from the connection, if one comes; False once it is closed."""
        connection.read_at_s = self._monotonic()
        try:
            text = connection.recv(timeout=READ_S)
            connection.unread = 0
        except TimeoutError:
            return True
        except ConnectionClosed:
            self._forget(connection)
            return False
        except BaseException:
            # What stands in the way may come of the connection's own state: then no further message would be read.
            connection.unread += 1
            if connection.unread < MOST_UNREAD:
                raise
            self._forget(connection)
            return False
        self._receive(connection, text)
        return True

    def _forget(self, connection: _Connection) -> None:
        with self._changed:
            self._note_life()
            if connection in self._connections:
                self._connections.remove(connection)
            self._heard_at_s = max(self._heard_at_s, connection.alive_at_s)
            self._changed.notify_all()
        connection.close()

    def _receive(self, connection: _Connection, text: str | bytes) -> None:
        try:
            message = json.loads(text)
            if message.get("type") == "hello":
                connection.greeted_at_s = self._monotonic()
            elif message.get("type") == "disconnect":
                _log.info("Slack asks for another connection: %s", message.get("reason"))
                with self._changed:
                    self._note_life()
                    connection.leaving = True
                    self._changed.notify_all()
            elif "envelope_id" in message:
                self._envelopes.submit(message, connection.send)
        except Exception as error:  # noqa: BLE001 - the boundary: nothing that arrives may make the connection deaf
            _log.error("message of Slack's not read: %s", type(error).__name__)

    def _reconnect(self) -> bool:
        wait_s = min(self.turn(), _LONGEST_TURN_S)
        with self._changed:
            # Also woken by each change of a connection; with a timeout, since silence notifies no condition.
            if not self._closing:
                self._changed.wait(wait_s)
            return not self._closing

    def turn(self) -> float:
        """Open another connection if none is usable and the pace allows; returns the seconds until the next turn."""
        with self._changed:
            self._note_life()
            over = [each for each in self._connections if each.close_at_s <= self._monotonic()]
            usable = self._is_usable() or self._closing
        for each in over:
            self._forget(each)
        if usable:
            return _CHECK_S
        if not self.pace.wait_s:
            self._replace()
        return min(self.pace.wait_s, LONGEST_WAIT_S) or _CHECK_S

    def _note_life(self) -> None:
        """Let the waits begin anew if a connection has lived long enough since Slack's `hello`."""
        born_before_s = self._monotonic() - self._keepalive.lived_s
        for each in self._connections:
            if not each.leaving and each.greeted_at_s is not None and each.greeted_at_s <= born_before_s:
                self.pace.lived()

    def _is_usable(self) -> bool:
        silent_since_s = self._monotonic() - self._keepalive.silent_s
        return any(not each.leaving and each.alive_at_s > silent_since_s for each in self._connections)

    def _replace(self) -> None:
        with self._changed:
            old = [each for each in self._connections if not each.replaced]
        try:
            opened = self.open()
        except UsageError as error:
            # A token revoked while connected: the old connection may still answer the envelopes in flight.
            _log.error("%s", error)
            return
        if opened:
            for each in old:
                # Until then answers still leave by it, unless Slack closes it earlier.
                each.replaced, each.close_at_s = True, self._monotonic() + FINISH_S


def connect(
    bot: Bot, settings: Settings, stopped: threading.Event | None = None, *, keepalive: Keepalive | None = None
) -> Socket:
    """Open a connection, and keep one open from then on.

    While Slack is not reached, try again until `stopped` is set. Raises UsageError when Slack refuses the token.
    """
    socket = Socket(bot, settings, keepalive or Keepalive())
    stopped = stopped or threading.Event()
    while not socket.open():
        if stopped.wait(socket.pace.wait_s):
            return socket
    socket.start()
    return socket


Send = Callable[[str], object]


class Envelopes:
    """A thread pool that handles envelopes. After `close` it ignores further ones and finishes those in flight.

    Slack delivers an envelope without an ack again, to this or another connection.
    """

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._workers = ContextThreadPool(WORKERS, thread_name_prefix="envelope")
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
                    # As UTF-8, which is shorter than escapes.
                    send(json.dumps(ack, ensure_ascii=False))
            self._metrics.acked("socket", time.perf_counter() - received_s)
        except BaseException as error:  # noqa: BLE001 - the boundary: without an ack Slack delivers it again
            self._metrics.loop_failed("envelope")
            _log.error("envelope not answered: %s", type(error).__name__)
        finally:
            with self._idle:
                self.in_flight -= 1
                self._idle.notify_all()


def _ack(app: App, envelope: Mapping[str, Any]) -> dict[str, Any] | None:
    """Bolt's answer to the envelope; None where a listener failed, so that Slack delivers it again.

    What nobody here can read is acknowledged: delivered again it would be no different.
    """
    ack = {"envelope_id": envelope["envelope_id"]}
    payload = envelope.get("payload")
    if envelope.get("type") not in _KINDS or not isinstance(payload, dict):
        _log.warning("envelope of an unknown kind: %.40r", envelope.get("type"))
        return ack
    # HTTP has these values in headers of this name, where Bolt looks for them.
    retries = {"x-slack-retry-num": "retry_attempt", "x-slack-retry-reason": "retry_reason"}
    headers: dict[str, Any] = {
        header: str(envelope[key]) for header, key in retries.items() if envelope.get(key) is not None
    }
    try:
        response: BoltResponse = app.dispatch(bolt_request(payload, mode="socket_mode", headers=headers))
    except UNREADABLE as error:
        _log.warning("envelope not readable: %s", type(error).__name__)
        return ack
    if response.status != OK:
        _log.warning("envelope answered %s", response.status)
        return None if response.status >= SERVER_ERROR else ack
    if not response.body:
        return ack
    kind = response.headers.get("content-type", [""])[0]
    return ack | {"payload": json.loads(response.body) if kind.startswith(_JSON) else {"text": response.body}}
