"""A workplace for tests: a small Slack with people in it, and the real bot behind a real transport."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from bot.clock import Clock
from bot.config import Settings
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import File, Message
from bot.fakeslack.slack import Slack
from bot.server.hooks import hook_routes
from bot.server.limits import LimitedHttpProtocol
from bot.server.probes import probe_routes
from bot.server.threaded import ServerThread, base_url, listen
from bot.slack.bot import Bot, build
from bot.slack.inbound.http import BODY_S, application
from bot.slack.inbound.socket import connect
from bot.telemetry.context import NO_METRICS, Metrics
from bot.telemetry.health import Health
from bot.telemetry.metrics import CONTENT_TYPE, PrometheusMetrics
from storage.database import Database
from tests.support.slackschemas.check import problems_of

CARDLESS = {"SCRIBE_CARD": "off"}
"""Most tests count the messages of a channel; those that are about the card turn it on."""
HTTP, SOCKET = "http", "socket"
ACK_S = 60.0
"""How long the stand-in waits for an answer: long, as the machine may be busy. Slack itself waits 3 s."""

Entered = TypeVar("Entered")
_LEAVING = ThreadPoolExecutor(thread_name_prefix="leaving")


@dataclass
class Workplace:
    """What a test holds: `say("/detected disk full")` types a command as Alice in #incident."""

    slack: Slack
    bot: Bot
    database: Database
    people: dict[str, str]
    channel: str
    url: str = ""
    answers: list[Answer] = field(default_factory=list)

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        # Hypothesis prints the arguments of an example that fails; all that was ever said would bury the others.
        printer.text("<a workplace>")

    @property
    def alice(self) -> str:
        """Alice's user id; her zone is UTC."""
        return self.people["alice"]

    @property
    def bob(self) -> str:
        """Bob's user id; his zone is Los Angeles."""
        return self.people["bob"]

    @property
    def carol(self) -> str:
        """Carol's user id; her zone is Tokyo."""
        return self.people["carol"]

    def ask(self, typed: str, *, user: str | None = None, channel: str | None = None, **how: Any) -> Answer:
        """Type a command and get Slack's whole answer."""
        command, _, text = typed.partition(" ")
        answer = self.slack.command(user or self.alice, channel or self.channel, command, text, **how)
        self.answers.append(answer)
        return answer

    def say(self, typed: str, **how: Any) -> str:
        """Type a command; the receipt, which must be in the channel."""
        answer = self.ask(typed, **how)
        assert answer.body.get("response_type") == "in_channel", answer
        return answer.text

    def refused(self, typed: str, **how: Any) -> str:
        """Type a command that cannot be done; the private answer."""
        answer = self.ask(typed, **how)
        assert answer.status == 200
        assert not answer.error
        assert answer.body.get("response_type") == "ephemeral", answer
        return answer.text

    def private(self, typed: str, **how: Any) -> str:
        """Type a command that is answered to the person alone."""
        return self.refused(typed, **how)

    def deliver(self) -> None:
        """Do all that waits in the outbox."""
        self.bot.context.delivery.deliver_due()

    @property
    def drafts(self) -> list[File]:
        """The drafts uploaded so far, without their pictures."""
        return [file for file in self.slack.files if file.name.endswith(".md")]

    def messages(self, channel: str | None = None, user: str | None = None) -> list[Message]:
        """What is seen in the channel once the outbox is empty."""
        self.deliver()
        return self.slack.messages(channel or self.channel, user)


@contextmanager
def left_behind(server: AbstractContextManager[Entered]) -> Iterator[Entered]:
    """Leave a server in the background: it takes a sixth of a second to stop, and no test has to wait for that."""
    entered = server.__enter__()
    try:
        yield entered
    finally:
        _LEAVING.submit(server.__exit__, None, None, None)


@contextmanager
def workplace(
    database: Database,
    *,
    clock: Clock,
    transport: str = HTTP,
    known: bool = True,
    metrics: Metrics = NO_METRICS,
    **environment: str,
) -> Iterator[Workplace]:
    """A workplace over the database. Unless `known`, the bot has not asked Slack yet who works here.

    `environment` are settings by their variable's name. Alice is in UTC, Bob in Los Angeles, Carol in Tokyo.
    """
    slack = Slack(clock=clock)
    with left_behind(slack.serving()), TemporaryDirectory() as spool:
        people = {
            "alice": slack.add_user("alice", zone="UTC"),
            "bob": slack.add_user("bob", zone="America/Los_Angeles"),
            "carol": slack.add_user("carol", zone="Asia/Tokyo"),
        }
        tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
        secret = {
            HTTP: {"SLACK_SIGNING_SECRET": slack.signing_secret},
            SOCKET: {"SLACK_APP_TOKEN": slack.app_token},
        }
        settings = Settings.from_env({**tokens, **secret[transport], "SCRIBE_SPOOL": spool, **CARDLESS, **environment})
        bot = build(settings, database, clock=clock, metrics=metrics)
        if known:
            bot.refresh()
        try:
            slack.socket_wait_s = ACK_S
            with _TRANSPORTS[transport](slack, bot, settings) as url:
                yield Workplace(
                    slack=slack,
                    bot=bot,
                    database=database,
                    channel=slack.add_channel("incident"),
                    url=url,
                    people=people,
                )
        finally:
            bot.stop()
        # Whatever the bot has sent in a test, Slack's own types allow it.
        found = list(problems_of(slack))
        assert found == [], found


@contextmanager
def _http(slack: Slack, bot: Bot, settings: Settings) -> Iterator[str]:
    with left_behind(serve(bot, settings)) as url:
        slack.deliver_to(url, wait_s=ACK_S)
        yield url


@contextmanager
def serve(
    bot: Bot, settings: Settings, *, http: type[LimitedHttpProtocol] = LimitedHttpProtocol, body_s: float = BODY_S
) -> Iterator[str]:
    """The bot behind its HTTP face; the address Slack would post to."""
    listener = listen(0)
    metrics = bot.context.metrics
    page = metrics.exposition if isinstance(metrics, PrometheusMetrics) else None
    context = bot.context
    hooks = hook_routes(settings, context.offline, context.clock, context.database, metrics)
    routes = [*probe_routes(health(bot), page, content_type=CONTENT_TYPE), *hooks]
    web = application(bot, settings, routes=routes, body_s=body_s)
    server = ServerThread(web, listener, http=http)
    server.start()
    try:
        yield f"{base_url(listener)}/slack/events"
    finally:
        server.stop()


def health(bot: Bot) -> Health:
    """What the probes ask of a bot that has no scheduler."""
    context = bot.context
    return Health(database=context.database, clock=context.clock, dead=bot.supervisor.dead)


@contextmanager
def _socket(slack: Slack, bot: Bot, settings: Settings) -> Iterator[str]:
    handler = connect(bot, settings)
    slack.wait_connected()
    try:
        yield ""
    finally:
        handler.close()


_TRANSPORTS = {HTTP: _http, SOCKET: _socket}


def at(words: str) -> datetime:
    """The instant of `2026-03-12T09:14:00Z`."""
    return datetime.fromisoformat(words)
