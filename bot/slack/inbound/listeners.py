"""Bolt's app and its listeners: one for each kind of payload; the vocabulary and the routes decide by name."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware import Middleware
from slack_sdk import WebClient
from sqlalchemy import Connection

from bot.config import Settings
from bot.errors import UsageError
from bot.handlers.items.clicks import HOME
from bot.handlers.request import DIRECT, Reply, Request
from bot.slack.client import CALL_S, NOT_FOUND
from bot.slack.context import NOT_SAVED, WRITE_S, SlackContext
from bot.slack.inbound import forms, joining, messages, payloads, reactions
from bot.slack.inbound.messages import read_message
from bot.slack.inbound.payloads import Click, DirectMessage, Mention, MessageEvent, PinChange, SlashCommand, UserChange
from bot.slack.outbound import blocks, home, modals
from bot.slack.outbound.delivery import Heard
from bot.slack.outbound.presence import Presence
from bot.slack.text import PlainText, plain_text
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS
from storage.availability import within
from storage.values import BOT

_PAYLOAD = "scribe.payload"
"""The key of the typed payload in Bolt's context."""
_SOCKET = "socket_mode"
"""Bolt's name for the transport."""
_ANY = re.compile(".*", re.DOTALL)
_log = logging.getLogger(__name__)


def listen(context: SlackContext, settings: Settings, presence: Presence) -> "ScribeApp":
    """Bolt's app with its listeners. Bolt calls the first that matches, so those that match anything come last."""
    app = _create_app(context, settings)

    @app.event("app_home_opened")
    def _home_opened(req: BoltRequest) -> None:
        home.opened(context, req.context[_PAYLOAD])

    @app.action(re.compile(f"^(?:{'|'.join(home.CLICKS)})$"))
    def _home_click(ack: Ack, req: BoltRequest) -> None:
        home_click(context, ack, req.context[_PAYLOAD])

    @app.event("app_mention")
    def _mention(req: BoltRequest) -> None:
        mention(context, req.context[_PAYLOAD])

    @app.event(re.compile("user_change|team_join"))
    def _user_change(req: BoltRequest) -> None:
        change: UserChange = req.context[_PAYLOAD]
        context.members.save(change.team_id, change.event.user)

    @app.event("message")
    def _message(req: BoltRequest) -> None:
        message(context, req.context[_PAYLOAD])

    @app.event(re.compile("(?:reaction|pin)_(?:added|removed)"))
    def _marked(req: BoltRequest) -> None:
        payload = req.context[_PAYLOAD]
        (reactions.pin if isinstance(payload, PinChange) else reactions.reaction)(context, payload)

    @app.event(_ANY)
    def _other_event(req: BoltRequest) -> None:
        """Mostly nothing to do; the ack keeps Slack from delivering it again."""
        joining.notice(context, presence, req.context[_PAYLOAD])

    @app.shortcut(ADD_TO_TIMELINE)
    def _shortcut(ack: Ack, req: BoltRequest) -> None:
        forms.shortcut(context, ack, req.context[_PAYLOAD])

    @app.view(_ANY)
    def _submission(ack: Ack, req: BoltRequest) -> None:
        forms.submission(context, ack, req.context[_PAYLOAD], small=req.mode == _SOCKET)

    app.view_closed(_ANY)(_acknowledge)

    @app.action(_ANY)
    def _click(ack: Ack, req: BoltRequest) -> None:
        click(context, ack, req.context[_PAYLOAD])

    return app


def _acknowledge(ack: Ack) -> None:
    """There is nothing to do."""
    ack()


class SlashCommands(Middleware):
    """Answers slash commands before Bolt authorizes the request and looks for a listener, which costs more than both.

    Neither would add anything: commands need no token, and `routes` has the one table of them.
    """

    def __init__(self, context: SlackContext) -> None:
        self._context = context

    def process(self, *, req: BoltRequest, resp: BoltResponse, next: Callable[[], object]) -> BoltResponse | None:  # noqa: A002 - Bolt's name
        """The answer to a command; what is none goes on to the listeners."""
        payload = req.context[_PAYLOAD]
        if not isinstance(payload, SlashCommand):
            next()
            return resp
        ack = Ack()  # type: ignore[no-untyped-call]
        command(self._context, ack, payload, small=req.mode == _SOCKET)
        return ack.response


OnPayload = Callable[[Mapping[str, Any], int], None]
"""Called with each payload and the status of its answer. Must not raise."""


class ScribeApp(App):
    """Bolt's app, which first parses the payload: listeners get it as a value, and another shape is answered 400."""

    def __init__(self, context: SlackContext, **options: Any) -> None:
        super().__init__(**options)
        self._context = context
        self.on_payload: OnPayload | None = None

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """The answer to a request of either transport; tells `on_payload` of both, if it is set."""
        response = self._answer(req)
        if self.on_payload is not None:
            self.on_payload(req.body, response.status)
        return response

    def _answer(self, req: BoltRequest) -> BoltResponse:
        try:
            req.context[_PAYLOAD] = payloads.parse(req.body, self._own())
        except payloads.UnreadableError as error:
            _log.warning("request not readable: %s", error)
            return BoltResponse(status=400, body="not readable", headers={"x-slack-no-retry": "1"})
        answer = super().dispatch(req)
        if answer.status == NOT_FOUND:
            _log.warning("request not readable: it is of no known kind")
        return answer

    def _own(self) -> payloads.OwnWorkspace | None:
        facts, members = self._context.identity.facts, self._context.members
        team_id = facts.team_id
        if team_id is None or facts.of_organisation:
            return None
        return payloads.OwnWorkspace(
            team_id=team_id,
            bot_id=facts.bot_id,
            belongs=lambda user_id, named_id: members.belongs(team_id, user_id, named_id),
        )


def _create_app(context: SlackContext, settings: Settings) -> ScribeApp:
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
    return ScribeApp(
        context,
        name="scribe",
        logger=quiet,
        # Without a token: with one, Bolt warns that `authorize` takes precedence.
        client=WebClient(base_url=settings.api_url, timeout=CALL_S),
        before_authorize=SlashCommands(context),
        authorize=authorize,
        process_before_response=True,
        # The HTTP transport verifies signatures itself: Bolt raises on a timestamp that is no number, and logs bodies.
        request_verification_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
        ignoring_self_assistant_message_events_enabled=False,
        listener_executor=context.executor,
    )


def command(context: SlackContext, ack: Ack, payload: SlashCommand, *, small: bool = False) -> None:
    """Handle a slash command, commit, then acknowledge with the receipt. Raises nothing: Bolt would lose the answer.

    Where the ack must be `small`, a large answer goes by the outbox.
    """
    received_at = context.clock()
    try:
        request = context.requests.of_command(payload, received_at=received_at)
        reply = context.offline.handle(request)
        form = None if reply.form is None else _form(request, reply.form, reply.fills)
        answer = blocks.ack(reply) if form is None else {}
        if small and blocks.size(answer) > blocks.SMALL_MESSAGE:
            context.reply_later(request, reply)
            answer = {}
    except UsageError as error:
        ack(
            **blocks.refusal(str(error), _as_typed(payload, context.requests.read(payload.team_id, payload.text or "")))
        )
    except Exception:  # noqa: BLE001 - the boundary: after any failure the person gets their words back
        _log.exception("command not saved")
        # The names may be what failed: those that Slack sent must do.
        ack(**blocks.refusal(NOT_SAVED, _as_typed(payload, plain_text(payload.text or ""))))
    else:
        context.delivery.wake(
            Heard(
                workspace_id=request.workspace_id,
                channel_id=request.channel_id,
                # A private answer is no receipt: whoever only looks needs no bot in the channel.
                reply_url=request.reply_url if reply.public else None,
            )
        )
        if form is not None:
            context.open_form(payload.trigger_id, form, request)
        ack(**answer)


def _as_typed(payload: SlashCommand, text: PlainText) -> str:
    return f"{payload.command} {text.words}".strip()


def _form(request: Request, name: str, fills: Mapping[str, Any]) -> dict[str, Any]:
    """The form of that name; its metadata lets the submission answer where the form was requested, the tab included."""
    origin = {
        "channel_id": request.channel_id,
        "channel_name": request.channel_name,
        "reply_url": request.reply_url,
        "source": "form",
        **({home.OPENED_HERE: True} if request.source == HOME else {}),
    }
    return modals.FORMS[name](origin, **fills)


def click(context: SlackContext, ack: Ack, payload: Click) -> None:
    """Handle a click on a button or a choice in a menu, once however often Slack delivers it."""
    request = context.requests.of_click(payload, received_at=context.clock())

    def post_reply(connection: Connection, reply: Reply) -> None:
        if reply.settles:
            reply = replace(reply, buttons=(*reply.buttons, *blocks.remaining(payload.blocks, reply.settles)))
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
    """Handle a click on the Home tab: open its form, or publish the tab again, also if the item was changed before."""
    try:
        request = context.requests.of_click(payload, received_at=context.clock(), home=home.CLICKS)

        def refresh(connection: Connection, reply: Reply) -> None:
            if reply.form is None:
                home.refresh(connection, request.workspace_id, request.user_id, context.clock)

        try:
            reply = context.offline.handle(request, refresh)
            if reply.form is not None:
                context.open_form(payload.trigger_id, _form(request, reply.form, reply.fills), request)
        except UsageError:
            # The item has changed since the tab was published.
            with within(WRITE_S, at_once=True), context.database.write() as connection:
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
    if not event.user and not event.by_app:
        _log.warning("request not readable: Mention: event.user")
    if not event.user or (event.by_app and not _is_person(context, payload.team_id, event.user)):
        return
    thread = {"thread_ts": event.thread_ts} if event.thread_ts else {}
    request = context.requests.of_mention(payload, received_at=context.clock())

    def post_reply(connection: Connection, reply: Reply) -> None:
        if reply.form is not None:
            # A mention has no trigger id to open a form with.
            raise UsageError(f"Say it in one line: {request.slash(request.command)} {COMMANDS[request.command].hint}")
        if reply.text:
            context.reply(connection, request, reply, thread)

    try:
        context.offline.handle(request, post_reply, partial(context.reply_directly, request, thread))
    except UsageError as error:
        context.refuse(request, str(error), context.requests.said(payload).words, thread)
    context.delivery.wake(Heard(workspace_id=request.workspace_id, channel_id=request.channel_id))


def _is_person(context: SlackContext, workspace_id: str, user_id: str) -> bool:
    """Whether an app may speak for this user: a person known to Slack, and not the app itself."""
    if user_id == context.identity.facts.bot_user_id:
        return False
    member = context.members.look_up(workspace_id, user_id)
    return member is not None and member.barred not in {BOT, "unknown"}


def message(context: SlackContext, payload: object) -> None:
    """A message of a person to the bot alone, or what became of an earlier one; of the others nothing is read."""
    if isinstance(payload, DirectMessage):
        direct_message(context, payload)
    elif isinstance(payload, MessageEvent):
        changed(context, payload)


def direct_message(context: SlackContext, payload: DirectMessage) -> None:
    """Answer what a person wrote to the bot alone, once; in its thread, where it was written in one.

    An exception makes Bolt answer 500, and Slack deliver the event again.
    """
    said = payload.event.model_dump()
    mention(context, Mention.model_validate({"team_id": payload.team_id, "event": said | {"text": said["text"] or ""}}))


def changed(context: SlackContext, payload: MessageEvent) -> None:
    """What became of a message: one that mentions the bot is read again, another is followed on the timeline."""
    event = payload.event
    new = read_message(event.message) if event.subtype == payloads.CHANGED else None
    ours = f"<@{context.identity.facts.bot_user_id}>"
    is_channel = event.channel is not None and not event.channel.startswith(DIRECT)
    if is_channel and new and new.edited and ours in (new.text or ""):
        mentioned = new.model_dump() | {"channel": event.channel}
        mention(context, Mention.model_validate(payload.model_dump() | {"event": mentioned}))
    messages.follow(context, payload)
