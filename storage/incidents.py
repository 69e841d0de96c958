"""Incidents: declare, find, list, search and change them, and who may see them."""

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
from storage.timeline import RETRACTED, REVISED_TEXT
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
NOT_DUPLICATE = incidents.c.same_as_id.is_(None)
"""Leaves out incidents that turned out to be another one."""

# Built once: SQLAlchemy takes longer to build a query than SQLite to execute it.
_IN_CHANNEL = (
    select(*_COLUMNS)
    .where(
        incidents.c.workspace_id == bindparam("workspace_id"),
        incidents.c.channel_id == bindparam("channel_id"),
        NOT_DUPLICATE,
    )
    .order_by(incidents.c.open.desc(), incidents.c.number.desc())
    .limit(1)
)
_NUMBERED = select(*_COLUMNS).where(
    incidents.c.workspace_id == bindparam("workspace_id"), incidents.c.number == bindparam("number")
)
_FOR_UPDATE = {query: query.with_for_update() for query in (_IN_CHANNEL, _NUMBERED)}
"""The same queries with a row lock. SQLite has none; there the write transaction itself is exclusive."""
_BY_ID = select(*_COLUMNS).where(incidents.c.id == bindparam("incident_id"))
_LOCK_WORKSPACE = select(workspaces.c.id).where(workspaces.c.id == bindparam("workspace_id")).with_for_update()
_NEXT_NUMBER = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace_id"))
    .values(last_incident_number=workspaces.c.last_incident_number + 1)
    .returning(workspaces.c.last_incident_number)
)
"""Increments the workspace's counter of incidents and returns it."""
_INSERT = insert(incidents)


def _incident(row: Row[*tuple[Any, ...]]) -> Incident:
    return Incident(**dict(zip(_NAMES, row, strict=True)))


def _first(connection: Connection, query: Select[Any], *, lock: bool, **parameters: Any) -> Incident | None:
    row = connection.execute(_FOR_UPDATE[query] if lock else query, parameters).first()
    return None if row is None else _incident(row)


def in_channel(connection: Connection, workspace_id: str, channel_id: str, *, lock: bool = False) -> Incident | None:
    """The channel's newest open incident; without an open one, its newest.

    With `lock`, other transactions that lock the incident wait until this one ends, so that its entries cannot change
    between reading them and writing what follows from them.
    """
    return _first(connection, _IN_CHANNEL, lock=lock, workspace_id=workspace_id, channel_id=channel_id)


def numbered(connection: Connection, workspace_id: str, number: int, *, lock: bool = False) -> Incident | None:
    """The workspace's incident of that number; `lock` as for `in_channel`."""
    return _first(connection, _NUMBERED, lock=lock, workspace_id=workspace_id, number=number)


def by_id(connection: Connection, incident_id: int) -> Incident:
    """The incident with that row id, which must exist."""
    return _incident(connection.execute(_BY_ID, {"incident_id": incident_id}).one())


def workspace_ids(connection: Connection) -> list[str]:
    """The ids of all workspaces that have declared an incident."""
    return list(connection.execute(select(workspaces.c.id).order_by(workspaces.c.id)).scalars())


def lock_workspace(connection: Connection, workspace_id: str) -> None:
    """Lock the workspace's row, inserting it if needed: other declarations wait until this transaction ends."""
    parameters = {"workspace_id": workspace_id}
    if connection.execute(_LOCK_WORKSPACE, parameters).scalar() is None:
        insertion = upsert(connection)(workspaces).values(id=workspace_id, last_incident_number=0)
        connection.execute(insertion.on_conflict_do_nothing())
        connection.execute(_LOCK_WORKSPACE, parameters)


def next_number(connection: Connection, workspace_id: str) -> int:
    """Take the workspace's next incident number. Call `lock_workspace` first."""
    return int(connection.execute(_NEXT_NUMBER, {"workspace_id": workspace_id}).scalar_one())


def reserve_number(connection: Connection, workspace_id: str, number: int) -> None:
    """Make `next_number` return numbers above this one only. Call `lock_workspace` first."""
    statement = update(workspaces).where(workspaces.c.id == workspace_id, workspaces.c.last_incident_number < number)
    connection.execute(statement.values(last_incident_number=number))


def declare(connection: Connection, **facts: Any) -> Incident:
    """Insert a new, open incident; `facts` are its columns without the counters."""
    row = facts | {"open": True, "last_entry_number": 0, "last_item_number": 0}
    return by_id(connection, row_id(connection.execute(_INSERT, row)))


def set_open(connection: Connection, incident: Incident, *, is_open: bool) -> None:
    """Update the incident's open flag, which is derived from its milestones, if it differs."""
    if incident.open != is_open:
        connection.execute(update(incidents).where(incidents.c.id == incident.id).values(open=is_open))


def change(
    connection: Connection, incident: Incident, facts: Mapping[str, object], *, by: str, at: datetime
) -> Incident:
    """Update title, severity, lead, lead_id or private, and record each change with its author and time."""
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
    """Close `duplicate` and refer it to `original`; queries by channel, lists and reports leave it out from then on."""
    values = {"same_as_id": original.id, "open": False}
    connection.execute(update(incidents).where(incidents.c.id == duplicate.id).values(**values))


def duplicate_of(connection: Connection, incident: Incident) -> Incident | None:
    """The incident of which this one is a duplicate; None if it is not one."""
    query = select(incidents.c.same_as_id).where(incidents.c.id == incident.id)
    original = connection.execute(query).scalar()
    return None if original is None else by_id(connection, original)


def listing(
    connection: Connection, workspace_id: str, channel_id: str, *, open_only: bool, limit: int
) -> list[Incident]:
    """The incidents visible from the channel, newest first."""
    query = select(*_COLUMNS).where(_visible_from(workspace_id, channel_id))
    if open_only:
        query = query.where(incidents.c.open.is_(True))
    return _newest_first(connection, query, limit)


def search(connection: Connection, workspace_id: str, channel_id: str, words: str, *, limit: int) -> list[Incident]:
    """The visible incidents whose title, or an entry of whose timeline, contains the words; newest first."""
    in_timeline = exists().where(
        timeline_entries.c.incident_id == incidents.c.id,
        REVISED_TEXT.icontains(words, autoescape=True),
        ~RETRACTED,
    )
    contains = or_(incidents.c.title.icontains(words, autoescape=True), in_timeline)
    query = select(*_COLUMNS).where(_visible_from(workspace_id, channel_id), contains)
    return _newest_first(connection, query, limit)


def _visible_from(workspace_id: str, channel_id: str) -> ColumnElement[bool]:
    """Whether an incident may be shown in a channel: a private one only in its own."""
    return and_(
        incidents.c.workspace_id == workspace_id,
        NOT_DUPLICATE,
        or_(incidents.c.private.is_(False), incidents.c.channel_id == channel_id),
    )


def _newest_first(connection: Connection, query: Select[Any], limit: int) -> list[Incident]:
    return [_incident(row) for row in connection.execute(query.order_by(incidents.c.number.desc()).limit(limit))]


def _named_in(table: Table, *columns: str) -> ColumnElement[bool]:
    """Whether a row of the incident in the table has the parameter `user_id` in one of the columns."""
    rows = table.alias()
    is_user = or_(*(rows.c[column] == bindparam("user_id", type_=String()) for column in columns))
    return exists().where(rows.c.incident_id == incidents.c.id, is_user).correlate(incidents)


VISIBLE_TO = or_(
    incidents.c.private.is_(False),
    _named_in(timeline_entries, "recorded_by_id", "author_id"),
    _named_in(action_items, "recorded_by_id"),
    _named_in(incident_changes, "changed_by"),
)
"""Whether the user `user_id` may see the incident outside of its channel: it is public, or has a record by them."""
_IS_VISIBLE_TO = select(VISIBLE_TO).select_from(incidents).where(incidents.c.id == bindparam("incident_id"))


def is_visible_to(connection: Connection, incident_id: int, user_id: str) -> bool:
    """Whether the user may see the incident outside of its channel."""
    parameters = {"incident_id": incident_id, "user_id": user_id}
    return bool(connection.execute(_IS_VISIBLE_TO, parameters).scalar_one())
