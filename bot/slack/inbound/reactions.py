"""Emoji reactions: one on a message puts it on the timeline, and its removal undoes that entry.

The event carries no text, so both are jobs of the outbox: the worker fetches the message, and the channel's lane keeps
a reaction and its removal in order.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.errors import UsageError
from bot.handlers import events
from bot.handlers.request import Reply, Request
from bot.handlers.routes import handle
from bot.slack.context import SlackContext
from bot.slack.inbound.messages import read_message, words_of
from bot.slack.inbound.payloads import Reaction, SourceMessage
from bot.slack.inbound.requests import instant_of_ts, iso
from storage import receipts
from storage.outbox import Job

ADDED, REMOVED = "reaction_added", "reaction_removed"
"""The actions of the jobs, which are also the names of the events."""


def reaction(context: SlackContext, payload: Reaction) -> None:
    """Put the event into the outbox, once, or into the spool; an exception makes Slack deliver it again."""
    event = payload.event
    item = event.message
    kind = context.settings.reactions.get(event.reaction)
    if kind is None or item is None:
        return
    now, workspace_id = context.clock(), payload.team_id
    content = {
        "action": event.type,
        "workspace_id": workspace_id,
        "channel_id": item.channel,
        "ts": item.ts,
        "user_id": event.user,
        "author_id": event.item_user,
        "event_id": payload.event_id,
        "event_ts": event.event_ts or f"{now.timestamp():.6f}",
        "kind": kind,
        "permalink": context.identity.permalink(item.channel, item.ts),
    }
    request = context.requests.of_event(
        events.REACTION,
        workspace_id,
        event.user,
        channel_id=item.channel,
        key=f"reaction:{payload.event_id}",
        received_at=now,
        details={name: value for name, value in content.items() if value is not None},
    )
    context.offline.handle(request)
    context.delivery.wake()


def added(context: SlackContext, job: Job) -> None:
    """Fetch the message and record its words at its time, unless the reaction has been removed."""
    content = job.content
    with context.database.read() as connection:
        removal = receipts.find(connection, job.workspace_id, _removal_key(content))
    # Slack's event_ts has ten digits before the point and six behind it, so its order is that of the strings.
    if removal is not None and str(removal["event_ts"]) > str(content.get("event_ts", "")):
        return
    message = _fetch(context.client, content["channel_id"], content["ts"])
    if message is None:
        return
    # The message's time precedes the words, so that a time at their beginning does not count.
    words = f"{iso(instant_of_ts(content['ts']))}: {words_of(message)}"
    request = context.requests.of_reaction(content, message, words, command=content["kind"], received_at=job.written_at)
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
        with suppress(IntegrityError), context.database.write() as connection:
            removal = {"event_ts": content.get("event_ts", "")}
            receipts.save(connection, job.workspace_id, _removal_key(content), removal, at=context.clock())


def _removal_key(content: Mapping[str, Any]) -> str:
    """The key of the receipt for a removal that was delivered before its reaction."""
    return "early:{channel_id}:{ts}:{user_id}".format(**content)


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
