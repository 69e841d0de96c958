"""Emoji reactions and pins: one on a message puts it on the timeline, and its removal undoes that entry.

The event of a reaction carries no text, so the worker fetches the message; that of a pin carries the message, and needs
no scope for history. Both are jobs of the outbox: the channel's lane keeps them and their removals in order.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.errors import UsageError
from bot.handlers import events
from bot.handlers.items.items import FROM_MESSAGE
from bot.handlers.request import Reply, Request
from bot.handlers.routes import handle
from bot.slack.context import SlackContext
from bot.slack.inbound.messages import files_of, read_message, words_of
from bot.slack.inbound.payloads import PinChange, Reaction, SourceMessage
from bot.slack.inbound.requests import REACTION, instant_of_ts, iso
from bot.slack.refusals import Verdict, judge
from bot.vocabulary import ACTION_ITEM, NOTE
from storage import incidents, receipts, timeline
from storage.outbox import Job
from storage.timeline import PIN

ADDED, REMOVED = "reaction_added", "reaction_removed"
PINNED, UNPINNED = "pin_added", "pin_removed"
"""The actions of the jobs, which are also the names of the events."""


def reaction(context: SlackContext, payload: Reaction) -> None:
    """Put the event into the outbox, once, or into the spool; an exception makes Slack deliver it again."""
    event = payload.event
    item = event.message
    kind = context.settings.reactions.get(event.reaction)
    # An action item lives on by itself: it is dropped by who answers for it, not with an emoji.
    if kind is None or item is None or (kind == ACTION_ITEM.name and event.type == REMOVED):
        return
    details = {"author_id": event.item_user, "permalink": context.identity.permalink(item.channel, item.ts)}
    _put_down(context, payload, item.channel, item.ts, kind=kind, **details)


def pin(context: SlackContext, payload: PinChange) -> None:
    """The same for a pin, but for Scribe's own and for a pin of what Scribe wrote: it is on the timeline already."""
    event, facts = payload.event, context.identity.facts
    message, channel_id = event.message, event.channel
    if not context.settings.pins or message is None or channel_id is None:
        return
    own = {facts.bot_user_id, facts.bot_id} - {None}
    if not own.isdisjoint({event.user, message.user, message.bot_id}):
        return
    of_link = parse_qs(urlsplit(message.permalink or "").query)
    thread_ts = message.thread_ts or next(iter(of_link.get("thread_ts", ())), None)
    described = {**message.model_dump(exclude_none=True, exclude={"permalink"}), "thread_ts": thread_ts}
    permalink = context.identity.permalink(channel_id, message.ts, thread_ts=thread_ts)
    _put_down(context, payload, channel_id, message.ts, kind=NOTE, permalink=permalink, message=json.dumps(described))


def _put_down(
    context: SlackContext, payload: Reaction | PinChange, channel_id: str, ts: str, **details: str | None
) -> None:
    now, event = context.clock(), payload.event
    content = {
        "action": event.type,
        "workspace_id": payload.team_id,
        "channel_id": channel_id,
        "ts": ts,
        "user_id": event.user,
        "event_id": payload.event_id,
        "event_ts": event.event_ts or f"{now.timestamp():.6f}",
        **details,
    }
    request = context.requests.of_event(
        events.REACTION,
        payload.team_id,
        event.user,
        channel_id=channel_id,
        key=f"reaction:{payload.event_id}",
        received_at=now,
        details={name: value for name, value in content.items() if value is not None},
    )
    context.offline.handle(request)
    context.delivery.wake()


def added(context: SlackContext, job: Job) -> None:
    """Fetch the message and record its words at its time, unless the reaction has been removed."""
    content = job.content
    if _is_removed(context, job, content["user_id"]):
        return
    message = _fetch(context.client, content["channel_id"], content["ts"])
    if message is not None:
        _record(context, job, message)


def pinned(context: SlackContext, job: Job) -> None:
    """Record the words of the message at its time, where an incident takes them, unless its pin has been removed."""
    content = job.content
    message = read_message(content["message"])
    if message is None or _is_removed(context, job, PIN):
        return
    with context.database.read() as connection:
        taken = events.takes_pins(connection, job.workspace_id, content["channel_id"], at=job.written_at)
    if not taken:
        return
    if context.requests.keeps_files:
        message = _listed(context.client, content["channel_id"], message)
    _record(context, job, message, source=PIN)


def _listed(client: WebClient, channel_id: str, message: SourceMessage) -> SourceMessage:
    """The pinned message with its files, which the event does not tell; as it is where Slack will not list the pins."""
    try:
        items = client.pins_list(channel=channel_id)["items"]
    except SlackApiError as error:
        if judge(error) is Verdict.LATER:
            raise
        return message
    listed = (read_message(each.get("message")) for each in items if isinstance(each, Mapping))
    found = next((each for each in listed if each is not None and each.ts == message.ts), None)
    return message if found is None else message.model_copy(update={"files": found.files})


def _record(context: SlackContext, job: Job, message: SourceMessage, *, source: str = REACTION) -> None:
    content, words = job.content, words_of(message)
    if content["kind"] == ACTION_ITEM.name:
        # One item for a message, whoever else reacts to it.
        content = {**content, "kind": FROM_MESSAGE, "event_id": f"{content['channel_id']}:{content['ts']}"}
    else:
        # The message's time precedes the words, so that a time at their beginning does not count.
        words = f"{iso(instant_of_ts(content['ts']))}: {words}"
    request = context.requests.of_reaction(
        content,
        message,
        words,
        command=content["kind"],
        received_at=job.written_at,
        files=files_of(message),
        source=source,
    )
    try:
        _handle(context, request, message.thread_ts or message.ts)
    except UsageError as error:
        context.refuse(request, str(error), "", {})


def removed(context: SlackContext, job: Job) -> None:
    """Undo the reaction's entry. Where there is none, remember the removal: Slack may deliver the reaction after it."""
    content = job.content
    message = _fetch(context.client, content["channel_id"], content["ts"])
    request = context.requests.of_reaction(content, message, "", command="unreact", received_at=job.written_at)
    try:
        _handle(context, request, (message.thread_ts if message else None) or content["ts"])
    except UsageError:
        _remember_removal(context, job, content["user_id"])


def unpinned(context: SlackContext, job: Job) -> None:
    """Undo the entry of the pin, whoever pinned the message, in the incident that holds it by now."""
    content = job.content
    message = read_message(content["message"])
    with context.database.read() as connection:
        made = timeline.of_message(connection, job.workspace_id, [content["permalink"]])
        found = next((each for each in made if each.source == PIN and not each.retracted), None)
        holder = found and incidents.by_id(connection, timeline.incident_id(connection, found))
    if holder is None:
        _remember_removal(context, job, PIN)
        return
    request = context.requests.of_reaction(
        content,
        message,
        "",
        command="unpin",
        received_at=job.written_at,
        source=PIN,
        incident_number=holder.number,
    )
    # Whose entry somebody may undo depends on who they are.
    request = context.requests.locate(request)
    try:
        _handle(context, request, (message.thread_ts if message else None) or content["ts"])
    except UsageError as error:
        context.refuse(request, str(error), "", {})


def _is_removed(context: SlackContext, job: Job, by: str) -> bool:
    with context.database.read() as connection:
        removal = receipts.find(connection, job.workspace_id, _removal_key(job.content, by))
    # Slack's event_ts has ten digits before the point and six behind it, so its order is that of the strings.
    return removal is not None and str(removal["event_ts"]) > str(job.content.get("event_ts", ""))


def _remember_removal(context: SlackContext, job: Job, by: str) -> None:
    with suppress(IntegrityError), context.database.write() as connection:
        removal = {"event_ts": job.content.get("event_ts", "")}
        receipts.save(connection, job.workspace_id, _removal_key(job.content, by), removal, at=context.clock())


def _removal_key(content: Mapping[str, Any], by: str) -> str:
    """The key of the receipt for a removal that was delivered before what it removes: `by` a person, or of a pin."""
    return f"early:{content['channel_id']}:{content['ts']}:{by}"


def _handle(context: SlackContext, request: Request, thread_ts: str) -> None:
    """Handle the request, and post the reply in the message's thread. Raises UsageError."""

    def post_reply(connection: Connection, reply: Reply) -> None:
        if reply.text:
            context.reply(connection, request, reply, {"thread_ts": thread_ts})

    handle(context.database, request, post_reply)


def _fetch(client: WebClient, channel_id: str, ts: str) -> SourceMessage | None:
    """One message, in the channel or in a thread; None when it has been deleted, and for one that is no message."""
    window: dict[str, Any] = {
        "channel": channel_id,
        "latest": ts,
        "oldest": ts,
        "inclusive": True,
        "limit": 1,
    }
    for fetch in (client.conversations_history, partial(client.conversations_replies, ts=ts)):
        try:
            messages: list[dict[str, Any]] = fetch(**window)["messages"]
        except SlackApiError as error:
            if error.response.get("error") != "thread_not_found":
                raise
            return None
        found = next((message for message in messages if message["ts"] == ts), None)
        if found is not None:
            return read_message(found)
    return None
