"""An emoji on a message puts it on the timeline; taking it away takes the entry back.

The event points at a message without its words, so both are jobs of the outbox: the words are fetched by the
worker, and a lane's order keeps a reaction and its removal in theirs.
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
from bot.handlers.request import Reply, Request
from bot.handlers.routes import handle
from bot.slack.context import SlackContext
from bot.slack.inbound.payloads import Reaction
from bot.slack.inbound.requests import instant_of_ts, iso
from storage import outbox, receipts
from storage.outbox import Job

ADDED, REMOVED = "reaction_added", "reaction_removed"


def reaction(context: SlackContext, payload: Reaction) -> None:
    """Keep the event in the outbox, once; an exception makes Slack deliver it again."""
    event = payload.event
    item = event.item
    kind = context.settings.reactions.get(event.reaction)
    if kind is None or item.type != "message" or item.channel is None or item.ts is None:
        return
    now, workspace_id, key = context.clock(), payload.team_id, f"event:{payload.event_id}"
    content = {
        "workspace_id": workspace_id,
        "channel_id": item.channel,
        "ts": item.ts,
        "user_id": event.user,
        "author_id": event.item_user,
        "event_id": payload.event_id,
        "event_ts": event.event_ts,
        "kind": kind,
        "permalink": context.identity.permalink(item.channel, item.ts),
    }
    # Another replica may be keeping the same event at this very instant.
    with suppress(IntegrityError), context.database.write() as connection:
        if receipts.find(connection, workspace_id, key) is None:
            receipts.save(connection, workspace_id, key, {}, at=now)
            outbox.add(connection, workspace_id, lane=item.channel, action=event.type, content=content, at=now)
    context.delivery.wake()


def added(context: SlackContext, job: Job) -> None:
    """Fetch the message's words and record them, at the message's own time."""
    content = job.content
    if _taken_away_since(context, job):
        return
    message = _message(context.client, content["channel_id"], content["ts"])
    if message is None:
        return
    # The time is spelled out, so that words which begin with a clock time stay words.
    words = f"{iso(instant_of_ts(content['ts']))}: {message.get('text') or ''}"
    request = _request(context, job, words, command=content["kind"])
    try:
        _do(context, request, message)
    except UsageError as error:
        context.refuse(request, str(error), "", {})


def removed(context: SlackContext, job: Job) -> None:
    """Take the reaction's entry back. Where it put none on the timeline, there is nothing to say."""
    content = job.content
    message = _message(context.client, content["channel_id"], content["ts"])
    try:
        _do(context, _request(context, job, "", command="unreact"), message or content)
    except UsageError:
        with suppress(IntegrityError), context.database.write() as connection:
            told = {"event_ts": content.get("event_ts", "")}
            receipts.save(connection, job.workspace_id, _early(content), told, at=context.clock())


def _early(content: Mapping[str, Any]) -> str:
    """The key of what is remembered of a removal that found nothing to take back."""
    return "early:{channel_id}:{ts}:{user_id}".format(**content)


def _taken_away_since(context: SlackContext, job: Job) -> bool:
    """Whether the removal of this very reaction came before it: Slack may deliver the later event first."""
    content = job.content
    with context.database.read() as connection:
        early = receipts.find(connection, job.workspace_id, _early(content))
    # Slack's instants have ten digits before the point and six behind it, so they compare as words.
    return early is not None and str(early["event_ts"]) > str(content.get("event_ts", ""))


def _request(context: SlackContext, job: Job, words: str, *, command: str) -> Request:
    return context.requests.of_reaction(job.content, words, command=command, received_at=job.written_at)


def _do(context: SlackContext, request: Request, message: Mapping[str, Any]) -> None:
    """Do what the reaction asks for, and answer in the message's thread."""
    thread = {"thread_ts": message.get("thread_ts") or message["ts"]}

    def say(connection: Connection, reply: Reply) -> None:
        context.say(connection, request, reply, thread)

    handle(context.database, request, say)


def _message(client: WebClient, channel_id: str, ts: str) -> Mapping[str, Any] | None:
    """One message, in the channel or in a thread; None when it is gone."""
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
            return found
    return None
