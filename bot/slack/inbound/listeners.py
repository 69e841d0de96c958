"""Bolt, and the listeners: one for each kind of payload, whatever its name; the vocabulary decides the rest."""

import logging
import re

from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.config import Settings
from bot.slack.context import CALL_S, Body, Door
from bot.slack.inbound import clicks, commands, forms, mentions, payloads, reactions
from bot.slack.outbound import home
from bot.vocabulary import ADD_TO_TIMELINE

ANY = re.compile(".*", re.DOTALL)
_log = logging.getLogger(__name__)


class _App(App):
    """Bolt's app, which answers what no listener could read before any of them sees it."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """The answer to a request of either transport."""
        kind = payloads.fault(req.body)
        if kind is None:
            return super().dispatch(req)
        _log.warning("request not readable: %s", kind)
        return BoltResponse(status=400, body="not readable")


def _bolt(door: Door, settings: Settings) -> App:
    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # A closure, since Bolt hands a bound method its own idea of `self`.
        return door.identity.authorize(enterprise_id, team_id)

    # Bolt's warnings are of tokens it finds in the environment and does not need, and hold bodies that are not ours to
    # log. It gives its loggers the level of the one it is handed.
    quiet = logging.getLogger("slack_bolt")
    quiet.setLevel(logging.ERROR)
    return _App(
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


def listen(door: Door, settings: Settings) -> App:
    """Bolt with its listeners."""
    app = _bolt(door, settings)
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
