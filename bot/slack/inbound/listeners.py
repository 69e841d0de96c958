"""Bolt's app and its listeners: one for each kind of payload; the vocabulary and the routes decide by name."""

import logging
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from sqlalchemy import Connection

from bot.config import Settings
from bot.errors import UsageError
from bot.handlers.request import Reply, Request
from bot.slack.context import CALL_S, NOT_SAVED, SlackContext
from bot.slack.inbound import forms, payloads, reactions
from bot.slack.inbound.payloads import Click, Mention, SlashCommand, UserChange
from bot.slack.outbound import blocks, home, modals
from bot.slack.text import plain_text
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS

_PAYLOAD = "scribe.payload"
"""The key of the typed payload in Bolt's context."""
_ANY = re.compile(".*", re.DOTALL)
_log = logging.getLogger(__name__)


def listen(context: SlackContext, settings: Settings) -> App:
    """Bolt's app with its listeners. Bolt calls the first that matches, so those that match anything come last."""
    app = _create_app(context, settings)

    @app.event("app_home_opened")
    def _home_opened(req: BoltRequest) -> None:
        home.opened(context, req.context[_PAYLOAD])

    @app.action(home.DONE)
    def _home_click(ack: Ack, req: BoltRequest) -> None:
        home_click(context, ack, req.context[_PAYLOAD])

    @app.command(_ANY)
    def _command(ack: Ack, req: BoltRequest) -> None:
        command(context, ack, req.context[_PAYLOAD])

    @app.event("app_mention")
    def _mention(req: BoltRequest) -> None:
        mention(context, req.context[_PAYLOAD])

    @app.event("user_change")
    def _user_change(req: BoltRequest) -> None:
        change: UserChange = req.context[_PAYLOAD]
        context.members.save(change.team_id, change.event.user)

    @app.event(re.compile("reaction_(added|removed)"))
    def _reaction(req: BoltRequest) -> None:
        reactions.reaction(context, req.context[_PAYLOAD])

    @app.event(_ANY)
    def _other_event() -> None:
        """Nothing to do; the ack keeps Slack from delivering it again."""

    @app.shortcut(ADD_TO_TIMELINE)
    def _shortcut(ack: Ack, req: BoltRequest) -> None:
        forms.shortcut(context, ack, req.context[_PAYLOAD])

    @app.view(_ANY)
    def _submission(ack: Ack, req: BoltRequest) -> None:
        forms.submission(context, ack, req.context[_PAYLOAD])

    @app.action(_ANY)
    def _click(ack: Ack, req: BoltRequest) -> None:
        click(context, ack, req.context[_PAYLOAD])

    return app


class _App(App):
    """Bolt's app, which first parses the payload: listeners get it as a value, and another shape is answered 400."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """The answer to a request of either transport."""
        try:
            req.context[_PAYLOAD] = payloads.parse(req.body)
        except payloads.UnreadableError as error:
            _log.warning("request not readable: %s", error)
            return BoltResponse(status=400, body="not readable")
        return super().dispatch(req)


def _create_app(context: SlackContext, settings: Settings) -> App:
    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        """The token and its owner, which Bolt needs for each request; without a call to Slack."""
        # A closure: Bolt passes a bound method its own `self`.
        facts = context.identity.facts
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=context.client.token,
            bot_user_id=facts.bot_user_id,
            bot_id=facts.bot_id,
        )

    # Bolt warns of tokens in the environment that it does not need, and its warnings contain bodies, which must not be
    # logged. Its other loggers take the level of the one passed here.
    quiet = logging.getLogger("slack_bolt")
    quiet.setLevel(logging.ERROR)
    return _App(
        name="scribe",
        logger=quiet,
        # Without a token: with one, Bolt warns that `authorize` takes precedence.
        client=WebClient(base_url=settings.api_url, timeout=CALL_S),
        authorize=authorize,
        process_before_response=True,
        # The HTTP transport verifies signatures itself: Bolt raises on a timestamp that is no number, and logs bodies.
        request_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
        ignoring_self_assistant_message_events_enabled=False,
        listener_executor=context.executor,
    )


def command(context: SlackContext, ack: Ack, payload: SlashCommand) -> None:
    """Handle a slash command, commit, then acknowledge with the receipt. Raises nothing: Bolt would lose the answer."""
    received_at = context.clock()
    try:
        request = context.requests.of_command(payload, received_at=received_at)
        reply = context.offline.handle(request)
        form = None if reply.form is None else _form(request, reply.form, reply.fills)
    except UsageError as error:
        ack(**blocks.refusal(str(error), _as_typed(payload)))
    except Exception:  # noqa: BLE001 - the boundary: after any failure the person gets their words back
        _log.exception("command not saved")
        ack(**blocks.refusal(NOT_SAVED, _as_typed(payload)))
    else:
        context.delivery.wake()
        if form is None:
            ack(**blocks.ack(reply))
        else:
            context.open_form(payload.trigger_id, form, request)
            ack()


def _as_typed(payload: SlashCommand) -> str:
    return f"{payload.command} {plain_text(payload.text or '').words}".strip()


def _form(request: Request, name: str, fills: Mapping[str, Any]) -> dict[str, Any]:
    """The form of that name; its metadata lets the submission answer where the form was requested."""
    origin = {
        "channel_id": request.channel_id,
        "channel_name": request.channel_name,
        "reply_url": request.reply_url,
        "source": "form",
    }
    return modals.FORMS[name](origin, **fills)


def click(context: SlackContext, ack: Ack, payload: Click) -> None:
    """Handle a click on a button or a choice in a menu, once however often Slack delivers it."""
    request = context.requests.of_click(payload, received_at=context.clock())

    def post_reply(connection: Connection, reply: Reply) -> None:
        if reply.form is None:
            context.reply(connection, request, reply, {})

    try:
        try:
            reply = context.offline.handle(request, post_reply, partial(context.reply_directly, request, {}))
            if reply.form is not None:
                context.open_form(payload.trigger_id, _form(request, reply.form, reply.fills), request)
        except UsageError as error:
            context.refuse(request, str(error), "", {})
    except Exception:  # noqa: BLE001 - the boundary: a click can be repeated
        _log.exception("click not handled")
        context.report_not_saved(payload.response_url)
    context.delivery.wake()
    ack()


def home_click(context: SlackContext, ack: Ack, payload: Click) -> None:
    """Handle *Done* on the Home tab and publish the tab again, also if the item was done or reassigned before."""
    try:
        request = context.requests.of_click(payload, received_at=context.clock(), home=True)

        def refresh(connection: Connection, _reply: Reply) -> None:
            home.refresh(connection, request.workspace_id, request.user_id, context.clock)

        try:
            context.offline.handle(request, refresh)
        except UsageError:
            # The item has changed since the tab was published.
            with context.database.write() as connection:
                home.refresh(connection, request.workspace_id, request.user_id, context.clock)
    except Exception:  # noqa: BLE001 - the boundary: a click can be repeated
        _log.exception("click in a Home tab not handled")
    context.delivery.wake()
    ack()


def mention(context: SlackContext, payload: Mention) -> None:
    """Handle a mention; the reply goes to its thread, a refusal to the person alone.

    An exception makes Bolt answer 500, and Slack deliver the event again.
    """
    event = payload.event
    if event.bot_id or not event.user:
        return
    thread = {"thread_ts": event.thread_ts} if event.thread_ts else {}
    request = context.requests.of_mention(payload, received_at=context.clock())

    def post_reply(connection: Connection, reply: Reply) -> None:
        if reply.form is not None:
            # A mention has no trigger id to open a form with.
            raise UsageError(f"Say it in one line: {request.slash(request.command)} {COMMANDS[request.command].hint}")
        context.reply(connection, request, reply, thread)

    try:
        context.offline.handle(request, post_reply, partial(context.reply_directly, request, thread))
    except UsageError as error:
        context.refuse(request, str(error), plain_text(event.text).words, thread)
    context.delivery.wake()
