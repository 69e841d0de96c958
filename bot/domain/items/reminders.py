"""When a reminder is due next, what a digest lists, and who receives it.

A step is a day on which an item calls for a digest, which then lists all that its recipient has to know. What is a week
overdue, and what waits for a decision, is bundled: it calls once a week, for all such items of the recipient at once.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeGuard
from zoneinfo import ZoneInfo

from bot.domain.items.cadence import DAY, Cadence, after_workdays
from storage.values import ActionItem, Incident, Reminder

ITEM, ESCALATION, WORKED, POSTMORTEM = "item", "escalation", "worked", "postmortem"
"""The kinds: to the owner of an item; to the lead, of an item that another has; whether an item worked; to the lead, of
a postmortem to publish."""
WEEK = timedelta(days=7)
ESCALATED_AGAIN = 30
"""Days after the due date on which the lead is told for the last time; after that the weekly summary names the item."""
ASKED = 2
"""How often a proposal is asked about before it may be dropped."""
_PEOPLE = ("U", "W")
"""How the ids of people begin; the other recipients are channels."""
_NEVER = date.min
_FIRST_YEAR, _LAST_YEAR = 10, 9000
"""A due date outside of these years has no steps: counting days from it would overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether to send the reminder now, why or why not, and when to look again (UTC; None for never).

    `why` is `step` (send), `expired` (a proposal to drop), `hours` (not in working hours), `today` (today's digest was
    sent), `later` (the next step lies ahead) or `never`. `bundled`: the digest it is sent in is the week's bundle.
    """

    send: bool
    why: str
    next_at: datetime | None
    bundled: bool = False


class Days(NamedTuple):
    """The first day on which a reminder calls by itself, and the first on which it calls with a bundle."""

    own: date | None = None
    bundled: date | None = None


def is_person(recipient_id: str) -> bool:
    """Whether the recipient is a person; else it is a channel."""
    return recipient_id.startswith(_PEOPLE)


def recipient(
    kind: str, incident: Incident, item: ActionItem | None, *, barred: Collection[str], summary_channel: str = ""
) -> str | None:
    """The id of the user or the channel that the reminder is for; None where nobody but its owner is to be told.

    The owner, else the lead, else the channel of the summary, else who declared the incident, else its channel. Of an
    item that its owner has not done the lead is told, in the incident's channel if it is open to the bot; of their own
    not. `barred` are users and channels that messages do not reach.
    """
    lead_id, declared_by_id, channel_id = incident.lead_id, incident.declared_by_id, incident.channel_id
    owner_id = item.owner_id if item else None
    # What is told there may be read by all who are in it.
    room = None if incident.private else summary_channel

    def first(*candidates: str | None) -> str | None:
        return next((each for each in candidates if each and each not in barred), None)

    if kind == POSTMORTEM:
        return first(lead_id, channel_id, declared_by_id) or channel_id
    deciding = first(lead_id, room, declared_by_id, channel_id) or channel_id
    if kind != ESCALATION:
        return first(owner_id) or deciding
    if item is None or item.due_on is None:
        return deciding
    if first(owner_id) is None or first(lead_id) == owner_id:
        return None
    if first(lead_id):
        return first(channel_id, lead_id)
    return first(*(each for each in (room, declared_by_id, channel_id) if each != owner_id))


def reader(reminder: Reminder) -> str | None:
    """The person in whose hours the reminder is sent: the recipient, or the lead who is named in the channel."""
    if is_person(reminder.recipient_id):
        return reminder.recipient_id
    in_channel = reminder.recipient_id == reminder.incident.channel_id
    return reminder.incident.lead_id if reminder.kind == ESCALATION and in_channel else None


def decide(
    reminder: Reminder,
    *,
    at: datetime,
    zone: ZoneInfo,
    cadence: Cadence,
    told_on: date | None,
    bundled_on: date | None = None,
) -> Decision:
    """What to do with the reminder at the aware `at`.

    `told_on` and `bundled_on` are the days of its recipient's last digest and last bundle.
    """
    today = at.astimezone(zone).date()
    expires_on = expiry(reminder, cadence, zone)
    expired = expires_on is not None and expires_on <= today
    if not expired and not is_due(reminder, cadence, zone, on=today, bundled_on=bundled_on):
        next_at = next_due_at(reminder, cadence, zone, after=today, bundled_on=bundled_on)
        return Decision(send=False, why="later" if next_at else "never", next_at=next_at)
    if not cadence.is_working(at, zone):
        return Decision(send=False, why="hours", next_at=cadence.next_opening(at, zone))
    if expired:
        return Decision(send=False, why="expired", next_at=None)
    if told_on is not None and told_on >= today:
        return Decision(send=False, why="today", next_at=cadence.opening(told_on + DAY, zone))
    first = _days(reminder, cadence, zone, _NEVER).bundled
    bundled = first is not None and first <= today
    sent = replace(reminder, told_on=today)
    next_at = next_due_at(sent, cadence, zone, after=today, bundled_on=today if bundled else bundled_on)
    return Decision(send=True, why="step", next_at=next_at, bundled=bundled)


def is_due(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, on: date, bundled_on: date | None = None) -> bool:
    """Whether the recipient's calendar has reached, by that day, a step after the last day they were told."""
    if reminder.kind == POSTMORTEM and reminder.told_on:
        return False
    step = next_step(reminder, cadence, zone, after=_told(reminder), bundled_on=bundled_on)
    return step is not None and step <= on


def still_due(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, on: date) -> bool:
    """Whether a reminder sent on that day still has a reason: its item may be done or moved since."""
    step = next_step(reminder, cadence, zone, after=_NEVER)
    return step is not None and step <= on


def is_listed(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, on: date) -> bool:
    """Whether a digest of that day lists it, whatever called for the digest.

    Not what the reader has heard of in another way that day, and not what has been said to its end.
    """
    item = reminder.item
    if reminder.handed_on and reminder.handed_on >= on:
        return False
    if reminder.kind == ITEM and item and item.snoozed_until and item.snoozed_until <= on:
        # The end of a snooze is told on its day; after that it is listed for what it is.
        awake = replace(reminder, item=replace(item, snoozed_until=None))
        return reminder.told_on == on or still_due(awake, cadence, zone, on=on)
    has_ended = reminder.kind in {ESCALATION, WORKED} and reminder.due_at is None and reminder.told_on != on
    return not has_ended and still_due(reminder, cadence, zone, on=on)


def next_due_at(
    reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, after: date, bundled_on: date | None = None
) -> datetime | None:
    """When to look at the reminder next, in UTC: at its first step after that day, or when a proposal is dropped."""
    if reminder.kind == POSTMORTEM and reminder.told_on:
        return None
    step = next_step(reminder, cadence, zone, after=max(after, _told(reminder)), bundled_on=bundled_on)
    expires_on = expiry(reminder, cadence, zone)
    first = _first((step, expires_on), after)
    return cadence.opening(first, zone) if first else None


def next_step(
    reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, after: date, bundled_on: date | None = None
) -> date | None:
    """The first day after `after` on which the reminder calls for a digest, be it a workday or not; None for none.

    `bundled_on` is the day of the recipient's last bundle: the next one is a week later.
    """
    own, bundled = _days(reminder, cadence, zone, after)
    if bundled:
        # Whoever was handed a late item has a week for it.
        bundled = max(bundled, *(day + WEEK for day in (bundled_on, reminder.handed_on) if day), _NEVER)
    return min(filter(None, (own, bundled)), default=None)


def expiry(reminder: Reminder, cadence: Cadence, zone: ZoneInfo) -> date | None:
    """The day on which the proposal is dropped, unless somebody decides before; None where it is none.

    Not before it was asked about ASKED times, nor within a week after that or after a snooze.
    """
    item = reminder.item
    if reminder.kind != ITEM or item is None or item.state != "proposed" or cadence.drop is None:
        return None
    if reminder.incident.closed_as is not None or reminder.times < ASKED:
        return None
    end = _local(reminder.since_at, zone) + timedelta(days=cadence.drop)
    return max(end, *(day + WEEK for day in (reminder.told_on, item.snoozed_until) if day), _NEVER)


def _told(reminder: Reminder) -> date:
    """The last day whose steps the reader has been told of."""
    return max(reminder.told_on or _NEVER, reminder.handed_on or _NEVER)


def _days(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, after: date) -> Days:
    """The first days after `after`; there are none for a cancelled incident and for a duplicate."""
    if reminder.incident.closed_as is not None:
        return Days()
    return _DAYS[reminder.kind](reminder, cadence, zone, after)


def _item_days(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, after: date) -> Days:
    item = reminder.item
    if item is None or not item.pending:
        return Days()
    snoozed_until = item.snoozed_until or _NEVER
    after = max(after, snoozed_until - DAY) if item.snoozed_until else after
    own = _first((snoozed_until, *_due_days(item, cadence), *_proposal_days(reminder, cadence, zone)), after)
    bundled = _first((_overdue_day(item, cadence, after), _undecided_day(reminder, cadence, zone, after)), after)
    if is_person(reminder.recipient_id):
        return Days(own=own, bundled=bundled)
    # A channel hears of such items once a week at most.
    return Days(bundled=min(filter(None, (own, bundled)), default=None))


def _due_days(item: ActionItem, cadence: Cadence) -> list[date]:
    """The steps up to a week overdue. What is due on a free day is told of on the workday before."""
    if not _is_countable(item.due_on):
        return []
    told_on = cadence.workday_until(item.due_on) if 0 in cadence.steps else item.due_on
    near = (item.due_on + timedelta(days=each) for each in cadence.steps if each and each < WEEK.days)
    soon_or_late = [day for day in near if day > item.due_on or cadence.workday_from(day) <= told_on]
    return [*soon_or_late, told_on] if 0 in cadence.steps else soon_or_late


def _overdue_day(item: ActionItem, cadence: Cadence, after: date) -> date | None:
    """The first day after `after` on which it is so late that it is bundled."""
    if not _is_countable(item.due_on):
        return None
    late = [each for each in cadence.steps if each >= WEEK.days]
    if not cadence.every:
        return _first((item.due_on + timedelta(days=each) for each in late), after)
    begins = late[0] if late else max(cadence.steps, default=0) + cadence.every
    return _from(item.due_on + timedelta(days=begins), after)


def _is_countable(due_on: date | None) -> TypeGuard[date]:
    return due_on is not None and _FIRST_YEAR < due_on.year < _LAST_YEAR


def _proposal_days(reminder: Reminder, cadence: Cadence, zone: ZoneInfo) -> list[date]:
    """When a proposal is to be confirmed, a week after that, and weekly while it was told less often than ASKED."""
    if reminder.item is None or reminder.item.state != "proposed" or cadence.confirm is None:
        return []
    first = after_workdays(_local(reminder.since_at, zone), cadence.confirm, cadence.holidays)
    again = [max(first, reminder.told_on + WEEK)] if reminder.told_on and reminder.times < ASKED else []
    return [first, first + WEEK, *again]


def _undecided_day(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, after: date) -> date | None:
    """The first day after `after` on which who should decide is told that nobody has the item."""
    item = reminder.item
    if item is None or item.state != "open" or item.owner or not cadence.every:
        return None
    return _from(_local(reminder.since_at, zone) + WEEK, after)


def _escalation_days(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, after: date) -> Days:
    item = reminder.item
    if item is None or not item.pending or not item.owner:
        return Days()
    snoozed_until = reminder.snoozed_until or _NEVER
    after = max(after, snoozed_until - DAY) if reminder.snoozed_until else after
    if item.due_on is None:
        undated = _from(_local(reminder.since_at, zone) + WEEK, after) if cadence.every else None
        return Days(own=_first((snoozed_until,), after), bundled=undated)
    if cadence.escalate is None or not _is_countable(item.due_on):
        return Days()
    first = item.due_on + timedelta(days=cadence.escalate)
    if item.snoozed_until:
        # The owner's snooze delays it, up to a week overdue.
        first = max(first, min(item.snoozed_until, item.due_on + WEEK))
    again = max(first, item.due_on + timedelta(days=ESCALATED_AGAIN))
    end_of_snooze = (snoozed_until,) if snoozed_until >= first else ()
    return Days(own=_first((first, again, *end_of_snooze), after))


def _worked_days(reminder: Reminder, _cadence: Cadence, _zone: ZoneInfo, after: date) -> Days:
    """The day on which to look at the item again, and once more a week after that or after a late first question."""
    item, told_on = reminder.item, reminder.told_on
    if item is None or item.state != "done" or item.worked is not None or item.look_again_on is None:
        return Days()
    first = item.look_again_on
    second = first + WEEK
    if told_on and first <= told_on < second:
        second = told_on + WEEK
    return Days(own=_first((first, second), after))


def _postmortem_days(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, after: date) -> Days:
    if cadence.publish is None or reminder.published or reminder.incident.open:
        return Days()
    day = after_workdays(_local(reminder.since_at, zone), cadence.publish, cadence.holidays)
    return Days(own=_first((day,), after))


def _first(days: Iterable[date | None], after: date) -> date | None:
    """The first of the days after `after`."""
    return min((day for day in days if day and day > after), default=None)


def _from(day: date, after: date) -> date:
    """The day itself, or the one after `after` if that is later."""
    return max(day, after + DAY) if after < date.max else day


def _local(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


_DAYS = {ITEM: _item_days, ESCALATION: _escalation_days, WORKED: _worked_days, POSTMORTEM: _postmortem_days}
