"""Reminders: planned with each change of an item, claimed when due, and sent as one digest per recipient and day."""

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
    decide,
    is_due,
    next_due_at,
    recipient,
)
from storage import members, outbox, reminder_schedules, reminders
from storage.database import Database
from storage.values import ActionItem, Incident, Member, Reminder, ReminderSchedule

DIGEST = "digest"
"""The outbox job that sends a recipient the reminders of a day."""
SUMMARY = "summary"
"""The outbox job of the weekly summary, and its recipient: the channel is read from the settings when it is sent."""
BATCH = 50
"""Schedules claimed in one transaction."""
_PAGE = 500
_RETRY = timedelta(minutes=1)

People = dict[tuple[str, str], Member]
"""Members by (workspace id, user id)."""


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
    """Plan the item's reminders anew after a change at `at`, in the transaction of the change.

    Slots up to today count as reminded, except that an owner to whom the item was `handed_over` is reminded of them on
    the next working morning. A `redated` item may be escalated once more.
    """
    before = reminders.of_item(connection, item.id)
    due: dict[str, datetime | None] = {each.recipient_id: None for each in before.values()}
    if not item.pending:
        reminder_schedules.lock(connection, incident.workspace_id, due)
        # A sent escalation is remembered: if the item is reopened, the lead need not be told again.
        reminders.cancel(connection, item.id, but=ESCALATION)
        return
    people = _load_members(connection, incident.workspace_id, _user_ids(incident, item))
    draft = Reminder(
        id=0, kind=ITEM, recipient_id="", due_at=None, told_on=None, incident=incident, item=item,
        since_at=before[ITEM].since_at if ITEM in before else at,
    )  # fmt: skip
    to_owner = _plan_owner(draft, people, at=at, cadence=cadence, handed_over=handed_over, before=before.get(ITEM))
    escalated_on = before[ESCALATION].told_on if ESCALATION in before and not redated else None
    escalation = replace(draft, kind=ESCALATION, recipient_id=incident.channel_id, told_on=escalated_on)
    to_channel = _with_due_at(escalation, people, cadence, after=date.min)
    planned = [each for each in (to_owner, to_channel) if each.due_at or each.kind in before or each.kind == ITEM]
    for each in planned:
        due[each.recipient_id] = min(filter(None, (due.get(each.recipient_id), each.due_at)), default=None)
    reminder_schedules.lock(connection, incident.workspace_id, due)
    for each in planned:
        reminders.save(connection, each)


def _plan_owner(
    draft: Reminder, people: People, *, at: datetime, cadence: Cadence, handed_over: bool, before: Reminder | None
) -> Reminder:
    addressed = readdress(draft, people)
    zone = _zone(addressed, people, cadence)
    today = at.astimezone(zone).date()
    if handed_over and is_due(addressed, cadence, zone, on=today):
        return replace(addressed, due_at=cadence.next_opening(at, zone))
    told_on = today
    if addressed.recipient_id == draft.incident.channel_id:
        # A channel is reminded of an item once a week at most: a change of the item does not start a new week.
        last = before.told_on if before and before.told_on else date.min
        told_on = max(last, today - WEEK + timedelta(days=1))
    return _with_due_at(replace(addressed, told_on=told_on), people, cadence, after=today)


def _with_due_at(reminder: Reminder, people: People, cadence: Cadence, *, after: date) -> Reminder:
    return replace(reminder, due_at=next_due_at(reminder, cadence, _zone(reminder, people, cadence), after=after))


def plan_publication(
    connection: Connection, incident: Incident, *, is_open: bool, at: datetime, cadence: Cadence
) -> None:
    """Plan the reminder to publish the postmortem of an incident resolved at `at`; cancel it when it is open again."""
    before = reminders.postmortem_recipient(connection, incident.id)
    due: dict[str, datetime | None] = {before: None} if before else {}
    if is_open:
        reminder_schedules.lock(connection, incident.workspace_id, due)
        reminders.cancel_postmortem(connection, incident.id)
        return
    people = _load_members(connection, incident.workspace_id, _user_ids(incident, None))
    draft = Reminder(
        id=0, kind=POSTMORTEM, recipient_id="", due_at=None, told_on=None, item=None, since_at=at,
        incident=replace(incident, open=False),
    )  # fmt: skip
    planned = _with_due_at(readdress(draft, people), people, cadence, after=date.min)
    reminder_schedules.lock(connection, incident.workspace_id, due | {planned.recipient_id: planned.due_at})
    reminders.save(connection, planned)


def plan_summary(connection: Connection, workspace_id: str, *, at: datetime, cadence: Cadence) -> None:
    """Schedule the weekly summary, unless it is scheduled already."""
    reminder_schedules.lock(connection, workspace_id, {SUMMARY: cadence.next_week(at, cadence.zone)})


@dataclass(slots=True, kw_only=True)
class _Claim:
    """The schedules claimed in one transaction; `digest_days` maps those that get a digest to the recipient's date."""

    schedules: list[ReminderSchedule]
    at: datetime
    cadence: Cadence
    by_recipient: dict[tuple[str, str], ReminderSchedule] = field(default_factory=dict)
    digest_days: dict[ReminderSchedule, date] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_recipient = {(each.workspace_id, each.recipient_id): each for each in self.schedules}


def tick(database: Database, cadence: Cadence, *, at: datetime) -> int:
    """Claim what is due at `at`, and put a digest for each recipient into the outbox; return how many.

    Claims, next due times and digests are written in one transaction, so any number of replicas may tick at once.
    """
    count = 0
    if not cadence.on:
        return count
    with database.read() as connection:
        more = reminder_schedules.is_due(connection, at=at)
    while more:
        with database.write() as connection:
            schedules = reminder_schedules.claim(connection, at=at, most=BATCH)
            if schedules:
                count += _process(connection, _Claim(schedules=schedules, at=at, cadence=cadence))
        more = bool(schedules)
    return count


def _process(connection: Connection, claim: _Claim) -> int:
    summaries = [each for each in claim.schedules if each.recipient_id == SUMMARY]
    jobs = [job for each in summaries if (job := _summary_job(connection, claim, each))]
    schedules = [each for each in claim.schedules if each.recipient_id != SUMMARY]
    for page in reminders.due(connection, schedules, at=claim.at, most=_PAGE):
        people = load_people(connection, page)
        reminders.settle(connection, [_settle(connection, claim, each, people) for each in page])
    days = claim.digest_days
    reminder_schedules.reschedule(connection, schedules, digest_days=days)
    jobs += [_job(each, DIGEST, days[each]) for each in schedules if each in days]
    outbox.add_all(connection, jobs, at=claim.at)
    return len(jobs)


def _settle(connection: Connection, claim: _Claim, reminder: Reminder, people: People) -> dict[str, Any]:
    """The reminder's new row; adds its schedule to `digest_days` if it is sent now."""
    row = {"reminder": reminder.id, "recipient": reminder.recipient_id, "told": reminder.told_on}
    workspace_id, recipient_id = reminder.incident.workspace_id, readdress(reminder, people).recipient_id
    if recipient_id != reminder.recipient_id:
        # The lead changed, or the owner left. The new recipient's schedule is claimed later in this tick, or in another
        # one. A tick never waits for a lock that another transaction holds.
        if not reminder_schedules.try_lock(connection, workspace_id, recipient_id):
            return row | {"due": claim.at + _RETRY}
        reminder_schedules.lock(connection, workspace_id, {recipient_id: claim.at})
        return row | {"recipient": recipient_id, "due": claim.at}
    schedule = claim.by_recipient[workspace_id, recipient_id]
    zone = _zone(reminder, people, claim.cadence)
    decision = decide(reminder, at=claim.at, zone=zone, cadence=claim.cadence, told_on=schedule.told_on)
    if decision.send:
        row["told"] = claim.digest_days[schedule] = claim.at.astimezone(zone).date()
    return row | {"due": decision.next_at}


def _summary_job(connection: Connection, claim: _Claim, schedule: ReminderSchedule) -> dict[str, Any] | None:
    zone, cadence, at = claim.cadence.zone, claim.cadence, claim.at
    working, today = cadence.is_working(at, zone), at.astimezone(zone).date()
    due_at = cadence.next_week(at, zone) if working else cadence.next_opening(at, zone)
    told_on = today if working else schedule.told_on
    reminder_schedules.postpone(connection, schedule, due_at=due_at, told_on=told_on)
    return _job(schedule, SUMMARY, today) if working else None


def _job(schedule: ReminderSchedule, action: str, on: date) -> dict[str, Any]:
    recipient_id = schedule.recipient_id
    content = {"recipient": recipient_id, "on": on.isoformat()}
    return {"workspace_id": schedule.workspace_id, "lane": recipient_id, "action": action, "content": content}


def readdress(reminder: Reminder, people: People) -> Reminder:
    """The reminder with its present recipient: the lead may have changed, the owner may have left."""
    workspace_id = reminder.incident.workspace_id
    barred = {user_id for (team, user_id), member in people.items() if team == workspace_id and member.barred}
    return replace(reminder, recipient_id=recipient(reminder.kind, reminder.incident, reminder.item, barred))


def recipient_zone(incident: Incident, recipient_id: str, member: Member | None, cadence: Cadence) -> ZoneInfo:
    """The recipient's zone: the incident's for its channel, the member's own, else the default."""
    if recipient_id == incident.channel_id:
        return ZoneInfo(incident.timezone)
    return ZoneInfo(member.timezone) if member and member.timezone else cadence.zone


def _zone(reminder: Reminder, people: People, cadence: Cadence) -> ZoneInfo:
    incident = reminder.incident
    member = people.get((incident.workspace_id, reminder.recipient_id))
    return recipient_zone(incident, reminder.recipient_id, member, cadence)


def load_people(connection: Connection, page: Iterable[Reminder]) -> People:
    """The owners and leads of the reminders, as far as the member list knows them."""
    by_workspace: dict[str, set[str]] = {}
    for each in page:
        by_workspace.setdefault(each.incident.workspace_id, set()).update(_user_ids(each.incident, each.item))
    people: People = {}
    for workspace_id, user_ids in by_workspace.items():
        people |= _load_members(connection, workspace_id, user_ids)
    return people


def _load_members(connection: Connection, workspace_id: str, user_ids: set[str]) -> People:
    found = members.find_many(connection, workspace_id, user_ids) if user_ids else {}
    return {(workspace_id, user_id): member for user_id, member in found.items()}


def _user_ids(incident: Incident, item: ActionItem | None) -> set[str]:
    return {each for each in (item.owner_id if item else None, incident.lead_id) if each}
