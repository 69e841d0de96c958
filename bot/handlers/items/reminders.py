"""Reminders: planned with every change of an item, claimed by a tick, told in one digest a day."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.domain.items.cadence import Cadence
from bot.domain.items.reminders import (
    ESCALATION,
    ITEM,
    POSTMORTEM,
    WEEK,
    Decision,
    decide,
    is_due,
    next_due_at,
    recipient,
)
from storage import members, outbox, reminder_schedules, reminders
from storage.database import Database
from storage.values import ActionItem, Incident, Member, Reminder, ReminderSchedule

DIGEST = "digest"
"""The job that tells one recipient of a day's reminders."""
SUMMARY = "summary"
"""The recipient of the weekly summary; which channel that is, the settings say when it is sent."""
BATCH = 50
"""How many agendas are claimed in one transaction."""
_PAGE = 500
_SOON = timedelta(minutes=1)

People = dict[tuple[str, str], Member]


def plan_item(
    connection: Connection,
    incident: Incident,
    item: ActionItem,
    *,
    at: datetime,
    cadence: Cadence,
    handed_over: bool = False,
    redated: bool = False,
) -> None:
    """Plan the item's reminders anew after a change at `at`, in the change's own transaction.

    What has come up to today counts as told; but an owner whom it was `handed_over` to hears of it the next working
    morning. A new due date may be escalated once more.
    """
    before = reminders.of_item(connection, item.id)
    taken: dict[str, datetime | None] = {each.recipient_id: None for each in before.values()}
    if not item.pending:
        reminder_schedules.lock(connection, incident.workspace_id, taken)
        # An item that is reopened is no news to the lead, who was told.
        reminders.cancel(connection, item.id, but=ESCALATION)
        return
    people = _people(connection, incident.workspace_id, _named(incident, item))
    bare = Reminder(
        id=0, kind=ITEM, recipient_id="", due_at=None, told_on=None, incident=incident, item=item,
        since_at=before[ITEM].since_at if ITEM in before else at,
    )  # fmt: skip
    escalated_on = before[ESCALATION].told_on if ESCALATION in before and not redated else None
    both = (
        _to_owner(bare, people, at=at, cadence=cadence, handed_over=handed_over, last=before.get(ITEM)),
        _to_channel(replace(bare, told_on=escalated_on), people, cadence=cadence),
    )
    planned = [each for each in both if each.due_at or each.kind in before or each.kind == ITEM]
    for each in planned:
        earlier = taken.get(each.recipient_id)
        taken[each.recipient_id] = min(filter(None, (earlier, each.due_at)), default=None)
    reminder_schedules.lock(connection, incident.workspace_id, taken)
    for each in planned:
        reminders.save(connection, each)


def _to_owner(
    bare: Reminder, people: People, *, at: datetime, cadence: Cadence, handed_over: bool, last: Reminder | None
) -> Reminder:
    mine = readdress(bare, people)
    zone = _zone(mine, people, cadence)
    today = at.astimezone(zone).date()
    if handed_over and is_due(mine, cadence, zone, on=today):
        return replace(mine, due_at=cadence.next_opening(at, zone))
    told = replace(mine, told_on=_counted(mine, last, today))
    return replace(told, due_at=next_due_at(told, cadence, zone, after=today))


def _counted(mine: Reminder, last: Reminder | None, today: date) -> date:
    """The day to be noted as told, for no slot up to today to come any more.

    A channel has its week of peace after what it was told, not after what somebody changed.
    """
    if mine.recipient_id != mine.incident.channel_id:
        return today
    return max(last.told_on if last and last.told_on else date.min, today - WEEK + timedelta(days=1))


def _to_channel(bare: Reminder, people: People, *, cadence: Cadence) -> Reminder:
    escalation = replace(bare, kind=ESCALATION, recipient_id=bare.incident.channel_id)
    due_at = next_due_at(escalation, cadence, _zone(escalation, people, cadence), after=date.min)
    return replace(escalation, due_at=due_at)


def plan_publication(
    connection: Connection, incident: Incident, *, is_open: bool, at: datetime, cadence: Cadence
) -> None:
    """Plan the reminder to publish when the incident was resolved at `at`, or forget it when it is open again."""
    before = reminders.postmortem_recipient(connection, incident.id)
    taken: dict[str, datetime | None] = {before: None} if before else {}
    if is_open:
        reminder_schedules.lock(connection, incident.workspace_id, taken)
        reminders.cancel_postmortem(connection, incident.id)
        return
    people = _people(connection, incident.workspace_id, _named(incident, None))
    bare = Reminder(
        id=0, kind=POSTMORTEM, recipient_id="", due_at=None, told_on=None, item=None, since_at=at,
        incident=replace(incident, open=False),
    )  # fmt: skip
    planned = readdress(bare, people)
    due_at = next_due_at(planned, cadence, _zone(planned, people, cadence), after=date.min)
    reminder_schedules.lock(connection, incident.workspace_id, taken | {planned.recipient_id: due_at})
    reminders.save(connection, replace(planned, due_at=due_at))


def plan_summary(connection: Connection, workspace_id: str, *, at: datetime, cadence: Cadence) -> None:
    """See to it that the weekly summary has its agenda."""
    reminder_schedules.lock(connection, workspace_id, {SUMMARY: cadence.next_week(at, cadence.zone)})


@dataclass(slots=True, kw_only=True)
class _Claim:
    """The agendas held in one transaction of a tick, and what is found out about them."""

    held: list[ReminderSchedule]
    at: datetime
    cadence: Cadence
    by_recipient: dict[tuple[str, str], ReminderSchedule] = field(default_factory=dict)
    days: dict[ReminderSchedule, date] = field(default_factory=dict)
    told: set[ReminderSchedule] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.by_recipient = {(each.workspace_id, each.recipient_id): each for each in self.held}


def tick(database: Database, cadence: Cadence, *, at: datetime) -> int:
    """Claim what is due at `at`, and put a digest for each recipient into the outbox; how many that were.

    Claims, next dates and digests are of one transaction, so any number of replicas may tick at once.
    """
    written = 0
    if not cadence.on:
        return written
    with database.read() as connection:
        busy = reminder_schedules.is_due(connection, at=at)
    while busy:
        with database.write() as connection:
            held = reminder_schedules.claim(connection, at=at, most=BATCH)
            written += _work_off(connection, _Claim(held=held, at=at, cadence=cadence)) if held else 0
        busy = bool(held)
    return written


def _work_off(connection: Connection, claim: _Claim) -> int:
    summaries = [each for each in claim.held if each.recipient_id == SUMMARY]
    jobs = [job for each in summaries if (job := _summary(connection, claim, each))]
    held = [each for each in claim.held if each.recipient_id != SUMMARY]
    for page in reminders.due(connection, held, at=claim.at, most=_PAGE):
        people = load_people(connection, page)
        reminders.settle(connection, [_settled(connection, claim, each, people) for each in page])
    reminder_schedules.reschedule(connection, held, told=claim.told, on=claim.days)
    jobs += [_job(each, DIGEST, claim.days[each]) for each in held if each in claim.told]
    outbox.add_all(connection, jobs, at=claim.at)
    return len(jobs)


def _settled(connection: Connection, claim: _Claim, reminder: Reminder, people: People) -> dict[str, Any]:
    """The reminder's row from now on; its agenda is marked where it is to be told."""
    row = {"reminder": reminder.id, "recipient": reminder.recipient_id, "told": reminder.told_on}
    right = readdress(reminder, people)
    workspace_id = reminder.incident.workspace_id
    if right.recipient_id != reminder.recipient_id:
        # The lead changed, or the owner left. Its new agenda is looked at in this same tick, or in the next one.
        if not reminder_schedules.try_lock(connection, workspace_id, right.recipient_id):
            return row | {"due": claim.at + _SOON}
        reminder_schedules.lock(connection, workspace_id, {right.recipient_id: claim.at})
        return row | {"recipient": right.recipient_id, "due": claim.at}
    agenda = claim.by_recipient[workspace_id, reminder.recipient_id]
    zone = _zone(reminder, people, claim.cadence)
    found = decide(reminder, at=claim.at, zone=zone, cadence=claim.cadence, told_on=agenda.told_on)
    if found.send:
        claim.told.add(agenda)
        row["told"] = claim.days[agenda] = claim.at.astimezone(zone).date()
    return row | {"due": found.next_at}


def _summary(connection: Connection, claim: _Claim, agenda: ReminderSchedule) -> dict[str, Any] | None:
    zone, cadence, at = claim.cadence.zone, claim.cadence, claim.at
    working, today = cadence.is_working(at, zone), at.astimezone(zone).date()
    due_at = cadence.next_week(at, zone) if working else cadence.next_opening(at, zone)
    reminder_schedules.postpone(connection, agenda, due_at=due_at, told_on=today if working else agenda.told_on)
    return _job(agenda, SUMMARY, today) if working else None


def _job(agenda: ReminderSchedule, action: str, on: date) -> dict[str, Any]:
    content = {"recipient": agenda.recipient_id, "on": on.isoformat()}
    return {"workspace_id": agenda.workspace_id, "lane": agenda.recipient_id, "action": action, "content": content}


def judge(reminder: Reminder, people: People, *, at: datetime, cadence: Cadence, told_on: date | None) -> Decision:
    """What a tick at `at` would do with the reminder, once it is addressed to whom it is for by now."""
    right = readdress(reminder, people)
    return decide(right, at=at, zone=_zone(right, people, cadence), cadence=cadence, told_on=told_on)


def readdress(reminder: Reminder, people: People) -> Reminder:
    """The reminder with whom it is for by now: the lead may have changed, the owner may have left."""
    workspace_id = reminder.incident.workspace_id
    barred = {user_id for (team, user_id), each in people.items() if team == workspace_id and each.barred}
    return replace(reminder, recipient_id=recipient(reminder.kind, reminder.incident, reminder.item, barred))


def recipient_zone(incident: Incident, recipient_id: str, member: Member | None, cadence: Cadence) -> ZoneInfo:
    """The zone of a reminder's recipient: the person's own, the incident's for a channel, else the default."""
    if recipient_id == incident.channel_id:
        return ZoneInfo(incident.timezone)
    return ZoneInfo(member.timezone) if member and member.timezone else cadence.zone


def _zone(reminder: Reminder, people: People, cadence: Cadence) -> ZoneInfo:
    incident = reminder.incident
    member = people.get((incident.workspace_id, reminder.recipient_id))
    return recipient_zone(incident, reminder.recipient_id, member, cadence)


def _named(incident: Incident, item: ActionItem | None) -> set[str]:
    return {each for each in (item.owner_id if item else None, incident.lead_id) if each}


def load_people(connection: Connection, page: Iterable[Reminder]) -> People:
    """The owners and leads of all these reminders, as far as Slack told of them."""
    named: dict[str, set[str]] = {}
    for each in page:
        named.setdefault(each.incident.workspace_id, set()).update(_named(each.incident, each.item))
    return {
        key: member
        for workspace_id, user_ids in named.items()
        for key, member in _people(connection, workspace_id, user_ids).items()
    }


def _people(connection: Connection, workspace_id: str, user_ids: set[str]) -> People:
    found = members.find_many(connection, workspace_id, user_ids) if user_ids else {}
    return {(workspace_id, user_id): member for user_id, member in found.items()}
