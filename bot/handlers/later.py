"""Answers that may take longer than Slack waits: what is long is announced, and the answer comes by the outbox."""

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.handlers.request import Reply, Request
from storage import outbox, timeline
from storage.search import index as search_index
from storage.values import Incident

ANSWER = "answer"
"""The action of the job that gives such an answer."""
MOST_ENTRIES = 500
"""Entries of an incident up to which it is read, checked and shown within an answer."""
MOST_UNINDEXED = 2_000
"""Entries and items of a workspace that are not indexed yet, up to which they are searched within an answer."""


class SlowError(Exception):
    """The answer may take longer than Slack waits."""


def check_length(connection: Connection, request: Request, incident: Incident) -> None:
    """Raise SlowError for an incident with more than MOST_ENTRIES, unless the request has time."""
    if not request.has_time and timeline.has_more_than(connection, incident.id, MOST_ENTRIES):
        raise SlowError


def check_indexed(connection: Connection, request: Request) -> None:
    """Raise SlowError for a workspace with more than MOST_UNINDEXED, unless the request has time."""
    if not request.has_time and search_index.behind(connection, request.workspace_id) > MOST_UNINDEXED:
        raise SlowError


def promise(connection: Connection, request: Request) -> Reply:
    """Put the answer to the request into the outbox. A workspace's are given one after the other.

    So they take one of the threads that deliver, however many are asked for.
    """
    outbox.add(
        connection,
        request.workspace_id,
        lane=ANSWER,
        action=ANSWER,
        content={"request": request.to_json(), "channel": request.channel_id, "asked_by": request.user_id},
        at=request.received_at,
    )
    return Reply(text=slack("one_moment"), own=True)
