"""What is sent or shown about action items: the daily digest, the weekly summary, and the content of the Home tab."""

from collections import Counter
from collections.abc import Sequence
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
"""Items in one digest; each adds a block and its buttons, and Slack limits a message to 50 blocks."""
MOST_ITEMS, MOST_POSTMORTEMS = 60, 20
"""Rows on the Home tab."""
_READ = 200
_WEEK = timedelta(days=7)


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
    """A digest's recipient, and the day of their calendar that it is for."""

    workspace_id: str
    recipient_id: str
    on: date


def digest(connection: Connection, key: DigestKey, *, cadence: Cadence, prefix: str) -> Digest | None:
    """The digest from the items' present state; None when none of them is still due."""
    found, zone, people = _load(connection, key, cadence)
    left = sorted((each for each in found if still_due(each, cadence, zone, on=key.on)), key=_urgency)
    if not left:
        return None
    to_channel = left[0].recipient_id == left[0].incident.channel_id
    facts = {"on": key.on, "to_channel": to_channel, "slash": f"/{prefix}actionitem"}
    barred = {user_id for (_, user_id), member in people.items() if member.barred}
    leads = dict.fromkeys(each.incident.lead_id for each in left)
    escalated = any(each.kind == ESCALATION for each in left)
    # The foot points to `list mine`, which has the recipient's own items but not those they get as the lead.
    own = any(each.item and each.item.owner_id == each.recipient_id for each in left)
    return Digest(
        head=slack(
            "digest_head",
            counts=Counter(_due_group(each, key.on) for each in left),
            leads=[lead for lead in leads if lead and lead not in barred],
            **facts,
        ),
        parts=tuple(_part(_redacted(connection, each, key), barred, facts) for each in left[:SHOWN]),
        foot=slack("digest_foot", more=len(left) - SHOWN, escalated=escalated, own=own, **facts),
    )


def next_working_time(connection: Connection, key: DigestKey, *, at: datetime, cadence: Cadence) -> datetime | None:
    """When the recipient's next working day begins; None if they are working at `at`.

    For a digest that could not be sent in time, because Slack or Scribe was down.
    """
    _, zone, _ = _load(connection, key, cadence)
    return None if cadence.is_working(at, zone) else cadence.next_opening(at, zone)


def reschedule(connection: Connection, key: DigestKey, *, due_at: datetime) -> None:
    """Take the digest back: its reminders are due again at `due_at`, as if they had not been sent."""
    reminder_schedules.lock(connection, key.workspace_id, {key.recipient_id: due_at})
    reminders.revoke_digest(connection, key.workspace_id, key.recipient_id, key.on, due_at=due_at)


def _load(connection: Connection, key: DigestKey, cadence: Cadence) -> tuple[list[Reminder], ZoneInfo, People]:
    """The digest's reminders, the recipient's zone, and the owners and leads."""
    found = reminders.in_digest(connection, key.workspace_id, key.recipient_id, key.on, most=_READ)
    member = members.find(connection, key.workspace_id, key.recipient_id)
    zone = recipient_zone(found[0].incident, key.recipient_id, member, cadence) if found else cadence.zone
    return found, zone, load_people(connection, found)


def _urgency(reminder: Reminder) -> tuple[date, int]:
    due_on = reminder.item.due_on if reminder.item else None
    return due_on or date.max, reminder.id


def _due_group(reminder: Reminder, on: date) -> str:
    item = reminder.item
    if item is None:
        return POSTMORTEM
    if item.due_on is None:
        return "undated"
    return "overdue" if item.due_on < on else "today" if item.due_on == on else "soon"


def _redacted(connection: Connection, reminder: Reminder, key: DigestKey) -> Reminder:
    """The reminder as its recipient may read it."""
    # The recipient is a user or the incident's channel; one id serves both checks.
    recipient_id = key.recipient_id
    if not is_redacted(connection, reminder.incident, user_id=recipient_id, channel_id=recipient_id):
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


def summary(connection: Connection, workspace_id: str, *, at: datetime, cadence: Cadence, prefix: str) -> str:
    """The weekly summary up to `at`, as Slack text. Days are those of the cadence's zone."""
    today = at.astimezone(cadence.zone).date()
    counted = figures(connection, workspace_id, since_at=at - _WEEK, until_at=at, first_on=today - _WEEK, today=today)
    return slack("summary", figures=counted, today=today, slash=f"/{prefix}actionitem")


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeContent:
    """A user's items and postmortems on the date `today` in their `zone`; the counts include rows that are not listed.

    Items of private incidents are included, redacted where the user may not read them.
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
    """The user's open items, most overdue first, and the postmortems they should publish, oldest first."""
    today = now.astimezone(zone).date()
    item_count, items = home_tab.own_items(connection, workspace_id, user_id, today=today, most=MOST_ITEMS)
    count, postmortems = home_tab.unpublished(connection, workspace_id, user_id, most=MOST_POSTMORTEMS)
    return HomeContent(
        today=today, zone=zone, items=items, item_count=item_count, postmortems=postmortems, postmortem_count=count
    )
