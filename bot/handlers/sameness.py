"""It is the same incident: what was taken for a new one belongs to the resolved one before it."""

from dataclasses import replace

from sqlalchemy import Connection

from bot.domain.lifecycle import in_order
from bot.errors import UsageError
from bot.handlers.lookup import here, named
from bot.handlers.receipt import receipt
from bot.handlers.request import Reply, Request
from bot.handlers.timeline import keep_in_step
from bot.vocabulary import DETECTED, REOPENED
from storage import incidents, timeline
from storage.values import Incident, TimelineEntry


def reopen(connection: Connection, request: Request) -> Reply:
    """Reopen the incident named in the words, and move there what the channel's newest one has collected.

    The first detection becomes the reopening. The entries keep their times and authors; the mistaken incident
    keeps its rows, with every entry retracted, and points at the one it turned out to be.
    """
    original, _ = named(connection, request)
    mistaken = here(connection, request)
    if original.open or mistaken.id == original.id:
        raise UsageError(f"{original.name} is open again already.")
    if original.channel_id != mistaken.channel_id:
        raise UsageError(f"{original.name} is of another channel, so it cannot be the same as {mistaken.name}.")
    moved = [
        _move(connection, request, entry, original, kind=REOPENED if first else entry.kind)
        for first, entry in _with_first_detection(connection, mistaken)
    ]
    incidents.mark_same(connection, mistaken, original)
    keep_in_step(connection, request, original, REOPENED)
    reopening = next(entry for entry in moved if entry.kind == REOPENED)
    return receipt(request, "same", original, reopening, mistaken=mistaken, moved=len(moved))


def _with_first_detection(connection: Connection, incident: Incident) -> list[tuple[bool, TimelineEntry]]:
    entries = in_order([e for e in timeline.of_incident(connection, incident.id) if not e.retracted])
    first = next((entry.id for entry in entries if entry.kind == DETECTED), entries[0].id if entries else None)
    return [(entry.id == first, entry) for entry in entries]


def _move(connection: Connection, request: Request, entry: TimelineEntry, to: Incident, *, kind: str) -> TimelineEntry:
    timeline.revise(connection, entry, by=request.user_id, at=request.received_at, retracted=True)
    copy = replace(entry, kind=kind, qualifier=entry.qualifier if kind == entry.kind else None)
    facts = {
        name: getattr(copy, name)
        for name in (
            "kind", "occurred_at", "recorded_at", "author", "author_id", "recorded_by_id",
            "text", "qualifier", "source", "permalink",
        )
    }  # fmt: skip
    return timeline.append(connection, to.id, **facts)
