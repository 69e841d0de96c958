"""Similar incidents: shown to who tells the first impact or cause, once an incident, and named in the draft.

Who told it sees what they would find by a search there, alone. The draft is read by all who are in its channel, and
where it is published, so it names public incidents of that channel, and none of their words.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.documents.rendering import slack
from bot.domain.incident.topics import is_private
from bot.domain.items.reminders import is_person
from bot.domain.postmortem.similar import KINDS, Compared, Similar, rank
from bot.handlers.request import without_secrets
from bot.vocabulary import CAUSE, IMPACT
from storage import incidents, members, outbox, receipts, timeline
from storage.database import Database
from storage.items import action_items
from storage.search import find
from storage.sources import signals
from storage.values import UNKNOWN, Incident, TimelineEntry

SHOW = "similar"
"""The job that shows the similar incidents to one person."""
_ASKED_BY = (IMPACT, CAUSE)
"""The kinds of entry of which the first one has them shown."""
_SHOWN = "similar:"
_COMPARED = 30
"""Incidents that are read and compared, those that seem to share most."""
_MOST_WORDS = 40


def in_document(connection: Connection, incident: Incident, entries: Sequence[TimelineEntry]) -> list[Similar]:
    """The similar incidents that whoever may read the incident's postmortem may see: public ones of its channel."""
    return _similar(connection, incident, entries, incidents.told_to_readers(incident.channel_id))


def tick(database: Database, *, at: datetime, workspace_id: str | None = None) -> int:
    """Have the incidents that are like each young one shown to who told its first impact or cause; returns how many."""
    with database.read() as connection:
        young = [
            incidents.by_id(connection, each)
            for each in signals.young_incidents(connection, at=at, workspace_id=workspace_id)
        ]
        found = [
            (incident, user_id)
            for incident in young
            if receipts.find(connection, incident.workspace_id, f"{_SHOWN}{incident.id}") is None
            if (user_id := _asked_by(connection, incident)) is not None
        ]
    told = 0
    for incident, user_id in found:
        try:
            with database.write() as connection:
                receipts.save(connection, incident.workspace_id, f"{_SHOWN}{incident.id}", {}, at=at)
                outbox.add(
                    connection,
                    incident.workspace_id,
                    lane=incident.channel_id,
                    action=SHOW,
                    content={"incident_id": incident.id, "user_id": user_id},
                    at=at,
                )
        except IntegrityError:
            # Another replica has just seen to it.
            continue
        told += 1
    return told


def compose(connection: Connection, content: Mapping[str, Any]) -> dict[str, Any] | None:
    """The message of the job with that content, for one person alone; None where nothing that they see is similar."""
    incident, user_id = incidents.by_id(connection, content["incident_id"]), content["user_id"]
    if incident.closed_as is not None:
        return None
    member = members.find(connection, incident.workspace_id, user_id)
    standing = member.standing if member else UNKNOWN
    seen = incidents.visible_from(incident.workspace_id, incident.channel_id, standing)
    entries = timeline.of_incident(connection, incident.id, kinds=KINDS)
    found = _similar(connection, incident, entries, seen)
    if not found:
        return None
    text = without_secrets(slack("similar", incident=incident, found=found))
    return {"channel": incident.channel_id, "user": user_id, "text": text}


def _asked_by(connection: Connection, incident: Incident) -> str | None:
    """The user id of who told the first impact or cause; None where nobody did, or no person."""
    told = timeline.of_incident(connection, incident.id, kinds=_ASKED_BY)
    by = (each.recorded_by_id for each in told if not each.retracted and not is_private(each.text))
    return next((user_id for user_id in by if is_person(user_id)), None)


def _similar(
    connection: Connection, incident: Incident, entries: Sequence[TimelineEntry], seen: find.Condition
) -> list[Similar]:
    told = Compared(incident=incident, entries=[each for each in entries if each.kind in KINDS])
    words = list(told.words)[:_MOST_WORDS]
    sharing = find.sharing(connection, incident.workspace_id, words, seen, most=_COMPARED)
    others = [
        Compared(
            incident=each,
            entries=timeline.of_incident(connection, each.id, kinds=KINDS),
            items=action_items.of_incident(connection, each.id),
        )
        for each in sharing.incidents
    ]
    return rank(told, others, holders=sharing.holders, counted=sharing.counted)
