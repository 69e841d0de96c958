"""Reminder schedules: one row a recipient (table `agendas`), with the time when their reminders are evaluated next.

`due_at` is never later than that of the recipient's earliest reminder. A transaction that changes reminders locks the
recipient's schedule first, so a tick and a command never change the same reminders at once.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select, text, update

from storage.dialects import upsert
from storage.models import agendas, reminders
from storage.values import ReminderSchedule

_COLUMNS = (agendas.c.workspace_id, agendas.c.recipient_id, agendas.c.told_on)
"""The columns of a ReminderSchedule, named as its fields."""
# The text must match the partial index's WHERE clause literally, or neither database uses the index.
_IS_DUE = and_(text("agendas.due_at IS NOT NULL"), agendas.c.due_at <= bindparam("at"))
_ANY_DUE = select(agendas.c.recipient_id).where(_IS_DUE).limit(1)
_CLAIM = (
    select(*_COLUMNS)
    .where(_IS_DUE)
    .order_by(agendas.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_OF_RECIPIENT = and_(agendas.c.workspace_id == bindparam("workspace"), agendas.c.recipient_id == bindparam("recipient"))
_LOCK_UNLESS_LOCKED = select(agendas.c.recipient_id).where(_OF_RECIPIENT).with_for_update(skip_locked=True)
_EARLIEST_REMINDER = (
    select(func.min(reminders.c.due_at))
    .where(reminders.c.workspace_id == agendas.c.workspace_id, reminders.c.recipient_id == agendas.c.recipient_id)
    .scalar_subquery()
)
_RESCHEDULE = update(agendas).where(_OF_RECIPIENT).values(due_at=_EARLIEST_REMINDER, told_on=bindparam("told"))
_POSTPONE = update(agendas).where(_OF_RECIPIENT).values(due_at=bindparam("due"), told_on=bindparam("told"))


def is_due(connection: Connection, *, at: datetime) -> bool:
    """Whether a schedule may be due; one index lookup without a lock."""
    return connection.execute(_ANY_DUE, {"at": at}).first() is not None


def claim(connection: Connection, *, at: datetime, most: int) -> list[ReminderSchedule]:
    """Lock the schedules that have been due longest, without those that another transaction has locked."""
    return [ReminderSchedule(**row) for row in connection.execute(_CLAIM, {"at": at, "most": most}).mappings()]


def lock(connection: Connection, workspace_id: str, due: dict[str, datetime | None]) -> None:
    """Lock the recipients' schedules, waiting for other transactions, and make each due at `due` at the latest.

    A recipient without a schedule gets one. None leaves the time unchanged.
    """
    insertion = upsert(connection)(agendas)
    wanted = insertion.excluded.due_at
    earlier = case((or_(agendas.c.due_at.is_(None), agendas.c.due_at > wanted), wanted), else_=agendas.c.due_at)
    statement = insertion.on_conflict_do_update(
        index_elements=["workspace_id", "recipient_id"], set_={"due_at": func.coalesce(earlier, agendas.c.due_at)}
    )
    # Always in the same order: two transactions that lock the same schedules would deadlock otherwise.
    for recipient_id in sorted(due):
        row = {"workspace_id": workspace_id, "recipient_id": recipient_id, "due_at": due[recipient_id]}
        connection.execute(statement, row)


def try_lock(connection: Connection, workspace_id: str, recipient_id: str) -> bool:
    """Lock a schedule, inserting it if needed; False if another transaction has locked it. A tick must not wait."""
    row = {"workspace_id": workspace_id, "recipient_id": recipient_id}
    connection.execute(upsert(connection)(agendas).values(row).on_conflict_do_nothing())
    parameters = {"workspace": workspace_id, "recipient": recipient_id}
    return connection.execute(_LOCK_UNLESS_LOCKED, parameters).first() is not None


def reschedule(
    connection: Connection,
    held: Sequence[ReminderSchedule],
    *,
    digest_days: Mapping[ReminderSchedule, date],
) -> None:
    """Make each locked schedule due with its earliest reminder, and store the day of those that get a digest."""
    rows: list[dict[str, Any]] = [
        {
            "workspace": schedule.workspace_id,
            "recipient": schedule.recipient_id,
            "told": digest_days.get(schedule, schedule.told_on),
        }
        for schedule in held
    ]
    if rows:
        connection.execute(_RESCHEDULE, rows)


def postpone(connection: Connection, schedule: ReminderSchedule, *, due_at: datetime, told_on: date | None) -> None:
    """Make a schedule without reminders of its own, such as the weekly summary's, due at `due_at`."""
    connection.execute(
        _POSTPONE,
        {"workspace": schedule.workspace_id, "recipient": schedule.recipient_id, "due": due_at, "told": told_on},
    )


def last_digest_days(connection: Connection) -> dict[tuple[str, str], date]:
    """The day of each recipient's last digest, by (workspace id, recipient id); recipients without one are left out."""
    query = select(*_COLUMNS).where(agendas.c.told_on.is_not(None))
    return {(row.workspace_id, row.recipient_id): row.told_on for row in connection.execute(query)}
