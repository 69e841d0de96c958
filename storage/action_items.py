"""Action items: what is to be done, and every change of owner, date and state."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from storage.dialects import row_id
from storage.models import action_item_revisions, action_items, incidents
from storage.values import ActionItem

_STATE = ("owner", "owner_id", "due_on", "state", "snoozed_until", "reason")


def add(connection: Connection, incident_id: int, **facts: Any) -> ActionItem:
    """Write down an open item. `facts`: text, kind, owner, owner_id, due_on, by (user id), at."""
    count = (
        update(incidents)
        .where(incidents.c.id == incident_id)
        .values(last_item_number=incidents.c.last_item_number + 1)
        .returning(incidents.c.last_item_number)
    )
    number = connection.execute(count).scalar_one()
    by, at = facts.pop("by"), facts.pop("at")
    row = {"incident_id": incident_id, "number": number, "text": facts["text"], "kind": facts["kind"]}
    result = connection.execute(insert(action_items), row | {"recorded_at": at, "recorded_by_id": by})
    item = ActionItem(
        id=row_id(result),
        number=number,
        state="open",
        snoozed_until=None,
        reason=None,
        **facts,
    )
    _keep(connection, item, by=by, at=at)
    return item


def revise(connection: Connection, item: ActionItem, *, by: str, at: datetime, **changes: Any) -> ActionItem:
    """Change owner, owner_id, due_on, state, snoozed_until or reason, and keep who did, and when."""
    revised = replace(item, **changes)
    _keep(connection, revised, by=by, at=at)
    return revised


def _keep(connection: Connection, item: ActionItem, *, by: str, at: datetime) -> None:
    newest = (
        select(func.coalesce(func.max(action_item_revisions.c.number), 0) + 1)
        .where(action_item_revisions.c.item_id == item.id)
        .scalar_subquery()
    )
    row = {name: getattr(item, name) for name in _STATE}
    connection.execute(
        insert(action_item_revisions).values(item_id=item.id, number=newest, revised_at=at, revised_by_id=by, **row)
    )


def of_incident(connection: Connection, incident_id: int) -> list[ActionItem]:
    """The incident's items as they stand, in the order of their numbers."""
    return [item for _, item in _found(connection, action_items.c.incident_id == incident_id)]


def numbered(connection: Connection, incident_id: int, number: int) -> ActionItem | None:
    """The incident's item of that number."""
    found = _found(connection, action_items.c.incident_id == incident_id, action_items.c.number == number)
    return found[0][1] if found else None


def open_in_workspace(
    connection: Connection, workspace_id: str, channel_id: str, *, owner_id: str | None = None
) -> list[tuple[int, ActionItem]]:
    """(incident number, open item), oldest first, of incidents that may be seen from the channel."""
    conditions = [
        incidents.c.workspace_id == workspace_id,
        action_item_revisions.c.state == "open",
        or_(incidents.c.private.is_(False), incidents.c.channel_id == channel_id),
    ]
    if owner_id is not None:
        conditions.append(action_item_revisions.c.owner_id == owner_id)
    return _found(connection, *conditions)


def _found(connection: Connection, *conditions: Any) -> list[tuple[int, ActionItem]]:
    newest = (
        select(func.max(action_item_revisions.c.number))
        .where(action_item_revisions.c.item_id == action_items.c.id)
        .correlate(action_items)
        .scalar_subquery()
    )
    query = (
        select(
            incidents.c.number.label("incident"),
            action_items.c.id,
            action_items.c.number,
            action_items.c.text,
            action_items.c.kind,
            *(action_item_revisions.c[name] for name in _STATE),
        )
        .select_from(action_items)
        .join(incidents, incidents.c.id == action_items.c.incident_id)
        .join(
            action_item_revisions,
            and_(action_item_revisions.c.item_id == action_items.c.id, action_item_revisions.c.number == newest),
        )
        .where(*conditions)
        .order_by(incidents.c.number, action_items.c.number)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [(row.pop("incident"), ActionItem(**row)) for row in rows]
