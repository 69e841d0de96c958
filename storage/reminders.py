"""Reminders: select the due ones with their items and incidents, update and cancel them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, or_, select, update
from sqlalchemy.sql import Select

from storage.action_items import COLUMNS as ITEM_COLUMNS
from storage.action_items import LAST_REVISION
from storage.dialects import upsert
from storage.models import action_item_revisions, action_items, incidents, publications, reminders
from storage.values import ActionItem, Incident, Reminder, ReminderSchedule

_REMINDER_COLUMNS = tuple(reminders.c[name] for name in ("id", "kind", "recipient_id", "due_at", "told_on", "since_at"))
_PUBLISHED = exists().where(publications.c.incident_id == reminders.c.incident_id).label("published")
_INCIDENT_COLUMNS = tuple(incidents.c[field.name] for field in fields(Incident))
_REMINDERS = (
    select(*_REMINDER_COLUMNS, _PUBLISHED, *_INCIDENT_COLUMNS, *ITEM_COLUMNS)
    .select_from(reminders)
    .join(incidents, incidents.c.id == reminders.c.incident_id)
    .outerjoin(action_items, action_items.c.id == reminders.c.item_id)
    .outerjoin(action_item_revisions, LAST_REVISION)
)
"""Reminders with their incident and, where they have one, their item. `_reminder` splits a row by position."""
_DUE_PAGE = (
    _REMINDERS.where(
        reminders.c.recipient_id.in_(bindparam("recipients", expanding=True)),
        reminders.c.workspace_id.in_(bindparam("workspaces", expanding=True)),
        reminders.c.due_at <= bindparam("at"),
        reminders.c.id > bindparam("after"),
    )
    .order_by(reminders.c.id)
    .limit(bindparam("most"))
)
_IN_DIGEST = (
    _REMINDERS.where(
        reminders.c.workspace_id == bindparam("workspace"),
        reminders.c.recipient_id == bindparam("recipient"),
        reminders.c.told_on == bindparam("on"),
    )
    .order_by(action_item_revisions.c.due_on, reminders.c.id)
    .limit(bindparam("most"))
)
_OF_ITEM = _REMINDERS.where(reminders.c.item_id == bindparam("item"))
_UPDATE = (
    update(reminders)
    .where(reminders.c.id == bindparam("reminder"))
    .values(recipient_id=bindparam("recipient"), due_at=bindparam("due"), told_on=bindparam("told"))
)
_REVOKE_DIGEST = (
    update(reminders)
    .where(
        reminders.c.workspace_id == bindparam("workspace"),
        reminders.c.recipient_id == bindparam("recipient"),
        reminders.c.told_on == bindparam("on"),
    )
    .values(due_at=bindparam("due"), told_on=None)
)


def due(
    connection: Connection, held: Sequence[ReminderSchedule], *, at: datetime, most: int
) -> Iterator[list[Reminder]]:
    """Yield the due reminders of the locked schedules in pages of `most`; settle each page before taking the next."""
    recipients = {(schedule.workspace_id, schedule.recipient_id) for schedule in held}
    parameters: dict[str, Any] = {
        "workspaces": sorted({workspace_id for workspace_id, _ in recipients}),
        "recipients": sorted({recipient_id for _, recipient_id in recipients}),
        "at": at,
        "most": most,
    }
    after = 0
    while page := _select(connection, _DUE_PAGE, parameters | {"after": after}):
        after = page[-1].id
        yield [each for each in page if (each.incident.workspace_id, each.recipient_id) in recipients]


def settle(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update each `reminder` (a row id) with its `recipient`, when it is `due` next, and the day it was `told`."""
    if rows:
        connection.execute(_UPDATE, rows)


def in_digest(connection: Connection, workspace_id: str, recipient_id: str, on: date, *, most: int) -> list[Reminder]:
    """The reminders in the recipient's digest of that day, with their items as of now, the earliest due date first."""
    parameters = {"workspace": workspace_id, "recipient": recipient_id, "on": on, "most": most}
    return _select(connection, _IN_DIGEST, parameters)


def revoke_digest(connection: Connection, workspace_id: str, recipient_id: str, on: date, *, due_at: datetime) -> None:
    """Undo the digest of that day, for example when it cannot be sent: its reminders are due again at `due_at`."""
    parameters = {"workspace": workspace_id, "recipient": recipient_id, "on": on, "due": due_at}
    connection.execute(_REVOKE_DIGEST, parameters)


def of_item(connection: Connection, item_id: int) -> dict[str, Reminder]:
    """The item's reminders, by kind."""
    return {each.kind: each for each in _select(connection, _OF_ITEM, {"item": item_id})}


def postmortem_recipient(connection: Connection, incident_id: int) -> str | None:
    """The recipient of the reminder of the incident's postmortem; None when there is none."""
    query = select(reminders.c.recipient_id).where(
        reminders.c.incident_id == incident_id, reminders.c.item_id.is_(None)
    )
    recipient_id: str | None = connection.execute(query).scalar()
    return recipient_id


def save(connection: Connection, reminder: Reminder) -> None:
    """Insert the reminder, or update the one of the same item (or incident) and kind. Lock its schedule first."""
    item = reminder.item
    row = {
        "workspace_id": reminder.incident.workspace_id,
        "recipient_id": reminder.recipient_id,
        "incident_id": reminder.incident.id,
        "item_id": item.id if item else None,
        "kind": reminder.kind,
        "since_at": reminder.since_at,
        "due_at": reminder.due_at,
        "told_on": reminder.told_on,
    }
    changed = {name: row[name] for name in ("recipient_id", "since_at", "due_at", "told_on")}
    insertion = upsert(connection)(reminders).values(row)
    key: dict[str, Any] = (
        {"index_elements": ["item_id", "kind"]}
        if item
        else {"index_elements": ["incident_id", "kind"], "index_where": reminders.c.item_id.is_(None)}
    )
    connection.execute(insertion.on_conflict_do_update(**key, set_=changed))


def cancel(connection: Connection, item_id: int, *, but: str) -> None:
    """Delete the item's reminders, except those of the kind `but` that were sent: they stay, never due again."""
    of_item = reminders.c.item_id == item_id
    others = or_(reminders.c.kind != but, reminders.c.told_on.is_(None))
    connection.execute(delete(reminders).where(of_item, others))
    connection.execute(update(reminders).where(of_item).values(due_at=None))


def cancel_postmortem(connection: Connection, incident_id: int) -> None:
    """Cancel the reminder of the incident's postmortem."""
    connection.execute(delete(reminders).where(reminders.c.incident_id == incident_id, reminders.c.item_id.is_(None)))


def iterate(connection: Connection, *, page: int) -> Iterator[Reminder]:
    """Yield all reminders of all workspaces, read in pages."""
    after, query = 0, _REMINDERS.where(reminders.c.id > bindparam("after")).order_by(reminders.c.id).limit(page)
    while found := _select(connection, query, {"after": after}):
        yield from found
        after = found[-1].id


def _select(connection: Connection, query: Select[Any], parameters: Mapping[str, Any]) -> list[Reminder]:
    return [_reminder(row) for row in connection.execute(query, parameters)]


_INCIDENT_AT = len(_REMINDER_COLUMNS) + 1
_ITEM_AT = _INCIDENT_AT + len(_INCIDENT_COLUMNS)
_INCIDENT_NAMES = tuple(column.name for column in _INCIDENT_COLUMNS)
_ITEM_NAMES = tuple(column.name for column in ITEM_COLUMNS)


def _reminder(row: Row[*tuple[Any, ...]]) -> Reminder:
    id_, kind, recipient_id, due_at, told_on, since_at, published = row[:_INCIDENT_AT]
    item = row[_ITEM_AT:]
    return Reminder(
        id=id_,
        kind=kind,
        recipient_id=recipient_id,
        due_at=due_at,
        told_on=told_on,
        since_at=since_at,
        published=bool(published),
        incident=Incident(**dict(zip(_INCIDENT_NAMES, row[_INCIDENT_AT:_ITEM_AT], strict=True))),
        item=ActionItem(**dict(zip(_ITEM_NAMES, item, strict=True))) if item[0] is not None else None,
    )
