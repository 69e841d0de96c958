"""The real bot, plugged into the small Slack: it can be pulled out and put back in under the page."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.config import Settings
from bot.fakeslack.slack import Slack
from bot.run import running, tick_intervals
from bot.server.threaded import ServerThread, base_url, listen
from bot.slack.bot import Bot, build
from bot.slack.inbound.http import application
from bot.slack.inbound.socket import connect
from storage.database import Database


class BotProcess:
    """The bot over Slack's own protocol: Socket Mode, or HTTP with `http`."""

    def __init__(self, slack: Slack, settings: Settings, database: Database, clock: Clock, *, http: bool) -> None:
        self._slack = slack
        self._settings = settings
        self._database = database
        self._clock = clock
        self._is_http = http
        self._lock = threading.Lock()
        self._running = ExitStack()
        self._ticked: dict[object, datetime] = {}
        self._is_in = False
        self.bot: Bot | None = None
        """The running bot; None while it is unplugged."""

    @property
    def connected(self) -> bool:
        """Whether what people type reaches the bot."""
        return self._is_in and (self._is_http or self._slack.connections > 0)

    def push(self) -> None:
        """Start a new bot over the same store; does nothing while one runs."""
        with self._lock:
            if self.bot is None:
                bot = build(self._settings, self._database, clock=self._clock)
                self._running.enter_context(running(bot))
                self._running.enter_context((self._http if self._is_http else self._socket)(bot))
                self.bot = bot
                self._is_in = True
                self._slack.workspace.touch()

    def pull(self) -> None:
        """Stop the bot; what people type then meets nobody."""
        with self._lock:
            self.bot = None
            self._ticked.clear()
            # Until it has stopped it still answers; nobody is told that it is away before.
            self._running.close()
            self._is_in = False
            self._slack.workspace.touch()

    def refresh(self) -> None:
        """Let the bot learn who works here now."""
        bot = self.bot
        if bot is not None:
            bot.refresh()

    def tick(self) -> None:
        """Do what the clock has made due: every tick whose time has come round, then all that waits in the outbox."""
        bot, now = self.bot, self._clock()
        if bot is None:
            return
        for tick, every_s in tick_intervals(bot).items():
            last_at = self._ticked.get(tick)
            # A drill sets the clock back; what was last done in its future is due again.
            if last_at is None or not timedelta() <= now - last_at < timedelta(seconds=every_s):
                self._ticked[tick] = now
                tick()
        bot.context.delivery.deliver_due()

    @contextmanager
    def _socket(self, bot: Bot) -> Iterator[None]:
        handler = connect(bot, self._settings)
        try:
            self._slack.wait_connected()
            yield
        finally:
            handler.close()

    @contextmanager
    def _http(self, bot: Bot) -> Iterator[None]:
        listener = listen(0)
        server = ServerThread(application(bot, self._settings), listener)
        server.start()
        self._slack.deliver_to(f"{base_url(listener)}/slack/events")
        try:
            yield
        finally:
            server.stop()
