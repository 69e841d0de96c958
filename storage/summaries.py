"""Figures for the weekly summary: what became of a workspace's action items in a period."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, func, select

from storage.action_items import LAST_REVISION
from storage.incidents import NOT_DUPLICATE
from storage.models import action_item_revisions as revisions
from storage.models import action_items, incidents
from storage.values import PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class OldestItem:
    """The item that has been pending longest, without those of private incidents."""

    incident: int
    number: int
    text: str
    owner: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`due` counts the items that fell due in the period and were not dropped, `in_time` those of them done by then."""

    opened: int
    done: int
    overdue: int
    pending: int
    due: int
    in_time: int
    oldest: OldestItem | None


def figures(
    connection: Connection, workspace_id: str, *, since_at: datetime, until_at: datetime, first_on: date, today: date
) -> Figures:
    """The figures from `since_at` to `until_at`; due dates count from `first_on` (inclusive) to `today` (exclusive)."""
    is_pending = revisions.c.state.in_(PENDING)
    in_span = revisions.c.revised_at.between(since_at, until_at)
    fell_due = (revisions.c.due_on >= first_on, revisions.c.due_on < today, revisions.c.state != "dropped")
    due = connection.execute(
        _items(workspace_id, revisions.c.due_on, revisions.c.state, revisions.c.revised_at, incidents.c.timezone).where(
            *fell_due
        )
    ).all()

    def count(*conditions: ColumnElement[bool]) -> int:
        return int(connection.execute(_items(workspace_id, func.count()).where(*conditions)).scalar_one())

    return Figures(
        opened=count(action_items.c.recorded_at.between(since_at, until_at)),
        done=count(revisions.c.state == "done", in_span),
        overdue=count(is_pending, revisions.c.due_on < today),
        pending=count(is_pending),
        due=len(due),
        # The day on the incident's calendar, as in reports.
        in_time=sum(
            row.state == "done" and row.revised_at.astimezone(ZoneInfo(row.timezone)).date() <= row.due_on
            for row in due
        ),
        oldest=_oldest(connection, workspace_id),
    )


def _oldest(connection: Connection, workspace_id: str) -> OldestItem | None:
    columns = (incidents.c.number.label("incident"), action_items.c.number, action_items.c.text, revisions.c.owner)
    query = (
        _items(workspace_id, *columns, action_items.c.recorded_at)
        .where(revisions.c.state.in_(PENDING))
        .order_by(action_items.c.recorded_at, action_items.c.id)
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return OldestItem(**row) if row else None


def _items(workspace_id: str, *columns: Any) -> Select[Any]:
    """A query of all items with their last revisions, without those of private incidents and of duplicates."""
    return (
        select(*columns)
        .select_from(action_items)
        .join(incidents, incidents.c.id == action_items.c.incident_id)
        .join(revisions, LAST_REVISION)
        .where(
            incidents.c.workspace_id == workspace_id,
            NOT_DUPLICATE,
            incidents.c.private.is_(False),
        )
    )
