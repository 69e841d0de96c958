"""What the weekly summary tells: what became of a workspace's action items since the last one, and what waits.

How far the summaries have told is kept as the last revision of any item that was there: a change is in one of them
whatever its time, also one that was typed long before it was saved. PostgreSQL hands out an id before its row is
committed, so ids below the last one may be missing: those that turn up are told by the next summary.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, and_, exists, func, literal, or_, select

from storage.dialects import upsert
from storage.incidents import COUNTED
from storage.items.action_items import LAST_REVISION, OWNER
from storage.members import fill_in
from storage.models import action_item_revisions as revisions
from storage.models import action_items, incidents, weekly_summaries
from storage.values import PENDING

FIRST = timedelta(days=7)
"""What a first summary covers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPeriod:
    """The revisions after `after_id` up to `until_id`, which were saved since `since_at`.

    `late` are earlier ones that the last summary could not see yet; those that this one cannot see are `missing`.
    """

    since_at: datetime
    after_id: int
    until_id: int
    late: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()

    def was_told(self, revision_id: int) -> bool:
        """Whether an earlier summary has told the revision."""
        return revision_id <= self.after_id and revision_id not in self.late


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStep:
    """One revision of an item, with its incident's time zone."""

    item_id: int
    revision_id: int
    state: str
    due_on: date | None
    at: datetime
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingItem:
    """A pending item as of now; `changed_at` is the time of its last revision."""

    incident: int
    number: int
    text: str
    owner: str | None
    due_on: date | None
    changed_at: datetime


def begin(connection: Connection, workspace_id: str, *, since_at: datetime) -> None:
    """Have the workspace's first summary cover what lies after `since_at`, unless there has been one."""
    query = _revisions(workspace_id, func.coalesce(func.max(revisions.c.id), 0))
    revision_id = connection.execute(query.where(revisions.c.revised_at < since_at)).scalar_one()
    row = {"workspace_id": workspace_id, "revision_id": revision_id, "told_at": since_at}
    connection.execute(upsert(connection)(weekly_summaries).values(row).on_conflict_do_nothing())


def has_begun(connection: Connection, workspace_id: str) -> bool:
    """Whether it is known from when on the workspace's next summary tells."""
    query = select(weekly_summaries.c.workspace_id).where(weekly_summaries.c.workspace_id == workspace_id)
    return connection.execute(query).first() is not None


def period_before(connection: Connection, workspace_id: str, *, at: datetime) -> SummaryPeriod:
    """What lies between the workspace's last summary and `at`; the last seven days where none has begun."""
    last = connection.execute(select(weekly_summaries).where(weekly_summaries.c.workspace_id == workspace_id)).first()
    if last is None:
        begin(connection, workspace_id, since_at=at - FIRST)
        return period_before(connection, workspace_id, at=at)
    until_id = connection.execute(select(func.coalesce(func.max(revisions.c.id), 0))).scalar_one()
    late = select(revisions.c.id).where(revisions.c.id.in_(last.missing or ())).order_by(revisions.c.id)
    return SummaryPeriod(
        since_at=last.told_at,
        after_id=last.revision_id,
        until_id=until_id,
        late=tuple(connection.execute(late).scalars()),
        missing=_missing(connection, last.revision_id, until_id),
    )


def _missing(connection: Connection, after_id: int, until_id: int) -> tuple[int, ...]:
    """The ids in between that no committed revision has: of a transaction that is not over, or was rolled back.

    None on SQLite, where one transaction writes at a time.
    """
    if connection.dialect.name == "sqlite":
        return ()
    ids = (literal(each, BigInteger) for each in (after_id + 1, until_id))
    handed_out = func.generate_series(*ids).column_valued("handed_out")
    query = select(handed_out).where(~exists().where(revisions.c.id == handed_out)).order_by(handed_out)
    return tuple(connection.execute(query).scalars())


def save(connection: Connection, workspace_id: str, period: SummaryPeriod, *, at: datetime) -> None:
    """Note that the workspace's summaries have told all of the period, at `at`."""
    values = {"revision_id": period.until_id, "missing": list(period.missing), "told_at": at}
    insertion = upsert(connection)(weekly_summaries).values(workspace_id=workspace_id, **values)
    connection.execute(insertion.on_conflict_do_update(index_elements=["workspace_id"], set_=values))


def steps(connection: Connection, workspace_id: str, period: SummaryPeriod) -> list[ItemStep]:
    """All revisions up to the period's end of the items that have one in it, by item and in order."""
    is_seen = and_(revisions.c.id <= period.until_id, revisions.c.id.not_in(period.missing))
    is_new = or_(revisions.c.id > period.after_id, revisions.c.id.in_(period.late))
    touched = _revisions(workspace_id, revisions.c.item_id).where(is_seen, is_new)
    columns = (
        revisions.c.item_id, revisions.c.id.label("revision_id"), revisions.c.state, revisions.c.due_on,
        revisions.c.revised_at.label("at"), incidents.c.timezone.label("zone"),
    )  # fmt: skip
    query = _revisions(workspace_id, *columns).where(revisions.c.item_id.in_(touched), is_seen)
    rows = connection.execute(query.order_by(revisions.c.item_id, revisions.c.id)).mappings()
    return [ItemStep(**row) for row in rows]


def count_pending(connection: Connection, workspace_id: str) -> int:
    """The number of pending items."""
    query = _items(workspace_id, func.count()).where(revisions.c.state.in_(PENDING))
    return int(connection.execute(query).scalar_one())


def late(connection: Connection, workspace_id: str, *, today: date) -> list[WaitingItem]:
    """The pending items that were due before that day, the longest overdue first."""
    is_late = (revisions.c.state.in_(PENDING), revisions.c.due_on < today)
    order = (revisions.c.due_on, incidents.c.number, action_items.c.number)
    return _waiting(connection, workspace_id, _items(workspace_id, *_WAITING).where(*is_late).order_by(*order))


def longest_waiting(connection: Connection, workspace_id: str, *, today: date) -> WaitingItem | None:
    """The pending item that nobody has changed for longest, without those that are snoozed."""
    awake = or_(revisions.c.snoozed_until.is_(None), revisions.c.snoozed_until <= today)
    query = _items(workspace_id, *_WAITING).where(revisions.c.state.in_(PENDING), awake)
    found = _waiting(connection, workspace_id, query.order_by(revisions.c.revised_at, action_items.c.id).limit(1))
    return found[0] if found else None


_WAITING = (
    incidents.c.number.label("incident"), action_items.c.number, action_items.c.text, action_items.c.people, OWNER,
    revisions.c.due_on, revisions.c.revised_at.label("changed_at"),
)  # fmt: skip


def _waiting(connection: Connection, workspace_id: str, query: Select[Any]) -> list[WaitingItem]:
    rows = [dict(row) for row in connection.execute(query).mappings()]
    fill_in(connection, workspace_id, rows, "text")
    return [WaitingItem(**{name: value for name, value in row.items() if name != "people"}) for row in rows]


def _items(workspace_id: str, *columns: Any) -> Select[Any]:
    """A query of all items with their last revisions, without those of private incidents and of closed ones."""
    return _of_workspace(
        select(*columns)
        .select_from(action_items)
        .join(incidents, incidents.c.id == action_items.c.incident_id)
        .join(revisions, LAST_REVISION),
        workspace_id,
    )


def _revisions(workspace_id: str, *columns: Any) -> Select[Any]:
    """A query of all revisions of the same items."""
    return _of_workspace(
        select(*columns)
        .select_from(revisions)
        .join(action_items, action_items.c.id == revisions.c.item_id)
        .join(incidents, incidents.c.id == action_items.c.incident_id),
        workspace_id,
    )


def _of_workspace(query: Select[Any], workspace_id: str) -> Select[Any]:
    return query.where(incidents.c.workspace_id == workspace_id, COUNTED, incidents.c.private.is_(False))
