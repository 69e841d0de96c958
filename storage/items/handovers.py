"""Hand-overs: what people are to be told of action items that were given to them, taken from them or changed.

A row with `due_at` is still to be told. A tick locks the recipient's schedule (`reminder_schedules`) before it settles
their rows, so that all that waits for one recipient is settled by one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, exists, insert, or_, select, text, update
from sqlalchemy.sql import Select

from storage import incidents as incident_rows
from storage.availability import SetAside, is_away, read_each
from storage.dialects import without_text
from storage.items import action_items as items
from storage.items.action_items import COLUMNS as ITEM_COLUMNS
from storage.items.action_items import LAST_REVISION
from storage.items.digests import HANDED
from storage.models import (
    TOLD,
    action_item_revisions,
    action_items,
    digests,
    handovers,
    incidents,
    members,
    timeline_entries,
)
from storage.values import PENDING, ActionItem, Handover, Incident

_OWN = ("id", "recipient_id", "kind", "by_id", "held", "state", "due_on", "recorded_at", "due_at", "told_on")
"""The columns of a Handover that are of its own row, named as its fields."""
_OWN_COLUMNS = tuple(handovers.c[name] for name in _OWN)
_INCIDENT_COLUMNS = incident_rows.COLUMNS
_ITEM_NAMES = tuple(column.name for column in ITEM_COLUMNS)
_HANDOVERS = (
    select(*_OWN_COLUMNS, *_INCIDENT_COLUMNS, *ITEM_COLUMNS)
    .select_from(handovers)
    .join(incidents, incidents.c.id == handovers.c.incident_id)
    .join(action_items, action_items.c.id == handovers.c.item_id)
    .join(action_item_revisions, LAST_REVISION)
    .order_by(handovers.c.id)
)
"""Hand-overs with their incident and item as they are now. `_handover` splits a row by position."""
_OF_RECIPIENT = (
    handovers.c.workspace_id == bindparam("workspace"),
    handovers.c.recipient_id == bindparam("recipient"),
)
_WAITS = text("handovers.due_at IS NOT NULL")
"""Whether a row is still to be told; literally the WHERE clause of the partial index, or no database uses it."""
_IS_DUE = (_WAITS, handovers.c.due_at <= bindparam("at", type_=handovers.c.due_at.type))
_ANY_DUE = select(
    or_(
        select(handovers.c.id).where(*_IS_DUE).exists(),
        select(members.c.user_id).where(text("members.left_at IS NOT NULL")).exists(),
    )
)
_DUE_RECIPIENTS = select(handovers.c.workspace_id, handovers.c.recipient_id).where(*_IS_DUE).distinct()
_WAITING = _HANDOVERS.where(*_OF_RECIPIENT, _WAITS).with_for_update(of=handovers, skip_locked=True)
_PENDING = (
    select(*_INCIDENT_COLUMNS, *ITEM_COLUMNS)
    .select_from(action_items)
    .join(incidents, incidents.c.id == action_items.c.incident_id)
    .join(action_item_revisions, LAST_REVISION)
    .where(
        incidents.c.workspace_id == bindparam("workspace"),
        incident_rows.COUNTED,
        action_item_revisions.c.state.in_(PENDING),
        action_item_revisions.c.owner_id == bindparam("owner"),
    )
)
_PENDING_IDS = _PENDING.with_only_columns(action_items.c.id).order_by(incidents.c.number, action_items.c.number)
_ONE_PENDING = _PENDING.where(action_items.c.id == bindparam("item"))


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows with the table's columns, without `id`."""
    if rows:
        connection.execute(insert(handovers), rows)


def is_due(connection: Connection, *, at: datetime) -> bool:
    """Whether something may have to be told at `at`, or somebody has left; one query of two partial indexes."""
    return bool(connection.execute(_ANY_DUE, {"at": at}).scalar())


def due_recipients(connection: Connection, *, at: datetime) -> list[tuple[str, str]]:
    """(workspace id, recipient id) of all who are to be told something at `at`, in order; takes no lock.

    Raises TypeError for an id that is no text, which SQLite lets pass.
    """
    return sorted((row.workspace_id, row.recipient_id) for row in connection.execute(_DUE_RECIPIENTS, {"at": at}))


def set_unreadable_aside(connection: Connection, *, at: datetime) -> dict[int, tuple[str, str]]:
    """Let those of the due rows wait no more whose workspace or recipient cannot be read.

    Returns the ids by row id, as far as they can be shown.
    """
    found = without_text(connection, (handovers.c.workspace_id, handovers.c.recipient_id), and_(*_IS_DUE), {"at": at})
    if found:
        settle(connection, found, told_on=None)
    return {row: (workspace_id, recipient_id) for row, (workspace_id, recipient_id) in found.items()}


def waiting(
    connection: Connection, workspace_id: str, recipient_id: str, *, set_aside: SetAside | None = None
) -> list[Handover]:
    """Lock and return all that waits for the recipient, due or not, the oldest first.

    `set_aside` is called for each that cannot be read; without it that is raised.
    """
    return _select(connection, _WAITING, {"workspace": workspace_id, "recipient": recipient_id}, set_aside)


def waiting_ids(connection: Connection, workspace_id: str, recipient_id: str) -> list[int]:
    """Lock all that waits for the recipient, without reading more than the row ids, which it returns."""
    parameters = {"workspace": workspace_id, "recipient": recipient_id}
    return list(connection.execute(_WAITING.with_only_columns(handovers.c.id), parameters).scalars())


def of_ids(connection: Connection, ids: Collection[int], *, set_aside: SetAside | None = None) -> list[Handover]:
    """The rows of those ids with their items as of now, the oldest first; `set_aside` as in `waiting`."""
    return _select(connection, _HANDOVERS.where(handovers.c.id.in_(sorted(ids))), {}, set_aside)


def _select(
    connection: Connection, query: Select[Any], parameters: Mapping[str, Any], set_aside: SetAside | None
) -> list[Handover]:
    try:
        return [_handover(connection, row) for row in connection.execute(query, parameters)]
    except Exception as error:
        if set_aside is None or is_away(error):
            raise
    ids = connection.execute(query.with_only_columns(handovers.c.id), parameters).scalars().all()
    return read_each(ids, lambda each: of_ids(connection, [each]), set_aside)


def of_message(connection: Connection, message_id: int) -> list[Handover]:
    """What the posted message tells, with the items as of now, the oldest first; without what cannot be read."""
    query = _HANDOVERS.where(handovers.c.message_id == message_id)
    return _select(connection, query, {}, lambda *_unreadable: None)


def attach(connection: Connection, ids: Collection[int], message_id: int) -> None:
    """Save that these rows were told in that message."""
    _update(connection, ids, message_id=message_id)


def settle(connection: Connection, ids: Collection[int], *, told_on: date | None) -> None:
    """Nothing of these rows waits any more: they were told on that day, or there was nothing to say."""
    _update(connection, ids, due_at=None, told_on=told_on)


def postpone(connection: Connection, ids: Collection[int], *, due_at: datetime) -> None:
    """Tell these rows at `due_at` at the earliest, as if they had not been told."""
    _update(connection, ids, due_at=due_at, told_on=None)


def _update(connection: Connection, ids: Collection[int], **values: Any) -> None:
    connection.execute(update(handovers).where(handovers.c.id.in_(sorted(ids))).values(**values))


def forget(connection: Connection, item_id: int, recipient_id: str) -> None:
    """Delete what the recipient is to be told of the item, for example when they have changed it themselves."""
    connection.execute(
        delete(handovers).where(handovers.c.item_id == item_id, handovers.c.recipient_id == recipient_id, _WAITS)
    )


def move(connection: Connection, item_id: int, *, to: ActionItem, incident_id: int) -> None:
    """Let what was told and what waits be of another item, a copy."""
    of_item = update(handovers).where(handovers.c.item_id == item_id)
    connection.execute(of_item.values(item_id=to.id, incident_id=incident_id))


def last_by(connection: Connection, item_id: int, recipient_id: str, *, kind: str) -> str | None:
    """Who made the last change of that kind of which the recipient is or was to be told; None where none is known."""
    query = (
        select(handovers.c.by_id)
        .where(handovers.c.item_id == item_id, handovers.c.recipient_id == recipient_id, handovers.c.kind == kind)
        .order_by(handovers.c.id.desc())
        .limit(1)
    )
    by_id: str | None = connection.execute(query).scalar()
    return by_id


def is_active(connection: Connection, incident_id: int, user_id: str, *, since_at: datetime) -> bool:
    """Whether the user has recorded an entry of the incident, or changed an item of it, since then."""
    entry = exists().where(
        timeline_entries.c.incident_id == incident_id,
        timeline_entries.c.recorded_by_id == user_id,
        timeline_entries.c.recorded_at >= since_at,
    )
    revision = exists().where(
        action_items.c.id == action_item_revisions.c.item_id,
        action_items.c.incident_id == incident_id,
        action_item_revisions.c.revised_by_id == user_id,
        action_item_revisions.c.revised_at >= since_at,
    )
    return bool(connection.execute(select(or_(entry, revision))).scalar_one())


def pending_ids(connection: Connection, workspace_id: str, owner_id: str) -> list[int]:
    """The row ids of the owner's pending items of counted incidents, in the order of their numbers."""
    return list(connection.execute(_PENDING_IDS, {"workspace": workspace_id, "owner": owner_id}).scalars())


def pending(
    connection: Connection, workspace_id: str, owner_id: str, item_id: int
) -> tuple[Incident, ActionItem] | None:
    """That item of `pending_ids` with its incident; None if it is not one of them, or no longer."""
    parameters = {"workspace": workspace_id, "owner": owner_id, "item": item_id}
    row = connection.execute(_ONE_PENDING, parameters).first()
    split_at = len(_INCIDENT_COLUMNS)
    return None if row is None else _incident_and_item(connection, row[:split_at], row[split_at:])


_OLD = (
    select(handovers.c.id)
    .where(
        text(f"handovers.{TOLD}"),
        handovers.c.recorded_at < bindparam("before", type_=handovers.c.recorded_at.type),
        ~exists().where(digests.c.id == handovers.c.message_id, digests.c.state == HANDED),
    )
    .order_by(handovers.c.recorded_at)
    .limit(bindparam("most"))
)
_PRUNE = delete(handovers).where(handovers.c.id.in_(_OLD))


def prune(connection: Connection, *, before: datetime, most: int) -> int:
    """Delete `most` of what was settled and recorded before then, and is not in a message that is still edited.

    Returns how many.
    """
    return connection.execute(_PRUNE, {"before": before, "most": most}).rowcount


def _handover(connection: Connection, row: Row[*tuple[Any, ...]]) -> Handover:
    incident_at, item_at = len(_OWN), len(_OWN) + len(_INCIDENT_COLUMNS)
    incident, item = _incident_and_item(connection, row[incident_at:item_at], row[item_at:])
    return Handover(**dict(zip(_OWN, row[:incident_at], strict=True)), incident=incident, item=item)


def _incident_and_item(
    connection: Connection, incident_row: Sequence[Any], item_row: Sequence[Any]
) -> tuple[Incident, ActionItem]:
    incident = incident_rows.read(connection, incident_row)
    item = dict(zip(_ITEM_NAMES, item_row, strict=True))
    return incident, items.read(connection, incident.workspace_id, item)
