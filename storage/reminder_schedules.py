"""Agendas: one row a recipient, which says when their reminders are looked at next and who may do so.

`due_at` is never later than the earliest of the recipient's reminders. Whoever changes reminders takes the agenda
first, so a tick and a command never work on one recipient's reminders at once.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select, text, update

from storage.dialects import upsert
from storage.models import agendas, reminders
from storage.values import ReminderSchedule

_COLUMNS = (agendas.c.workspace_id, agendas.c.recipient_id, agendas.c.told_on)
# In these very words, or neither database finds its way by the index of those that are due at all.
_IS_DUE = and_(text("agendas.due_at IS NOT NULL"), agendas.c.due_at <= bindparam("at"))
_DUE = select(agendas.c.recipient_id).where(_IS_DUE).limit(1)
_CLAIM = (
    select(*_COLUMNS)
    .where(_IS_DUE)
    .order_by(agendas.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_ONE = and_(agendas.c.workspace_id == bindparam("workspace"), agendas.c.recipient_id == bindparam("recipient"))
_TRY = select(agendas.c.recipient_id).where(_ONE).with_for_update(skip_locked=True)
_EARLIEST = (
    select(func.min(reminders.c.due_at))
    .where(reminders.c.workspace_id == agendas.c.workspace_id, reminders.c.recipient_id == agendas.c.recipient_id)
    .scalar_subquery()
)
_CLOSE = update(agendas).where(_ONE).values(due_at=_EARLIEST, told_on=bindparam("told"))
_SET = update(agendas).where(_ONE).values(due_at=bindparam("due"), told_on=bindparam("told"))


def is_due(connection: Connection, *, at: datetime) -> bool:
    """Whether anything may be due: one look by an index, without a lock."""
    return connection.execute(_DUE, {"at": at}).first() is not None


def claim(connection: Connection, *, at: datetime, most: int) -> list[ReminderSchedule]:
    """Take those due longest that nobody else holds, until the transaction ends."""
    return [ReminderSchedule(**row) for row in connection.execute(_CLAIM, {"at": at, "most": most}).mappings()]


def lock(connection: Connection, workspace_id: str, due: dict[str, datetime | None]) -> None:
    """Take the recipients' agendas, waiting for whoever holds one, and look at each by `due` at the latest.

    One not seen before gets its row. None leaves the time as it is.
    """
    insertion = upsert(connection)(agendas)
    retry_stale_connection = insertion.excluded.due_at
    sooner = case(
        (or_(agendas.c.due_at.is_(None), agendas.c.due_at > retry_stale_connection), retry_stale_connection),
        else_=agendas.c.due_at,
    )
    statement = insertion.on_conflict_do_update(
        index_elements=["workspace_id", "recipient_id"], set_={"due_at": func.coalesce(sooner, agendas.c.due_at)}
    )
    # In one order, or two who take the same ones would wait for each other for ever.
    for recipient_id in sorted(due):
        row = {"workspace_id": workspace_id, "recipient_id": recipient_id, "due_at": due[recipient_id]}
        connection.execute(statement, row)


def try_lock(connection: Connection, workspace_id: str, recipient_id: str) -> bool:
    """Take an agenda if nobody else holds it, making it where there was none. For a tick, which never waits."""
    row = {"workspace_id": workspace_id, "recipient_id": recipient_id}
    connection.execute(upsert(connection)(agendas).values(row).on_conflict_do_nothing())
    return connection.execute(_TRY, {"workspace": workspace_id, "recipient": recipient_id}).first() is not None


def last_digest_days(connection: Connection) -> dict[tuple[str, str], date]:
    """The day of the last digest of each recipient who ever got one, by (workspace, recipient)."""
    query = select(*_COLUMNS).where(agendas.c.told_on.is_not(None))
    return {(row.workspace_id, row.recipient_id): row.told_on for row in connection.execute(query)}


def reschedule(
    connection: Connection,
    held: Sequence[ReminderSchedule],
    *,
    told: Collection[ReminderSchedule],
    on: dict[ReminderSchedule, date],
) -> None:
    """Set each agenda to the earliest of its reminders, and note the day on those that were `told`."""
    rows: list[dict[str, Any]] = [
        {
            "workspace": agenda.workspace_id,
            "recipient": agenda.recipient_id,
            "told": on[agenda] if agenda in told else agenda.told_on,
        }
        for agenda in held
    ]
    if rows:
        connection.execute(_CLOSE, rows)


def postpone(connection: Connection, agenda: ReminderSchedule, *, due_at: datetime, told_on: date | None) -> None:
    """Look at an agenda without reminders of its own again at `due_at`."""
    row = {"workspace": agenda.workspace_id, "recipient": agenda.recipient_id, "due": due_at, "told": told_on}
    connection.execute(_SET, row)
