"""`scribe remind --dry-run`: which reminders a tick would send, and why each other item gets none. Writes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents.rendering import terminal
from bot.domain.items.cadence import Cadence
from bot.domain.items.reminders import ITEM, decide
from bot.handlers.items.reminders import load_people, readdress, recipient_zone
from storage import reminder_schedules, reminders
from storage.database import Database
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


def describe_tick(database: Database, cadence: Cadence, *, at: datetime) -> str:
    """What a tick would do at `at`, as plain text."""
    with database.read() as connection:
        lines = list(_lines(connection, cadence, at))
    sent: dict[tuple[str, str], list[DryRunLine]] = {}
    for line in lines:
        if line.why == "slot":
            key = (line.reminder.incident.workspace_id, line.reminder.recipient_id)
            sent.setdefault(key, []).append(line)
    # Each item once: its escalation is listed only where it is due today and not sent yet.
    silent = [
        line for line in lines if line.why != "slot" and (line.reminder.kind == ITEM or line.why in {"hours", "today"})
    ]
    return terminal("dry_run", at=at, on=cadence.on, sent=list(sent.values()), silent=silent)


def _lines(connection: Connection, cadence: Cadence, at: datetime) -> Iterator[DryRunLine]:
    last_digest_on = reminder_schedules.last_digest_days(connection)
    rows = reminders.iterate(connection, page=_PAGE)
    while page := list(islice(rows, _PAGE)):
        people = load_people(connection, page)
        for row in page:
            reminder = readdress(row, people)
            incident, recipient_id = reminder.incident, reminder.recipient_id
            member = people.get((incident.workspace_id, recipient_id))
            in_channel = recipient_id == incident.channel_id
            name = f"#{incident.channel_name}" if in_channel else member.name if member else recipient_id
            zone = recipient_zone(incident, recipient_id, member, cadence)
            if not cadence.on or row.due_at is None:
                why, next_at = "never", None
            elif row.due_at > at:
                # A tick leaves alone what is not due by its row.
                why, next_at = "later", row.due_at
            else:
                told_on = last_digest_on.get((incident.workspace_id, recipient_id))
                decision = decide(reminder, at=at, zone=zone, cadence=cadence, told_on=told_on)
                why, next_at = decision.why, decision.next_at
            local = next_at.astimezone(zone) if next_at else None
            yield DryRunLine(reminder=reminder, name=name, zone=zone, why=why, next_at=local)
