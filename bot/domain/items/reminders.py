"""When a reminder is due next, and who receives it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import merge
from zoneinfo import ZoneInfo

from bot.domain.items.cadence import DAY, Cadence, after_workdays
from storage.values import ActionItem, Incident, Reminder

ITEM, ESCALATION, POSTMORTEM = "item", "escalation", "postmortem"
WEEK = timedelta(days=7)
_NEVER = date.min
_FIRST_YEAR, _LAST_YEAR = 10, 9000
"""A due date outside of these years has no slots: counting days from it would overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether to send the reminder now, why or why not, and when to look again (UTC; None for never).

    `why` is `slot` (send), `hours` (not in working hours), `today` (today's digest was sent), `later` (the next slot
    lies ahead) or `never`.
    """

    send: bool
    why: str
    next_at: datetime | None


def recipient(kind: str, incident: Incident, item: ActionItem | None, barred: Collection[str]) -> str:
    """The owner's id, else the lead's, else the incident's channel. `barred` are users who receive no reminders."""
    if kind == ESCALATION:
        return incident.channel_id
    owner_id = item.owner_id if item else None
    chosen = (each for each in (owner_id, incident.lead_id) if each and each not in barred)
    return next(chosen, incident.channel_id)


def decide(reminder: Reminder, *, at: datetime, zone: ZoneInfo, cadence: Cadence, told_on: date | None) -> Decision:
    """What to do with the reminder at the aware `at`; `told_on` is the day of its recipient's last digest."""
    today = at.astimezone(zone).date()
    if not is_due(reminder, cadence, zone, on=today):
        next_at = next_due_at(reminder, cadence, zone, after=today)
        return Decision(send=False, why="later" if next_at else "never", next_at=next_at)
    if not cadence.is_working(at, zone):
        return Decision(send=False, why="hours", next_at=cadence.next_opening(at, zone))
    if told_on is not None and told_on >= today:
        return Decision(send=False, why="today", next_at=cadence.opening(told_on + DAY, zone))
    return Decision(send=True, why="slot", next_at=next_due_at(reminder, cadence, zone, after=today, told_on=today))


def is_due(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, on: date) -> bool:
    """Whether the recipient's calendar has reached, by that day, a slot after the last one sent."""
    return _has_slot(reminder, cadence, zone, after=_last_covered_day(reminder, reminder.told_on), until=on)


def still_due(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, on: date) -> bool:
    """Whether a reminder sent on that day still has a reason: its item may be done or moved since."""
    return _has_slot(reminder, cadence, zone, after=_NEVER, until=on)


def _has_slot(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, after: date, until: date) -> bool:
    first = next(slots(reminder, cadence, zone, after=after), None)
    return first is not None and first <= until


def next_due_at(
    reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, after: date, told_on: date | None = None
) -> datetime | None:
    """The instant of the first slot after that day, in UTC; None when there is none.

    `told_on` is the day on which it is being sent, if it is.
    """
    if told_on and reminder.kind != ITEM:
        return None  # escalations and reminders to publish are sent once
    covered = _last_covered_day(reminder, told_on or reminder.told_on)
    first = next(slots(reminder, cadence, zone, after=max(after, covered)), None)
    return cadence.opening(first, zone) if first else None


def _last_covered_day(reminder: Reminder, told_on: date | None) -> date:
    """The last day whose slots a digest of `told_on` covers; a channel is reminded of an item once a week at most."""
    if told_on is None:
        return _NEVER
    if reminder.kind != ITEM:
        return date.max - DAY
    return told_on + WEEK - DAY if reminder.recipient_id == reminder.incident.channel_id else told_on


def slots(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, after: date) -> Iterator[date]:
    """The days after `after` on which the reminder is due, in order; the iterator may be infinite."""
    return _SLOTS[reminder.kind](reminder, cadence, zone, after)


def _item_slots(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, after: date) -> Iterator[date]:
    item = reminder.item
    if item is None or not item.pending:
        return iter(())
    snoozed_until = item.snoozed_until
    if snoozed_until:
        after = max(after, snoozed_until - DAY)
    end_of_snooze = [snoozed_until] if snoozed_until and snoozed_until > after else []
    return merge(end_of_snooze, _by_due_date(item, cadence, after), _by_proposal(reminder, cadence, zone, after))


def _by_due_date(item: ActionItem, cadence: Cadence, after: date) -> Iterator[date]:
    if item.due_on is not None and _FIRST_YEAR < item.due_on.year < _LAST_YEAR:
        days = [item.due_on + timedelta(days=each) for each in cadence.slots]
        yield from (day for day in days if day > after)
        if cadence.every:
            yield from _every(max(days, default=item.due_on), cadence.every, after)


def _by_proposal(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, after: date) -> Iterator[date]:
    if reminder.item and reminder.item.state == "proposed" and cadence.confirm is not None:
        proposed_on = reminder.since_at.astimezone(zone).date()
        confirm_on = after_workdays(proposed_on, cadence.confirm, cadence.holidays)
        if confirm_on > after:
            yield confirm_on
        yield from _every(confirm_on, WEEK.days, after)


def _every(start: date, days: int, after: date) -> Iterator[date]:
    """Every `days` days after the start; those up to `after` are skipped in one step, however many there are."""
    missed = max(0, (after - start).days // days)
    day = start + timedelta(days=days * missed)
    while day <= date.max - timedelta(days=days):
        day += timedelta(days=days)
        if day > after:
            yield day


def _escalation_slots(reminder: Reminder, cadence: Cadence, _zone: ZoneInfo, after: date) -> Iterator[date]:
    item = reminder.item
    if item and item.pending and item.due_on and item.due_on.year < _LAST_YEAR and cadence.escalate is not None:
        day = max(item.due_on + timedelta(days=cadence.escalate), item.snoozed_until or _NEVER)
        if day > after:
            yield day


def _postmortem_slots(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, after: date) -> Iterator[date]:
    if cadence.publish is None or reminder.published or reminder.incident.open:
        return
    day = after_workdays(reminder.since_at.astimezone(zone).date(), cadence.publish, cadence.holidays)
    if day > after:
        yield day


_SLOTS = {ITEM: _item_slots, ESCALATION: _escalation_slots, POSTMORTEM: _postmortem_slots}
