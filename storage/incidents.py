"""Incidents: declare, find, list and change them, and who may see them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from storage import nudges
from storage.dialects import Prepared, row_id, upsert
from storage.items import digests
from storage.live_messages import ANNOUNCE, CARD
from storage.members import current_name, fill_in
from storage.models import (
    OPEN,
    action_items,
    incident_changes,
    incident_channels,
    incidents,
    workspaces,
)
from storage.search import index as search_index
from storage.timeline import involves
from storage.values import MEMBER, MERGED, MISTAKEN, Incident

HAPPENED_AT = func.coalesce(incidents.c.happened_at, incidents.c.declared_at, type_=incidents.c.declared_at.type)
"""When an incident happened; a row of an older release's says only when it was declared."""
COLUMNS = (
    incidents.c.id,
    incidents.c.workspace_id,
    incidents.c.number,
    incidents.c.channel_id,
    incidents.c.channel_name,
    incidents.c.title,
    incidents.c.severity,
    current_name(incidents.c.workspace_id, incidents.c.lead_id, incidents.c.lead).label("lead"),
    incidents.c.lead_id,
    incidents.c.declared_at,
    current_name(incidents.c.workspace_id, incidents.c.declared_by_id, incidents.c.declared_by).label("declared_by"),
    incidents.c.timezone,
    incidents.c.private,
    incidents.c.open,
    incidents.c.declared_by_id,
    incidents.c.closed_as,
    incidents.c.closed_why,
    incidents.c.same_as_id,
    incidents.c.title_entry_number,
    incidents.c.first_severity,
    incidents.c.highest_severity,
    HAPPENED_AT.label("happened_at"),
)
"""The columns of an Incident, named as its fields, with the names of now."""
_NAMES = tuple(column.name for column in COLUMNS)
COUNTED = incidents.c.closed_as.is_(None)
"""Leaves out closed incidents: they were none, or another one."""
_WAS_MERGED = or_(incidents.c.closed_as == MERGED, incidents.c.closed_as == MISTAKEN)
"""No IN: SQLAlchemy would write its list into the statement again at each execution."""

# Built once: SQLAlchemy takes longer to build a query than SQLite to execute it.
_OF_CHANNEL = (
    incidents.c.workspace_id == bindparam("workspace_id"),
    incidents.c.channel_id == bindparam("channel_id"),
    or_(COUNTED, ~_WAS_MERGED),
)


def _newest_where(*conditions: Any) -> Any:
    """The id of the channel's newest incident that meets the conditions, by its number."""
    of_channel = [*_OF_CHANNEL, *conditions]
    newest = select(incidents.c.id).where(*of_channel).order_by(incidents.c.number.desc()).limit(1)
    return newest.correlate(None).scalar_subquery()


# The conditions once more: a row that PostgreSQL has waited for is compared with those of the query itself.
_IN_CHANNEL = select(*COLUMNS).where(
    *_OF_CHANNEL,
    incidents.c.id == func.coalesce(_newest_where(text(f"incidents.{OPEN}")), _newest_where(COUNTED), _newest_where()),
)
_IN_CHANNEL_CALLED = (
    select(*COLUMNS)
    .where(
        incidents.c.workspace_id == bindparam("workspace_id"),
        or_(incidents.c.channel_id == bindparam("channel"), incidents.c.channel_name == bindparam("channel")),
        or_(COUNTED, ~_WAS_MERGED),
    )
    .order_by(incidents.c.open.desc(), COUNTED.desc(), incidents.c.number.desc())
    .limit(1)
)
_MERGED = (
    select(*COLUMNS)
    .where(
        incidents.c.workspace_id == bindparam("workspace_id"),
        incidents.c.channel_id == bindparam("channel_id"),
        incidents.c.number > bindparam("newer_than"),
        incidents.c.closed_as == MERGED,
    )
    .order_by(incidents.c.number.desc())
    .limit(1)
)
_NUMBERED = select(*COLUMNS).where(
    incidents.c.workspace_id == bindparam("workspace_id"), incidents.c.number == bindparam("number")
)
_MOVED = (
    select(*COLUMNS)
    .join(incident_channels, incident_channels.c.incident_id == incidents.c.id)
    .where(
        incident_channels.c.workspace_id == bindparam("workspace_id"),
        incident_channels.c.old_channel_id == bindparam("channel_id"),
        incident_channels.c.moved_at.is_not(None),
        incidents.c.number > bindparam("newer_than"),
        or_(COUNTED, ~_WAS_MERGED),
    )
    .order_by(incidents.c.number.desc())
    .limit(1)
)
_READ: dict[Select[Any], Prepared[Any]] = {
    query: Prepared(query) for query in (_IN_CHANNEL, _IN_CHANNEL_CALLED, _NUMBERED, _MERGED, _MOVED)
}
_LOCK: dict[Select[Any], Prepared[Any]] = {
    query: Prepared(query.with_for_update()) for query in (_IN_CHANNEL, _NUMBERED)
}
"""The same queries with a row lock. SQLite has none; there the write transaction itself is exclusive."""
_BY_ID = select(*COLUMNS).where(incidents.c.id == bindparam("incident_id"))
_LOCK_UNLESS_LOCKED = (
    select(incidents.c.id).where(incidents.c.id == bindparam("incident_id")).with_for_update(skip_locked=True)
)
_LOCK_WORKSPACE = select(workspaces.c.id).where(workspaces.c.id == bindparam("workspace_id")).with_for_update()
_NEXT_NUMBER = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace_id"))
    .values(last_incident_number=workspaces.c.last_incident_number + 1)
    .returning(workspaces.c.last_incident_number)
)
"""Increments the workspace's counter of incidents and returns it."""
_INSERT = insert(incidents)


def read(connection: Connection, row: Sequence[Any]) -> Incident:
    """The incident of a row of COLUMNS, with the names of now in its title."""
    facts = dict(zip(_NAMES, row, strict=True))
    if "@" in facts["title"] or "#" in facts["title"]:
        fill_in(connection, facts["workspace_id"], [facts], "title")
        facts.pop("people", None)
    return Incident(**facts)


def _first(connection: Connection, query: Select[Any], *, lock: bool, **parameters: Any) -> Incident | None:
    row = (_LOCK if lock else _READ)[query].first(connection, parameters)
    return None if row is None else read(connection, row)


def in_channel(connection: Connection, workspace_id: str, channel_id: str, *, lock: bool = False) -> Incident | None:
    """The channel's newest open incident; without an open one, its newest.

    Merged ones are left out. With `lock`, other transactions that lock the incident wait until this one ends, so that
    its entries cannot change between reading them and writing what follows from them.
    """
    return _first(connection, _IN_CHANNEL, lock=lock, workspace_id=workspace_id, channel_id=channel_id)


def in_channel_called(connection: Connection, workspace_id: str, channel: str) -> Incident | None:
    """The newest incident of the channel with that id, or the name that it had when the incident was declared."""
    return _first(connection, _IN_CHANNEL_CALLED, lock=False, workspace_id=workspace_id, channel=channel)


def current(
    connection: Connection,
    workspace_id: str,
    channel_id: str,
    *,
    sees: Callable[[Incident], bool],
    lock: bool = False,
) -> Incident | None:
    """As `in_channel`, but where the channel's latest was merged into one of another channel, that one.

    `sees` tells whether an incident of another channel may be seen; one that may not is left out.
    """
    latest = in_channel(connection, workspace_id, channel_id, lock=lock)
    if latest is None and lock:
        # PostgreSQL returns no row when the one that it waited for was merged meanwhile.
        latest = in_channel(connection, workspace_id, channel_id, lock=lock)
    if latest is not None and latest.open:
        return latest
    newer_than = latest.number if latest else 0
    merged = _first(
        connection, _MERGED, lock=False, workspace_id=workspace_id, channel_id=channel_id, newer_than=newer_than
    )
    original = None if merged is None else holder(connection, merged)
    if original is None or original.channel_id == channel_id or not sees(original):
        return latest
    return numbered(connection, workspace_id, original.number, lock=lock)


def moved_from(connection: Connection, workspace_id: str, channel_id: str, *, newer_than: int) -> Incident | None:
    """The newest incident that was in the channel and goes on in its own, if its number is above `newer_than`."""
    place = {"workspace_id": workspace_id, "channel_id": channel_id, "newer_than": newer_than}
    return _first(connection, _MOVED, lock=False, **place)


def merged_from(connection: Connection, channel_id: str, original: Incident) -> Incident | None:
    """The channel's newest incident that was merged into `original` of another channel; None where there is none."""
    if original.channel_id == channel_id:
        return None
    merged = _first(
        connection, _MERGED, lock=False, workspace_id=original.workspace_id, channel_id=channel_id, newer_than=0
    )
    return merged if merged is not None and merged.same_as_id == original.id else None


def numbered(connection: Connection, workspace_id: str, number: int, *, lock: bool = False) -> Incident | None:
    """The workspace's incident of that number; `lock` as for `in_channel`."""
    return _first(connection, _NUMBERED, lock=lock, workspace_id=workspace_id, number=number)


def by_id(connection: Connection, incident_id: int) -> Incident:
    """The incident with that row id, which must exist."""
    return read(connection, connection.execute(_BY_ID, {"incident_id": incident_id}).one())


def channel(connection: Connection, workspace_id: str, channel_id: str) -> tuple[str, bool] | None:
    """The name of a channel that has incidents, and whether one of these is private; None for another."""
    of_channel = (incidents.c.workspace_id == workspace_id, incidents.c.channel_id == channel_id)
    newest = select(incidents.c.channel_name).where(*of_channel).order_by(incidents.c.number.desc()).limit(1)
    name = connection.execute(newest).scalar()
    if name is None:
        return None
    private = select(incidents.c.id).where(*of_channel, incidents.c.private).limit(1)
    return name, connection.execute(private).first() is not None


def try_lock(connection: Connection, incident_id: int) -> bool:
    """Lock the incident; False if another transaction has locked it. For what must not wait, such as a tick."""
    return connection.execute(_LOCK_UNLESS_LOCKED, {"incident_id": incident_id}).first() is not None


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


def declare(connection: Connection, *, card: bool = False, **facts: Any) -> Incident:
    """Insert a new, open incident; `facts` are its columns without the counters, and with its first facts.

    With `card` its card is announced: see `storage.live_messages`.
    """
    first = {
        "first_title": facts["title"],
        "first_severity": facts["severity"],
        "highest_severity": facts["severity"],
        "happened_at": facts["declared_at"],
    }
    row = first | facts | {"open": True, "last_entry_number": 0, "last_item_number": 0, "stale": card}
    incident = by_id(connection, row_id(connection.execute(_INSERT, row)))
    if card:
        of = {"workspace_id": incident.workspace_id, "incident_id": incident.id, "channel_id": incident.channel_id}
        connection.execute(ANNOUNCE, {**of, "kind": CARD, "posted_at": incident.declared_at})
    return incident


def set_open(connection: Connection, incident: Incident, *, is_open: bool) -> None:
    """Update the incident's open flag, which is derived from its milestones, if it differs."""
    if incident.open != is_open:
        connection.execute(update(incidents).where(incidents.c.id == incident.id).values(open=is_open, stale=True))
        if is_open:
            nudges.look_again(connection, incident.id, at=incident.declared_at)


def change(
    connection: Connection,
    incident: Incident,
    facts: Mapping[str, object],
    *,
    by: str,
    at: datetime,
    **derived: object,
) -> Incident:
    """Update title, severity, lead, private or how it is closed, and record each change with its author and time.

    `derived` are columns that change with them, and that no record is kept of.
    """
    connection.execute(update(incidents).where(incidents.c.id == incident.id).values(**facts, **derived, stale=True))
    changes = [
        {
            "incident_id": incident.id,
            "field": field,
            "value": None if value is None else str(value),
            "changed_at": at,
            "changed_by": by,
        }
        for field, value in facts.items()
    ]
    if changes:
        connection.execute(insert(incident_changes), changes)
    digests.note_change(connection, incident.id, at=at)
    if "title" in facts:
        search_index.refresh(connection, incident.id, search_index.TITLE)
    return by_id(connection, incident.id)


def first_title(connection: Connection, incident_id: int) -> str | None:
    """The title of the declaration, as it follows the words of its entry; None where it is not on record."""
    found: str | None = connection.execute(
        select(incidents.c.first_title).where(incidents.c.id == incident_id)
    ).scalar_one()
    return found


def erasures(connection: Connection, incident_id: int) -> int:
    """How often words of the incident were erased: what was read before the last time must not be written after it."""
    query = select(incidents.c.erasures).where(incidents.c.id == incident_id)
    return int(connection.execute(query).scalar_one())


def close(
    connection: Connection,
    incident: Incident,
    closed_as: str | None,
    *,
    by: str,
    at: datetime,
    why: str | None = None,
    same_as: Incident | None = None,
) -> Incident:
    """Close the incident as one of the constants of `storage.values`, so that it counts no more; None takes that back.

    What was merged into a merged incident is merged into `same_as` from then on. The change is recorded as by `change`.
    """
    same_as_id = same_as.id if same_as else None
    if closed_as in {MERGED, MISTAKEN}:
        in_workspace = incidents.c.workspace_id == incident.workspace_id
        before = and_(in_workspace, incidents.c.same_as_id == incident.id, _WAS_MERGED)
        connection.execute(update(incidents).where(before).values(same_as_id=same_as_id))
    set_open(connection, incident, is_open=False)
    facts = {"closed_as": closed_as, "closed_why": why, "same_as_id": same_as_id}
    return change(connection, incident, facts, by=by, at=at)


def last_closing(connection: Connection, incident: Incident) -> tuple[str, datetime] | None:
    """Who closed the incident as it is, and when; None for one that is not closed, or whose closing is not recorded."""
    query = select(incident_changes.c.changed_by, incident_changes.c.changed_at).where(
        incident_changes.c.incident_id == incident.id,
        incident_changes.c.field == "closed_as",
        incident_changes.c.value == incident.closed_as,
    )
    row = connection.execute(query.order_by(incident_changes.c.id.desc()).limit(1)).first()
    return None if row is None else (row.changed_by, row.changed_at)


def holder(connection: Connection, incident: Incident) -> Incident:
    """The incident that has the entries: for a merged one the one it was merged into, else itself."""
    return by_id(connection, incident.same_as_id) if incident.merged and incident.same_as_id else incident


def listing(
    connection: Connection, workspace_id: str, channel_id: str, *, standing: str, open_only: bool, limit: int
) -> list[Incident]:
    """The incidents that a person of that standing sees in the channel, closed ones too unless `open_only`.

    The last to happen is first.
    """
    query = select(*COLUMNS).where(visible_from(workspace_id, channel_id, standing))
    if open_only:
        query = query.where(text(f"incidents.{OPEN}"))
    return _newest_first(connection, query, limit)


def seen_in(channel_id: Any, standing: str) -> ColumnElement[bool]:
    """Whether a person of that standing sees the incident in the channel: the condition of `policy.visible_to`."""
    here = incidents.c.channel_id == channel_id
    return or_(here, incidents.c.private.is_(False)) if standing == MEMBER else here


def told_to_readers(channel_id: str) -> ColumnElement[bool]:
    """Whether a document of another incident of that channel may name the incident, wherever it is published."""
    return and_(incidents.c.channel_id == channel_id, incidents.c.private.is_(False))


def visible_from(workspace_id: str, channel_id: str, standing: str) -> ColumnElement[bool]:
    """Whether an incident is listed in the channel: one that is seen there, if it was not merged into a hidden one."""
    original = incidents.alias()
    merged_into_hidden = exists().where(
        original.c.id == incidents.c.same_as_id, original.c.private, original.c.channel_id != channel_id
    )
    return and_(
        incidents.c.workspace_id == workspace_id,
        or_(COUNTED, incidents.c.closed_as != MISTAKEN),
        or_(COUNTED, ~and_(_WAS_MERGED, merged_into_hidden)),
        seen_in(channel_id, standing),
    )


def _newest_first(connection: Connection, query: Select[Any], limit: int) -> list[Incident]:
    """The last to happen first; a row of an older release's, without that time, is a new one."""
    query = query.order_by(incidents.c.happened_at.desc(), incidents.c.number.desc()).limit(limit)
    return [read(connection, row) for row in connection.execute(query)]


def _named_in(table: Table, *columns: str) -> ColumnElement[bool]:
    """Whether a row of the incident in the table has the parameter `user_id` in one of the columns."""
    rows = table.alias()
    is_user = or_(*(rows.c[column] == bindparam("user_id", type_=String()) for column in columns))
    return exists().where(rows.c.incident_id == incidents.c.id, is_user).correlate(incidents)


HAS_RECORD_BY = or_(
    involves(incidents.c.id, bindparam("user_id", type_=String())),
    _named_in(action_items, "recorded_by_id"),
    _named_in(incident_changes, "changed_by"),
)
"""Whether the incident has a record by `user_id`."""
VISIBLE_TO = or_(incidents.c.private.is_(False), HAS_RECORD_BY)
"""Whether the member `user_id` may see the incident where it is shown to them alone: it is public, or they took part.
"""
_TOOK_PART = select(VISIBLE_TO).select_from(incidents).where(incidents.c.id == bindparam("incident_id"))


def took_part(connection: Connection, incident_id: int, user_id: str) -> bool:
    """Whether the incident has a record by the user, or is public."""
    parameters = {"incident_id": incident_id, "user_id": user_id}
    return bool(connection.execute(_TOOK_PART, parameters).scalar_one())
