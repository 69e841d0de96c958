"""Action items: add them, add revisions of owner, date and state, read items with their last revision applied."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

from storage.dialects import row_id
from storage.incidents import COUNTED, seen_in
from storage.items import digests
from storage.members import current_name, fill_in
from storage.models import action_item_revisions, action_items, incidents
from storage.values import PENDING, ActionItem

_FIXED = ("text", "kind", "priority", "done_when")
"""Fields that never change."""
SCRIBE = "scribe"
"""Who made the revisions that nobody asked for: a proposal dropped because nobody took it."""
_TEXTS = ("text", "done_when", "reason", "worked_why")
_ANSWER = ("worked", "worked_why", "worked_by", "worked_by_id", "worked_at")
NO_ANSWER: Mapping[str, None] = dict.fromkeys(("look_again_on", *_ANSWER))
"""What an item that is to be done once more has of whether it worked."""
_REVISABLE = (
    "owner", "owner_id", "due_on", "state", "snoozed_until", "reason", "ticket", "look_again_on", *_ANSWER,
    "accepted_at",
)  # fmt: skip

LAST_REVISION = and_(
    action_item_revisions.c.item_id == action_items.c.id,
    action_item_revisions.c.number
    == select(func.max(action_item_revisions.c.number))
    .where(action_item_revisions.c.item_id == action_items.c.id)
    .correlate(action_items)
    .scalar_subquery(),
)
"""Join condition between `action_items` and the last of its `action_item_revisions`; each item has at least one."""
OWNER = current_name(incidents.c.workspace_id, action_item_revisions.c.owner_id, action_item_revisions.c.owner).label(
    "owner"
)
"""The owner's name as it is now, in a query of items with their revisions and incidents."""
_NAMED = {
    "owner": OWNER,
    "worked_by": current_name(
        incidents.c.workspace_id, action_item_revisions.c.worked_by_id, action_item_revisions.c.worked_by
    ).label("worked_by"),
}
COLUMNS = (
    action_items.c.id,
    action_items.c.number,
    action_items.c.people,
    *(action_items.c[name] for name in _FIXED),
    *(_NAMED.get(name, action_item_revisions.c[name]) for name in _REVISABLE),
)
"""The columns of an ActionItem, named as its fields, in a query of items with their revisions and incidents."""
_NEXT_NUMBER = (
    update(incidents)
    .where(incidents.c.id == bindparam("incident_id"))
    .values(last_item_number=incidents.c.last_item_number + 1, stale=True, unindexed=True)
    .returning(incidents.c.last_item_number)
)
"""Increments the incident's counter of items and returns it."""
_MARK_STALE = (
    update(incidents)
    .where(
        incidents.c.id.in_(select(action_items.c.incident_id).where(action_items.c.id == bindparam("item_id"))),
        incidents.c.stale.is_(False),
    )
    .values(stale=True)
)
"""Has the incident's live messages edited; see `storage.live_messages`."""


def add(connection: Connection, incident_id: int, **facts: Any) -> ActionItem:
    """Insert an item. `facts`: text, kind, owner, owner_id, due_on, by (user id), at.

    Optional: state (default `open`), ticket, priority, done_when, people, and any other field of a revision.
    """
    number = connection.execute(_NEXT_NUMBER, {"incident_id": incident_id}).scalar_one()
    by, at = facts.pop("by"), facts.pop("at")
    fixed = {name: facts.get(name) for name in (*_FIXED, "people")}
    row = {"incident_id": incident_id, "number": number, **fixed}
    result = connection.execute(insert(action_items), row | {"recorded_at": at, "recorded_by_id": by})
    item = ActionItem(
        id=row_id(result),
        number=number,
        **({"state": "open", "snoozed_until": None, "reason": None} | facts | {"people": facts.get("people") or {}}),
    )
    return _add_revision(connection, item, by=by, at=at)


def revise(connection: Connection, item: ActionItem, *, by: str, at: datetime, **changes: Any) -> ActionItem:
    """Add a revision with other values of the fields that can change."""
    revised = replace(item, **changes)
    connection.execute(_MARK_STALE, {"item_id": item.id})
    # Its words may be redacted for the user, so they are not read back.
    return replace(revised, owner=_add_revision(connection, revised, by=by, at=at).owner)


def _add_revision(connection: Connection, item: ActionItem, *, by: str, at: datetime) -> ActionItem:
    """Insert the revision; returns the item as it is read back, with the names of now.

    Every change of an item comes by here, whoever makes it, so the digests that show it are edited from here.
    """
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
    if listing := connection.execute(digests.LISTING_ITEM, {"item": item.id}).all():
        digests.add_edits(connection, [tuple(row) for row in listing], at=at)
    return _select(connection, action_item_revisions.c.item_id == item.id)[0][1]


def of_incident(connection: Connection, incident_id: int) -> list[ActionItem]:
    """The incident's items with their last revisions applied, by number."""
    return [item for _, item in _select(connection, action_items.c.incident_id == incident_id)]


def numbered(connection: Connection, incident_id: int, number: int) -> ActionItem | None:
    """The incident's item of that number."""
    found = _select(connection, action_items.c.incident_id == incident_id, action_items.c.number == number)
    return found[0][1] if found else None


def with_id(connection: Connection, incident_id: int, item_id: int) -> ActionItem:
    """The incident's item with that row id, which must exist."""
    return _select(connection, action_items.c.incident_id == incident_id, action_items.c.id == item_id)[0][1]


def proposers(connection: Connection, item_ids: Collection[int]) -> dict[int, str]:
    """Who recorded each of the items, a user id, by the item's row id."""
    query = select(action_items.c.id, action_items.c.recorded_by_id).where(action_items.c.id.in_(sorted(item_ids)))
    return {row.id: row.recorded_by_id for row in connection.execute(query)}


def by_id(connection: Connection, workspace_id: str, item_ids: Collection[int]) -> list[tuple[int, ActionItem]]:
    """(incident number, item) of those of the items that are the workspace's."""
    return _select(connection, incidents.c.workspace_id == workspace_id, action_items.c.id.in_(sorted(item_ids)))


def open_in_workspace(
    connection: Connection,
    workspace_id: str,
    channel_id: str,
    *,
    standing: str,
    owner_id: str | None = None,
    due_before: date | None = None,
    limit: int | None = None,
) -> list[tuple[int, ActionItem]]:
    """(incident number, pending item), oldest first, of the counted incidents that the standing sees in the channel."""
    conditions = [
        incidents.c.workspace_id == workspace_id,
        COUNTED,
        action_item_revisions.c.state.in_(PENDING),
        seen_in(channel_id, standing),
    ]
    if owner_id is not None:
        conditions.append(action_item_revisions.c.owner_id == owner_id)
    if due_before is not None:
        conditions.append(action_item_revisions.c.due_on < due_before)
    return _select(connection, *conditions, limit=limit)


def owned_elsewhere(
    connection: Connection,
    workspace_id: str,
    channel_id: str,
    *,
    standing: str,
    private: bool,
    owner_id: str,
    limit: int | None = None,
) -> list[tuple[int, ActionItem]]:
    """(incident number, the owner's pending item), oldest first, of counted incidents that they do not see here.

    Either those of the `private` ones, or of the others.
    """
    return _select(
        connection,
        incidents.c.workspace_id == workspace_id,
        COUNTED,
        incidents.c.private.is_(private),
        ~seen_in(channel_id, standing),
        action_item_revisions.c.state.in_(PENDING),
        action_item_revisions.c.owner_id == owner_id,
        limit=limit,
    )


def owned(connection: Connection, workspace_id: str, owner_id: str) -> list[tuple[int, ActionItem]]:
    """(incident number, the owner's pending item), oldest first, of all counted incidents."""
    return _select(
        connection,
        incidents.c.workspace_id == workspace_id,
        COUNTED,
        action_item_revisions.c.state.in_(PENDING),
        action_item_revisions.c.owner_id == owner_id,
    )


def _select(connection: Connection, *conditions: Any, limit: int | None = None) -> list[tuple[int, ActionItem]]:
    query = (
        select(incidents.c.number.label("incident"), incidents.c.workspace_id, *COLUMNS)
        .select_from(action_items)
        .join(incidents, incidents.c.id == action_items.c.incident_id)
        .join(action_item_revisions, LAST_REVISION)
        .where(*conditions)
        .order_by(incidents.c.number, action_items.c.number)
        .limit(limit)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [(row.pop("incident"), read(connection, row.pop("workspace_id"), row)) for row in rows]


def read(connection: Connection, workspace_id: str, row: dict[str, Any]) -> ActionItem:
    """The item of a row of COLUMNS by name, with the names of now in its texts."""
    if any(row[name] and ("@" in row[name] or "#" in row[name]) for name in _TEXTS):
        fill_in(connection, workspace_id, [row], *_TEXTS)
    return ActionItem(**row | {"people": row["people"] or {}})
