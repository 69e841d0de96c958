"""It is the same incident: what was taken for a new one belongs to the resolved one before it."""

from dataclasses import asdict, replace

from sqlalchemy import Connection

from bot.domain.incident.lifecycle import in_order, lifecycle
from bot.errors import UsageError
from bot.handlers.incident.timeline import sync_open_state
from bot.handlers.items.reminders import plan_item
from bot.handlers.lookup import find_current, get_named
from bot.handlers.receipt import receipt
from bot.handlers.request import Reply, Request
from bot.vocabulary import DETECTED, REOPENED
from storage import action_items, incidents, timeline
from storage.values import ActionItem, Incident, TimelineEntry

_CARRIED = ("text", "kind", "owner", "owner_id", "due_on", "ticket", "priority", "done_when")


def reopen_duplicate(connection: Connection, request: Request) -> Reply:
    """`INC-1 INC-2`: reopen the first, and move there what the second has collected.

    The detection becomes the reopening. The entries keep their times and authors; the mistaken incident keeps its
    rows, with every entry retracted, and points at the one it turned out to be.
    """
    # Of two who click at once, the second finds it done.
    find_current(connection, request, lock=True)
    original, rest = get_named(connection, request)
    mistaken, _ = get_named(connection, replace(request, words=rest))
    _refuse(original, mistaken)
    entries = in_order([e for e in timeline.of_incident(connection, mistaken.id) if not e.retracted])
    detection = _reopening(connection, original, entries)
    moved = [
        _move(connection, request, entry, original, kind=REOPENED if entry == detection else entry.kind)
        for entry in entries
    ]
    reopening = next((e for e in moved if detection and e.kind == REOPENED), None) or _now(
        connection, request, original
    )
    items = [
        _hand_over(connection, request, item, mistaken, original)
        for item in action_items.of_incident(connection, mistaken.id)
    ]
    incidents.mark_duplicate(connection, mistaken, original)
    sync_open_state(connection, request, original, REOPENED)
    return receipt(request, "same", original, reopening, mistaken=mistaken, moved=len(moved), items=len(items))


def _refuse(original: Incident, mistaken: Incident) -> None:
    if original.open or mistaken.id == original.id:
        raise UsageError(f"{original.name} is open again already.")
    if not mistaken.open:
        raise UsageError(f"{mistaken.name} is resolved by now, so it stays an incident of its own.")
    if original.channel_id != mistaken.channel_id:
        raise UsageError(f"{original.name} is of another channel, so it cannot be the same as {mistaken.name}.")


def _reopening(connection: Connection, original: Incident, entries: list[TimelineEntry]) -> TimelineEntry | None:
    """The detection that was really the reopening; None where it tells of a time before the resolution."""
    resolved_at = lifecycle(timeline.of_incident(connection, original.id)).resolved_at
    detection = next((entry for entry in entries if entry.kind == DETECTED), None)
    if detection is None or resolved_at is None or detection.occurred_at < resolved_at:
        return None
    return detection


def _now(connection: Connection, request: Request, original: Incident) -> TimelineEntry:
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


def _hand_over(
    connection: Connection, request: Request, item: ActionItem, mistaken: Incident, to: Incident
) -> ActionItem:
    """The item under a number of the incident it belongs to, in the state it was in."""
    by, at = request.user_id, request.received_at
    facts = asdict(item)
    copy = action_items.add(connection, to.id, **{name: facts[name] for name in _CARRIED}, by=by, at=at)
    state = {name: facts[name] for name in ("state", "snoozed_until", "reason")}
    left = action_items.revise(connection, item, by=by, at=at, state="dropped", reason=f"moved to {to.name}")
    moved = action_items.revise(connection, copy, by=by, at=at, **state)
    for each, of in ((left, mistaken), (moved, to)):
        plan_item(connection, of, each, at=at, cadence=request.settings.cadence)
    return moved
