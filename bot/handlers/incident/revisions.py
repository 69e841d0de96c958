"""Corrections: an entry's time or words, taking one back, putting one back. All are revisions; nothing is lost."""

from typing import Any

from sqlalchemy import Connection

from bot.domain.incident.grammar import parse_correction
from bot.domain.time.format import stamp
from bot.domain.words import parse_number
from bot.errors import UsageError
from bot.handlers.incident.timeline import sync_open_state
from bot.handlers.lookup import get_current
from bot.handlers.permission import require_permission
from bot.handlers.receipt import receipt
from bot.handlers.request import Reply, Request
from bot.vocabulary import KINDS
from storage import incidents, timeline
from storage.values import Incident, TimelineEntry


def edit(connection: Connection, request: Request) -> Reply:
    """`edit 3 at 14:05`, `edit 3 new words`, or both: give an entry another time, other words."""
    example = f"{request.slash('incident')} edit 3 at 14:05"
    number, words = parse_number(request.words, what="entry", example=example)
    incident = get_current(connection, request, lock=True)
    entry = _standing(connection, request, incident, number)
    correction = parse_correction(
        KINDS[entry.kind], words, now=request.now, zone=request.zone, reference=entry.occurred_at
    )
    changes = {
        name: value for name in ("occurred_at", "qualifier", "text") if (value := getattr(correction, name)) is not None
    }
    revised = revise(connection, request, incident, entry, **changes)
    turned = _turned(connection, incident)
    if turned == "resolved":
        require_permission(connection, request, incident, "resolve")
    return receipt(
        request, "revised", incident, revised, before=entry,
        assumed=correction.zone_assumed, seconds=correction.seconds,
        was=stamp(entry.occurred_at, None, revised.occurred_at.date()), turned=turned,
    )  # fmt: skip


def _turned(connection: Connection, before: Incident) -> str | None:
    """What a correction made of the incident, where that is news: `open` or `resolved`."""
    stands_open = incidents.by_id(connection, before.id).open
    return None if stands_open == before.open else "open" if stands_open else "resolved"


def undo(connection: Connection, request: Request) -> Reply:
    """Take back the newest entry the person put on this incident's timeline."""
    if request.words.strip():
        raise UsageError(
            f"{request.slash('incident')} undo takes back your own last entry and needs no more words. "
            f"To correct another: {request.slash('incident')} edit 3 new words"
        )
    incident = get_current(connection, request, lock=True)
    entry = timeline.last_by(connection, incident.id, request.user_id)
    if entry is None:
        raise UsageError(f"You have no entry on the timeline of {incident.name} to take back.")
    return retract(connection, request, incident, entry)


def retract(connection: Connection, request: Request, incident: Incident, entry: TimelineEntry) -> Reply:
    """Take an entry off the timeline; it stays in the store."""
    revised = revise(connection, request, incident, entry, retracted=True)
    return receipt(request, "retracted", incident, revised, turned=_turned(connection, incident))


def unreact(connection: Connection, request: Request) -> Reply:
    """Take back the entry the person made by reacting to the message behind the permalink."""
    incident = get_current(connection, request, lock=True)
    entry = timeline.by_reaction(connection, incident.id, request.permalink or "", request.user_id)
    if entry is None or entry.retracted:
        raise UsageError("That reaction put nothing on the timeline.")
    return retract(connection, request, incident, entry)


def revise(
    connection: Connection, request: Request, incident: Incident, entry: TimelineEntry, **changes: Any
) -> TimelineEntry:
    """Write a revision of the entry and keep the incident in step with it."""
    revised = timeline.revise(connection, entry, by=request.user_id, at=request.received_at, **changes)
    sync_open_state(connection, request, incident, entry.kind)
    return revised


def _standing(connection: Connection, request: Request, incident: Incident, number: int) -> TimelineEntry:
    entry = timeline.numbered(connection, incident.id, number)
    if entry is None:
        raise UsageError(f"{incident.name} has no entry {number}. {request.slash('timeline')} shows the numbers.")
    if entry.retracted:
        raise UsageError(f"Entry {number} was taken back. {request.slash('timeline')} shows what stands.")
    return entry
