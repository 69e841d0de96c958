"""Rows for a person's Home tab: open incidents, their open action items, and the postmortems they should publish."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, String, and_, bindparam, case, exists, func, or_, select, text, union

from storage import incidents as incident_rows
from storage.incidents import HAS_RECORD_BY, VISIBLE_TO
from storage.items.action_items import LAST_REVISION as LAST_ITEM_REVISION
from storage.members import fill_in
from storage.models import (
    OPEN,
    RESOLVES,
    action_item_revisions,
    action_items,
    entry_revisions,
    incidents,
    postmortem_reviews,
    postmortem_versions,
    publications,
    timeline_entries,
)
from storage.reports import IN_WORKSPACE
from storage.timeline import LAST_REVISION as LAST_ENTRY_REVISION
from storage.values import PENDING, Incident, OwnItem, Publication, Unpublished

_IS_SNOOZED = case((action_item_revisions.c.snoozed_until > bindparam("today"), 1), else_=0)
_OWN_ITEMS = (
    select(
        func.count().over().label("total"),
        incidents.c.id.label("incident_id"),
        incidents.c.number.label("incident_number"),
        incidents.c.title.label("incident_title"),
        action_items.c.number,
        action_items.c.text,
        action_items.c.people,
        action_items.c.kind,
        action_item_revisions.c.due_on,
        action_item_revisions.c.state,
        action_item_revisions.c.snoozed_until,
        action_item_revisions.c.ticket,
        incidents.c.channel_id,
        VISIBLE_TO.label("visible"),
    )
    .select_from(action_items)
    .join(incidents, incidents.c.id == action_items.c.incident_id)
    .join(action_item_revisions, LAST_ITEM_REVISION)
    .where(
        IN_WORKSPACE,
        action_item_revisions.c.owner_id == bindparam("user_id"),
        action_item_revisions.c.state.in_(sorted(PENDING)),
    )
    .order_by(_IS_SNOOZED, action_item_revisions.c.due_on.asc().nulls_last(), incidents.c.number, action_items.c.number)
    .limit(bindparam("most"))
)
"""Each row also holds the number of rows without the limit."""

_IS_OWN = or_(
    incidents.c.lead_id == bindparam("user_id"),
    incidents.c.declared_by_id == bindparam("user_id"),
    HAS_RECORD_BY,
)
_OPEN = (
    select(func.count().over(), _IS_OWN, *incident_rows.COLUMNS)
    .where(IN_WORKSPACE, VISIBLE_TO, text(f"incidents.{OPEN}"))
    .order_by(case((_IS_OWN, 0), else_=1), incidents.c.number.desc())
    .limit(bindparam("most"))
)
"""Each row begins with the number of rows without the limit, and whether the user is in it."""
_PUBLISHED = (
    select(
        publications.c.incident_id,
        publications.c.target,
        publications.c.location,
        publications.c.version,
        publications.c.published_at,
        publications.c.published_by,
    )
    .where(publications.c.incident_id.in_(bindparam("incident_ids", expanding=True)))
    .order_by(publications.c.target.desc())
)
_RESOLUTIONS = (
    select(timeline_entries.c.recorded_by_id)
    .select_from(timeline_entries)
    .outerjoin(entry_revisions, LAST_ENTRY_REVISION)
    .where(
        timeline_entries.c.incident_id == incidents.c.id,
        timeline_entries.c.kind == "resolved",
        func.coalesce(entry_revisions.c.retracted, False).is_(False),
    )
    .correlate(incidents)
)
"""The entries of an incident that resolve it and are not retracted."""
_RESOLVED_BY = _RESOLUTIONS.order_by(timeline_entries.c.number.desc()).limit(1).scalar_subquery()
_RESOLVED_AT = _RESOLUTIONS.with_only_columns(
    func.max(func.coalesce(entry_revisions.c.occurred_at, timeline_entries.c.occurred_at))
).scalar_subquery()
_ENDED_AT = func.coalesce(_RESOLVED_AT, incidents.c.happened_at, incidents.c.declared_at)
_NEWEST_VERSION = (
    select(func.coalesce(func.max(postmortem_versions.c.number), 0))
    .where(postmortem_versions.c.incident_id == incidents.c.id)
    .correlate(incidents)
    .scalar_subquery()
)
_USER_ID = bindparam("user_id", type_=String())
_RESPONSIBLE_FOR = union(
    select(incidents.c.id).where(
        incidents.c.workspace_id == bindparam("workspace_id"), incidents.c.lead_id == _USER_ID
    ),
    select(timeline_entries.c.incident_id).where(
        text(f"timeline_entries.{RESOLVES}"), timeline_entries.c.recorded_by_id == _USER_ID
    ),
)
"""The incidents that the user leads, and those that they resolved at some time."""
_responsible = _RESPONSIBLE_FOR.subquery()
_UNPUBLISHED = (
    select(
        func.count().over().label("total"),
        incidents.c.number,
        incidents.c.title,
        incidents.c.highest_severity.label("severity"),
        _ENDED_AT.label("resolved_at"),
        _NEWEST_VERSION.label("version"),
    )
    # Joined: for a condition both databases would look at every incident.
    .select_from(_responsible.join(incidents, incidents.c.id == _responsible.c.id))
    .where(
        IN_WORKSPACE,
        VISIBLE_TO,
        incidents.c.open.is_(False),
        or_(
            incidents.c.lead_id == bindparam("user_id"),
            and_(incidents.c.lead.is_(None), bindparam("user_id") == _RESOLVED_BY),
        ),
        ~exists().where(publications.c.incident_id == incidents.c.id),
        ~exists().where(
            postmortem_reviews.c.incident_id == incidents.c.id, postmortem_reviews.c.reviewed_at >= _ENDED_AT
        ),
    )
    .order_by(incidents.c.number)
    .limit(bindparam("most"))
)


def own_items(
    connection: Connection, workspace_id: str, user_id: str, *, today: date, most: int
) -> tuple[int, list[OwnItem]]:
    """The number of open items the user owns, and the first `most`: by due date, then undated, snoozed ones last.

    What is published for other readers is not their document.
    """
    parameters = {"workspace_id": workspace_id, "user_id": user_id, "today": today, "most": most}
    rows = [dict(row) for row in connection.execute(_OWN_ITEMS, parameters).mappings()]
    total = max((row.pop("total") for row in rows), default=0)
    fill_in(connection, workspace_id, rows, "text", "incident_title")
    documents = _documents(connection, {row["incident_id"] for row in rows if row["visible"]})
    facts = [{name: value for name, value in row.items() if name != "people"} for row in rows]
    return total, [OwnItem(**each, document=documents.get(each["incident_id"])) for each in facts]


def _documents(connection: Connection, incident_ids: Collection[int]) -> dict[int, Publication]:
    """The publication of each incident that has one, by its row id: that of the first target in alphabetical order."""
    rows = connection.execute(_PUBLISHED, {"incident_ids": sorted(incident_ids)}).mappings()
    found = (
        (row["incident_id"], {name: value for name, value in row.items() if name != "incident_id"}) for row in rows
    )
    return {of: Publication(**facts) for of, facts in found if ":" not in facts["target"]}


def open_incidents(
    connection: Connection, workspace_id: str, user_id: str, *, most: int
) -> tuple[int, list[tuple[bool, Incident]]]:
    """The number of open incidents that the member may see, and the first `most`: their own, then the others.

    Each with whether it is one of theirs: they lead it, declared it, or recorded something in it. The newest is first.
    """
    rows = connection.execute(_OPEN, {"workspace_id": workspace_id, "user_id": user_id, "most": most}).all()
    return max((row[0] for row in rows), default=0), [
        (bool(row[1]), incident_rows.read(connection, row[2:])) for row in rows
    ]


def unpublished(connection: Connection, workspace_id: str, user_id: str, *, most: int) -> tuple[int, list[Unpublished]]:
    """The number of postmortems the user should publish, and the oldest `most`.

    These are the unpublished ones of resolved incidents that the user leads, or resolved if the incident has no lead.
    """
    parameters = {"workspace_id": workspace_id, "user_id": user_id, "most": most}
    rows = [dict(row) for row in connection.execute(_UNPUBLISHED, parameters).mappings()]
    total = max((row.pop("total") for row in rows), default=0)
    fill_in(connection, workspace_id, rows, "title")
    return total, [Unpublished(**{name: value for name, value in row.items() if name != "people"}) for row in rows]
