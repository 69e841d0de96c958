"""Incidents: declare them, find them, change their facts."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, insert, or_, select, update

from storage.dialects import row_id, upsert
from storage.models import entry_revisions, incident_changes, incidents, timeline_entries, workspaces
from storage.values import Incident

_COLUMNS = (
    incidents.c.id,
    incidents.c.workspace_id,
    incidents.c.number,
    incidents.c.channel_id,
    incidents.c.channel_name,
    incidents.c.title,
    incidents.c.severity,
    incidents.c.lead,
    incidents.c.lead_id,
    incidents.c.declared_at,
    incidents.c.declared_by,
    incidents.c.timezone,
    incidents.c.private,
    incidents.c.open,
)
_STANDING = incidents.c.same_as_id.is_(None)


def _value(connection: Connection, query: Select[Any]) -> Incident | None:
    row = connection.execute(query).mappings().first()
    return None if row is None else Incident(**row)


def _values(connection: Connection, query: Select[Any]) -> list[Incident]:
    return [Incident(**row) for row in connection.execute(query).mappings()]


def in_channel(connection: Connection, workspace_id: str, channel_id: str, *, lock: bool = False) -> Incident | None:
    """The channel's incident: the newest open one, else the newest.

    With `lock`, other transactions that lock it wait: what its milestones say cannot change meanwhile.
    """
    query = (
        select(*_COLUMNS)
        .where(incidents.c.workspace_id == workspace_id, incidents.c.channel_id == channel_id, _STANDING)
        .order_by(incidents.c.open.desc(), incidents.c.number.desc())
        .limit(1)
    )
    return _value(connection, query.with_for_update() if lock else query)


def numbered(connection: Connection, workspace_id: str, number: int, *, lock: bool = False) -> Incident | None:
    """The workspace's incident of that number; `lock` as for `in_channel`."""
    query = select(*_COLUMNS).where(incidents.c.workspace_id == workspace_id, incidents.c.number == number)
    return _value(connection, query.with_for_update() if lock else query)


def by_id(connection: Connection, incident_id: int) -> Incident:
    """The incident with that row id, which must exist."""
    query = select(*_COLUMNS).where(incidents.c.id == incident_id)
    return Incident(**connection.execute(query).mappings().one())


def workspace_ids(connection: Connection) -> list[str]:
    """Every workspace that ever declared an incident."""
    return list(connection.execute(select(workspaces.c.id).order_by(workspaces.c.id)).scalars())


def lock_workspace(connection: Connection, workspace_id: str) -> None:
    """Let other declarations in this workspace wait until the transaction ends."""
    query = select(workspaces.c.id).where(workspaces.c.id == workspace_id).with_for_update()
    if connection.execute(query).scalar() is None:
        _insert_workspace(connection, workspace_id)
        connection.execute(query)


def _insert_workspace(connection: Connection, workspace_id: str) -> None:
    insertion = upsert(connection)(workspaces).values(id=workspace_id, last_incident_number=0)
    connection.execute(insertion.on_conflict_do_nothing())


def next_number(connection: Connection, workspace_id: str) -> int:
    """The workspace's next incident number; the workspace is locked first."""
    claim = (
        update(workspaces)
        .where(workspaces.c.id == workspace_id)
        .values(last_incident_number=workspaces.c.last_incident_number + 1)
        .returning(workspaces.c.last_incident_number)
    )
    return int(connection.execute(claim).scalar_one())


def declare(connection: Connection, **facts: Any) -> Incident:
    """Write down a new, open incident. `facts` are the columns that are not counted or derived."""
    row = facts | {"open": True, "last_entry_number": 0, "last_item_number": 0}
    incident_id = row_id(connection.execute(insert(incidents).values(row)))
    return by_id(connection, incident_id)


def set_open(connection: Connection, incident: Incident, *, is_open: bool) -> None:
    """Keep the incident's open flag in step with its milestones."""
    if incident.open != is_open:
        connection.execute(update(incidents).where(incidents.c.id == incident.id).values(open=is_open))


def change(
    connection: Connection, incident: Incident, facts: dict[str, str | None], *, by: str, at: datetime
) -> Incident:
    """Give the incident other facts (title, severity, lead, lead_id) and keep who changed what, and when."""
    connection.execute(update(incidents).where(incidents.c.id == incident.id).values(**facts))
    connection.execute(
        insert(incident_changes),
        [
            {"incident_id": incident.id, "field": field, "value": value, "changed_at": at, "changed_by": by}
            for field, value in facts.items()
        ],
    )
    return by_id(connection, incident.id)


def mark_same(connection: Connection, duplicate: Incident, original: Incident) -> None:
    """Say that `duplicate` was `original` all along: it is closed, and no longer found by channel or list."""
    values = {"same_as_id": original.id, "open": False}
    connection.execute(update(incidents).where(incidents.c.id == duplicate.id).values(**values))


def same_as(connection: Connection, incident: Incident) -> Incident | None:
    """The incident this one turned out to be, if somebody said so."""
    query = select(incidents.c.same_as_id).where(incidents.c.id == incident.id)
    original = connection.execute(query).scalar()
    return None if original is None else by_id(connection, original)


def _visible(workspace_id: str, channel_id: str) -> Any:
    """What may be seen from a channel: a private incident only from its own."""
    return and_(
        incidents.c.workspace_id == workspace_id,
        _STANDING,
        or_(incidents.c.private.is_(False), incidents.c.channel_id == channel_id),
    )


def listing(
    connection: Connection, workspace_id: str, channel_id: str, *, open_only: bool, limit: int
) -> list[Incident]:
    """The newest incidents that may be seen from the channel, newest first."""
    query = select(*_COLUMNS).where(_visible(workspace_id, channel_id))
    if open_only:
        query = query.where(incidents.c.open.is_(True))
    return _values(connection, query.order_by(incidents.c.number.desc()).limit(limit))


def search(connection: Connection, workspace_id: str, channel_id: str, words: str, *, limit: int) -> list[Incident]:
    """Incidents whose title or timeline holds the words, newest first."""
    in_entry = exists().where(
        timeline_entries.c.incident_id == incidents.c.id,
        timeline_entries.c.text.icontains(words, autoescape=True),
    )
    in_revision = exists().where(
        timeline_entries.c.incident_id == incidents.c.id,
        entry_revisions.c.entry_id == timeline_entries.c.id,
        entry_revisions.c.text.icontains(words, autoescape=True),
    )
    found = or_(incidents.c.title.icontains(words, autoescape=True), in_entry, in_revision)
    query = select(*_COLUMNS).where(_visible(workspace_id, channel_id), found)
    return _values(connection, query.order_by(incidents.c.number.desc()).limit(limit))
