"""Correct an entry's time or words, and retract entries. Each change is a revision; nothing is overwritten."""

from typing import Any

from sqlalchemy import Connection

from bot.domain.incident.grammar import parse_correction
from bot.domain.time.format import stamp
from bot.domain.words import parse_number
from bot.errors import UsageError
from bot.handlers.incident.incidents import get_current
from bot.handlers.incident.timeline import receipt, sync_open_state
from bot.handlers.permission import require_permission
from bot.handlers.request import Reply, Request
from bot.vocabulary import KINDS
from storage import incidents, timeline
from storage.values import Incident, TimelineEntry


def edit(connection: Connection, request: Request) -> Reply:
    """`edit 3 at 14:05`, `edit 3 new words`, or both: correct an entry's time or words."""
    example = f"{request.slash('incident')} edit 3 at 14:05"
    number, words = parse_number(request.words, what="entry", example=example)
    incident = get_current(connection, request, lock=True)
    entry = timeline.numbered(connection, incident.id, number)
    if entry is None:
        raise UsageError(f"{incident.name} has no entry {number}. {request.slash('timeline')} shows the numbers.")
    if entry.retracted:
        raise UsageError(f"Entry {number} was taken back. {request.slash('timeline')} shows what stands.")
    correction = parse_correction(
        KINDS[entry.kind], words, now=request.now, zone=request.zone, reference=entry.occurred_at
    )
    changes = {
        name: value for name in ("occurred_at", "qualifier", "text") if (value := getattr(correction, name)) is not None
    }
    revised = _revise(connection, request, incident, entry, **changes)
    turned = _new_state(connection, incident)
    if turned == "resolved":
        require_permission(connection, request, incident, "resolve")
    return receipt(
        request, "revised", incident, revised, before=entry,
        assumed=correction.zone_assumed, seconds=correction.seconds,
        was=stamp(entry.occurred_at, None, revised.occurred_at.date()), turned=turned,
    )  # fmt: skip


def undo(connection: Connection, request: Request) -> Reply:
    """`undo`: retract the newest entry that the user recorded on this incident."""
    if request.words.strip():
        raise UsageError(
            f"{request.slash('incident')} undo takes back your own last entry and needs no more words. "
            f"To correct another: {request.slash('incident')} edit 3 new words"
        )
    incident = get_current(connection, request, lock=True)
    entry = timeline.last_by(connection, incident.id, request.user_id)
    if entry is None:
        raise UsageError(f"You have no entry on the timeline of {incident.name} to take back.")
    return _retract(connection, request, incident, entry)


def unreact(connection: Connection, request: Request) -> Reply:
    """Retract the entry that the user recorded with a reaction to the message of the permalink."""
    incident = get_current(connection, request, lock=True)
    entry = timeline.by_reaction(connection, incident.id, request.permalink or "", request.user_id)
    if entry is None or entry.retracted:
        raise UsageError("That reaction put nothing on the timeline.")
    return _retract(connection, request, incident, entry)


def _retract(connection: Connection, request: Request, incident: Incident, entry: TimelineEntry) -> Reply:
    revised = _revise(connection, request, incident, entry, retracted=True)
    return receipt(request, "retracted", incident, revised, turned=_new_state(connection, incident))


def _revise(
    connection: Connection, request: Request, incident: Incident, entry: TimelineEntry, **changes: Any
) -> TimelineEntry:
    """Append a revision of the entry, and open or close the incident accordingly."""
    revised = timeline.revise(connection, entry, by=request.user_id, at=request.received_at, **changes)
    sync_open_state(connection, request, incident, entry.kind)
    return revised


def _new_state(connection: Connection, before: Incident) -> str | None:
    """`open` or `resolved`, if the revision changed the incident to that; else None."""
    is_open = incidents.by_id(connection, before.id).open
    return None if is_open == before.open else "open" if is_open else "resolved"
