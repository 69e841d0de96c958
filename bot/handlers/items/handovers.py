"""Hand-overs: each change of an item is noted for whom it concerns, and told them in one message.

A change is told at once, outside of its reader's working hours when these begin; what was taken back by then is never
told. For ten minutes the message takes in what follows, and it is edited when somebody answers it or changes an item of
it. What asks its reader for something is on no digest of theirs on the day on which it is told.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.items.cadence import Cadence
from bot.domain.items.handover import (
    DECLINED,
    GIVEN,
    LEFT,
    PRESENT_FOR,
    News,
    concerned,
    is_held,
    news,
    tell_at,
)
from bot.domain.items.reminders import ITEM, is_person, recipient
from bot.handlers.items.buttons import answer_buttons, decision_buttons
from bot.handlers.items.digests import Digest, DigestItem
from bot.handlers.items.redact import shown_alone
from bot.handlers.items.reminders import load_people, set_aside, set_unreadable_aside
from bot.handlers.request import Control, without_secrets
from storage import incidents, members, outbox
from storage.availability import is_away
from storage.database import Database, Transactions
from storage.items import handovers, reminder_schedules, reminders
from storage.members import GONE
from storage.outbox import Job
from storage.values import MEMBER, UNKNOWN, ActionItem, Handover, Incident, Reminder

HANDOVER = "handover"
"""The outbox job that tells a recipient what has changed."""
TAKE_UP = "take_up_handover"
"""The outbox job, parked from the beginning, of a change or a departure that could not be looked at."""
DONE_ELSEWHERE = "done_elsewhere"
"""The outbox job that tells an incident's channel of an item that was done in another place."""
SEV1 = "SEV1"
"""The severity of an incident whose channel is told of each item that is done."""
SHOWN = 20
"""Items with buttons in one message; each takes two of Slack's 50 blocks. The others are a line each."""
LINES_LIMIT = 2_000
"""Characters of all lines in one message; what has no place is counted."""
BATCH = 50
"""Recipients, or people who left, of one transaction."""
_ASKING = {GIVEN: answer_buttons, DECLINED: decision_buttons, LEFT: decision_buttons}
"""The buttons below what asks its reader for something, in the order in which it is shown; the rest are lines."""


def note_change(
    connection: Connection,
    incident: Incident,
    before: ActionItem | None,
    after: ActionItem,
    *,
    by: str,
    at: datetime,
    cadence: Cadence,
    shown_in_channel: bool = False,
) -> bool:
    """Note the change of an item, new where `before` is None, for whom it concerns, in the transaction of the change.

    Returns whether the receipt must mention the new owner, who is not told otherwise: outside of their working hours
    they are in the incident's channel all the same, as far as that shows by what they record there, and the receipt is
    `shown_in_channel`.
    """
    if not cadence.on:
        return False
    # Who changes an item knows how it is now.
    handovers.forget(connection, after.id, by)
    mentioned = False
    for recipient_id, kind in concerned(before, after, by=by).items():
        own, zone = _hours(connection, incident, recipient_id, cadence)
        row = _row(incident, before, after, recipient_id, kind, by=by, at=at, due_at=tell_at(at, own, zone))
        if kind == GIVEN and shown_in_channel and not own.is_working(at, zone):
            since_at = at - PRESENT_FOR
            if handovers.is_active(connection, incident.id, recipient_id, since_at=since_at):
                mentioned = True
                handovers.forget(connection, after.id, recipient_id)
                row |= {"due_at": None, "told_on": at.astimezone(zone).date()}
        handovers.add(connection, [row])
    return mentioned


def note_refusal(
    connection: Connection,
    incident: Incident,
    item: ActionItem,
    *,
    by: str,
    at: datetime,
    cadence: Cadence,
) -> None:
    """Note that `by` gave the item back: for who had given it to them, and for who decides about it."""
    if not cadence.on:
        return
    giver_id = handovers.last_by(connection, item.id, by, kind=GIVEN)
    told = [each for each in (giver_id, incident.lead_id) if each and each != by and is_person(each)]
    known = members.find_many(connection, incident.workspace_id, told) if told else {}
    told = [each for each in dict.fromkeys(told) if each not in known or not known[each].barred]
    rows = []
    for recipient_id in told or [decider(connection, incident, item, without=by, at=at, cadence=cadence)]:
        own, zone = _hours(connection, incident, recipient_id, cadence)
        due_at = tell_at(at, own, zone)
        rows.append(_row(incident, item, item, recipient_id, DECLINED, by=by, at=at, due_at=due_at))
    handovers.add(connection, rows)


def decider(
    connection: Connection, incident: Incident, item: ActionItem, *, without: str, at: datetime, cadence: Cadence
) -> str:
    """Who decides about the item when its owner, `without`, does not: the lead, else who is next in line."""
    draft = Reminder(
        id=0, kind=ITEM, recipient_id="", due_at=None, told_on=None, incident=incident, since_at=at,
        item=replace(item, owner=None, owner_id=None),
    )  # fmt: skip
    people = load_people(connection, [draft], cadence, at=at)
    barred = {each.user_id for each in people.values() if each.barred} | {without}
    # An incident may be declared by an import.
    barred |= {each for each in (incident.lead_id, incident.declared_by_id) if each and not is_person(each)}
    found = recipient(ITEM, incident, draft.item, barred=barred, summary_channel=cadence.summary_channel)
    return found or incident.channel_id


def _row(
    incident: Incident,
    before: ActionItem | None,
    after: ActionItem,
    recipient_id: str,
    kind: str,
    *,
    by: str,
    at: datetime,
    due_at: datetime,
) -> dict[str, Any]:
    return {
        "workspace_id": incident.workspace_id,
        "recipient_id": recipient_id,
        "incident_id": incident.id,
        "item_id": after.id,
        "kind": kind,
        "by_id": by,
        "held": is_held(before, recipient_id),
        "state": before.state if before else None,
        "due_on": before.due_on if before else None,
        "recorded_at": at,
        "due_at": due_at,
        "told_on": None,
    }


def _hours(connection: Connection, incident: Incident, recipient_id: str, cadence: Cadence) -> tuple[Cadence, ZoneInfo]:
    """The cadence and the zone whose working hours are the recipient's; all that is told here asks these two.

    A person's own rhythm is about their digests: what changes hands is told in everybody's hours.
    """
    member = members.find(connection, incident.workspace_id, recipient_id)
    if member and member.timezone:
        return cadence, ZoneInfo(member.timezone)
    return cadence, ZoneInfo(incident.timezone) if recipient_id == incident.channel_id else cadence.zone


def tick(database: Transactions, cadence: Cadence, *, at: datetime) -> int:
    """Put a message for each recipient to whom something is to be told at `at` into the outbox; return how many.

    Rows are settled and messages written in one transaction, so any number of replicas may tick at once. What cannot be
    read or done is set aside, and the others are told.
    """
    if not cadence.on:
        return 0
    with database.read() as connection:
        if not handovers.is_due(connection, at=at):
            return 0
    while _note_departures(database, cadence, at=at):
        pass
    recipients = _due_recipients(database, at=at)
    count = 0
    for start in range(0, len(recipients), BATCH):
        with database.write() as connection:
            claimed = (_claim_apart(connection, *each, cadence, at) for each in recipients[start : start + BATCH])
            jobs = [job for job in claimed if job]
            outbox.add_all(connection, jobs, at=at)
        count += len(jobs)
    return count


def _due_recipients(database: Transactions, *, at: datetime) -> list[tuple[str, str]]:
    """Who is to be told something, in the order in which commands lock them; ids that cannot be read are set aside."""
    try:
        with database.read() as connection:
            return handovers.due_recipients(connection, at=at)
    except Exception as error:
        if is_away(error):
            raise
        with database.write() as connection:
            found = handovers.set_unreadable_aside(connection, at=at)
            for change_id, of in found.items():
                set_unreadable_aside(connection, *of, {"changes": [change_id]}, error, at=at, action=TAKE_UP)
        if not found:
            raise
    with database.read() as connection:
        return handovers.due_recipients(connection, at=at)


def _note_departures(database: Transactions, cadence: Cadence, *, at: datetime) -> bool:
    """Note the open items of some who have left for who decides about them; False when there is nobody left to do."""
    with database.write() as connection:
        gone = members.departed(connection, most=BATCH)
        for workspace_id, user_id in sorted(gone):
            reminder_schedules.wake_led(connection, workspace_id, user_id, at=at)
            for item_id in handovers.pending_ids(connection, workspace_id, user_id):
                try:
                    with connection.begin_nested():
                        _note_departure(connection, workspace_id, user_id, item_id, cadence, at)
                except Exception as error:
                    if is_away(error):
                        raise
                    content = {"item": item_id}
                    set_aside(connection, workspace_id, user_id, content, error, at=at, action=TAKE_UP)
    return bool(gone)


def _note_departure(
    connection: Connection, workspace_id: str, owner_id: str, item_id: int, cadence: Cadence, at: datetime
) -> None:
    """Note one open item of somebody who has left for who decides about it, if it is still theirs."""
    found = handovers.pending(connection, workspace_id, owner_id, item_id)
    if found is None:
        return
    incident, item = found
    recipient_id = decider(connection, incident, item, without=owner_id, at=at, cadence=cadence)
    own, zone = _hours(connection, incident, recipient_id, cadence)
    due_at = tell_at(at, own, zone)
    handovers.add(connection, [_row(incident, item, item, recipient_id, LEFT, by=owner_id, at=at, due_at=due_at)])


def _claim_apart(
    connection: Connection, workspace_id: str, recipient_id: str, cadence: Cadence, at: datetime
) -> dict[str, Any] | None:
    """As `_claim`; if that fails for a reason other than the database's, all that waits for them is set aside."""
    try:
        with connection.begin_nested():
            return _claim(connection, workspace_id, recipient_id, cadence, at)
    except Exception as error:
        if is_away(error):
            raise
        ids = handovers.waiting_ids(connection, workspace_id, recipient_id)
        _set_aside(connection, workspace_id, recipient_id, ids, error, at=at)
        return None


def _set_aside(
    connection: Connection, workspace_id: str, recipient_id: str, ids: Sequence[int], error: Exception, *, at: datetime
) -> None:
    """Keep these changes, none of which waits any more, as a parked job of the outbox."""
    # Another transaction may have seen to all of them meanwhile.
    if ids:
        handovers.settle(connection, ids, told_on=None)
        set_aside(connection, workspace_id, recipient_id, {"changes": ids}, error, at=at, action=TAKE_UP)


def _set_one_aside(
    connection: Connection, workspace_id: str, recipient_id: str, at: datetime, change_id: int, error: Exception
) -> None:
    _set_aside(connection, workspace_id, recipient_id, [change_id], error, at=at)


def take_up(database: Database, job: Job, cadence: Cadence, *, at: datetime) -> None:
    """Make changes due that were set aside, or note an item whose owner has left."""
    content = job.content
    with database.write() as connection:
        if "item" not in content:
            handovers.postpone(connection, content["changes"], due_at=at)
            return
        owner = members.find(connection, job.workspace_id, content["recipient"])
        if owner is not None and owner.barred in GONE:
            _note_departure(connection, job.workspace_id, owner.user_id, content["item"], cadence, at)


def _claim(
    connection: Connection, workspace_id: str, recipient_id: str, cadence: Cadence, at: datetime
) -> dict[str, Any] | None:
    """The job that tells the recipient all that waits for them; None where another transaction does, or none is due."""
    if not reminder_schedules.try_lock(connection, workspace_id, recipient_id):
        return None
    aside = partial(_set_one_aside, connection, workspace_id, recipient_id, at)
    waiting = handovers.waiting(connection, workspace_id, recipient_id, set_aside=aside)
    if not any(each.due_at and each.due_at <= at for each in waiting):
        return None
    ids = [each.id for each in waiting]
    own, zone = _hours(connection, waiting[0].incident, recipient_id, cadence)
    if not own.is_working(at, zone):
        handovers.postpone(connection, ids, due_at=own.next_opening(at, zone))
        return None
    member = members.find(connection, workspace_id, recipient_id)
    is_gone = member is not None and member.barred in GONE
    told = [] if is_gone else _news(waiting)
    today = at.astimezone(zone).date()
    shown = [each.id for each in waiting if each.item.id in {news.change.item.id for news in told}]
    handovers.settle(connection, ids, told_on=None)
    if not shown:
        return None
    handovers.settle(connection, shown, told_on=today)
    for each in told:
        # Of a new owner this is noted when the item is planned for them.
        if each.what in {DECLINED, LEFT}:
            reminders.hand_over(connection, each.change.item.id, kind=ITEM, on=today)
    content = {"recipient": recipient_id, "changes": shown, "on": today.isoformat()}
    return {"workspace_id": workspace_id, "lane": recipient_id, "action": HANDOVER, "content": content}


def _news(changes: Iterable[Handover]) -> list[News]:
    """What is left to say of each item: what asks for something first."""
    ordered = sorted(changes, key=lambda each: (each.incident.number, each.item.number, each.id))
    found = (news(list(of_item)) for _, of_item in groupby(ordered, key=lambda each: each.item.id))
    rank = {what: index for index, what in enumerate(_ASKING)}
    return sorted((each for each in found if each), key=lambda each: rank.get(each.what, len(rank)))


def load(
    database: Database, workspace_id: str, recipient_id: str, ids: Collection[int], *, at: datetime
) -> list[Handover]:
    """The changes with their items as they are now; those that cannot be read are set aside."""
    bad: list[tuple[int, Exception]] = []
    with database.read() as connection:
        changes = handovers.of_ids(connection, ids, set_aside=lambda *each: bad.append(each))
    if bad:
        with database.write() as connection:
            for change_id, error in bad:
                _set_aside(connection, workspace_id, recipient_id, [change_id], error, at=at)
    return changes


def compose(
    connection: Connection,
    workspace_id: str,
    recipient_id: str,
    changes: Sequence[Handover],
    *,
    on: date,
    prefix: str,
) -> Digest | None:
    """The message about these changes, by the items' present state; None where nothing is left to say.

    Items that ask for something come first, each a part with its buttons; the others are lines of one part. `on` is the
    day of the recipient's calendar.
    """
    found = _news(changes)
    if not found:
        return None
    member = members.find(connection, workspace_id, recipient_id)
    to_person = is_person(recipient_id)
    # A channel is one of the workspace's own: that of the incident, or the one where its summary is.
    standing = (member.standing if member else UNKNOWN) if to_person else MEMBER
    names = members.names_of(connection, workspace_id, {each.change.by_id for each in found})
    facts = {"on": on, "names": names, "named": standing == MEMBER}
    told = [(each, _text(connection, each, recipient_id, standing, facts)) for each in found]
    asking = min(SHOWN, sum(each.what in _ASKING for each in found))
    parts = [DigestItem(text=text, controls=_controls(each)) for each, text in told[:asking]]
    lines, size = list[str](), 0
    for _, text in told[asking:]:
        line = text.partition("\n")[0]
        size += len(line) + 1
        if size <= LINES_LIMIT:
            lines.append(line)
    if more := len(told) - asking - len(lines):
        lines.append(slack("handover_more", more=more, slash=f"/{prefix}actionitem"))
    parts += [DigestItem(text="\n".join(lines), controls=())] if lines else []
    return Digest(
        head=slack("handover_head", found=found, leavers=_leavers(found, names)),
        parts=tuple(parts),
        foot="",
        # What is told in a line asks for nothing: it stays as it was told.
        holds=tuple((each.change.incident.id, each.change.item.id) for each in found if each.what in _ASKING),
    )


def told_of(changes: Sequence[Handover]) -> list[tuple[Incident, ActionItem]]:
    """The items that a message about these changes tells of, with their incidents."""
    return [(each.change.incident, each.change.item) for each in _news(changes)]


def _leavers(found: Sequence[News], names: dict[str, str]) -> list[str]:
    left = dict.fromkeys(each.change.by_id for each in found if each.what == LEFT)
    return [names.get(user_id, user_id) for user_id in left]


def _text(connection: Connection, told: News, recipient_id: str, standing: str, facts: dict[str, Any]) -> str:
    """What is said of one item as its recipient may read it."""
    change = told.change
    incident, item = shown_alone(connection, change.incident, change.item, user_id=recipient_id, standing=standing)
    return slack("handover", what=told.what, incident=incident, item=item, change=change, **facts).strip()


def _controls(told: News) -> tuple[Control, ...]:
    return _ASKING[told.what](told.change.incident, told.change.item)


def next_working_time(
    connection: Connection, changes: Sequence[Handover], *, at: datetime, cadence: Cadence
) -> datetime | None:
    """When the recipient of these changes, one or more, works next; None if they do at `at`."""
    own, zone = _hours(connection, changes[0].incident, changes[0].recipient_id, cadence)
    return None if own.is_working(at, zone) else own.next_opening(at, zone)


def reschedule(connection: Connection, ids: Collection[int], *, due_at: datetime) -> None:
    """Take a message back that could not be sent: its changes are told at `due_at` at the earliest."""
    handovers.postpone(connection, ids, due_at=due_at)


def enqueue_done(connection: Connection, incident: Incident, item: ActionItem, *, by: str, at: datetime) -> None:
    """Have the channel of a SEV1 told of an item that was done elsewhere."""
    if SEV1 in {incident.severity, incident.highest_severity} and incident.closed_as is None:
        content = {"incident_id": incident.id, "number": item.number, "by": by}
        outbox.add(
            connection, incident.workspace_id, lane=incident.channel_id, action=DONE_ELSEWHERE, content=content, at=at
        )


def done_line(connection: Connection, incident_id: int, item: ActionItem, by: str) -> tuple[str, str]:
    """The incident's channel, and the line about its item."""
    incident = incidents.by_id(connection, incident_id)
    line = slack("done_elsewhere", incident=incident, item=item, by=by)
    return incident.channel_id, without_secrets(line)
