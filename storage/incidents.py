"""Incidents: declare them, find them, change their facts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    Table,
    and_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    update,
)

from storage.dialects import row_id, upsert
from storage.models import action_items, incident_changes, incidents, timeline_entries, workspaces
from storage.timeline import RETRACTED, STANDING_TEXT
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
_NAMES = tuple(column.name for column in _COLUMNS)
_STANDING = incidents.c.same_as_id.is_(None)

# Built once: building a query takes SQLAlchemy longer than SQLite takes to answer it.
_IN_CHANNEL = (
    select(*_COLUMNS)
    .where(
        incidents.c.workspace_id == bindparam("workspace_id"),
        incidents.c.channel_id == bindparam("channel_id"),
        _STANDING,
    )
    .order_by(incidents.c.open.desc(), incidents.c.number.desc())
    .limit(1)
)
_NUMBERED = select(*_COLUMNS).where(
    incidents.c.workspace_id == bindparam("workspace_id"), incidents.c.number == bindparam("number")
)
_BY_ID = select(*_COLUMNS).where(incidents.c.id == bindparam("incident_id"))
_LOCKED = {query: query.with_for_update() for query in (_IN_CHANNEL, _NUMBERED)}
_LOCK_WORKSPACE = select(workspaces.c.id).where(workspaces.c.id == bindparam("workspace_id")).with_for_update()
_NEXT_NUMBER = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace_id"))
    .values(last_incident_number=workspaces.c.last_incident_number + 1)
    .returning(workspaces.c.last_incident_number)
)
_INSERT = insert(incidents)


def _value(row: Row[*tuple[Any, ...]]) -> Incident:
    return Incident(**dict(zip(_NAMES, row, strict=True)))


def _first(connection: Connection, query: Select[Any], *, lock: bool, **parameters: Any) -> Incident | None:
    row = connection.execute(_LOCKED[query] if lock else query, parameters).first()
    return None if row is None else _value(row)


def _values(connection: Connection, query: Select[Any]) -> list[Incident]:
    return [_value(row) for row in connection.execute(query)]


def in_channel(connection: Connection, workspace_id: str, channel_id: str, *, lock: bool = False) -> Incident | None:
    """The channel's incident: the newest open one, else the newest.

    With `lock`, other transactions that lock it wait: what its milestones say cannot change meanwhile.
    """
    return _first(connection, _IN_CHANNEL, lock=lock, workspace_id=workspace_id, channel_id=channel_id)


def numbered(connection: Connection, workspace_id: str, number: int, *, lock: bool = False) -> Incident | None:
    """The workspace's incident of that number; `lock` as for `in_channel`."""
    return _first(connection, _NUMBERED, lock=lock, workspace_id=workspace_id, number=number)


def by_id(connection: Connection, incident_id: int) -> Incident:
    """The incident with that row id, which must exist."""
    return _value(connection.execute(_BY_ID, {"incident_id": incident_id}).one())


def workspace_ids(connection: Connection) -> list[str]:
    """Every workspace that ever declared an incident."""
    return list(connection.execute(select(workspaces.c.id).order_by(workspaces.c.id)).scalars())


def lock_workspace(connection: Connection, workspace_id: str) -> None:
    """Let other declarations in this workspace wait until the transaction ends."""
    parameters = {"workspace_id": workspace_id}
    if connection.execute(_LOCK_WORKSPACE, parameters).scalar() is None:
        _insert_workspace(connection, workspace_id)
        connection.execute(_LOCK_WORKSPACE, parameters)


def _insert_workspace(connection: Connection, workspace_id: str) -> None:
    insertion = upsert(connection)(workspaces).values(id=workspace_id, last_incident_number=0)
    connection.execute(insertion.on_conflict_do_nothing())


def next_number(connection: Connection, workspace_id: str) -> int:
    """The workspace's next incident number; the workspace is locked first."""
    return int(connection.execute(_NEXT_NUMBER, {"workspace_id": workspace_id}).scalar_one())


def declare(connection: Connection, **facts: Any) -> Incident:
    """Write down a new, open incident. `facts` are the columns that are not counted or derived."""
    row = facts | {"open": True, "last_entry_number": 0, "last_item_number": 0}
    return by_id(connection, row_id(connection.execute(_INSERT, row)))


def set_open(connection: Connection, incident: Incident, *, is_open: bool) -> None:
    """Keep the incident's open flag in step with its milestones."""
    if incident.open != is_open:
        connection.execute(update(incidents).where(incidents.c.id == incident.id).values(open=is_open))


def change(
    connection: Connection, incident: Incident, facts: Mapping[str, object], *, by: str, at: datetime
) -> Incident:
    """Give the incident other facts (title, severity, lead, lead_id, private) and keep who changed what, and when."""
    connection.execute(update(incidents).where(incidents.c.id == incident.id).values(**facts))
    connection.execute(
        insert(incident_changes),
        [
            {
                "incident_id": incident.id,
                "field": field,
                "value": None if value is None else str(value),
                "changed_at": at,
                "changed_by": by,
            }
            for field, value in facts.items()
        ],
    )
    return by_id(connection, incident.id)


def mark_duplicate(connection: Connection, duplicate: Incident, original: Incident) -> None:
    """Say that `duplicate` was `original` all along: it is closed, and no longer found by channel or list."""
    values = {"same_as_id": original.id, "open": False}
    connection.execute(update(incidents).where(incidents.c.id == duplicate.id).values(**values))


def duplicate_of(connection: Connection, incident: Incident) -> Incident | None:
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
    """Incidents whose title or timeline, as it stands, holds the words; newest first."""
    in_timeline = exists().where(
        timeline_entries.c.incident_id == incidents.c.id,
        STANDING_TEXT.icontains(words, autoescape=True),
        ~RETRACTED,
    )
    found = or_(incidents.c.title.icontains(words, autoescape=True), in_timeline)
    query = select(*_COLUMNS).where(_visible(workspace_id, channel_id), found)
    return _values(connection, query.order_by(incidents.c.number.desc()).limit(limit))


def reserve_number(connection: Connection, workspace_id: str, number: int) -> None:
    """Let the workspace's next incident get a number above this one; the workspace is locked first."""
    statement = update(workspaces).where(workspaces.c.id == workspace_id, workspaces.c.last_incident_number < number)
    connection.execute(statement.values(last_incident_number=number))


_USER = bindparam("user_id", type_=String())


def _by_them(table: Table, *columns: str) -> ColumnElement[bool]:
    """Whether a row of the incident's names the person in one of the columns."""
    rows = table.alias()
    named = or_(*(rows.c[column] == _USER for column in columns))
    return exists().where(rows.c.incident_id == incidents.c.id, named).correlate(incidents)


VISIBLE_TO = or_(
    incidents.c.private.is_(False),
    _by_them(timeline_entries, "recorded_by_id", "author_id"),
    _by_them(action_items, "recorded_by_id"),
    _by_them(incident_changes, "changed_by"),
)
"""Incidents that the person `user_id` may be told of outside of their channels."""
_IS_VISIBLE_TO = select(VISIBLE_TO).select_from(incidents).where(incidents.c.id == bindparam("incident_id"))


def is_visible_to(connection: Connection, incident_id: int, user_id: str) -> bool:
    """Whether the person may be told of the incident outside of its channel."""
    facts = {"incident_id": incident_id, "user_id": user_id}
    return bool(connection.execute(_IS_VISIBLE_TO, facts).scalar_one())
