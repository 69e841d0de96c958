"""The stand-in for Slack: what a test, or the demo, holds in its hands."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from secrets import token_hex
from typing import TypeVar

from starlette.routing import BaseRoute

from bot.clock import Clock
from bot.fakeslack.actions import Actions
from bot.fakeslack.context import MethodContext
from bot.fakeslack.delivery import FORM, SIGNATURE, HttpTransport, NoTransport, Transport
from bot.fakeslack.directory import Directory
from bot.fakeslack.dispatcher import Answer, Dispatcher
from bot.fakeslack.faults import TOO_MANY_REQUESTS, Fault, Faults, RandomFaults
from bot.fakeslack.interactivity import ResponseUrls, Triggers
from bot.fakeslack.objects import APP_ID, BOT_ID, BOT_USER_ID, TEAM_DOMAIN, TEAM_ID, Call, Canvas, File, Message, View
from bot.fakeslack.sockets import SocketMode
from bot.fakeslack.web_api import Endpoints, WebApi, application
from bot.fakeslack.workspace import Workspace
from bot.server.threaded import Server, address_of, listen

SCOPES = ("commands", "chat:write", "files:write", "users:read", "app_mentions:read")
POLL_S = 0.02
OK = 200

Found = TypeVar("Found")


class Slack(Directory, Actions):
    """One workspace with one app in it, and the server that app talks to.

    `clock` gives aware UTC instants: messages are dated by it. `monotonic` counts real seconds, for what
    expires. Any thread may use it. Until `deliver_to` is called the bot is reached by Socket Mode.
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
        self._sockets = SocketMode(app_id=APP_ID)
        self._posts: HttpTransport | None = None
        self._silenced: NoTransport | None = None
        self._address = ""
        self._faults = Faults()
        workspace, triggers = Workspace(clock, set(SCOPES)), Triggers(monotonic)
        self._hooks = ResponseUrls(workspace, monotonic)
        office = Dispatcher(workspace, triggers=triggers, hooks=self._hooks, courier=self._courier)
        super().__init__(workspace, office, triggers)

    @contextmanager
    def serving(self, *, port: int = 0, pages: Sequence[BaseRoute] = ()) -> Iterator["Slack"]:
        """Serve on 127.0.0.1, on any free port unless one is given. `pages` are routes beside Slack's own."""
        listener = listen(port)
        self._address = self._office.address = address_of(listener)
        endpoints = Endpoints(api=self._api(), workspace=self.workspace, hooks=self._hooks, faults=self._faults)
        server = Server(application(endpoints, self._sockets, pages), listener)
        server.start()
        try:
            yield self
        finally:
            server.stop()
            self._address = ""
            if self._posts:
                self._posts.close()
                self._posts = None

    @property
    def scopes(self) -> set[str]:
        """The scopes the bot's token holds; a change works at once."""
        return self.workspace.scopes

    @scopes.setter
    def scopes(self, scopes: set[str]) -> None:
        self.workspace.scopes = scopes

    @property
    def address(self) -> str:
        """`http://127.0.0.1:PORT`. Raises RuntimeError unless serving."""
        if not self._address:
            raise RuntimeError("the stand-in is not serving")
        return self._address

    @property
    def api_url(self) -> str:
        """The Web API's base URL, with a slash at its end. Raises RuntimeError unless serving."""
        return f"{self.address}/api/"

    def deliver_to(self, url: str, wait_s: float = 3.0) -> None:
        """Reach the bot by signed POSTs to its request URL, each given up after `wait_s` seconds."""
        if self._posts:
            self._posts.close()
        self._posts = HttpTransport(url=url, wait_s=wait_s, secret=self.signing_secret)

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Deliver nothing during the block; what people do then is kept in `answers`, to be repeated."""
        self._silenced = NoTransport()
        try:
            yield
        finally:
            self._silenced = None

    def wait_connected(self, n: int = 1, within_s: float = 5.0) -> None:
        """Wait for `n` Socket Mode connections. Raises TimeoutError."""
        self._sockets.wait_connected(n, within_s)

    @property
    def connections(self) -> int:
        """How many Socket Mode connections deliveries go to."""
        return len(self._sockets.links)

    def reach_sockets_by(self, address: str) -> None:
        """Tell clients of Socket Mode to connect to `http://HOST:PORT`, which passes all on to the stand-in."""
        self._sockets.address = address

    def disconnect_sockets(self, reason: str = "refresh_requested", *, grace_s: float = 0.5) -> None:
        """Tell every Socket Mode connection to go, and close those still there after `grace_s` seconds."""
        self._sockets.disconnect(reason, grace_s=grace_s)

    def cut_sockets(self) -> None:
        """Close every Socket Mode connection without telling it to go first."""
        self._sockets.cut()

    @property
    def socket_wait_s(self) -> float:
        """How many seconds an ack over Socket Mode may take; 3 in Slack."""
        return self._sockets.wait_s

    @socket_wait_s.setter
    def socket_wait_s(self, seconds: float) -> None:
        self._sockets.wait_s = seconds

    def messages(self, channel: str, user: str | None = None) -> list[Message]:
        """What is to be seen in a channel, threads too, oldest first; with `user`, also what only they see.

        A user's id in place of a channel's means their direct message with the bot.
        """
        place = self.workspace.direct(channel).id if channel in self.workspace.users else channel
        return self.workspace.visible(place, user)

    def modal(self, user: str, *, within_s: float = 3.0) -> View | None:
        """A person's open modal, the topmost one; waits so long for it, and gives None if none opens."""
        try:
            self.wait_for(lambda: self.workspace.views.get(user), within_s)
        except TimeoutError:
            return None
        views = self.workspace.views[user]
        return views[-1] if views else None

    def home(self, user: str) -> View | None:
        """What the bot published as a person's Home tab."""
        return self.workspace.homes.get(user)

    @property
    def files(self) -> list[File]:
        """The files uploaded, oldest first."""
        return list(self.workspace.files)

    @property
    def canvases(self) -> list[Canvas]:
        """The canvases there are, oldest first."""
        return list(self.workspace.canvases.values())

    def delete_canvas(self, id_: str) -> None:
        """Throw a canvas away, as anybody may who can write it. Raises KeyError for one that is not there."""
        with self.workspace.lock:
            del self.workspace.canvases[id_]
            self.workspace.touch()

    @property
    def calls(self) -> list[Call]:
        """The Web API calls and uses of a response_url, oldest first, refused ones too."""
        return list(self.workspace.calls)

    @property
    def answers(self) -> list[Answer]:
        """What came of every delivery, events too, oldest first: something to `repeat`."""
        return list(self._office.answers)

    @property
    def undelivered(self) -> list[Answer]:
        """The events the bot did not take."""
        return list(self._office.undelivered)

    def wait_for(self, predicate: Callable[[], Found], within_s: float = 5.0) -> Found:
        """What `predicate` gives, once that is true. Raises TimeoutError after `within_s` seconds.

        It is asked after every change of the workspace, and now and then in between.
        """
        give_up_at_s = time.monotonic() + within_s
        while True:
            found = predicate()
            if found:
                return found
            if time.monotonic() > give_up_at_s:
                raise TimeoutError(f"not so within {within_s} s")
            with self.workspace.moved:
                self.workspace.moved.wait(POLL_S)

    @property
    def faults(self) -> list[Fault]:
        """The failures ordered and not used up."""
        return list(self._faults.ordered)

    def fail_next(
        self,
        method: str,
        *,
        error: str = "ratelimited",
        retry_after_s: int = 1,
        status: int | None = None,
        times: int = 1,
    ) -> None:
        """Let the next calls of a method fail. The usual status is 429 for `ratelimited`, else 200."""
        usual = TOO_MANY_REQUESTS if error == "ratelimited" else OK
        fault = Fault(method=method, error=error, status=status or usual, retry_after_s=retry_after_s)
        self._faults.add(fault, times=times)

    def under(self, weather: RandomFaults) -> None:
        """Let every call meet this weather, beside the failures that were ordered."""
        self._faults.weather = weather.meet

    def delay(self, method: str, seconds: float) -> None:
        """Let every call of a method wait so long before it is done; 0 ends that."""
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
        """POST anything as Slack would, or not quite: with another time or signature, or without a header.

        `drop` names the headers left out. A signature not given is the right one for the timestamp. Gives the
        status and the body.
        """
        posts = HttpTransport(url=url, wait_s=10, secret=self.signing_secret)
        headers = posts.headers(body, content_type, timestamp=timestamp)
        if signature is not None:
            headers[SIGNATURE] = signature
        left_out = {name.lower() for name in drop}
        kept = {name: value for name, value in headers.items() if name.lower() not in left_out}
        try:
            response = posts.post(body, kept)
        finally:
            posts.close()
        return response.status_code, response.text

    def _courier(self) -> Transport:
        return self._silenced or self._posts or self._sockets

    def _api(self) -> WebApi:
        desk = MethodContext(
            workspace=self.workspace,
            triggers=self._triggers,
            sockets=self._sockets,
            address=self._address,
        )
        return WebApi(desk=desk, faults=self._faults, bot_token=self.bot_token, app_token=self.app_token)
