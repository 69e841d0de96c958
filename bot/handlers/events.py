"""What happens in Slack without words: a reaction, a pin, an opened Home tab, a person who joins.

The work is a job's; here it is put down.
Each is a request, as what people type is: while the database is away it is kept, and done afterwards.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.domain.incident.lifecycle import lifecycle
from bot.handlers.incident.status import CATCH_UP
from bot.handlers.incident.timeline import MOVES_OPEN
from bot.handlers.request import Reply, Request
from storage import incidents, outbox, receipts, timeline

REACTION, HOME_OPENED, JOINED = "reaction", "home_opened", "joined"
"""The commands of the requests."""
PUBLISH_HOME = "home"
"""The action of the job that publishes a person's Home tab."""
PINS_TAKEN = timedelta(days=7)
"""How long after an incident's end a pin in its channel is still about it."""
_SILENT = Reply(text="", public=True, own=True)
"""Nobody typed, so nobody is answered."""


def reaction(connection: Connection, request: Request) -> Reply:
    """Put the reaction or the pin, or the removal of either, into the outbox: the message may have to be fetched.

    The details are the content of the job and, as `action`, its action; `message` is JSON. The channel's lane keeps the
    order.
    """
    content: dict[str, Any] = {name: value for name, value in request.details.items() if name != "action"}
    if "message" in content:
        content["message"] = json.loads(content["message"])
    outbox.add(
        connection,
        request.workspace_id,
        lane=request.channel_id,
        action=request.details["action"],
        content=content,
        at=request.received_at,
    )
    return _SILENT


def takes_pins(connection: Connection, workspace_id: str, channel_id: str, *, at: datetime) -> bool:
    """Whether what is pinned in the channel at that time is about its incident: it is open, or ended not long ago.

    People pin in every channel, and few pins are said to Scribe.
    """
    incident = incidents.in_channel(connection, workspace_id, channel_id)
    if incident is None or incident.closed_as is not None:
        return False
    ended_at = lifecycle(timeline.of_incident(connection, incident.id, kinds=MOVES_OPEN)).resolved_at
    return incident.open or (ended_at is not None and at - ended_at <= PINS_TAKEN)


def home_opened(connection: Connection, request: Request) -> Reply:
    """Have the person's Home tab published."""
    outbox.add(
        connection,
        request.workspace_id,
        lane=f"home:{request.user_id}",
        action=PUBLISH_HOME,
        content={"user_id": request.user_id},
        at=request.received_at,
    )
    return _SILENT


def joined(connection: Connection, request: Request) -> Reply:
    """Have who joined the channel of an open incident told the story so far, once for each person and incident.

    Like all receipts, the one that says so is kept for a month.
    """
    workspace_id, user_id, at = request.workspace_id, request.user_id, request.received_at
    incident = incidents.in_channel(connection, workspace_id, request.channel_id)
    if incident is None or not incident.open or not request.sees(incident):
        return _SILENT
    key = f"{CATCH_UP}:{incident.id}:{user_id}"
    if receipts.find(connection, workspace_id, key) is None:
        receipts.save(connection, workspace_id, key, {}, at=at)
        content = {"channel_id": request.channel_id, "user_id": user_id, "incident_id": incident.id}
        outbox.add(connection, workspace_id, lane=key, action=CATCH_UP, content=content, at=at)
    return _SILENT
