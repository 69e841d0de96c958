"""Action items: add them, add revisions of owner, date and state, read items with their last revision applied."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from storage.dialects import row_id
from storage.models import action_item_revisions, action_items, incidents
from storage.values import PENDING, ActionItem

_FIXED = ("text", "kind", "priority", "done_when")
"""Fields that never change."""
_REVISABLE = ("owner", "owner_id", "due_on", "state", "snoozed_until", "reason", "ticket")

LAST_REVISION = and_(
    action_item_revisions.c.item_id == action_items.c.id,
    action_item_revisions.c.number
    == select(func.max(action_item_revisions.c.number))
    .where(action_item_revisions.c.item_id == action_items.c.id)
    .correlate(action_items)
    .scalar_subquery(),
)
"""Join condition between `action_items` and the last of its `action_item_revisions`; each item has at least one."""
COLUMNS = (
    action_items.c.id,
    action_items.c.number,
    *(action_items.c[name] for name in _FIXED),
    *(action_item_revisions.c[name] for name in _REVISABLE),
)
"""The columns of an ActionItem, named as its fields."""
_NEXT_NUMBER = (
    update(incidents)
    .where(incidents.c.id == bindparam("incident_id"))
    .values(last_item_number=incidents.c.last_item_number + 1)
    .returning(incidents.c.last_item_number)
)
"""Increments the incident's counter of items and returns it."""


def add(connection: Connection, incident_id: int, **facts: Any) -> ActionItem:
    """Insert an item. `facts`: text, kind, owner, owner_id, due_on, by (user id), at.

    Optional: state (default `open`), ticket, priority, done_when.
    """
    number = connection.execute(_NEXT_NUMBER, {"incident_id": incident_id}).scalar_one()
    by, at = facts.pop("by"), facts.pop("at")
    row = {"incident_id": incident_id, "number": number, **{name: facts.get(name) for name in _FIXED}}
    result = connection.execute(insert(action_items), row | {"recorded_at": at, "recorded_by_id": by})
    item = ActionItem(
        id=row_id(result),
        number=number,
        **({"state": "open", "snoozed_until": None, "reason": None} | facts),
    )
    _add_revision(connection, item, by=by, at=at)
    return item


def revise(connection: Connection, item: ActionItem, *, by: str, at: datetime, **changes: Any) -> ActionItem:
    """Add a revision with other values of owner, owner_id, due_on, state, snoozed_until, reason or ticket."""
    revised = replace(item, **changes)
    _add_revision(connection, revised, by=by, at=at)
    return revised


def _add_revision(connection: Connection, item: ActionItem, *, by: str, at: datetime) -> None:
    next_number = (
        select(func.coalesce(func.max(action_item_revisions.c.number), 0) + 1)
        .where(action_item_revisions.c.item_id == item.id)
        .scalar_subquery()
    )
    row = {name: getattr(item, name) for name in _REVISABLE}
    connection.execute(
        insert(action_item_revisions).values(
            item_id=item.id, number=next_number, revised_at=at, revised_by_id=by, **row
        )
    )


def of_incident(connection: Connection, incident_id: int) -> list[ActionItem]:
    """The incident's items with their last revisions applied, by number."""
    return [item for _, item in _select(connection, action_items.c.incident_id == incident_id)]


def numbered(connection: Connection, incident_id: int, number: int) -> ActionItem | None:
    """The incident's item of that number."""
    found = _select(connection, action_items.c.incident_id == incident_id, action_items.c.number == number)
    return found[0][1] if found else None


def open_in_workspace(
    connection: Connection,
    workspace_id: str,
    channel_id: str,
    *,
    owner_id: str | None = None,
    due_before: date | None = None,
    limit: int | None = None,
) -> list[tuple[int, ActionItem]]:
    """(incident number, pending item), oldest first, of the incidents that are visible from the channel."""
    conditions = [
        incidents.c.workspace_id == workspace_id,
        action_item_revisions.c.state.in_(PENDING),
        or_(incidents.c.private.is_(False), incidents.c.channel_id == channel_id),
    ]
    if owner_id is not None:
        conditions.append(action_item_revisions.c.owner_id == owner_id)
    if due_before is not None:
        conditions.append(action_item_revisions.c.due_on < due_before)
    return _select(connection, *conditions, limit=limit)


def owned_elsewhere(
    connection: Connection, workspace_id: str, channel_id: str, *, owner_id: str, limit: int | None = None
) -> list[tuple[int, ActionItem]]:
    """(incident number, the owner's pending item), oldest first, of private incidents of other channels."""
    return _select(
        connection,
        incidents.c.workspace_id == workspace_id,
        incidents.c.private.is_(True),
        incidents.c.channel_id != channel_id,
        action_item_revisions.c.state.in_(PENDING),
        action_item_revisions.c.owner_id == owner_id,
        limit=limit,
    )


def _select(connection: Connection, *conditions: Any, limit: int | None = None) -> list[tuple[int, ActionItem]]:
    query = (
        select(incidents.c.number.label("incident"), *COLUMNS)
        .select_from(action_items)
        .join(incidents, incidents.c.id == action_items.c.incident_id)
        .join(action_item_revisions, LAST_REVISION)
        .where(*conditions)
        .order_by(incidents.c.number, action_items.c.number)
        .limit(limit)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [(row.pop("incident"), ActionItem(**row)) for row in rows]
