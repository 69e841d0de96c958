"""The real bot connected to the stand-in Slack; the page can stop and start it."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from bot.clock import Clock
from bot.config import Settings
from bot.errors import UsageError
from bot.fakeslack.objects import TEAM_ID
from bot.fakeslack.slack import Slack
from bot.run import running, tick_intervals
from bot.server.hooks import hook_routes
from bot.server.limits import LimitedHttpProtocol
from bot.server.threaded import ServerThread, base_url, listen
from bot.slack.bot import Bot, build
from bot.slack.inbound.http import application
from bot.slack.inbound.socket import connect
from bot.sources import addresses
from bot.sources.addresses import Address
from storage.database import Database

HEARD_WITHIN_S = 10.0
"""Seconds that a source waits for the bot's answer."""


class BotProcess:
    """The bot over Slack's real protocol: HTTP with `http`, else Socket Mode. Thread-safe.

    Beside it, on a port of its own, is the endpoint of the sources outside of Slack.
    """

    def __init__(self, slack: Slack, settings: Settings, database: Database, clock: Clock, *, http: bool) -> None:
        self._slack = slack
        self._settings = settings
        self._database = database
        self._clock = clock
        self._is_http = http
        self._lock = threading.Lock()
        self._resources = ExitStack()
        self._last_tick_at: dict[object, datetime] = {}
        self._is_started = False
        self._sources_url = ""
        self.bot: Bot | None = None
        """The running bot; None while it is stopped."""

    @property
    def connected(self) -> bool:
        """Whether commands reach the bot."""
        return self._is_started and (self._is_http or self._slack.connections > 0)

    def start(self) -> None:
        """Start a new bot over the same store; does nothing while one runs."""
        with self._lock:
            if self.bot is None:
                bot = build(self._settings, self._database, clock=self._clock)
                self._resources.enter_context(running(bot))
                transport = serve_http(bot, self._settings, self._slack) if self._is_http else self._socket_mode(bot)
                self._resources.enter_context(transport)
                self._sources_url = self._resources.enter_context(self._endpoint_of_sources(bot))
                self.bot = bot
                self._is_started = True
                self._slack.workspace.touch()

    def stop(self) -> None:
        """Stop the bot; commands then fail, as they do in Slack when an app is down."""
        with self._lock:
            self.bot = None
            self._last_tick_at.clear()
            # The bot answers until it has stopped, so it counts as connected until then.
            self._resources.close()
            self._is_started = False
            self._sources_url = ""
            self._slack.workspace.touch()

    def tell(self, source: str, channel: str, payload: Any) -> str:
        """Post the payload to the address that this kind of source has for the channel; returns the bot's answer.

        Raises UsageError where the bot does not take it.
        """
        address = Address(source=source, workspace_id=TEAM_ID, channel_id=channel)
        path = addresses.path(self._settings.hooks_secret.get_secret_value(), address)
        try:
            answer = httpx.post(f"{self._sources_url}{path}", json=payload, trust_env=False, timeout=HEARD_WITHIN_S)
        except httpx.TransportError:
            raise UsageError("Scribe is unplugged, so nobody heard it. Plug it in, and try again.") from None
        if not answer.is_success:
            raise UsageError(f"Scribe did not take it: {answer.text.strip()}")
        return answer.text.strip()

    def refresh(self) -> None:
        """Make the running bot re-read the workspace's members."""
        bot = self.bot
        if bot is not None:
            bot.refresh()

    def tick(self) -> None:
        """Run every tick that is due by the demo's clock, then deliver the outbox."""
        bot, now = self.bot, self._clock()
        if bot is None:
            return
        for tick, every_s in tick_intervals(bot).items():
            last_at = self._last_tick_at.get(tick)
            # A drill sets the clock back: a tick last run in what is now the future is due again.
            if last_at is None or not timedelta() <= now - last_at < timedelta(seconds=every_s):
                self._last_tick_at[tick] = now
                tick()
        bot.context.delivery.deliver_due()

    @contextmanager
    def _endpoint_of_sources(self, bot: Bot) -> Iterator[str]:
        """Serve it on a free port of 127.0.0.1; yields the server's address."""
        listener = listen(0)
        routes = hook_routes(self._settings, bot.context.offline, self._clock, self._database)
        server = ServerThread(Starlette(routes=routes), listener, http=LimitedHttpProtocol)
        server.start()
        try:
            yield base_url(listener)
        finally:
            server.stop()

    @contextmanager
    def _socket_mode(self, bot: Bot) -> Iterator[None]:
        handler = connect(bot, self._settings)
        try:
            self._slack.wait_connected()
            yield
        finally:
            handler.close()


@contextmanager
def serve_http(bot: Bot, settings: Settings, slack: Slack) -> Iterator[None]:
    """Serve the bot's request URL on a free port of 127.0.0.1, and let `slack` deliver to it."""
    listener = listen(0)
    server = ServerThread(application(bot, settings), listener)
    server.start()
    slack.deliver_to(f"{base_url(listener)}/slack/events")
    try:
        yield
    finally:
        server.stop()
