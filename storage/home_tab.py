"""What a person's own page holds: open action items, and postmortems to be published."""

from datetime import date

from sqlalchemy import Connection, and_, bindparam, case, exists, func, or_, select

from storage.incidents import VISIBLE_TO
from storage.models import (
    action_item_revisions,
    action_items,
    entry_revisions,
    incidents,
    postmortem_versions,
    publications,
    timeline_entries,
)
from storage.reports import IN_WORKSPACE, STANDING_ITEM
from storage.timeline import LAST_REVISION
from storage.values import PENDING, OwnItem, Unpublished

_SNOOZED = case((action_item_revisions.c.snoozed_until > bindparam("today"), 1), else_=0)
_OWN_ITEMS = (
    select(
        func.count().over().label("total"),
        incidents.c.number.label("incident_number"),
        incidents.c.title.label("incident_title"),
        action_items.c.number,
        action_items.c.text,
        action_items.c.kind,
        action_item_revisions.c.due_on,
        action_item_revisions.c.snoozed_until,
        incidents.c.channel_id,
        VISIBLE_TO.label("visible"),
    )
    .select_from(action_items)
    .join(incidents, incidents.c.id == action_items.c.incident_id)
    .join(action_item_revisions, STANDING_ITEM)
    .where(
        IN_WORKSPACE,
        action_item_revisions.c.owner_id == bindparam("user_id"),
        action_item_revisions.c.state.in_(sorted(PENDING)),
    )
    .order_by(_SNOOZED, action_item_revisions.c.due_on.asc().nulls_last(), incidents.c.number, action_items.c.number)
    .limit(bindparam("most"))
)

_RESOLUTIONS = (
    select(timeline_entries.c.recorded_by_id)
    .select_from(timeline_entries)
    .outerjoin(entry_revisions, LAST_REVISION)
    .where(
        timeline_entries.c.incident_id == incidents.c.id,
        timeline_entries.c.kind == "resolved",
        func.coalesce(entry_revisions.c.retracted, False).is_(False),
    )
    .correlate(incidents)
)
_RESOLVED_BY = _RESOLUTIONS.order_by(timeline_entries.c.number.desc()).limit(1).scalar_subquery()
_RESOLVED_AT = _RESOLUTIONS.with_only_columns(
    func.max(func.coalesce(entry_revisions.c.occurred_at, timeline_entries.c.occurred_at))
).scalar_subquery()
_VERSION = (
    select(func.coalesce(func.max(postmortem_versions.c.number), 0))
    .where(postmortem_versions.c.incident_id == incidents.c.id)
    .correlate(incidents)
    .scalar_subquery()
)
_UNPUBLISHED = (
    select(
        func.count().over().label("total"),
        incidents.c.number,
        incidents.c.title,
        incidents.c.severity,
        func.coalesce(_RESOLVED_AT, incidents.c.declared_at).label("resolved_at"),
        _VERSION.label("version"),
    )
    .where(
        IN_WORKSPACE,
        VISIBLE_TO,
        incidents.c.open.is_(False),
        or_(
            incidents.c.lead_id == bindparam("user_id"),
            and_(incidents.c.lead.is_(None), bindparam("user_id") == _RESOLVED_BY),
        ),
        ~exists().where(publications.c.incident_id == incidents.c.id),
    )
    .order_by(incidents.c.number)
    .limit(bindparam("most"))
)


def own_items(
    connection: Connection, workspace_id: str, user_id: str, *, today: date, most: int
) -> tuple[int, list[OwnItem]]:
    """How many open items the person owns, and the first `most`: by due date, undated after, snoozed ones last."""
    facts = {"workspace_id": workspace_id, "user_id": user_id, "today": today, "most": most}
    rows = [dict(row) for row in connection.execute(_OWN_ITEMS, facts).mappings()]
    total = max((row.pop("total") for row in rows), default=0)
    return total, [OwnItem(**row) for row in rows]


def unpublished(connection: Connection, workspace_id: str, user_id: str, *, most: int) -> tuple[int, list[Unpublished]]:
    """How many postmortems the person has to publish, and the oldest `most`.

    They are of the resolved incidents the person leads; where nobody leads, of those the person resolved, which had
    the draft made.
    """
    facts = {"workspace_id": workspace_id, "user_id": user_id, "most": most}
    rows = [dict(row) for row in connection.execute(_UNPUBLISHED, facts).mappings()]
    total = max((row.pop("total") for row in rows), default=0)
    return total, [Unpublished(**row) for row in rows]
