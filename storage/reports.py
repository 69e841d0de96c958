"""Rows for a report: one query each for incidents, milestones and action items of a period.

Closed incidents and their items are left out: cancelled ones, and duplicates of another.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Connection, and_, bindparam, func, or_, select

from storage.incidents import COUNTED, HAPPENED_AT
from storage.items.action_items import LAST_REVISION as LAST_ITEM_REVISION
from storage.items.action_items import OWNER
from storage.models import action_item_revisions, action_items, entry_revisions, incidents, timeline_entries
from storage.timeline import IS_STANDING, MILESTONE_COLUMNS
from storage.timeline import LAST_REVISION as LAST_ENTRY_REVISION
from storage.values import DeclaredIncident, ItemOutcome, Milestone

IN_WORKSPACE = and_(incidents.c.workspace_id == bindparam("workspace_id"), COUNTED)
_IN_SCOPE = or_(
    incidents.c.private.is_(False),
    incidents.c.channel_id == bindparam("channel_id"),
    bindparam("private", type_=Boolean()).is_(True),
)
"""Whether an incident is in the scope: a private one only for its own channel, or with `private`."""
_IN_PERIOD = and_(
    IN_WORKSPACE,
    _IN_SCOPE,
    # A row of an older release's has no such time yet. Written so that the index of the other ones is used.
    or_(
        and_(incidents.c.happened_at >= bindparam("since"), incidents.c.happened_at < bindparam("until")),
        and_(
            incidents.c.happened_at.is_(None),
            incidents.c.declared_at >= bindparam("since"),
            incidents.c.declared_at < bindparam("until"),
        ),
    ),
)

_HAPPENED = (
    select(
        incidents.c.id,
        incidents.c.highest_severity.label("severity"),
        HAPPENED_AT.label("happened_at"),
        incidents.c.open,
    )
    .where(_IN_PERIOD)
    .order_by(HAPPENED_AT, incidents.c.id)
)

_MILESTONES = (
    select(*MILESTONE_COLUMNS)
    .select_from(timeline_entries)
    .join(incidents, incidents.c.id == timeline_entries.c.incident_id)
    .outerjoin(entry_revisions, LAST_ENTRY_REVISION)
    .where(
        _IN_PERIOD,
        timeline_entries.c.kind.in_(bindparam("kinds", expanding=True)),
        IS_STANDING,
    )
)

_history = action_item_revisions.alias("history")
_not_done = action_item_revisions.alias("undone")
_DONE_AT = (
    select(func.min(_history.c.revised_at))
    .where(
        _history.c.item_id == action_items.c.id,
        _history.c.number
        > select(func.coalesce(func.max(_not_done.c.number), 0))
        .where(_not_done.c.item_id == action_items.c.id, _not_done.c.state != "done")
        .correlate(action_items)
        .scalar_subquery(),
    )
    .correlate(action_items)
    .scalar_subquery()
)
"""The first revision after the last one in which the item was not done: when it was done for good; else NULL."""
_OUTCOMES = (
    select(
        OWNER,
        action_item_revisions.c.owner_id,
        action_item_revisions.c.due_on,
        action_item_revisions.c.state,
        _DONE_AT.label("done_at"),
        incidents.c.timezone.label("zone"),
    )
    .select_from(action_items)
    .join(incidents, incidents.c.id == action_items.c.incident_id)
    .join(action_item_revisions, LAST_ITEM_REVISION)
    .where(
        IN_WORKSPACE,
        _IN_SCOPE,
        action_items.c.recorded_at >= bindparam("since"),
        action_items.c.recorded_at < bindparam("until"),
    )
)


def scope(
    workspace_id: str, *, since: datetime, until: datetime, channel_id: str | None, private: bool = False
) -> dict[str, Any]:
    """The parameters of a report's queries: incidents that happened from `since` (inclusive) to `until` (exclusive).

    Private incidents of other channels are left out, unless `private`.
    """
    return {
        "workspace_id": workspace_id,
        "since": since,
        "until": until,
        "channel_id": channel_id,
        "private": private,
    }


def declared(connection: Connection, scope: dict[str, Any]) -> list[DeclaredIncident]:
    """The incidents of the scope, in the order in which they happened."""
    return [DeclaredIncident(**row) for row in connection.execute(_HAPPENED, scope).mappings()]


def milestones(connection: Connection, scope: dict[str, Any], kinds: tuple[str, ...]) -> Iterator[Milestone]:
    """The scope's entries of these kinds with their last revisions applied, without retracted ones."""
    return (Milestone(*row) for row in connection.execute(_MILESTONES, {**scope, "kinds": kinds}))


def outcomes(connection: Connection, scope: dict[str, Any]) -> list[ItemOutcome]:
    """The action items recorded in the scope's period, including those of incidents before it."""
    return [ItemOutcome(**row) for row in connection.execute(_OUTCOMES, scope).mappings()]
