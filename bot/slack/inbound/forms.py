"""Forms: the message shortcut that opens one, and the submission that becomes a request."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from slack_bolt import Ack
from sqlalchemy import Connection

from bot.errors import UsageError
from bot.handlers.items import buttons
from bot.handlers.postmortem.edits import CHOOSE, SAVE, WRITE
from bot.handlers.request import Reply, Request, SectionEdit
from bot.slack.context import NOT_SAVED, SlackContext
from bot.slack.inbound.payloads import Shortcut, Submission, SubmittedView
from bot.slack.inbound.requests import instant_of_ts, iso
from bot.slack.outbound import modals
from bot.slack.outbound.modals import Origin, joined
from bot.slack.text import PlainText, plain_text, to_handle
from bot.vocabulary import ADD_TO_TIMELINE, POSTMORTEM

STALE = "This form was opened by another version of Scribe and cannot be read. Copy your words, and open it anew."
_log = logging.getLogger(__name__)


def shortcut(context: SlackContext, ack: Ack, payload: Shortcut) -> None:
    """*Add to timeline* on a message: open the form with the message's time and words."""
    message, channel, workspace_id = payload.message, payload.channel, payload.team.id
    # Many alerts have their words in attachments only.
    attached = [each.text or each.fallback or "" for each in message.attachments or ()]
    text = message.text or "\n".join(filter(None, attached))
    words = plain_text(text, name_of=context.requests.names(workspace_id)).words
    author_id = message.user or message.bot_id or ""
    author = context.members.find(workspace_id, author_id)
    origin = {
        "source": "shortcut",
        "reply_url": payload.response_url,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "said_at": message.ts,
        "thread_ts": message.thread_ts,
        "author_id": author_id,
        "author": author.name if author else message.username or author_id,
        "permalink": context.identity.permalink(
            channel.id, message.ts, domain=payload.team.domain, thread_ts=message.thread_ts
        ),
    }
    form = modals.entry_form(words, said_at=instant_of_ts(message.ts), origin=origin)
    context.open_form(payload.trigger_id, form, context.requests.of_shortcut(payload, received_at=context.clock()))
    ack()


def submission(context: SlackContext, ack: Ack, payload: Submission) -> None:
    """Handle a submitted form; a problem appears under its field, and the form stays open with the words."""
    try:
        origin, request = _read(context, payload)
        thread = {"thread_ts": origin["thread_ts"]} if origin.get("thread_ts") else {}

        def post_reply(connection: Connection, reply: Reply) -> None:
            if reply.text:
                context.reply(connection, request, reply, thread)

        reply = context.offline.handle(request, post_reply, partial(context.reply_directly, request, thread))
        answer = modals.following(origin, reply)
    except UsageError as error:
        ack(**modals.errors(str(error), payload.view, _field(payload.view, str(error), context.clock())))
    except Exception:  # noqa: BLE001 - the boundary: the form stays open with the words
        _log.exception("form not saved")
        ack(**modals.errors(NOT_SAVED, payload.view, _field(payload.view, "", context.clock())))
    else:
        context.delivery.wake()
        ack(**answer)


def _read(context: SlackContext, payload: Submission) -> tuple[Origin, Request]:
    """The form's metadata and its request. Raises UsageError for a form that this version cannot read."""
    try:
        origin = json.loads(payload.view.private_metadata)
        return origin, _REQUESTS[payload.view.callback_id](context, payload, origin)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        _log.warning("form not readable: %s", type(error).__name__)
        raise UsageError(STALE) from None


def _field(view: SubmittedView, problem: str, now: datetime) -> str:
    """The field to show a problem under: a time in the future, the date or owner it begins with, else the words."""
    filled = modals.answers(view)
    chosen = filled.get("time")
    if chosen is not None and chosen > now.timestamp():
        return "time"
    if filled.get("due") and problem.startswith(filled["due"]):
        return "due"
    about_owner = problem.startswith("@") or "words" not in filled
    return "owner" if about_owner and "owner" in filled else "words"


def _entry(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """An entry at the form's time, which precedes the words so that a time at their beginning does not count."""
    filled = modals.answers(payload.view)
    at = modals.moment(filled["time"], instant_of_ts(origin["said_at"]))
    words = PlainText(words=f"{iso(at)}: {filled['words'] or ''}")
    return context.requests.of_form(payload, origin, filled["kind"], words, received_at=context.clock())


def _item(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """A new action item, in the words of the command."""
    filled = modals.answers(payload.view)
    name, people = _owner(context, payload.team.id, filled)
    head = (f"@{name}" if name else "", filled["kind"] or "", f"by {filled['due']}" if filled["due"] else "")
    words = " ".join(part for part in head if part) + f": {filled['words'] or ''}"
    return context.requests.of_form(
        payload,
        origin,
        "actionitem",
        PlainText(words=words, people=people),
        received_at=context.clock(),
        details={name: filled[name] for name in ("priority", "done_when") if filled.get(name)},
    )


def _owner(context: SlackContext, workspace_id: str, filled: Mapping[str, Any]) -> tuple[str | None, dict[str, str]]:
    """The handle of the person or team chosen as owner, and the user id behind it."""
    if filled["owner"] is None:
        return (to_handle(filled["team"]) if filled.get("team") else None), {}
    member = context.members.look_up(workspace_id, filled["owner"])
    name = to_handle(member.name if member else filled["owner"])
    return name, {name: filled["owner"]}


def _assign(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """*Reassign*, in the words of the command."""
    name, people = _owner(context, payload.team.id, modals.answers(payload.view))
    words = PlainText(words=f"assign {origin['item']} @{name}", people=people)
    return context.requests.of_form(payload, origin, "actionitem", words, received_at=context.clock())


def _drop(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """*Drop*, in the words of the command."""
    why = modals.answers(payload.view)["words"] or ""
    words = PlainText(words=f"drop {origin['item']} {why}")
    return context.requests.of_form(payload, origin, "actionitem", words, received_at=context.clock())


def _choice(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """The section to edit, in the words of the command."""
    words = PlainText(words=f"edit INC-{origin['incident']} {modals.answers(payload.view)['words']}")
    return context.requests.of_form(payload, origin, POSTMORTEM.name, words, received_at=context.clock())


def _edit(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """A section's new text, joined from the form's inputs."""
    texts = [text or "" for text in modals.answers(payload.view).values()]
    edit = SectionEdit(key=origin["key"], version=origin["version"], text=joined(texts, origin["joints"]))
    request = context.requests.of_form(payload, origin, SAVE, PlainText(words=""), received_at=context.clock())
    return replace(request, incident_number=origin["incident"], edit=edit)


_REQUESTS: dict[str, Callable[[SlackContext, Submission, Origin], Request]] = {
    ADD_TO_TIMELINE: _entry,
    modals.ACTION_ITEM: _item,
    CHOOSE: _choice,
    WRITE: _edit,
    buttons.ASSIGN: _assign,
    buttons.DROP: _drop,
}
