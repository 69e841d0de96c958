"""The stand-in for Slack that tests and the demo use."""

import socket
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from secrets import token_hex
from typing import TypeVar

from starlette.routing import BaseRoute

from bot.clock import Clock
from bot.fakeslack.actions import Actions
from bot.fakeslack.context import Context
from bot.fakeslack.delivery import FORM, OK, SIGNATURE, HttpTransport, NoTransport, Transport
from bot.fakeslack.directory import Directory
from bot.fakeslack.dispatcher import Answer, Dispatcher
from bot.fakeslack.faults import TOO_MANY_REQUESTS, Fault, Faults, FaultSource, RandomFaults, RateTiers
from bot.fakeslack.files import FILE_POLICIES
from bot.fakeslack.interactivity import ResponseUrls, Triggers
from bot.fakeslack.objects import (
    APP_ID,
    BOT_ID,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    Call,
    Canvas,
    File,
    Message,
    View,
)
from bot.fakeslack.sockets import SocketMode
from bot.fakeslack.web_api import Endpoints, WebApi, application
from bot.fakeslack.workspace import Workspace
from bot.server.threaded import ServerThread, base_url, listen

WAIT_S = 60.0
"""How long to wait for a condition: the machine may be busy. What is waited for usually takes less than a second."""
SCOPES = ("commands", "chat:write", "files:write", "users:read", "app_mentions:read", "im:history")
POLL_S = 0.02

Found = TypeVar("Found")


class Slack(Directory, Actions):
    """One workspace with one app, and the server that the app connects to. Safe to use from any thread.

    `clock` returns aware UTC datetimes, which date the messages. `monotonic` returns real seconds, by which trigger
    ids and response URLs expire. Until `deliver_to` is called, the app is reached by Socket Mode.
    """

    team_id = TEAM_ID
    team_domain = TEAM_DOMAIN
    bot_user_id = BOT_USER_ID
    bot_id = BOT_ID
    app_id = APP_ID

    def __init__(self, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.bot_token = f"xoxb-{token_hex(12)}"
        self.app_token = f"xapp-1-{APP_ID}-{token_hex(12)}"
        self.signing_secret = token_hex(16)
        self._sockets = SocketMode()
        self._http: HttpTransport | None = None
        self._no_transport: NoTransport | None = None
        self._address = ""
        self._faults = Faults()
        workspace, triggers = Workspace(clock, set(SCOPES)), Triggers(monotonic)
        self._response_urls = ResponseUrls(workspace, monotonic)
        dispatcher = Dispatcher(
            workspace, triggers=triggers, response_urls=self._response_urls, transport=lambda: self.transport
        )
        super().__init__(workspace, dispatcher, triggers)

    @contextmanager
    def serving(self, *, listener: socket.socket | None = None, pages: Sequence[BaseRoute] = ()) -> Iterator["Slack"]:
        """Serve on 127.0.0.1, by default on a free port. `pages` are routes in addition to Slack's."""
        listener = listener or listen(0)
        self._address = self._dispatcher.address = base_url(listener)
        context = Context(
            workspace=self.workspace, triggers=self._triggers, sockets=self._sockets, address=self._address
        )
        api = WebApi(context=context, faults=self._faults, bot_token=self.bot_token, app_token=self.app_token)
        server = ServerThread(application(Endpoints(api, self._response_urls), self._sockets, pages), listener)
        server.start()
        try:
            yield self
        finally:
            server.stop()
            self._address = ""
            if self._http:
                self._http.close()
                self._http = None

    @property
    def scopes(self) -> set[str]:
        """The scopes of the bot token; a change takes effect at once."""
        return self.workspace.scopes

    @scopes.setter
    def scopes(self, scopes: set[str]) -> None:
        self.workspace.scopes = scopes

    @property
    def address(self) -> str:
        """The base URL, `http://127.0.0.1:PORT`. Raises RuntimeError unless serving."""
        if not self._address:
            raise RuntimeError("the stand-in is not serving")
        return self._address

    @property
    def api_url(self) -> str:
        """The Web API's base URL, with a slash at its end. Raises RuntimeError unless serving."""
        return f"{self.address}/api/"

    @property
    def transport(self) -> Transport:
        """The transport of the next delivery."""
        return self._no_transport or self._http or self._sockets

    def deliver_to(self, url: str, wait_s: float = 3.0) -> None:
        """Deliver by signed POSTs to the app's request URL, each with a timeout of `wait_s` seconds."""
        if self._http:
            self._http.close()
        self._http = HttpTransport(url=url, wait_s=wait_s, secret=self.signing_secret)

    @contextmanager
    def failing_deliveries(self) -> Iterator[None]:
        """Fail every delivery within the block; `answers` records them, so that they can be repeated later."""
        self._no_transport = NoTransport()
        try:
            yield
        finally:
            self._no_transport = None

    def wait_connected(self, n: int = 1, within_s: float = WAIT_S) -> None:
        """Wait for `n` Socket Mode connections. Raises TimeoutError."""
        self._sockets.wait_connected(n, within_s)

    @property
    def connections(self) -> int:
        """The number of Socket Mode connections that get deliveries."""
        return len(self._sockets.connections)

    def set_socket_address(self, address: str) -> None:
        """Send Socket Mode clients to `http://HOST:PORT`, a proxy of this server; an empty string ends that."""
        self._sockets.address = address

    def disconnect_sockets(self, reason: str = "refresh_requested", *, grace_s: float = 0.5) -> None:
        """Ask every Socket Mode connection to disconnect, and close those still open after `grace_s` seconds."""
        self._sockets.disconnect(reason, grace_s=grace_s)

    def turn_sockets_away(self, reason: str) -> None:
        """Ask each further Socket Mode connection to disconnect as soon as it is open; an empty reason ends that."""
        self._sockets.turns_away = reason

    @property
    def turns_sockets_away(self) -> bool:
        """Whether further Socket Mode connections are asked to disconnect as soon as they are open."""
        return bool(self._sockets.turns_away)

    def say_over_sockets(self, text: str) -> None:
        """Send a text frame, of any content, over every Socket Mode connection."""
        self._sockets.say(text)

    @property
    def socket_acks(self) -> list[str]:
        """What the app has sent over Socket Mode, oldest first."""
        return list(self._sockets.acks)

    def cut_sockets(self) -> None:
        """Close every Socket Mode connection without a disconnect message."""
        self._sockets.cut()

    @property
    def socket_wait_s(self) -> float:
        """The seconds an ack over Socket Mode may take; 3 in Slack."""
        return self._sockets.wait_s

    @socket_wait_s.setter
    def socket_wait_s(self, seconds: float) -> None:
        self._sockets.wait_s = seconds

    def messages(self, channel: str, user: str | None = None) -> list[Message]:
        """Return the messages of a channel and its threads, oldest first; with `user`, including their ephemeral ones.

        A user id instead of a channel id means that person's direct message with the bot.
        """
        channel_id = self.workspace.direct(channel).id if channel in self.workspace.users else channel
        return self.workspace.visible(channel_id, user)

    def modal(self, user: str, *, within_s: float = 3.0) -> View | None:
        """Return a person's topmost open modal, or None if none opens within `within_s` seconds."""
        try:
            self.wait_for(lambda: self.workspace.views.get(user), within_s)
        except TimeoutError:
            return None
        views = self.workspace.views[user]
        return views[-1] if views else None

    def home(self, user: str) -> View | None:
        """Return the Home tab that the app published for a person."""
        return self.workspace.homes.get(user)

    @property
    def files(self) -> list[File]:
        """The uploaded files, oldest first."""
        return list(self.workspace.files)

    @property
    def canvases(self) -> list[Canvas]:
        """The canvases, oldest first."""
        return list(self.workspace.canvases.values())

    def delete_canvas(self, canvas_id: str) -> None:
        """Delete a canvas, as its editors can. Raises KeyError for an unknown one."""
        with self.workspace.lock:
            del self.workspace.canvases[canvas_id]
            self.workspace.touch()

    @property
    def calls(self) -> list[Call]:
        """The Web API calls and uses of response URLs, oldest first, including refused ones."""
        return list(self.workspace.calls)

    @property
    def answers(self) -> list[Answer]:
        """The answers to all deliveries, oldest first; each can be given to `repeat`."""
        return list(self._dispatcher.answers)

    @property
    def undelivered(self) -> list[Answer]:
        """The events that the app did not acknowledge."""
        return list(self._dispatcher.undelivered)

    def wait_for(self, predicate: Callable[[], Found], within_s: float = WAIT_S) -> Found:
        """Wait until `predicate` returns a true value and return it. Raises TimeoutError after `within_s` seconds.

        The predicate is called after every change of the workspace, and every POLL_S seconds.
        """
        deadline_s = time.monotonic() + within_s
        while True:
            found = predicate()
            if found:
                return found
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not so within {within_s} s")
            with self.workspace.changed:
                self.workspace.changed.wait(POLL_S)

    @property
    def faults(self) -> list[Fault]:
        """The pending faults of `fail_next`."""
        return list(self._faults.pending)

    def fail_next(
        self,
        method: str,
        *,
        error: str = "ratelimited",
        retry_after_s: int = 1,
        status: int | None = None,
        times: int = 1,
    ) -> None:
        """Fail the next calls of a method. The default status is 429 for `ratelimited`, else 200."""
        default_status = TOO_MANY_REQUESTS if error == "ratelimited" else OK
        fault = Fault(method=method, error=error, status=status or default_status, retry_after_s=retry_after_s)
        self._faults.add(fault, times=times)

    def fail_randomly(self, faults: RandomFaults) -> None:
        """Fail calls at random, in addition to those of `fail_next`."""
        self._faults.source = faults.next_fault

    def refuse_by(self, source: FaultSource) -> None:
        """Refuse the calls for which `source` returns a fault, in addition to those of `fail_next`."""
        self._faults.source = source

    def refuse_uploads(self, status: int) -> None:
        """Answer every file that is sent to an upload URL with that HTTP status; 0 ends that."""
        self._faults.upload_status = status

    def limit_rates(self) -> RateTiers:
        """Limit the calls of each method by Slack's tiers from now on, by the workspace's clock."""
        tiers = RateTiers(self.workspace.clock)
        self._faults.source = tiers.next_fault
        return tiers

    def refuse_files(self, policy: str = "file_uploads_disabled") -> None:
        """Refuse files for good, with one of FILE_POLICIES; an empty string ends that. Raises ValueError."""
        if policy and policy not in FILE_POLICIES:
            raise ValueError(f"{policy} is none of {', '.join(sorted(FILE_POLICIES))}")
        self.workspace.file_policy = policy

    def delay(self, method: str, seconds: float) -> None:
        """Delay every call of a method; 0 ends the delay."""
        self._faults.delays_s[method] = seconds

    def post_signed(
        self,
        url: str,
        body: str,
        content_type: str = FORM,
        *,
        timestamp: str | None = None,
        signature: str | None = None,
        drop: Collection[str] = (),
    ) -> tuple[int, str]:
        """POST a body signed as Slack does, and return the status and body of the response.

        For invalid requests give another `timestamp` or `signature`, or name headers to `drop`. The default signature
        is the valid one for the timestamp.
        """
        http = HttpTransport(url=url, wait_s=10, secret=self.signing_secret)
        headers = http.headers(body, content_type, timestamp=timestamp)
        if signature is not None:
            headers[SIGNATURE] = signature
        dropped = {name.lower() for name in drop}
        headers = {name: value for name, value in headers.items() if name.lower() not in dropped}
        try:
            response = http.post(body, headers)
        finally:
            http.close()
        return response.status_code, response.text
