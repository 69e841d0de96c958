"""Reminders: planned with each change of an item, claimed when due, and sent as one digest per recipient and day."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bot.domain.items.cadence import Cadence
from bot.domain.items.reminders import (
    ESCALATION,
    ITEM,
    POSTMORTEM,
    WORKED,
    decide,
    is_person,
    next_due_at,
    reader,
    recipient,
)
from bot.domain.items.rhythm import personal
from bot.handlers.items.summaries import begin_summary
from storage import incidents, members, outbox
from storage.availability import is_away
from storage.database import Database, Transactions
from storage.items import action_items, digests, reminder_schedules, reminders, summaries
from storage.outbox import Job
from storage.values import ActionItem, Incident, Member, Reminder, ReminderSchedule, Rhythm

DIGEST = "digest"
"""The outbox job that sends a recipient the reminders of a day."""
SUMMARY = "summary"
"""The outbox job of the weekly summary, and its recipient: the channel is read from the settings when it is sent."""
EXPIRED = "expired"
"""The outbox job that tells who proposed them which proposals were dropped."""
TAKE_UP = "remind"
"""The outbox job, parked from the beginning, of a reminder that could not be looked at."""
BATCH = 50
"""Schedules claimed in one transaction."""
CLOSED_FOR = timedelta(days=14)
"""How long a channel counts as closed after Slack refused a message to it; then it is tried once more."""
_CLOSED = "closed"
_PAGE = 500
_RETRY = timedelta(minutes=1)
_log = logging.getLogger(__name__)


class People(dict[tuple[str, str], Member]):
    """Members by (workspace id, user id). A channel that is closed to the bot is in it as one who is barred.

    `rhythms` are those of the people who have set one, also by their ids.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rhythms: dict[tuple[str, str], Rhythm] = {}

    def with_open_channels(self) -> "People":
        """The same, as if no channel were closed to the bot."""
        people = People()
        people.rhythms = self.rhythms
        people |= {key: member for key, member in self.items() if member.barred != _CLOSED}
        return people


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

    Steps up to today count as told of an item that is new, reopened or `redated`. To whom it was `handed_over`, a
    message of its own says so, today or on the next workday: up to that day no digest does.
    """
    people = _load_people(connection, [(incident, item)], cadence, at=at)
    change = _ItemChange(
        incident=incident, item=item, people=people, at=at, cadence=cadence, handed_over=handed_over, redated=redated
    )
    before = reminders.of_item(connection, item.id)
    due: dict[str, datetime | None] = {each.recipient_id: None for each in before.values()}
    for each in change.planned(before):
        _add_due(due, each)
    reminder_schedules.lock(connection, incident.workspace_id, due)
    # A tick may have told of it until the lock was taken.
    planned = change.planned(reminders.of_item(connection, item.id))
    if not item.pending:
        # A sent escalation is remembered: if the item is reopened, the lead need not be told again.
        reminders.cancel(connection, item.id, but=ESCALATION)
    for each in planned:
        reminders.save(connection, each)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ItemChange:
    """A change of an item, and what follows from it for the item's reminders."""

    incident: Incident
    item: ActionItem
    people: People
    at: datetime
    cadence: Cadence
    handed_over: bool
    redated: bool

    def planned(self, before: Mapping[str, Reminder]) -> list[Reminder]:
        """The reminders to store; `before` are those that are stored now, by kind."""
        worked = self._draft(WORKED, before)
        planned = [replace(worked, since_at=self.at)]
        if self.item.pending:
            planned = [self._to_owner(before), self._to_lead(before), *planned]
        dated = [self._with_due_at(each) for each in planned]
        kept = {ITEM, *before} if self.item.pending else set[str]()
        return [each for each in dated if each.due_at or each.kind in kept]

    def _to_owner(self, before: Mapping[str, Reminder]) -> Reminder:
        draft = self._draft(ITEM, before)
        today = self._today(draft)
        if self.handed_over:
            return replace(draft, told_on=None, handed_on=self._next_working_day(draft), times=0)
        return replace(draft, told_on=today) if ITEM not in before or self.redated else draft

    def _to_lead(self, before: Mapping[str, Reminder]) -> Reminder:
        draft = self._draft(ESCALATION, before)
        if ITEM in before and not (self.redated or self.handed_over):
            return draft
        told_on = None if self.redated else draft.told_on
        return replace(draft, told_on=told_on, handed_on=self._today(draft), snoozed_until=None)

    def _draft(self, kind: str, before: Mapping[str, Reminder]) -> Reminder:
        """The stored reminder of the kind, or a new one, with the item and the recipient of now."""
        new = Reminder(
            id=0, kind=kind, recipient_id="", due_at=None, told_on=None, incident=self.incident, item=self.item,
            since_at=self.at,
        )  # fmt: skip
        known = replace(before.get(kind, new), incident=self.incident, item=self.item)
        return _addressed(known, self.people, self.cadence)

    def _with_due_at(self, reminder: Reminder) -> Reminder:
        if readdress(reminder, self.people, self.cadence) is None:
            return replace(reminder, due_at=None)
        cadence, zone = calendar_of(reminder, self.people, self.cadence)
        return replace(reminder, due_at=next_due_at(reminder, cadence, zone, after=date.min))

    def _today(self, reminder: Reminder) -> date:
        _, zone = calendar_of(reminder, self.people, self.cadence)
        return self.at.astimezone(zone).date()

    def _next_working_day(self, reminder: Reminder) -> date:
        """Today in working hours, else the day on which they begin next."""
        cadence, zone = calendar_of(reminder, self.people, self.cadence)
        working = cadence.is_working(self.at, zone)
        return (self.at if working else cadence.next_opening(self.at, zone)).astimezone(zone).date()


def snooze_escalation(
    connection: Connection, incident: Incident, item: ActionItem, *, until: date, at: datetime, cadence: Cadence
) -> bool:
    """Tell the lead nothing of the item before that day; its owner is reminded as before.

    Returns False, and does nothing, where the lead would not be told of it before anyway.
    """
    people = _load_people(connection, [(incident, item)], cadence, at=at)
    known = reminders.of_item(connection, item.id).get(ESCALATION)
    due: dict[str, datetime | None] = {known.recipient_id: None} if known else {}
    draft = known or Reminder(
        id=0, kind=ESCALATION, recipient_id="", due_at=None, told_on=None, incident=incident, item=item, since_at=at
    )
    snoozed = _addressed(replace(draft, incident=incident, item=item, snoozed_until=until), people, cadence)
    calendar, zone = calendar_of(snoozed, people, cadence)
    today = at.astimezone(zone).date()
    awake_at = next_due_at(replace(snoozed, snoozed_until=None), calendar, zone, after=today)
    due_at = next_due_at(snoozed, calendar, zone, after=today)
    if due_at in {None, awake_at} or readdress(snoozed, people, cadence) is None:
        return False
    snoozed = replace(snoozed, due_at=due_at)
    # No item changes, but what the lead is shown of it.
    digests.note_change(connection, incident.id, at=at)
    _add_due(due, snoozed)
    reminder_schedules.lock(connection, incident.workspace_id, due)
    reminders.save(connection, snoozed)
    return True


def _add_due(due: dict[str, datetime | None], reminder: Reminder) -> None:
    """Let the recipient's schedule be due no later than the reminder."""
    earliest = filter(None, (due.get(reminder.recipient_id), reminder.due_at))
    due[reminder.recipient_id] = min(earliest, default=None)


def lock_recipients(
    connection: Connection, concerned: Iterable[Incident], items: Iterable[ActionItem], cadence: Cadence
) -> None:
    """Lock the schedules of all whom the items' reminders may reach, before each item is planned.

    Always in the same order: two transactions that plan several items in turn would deadlock otherwise.
    """
    owners = {item.owner_id for item in items}
    if not owners:
        return
    for incident in concerned:
        others = (incident.lead_id, cadence.summary_channel, incident.declared_by_id, incident.channel_id)
        recipients = sorted({each for each in (*owners, *others) if each})
        reminder_schedules.lock(connection, incident.workspace_id, dict.fromkeys(recipients))


def plan_publication(
    connection: Connection, incident: Incident, *, is_open: bool, at: datetime, cadence: Cadence
) -> None:
    """Plan the reminder to publish the postmortem of an incident resolved at `at`; cancel it when it is open again."""
    before = reminders.postmortem_recipient(connection, incident.id)
    due: dict[str, datetime | None] = {before: None} if before else {}
    if is_open:
        reminder_schedules.lock(connection, incident.workspace_id, due)
        reminders.cancel_postmortem(connection, incident.id)
        digests.note_change(connection, incident.id, at=at)
        return
    people = _load_people(connection, [(incident, None)], cadence, at=at)
    draft = Reminder(
        id=0, kind=POSTMORTEM, recipient_id="", due_at=None, told_on=None, item=None, since_at=at,
        incident=replace(incident, open=False),
    )  # fmt: skip
    addressed = _addressed(draft, people, cadence)
    calendar, zone = calendar_of(addressed, people, cadence)
    planned = replace(addressed, due_at=next_due_at(addressed, calendar, zone, after=date.min))
    reminder_schedules.lock(connection, incident.workspace_id, due | {planned.recipient_id: planned.due_at})
    reminders.save(connection, planned)


def plan_anew(connection: Connection, before: Incident, incident: Incident, *, at: datetime, cadence: Cadence) -> None:
    """Plan all reminders of the incident anew: somebody else leads it, in other hours."""
    items = action_items.of_incident(connection, incident.id)
    lock_recipients(connection, (before, incident), items, cadence)
    for item in items:
        plan_item(connection, incident, item, at=at, cadence=cadence)
    recipient_id = reminders.postmortem_recipient(connection, incident.id)
    if recipient_id:
        # The next tick addresses it to the new lead.
        reminder_schedules.lock(connection, incident.workspace_id, {recipient_id: at})
        reminders.wake_postmortem(connection, incident.id, due_at=at)


def plan_summary(connection: Connection, workspace_id: str, *, at: datetime, cadence: Cadence) -> None:
    """Schedule the weekly summary, unless it is scheduled already; the first one tells of the week before it."""
    due_at = cadence.next_week(at, cadence.zone)
    reminder_schedules.lock(connection, workspace_id, {SUMMARY: due_at})
    if not summaries.has_begun(connection, workspace_id):
        # An older release noted the day of its last summary alone.
        told_on = reminder_schedules.told_on(connection, workspace_id, SUMMARY)
        since_at = cadence.opening(told_on, cadence.zone) if told_on else min(at, due_at - summaries.FIRST)
        summaries.begin(connection, workspace_id, since_at=since_at)


@dataclass(slots=True, kw_only=True)
class _Claim:
    """The schedules claimed in one transaction; `digest_days` maps those that get a digest to the recipient's date.

    `bundles` are those whose digest is the week's bundle, and `expired` the proposals to drop.
    """

    schedules: list[ReminderSchedule]
    at: datetime
    cadence: Cadence
    by_recipient: dict[tuple[str, str], ReminderSchedule] = field(default_factory=dict)
    digest_days: dict[ReminderSchedule, date] = field(default_factory=dict)
    bundles: set[ReminderSchedule] = field(default_factory=set)
    expired: list[Reminder] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.by_recipient = {(each.workspace_id, each.recipient_id): each for each in self.schedules}


def tick(database: Transactions, cadence: Cadence, *, at: datetime) -> int:
    """Claim what is due at `at`, and put a digest for each recipient into the outbox; return how many.

    Claims, next due times and digests are written in one transaction, so any number of replicas may tick at once.
    """
    count = 0
    if not cadence.on:
        return count
    with database.read() as connection:
        more = reminder_schedules.is_due(connection, at=at)
    most = BATCH
    while more:
        schedules: list[ReminderSchedule] = []
        try:
            with database.write() as connection:
                schedules = reminder_schedules.claim(connection, at=at, most=most)
                if schedules:
                    count += _process(connection, _Claim(schedules=schedules, at=at, cadence=cadence))
        except Exception as error:
            if is_away(error):
                raise
            if _set_unreadable_aside(database, error, at=at):
                continue
            # One of them must not keep the others from being reminded; alone, each shows which one it is.
            if most == 1 and not _set_schedule_aside(database, schedules, error, at=at):
                raise
            most = 1
        else:
            more = bool(schedules)
    return count


def _process(connection: Connection, claim: _Claim) -> int:
    summaries = [each for each in claim.schedules if each.recipient_id == SUMMARY]
    jobs = [job for each in summaries if (job := _summary_job(connection, claim, each))]
    schedules = [each for each in claim.schedules if each.recipient_id != SUMMARY]
    bad: list[tuple[int, Exception]] = []
    for page in reminders.due(connection, schedules, at=claim.at, most=_PAGE, set_aside=lambda *each: bad.append(each)):
        people = load_people(connection, page, claim.cadence, at=claim.at)
        rows = []
        for each in page:
            try:
                rows.append(_settle(connection, claim, each, people))
            except DBAPIError:
                # The transaction may be lost.
                raise
            except Exception as error:  # noqa: BLE001 - the boundary: one reminder must not stop the others
                bad.append((each.id, error))
        reminders.settle(connection, rows)
    for reminder_id, problem in bad:
        of = reminders.set_aside(connection, reminder_id)
        set_aside(connection, *of, {"reminder": reminder_id}, problem, at=claim.at)
    days = claim.digest_days
    _drop(connection, claim)
    reminder_schedules.reschedule(connection, schedules, digest_days=days, bundles=claim.bundles)
    jobs += [_job(each, DIGEST, days[each]) for each in schedules if each in days]
    outbox.add_all(connection, jobs, at=claim.at)
    return len(jobs)


def _set_unreadable_aside(database: Transactions, error: Exception, *, at: datetime) -> bool:
    with database.write() as connection:
        found = reminder_schedules.set_unreadable_aside(connection, at=at)
        for each in found:
            set_unreadable_aside(connection, *each, {"unreadable": True}, error, at=at)
    return bool(found)


def set_unreadable_aside(
    connection: Connection, workspace_id: str, *of: Any, at: datetime, action: str = TAKE_UP
) -> None:
    """As `set_aside`; where the id of the workspace is what cannot be read, the job is the first known workspace's."""
    known = incidents.workspace_ids(connection)
    workspace_id = workspace_id if workspace_id in known else next(iter(known), workspace_id)
    set_aside(connection, workspace_id, *of, at=at, action=action)


def _set_schedule_aside(
    database: Transactions, schedules: list[ReminderSchedule], error: Exception, *, at: datetime
) -> bool:
    with database.write() as connection:
        found = reminder_schedules.set_next_aside(connection, at=at, of=schedules[0] if schedules else None)
        if found is not None:
            set_aside(connection, *found, {}, error, at=at)
    return found is not None


def set_aside(
    connection: Connection,
    workspace_id: str,
    recipient_id: str,
    content: dict[str, Any],
    error: Exception,
    *,
    at: datetime,
    action: str = TAKE_UP,
) -> None:
    """Keep what could not be done as a parked job of the outbox, which takes it up again when it is retried."""
    _log.error("%s set aside: %s", action, type(error).__name__, exc_info=error)
    outbox.add_set_aside(
        connection,
        workspace_id,
        lane=recipient_id,
        action=action,
        content={"recipient": recipient_id, **content},
        problem=type(error).__name__,
        at=at,
    )


def take_up(database: Database, job: Job, *, at: datetime) -> None:
    """Make a reminder due that was set aside, and the schedule of its recipient."""
    with database.write() as connection:
        if "unreadable" in job.content:
            # Whose it was shows only once it is mended: an operator asks for this, and rarely.
            reminder_schedules.wake_all(connection, at=at)
            return
        reminder_schedules.lock(connection, job.workspace_id, {job.content["recipient"]: at})
        if "reminder" in job.content:
            reminders.set_due(connection, job.content["reminder"], at)


def _settle(connection: Connection, claim: _Claim, reminder: Reminder, people: People) -> dict[str, Any]:
    """The reminder's new row; adds its schedule to `digest_days` if it is sent now."""
    row = {"reminder": reminder.id, "recipient": reminder.recipient_id, "told": reminder.told_on}
    addressed = readdress(reminder, people, claim.cadence)
    if addressed is None:
        return row | {"due": None}
    workspace_id, recipient_id = reminder.incident.workspace_id, addressed.recipient_id
    if recipient_id != reminder.recipient_id:
        # The lead changed, or the owner left. The new recipient's schedule is claimed later in this tick, or in another
        # one. A tick never waits for a lock that another transaction holds.
        if not reminder_schedules.try_lock(connection, workspace_id, recipient_id):
            return row | {"due": claim.at + _RETRY}
        reminder_schedules.lock(connection, workspace_id, {recipient_id: claim.at})
        return row | {"recipient": recipient_id, "due": claim.at}
    schedule = claim.by_recipient[workspace_id, recipient_id]
    cadence, zone = calendar_of(reminder, people, claim.cadence)
    decision = decide(
        reminder, at=claim.at, zone=zone, cadence=cadence, told_on=schedule.told_on, bundled_on=schedule.bundled_on
    )
    if decision.why == "expired":
        claim.expired.append(reminder)
        return row | {"due": claim.at + _RETRY}
    if decision.send and not cadence.on:
        return row | {"due": cadence.next_opening(claim.at, zone)}
    if decision.send:
        row["told"] = claim.digest_days[schedule] = claim.at.astimezone(zone).date()
    if decision.bundled:
        claim.bundles.add(schedule)
    return row | {"due": decision.next_at}


def _drop(connection: Connection, claim: _Claim) -> None:
    """Drop the expired proposals, and have it told to who proposed them, in their working hours.

    One whose incident somebody is changing is left for the next tick.
    """
    if not claim.expired:
        return
    held = [each for each in claim.expired if incidents.try_lock(connection, each.incident.id)]
    items = [each.item for each in held if each.item]
    proposers = action_items.proposers(connection, [item.id for item in items])
    dropped: dict[tuple[str, str], list[int]] = {}
    for each in held:
        if each.item is None:
            continue
        reason = f"nobody took it in {claim.cadence.drop} days"
        action_items.revise(connection, each.item, by=action_items.SCRIBE, at=claim.at, state="dropped", reason=reason)
        reminders.cancel(connection, each.item.id, but=ESCALATION)
        dropped.setdefault((each.incident.workspace_id, proposers[each.item.id]), []).append(each.item.id)
    for (workspace_id, user_id), item_ids in dropped.items():
        member = members.find(connection, workspace_id, user_id)
        if not is_person(user_id) or (member is not None and member.barred):
            continue
        zone = ZoneInfo(member.timezone) if member and member.timezone else claim.cadence.zone
        working = claim.cadence.is_working(claim.at, zone)
        outbox.add(
            connection,
            workspace_id,
            # A job for later would block the others of its lane.
            lane=f"{EXPIRED}:{user_id}",
            action=EXPIRED,
            content={"recipient": user_id, "items": item_ids, "days": claim.cadence.drop},
            at=claim.at,
            due_at=None if working else claim.cadence.next_opening(claim.at, zone),
        )


def _summary_job(connection: Connection, claim: _Claim, schedule: ReminderSchedule) -> dict[str, Any] | None:
    zone, cadence, at = claim.cadence.zone, claim.cadence, claim.at
    working, today = cadence.is_working(at, zone), at.astimezone(zone).date()
    due_at = cadence.next_week(at, zone) if working else cadence.next_opening(at, zone)
    told_on = today if working else schedule.told_on
    reminder_schedules.postpone(connection, schedule, due_at=due_at, told_on=told_on)
    if not working:
        return None
    job = _job(schedule, SUMMARY, today)
    return {**job, "content": job["content"] | begin_summary(connection, schedule.workspace_id, at=at)}


def _job(schedule: ReminderSchedule, action: str, on: date) -> dict[str, Any]:
    recipient_id = schedule.recipient_id
    content = {"recipient": recipient_id, "on": on.isoformat()}
    return {"workspace_id": schedule.workspace_id, "lane": recipient_id, "action": action, "content": content}


def readdress(reminder: Reminder, people: People, cadence: Cadence) -> Reminder | None:
    """The reminder with its present recipient: the lead may have changed, the owner may have left; None for nobody."""
    incident, item = reminder.incident, reminder.item
    concerned = (*_user_ids(incident, item), *_channel_ids(incident, cadence))
    found = (people.get((incident.workspace_id, each)) for each in concerned)
    barred = {member.user_id for member in found if member and member.barred}
    recipient_id = recipient(reminder.kind, incident, item, barred=barred, summary_channel=cadence.summary_channel)
    return replace(reminder, recipient_id=recipient_id) if recipient_id else None


def _addressed(reminder: Reminder, people: People, cadence: Cadence) -> Reminder:
    """As `readdress`; what is for nobody keeps its recipient, or gets the incident's channel."""
    kept = replace(reminder, recipient_id=reminder.recipient_id or reminder.incident.channel_id)
    return readdress(reminder, people, cadence) or kept


def calendar_of(reminder: Reminder, people: People, cadence: Cadence) -> tuple[Cadence, ZoneInfo]:
    """The cadence and the zone in which the reminder is sent: its reader's, else its incident's in that channel.

    The cadence is off for who has muted their digests; what is escalated comes in everybody's hours all the same.
    """
    incident = reminder.incident
    member = people.get((incident.workspace_id, reader(reminder) or ""))
    rhythm = people.rhythms.get((incident.workspace_id, reminder.recipient_id))
    if rhythm and reminder.kind != ESCALATION:
        cadence = personal(cadence, rhythm)
    if member and member.timezone:
        return cadence, ZoneInfo(member.timezone)
    in_channel = reminder.recipient_id == incident.channel_id
    return cadence, ZoneInfo(incident.timezone) if in_channel else cadence.zone


def load_people(connection: Connection, page: Iterable[Reminder], cadence: Cadence, *, at: datetime) -> People:
    """Whom the reminders may be for, as far as the member list knows them, and the channels closed at `at`."""
    return _load_people(connection, [(each.incident, each.item) for each in page], cadence, at=at)


def _load_people(
    connection: Connection, concerned: Iterable[tuple[Incident, ActionItem | None]], cadence: Cadence, *, at: datetime
) -> People:
    users: dict[str, set[str]] = {}
    channels: dict[str, set[str]] = {}
    for incident, item in concerned:
        users.setdefault(incident.workspace_id, set()).update(_user_ids(incident, item))
        channels.setdefault(incident.workspace_id, set()).update(_channel_ids(incident, cadence))
    people = People()
    for workspace_id, user_ids in users.items():
        found = members.find_many(connection, workspace_id, user_ids) if user_ids else {}
        people |= {(workspace_id, user_id): member for user_id, member in found.items()}
        if user_ids:
            people.rhythms |= members.rhythms_of(connection, [(workspace_id, user_id) for user_id in user_ids])
        closed = reminder_schedules.closed(connection, workspace_id, channels[workspace_id], since=at - CLOSED_FOR)
        for each in closed:
            people[workspace_id, each] = Member(
                workspace_id=workspace_id, user_id=each, name=each, timezone=None, barred=_CLOSED
            )
    return people


def _user_ids(incident: Incident, item: ActionItem | None) -> set[str]:
    everyone = (item.owner_id, incident.lead_id, incident.declared_by_id) if item else (incident.lead_id,)
    return {each for each in everyone if each}


def _channel_ids(incident: Incident, cadence: Cadence) -> set[str]:
    return {each for each in (incident.channel_id, cadence.summary_channel) if each}
