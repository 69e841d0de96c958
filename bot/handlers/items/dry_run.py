"""What a tick would do, without doing it: who would get what, and why each other item is silent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents.rendering import terminal
from bot.domain.items.cadence import Cadence
from bot.domain.items.reminders import ITEM
from bot.handlers.items.reminders import People, judge, load_people, readdress, recipient_zone
from storage import reminder_schedules, reminders
from storage.database import Database
from storage.values import Reminder

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunLine:
    """One reminder: `name` is its recipient's, `why` as in a Decision, `next_at` in the recipient's own zone."""

    reminder: Reminder
    name: str
    zone: ZoneInfo
    why: str
    next_at: datetime | None


def describe_tick(database: Database, cadence: Cadence, *, at: datetime) -> str:
    """What the reminders would do at `at`, as plain text. Nothing is written."""
    with database.read() as connection:
        lines = list(_lines(connection, cadence, at))
    told: dict[tuple[str, str], list[DryRunLine]] = {}
    for line in lines:
        if line.why == "slot":
            key = (line.reminder.incident.workspace_id, line.reminder.recipient_id)
            told.setdefault(key, []).append(line)
    return terminal(
        "rehearsal",
        at=at,
        on=cadence.on,
        told=list(told.values()),
        silent=[line for line in lines if _says_why(line)],
    )


def _says_why(line: DryRunLine) -> bool:
    """Whether somebody may wonder at the silence: every item once, and else what had its day but not its hour."""
    return line.why != "slot" and (line.reminder.kind == ITEM or line.why in {"hours", "today"})


def _lines(connection: Connection, cadence: Cadence, at: datetime) -> Iterator[DryRunLine]:
    told_on = reminder_schedules.last_digest_days(connection)
    everything = reminders.iterate(connection, page=_PAGE)
    while page := list(islice(everything, _PAGE)):
        people = load_people(connection, page)
        for each in page:
            right = readdress(each, people)
            workspace_id = each.incident.workspace_id
            line = _line(right, people, cadence)
            if not cadence.on or each.due_at is None or each.due_at > at:
                # What is not due by its row is left alone, as a tick does.
                why = "later" if cadence.on and each.due_at else "never"
                yield _with(line, why, each.due_at if cadence.on else None)
                continue
            found = judge(each, people, at=at, cadence=cadence, told_on=told_on.get((workspace_id, right.recipient_id)))
            yield _with(line, found.why, found.next_at)


def _line(reminder: Reminder, people: People, cadence: Cadence) -> DryRunLine:
    incident = reminder.incident
    member = people.get((incident.workspace_id, reminder.recipient_id))
    in_channel = reminder.recipient_id == incident.channel_id
    name = f"#{incident.channel_name}" if in_channel else member.name if member else reminder.recipient_id
    zone = recipient_zone(incident, reminder.recipient_id, member, cadence)
    return DryRunLine(reminder=reminder, name=name, zone=zone, why="never", next_at=None)


def _with(line: DryRunLine, why: str, next_at: datetime | None) -> DryRunLine:
    local = next_at.astimezone(line.zone) if next_at else None
    return DryRunLine(reminder=line.reminder, name=line.name, zone=line.zone, why=why, next_at=local)
