"""Reminders: which are due, what they are about, and what was told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, or_, select, update
from sqlalchemy.sql import Select

from storage import action_items as stored_items
from storage.dialects import upsert
from storage.models import action_item_revisions, action_items, incidents, publications, reminders
from storage.values import ActionItem, Incident, Reminder, ReminderSchedule

_OWN = tuple(reminders.c[name] for name in ("id", "kind", "recipient_id", "due_at", "told_on", "since_at"))
_PUBLISHED = exists().where(publications.c.incident_id == reminders.c.incident_id).label("published")
_INCIDENT = tuple(incidents.c[field.name] for field in fields(Incident))
_ITEM = stored_items.COLUMNS
_FACTS = (
    select(*_OWN, _PUBLISHED, *_INCIDENT, *_ITEM)
    .select_from(reminders)
    .join(incidents, incidents.c.id == reminders.c.incident_id)
    .outerjoin(action_items, action_items.c.id == reminders.c.item_id)
    .outerjoin(action_item_revisions, stored_items.LAST_REVISION)
)
_DUE = (
    _FACTS.where(
        reminders.c.recipient_id.in_(bindparam("recipients", expanding=True)),
        reminders.c.workspace_id.in_(bindparam("workspaces", expanding=True)),
        reminders.c.due_at <= bindparam("at"),
        reminders.c.id > bindparam("after"),
    )
    .order_by(reminders.c.id)
    .limit(bindparam("most"))
)
_TOLD = (
    _FACTS.where(
        reminders.c.workspace_id == bindparam("workspace"),
        reminders.c.recipient_id == bindparam("recipient"),
        reminders.c.told_on == bindparam("on"),
    )
    .order_by(action_item_revisions.c.due_on, reminders.c.id)
    .limit(bindparam("most"))
)
_OF_ITEM = _FACTS.where(reminders.c.item_id == bindparam("item"))
_SETTLE = (
    update(reminders)
    .where(reminders.c.id == bindparam("reminder"))
    .values(recipient_id=bindparam("recipient"), due_at=bindparam("due"), told_on=bindparam("told"))
)
_AGAIN = (
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
    """What is due on the agendas, page by page; whoever asks has settled a page before the next one is read."""
    mine = {(agenda.workspace_id, agenda.recipient_id) for agenda in held}
    asked: dict[str, Any] = {
        "workspaces": sorted({workspace_id for workspace_id, _ in mine}),
        "recipients": sorted({recipient_id for _, recipient_id in mine}),
        "at": at,
        "most": most,
    }
    after = 0
    while page := _values(connection, _DUE, asked | {"after": after}):
        after = page[-1].id
        yield [each for each in page if (each.incident.workspace_id, each.recipient_id) in mine]


def settle(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Say for each `reminder` (its row id) whom it is for now, when it is `due` next, and the day it was `told`."""
    if rows:
        connection.execute(_SETTLE, rows)


def in_digest(connection: Connection, workspace_id: str, recipient_id: str, on: date, *, most: int) -> list[Reminder]:
    """What the recipient's digest of that day is about, as it stands now, the earliest due date first."""
    asked = {"workspace": workspace_id, "recipient": recipient_id, "on": on, "most": most}
    return _values(connection, _TOLD, asked)


def revoke_digest(connection: Connection, workspace_id: str, recipient_id: str, on: date, *, due_at: datetime) -> None:
    """Take it back that the digest of that day was told: what it held is due at `due_at`."""
    asked = {"workspace": workspace_id, "recipient": recipient_id, "on": on, "due": due_at}
    connection.execute(_AGAIN, asked)


def of_item(connection: Connection, item_id: int) -> dict[str, Reminder]:
    """The item's reminders by their kind."""
    found = _values(connection, _OF_ITEM, {"item": item_id})
    return {each.kind: each for each in found}


def postmortem_recipient(connection: Connection, incident_id: int) -> str | None:
    """The recipient of the incident's reminder without an item; None when there is none."""
    query = select(reminders.c.recipient_id).where(
        reminders.c.incident_id == incident_id, reminders.c.item_id.is_(None)
    )
    recipient_id: str | None = connection.execute(query).scalar()
    return recipient_id


def save(connection: Connection, reminder: Reminder) -> None:
    """Write the reminder in the place of the item's, or incident's, of that kind. Its agenda is taken first."""
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
    """Nobody is reminded of the item any more. What was told of the kind `but` is remembered."""
    of_item = reminders.c.item_id == item_id
    others = or_(reminders.c.kind != but, reminders.c.told_on.is_(None))
    connection.execute(delete(reminders).where(of_item, others))
    connection.execute(update(reminders).where(of_item).values(due_at=None))


def cancel_postmortem(connection: Connection, incident_id: int) -> None:
    """Nobody is reminded of the incident's postmortem any more."""
    connection.execute(delete(reminders).where(reminders.c.incident_id == incident_id, reminders.c.item_id.is_(None)))


def iterate(connection: Connection, *, page: int) -> Iterator[Reminder]:
    """Every reminder there is, page by page."""
    after, query = 0, _FACTS.where(reminders.c.id > bindparam("after")).order_by(reminders.c.id).limit(page)
    while found := _values(connection, query, {"after": after}):
        yield from found
        after = found[-1].id


def _values(connection: Connection, query: Select[Any], asked: Mapping[str, Any]) -> list[Reminder]:
    return [_value(row) for row in connection.execute(query, asked)]


_END_OF_OWN = len(_OWN) + 1
_END_OF_INCIDENT = _END_OF_OWN + len(_INCIDENT)
_INCIDENT_NAMES = tuple(column.name for column in _INCIDENT)
_ITEM_NAMES = tuple(column.name for column in _ITEM)


def _value(row: Row[*tuple[Any, ...]]) -> Reminder:
    id_, kind, recipient_id, due_at, told_on, since_at, published = row[:_END_OF_OWN]
    item = row[_END_OF_INCIDENT:]
    return Reminder(
        id=id_,
        kind=kind,
        recipient_id=recipient_id,
        due_at=due_at,
        told_on=told_on,
        since_at=since_at,
        published=bool(published),
        incident=Incident(**dict(zip(_INCIDENT_NAMES, row[_END_OF_OWN:_END_OF_INCIDENT], strict=True))),
        item=ActionItem(**dict(zip(_ITEM_NAMES, item, strict=True))) if item[0] is not None else None,
    )
