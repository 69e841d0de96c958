"""What a report counts: each of its parts is one query over all the incidents there are to look at.

Incidents that turned out to be another one, and their items, are left out: their rows stand with the other one.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Connection, and_, bindparam, case, func, or_, select

from storage.models import action_item_revisions, action_items, entry_revisions, incidents, timeline_entries
from storage.timeline import LAST_REVISION
from storage.values import DeclaredIncident, ItemOutcome, Milestone

IN_WORKSPACE = and_(incidents.c.workspace_id == bindparam("workspace_id"), incidents.c.same_as_id.is_(None))
"""The workspace's incidents that are incidents of their own."""
_SEEN = or_(
    incidents.c.private.is_(False),
    incidents.c.channel_id == bindparam("channel_id"),
    bindparam("private", type_=Boolean()).is_(True),
)
"""A private incident is seen from its own channel, and by who is to see all of them."""
_IN_PERIOD = and_(
    IN_WORKSPACE, _SEEN, incidents.c.declared_at >= bindparam("since"), incidents.c.declared_at < bindparam("until")
)

_DECLARED = (
    select(incidents.c.id, incidents.c.severity, incidents.c.declared_at, incidents.c.open)
    .where(_IN_PERIOD)
    .order_by(incidents.c.declared_at, incidents.c.id)
)

_MILESTONES = (
    select(
        timeline_entries.c.incident_id,
        timeline_entries.c.number,
        timeline_entries.c.kind,
        func.coalesce(entry_revisions.c.occurred_at, timeline_entries.c.occurred_at),
        case((entry_revisions.c.id.is_(None), timeline_entries.c.qualifier), else_=entry_revisions.c.qualifier),
    )
    .select_from(timeline_entries)
    .join(incidents, incidents.c.id == timeline_entries.c.incident_id)
    .outerjoin(entry_revisions, LAST_REVISION)
    .where(
        _IN_PERIOD,
        timeline_entries.c.kind.in_(bindparam("kinds", expanding=True)),
        func.coalesce(entry_revisions.c.retracted, False).is_(False),
    )
)

_NEWEST = (
    select(func.max(action_item_revisions.c.number))
    .where(action_item_revisions.c.item_id == action_items.c.id)
    .correlate(action_items)
    .scalar_subquery()
)
STANDING_ITEM = and_(action_item_revisions.c.item_id == action_items.c.id, action_item_revisions.c.number == _NEWEST)
"""Joins a row of `action_items` with the revision that stands."""
_history = action_item_revisions.alias("history")
_undone = action_item_revisions.alias("undone")
_DONE_AT = (
    select(func.min(_history.c.revised_at))
    .where(
        _history.c.item_id == action_items.c.id,
        _history.c.number
        > select(func.coalesce(func.max(_undone.c.number), 0))
        .where(_undone.c.item_id == action_items.c.id, _undone.c.state != "done")
        .correlate(action_items)
        .scalar_subquery(),
    )
    .correlate(action_items)
    .scalar_subquery()
)
"""When an item became done and stayed so; NULL for one that is not."""
_OUTCOMES = (
    select(
        action_item_revisions.c.owner,
        action_item_revisions.c.owner_id,
        action_item_revisions.c.due_on,
        action_item_revisions.c.state,
        _DONE_AT.label("done_at"),
        incidents.c.timezone.label("zone"),
    )
    .select_from(action_items)
    .join(incidents, incidents.c.id == action_items.c.incident_id)
    .join(action_item_revisions, STANDING_ITEM)
    .where(
        IN_WORKSPACE,
        _SEEN,
        action_items.c.recorded_at >= bindparam("since"),
        action_items.c.recorded_at < bindparam("until"),
    )
)


def scope(
    workspace_id: str, *, since: datetime, until: datetime, channel_id: str | None, private: bool = False
) -> dict[str, Any]:
    """What a report looks at: incidents declared from `since` until just before `until`.

    Private ones are left out but for the channel's own; with `private` none is.
    """
    return {
        "workspace_id": workspace_id,
        "since": since,
        "until": until,
        "channel_id": channel_id,
        "private": private,
    }


def declared(connection: Connection, scope: dict[str, Any]) -> list[DeclaredIncident]:
    """The incidents of the scope, in the order they were declared."""
    return [DeclaredIncident(**row) for row in connection.execute(_DECLARED, scope).mappings()]


def milestones(connection: Connection, scope: dict[str, Any], kinds: tuple[str, ...]) -> Iterator[Milestone]:
    """The entries of these kinds that stand, as they were last revised, of every incident of the scope."""
    return (Milestone(*row) for row in connection.execute(_MILESTONES, {**scope, "kinds": kinds}))


def outcomes(connection: Connection, scope: dict[str, Any]) -> list[ItemOutcome]:
    """The action items recorded in the scope's time, whenever their incident was declared."""
    return [ItemOutcome(**row) for row in connection.execute(_OUTCOMES, scope).mappings()]
