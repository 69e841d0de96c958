"""The timeline: append entries, revise them, read them as they stand."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, exists, func, insert, or_, select, update

from storage.dialects import row_id
from storage.models import entry_revisions, incidents, timeline_entries
from storage.values import TimelineEntry

_COLUMNS = tuple(column for column in timeline_entries.c if column.name != "incident_id")
_NAMES = tuple(column.name for column in _COLUMNS)
_UNREVISED: dict[str, Any] = {"retracted": False, "revisions": 0}

_LAST = (
    select(func.max(entry_revisions.c.number))
    .where(entry_revisions.c.entry_id == timeline_entries.c.id)
    .correlate(timeline_entries)
    .scalar_subquery()
)
LAST_REVISION = and_(entry_revisions.c.entry_id == timeline_entries.c.id, entry_revisions.c.number == _LAST)
"""Joins a row of `timeline_entries` with the last of its `entry_revisions`, if it has any."""
RETRACTED = exists().where(LAST_REVISION, entry_revisions.c.retracted.is_(True))
"""Whether a row of `timeline_entries` was taken back."""
STANDING_TEXT = func.coalesce(
    select(entry_revisions.c.text).where(LAST_REVISION).correlate(timeline_entries).scalar_subquery(),
    timeline_entries.c.text,
)
"""The words of a row of `timeline_entries` after its last revision."""

# Built once: building a statement takes SQLAlchemy longer than SQLite takes to carry it out.
_NEXT_NUMBER = (
    update(incidents)
    .where(incidents.c.id == bindparam("incident_id"))
    .values(last_entry_number=incidents.c.last_entry_number + 1)
    .returning(incidents.c.last_entry_number)
)
_INSERT = insert(timeline_entries)


def append(connection: Connection, incident_id: int, **facts: Any) -> TimelineEntry:
    """Write an entry at the end of the incident's timeline; `facts` are its columns but for the number."""
    facts["number"] = connection.execute(_NEXT_NUMBER, {"incident_id": incident_id}).scalar_one()
    result = connection.execute(_INSERT, facts | {"incident_id": incident_id})
    return TimelineEntry(id=row_id(result), retracted=False, revisions=0, **facts)


def of_incident(
    connection: Connection, incident_id: int, *, kinds: Collection[str] | None = None
) -> list[TimelineEntry]:
    """Every entry as it stands after its last revision, retracted ones too, in the order of their numbers.

    With `kinds`, only entries of these kinds.
    """
    wanted = [timeline_entries.c.incident_id == incident_id]
    if kinds is not None:
        wanted.append(timeline_entries.c.kind.in_(kinds))
    entries = select(*_COLUMNS).where(*wanted)
    revisions = (
        select(entry_revisions)
        .join(timeline_entries, timeline_entries.c.id == entry_revisions.c.entry_id)
        .where(*wanted)
    )
    return _as_they_stand(connection, entries.order_by(timeline_entries.c.number), revisions)


def numbered(connection: Connection, incident_id: int, number: int) -> TimelineEntry | None:
    """The incident's entry of that number."""
    return _one(connection, timeline_entries.c.incident_id == incident_id, timeline_entries.c.number == number)


def last_by(connection: Connection, incident_id: int, user_id: str) -> TimelineEntry | None:
    """The newest entry that user put on the timeline and that still stands."""
    return _one(
        connection,
        timeline_entries.c.incident_id == incident_id,
        timeline_entries.c.recorded_by_id == user_id,
        ~RETRACTED,
    )


def by_permalink(connection: Connection, incident_id: int, permalink: str, kind: str) -> TimelineEntry | None:
    """The newest entry of that kind made from the message behind the permalink."""
    return _one(
        connection,
        timeline_entries.c.incident_id == incident_id,
        timeline_entries.c.permalink == permalink,
        timeline_entries.c.kind == kind,
    )


def is_participant(connection: Connection, incident_id: int, user_id: str) -> bool:
    """Whether the person has recorded an entry of the incident, or their words are one."""
    theirs = or_(timeline_entries.c.recorded_by_id == user_id, timeline_entries.c.author_id == user_id)
    query = select(timeline_entries.c.id).where(timeline_entries.c.incident_id == incident_id, theirs).limit(1)
    return connection.execute(query).first() is not None


def by_reaction(connection: Connection, incident_id: int, permalink: str, user_id: str) -> TimelineEntry | None:
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
        TimelineEntry(**dict(zip(_NAMES, row, strict=True)) | last.get(row.id, _UNREVISED))
        for row in connection.execute(entries)
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
