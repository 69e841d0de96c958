"""Socket Mode: a WebSocket the bot opens itself, so that no public address is needed.

Slack's own clients close the old connection before they open the next, and lose the acks under way meanwhile; and
none of them notices a connection over which nothing comes any more. Here the next is opened first.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
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
from bot.slack.context import CALL_S
from bot.slack.outbound.delivery import TEMPORARY
from bot.telemetry.context import Metrics, measured_work, request_id

WORKERS = 10
_OK = 200
_JSON = "application/json"
_log = logging.getLogger(__name__)

Send = Callable[[str], object]


class Envelopes:
    """Threads that answer envelopes. What they have begun is finished; after `refuse` nothing more is begun.

    `in_hand` is how many they have begun, `refusing` whether they begin no more. Slack delivers again what gets no
    ack, here or to another connection.
    """

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="envelope")
        self._idle = threading.Condition()
        self.in_hand = 0
        self.refusing = False

    def take(self, envelope: Mapping[str, Any], send: Send) -> None:
        """Have it answered by `send`, in a thread of our own."""
        with self._idle:
            if not self.refusing:
                self._workers.submit(self._answer, envelope, send)

    def refuse(self, *, within_s: float) -> None:
        """Begin nothing more, and wait at most so many seconds for what is in hand."""
        give_up_at_s = time.monotonic() + within_s
        with self._idle:
            self.refusing = True
            self._idle.wait_for(lambda: not self.in_hand, give_up_at_s - time.monotonic())
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _answer(self, envelope: Mapping[str, Any], send: Send) -> None:
        with self._idle:
            if self.refusing:
                return
            self.in_hand += 1
        received_s = time.perf_counter()
        try:
            with measured_work(self._metrics, request=request_id()):
                answer = _answered(self._app, envelope)
                if answer is not None:
                    send(json.dumps(answer))
            self._metrics.acked("socket", time.perf_counter() - received_s)
        except Exception as error:  # noqa: BLE001 - the boundary: without an ack Slack delivers it again
            _log.error("envelope not answered: %s", type(error).__name__)
        finally:
            with self._idle:
                self.in_hand -= 1
                self._idle.notify_all()


def _answered(app: App, envelope: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to send back; None where Bolt did not take it."""
    request = BoltRequest(mode="socket_mode", body=envelope["payload"], headers=_retries(envelope))
    response: BoltResponse = app.dispatch(request)
    if response.status != _OK:
        _log.warning("envelope answered %s", response.status)
        return None
    ack = {"envelope_id": envelope["envelope_id"]}
    if not response.body:
        return ack
    kind = response.headers.get("content-type", [""])[0]
    return ack | {"payload": json.loads(response.body) if kind.startswith(_JSON) else {"text": response.body}}


def _retries(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """The headers that HTTP would tell a retry by."""
    told = {"x-slack-retry-num": "retry_attempt", "x-slack-retry-reason": "retry_reason"}
    return {header: str(envelope[key]) for header, key in told.items() if envelope.get(key) is not None}


FINISH_S = 5.0
"""Seconds for what is in hand when it ends; an ack has three."""
_CLOSE_S = 2.0
_LOOK_S = 0.5
_WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0)
_LARGEST = 1 << 22
# It would log what comes in, which is not ours to log.
_quiet = logging.getLogger(f"{__name__}.websocket")
_quiet.setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepalive:
    """How long silence is borne, in seconds.

    Slack answers our pings, sent every `ping_s`, and sends its own. Without an answer for `ping_s`, or without a word
    or a ping of Slack's for `silent_s`, another connection is opened. After `deaf_s` the process had better begin
    anew. Source of the 30 s: Slack's Node SDK, `serverPingTimeout`.
    """

    ping_s: float = 10.0
    silent_s: float = 30.0
    deaf_s: float = 90.0


class _Line(ClientConnection):
    """A connection that knows when it last heard something of Slack's own: an answer to our ping is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heard_at_s = time.monotonic()
        self.leaving = False

    def process_event(self, event: Any) -> None:
        """Note the time of what comes in."""
        if not isinstance(event, Frame) or event.opcode is not Opcode.PONG:
            self.heard_at_s = time.monotonic()
        super().process_event(event)


class Socket:
    """Keeps a connection to Slack open until `close`. What is under way on an old one is answered there."""

    def __init__(self, bot: Bot, settings: Settings, keepalive: Keepalive) -> None:
        token = settings.app_token.get_secret_value()
        # A client of its own: the bot's is told to wait by what Slack says to the bot's calls.
        self._client = WebClient(token=token, base_url=settings.api_url, timeout=CALL_S)
        self._token = token
        self._keepalive = keepalive
        self._envelopes = Envelopes(bot.app, bot.context.metrics)
        self._changed = threading.Condition()
        self._lines: list[_Line] = []
        self._closing = False
        self._heard_at_s = time.monotonic()
        self._keeper = threading.Thread(target=self._keep, name="socket", daemon=True)

    @property
    def silent_s(self) -> float:
        """Seconds since anything of Slack's was heard, on any connection."""
        with self._changed:
            return time.monotonic() - max([self._heard_at_s, *(line.heard_at_s for line in self._lines)])

    @property
    def connected(self) -> bool:
        """Whether a connection to Slack is open."""
        return bool(self._lines)

    @property
    def deaf(self) -> bool:
        """Whether that is longer than can be borne."""
        return self.silent_s > self._keepalive.deaf_s

    @property
    def in_hand(self) -> int:
        """How many envelopes are being answered."""
        return self._envelopes.in_hand

    @property
    def refusing(self) -> bool:
        """Whether it ends, and takes nothing more."""
        return self._envelopes.refusing

    def open(self) -> bool:
        """Open a connection; False while Slack is not reached. Raises UsageError when Slack refuses the token."""
        try:
            url = self._client.apps_connections_open(app_token=self._token)["url"]
            # Entered, as that library wants it, and left by `close` wherever that is called.
            line = open_websocket(
                url,
                create_connection=_Line,
                logger=_quiet,
                open_timeout=CALL_S,
                ping_interval=self._keepalive.ping_s,
                ping_timeout=self._keepalive.ping_s,
                close_timeout=_CLOSE_S,
                max_size=_LARGEST,
            ).__enter__()
        except SlackApiError as error:
            reason = str(error.response.get("error"))
            if error.response.status_code == 200 and reason not in TEMPORARY:  # noqa: PLR2004 - HTTP's "done"
                raise UsageError(f"SLACK_APP_TOKEN: Slack does not take it ({reason}).") from None
        except (SlackClientError, WebSocketException, OSError) as error:
            reason = type(error).__name__
        else:
            self._use(line)  # type: ignore[arg-type]
            return True
        _log.warning("Slack is not reached, trying again: %s", reason)
        return False

    def keep(self) -> None:
        """From now on, open another connection whenever there is none that will do."""
        self._keeper.start()

    def close(self) -> None:
        """Finish what is in hand, refuse the rest, close."""
        self._envelopes.refuse(within_s=FINISH_S)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            lines = list(self._lines)
        for line in lines:
            line.close()
        if self._keeper.is_alive():
            self._keeper.join(timeout=_CLOSE_S)

    def _use(self, line: _Line) -> None:
        with self._changed:
            self._lines.append(line)
            closing = self._closing
        _log.info("connected to Slack by Socket Mode")
        threading.Thread(target=self._read, args=(line,), name="socket-reader", daemon=True).start()
        if closing:
            line.close()

    def _read(self, line: _Line) -> None:
        with suppress(ConnectionClosed):
            for text in line:
                self._hear(line, text)
        line.close()
        with self._changed:
            self._lines.remove(line)
            self._heard_at_s = max(self._heard_at_s, line.heard_at_s)
            self._changed.notify_all()

    def _hear(self, line: _Line, text: str | bytes) -> None:
        try:
            message = json.loads(text)
            if message.get("type") == "disconnect":
                _log.info("Slack asks for another connection: %s", message.get("reason"))
                self._leave(line)
            elif "envelope_id" in message:
                self._envelopes.take(message, line.send)
        except (ValueError, AttributeError) as error:
            _log.error("message of Slack's not read: %s", type(error).__name__)

    def _leave(self, line: _Line) -> None:
        with self._changed:
            line.leaving = True
            self._changed.notify_all()

    def _keep(self) -> None:
        waits_s = _waits()
        while self._wanted():
            if self._open_again():
                waits_s = _waits()
            else:
                self._pause(next(waits_s))

    def _wanted(self) -> bool:
        """Wait until another connection is wanted; False when it ends instead."""
        with self._changed:
            while self._covered() and not self._closing:
                # Now and then, since silence tells nobody.
                self._changed.wait(_LOOK_S)
            return not self._closing

    def _pause(self, wait_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, wait_s)

    def _covered(self) -> bool:
        """Whether there is a connection that will do."""
        silent_since_s = time.monotonic() - self._keepalive.silent_s
        return any(not line.leaving and line.heard_at_s > silent_since_s for line in self._lines)

    def _open_again(self) -> bool:
        old = list(self._lines)
        try:
            opened = self.open()
        except UsageError as error:
            # A token taken back: no reason to end at once, since what is in hand has its own way out.
            _log.error("%s", error)
            return False
        if opened:
            for line in old:
                threading.Thread(target=self._part, args=(line,), name="socket-parting", daemon=True).start()
        return opened

    def _part(self, line: _Line) -> None:
        """Let the answers under way go out by the old connection, unless Slack closes it before."""
        line.wait_closed(FINISH_S)
        line.close()


def _waits() -> Any:
    return chain(_WAITS_S, repeat(_WAITS_S[-1]))


def connect(
    bot: Bot, settings: Settings, stopped: threading.Event | None = None, *, keepalive: Keepalive | None = None
) -> Socket:
    """Open the connection, and keep one open from then on.

    While Slack is away it is tried again, until `stopped` is set. Raises UsageError when Slack refuses the token.
    """
    socket = Socket(bot, settings, keepalive or Keepalive())
    stopped, waits_s = stopped or threading.Event(), _waits()
    while not socket.open():
        if stopped.wait(next(waits_s)):
            return socket
    socket.keep()
    return socket
