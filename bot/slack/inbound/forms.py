"""Forms: the message shortcut that opens one, and what is sent off in them."""

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
from bot.slack.inbound.payloads import Shortcut, Submission, View
from bot.slack.inbound.requests import instant_of_ts, iso
from bot.slack.outbound import modals
from bot.slack.outbound.modals import joined
from bot.slack.text import Typed, typed
from bot.slack.text import handle as handle_of
from bot.vocabulary import ADD_TO_TIMELINE, POSTMORTEM

STALE = "This form was opened by another version of Scribe and cannot be read. Copy your words, and open it anew."
_log = logging.getLogger(__name__)

Place = Mapping[str, Any]
"""What a form remembers of where it was opened: its `private_metadata`."""


def shortcut(context: SlackContext, ack: Ack, payload: Shortcut) -> None:
    """*Add to timeline* on a message: open the form, filled in with its time and words."""
    request = context.requests.of_shortcut(payload, received_at=context.clock())
    message = payload.message
    # The words of an alert often stand in its attachments alone.
    attached = [each.text or each.fallback or "" for each in message.attachments or ()]
    text = message.text or "\n".join(filter(None, attached))
    words = typed(text, name_of=context.requests.names(payload.team.id)).words
    form = modals.entry_form(words, said_at=instant_of_ts(message.ts), place=_origin(context, payload))
    context.open(payload.trigger_id, form, request)
    ack()


def _origin(context: SlackContext, payload: Shortcut) -> dict[str, Any]:
    """What the form must remember of the message it was opened on."""
    message, channel = payload.message, payload.channel
    author_id = message.user or message.bot_id or ""
    member = context.members.find(payload.team.id, author_id)
    return {
        "source": "shortcut",
        "reply_url": payload.response_url,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "said_at": message.ts,
        "thread_ts": message.thread_ts,
        "author_id": author_id,
        "author": member.name if member else message.username or author_id,
        "permalink": context.identity.permalink(
            channel.id, message.ts, domain=payload.team.domain, thread_ts=message.thread_ts
        ),
    }


def submission(context: SlackContext, ack: Ack, payload: Submission) -> None:
    """Handle what was filled in; a problem is said under the field, and the form stays open with its words."""
    try:
        place, request = _read(context, payload)
        thread = {"thread_ts": place["thread_ts"]} if place.get("thread_ts") else {}

        def say(connection: Connection, reply: Reply) -> None:
            if reply.text:
                context.say(connection, request, reply, thread)

        reply = context.offline.handle(request, say, partial(context.say_now, request, thread))
        following = modals.following(place, reply)
    except UsageError as error:
        ack(**modals.errors(str(error), payload.view, _field(payload.view, str(error), context.clock())))
    except Exception:  # noqa: BLE001 - the boundary: the form stays open and keeps the words
        _log.exception("form not saved")
        ack(**modals.errors(NOT_SAVED, payload.view, _field(payload.view, "", context.clock())))
    else:
        context.delivery.wake()
        ack(**following)


def _read(context: SlackContext, payload: Submission) -> tuple[Place, Request]:
    """What the form remembers, and the request it makes. Raises UsageError for a form that is not one of ours now."""
    try:
        place = json.loads(payload.view.private_metadata)
        return place, _REQUESTS[payload.view.callback_id](context, payload, place)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        _log.warning("form not readable: %s", type(error).__name__)
        raise UsageError(STALE) from None


def _field(view: View, problem: str, now: datetime) -> str:
    """The field a problem is about: a time that lies ahead, the date or the owner it begins with; else the words."""
    filled = modals.answers(view)
    chosen = filled.get("time")
    if chosen is not None and chosen > now.timestamp():
        return "time"
    if filled.get("due") and problem.startswith(filled["due"]):
        return "due"
    named = problem.startswith("@") or "words" not in filled
    return "owner" if named and "owner" in filled else "words"


def _entry(context: SlackContext, payload: Submission, place: Place) -> Request:
    """An entry whose time is the form's, whatever its words begin with."""
    filled = modals.answers(payload.view)
    at = modals.moment(filled["time"], instant_of_ts(place["said_at"]))
    words = Typed(words=f"{iso(at)}: {filled['words'] or ''}", people={})
    return context.requests.of_form(payload, place, filled["kind"], words, received_at=context.clock())


def _item(context: SlackContext, payload: Submission, place: Place) -> Request:
    """An action item, put in the words of the command."""
    filled = modals.answers(payload.view)
    name, people = _owner(context, payload.team.id, filled)
    head = (f"@{name}" if name else "", filled["kind"] or "", f"by {filled['due']}" if filled["due"] else "")
    words = " ".join(part for part in head if part) + f": {filled['words'] or ''}"
    typed_words = Typed(words=words, people=people)
    details = {name: filled[name] for name in ("priority", "done_when") if filled.get(name)}
    return context.requests.of_form(
        payload, place, "actionitem", typed_words, received_at=context.clock(), details=details
    )


def _assign(context: SlackContext, payload: Submission, place: Place) -> Request:
    """The form behind *Reassign*."""
    filled = modals.answers(payload.view)
    name, people = _owner(context, payload.team.id, filled)
    words = Typed(words=f"assign {place['item']} @{name}", people=people)
    return context.requests.of_form(payload, place, "actionitem", words, received_at=context.clock())


def _drop(context: SlackContext, payload: Submission, place: Place) -> Request:
    """The form behind *Drop*."""
    why = modals.answers(payload.view)["words"] or ""
    words = Typed(words=f"drop {place['item']} {why}", people={})
    return context.requests.of_form(payload, place, "actionitem", words, received_at=context.clock())


def _owner(context: SlackContext, workspace_id: str, filled: Mapping[str, Any]) -> tuple[str | None, dict[str, str]]:
    if filled["owner"] is None:
        return (handle_of(filled["team"]) if filled.get("team") else None), {}
    member = context.members.look_up(workspace_id, filled["owner"])
    name = handle_of(member.name if member else filled["owner"])
    return name, {name: filled["owner"]}


def _choice(context: SlackContext, payload: Submission, place: Place) -> Request:
    """Which section to edit: the command, with the section named."""
    words = Typed(words=f"edit INC-{place['incident']} {modals.answers(payload.view)['words']}", people={})
    return context.requests.of_form(payload, place, POSTMORTEM.name, words, received_at=context.clock())


def _edit(context: SlackContext, payload: Submission, place: Place) -> Request:
    """A section's new text, its portions put together."""
    texts = [text or "" for text in modals.answers(payload.view).values()]
    edit = SectionEdit(key=place["key"], version=place["version"], text=joined(texts, place["joints"]))
    empty = Typed(words="", people={})
    request = context.requests.of_form(payload, place, SAVE, empty, received_at=context.clock())
    return replace(request, incident_number=place["incident"], edit=edit)


_REQUESTS: dict[str, Callable[[SlackContext, Submission, Place], Request]] = {
    ADD_TO_TIMELINE: _entry,
    modals.ACTION_ITEM: _item,
    CHOOSE: _choice,
    WRITE: _edit,
    buttons.ASSIGN: _assign,
    buttons.DROP: _drop,
}
