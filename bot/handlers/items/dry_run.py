"""`scribe remind --dry-run`: which reminders a tick would send, and why each other item gets none. Writes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents.rendering import terminal
from bot.domain.items.cadence import Cadence
from bot.domain.items.reminders import ITEM, WORKED, decide
from bot.handlers.items.reminders import calendar_of, load_people, readdress
from storage.database import Database
from storage.items import reminder_schedules, reminders
from storage.values import Reminder

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunLine:
    """One reminder: its recipient's `name` and zone, `why` as in a Decision, and `next_at` in that zone."""

    reminder: Reminder
    name: str
    zone: ZoneInfo
    why: str
    next_at: datetime | None


def describe_tick(database: Database, cadence: Cadence, *, at: datetime, private: bool = False) -> str:
    """What a tick would do at `at`, as plain text; with the words of private incidents only with `private`."""
    with database.read() as connection:
        lines = list(_lines(connection, cadence, at, private=private))
    sent: dict[tuple[str, str], list[DryRunLine]] = {}
    for line in lines:
        if line.why == "step":
            key = (line.reminder.incident.workspace_id, line.reminder.recipient_id)
            sent.setdefault(key, []).append(line)
    # Each item once: its escalation is listed only where it is due today and not sent yet.
    silent = [
        line
        for line in lines
        if line.why != "step" and (line.reminder.kind in {ITEM, WORKED} or line.why in {"hours", "today"})
    ]
    return terminal("dry_run", at=at, on=cadence.on, sent=list(sent.values()), silent=silent, private=private)


def _lines(connection: Connection, cadence: Cadence, at: datetime, *, private: bool) -> Iterator[DryRunLine]:
    last_digests = reminder_schedules.last_digests(connection)
    rows = reminders.iterate(connection, page=_PAGE)
    while page := list(islice(rows, _PAGE)):
        people = load_people(connection, page, cadence, at=at)
        for row in page:
            reminder = readdress(row, people, cadence)
            if reminder is None:
                continue
            incident, recipient_id = reminder.incident, reminder.recipient_id
            member = people.get((incident.workspace_id, recipient_id))
            in_channel = recipient_id == incident.channel_id
            channel = "a private channel" if incident.private and not private else f"#{incident.channel_name}"
            name = channel if in_channel else member.name if member else recipient_id
            calendar, zone = calendar_of(reminder, people, cadence)
            if not cadence.on or row.due_at is None:
                why, next_at = "never", None
            elif not calendar.on:
                why, next_at = "muted", None
            elif row.due_at > at:
                # A tick leaves alone what is not due by its row.
                why, next_at = "later", row.due_at
            else:
                last = last_digests.get((incident.workspace_id, recipient_id))
                days = {"told_on": last.told_on, "bundled_on": last.bundled_on} if last else {"told_on": None}
                decision = decide(reminder, at=at, zone=zone, cadence=calendar, **days)
                why, next_at = decision.why, decision.next_at
            local = next_at.astimezone(zone) if next_at else None
            yield DryRunLine(reminder=reminder, name=name, zone=zone, why=why, next_at=local)
