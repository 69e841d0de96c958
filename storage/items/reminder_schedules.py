"""Reminder schedules: one row a recipient (table `agendas`), with the time when their reminders are evaluated next.

`due_at` is never later than that of the recipient's earliest reminder. A transaction that changes reminders locks the
recipient's schedule first, so a tick and a command never change the same reminders at once.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select, text, update

from storage.dialects import rowid, upsert, without_text
from storage.models import agendas, incidents, reminders
from storage.values import ReminderSchedule

_COLUMNS = (agendas.c.workspace_id, agendas.c.recipient_id, agendas.c.told_on, agendas.c.bundled_on)
"""The columns of a ReminderSchedule, named as its fields."""
# The text must match the partial index's WHERE clause literally, or neither database uses the index.
_IS_DUE = and_(text("agendas.due_at IS NOT NULL"), agendas.c.due_at <= bindparam("at"))
_ANY_DUE = select(text("1")).select_from(agendas).where(_IS_DUE).limit(1)
_CLAIM = (
    select(*_COLUMNS)
    .where(_IS_DUE)
    .order_by(agendas.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_OF_RECIPIENT = and_(agendas.c.workspace_id == bindparam("workspace"), agendas.c.recipient_id == bindparam("recipient"))
_EXISTS = select(agendas.c.recipient_id).where(_OF_RECIPIENT)
_LOCK_UNLESS_LOCKED = select(agendas.c.recipient_id).where(_OF_RECIPIENT).with_for_update(skip_locked=True)
_EARLIEST_REMINDER = (
    select(func.min(reminders.c.due_at))
    .where(reminders.c.workspace_id == agendas.c.workspace_id, reminders.c.recipient_id == agendas.c.recipient_id)
    .scalar_subquery()
)
_RESCHEDULE = (
    update(agendas)
    .where(_OF_RECIPIENT)
    .values(due_at=_EARLIEST_REMINDER, told_on=bindparam("told"), bundled_on=bindparam("bundled"))
)
_REVOKE = update(agendas).where(_OF_RECIPIENT, agendas.c.bundled_on == bindparam("on")).values(bundled_on=None)
_CLOSE = update(agendas).where(_OF_RECIPIENT).values(closed_at=bindparam("at"))
_CLOSED = select(agendas.c.recipient_id).where(
    agendas.c.workspace_id == bindparam("workspace"),
    agendas.c.recipient_id.in_(bindparam("channels", expanding=True)),
    agendas.c.closed_at > bindparam("since"),
)
_POSTPONE = update(agendas).where(_OF_RECIPIENT).values(due_at=bindparam("due"), told_on=bindparam("told"))


def is_due(connection: Connection, *, at: datetime) -> bool:
    """Whether a schedule may be due; one index lookup without a lock."""
    return connection.execute(_ANY_DUE, {"at": at}).first() is not None


def claim(connection: Connection, *, at: datetime, most: int) -> list[ReminderSchedule]:
    """Lock the schedules that have been due longest, without those that another transaction has locked.

    Raises TypeError for one whose ids are no text, which SQLite lets pass.
    """
    found = [ReminderSchedule(**row) for row in connection.execute(_CLAIM, {"at": at, "most": most}).mappings()]
    if not all(isinstance(each, str) for schedule in found for each in (schedule.workspace_id, schedule.recipient_id)):
        raise TypeError("an id of another type")
    return found


def set_unreadable_aside(connection: Connection, *, at: datetime) -> list[tuple[str, str]]:
    """Make those of the due schedules due no longer whose workspace or recipient cannot be read.

    Returns the ids, as far as they can be shown.
    """
    found = without_text(connection, (agendas.c.workspace_id, agendas.c.recipient_id), _IS_DUE, {"at": at})
    if found:
        unreadable = rowid(agendas.name).in_(sorted(found))
        connection.execute(update(agendas).where(unreadable).values(due_at=None, told_on=None))
    return [(workspace_id, recipient_id) for workspace_id, recipient_id in found.values()]


def wake_led(connection: Connection, workspace_id: str, lead_id: str, *, at: datetime) -> None:
    """Have the next tick look at all reminders of the incidents that the user leads: they are another's now."""
    led = select(incidents.c.id).where(incidents.c.workspace_id == workspace_id, incidents.c.lead_id == lead_id)
    concerned = (reminders.c.incident_id.in_(led), reminders.c.due_at.is_not(None))
    found = connection.execute(select(reminders.c.recipient_id).distinct().where(*concerned)).scalars().all()
    if found:
        lock(connection, workspace_id, dict.fromkeys(found, at))
        connection.execute(update(reminders).where(*concerned).values(due_at=at))


def wake_all(connection: Connection, *, at: datetime) -> None:
    """Have the next tick look at every schedule that is not due at any time."""
    connection.execute(update(agendas).where(agendas.c.due_at.is_(None)).values(due_at=at))


def set_next_aside(connection: Connection, *, at: datetime, of: ReminderSchedule | None) -> tuple[str, str] | None:
    """Make the schedule due no longer, or without one the schedule that is claimed next, which cannot be read.

    Returns the workspace and the recipient; None where nothing is due.
    """
    keys = _CLAIM.with_only_columns(agendas.c.workspace_id, agendas.c.recipient_id)
    found = (of.workspace_id, of.recipient_id) if of else connection.execute(keys, {"at": at, "most": 1}).first()
    if found is None:
        return None
    workspace_id, recipient_id = found
    parameters = {"workspace": workspace_id, "recipient": recipient_id}
    connection.execute(update(agendas).where(_OF_RECIPIENT).values(due_at=None, told_on=None), parameters)
    return workspace_id, recipient_id


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
    parameters = {"workspace": workspace_id, "recipient": recipient_id}
    if connection.execute(_LOCK_UNLESS_LOCKED, parameters).first() is not None:
        return True
    # To insert a row that another transaction has changed, PostgreSQL waits for that one.
    if connection.execute(_EXISTS, parameters).first() is not None:
        return False
    row = {"workspace_id": workspace_id, "recipient_id": recipient_id}
    connection.execute(upsert(connection)(agendas).values(row).on_conflict_do_nothing())
    return connection.execute(_LOCK_UNLESS_LOCKED, parameters).first() is not None


def wake(connection: Connection, workspace_id: str, recipient_ids: Collection[str], *, at: datetime) -> None:
    """Have the next tick look at all reminders of the recipients: their zone or their hours have changed, or they left.

    Who has none is left out.
    """
    concerned = (reminders.c.workspace_id == workspace_id, reminders.c.due_at.is_not(None))
    among = reminders.c.recipient_id.in_(sorted(recipient_ids))
    found = set(connection.execute(select(reminders.c.recipient_id).distinct().where(*concerned, among)).scalars())
    if found:
        lock(connection, workspace_id, dict.fromkeys(found, at))
        connection.execute(
            update(reminders).where(*concerned, reminders.c.recipient_id.in_(sorted(found))).values(due_at=at)
        )


def reschedule(
    connection: Connection,
    held: Sequence[ReminderSchedule],
    *,
    digest_days: Mapping[ReminderSchedule, date],
    bundles: Collection[ReminderSchedule] = (),
) -> None:
    """Make each locked schedule due with its earliest reminder, and store the day of those that get a digest.

    `bundles` are those whose digest is the week's bundle.
    """
    rows: list[dict[str, Any]] = [
        {
            "workspace": schedule.workspace_id,
            "recipient": schedule.recipient_id,
            "told": digest_days.get(schedule, schedule.told_on),
            "bundled": digest_days[schedule] if schedule in bundles else schedule.bundled_on,
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


def revoke(connection: Connection, workspace_id: str, recipient_id: str, on: date) -> None:
    """Forget the bundle of that day, whose digest could not be sent. Lock the schedule first."""
    connection.execute(_REVOKE, {"workspace": workspace_id, "recipient": recipient_id, "on": on})


def close(connection: Connection, workspace_id: str, channel_id: str, *, at: datetime) -> None:
    """Note that Slack refuses messages to the channel. Lock the schedule first."""
    connection.execute(_CLOSE, {"workspace": workspace_id, "recipient": channel_id, "at": at})


def closed(connection: Connection, workspace_id: str, channel_ids: Collection[str], *, since: datetime) -> set[str]:
    """Those of the channels to which Slack has refused a message since then."""
    parameters = {"workspace": workspace_id, "channels": sorted(channel_ids), "since": since}
    return set(connection.execute(_CLOSED, parameters).scalars()) if channel_ids else set()


def told_on(connection: Connection, workspace_id: str, recipient_id: str) -> date | None:
    """The day of the recipient's last digest."""
    query = select(agendas.c.told_on).where(
        agendas.c.workspace_id == workspace_id, agendas.c.recipient_id == recipient_id
    )
    return connection.execute(query).scalar()


def last_digests(connection: Connection) -> dict[tuple[str, str], ReminderSchedule]:
    """The schedule of each recipient who had a digest, by (workspace id, recipient id)."""
    query = select(*_COLUMNS).where(agendas.c.told_on.is_not(None))
    found = (ReminderSchedule(**row) for row in connection.execute(query).mappings())
    return {(each.workspace_id, each.recipient_id): each for each in found}
