"""What became of a workspace's action items in a stretch of time: figures for the weekly summary."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, func, select

from storage import action_items as stored_items
from storage.models import action_item_revisions as standing
from storage.models import action_items, incidents
from storage.values import PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class OldestItem:
    """The item that has been waiting longest, of those everybody may know of."""

    incident: int
    number: int
    text: str
    owner: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`due` counts what fell due in the time and was not dropped, `in_time` what of it was done by its day."""

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
    """The figures from `since_at` to `until_at`; what fell due did so from `first_on` on, and before `today`."""
    is_pending = standing.c.state.in_(PENDING)
    in_span = standing.c.revised_at.between(since_at, until_at)
    fell_due = (standing.c.due_on >= first_on, standing.c.due_on < today, standing.c.state != "dropped")
    due = connection.execute(
        _items(workspace_id, standing.c.due_on, standing.c.state, standing.c.revised_at, incidents.c.timezone).where(
            *fell_due
        )
    ).all()

    def count(*conditions: ColumnElement[bool]) -> int:
        return int(connection.execute(_items(workspace_id, func.count()).where(*conditions)).scalar_one())

    return Figures(
        opened=count(action_items.c.recorded_at.between(since_at, until_at)),
        done=count(standing.c.state == "done", in_span),
        overdue=count(is_pending, standing.c.due_on < today),
        pending=count(is_pending),
        due=len(due),
        in_time=sum(row.state == "done" and _on(row.revised_at, row.timezone) <= row.due_on for row in due),
        oldest=_oldest(connection, workspace_id),
    )


def _on(at: datetime, timezone: str) -> date:
    """The day on the incident's calendar, by which the report counts too."""
    return at.astimezone(ZoneInfo(timezone)).date()


def _oldest(connection: Connection, workspace_id: str) -> OldestItem | None:
    columns = (incidents.c.number.label("incident"), action_items.c.number, action_items.c.text, standing.c.owner)
    query = (
        _items(workspace_id, *columns, action_items.c.recorded_at)
        .where(standing.c.state.in_(PENDING))
        .order_by(action_items.c.recorded_at, action_items.c.id)
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return OldestItem(**row) if row else None


def _items(workspace_id: str, *columns: Any) -> Select[Any]:
    """Of each item that everybody may know of, as it stands; not those of an incident that turned out to be another."""
    return (
        select(*columns)
        .select_from(action_items)
        .join(incidents, incidents.c.id == action_items.c.incident_id)
        .join(standing, stored_items.LAST_REVISION)
        .where(
            incidents.c.workspace_id == workspace_id,
            incidents.c.same_as_id.is_(None),
            incidents.c.private.is_(False),
        )
    )
