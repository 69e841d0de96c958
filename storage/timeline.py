"""The timeline: append entries, revise them, read them as they stand."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from storage.dialects import row_id
from storage.models import entry_revisions, incidents, timeline_entries
from storage.values import TimelineEntry

_COLUMNS = tuple(column for column in timeline_entries.c if column.name != "incident_id")


def append(connection: Connection, incident_id: int, **facts: Any) -> TimelineEntry:
    """Write an entry at the end of the incident's timeline; `facts` are its columns but for the number."""
    count = (
        update(incidents)
        .where(incidents.c.id == incident_id)
        .values(last_entry_number=incidents.c.last_entry_number + 1)
        .returning(incidents.c.last_entry_number)
    )
    facts["number"] = connection.execute(count).scalar_one()
    result = connection.execute(insert(timeline_entries), facts | {"incident_id": incident_id})
    return TimelineEntry(id=row_id(result), retracted=False, revisions=0, **facts)


def of_incident(connection: Connection, incident_id: int) -> list[TimelineEntry]:
    """Every entry as it stands after its last revision, retracted ones too, in the order of their numbers."""
    entries = select(*_COLUMNS).where(timeline_entries.c.incident_id == incident_id)
    revisions = (
        select(entry_revisions)
        .join(timeline_entries, timeline_entries.c.id == entry_revisions.c.entry_id)
        .where(timeline_entries.c.incident_id == incident_id)
    )
    return _as_they_stand(connection, entries.order_by(timeline_entries.c.number), revisions)


def numbered(connection: Connection, incident_id: int, number: int) -> TimelineEntry | None:
    """The incident's entry of that number."""
    return _one(connection, timeline_entries.c.incident_id == incident_id, timeline_entries.c.number == number)


def last_by(connection: Connection, incident_id: int, user_id: str) -> TimelineEntry | None:
    """The newest entry that user put on the timeline and that still stands."""
    mine = (entry for entry in of_incident(connection, incident_id) if entry.recorded_by_id == user_id)
    return next((entry for entry in reversed(list(mine)) if not entry.retracted), None)


def linked(connection: Connection, incident_id: int, permalink: str, kind: str) -> TimelineEntry | None:
    """The newest entry of that kind made from the message behind the permalink."""
    return _one(
        connection,
        timeline_entries.c.incident_id == incident_id,
        timeline_entries.c.permalink == permalink,
        timeline_entries.c.kind == kind,
    )


def reacted(connection: Connection, incident_id: int, permalink: str, user_id: str) -> TimelineEntry | None:
    """The newest entry that user made by reacting to the message behind the permalink."""
    return _one(
        connection,
        timeline_entries.c.incident_id == incident_id,
        timeline_entries.c.permalink == permalink,
        timeline_entries.c.recorded_by_id == user_id,
        timeline_entries.c.source == "reaction",
    )


def revise(connection: Connection, entry: TimelineEntry, *, by: str, at: datetime, **changes: Any) -> TimelineEntry:
    """Say how the entry stands from now on: any of occurred_at, text, qualifier, retracted may change."""
    revised = replace(entry, revisions=entry.revisions + 1, **changes)
    connection.execute(
        insert(entry_revisions),
        {
            "entry_id": entry.id,
            "number": revised.revisions,
            "occurred_at": revised.occurred_at,
            "text": revised.text,
            "qualifier": revised.qualifier,
            "retracted": revised.retracted,
            "revised_at": at,
            "revised_by_id": by,
        },
    )
    return revised


def _one(connection: Connection, *conditions: Any) -> TimelineEntry | None:
    entries = select(*_COLUMNS).where(*conditions).order_by(timeline_entries.c.number.desc()).limit(1)
    found = connection.execute(entries).first()
    if found is None:
        return None
    revisions = select(entry_revisions).where(entry_revisions.c.entry_id == found.id)
    return _as_they_stand(connection, entries, revisions)[0]


def _as_they_stand(connection: Connection, entries: Select[Any], revisions: Select[Any]) -> list[TimelineEntry]:
    """The entries with their last revision laid over them."""
    last = _last_by_entry(connection.execute(revisions.order_by(entry_revisions.c.number)).mappings())
    return [
        TimelineEntry(**{**row, **last.get(row["id"], {"retracted": False, "revisions": 0})})
        for row in connection.execute(entries).mappings()
    ]


def _last_by_entry(revisions: Iterable[Any]) -> dict[int, dict[str, Any]]:
    return {
        row["entry_id"]: {
            "occurred_at": row["occurred_at"],
            "text": row["text"],
            "qualifier": row["qualifier"],
            "retracted": row["retracted"],
            "revisions": row["number"],
        }
        for row in revisions
    }
