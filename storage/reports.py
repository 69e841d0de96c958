"""Rows for a report: one query each for incidents and action items of a period, and the figures counted before.

Closed incidents and their items are left out: cancelled ones, and duplicates of another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Connection, and_, bindparam, case, func, or_, select

from storage.dialects import upsert
from storage.incidents import COUNTED, HAPPENED_AT
from storage.items.action_items import LAST_REVISION as LAST_ITEM_REVISION
from storage.items.action_items import OWNER
from storage.models import (
    action_item_revisions,
    action_items,
    entry_revisions,
    incident_figures,
    incidents,
    revised_entries,
    timeline_entries,
)
from storage.timeline import IS_STANDING, LAST_REVISION
from storage.values import DeclaredIncident, ItemOutcome, ToldCause

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

_REVISIONS = (
    select(func.count())
    .select_from(revised_entries)
    .join(entry_revisions, entry_revisions.c.entry_id == revised_entries.c.entry_id)
    .where(revised_entries.c.incident_id == incidents.c.id)
    .correlate(incidents)
    .scalar_subquery()
)
"""How many revisions the entries of an incident have."""
_HAPPENED = (
    select(
        incidents.c.id,
        incidents.c.highest_severity.label("severity"),
        HAPPENED_AT.label("happened_at"),
        incidents.c.open,
        incidents.c.last_entry_number,
        _REVISIONS,
        incident_figures.c.entries,
        incident_figures.c.revisions,
        incident_figures.c.rules,
        incident_figures.c.figures,
    )
    .select_from(incidents)
    .outerjoin(incident_figures, incident_figures.c.incident_id == incidents.c.id)
    .where(_IN_PERIOD)
    .order_by(HAPPENED_AT, incidents.c.id)
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


_CAUSES = (
    select(
        incidents.c.number,
        incidents.c.channel_id,
        func.coalesce(entry_revisions.c.text, timeline_entries.c.text),
        case((entry_revisions.c.id.is_(None), timeline_entries.c.qualifier), else_=entry_revisions.c.qualifier),
    )
    .select_from(incidents)
    .join(timeline_entries, timeline_entries.c.incident_id == incidents.c.id)
    .outerjoin(entry_revisions, LAST_REVISION)
    .where(_IN_PERIOD, timeline_entries.c.kind == bindparam("kind"), IS_STANDING)
    .order_by(incidents.c.number, timeline_entries.c.number)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedIncident:
    """An incident of a report, and what was counted of it before: `figures` as they were kept; None if they are void.

    `entries` and `revisions` are how many it has, which the figures are kept with.
    """

    incident: DeclaredIncident
    entries: int
    revisions: int
    figures: Mapping[str, Any] | None


def declared(connection: Connection, scope: dict[str, Any], *, rules: int) -> list[CountedIncident]:
    """The incidents of the scope, in the order in which they happened.

    What was kept is void where it was counted by other `rules`, or from other entries or revisions.
    """
    found = []
    for id_, severity, happened_at, is_open, entries, revisions, *of, figures in connection.execute(_HAPPENED, scope):
        incident = DeclaredIncident(id=id_, severity=severity, happened_at=happened_at, open=is_open)
        kept = figures if of == [entries, revisions, rules] else None
        found.append(CountedIncident(incident=incident, entries=entries, revisions=revisions, figures=kept))
    return found


def keep(connection: Connection, counted: Iterable[CountedIncident], *, rules: int) -> None:
    """Keep the figures that were counted of these incidents, in place of those of before."""
    rows = [
        {
            "incident_id": each.incident.id,
            "entries": each.entries,
            "revisions": each.revisions,
            "rules": rules,
            "figures": each.figures,
        }
        for each in sorted(counted, key=lambda each: each.incident.id)
    ]
    insertion = upsert(connection)(incident_figures)
    replaced = {name: insertion.excluded[name] for name in ("entries", "revisions", "rules", "figures")}
    connection.execute(insertion.on_conflict_do_update(index_elements=["incident_id"], set_=replaced), rows)


def outcomes(connection: Connection, scope: dict[str, Any]) -> list[ItemOutcome]:
    """The action items recorded in the scope's period, including those of incidents before it."""
    names = tuple(field.name for field in fields(ItemOutcome))
    return [ItemOutcome(**dict(zip(names, row, strict=True))) for row in connection.execute(_OUTCOMES, scope)]


def told(connection: Connection, scope: dict[str, Any], *, kind: str) -> list[ToldCause]:
    """The standing entries of the kind on the incidents of the scope, by the incidents' numbers."""
    return [ToldCause(*row) for row in connection.execute(_CAUSES, scope | {"kind": kind})]
