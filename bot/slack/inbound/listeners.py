"""Bolt, and the listeners: one for each kind of payload, whatever its name; the vocabulary decides the rest."""

import logging
import re
from functools import partial

from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from sqlalchemy import Connection

from bot.config import Settings
from bot.errors import UsageError
from bot.handlers.request import Reply
from bot.slack.context import CALL_S, NOT_SAVED, SlackContext, form_origin
from bot.slack.inbound import forms, payloads, reactions
from bot.slack.inbound.payloads import Click, Mention, SlashCommand, UserChange
from bot.slack.outbound import blocks, home, modals
from bot.slack.text import typed
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS

_PAYLOAD = "scribe.payload"
"""Where Bolt's context holds the payload as a value."""
_log = logging.getLogger(__name__)


def command(context: SlackContext, ack: Ack, payload: SlashCommand) -> None:
    """Handle, commit, then acknowledge with the receipt; nothing is raised, since Bolt would lose the answer."""
    received_at = context.clock()
    try:
        request = context.requests.of_command(payload, received_at=received_at)
        reply = context.offline.handle(request)
        form = (
            None if reply.form is None else modals.FORMS[reply.form](form_origin(request, source="form"), **reply.fills)
        )
    except UsageError as error:
        ack(**blocks.refusal(str(error), _as_typed(payload)))
    except Exception:  # noqa: BLE001 - the boundary: whatever it was, the words go back to the person who typed them
        _log.exception("command not saved")
        ack(**blocks.refusal(NOT_SAVED, _as_typed(payload)))
    else:
        context.delivery.wake()
        if form is None:
            ack(**blocks.ack(reply))
        else:
            context.open(payload.trigger_id, form, request)
            ack()


def _as_typed(payload: SlashCommand) -> str:
    return f"{payload.command} {typed(payload.text or '').words}".strip()


def click(context: SlackContext, ack: Ack, payload: Click) -> None:
    """Do what the button says, once however often Slack tells of the click."""
    request = context.requests.of_click(payload, received_at=context.clock())

    def say(connection: Connection, reply: Reply) -> None:
        if reply.form is None:
            context.say(connection, request, reply, {})

    try:
        try:
            reply = context.offline.handle(request, say, partial(context.say_now, request, {}))
            if reply.form is not None:
                form = modals.FORMS[reply.form](form_origin(request, source="form"), **reply.fills)
                context.open(payload.trigger_id, form, request)
        except UsageError as error:
            context.refuse(request, str(error), "", {})
    except Exception:  # noqa: BLE001 - the boundary: a click can be made again
        _log.exception("click not handled")
        context.apologise(payload.response_url)
    context.delivery.wake()
    ack()


def home_click(context: SlackContext, ack: Ack, payload: Click) -> None:
    """*Done* on the Home tab; the tab is published anew, also where the item was done before or is another's now."""
    try:
        request = context.requests.of_click(payload, received_at=context.clock(), home=True)

        def refresh(connection: Connection, _reply: Reply) -> None:
            home.refresh(connection, request.workspace_id, request.user_id, context.clock)

        try:
            context.offline.handle(request, refresh)
        except UsageError:
            # The tab is older than the item: the new one shows how it stands.
            with context.database.write() as connection:
                home.refresh(connection, request.workspace_id, request.user_id, context.clock)
    except UsageError:
        _log.warning("click in a Home tab on no item")
    except Exception:  # noqa: BLE001 - the boundary: a click can be made again
        _log.exception("click in a Home tab not handled")
    context.delivery.wake()
    ack()


def mention(context: SlackContext, payload: Mention) -> None:
    """Record, and answer in the same thread, or to the person alone where something is wrong.

    An exception goes up to Bolt, which answers 500, and Slack delivers the event again.
    """
    event = payload.event
    if event.bot_id or not event.user:
        return
    thread = {"thread_ts": event.thread_ts} if event.thread_ts else {}
    request = context.requests.of_mention(payload, received_at=context.clock())

    def say(connection: Connection, reply: Reply) -> None:
        if reply.form is not None:
            # A mention brings no trigger to open a form with.
            raise UsageError(f"Say it in one line: {request.slash(request.command)} {COMMANDS[request.command].hint}")
        context.say(connection, request, reply, thread)

    try:
        context.offline.handle(request, say, partial(context.say_now, request, thread))
    except UsageError as error:
        context.refuse(request, str(error), typed(event.text).words, thread)
    context.delivery.wake()


ANY = re.compile(".*", re.DOTALL)


class _App(App):
    """Bolt's app, which reads the payload first: listeners get it as a value, and what has another shape gets a 400."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """The answer to a request of either transport."""
        try:
            req.context[_PAYLOAD] = payloads.parse(req.body)
        except payloads.UnreadableError as error:
            _log.warning("request not readable: %s", error)
            return BoltResponse(status=400, body="not readable")
        return super().dispatch(req)


def _bolt(context: SlackContext, settings: Settings) -> App:
    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # A closure, since Bolt hands a bound method its own idea of `self`.
        return context.identity.authorize(enterprise_id, team_id)

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
        listener_executor=context.executor,
    )


def listen(context: SlackContext, settings: Settings) -> App:
    """Bolt with its listeners. Bolt calls the first that fits, so the catch-all ones come last."""
    app = _bolt(context, settings)

    @app.event("app_home_opened")
    def _home_opened(req: BoltRequest) -> None:
        home.opened(context, req.context[_PAYLOAD])

    @app.action(home.DONE)
    def _home_click(ack: Ack, req: BoltRequest) -> None:
        home_click(context, ack, req.context[_PAYLOAD])

    @app.command(ANY)
    def _command(ack: Ack, req: BoltRequest) -> None:
        command(context, ack, req.context[_PAYLOAD])

    @app.event("app_mention")
    def _mention(req: BoltRequest) -> None:
        mention(context, req.context[_PAYLOAD])

    @app.event("user_change")
    def _user_change(req: BoltRequest) -> None:
        change: UserChange = req.context[_PAYLOAD]
        context.members.keep(change.team_id, change.event.user)

    @app.event(re.compile("reaction_(added|removed)"))
    def _reaction(req: BoltRequest) -> None:
        reactions.reaction(context, req.context[_PAYLOAD])

    @app.event(ANY)
    def _other_event() -> None:
        """Nothing to do; the ack keeps Slack from delivering it again."""

    @app.shortcut(ADD_TO_TIMELINE)
    def _shortcut(ack: Ack, req: BoltRequest) -> None:
        forms.shortcut(context, ack, req.context[_PAYLOAD])

    @app.view(ANY)
    def _submission(ack: Ack, req: BoltRequest) -> None:
        forms.submission(context, ack, req.context[_PAYLOAD])

    @app.action(ANY)
    def _click(ack: Ack, req: BoltRequest) -> None:
        click(context, ack, req.context[_PAYLOAD])

    return app
