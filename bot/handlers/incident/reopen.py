"""The buttons under an entry that move the incident or the entry: it came back, another outage, another incident."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from bot.domain.incident.lifecycle import SIGNS, standing
from bot.domain.time.format import stamp
from bot.domain.words import parse_number
from bot.errors import UsageError
from bot.handlers.incident.closing import lock_both, move_entry
from bot.handlers.incident.incidents import declare_beside, get_current, get_named, get_numbering
from bot.handlers.incident.timeline import append, lift_closing, receipt, sync_open_state
from bot.handlers.permission import require_author, require_permission
from bot.handlers.request import Reply, Request
from bot.vocabulary import DETECTED, MITIGATED, REOPENED, RESOLVED
from storage import timeline
from storage.values import Incident, TimelineEntry

_STILL: dict[str, Any] = {
    "beside": None,
    "declared": False,
    "ended": None,
    "end": None,
    "reopened": False,
    "resolved": False,
}
"""What the receipt of a moved entry tells besides, where nothing of it happened."""


def reopen_resolved(connection: Connection, request: Request) -> Reply:
    """Reopen the incident at the instant of the click, unless it is open; a button sends it."""
    incident = get_current(connection, request, lock=True)
    if incident.open:
        raise UsageError(f"{incident.name} is open again already.")
    if incident.closed_as is not None:
        incident = lift_closing(connection, request, incident)
    reopening = append(connection, request, incident, REOPENED, "", at=request.now)
    sync_open_state(connection, request, incident, REOPENED)
    return receipt(connection, request, "reopened", incident, reopening)


def mark_outage(connection: Connection, request: Request) -> Reply:
    """`INC-1 5`: entry 5, a further detection, becomes a reopening: another outage of the incident, a new round.

    The round before ended at the mitigation before it, which a resolution of that instant says; where none was in
    effect, the receipt asks when it ended.
    """
    incident, entry = _get_entry(connection, request, kind=DETECTED)
    mitigation = _mitigated_before(connection, incident, entry)
    ended = None
    if mitigation is not None:
        text = f"mitigated (#{mitigation.number}) and quiet until it came back"
        ended = append(connection, request, incident, RESOLVED, text, at=mitigation.occurred_at)
    # A reopening has no detector of its own: the words keep it.
    by = f"by {entry.qualifier}: " if entry.qualifier else ""
    told = replace(entry, text=f"{by}{entry.text}".removesuffix(": "))
    reopening = move_entry(connection, request, told, incident, kind=REOPENED)
    sync_open_state(connection, request, incident, REOPENED)
    facts = {
        **_STILL,
        "ended": ended,
        "end": ended and stamp(ended.occurred_at, None, request.received_at.date()),
        "quiet_since": f"{entry.occurred_at - timedelta(minutes=1):%Y-%m-%d %H:%M} UTC",
    }
    return receipt(connection, request, "moved", incident, reopening, was=entry, other=None, **facts)


def _mitigated_before(connection: Connection, incident: Incident, entry: TimelineEntry) -> TimelineEntry | None:
    """The mitigation in effect when the entry came; None where trouble followed it, or it was resolved since."""
    told = standing(timeline.of_incident(connection, incident.id, kinds=(MITIGATED, RESOLVED, *sorted(SIGNS))))
    before = [each for each in told if each.occurred_at < entry.occurred_at and each.id != entry.id]
    return before[-1] if before and before[-1].kind == MITIGATED else None


def split_off(connection: Connection, request: Request) -> Reply:
    """`INC-1 5`: declare a new incident in the channel of INC-1, and move entry 5, a detection, there."""
    incident, entry = _get_entry(connection, request, kind=DETECTED)
    new = declare_beside(connection, request, incident, entry.text)
    moved = move_entry(connection, request, entry, new, kind=DETECTED)
    facts = {**_STILL, "beside": incident if incident.open else None, "declared": True}
    return receipt(connection, request, "moved", new, moved, was=entry, other=incident, **facts)


def move_here(connection: Connection, request: Request) -> Reply:
    """`INC-1 5 INC-2`: move entry 5 to INC-2, with `INC-1` as the first of its words."""
    there = replace(request, words=request.words.rpartition(" ")[2], named_number=None)
    _, to = lock_both(connection, get_current(connection, request), get_named(connection, there)[0])
    mistaken, entry = _get_entry(connection, request)
    if to.private or to.id == mistaken.id:
        raise UsageError(f"Nothing was moved. {request.slash('incident')} undo {mistaken.name} takes an entry back.")
    if entry.kind == RESOLVED:
        require_permission(connection, request, to, "resolve")
    words = replace(entry, text=f"{mistaken.name} {entry.text}")
    moved = move_entry(connection, request, words, to, kind=entry.kind)
    reopened = sync_open_state(connection, request, mistaken, entry.kind) and not mistaken.open
    resolved = not sync_open_state(connection, request, to, entry.kind) and to.open
    facts = {**_STILL, "reopened": reopened, "resolved": resolved}
    return receipt(connection, request, "moved", to, moved, was=entry, other=mistaken, **facts)


def _get_entry(connection: Connection, request: Request, *, kind: str | None = None) -> tuple[Incident, TimelineEntry]:
    """The incident, locked, and its entry of the number in the words.

    Raises UsageError where that entry does not stand, or is not of the kind.
    """
    incident = get_numbering(connection, request, lock=True)
    number, _ = parse_number(request.words, what="entry")
    entry = timeline.numbered(connection, incident.id, number)
    if entry is None or entry.retracted or kind not in {None, entry.kind}:
        raise UsageError(
            f"Entry {number} of {incident.name} was moved or taken back already. "
            f"{request.slash('timeline')} {incident.name} shows what stands."
        )
    require_author(connection, request, incident, entry, "edit")
    return incident, entry
