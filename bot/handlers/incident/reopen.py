"""Merge a duplicate: reopen the resolved incident, and move the entries and action items of the new one into it."""

from dataclasses import asdict, replace

from sqlalchemy import Connection

from bot.domain.incident.lifecycle import in_order, lifecycle
from bot.errors import UsageError
from bot.handlers.incident.incidents import find_current, get_named
from bot.handlers.incident.timeline import receipt, sync_open_state
from bot.handlers.items.reminders import plan_item
from bot.handlers.request import Reply, Request
from bot.vocabulary import DETECTED, REOPENED
from storage import action_items, incidents, timeline
from storage.values import ActionItem, Incident, TimelineEntry

_ENTRY_FIELDS = (
    "kind", "occurred_at", "recorded_at", "author", "author_id", "recorded_by_id",
    "text", "qualifier", "source", "permalink",
)  # fmt: skip
_ITEM_FIELDS = ("text", "kind", "owner", "owner_id", "due_on", "ticket", "priority", "done_when")


def reopen_duplicate(connection: Connection, request: Request) -> Reply:
    """`INC-1 INC-2`: reopen INC-1 and move the entries and action items of INC-2 there; a button sends it.

    The detection of INC-2 becomes the reopening. Moved entries keep their times and authors. The duplicate keeps its
    rows, with every entry retracted, and points to the original.
    """
    # The lock makes a second, simultaneous click wait and then find the original open.
    find_current(connection, request, lock=True)
    original, rest = get_named(connection, request)
    mistaken, _ = get_named(connection, replace(request, words=rest))
    if original.open or mistaken.id == original.id:
        raise UsageError(f"{original.name} is open again already.")
    if not mistaken.open:
        raise UsageError(f"{mistaken.name} is resolved by now, so it stays an incident of its own.")
    if original.channel_id != mistaken.channel_id:
        raise UsageError(f"{original.name} is of another channel, so it cannot be the same as {mistaken.name}.")
    entries = in_order([e for e in timeline.of_incident(connection, mistaken.id) if not e.retracted])
    detection = _find_recurrence(connection, original, entries)
    moved = [
        _move_entry(connection, request, entry, original, kind=REOPENED if entry == detection else entry.kind)
        for entry in entries
    ]
    reopening = next((e for e in moved if detection and e.kind == REOPENED), None)
    if reopening is None:
        reopening = _append_reopening(connection, request, original)
    items = [
        _move_item(connection, request, item, mistaken, original)
        for item in action_items.of_incident(connection, mistaken.id)
    ]
    incidents.mark_duplicate(connection, mistaken, original)
    sync_open_state(connection, request, original, REOPENED)
    return receipt(request, "duplicate", original, reopening, mistaken=mistaken, moved=len(moved), items=len(items))


def _find_recurrence(connection: Connection, original: Incident, entries: list[TimelineEntry]) -> TimelineEntry | None:
    """The first detection, if it occurred after the original's resolution."""
    resolved_at = lifecycle(timeline.of_incident(connection, original.id)).resolved_at
    detection = next((entry for entry in entries if entry.kind == DETECTED), None)
    if detection is None or resolved_at is None or detection.occurred_at < resolved_at:
        return None
    return detection


def _append_reopening(connection: Connection, request: Request, original: Incident) -> TimelineEntry:
    return timeline.append(
        connection,
        original.id,
        kind=REOPENED,
        occurred_at=request.now,
        recorded_at=request.received_at,
        author=request.user_name,
        author_id=request.user_id,
        recorded_by_id=request.user_id,
        text="",
        qualifier=None,
        source=request.source,
        permalink=None,
    )


def _move_entry(
    connection: Connection, request: Request, entry: TimelineEntry, to: Incident, *, kind: str
) -> TimelineEntry:
    """Retract the entry and append a copy of it; a qualifier belongs to its kind and goes when that changes."""
    timeline.revise(connection, entry, by=request.user_id, at=request.received_at, retracted=True)
    copy = replace(entry, kind=kind, qualifier=entry.qualifier if kind == entry.kind else None)
    return timeline.append(connection, to.id, **{name: getattr(copy, name) for name in _ENTRY_FIELDS})


def _move_item(
    connection: Connection, request: Request, item: ActionItem, mistaken: Incident, to: Incident
) -> ActionItem:
    """Drop the item and add a copy of it, in the state it had, to the other incident."""
    by, at = request.user_id, request.received_at
    facts = asdict(item)
    copy = action_items.add(connection, to.id, **{name: facts[name] for name in _ITEM_FIELDS}, by=by, at=at)
    state = {name: facts[name] for name in ("state", "snoozed_until", "reason")}
    dropped = action_items.revise(connection, item, by=by, at=at, state="dropped", reason=f"moved to {to.name}")
    moved = action_items.revise(connection, copy, by=by, at=at, **state)
    for each, incident in ((dropped, mistaken), (moved, to)):
        plan_item(connection, incident, each, at=at, cadence=request.settings.cadence)
    return moved
