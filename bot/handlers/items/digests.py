"""What people are told of their action items: the daily digest, the Home tab, and the weekly summary."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.items.cadence import Cadence
from bot.domain.items.reminders import ESCALATION, POSTMORTEM, still_due
from bot.handlers.items.buttons import controls
from bot.handlers.items.redact import is_redacted, redact, redact_item
from bot.handlers.items.reminders import People, load_people, recipient_zone
from bot.handlers.request import Control
from storage import home_tab, members, reminder_schedules, reminders
from storage.summaries import figures
from storage.values import OwnItem, Reminder, Unpublished

SHOWN = 10
"""How many items stand in one digest; each brings its buttons, and Slack bounds a message."""
_READ = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestItem:
    """One item of a digest, in Slack text, with its buttons."""

    text: str
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A message of several parts, all in Slack text, already escaped."""

    head: str
    parts: tuple[DigestItem, ...]
    foot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestKey:
    """Whom a digest is for, and for which day of their calendar."""

    workspace_id: str
    recipient_id: str
    on: date


def digest(connection: Connection, told: DigestKey, *, cadence: Cadence, prefix: str) -> Digest | None:
    """The digest as the items stand now; None when none of them needs a word any more."""
    found, zone, people = _found(connection, told, cadence)
    left = sorted((each for each in found if still_due(each, cadence, zone, on=told.on)), key=_urgency)
    if not left:
        return None
    to_channel = left[0].recipient_id == left[0].incident.channel_id
    facts = {"on": told.on, "to_channel": to_channel, "slash": f"/{prefix}actionitem"}
    barred = {user_id for (_, user_id), member in people.items() if member.barred}
    return Digest(
        head=slack("digest_head", counts=_counts(left, told.on), leads=_leads(left, barred), **facts),
        parts=tuple(_part(_redacted(connection, each, told), barred, facts) for each in left[:SHOWN]),
        foot=slack("digest_foot", more=len(left) - SHOWN, escalated=_escalates(left), own=_owns(left), **facts),
    )


def next_working_time(connection: Connection, told: DigestKey, *, at: datetime, cadence: Cadence) -> datetime | None:
    """When the recipient's next working day begins, if at `at` they are not working; else None.

    For a message that could not be sent in time: Slack was away, or Scribe was.
    """
    _, zone, _ = _found(connection, told, cadence)
    return None if cadence.is_working(at, zone) else cadence.next_opening(at, zone)


def reschedule(connection: Connection, told: DigestKey, *, due_at: datetime) -> None:
    """What the digest was about is due again at `due_at`, as if nothing had been told."""
    reminder_schedules.lock(connection, told.workspace_id, {told.recipient_id: due_at})
    reminders.revoke_digest(connection, told.workspace_id, told.recipient_id, told.on, due_at=due_at)


def _found(connection: Connection, told: DigestKey, cadence: Cadence) -> tuple[list[Reminder], ZoneInfo, People]:
    found = reminders.in_digest(connection, told.workspace_id, told.recipient_id, told.on, most=_READ)
    member = members.find(connection, told.workspace_id, told.recipient_id)
    zones = {recipient_zone(each.incident, told.recipient_id, member, cadence): None for each in found}
    return found, next(iter(zones), cadence.zone), load_people(connection, found)


def _urgency(reminder: Reminder) -> tuple[date, int]:
    due_on = reminder.item.due_on if reminder.item else None
    return due_on or date.max, reminder.id


def _counts(left: Iterable[Reminder], on: date) -> Counter[str]:
    return Counter(_standing(each, on) for each in left)


def _standing(reminder: Reminder, on: date) -> str:
    item = reminder.item
    if item is None:
        return POSTMORTEM
    if item.due_on is None:
        return "undated"
    return "overdue" if item.due_on < on else "today" if item.due_on == on else "soon"


def _leads(left: Iterable[Reminder], barred: set[str]) -> list[str]:
    """The leads of the incidents the message is about, each once."""
    leads = (each.incident.lead_id for each in left)
    return list(dict.fromkeys(lead for lead in leads if lead and lead not in barred))


def _escalates(left: Iterable[Reminder]) -> bool:
    return any(each.kind == ESCALATION for each in left)


def _owns(left: Iterable[Reminder]) -> bool:
    """Whether an item is the recipient's own; what they hear of as the lead is in no list of theirs."""
    return any(each.item and each.item.owner_id == each.recipient_id for each in left)


def _redacted(connection: Connection, reminder: Reminder, told: DigestKey) -> Reminder:
    """The reminder as its recipient may read it."""
    place = told.recipient_id
    if not is_redacted(connection, reminder.incident, user_id=place, channel_id=place):
        return reminder
    item = reminder.item and redact_item(reminder.item)
    return replace(reminder, incident=redact(reminder.incident), item=item)


def _part(reminder: Reminder, barred: set[str], facts: dict[str, object]) -> DigestItem:
    item = reminder.item
    text = slack(
        "digest_part",
        incident=reminder.incident,
        item=item,
        kind=reminder.kind,
        escalated=reminder.kind == ESCALATION,
        gone=bool(item and item.owner_id in barred),
        **facts,
    )
    return DigestItem(text=text, controls=controls(reminder.incident, item) if item else ())


_WEEK = timedelta(days=7)


def summary(connection: Connection, workspace_id: str, *, at: datetime, cadence: Cadence, prefix: str) -> str:
    """The summary up to `at` as Slack text, days counted in the cadence's zone."""
    today = at.astimezone(cadence.zone).date()
    counted = figures(connection, workspace_id, since_at=at - _WEEK, until_at=at, first_on=today - _WEEK, today=today)
    return slack("summary", figures=counted, today=today, slash=f"/{prefix}actionitem")


MOST_ITEMS, MOST_POSTMORTEMS = 60, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeContent:
    """What is somebody's own on the date `today` in their `zone`; the counts are of all, listed or not.

    Items of private incidents are among them, without their words where their owner may not be in the channel.
    """

    today: date
    zone: ZoneInfo
    items: Sequence[OwnItem]
    item_count: int
    postmortems: Sequence[Unpublished]
    postmortem_count: int


def home_content(
    connection: Connection, workspace_id: str, user_id: str, *, now: datetime, zone: ZoneInfo
) -> HomeContent:
    """The person's open items, the most overdue first, and the postmortems they have to publish, the oldest first."""
    today = now.astimezone(zone).date()
    item_count, items = home_tab.own_items(connection, workspace_id, user_id, today=today, most=MOST_ITEMS)
    count, postmortems = home_tab.unpublished(connection, workspace_id, user_id, most=MOST_POSTMORTEMS)
    return HomeContent(
        today=today, zone=zone, items=items, item_count=item_count, postmortems=postmortems, postmortem_count=count
    )
