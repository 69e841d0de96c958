"""The timeline: append entries, add revisions, read entries with their last revision applied."""

from collections.abc import Collection
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

_LAST_REVISION_NUMBER = (
    select(func.max(entry_revisions.c.number))
    .where(entry_revisions.c.entry_id == timeline_entries.c.id)
    .correlate(timeline_entries)
    .scalar_subquery()
)
LAST_REVISION = and_(
    entry_revisions.c.entry_id == timeline_entries.c.id, entry_revisions.c.number == _LAST_REVISION_NUMBER
)
"""Join condition between `timeline_entries` and the last of its `entry_revisions`; an entry may have none."""
RETRACTED = exists().where(LAST_REVISION, entry_revisions.c.retracted.is_(True))
"""Whether an entry is retracted by its last revision."""
REVISED_TEXT = func.coalesce(
    select(entry_revisions.c.text).where(LAST_REVISION).correlate(timeline_entries).scalar_subquery(),
    timeline_entries.c.text,
)
"""The text of an entry after its last revision."""

# Built once: SQLAlchemy takes longer to build a statement than SQLite to execute it.
_NEXT_NUMBER = (
    update(incidents)
    .where(incidents.c.id == bindparam("incident_id"))
    .values(last_entry_number=incidents.c.last_entry_number + 1)
    .returning(incidents.c.last_entry_number)
)
_INSERT = insert(timeline_entries)


def append(connection: Connection, incident_id: int, **facts: Any) -> TimelineEntry:
    """Insert an entry under the incident's next number; `facts` are its other columns."""
    facts["number"] = connection.execute(_NEXT_NUMBER, {"incident_id": incident_id}).scalar_one()
    result = connection.execute(_INSERT, facts | {"incident_id": incident_id})
    return TimelineEntry(id=row_id(result), retracted=False, revisions=0, **facts)


def of_incident(
    connection: Connection, incident_id: int, *, kinds: Collection[str] | None = None
) -> list[TimelineEntry]:
    """All entries of the incident with their last revisions applied, retracted ones included, by number.

    `kinds` limits them to entries of these kinds.
    """
    conditions = [timeline_entries.c.incident_id == incident_id]
    if kinds is not None:
        conditions.append(timeline_entries.c.kind.in_(kinds))
    entries = select(*_COLUMNS).where(*conditions)
    revisions = (
        select(entry_revisions)
        .join(timeline_entries, timeline_entries.c.id == entry_revisions.c.entry_id)
        .where(*conditions)
    )
    return _revised(connection, entries.order_by(timeline_entries.c.number), revisions)


def numbered(connection: Connection, incident_id: int, number: int) -> TimelineEntry | None:
    """The incident's entry of that number."""
    return _newest(connection, timeline_entries.c.incident_id == incident_id, timeline_entries.c.number == number)


def last_by(connection: Connection, incident_id: int, user_id: str) -> TimelineEntry | None:
    """The newest entry that the user recorded and that is not retracted."""
    return _newest(
        connection,
        timeline_entries.c.incident_id == incident_id,
        timeline_entries.c.recorded_by_id == user_id,
        ~RETRACTED,
    )


def by_permalink(connection: Connection, incident_id: int, permalink: str, kind: str) -> TimelineEntry | None:
    """The newest entry of that kind that was made from the message with the permalink."""
    return _newest(
        connection,
        timeline_entries.c.incident_id == incident_id,
        timeline_entries.c.permalink == permalink,
        timeline_entries.c.kind == kind,
    )


def is_participant(connection: Connection, incident_id: int, user_id: str) -> bool:
    """Whether the user recorded an entry of the incident, or is the author of one."""
    involved = or_(timeline_entries.c.recorded_by_id == user_id, timeline_entries.c.author_id == user_id)
    query = select(timeline_entries.c.id).where(timeline_entries.c.incident_id == incident_id, involved).limit(1)
    return connection.execute(query).first() is not None


def by_reaction(connection: Connection, incident_id: int, permalink: str, user_id: str) -> TimelineEntry | None:
    """The newest entry that the user made by a reaction to the message with the permalink."""
    return _newest(
        connection,
        timeline_entries.c.incident_id == incident_id,
        timeline_entries.c.permalink == permalink,
        timeline_entries.c.recorded_by_id == user_id,
        timeline_entries.c.source == "reaction",
    )


def revise(connection: Connection, entry: TimelineEntry, *, by: str, at: datetime, **changes: Any) -> TimelineEntry:
    """Add a revision with other values of occurred_at, text, qualifier or retracted; returns the revised entry."""
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


def _newest(connection: Connection, *conditions: Any) -> TimelineEntry | None:
    """The matching entry with the highest number."""
    entry = select(*_COLUMNS).where(*conditions).order_by(timeline_entries.c.number.desc()).limit(1)
    row = connection.execute(entry).first()
    if row is None:
        return None
    revisions = select(entry_revisions).where(entry_revisions.c.entry_id == row.id)
    return _revised(connection, entry, revisions)[0]


def _revised(connection: Connection, entries: Select[Any], revisions: Select[Any]) -> list[TimelineEntry]:
    """The entries with their last revisions applied."""
    last = {
        row["entry_id"]: {
            "occurred_at": row["occurred_at"],
            "text": row["text"],
            "qualifier": row["qualifier"],
            "retracted": row["retracted"],
            "revisions": row["number"],
        }
        for row in connection.execute(revisions.order_by(entry_revisions.c.number)).mappings()
    }
    return [
        TimelineEntry(**dict(zip(_NAMES, row, strict=True)) | last.get(row.id, _UNREVISED))
        for row in connection.execute(entries)
    ]
