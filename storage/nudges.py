"""Nudges: what an open incident's channel is reminded of, once each: a promised update that is due, and silence.

The timeline is the truth about both. A row only says when to look at it, and what the channel has been told already.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, text, update

from storage.dialects import upsert
from storage.models import OPEN, entry_revisions, incidents, nudges, timeline_entries

MOST = 100
"""Incidents that one look finds; the next look finds the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """What is known of an incident's nudges.

    `due_at` is when to look at its promise, `told_at` the promised time that its channel was told is over,
    `silent_since` the number of the last entry before the silence that it was told of. `heard_at` is when somebody last
    said that they are still working.
    """

    due_at: datetime | None = None
    told_at: datetime | None = None
    silent_since: int | None = None
    heard_at: datetime | None = None


_COLUMNS = (nudges.c.due_at, nudges.c.told_at, nudges.c.silent_since, nudges.c.heard_at)
_OF_INCIDENT = select(*_COLUMNS).where(nudges.c.incident_id == bindparam("incident_id"))
# Literally the WHERE clauses of the partial indexes, or no database uses them.
_DUE = (
    select(nudges.c.incident_id)
    .join(incidents, incidents.c.id == nudges.c.incident_id)
    .where(text("nudges.due_at IS NOT NULL"), nudges.c.due_at <= bindparam("at", type_=nudges.c.due_at.type))
    .order_by(nudges.c.due_at)
    .limit(MOST)
)
_BEFORE = bindparam("before", type_=nudges.c.heard_at.type)
_SILENT = (
    select(incidents.c.id)
    .outerjoin(nudges, nudges.c.incident_id == incidents.c.id)
    .outerjoin(
        timeline_entries,
        (timeline_entries.c.incident_id == incidents.c.id)
        & (timeline_entries.c.number == incidents.c.last_entry_number),
    )
    .where(
        text(f"incidents.{OPEN}"),
        incidents.c.closed_as.is_(None),
        func.coalesce(timeline_entries.c.recorded_at, incidents.c.declared_at) <= _BEFORE,
        or_(nudges.c.heard_at.is_(None), nudges.c.heard_at <= _BEFORE),
        or_(nudges.c.silent_since.is_(None), nudges.c.silent_since != incidents.c.last_entry_number),
        or_(nudges.c.due_at.is_(None), nudges.c.due_at <= bindparam("at", type_=nudges.c.due_at.type)),
    )
    .order_by(incidents.c.id)
    .limit(MOST)
)
_OF_WORKSPACE = {query: query.where(incidents.c.workspace_id == bindparam("workspace_id")) for query in (_DUE, _SILENT)}
_REVISED = timeline_entries.alias()
_LAST_SIGN = (
    select(
        incidents.c.last_entry_number,
        func.coalesce(timeline_entries.c.recorded_at, incidents.c.declared_at, type_=incidents.c.declared_at.type),
        select(func.max(entry_revisions.c.revised_at, type_=entry_revisions.c.revised_at.type))
        .join(_REVISED, _REVISED.c.id == entry_revisions.c.entry_id)
        .where(_REVISED.c.incident_id == incidents.c.id)
        .correlate(incidents)
        .scalar_subquery(),
    )
    .select_from(incidents)
    .outerjoin(
        timeline_entries,
        (timeline_entries.c.incident_id == incidents.c.id)
        & (timeline_entries.c.number == incidents.c.last_entry_number),
    )
    .where(incidents.c.id == bindparam("incident_id"))
)
_LOOK_AGAIN = update(nudges).where(nudges.c.incident_id == bindparam("of"))


def due(
    connection: Connection, *, at: datetime, silent_before: datetime | None, workspace_id: str | None = None
) -> list[int]:
    """The ids of the incidents to look at, of that workspace or of all: a promise is due, or the last entry is older.

    Without `silent_before` silence is not looked for. Each query reads a partial index; neither takes a lock.
    """
    found = dict.fromkeys(connection.execute(*_for_workspace(_DUE, workspace_id, at=at)).scalars())
    if silent_before is not None:
        query = _for_workspace(_SILENT, workspace_id, at=at, before=silent_before)
        found |= dict.fromkeys(connection.execute(*query).scalars())
    return list(found)


def _for_workspace(query: Any, workspace_id: str | None, **parameters: Any) -> tuple[Any, dict[str, Any]]:
    if workspace_id is None:
        return query, parameters
    return _OF_WORKSPACE[query], {**parameters, "workspace_id": workspace_id}


def of_incident(connection: Connection, incident_id: int) -> Nudge:
    """What is known of the incident's nudges."""
    row = connection.execute(_OF_INCIDENT, {"incident_id": incident_id}).mappings().first()
    return Nudge() if row is None else Nudge(**dict(row))


def save(connection: Connection, incident_id: int, **values: object) -> None:
    """Change fields of the incident's nudges. Call with the incident locked."""
    statement = upsert(connection)(nudges).values(incident_id=incident_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[nudges.c.incident_id], set_=values))


def look_again(connection: Connection, incident_id: int, *, at: datetime) -> None:
    """Have the incident's promise looked at from then on, if it ever had one: it may stand again."""
    connection.execute(_LOOK_AGAIN.values(due_at=at), {"of": incident_id})


def last_sign(connection: Connection, incident_id: int) -> tuple[int, datetime]:
    """The number of the incident's last entry, and when something was last recorded or corrected."""
    number, recorded_at, revised_at = connection.execute(_LAST_SIGN, {"incident_id": incident_id}).one()
    return number, max(filter(None, (recorded_at, revised_at)))
