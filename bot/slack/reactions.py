"""An emoji on a message puts it on the timeline; taking it away takes the entry back.

The event points at a message without its words, so both are errands of the outbox: the words are fetched by the
worker, and a lane's order keeps a reaction and its removal in theirs.
"""

from functools import partial
from typing import Any

from slack_sdk import WebClient
from sqlalchemy import Connection

from bot.errors import UsageError
from bot.handlers.request import Reply
from bot.handlers.routes import handle
from bot.slack.door import Body, Door
from bot.slack.requests import instant, iso
from storage import outbox, receipts
from storage.outbox import Errand

ADDED, REMOVED = "reaction_added", "reaction_removed"


def reaction(door: Door, body: Body) -> None:
    """Keep the event in the outbox, once; an exception makes Slack deliver it again."""
    event = body["event"]
    item = event["item"]
    kind = door.settings.reactions.get(event["reaction"])
    if kind is None or item.get("type") != "message":
        return
    now, workspace_id, key = door.clock(), body["team_id"], f"event:{body['event_id']}"
    content = {
        "workspace_id": workspace_id,
        "channel_id": item["channel"],
        "ts": item["ts"],
        "user_id": event["user"],
        "author_id": event.get("item_user"),
        "event_id": body["event_id"],
        "kind": kind,
        "permalink": door.identity.permalink(item["channel"], item["ts"]),
    }
    with door.database.write() as connection:
        if receipts.find(connection, workspace_id, key) is None:
            receipts.keep(connection, workspace_id, key, {}, at=now)
            outbox.add(connection, workspace_id, lane=item["channel"], action=event["type"], content=content, at=now)
    door.delivery.wake()


def added(door: Door, errand: Errand) -> None:
    """Fetch the message's words and record them, at the message's own time."""
    content = errand.content
    words = _words_of(door.client, content["channel_id"], content["ts"])
    if words is None:
        return
    # The time is spelled out, so that words which begin with a clock time stay words.
    _do(door, errand, f"{iso(instant(content['ts']))}: {words}", command=content["kind"])


def removed(door: Door, errand: Errand) -> None:
    """Take the reaction's entry back."""
    _do(door, errand, "", command="unreact")


def _do(door: Door, errand: Errand, words: str, *, command: str) -> None:
    request = door.requests.of_reaction(errand.content, words, command=command, received_at=errand.written_at)

    def say(connection: Connection, reply: Reply) -> None:
        door.say(connection, request, reply, {"thread_ts": errand.content["ts"]})

    try:
        handle(door.database, request, also=say)
    except UsageError as error:
        door.refuse(request, str(error), "", {})


def _words_of(client: WebClient, channel_id: str, ts: str) -> str | None:
    """The words of one message, in the channel or in a thread; None when it is gone."""
    window: dict[str, Any] = {
        "channel": channel_id,
        "latest": ts,
        "oldest": ts,
        "inclusive": True,
        "limit": 1,
    }
    for fetch in (client.conversations_history, partial(client.conversations_replies, ts=ts)):
        for message in fetch(**window)["messages"]:
            if message["ts"] == ts:
                return str(message.get("text") or "")
    return None
