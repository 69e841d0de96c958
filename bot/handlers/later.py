"""Answers that may take longer than Slack waits: what is long is announced, and the answer comes by the outbox."""

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.handlers.request import Reply, Request
from storage import incidents, outbox, timeline
from storage.database import Database
from storage.search import index as search_index
from storage.values import Incident

ANSWER = "answer"
"""The action of the job that gives such an answer."""
MOST_ENTRIES = 500
"""Entries of an incident up to which it is read, checked and shown within an answer."""
MOST_INCIDENTS = 500
"""Incidents of a workspace up to which its report is counted in this process."""
MOST_UNINDEXED = 2_000
"""Entries and items of a workspace that are not indexed yet, up to which they are searched within an answer."""


class SlowError(Exception):
    """The answer may take longer than Slack waits."""


def check_length(connection: Connection, request: Request, incident: Incident) -> None:
    """Raise SlowError for an incident with more than MOST_ENTRIES, unless the request has time."""
    if not request.has_time and timeline.has_more_than(connection, incident.id, MOST_ENTRIES):
        raise SlowError


def is_long(database: Database, incident_id: int) -> bool:
    """Whether the incident has more than MOST_ENTRIES: what is made of all of them is made in another process."""
    with database.read() as connection:
        return timeline.has_more_than(connection, incident_id, MOST_ENTRIES)


def are_many(database: Database, workspace_id: str) -> bool:
    """Whether the workspace has more than MOST_INCIDENTS, of which a report is made in another process."""
    with database.read() as connection:
        return incidents.has_more_than(connection, workspace_id, MOST_INCIDENTS)


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
