"""Bolt, and the listeners: one for each kind of payload, whatever its name; the vocabulary decides the rest."""

import json
import logging
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from bot.clock import Clock, now
from bot.config import Settings
from bot.handlers.keeping import Keeper
from bot.handlers.reminders import plan_summary, tick
from bot.slack import clicks, commands, errands, forms, home, mentions, reactions, shape
from bot.slack.client import Client
from bot.slack.delivery import Delivery
from bot.slack.door import CALL_S, Body, Door
from bot.slack.identity import Identity
from bot.slack.members import Members
from bot.slack.requests import Requests
from bot.tally import SILENT, Tally
from bot.trace import Background
from bot.vocabulary import ADD_TO_TIMELINE
from storage import outbox, receipts
from storage.database import Database

ANY = re.compile(".*", re.DOTALL)
_BACKGROUND = 4
KEPT = timedelta(days=30)
"""How long the store remembers what was sent, and the answers that make a repeat recognisable."""
_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The running parts: Bolt's app for the transports, and what works in the background."""

    app: App
    door: Door

    def start(self, *, ensured: bool = True) -> None:
        """Begin to deliver, and learn who we are and who works here.

        Unless `ensured`, the database could not be reached yet: what is typed is kept until it can.
        """
        self.door.keeper.start(ensured=ensured)
        self.door.delivery.start()
        self.door.executor.submit(self.refresh)

    def refresh(self) -> None:
        """Ask Slack who we are, and who the workspace's members are."""
        if self.door.identity.learn() and self.door.identity.team_id:
            self.door.members.refresh(self.door.identity.team_id)
            self._plan_summary(self.door.identity.team_id)

    def _plan_summary(self, team_id: str) -> None:
        if self.door.settings.summary_channel:
            with self.door.database.write() as connection:
                plan_summary(connection, team_id, at=self.door.clock(), cadence=self.door.settings.cadence)

    def remind(self) -> None:
        """Look whether anybody is to be reminded, and let the outbox tell them."""
        if tick(self.door.database, self.door.settings.cadence, at=self.door.clock()):
            self.door.delivery.wake()

    def prune(self) -> None:
        """Forget what was sent and answered long ago."""
        before = self.door.clock() - KEPT
        for table in (outbox, receipts):
            with self.door.database.write() as connection:
                table.prune(connection, before=before)

    def drain(self) -> None:
        """Write down what was kept while the database was away, if it is back."""
        if self.door.keeper.drain():
            self.door.delivery.wake()

    def stop(self) -> None:
        """Finish what is in hand."""
        self.door.executor.shutdown(wait=True, cancel_futures=True)
        self.door.members.stop()
        self.door.delivery.stop()
        self.door.keeper.stop()


def build(settings: Settings, database: Database, *, clock: Clock = now, tally: Tally = SILENT) -> Bot:
    """The bot for these settings, over this database; nothing runs yet and nothing is asked of Slack."""
    token = settings.bot_token.get_secret_value()
    client = Client(clock=clock, tally=tally, token=token, base_url=settings.api_url, timeout=CALL_S)
    executor = Background(max_workers=_BACKGROUND, thread_name_prefix="background")
    identity = Identity(client)
    # Threads of their own: a look-up that waits for Slack must not keep a form from opening in its three seconds.
    members = Members(client, database, clock, ThreadPoolExecutor(_BACKGROUND, thread_name_prefix="members"))
    door = Door(
        settings=settings,
        database=database,
        clock=clock,
        client=client,
        identity=identity,
        members=members,
        requests=Requests(settings, members),
        delivery=Delivery(database, clock, identity, tally),
        keeper=Keeper(database, settings, clock, tally),
        executor=executor,
        tally=tally,
    )
    door.delivery.use(errands.actions(door))
    return Bot(app=_listen(door, settings), door=door)


class _App(App):
    """Bolt's app, which answers what no listener could read before any of them sees it."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """The answer to a request of either transport."""
        kind = shape.fault(req.body)
        if kind is None:
            return super().dispatch(req)
        _log.warning("request not readable: %s", kind)
        return BoltResponse(status=400, body="not readable")


def _listen(door: Door, settings: Settings) -> App:
    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # A closure, since Bolt hands a bound method its own idea of `self`.
        return door.identity.authorize(enterprise_id, team_id)

    # Bolt's warnings are of tokens it finds in the environment and does not need, and hold bodies that are not ours to
    # log. It gives its loggers the level of the one it is handed.
    quiet = logging.getLogger("slack_bolt")
    quiet.setLevel(logging.ERROR)
    app = _App(
        name="scribe",
        logger=quiet,
        # Bolt would find the token in the client and then warn that `authorize` goes first.
        client=WebClient(base_url=settings.api_url, timeout=CALL_S),
        authorize=authorize,
        process_before_response=True,
        # The web face checks signatures itself: Bolt raises on a timestamp that is no number, and logs bodies.
        request_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
        ignoring_self_assistant_message_events_enabled=False,
        listener_executor=door.executor,
    )

    home.listen(app, door)

    @app.command(ANY)
    def _command(ack: Ack, body: Body) -> None:
        commands.command(door, ack, body)

    @app.event("app_mention")
    def _mention(body: Body) -> None:
        mentions.mention(door, body)

    @app.event("user_change")
    def _user_change(body: Body) -> None:
        door.members.keep(body["team_id"], body["event"]["user"])

    @app.event(re.compile("reaction_(added|removed)"))
    def _reaction(body: Body) -> None:
        reactions.reaction(door, body)

    @app.event(ANY)
    def _other_event() -> None:
        """Nothing to do; the ack keeps Slack from delivering it again."""

    @app.shortcut(ADD_TO_TIMELINE)
    def _shortcut(ack: Ack, body: Body) -> None:
        forms.shortcut(door, ack, body)

    @app.view(ANY)
    def _submission(ack: Ack, body: Body) -> None:
        forms.submission(door, ack, body)

    @app.action(ANY)
    def _click(ack: Ack, body: Body) -> None:
        clicks.click(door, ack, body)

    return app


class Signatures:
    """Whether a request comes from Slack: the signature over its body, at most five minutes old.

    Source of the rule: Slack, "Verifying requests from Slack".
    """

    def __init__(self, settings: Settings) -> None:
        self._verifier = SignatureVerifier(settings.signing_secret.get_secret_value())

    def hold(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """True when timestamp and signature are there, are well-formed, fresh and right. Never raises."""
        try:
            return self._verifier.is_valid_request(body, dict(headers))
        except (ValueError, TypeError):
            # A timestamp that is no number; a signature with letters outside of ASCII.
            return False


def dispatch(app: App, body: str, headers: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
    """Hand a verified HTTP request to Bolt; gives (status, body, headers) of the answer.

    A body that is not what Slack sends is answered with 400, and nothing of it is repeated or logged.
    """
    try:
        response = app.dispatch(BoltRequest(body=_plain_form(body), headers=dict(headers)))
    except _UNREADABLE as error:
        # What goes wrong in a listener, Bolt answers itself; this is a body that is no JSON or not of Slack's shape.
        _log.warning("request not readable: %s", type(error).__name__)
        return 400, "not readable", {"content-type": "text/plain"}
    flat = {name: values[0] for name, values in response.headers.items()}
    content: Any = response.body
    return response.status, content if isinstance(content, str) else json.dumps(content), flat


def _plain_form(body: str) -> str:
    """The body as Bolt reads it right: it takes any form that holds the word `payload` for an interaction's.

    Without this, `/note payload too large` would reach nobody.
    """
    if "payload" not in body or body.startswith("{"):
        return body
    form = dict(parse_qsl(body, keep_blank_values=True))
    return body if "payload" in form else json.dumps(form)
