"""Reminders: select the due ones with their items and incidents, update and cancel them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, or_, select, update
from sqlalchemy.sql import Select

from storage import incidents as incident_rows
from storage.availability import SetAside, is_away, read_each
from storage.dialects import upsert
from storage.items import action_items as items
from storage.items.action_items import COLUMNS as ITEM_COLUMNS
from storage.items.action_items import LAST_REVISION
from storage.models import action_item_revisions, action_items, incidents, publications, reminders
from storage.values import Reminder, ReminderSchedule

_NAMES = (
    "id", "kind", "recipient_id", "due_at", "told_on", "since_at", "handed_on", "snoozed_until", "times",
)  # fmt: skip
_REMINDER_COLUMNS = tuple(reminders.c[name] for name in _NAMES)
_CHANGED = ("recipient_id", "since_at", "due_at", "told_on", "handed_on", "snoozed_until", "times")
_PUBLISHED = exists().where(publications.c.incident_id == reminders.c.incident_id).label("published")
_INCIDENT_COLUMNS = incident_rows.COLUMNS
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
_OF_RECIPIENT = _REMINDERS.where(
    reminders.c.workspace_id == bindparam("workspace"),
    reminders.c.recipient_id == bindparam("recipient"),
    # What lies far ahead is not read: a person may have hundreds of such items.
    or_(
        reminders.c.kind != bindparam("kind"),
        action_item_revisions.c.due_on <= bindparam("until"),
        action_item_revisions.c.snoozed_until <= bindparam("until"),
        action_item_revisions.c.state == "proposed",
        action_item_revisions.c.owner.is_(None),
    ),
).order_by(action_item_revisions.c.due_on, reminders.c.id)
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
_COUNT = update(reminders).where(reminders.c.id == bindparam("reminder")).values(times=reminders.c.times + 1)
_TIMES = select(reminders.c.item_id, reminders.c.times).where(
    reminders.c.item_id.in_(bindparam("items", expanding=True)), reminders.c.kind == bindparam("kind")
)
_HAND_OVER = (
    update(reminders)
    .where(reminders.c.item_id == bindparam("item"), reminders.c.kind == bindparam("of_kind"))
    .values(handed_on=bindparam("on"))
)


def due(
    connection: Connection,
    held: Sequence[ReminderSchedule],
    *,
    at: datetime,
    most: int,
    set_aside: SetAside | None = None,
) -> Iterator[list[Reminder]]:
    """Yield the due reminders of the locked schedules in pages of `most`; settle each page before taking the next.

    `set_aside` is called with the id of each that cannot be read, and with why; without it that is raised.
    """
    recipients = {(schedule.workspace_id, schedule.recipient_id) for schedule in held}
    parameters: dict[str, Any] = {
        "workspaces": sorted({workspace_id for workspace_id, _ in recipients}),
        "recipients": sorted({recipient_id for _, recipient_id in recipients}),
        "at": at,
        "most": most,
    }
    after: int | None = 0
    while after is not None:
        parameters["after"] = after
        try:
            page = _select(connection, _DUE_PAGE, parameters)
            after = page[-1].id if page else None
        except Exception as error:
            if set_aside is None or is_away(error):
                raise
            ids = list(connection.execute(_DUE_PAGE.with_only_columns(reminders.c.id), parameters).scalars())
            page = _readable(connection, ids, set_aside)
            after = ids[-1] if ids else None
        if page:
            yield [each for each in page if (each.incident.workspace_id, each.recipient_id) in recipients]


def _readable(connection: Connection, ids: Sequence[int], set_aside: SetAside) -> list[Reminder]:
    return read_each(ids, lambda each: _select(connection, _REMINDERS.where(reminders.c.id == each), {}), set_aside)


def set_aside(connection: Connection, reminder_id: int) -> tuple[str, str]:
    """Make a reminder due no longer, without reading more of it than its workspace and recipient: these it returns."""
    set_due(connection, reminder_id, None)
    query = select(reminders.c.workspace_id, reminders.c.recipient_id).where(reminders.c.id == reminder_id)
    workspace_id, recipient_id = connection.execute(query).one()
    return workspace_id, recipient_id


def set_due(connection: Connection, reminder_id: int, due_at: datetime | None) -> None:
    """Make a reminder due at `due_at`; None for no longer."""
    connection.execute(update(reminders).where(reminders.c.id == reminder_id).values(due_at=due_at))


def settle(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update each `reminder` (a row id) with its `recipient`, when it is `due` next, and the day it was `told`."""
    if rows:
        connection.execute(_UPDATE, rows)


def of_recipient(
    connection: Connection, workspace_id: str, recipient_id: str, *, kind: str, until: date
) -> list[Reminder]:
    """The recipient's reminders with their items as of now, the earliest due date first.

    Of those of that kind only the ones of items that are due by then, or wait for a decision. What cannot be read is
    left out: it was set aside when it was due.
    """
    parameters = {"workspace": workspace_id, "recipient": recipient_id, "kind": kind, "until": until}
    try:
        return _select(connection, _OF_RECIPIENT, parameters)
    except Exception as error:
        if is_away(error):
            raise
        ids = connection.execute(_OF_RECIPIENT.with_only_columns(reminders.c.id), parameters).scalars()
        return _readable(connection, list(ids), lambda *_: None)


def revoke_digest(connection: Connection, workspace_id: str, recipient_id: str, on: date, *, due_at: datetime) -> None:
    """Undo the digest of that day, for example when it cannot be sent: its reminders are due again at `due_at`."""
    parameters = {"workspace": workspace_id, "recipient": recipient_id, "on": on, "due": due_at}
    connection.execute(_REVOKE_DIGEST, parameters)


def count(connection: Connection, listed: Sequence[int]) -> None:
    """Count one more digest that listed these reminders (row ids)."""
    if listed:
        connection.execute(_COUNT, [{"reminder": each} for each in sorted(listed)])


def times(connection: Connection, item_ids: Collection[int], *, kind: str) -> dict[int, int]:
    """How many digests have listed the items' reminders of the kind, by the item's row id."""
    found = connection.execute(_TIMES, {"items": sorted(item_ids), "kind": kind}) if item_ids else ()
    return {row.item_id: row.times for row in found}


def hand_over(connection: Connection, item_id: int, *, kind: str, on: date) -> None:
    """Note that the reader of the item's reminder hears of it that day by another message, so that no digest says it.

    Lock the recipient's schedule first.
    """
    connection.execute(_HAND_OVER, {"item": item_id, "of_kind": kind, "on": on})


def wake(connection: Connection, workspace_id: str, recipient_id: str, *, at: datetime) -> None:
    """Have all of the recipient's reminders that are planned looked at anew at `at`. Lock their schedule first."""
    theirs = (reminders.c.workspace_id == workspace_id, reminders.c.recipient_id == recipient_id)
    connection.execute(update(reminders).where(*theirs, reminders.c.due_at.is_not(None)).values(due_at=at))


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
        "incident_id": reminder.incident.id,
        "item_id": item.id if item else None,
        "kind": reminder.kind,
        **{name: getattr(reminder, name) for name in _CHANGED},
    }
    changed = {name: row[name] for name in _CHANGED}
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


def wake_postmortem(connection: Connection, incident_id: int, *, due_at: datetime) -> None:
    """Evaluate the reminder of the incident's postmortem at `due_at`, if it is not sent. Lock its schedule first."""
    of_postmortem = (reminders.c.incident_id == incident_id, reminders.c.item_id.is_(None))
    connection.execute(update(reminders).where(*of_postmortem, reminders.c.due_at.is_not(None)).values(due_at=due_at))


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
    return [_reminder(connection, row) for row in connection.execute(query, parameters)]


_INCIDENT_AT = len(_REMINDER_COLUMNS) + 1
_ITEM_AT = _INCIDENT_AT + len(_INCIDENT_COLUMNS)
_ITEM_NAMES = tuple(column.name for column in ITEM_COLUMNS)


def _reminder(connection: Connection, row: Row[*tuple[Any, ...]]) -> Reminder:
    *own, published = row[:_INCIDENT_AT]
    incident = incident_rows.read(connection, row[_INCIDENT_AT:_ITEM_AT])
    if not isinstance(incident.workspace_id, str):
        # It would belong to no schedule, and be due for ever. Only SQLite lets such a value pass.
        raise TypeError("a workspace id of another type")
    item = dict(zip(_ITEM_NAMES, row[_ITEM_AT:], strict=True))
    return Reminder(
        **dict(zip(_NAMES, own, strict=True)),
        published=bool(published),
        incident=incident,
        item=items.read(connection, incident.workspace_id, item) if item["id"] is not None else None,
    )
