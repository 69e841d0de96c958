"""Close an incident that was none, or was another one: cancel it, mark it as a duplicate, merge another one into it.

A closed incident keeps its record and counts nowhere; `/reopened`, or the button, opens it again.
"""

import re
from dataclasses import asdict, replace

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.lifecycle import in_order, is_open, lifecycle
from bot.domain.incident.policy import told_in, visible_to
from bot.domain.words import after_separator
from bot.errors import UsageError
from bot.handlers.incident.facts import refresh, show
from bot.handlers.incident.incidents import (
    commands_about,
    example_name,
    get_by_number,
    get_current,
    get_named,
    incident_number,
    take_number,
)
from bot.handlers.incident.timeline import MOVES_OPEN, append, lift_closing, receipt, sync_open_state
from bot.handlers.items.reminders import lock_recipients, plan_item, plan_publication
from bot.handlers.permission import require_permission
from bot.handlers.postmortem.drafts import enqueue_draft
from bot.handlers.request import Button, Menu, Reply, Request, without_secrets
from bot.vocabulary import DETECTED, FACTS, NOTE, REOPENED
from storage import incidents, outbox, postmortems, reviews, timeline
from storage.items import action_items, handovers
from storage.sources import files, graphs, signals
from storage.values import CANCELLED, DUPLICATE, FROM_SOURCE, MERGED, MISTAKEN, ActionItem, Incident, TimelineEntry

CANCEL, OPEN_AGAIN = "cancel_incident", "open_again"
"""The actions of the menu of reasons for a cancellation, and of the button that takes a closing back."""
REASONS = ("false alarm", "drill", "mistake")
LONGEST_REASON = 300
_CLOSED_BY = {CANCELLED: "cancel", DUPLICATE: "duplicate", MERGED: "merge", MISTAKEN: "merge"}
"""The permission that each closing needs."""
_JOINT = re.compile(r"^\s*(?:as|of|with|into|to)\s+", re.IGNORECASE)
_ENTRY_FIELDS = (
    "kind", "occurred_at", "recorded_at", "author", "author_id", "recorded_by_id",
    "text", "qualifier", "source", "permalink", "approximate", "until_at", "next_at",
)  # fmt: skip
_ITEM_FIELDS = ("text", "kind", "owner", "owner_id", "due_on", "ticket", "priority", "done_when")


def cancel(connection: Connection, request: Request) -> Reply:
    """`cancel [INC-12] why`: it was no incident. Without a reason, ask for one with a menu of REASONS."""
    named, why = get_named(connection, request)
    why = _reason(why)
    incident = _lock(connection, named)
    if incident.closed_as is not None:
        raise UsageError(_closed_already(connection, request, incident))
    require_permission(connection, request, incident, "cancel")
    if not why:
        reasons = tuple((each.capitalize(), f"{incident.name} {each}") for each in REASONS)
        command = f"{request.slash('incident')} cancel {incident.name}"
        return Reply(
            text=slack("why_cancel", incident=incident, command=command),
            buttons=(Menu(label="Why?", action=CANCEL, options=reasons),),
        )
    return _closed(request, _close(connection, request, incident, CANCELLED, why=why), connection)


def duplicate(connection: Connection, request: Request) -> Reply:
    """`duplicate [INC-12 of] INC-4`: it is the same as INC-4, and keeps its own entries."""
    incident, original, rest = _two(connection, request, "duplicate")
    if original.same_as_id == incident.id:
        raise UsageError(f"{original.name} is a {original.standing} already, so {incident.name} stays.")
    if incident.closed_as is not None and incident.same_as_id == original.id:
        raise UsageError(_closed_already(connection, request, incident))
    require_permission(connection, request, incident, "duplicate")
    why = ": ".join(filter(None, (_same_as(original, incident), _reason(rest))))
    after = _close(connection, request, incident, DUPLICATE, why=why, same_as=original)
    return _closed(request, after, connection, original=original)


def merge(connection: Connection, request: Request) -> Reply:
    """`merge INC-4 [into INC-12]`: bring the entries and items of INC-4 into the incident, and close INC-4."""
    incident, other, _ = _two(connection, request, "merge", into=True)
    if other.private and other.channel_id != incident.channel_id:
        raise UsageError(f"{other.name} is kept to its own channel, so its entries are not moved to another one.")
    for each in (incident, other):
        require_permission(connection, request, each, "merge")
    entries, items, reopening = _move(connection, request, other, incident)
    _close(connection, request, other, MERGED, why=_same_as(incident, other, "merged into"), same_as=incident)
    hidden = other.private and not incident.private
    if hidden:
        # Otherwise what was kept to its channel would be seen from everywhere.
        incident = show(connection, request, incident, private=True)
    text = slack(
        "merged", incident=incident, other=other, entries=entries, items=items, reopening=reopening, hidden=hidden
    )
    there = slack(
        "merged_elsewhere",
        incident=incident,
        other=other,
        named=visible_to(request.standing, incident, other.channel_id),
        titled=told_in(incident, other.channel_id),
    )
    for channel_id, told in {incident.channel_id: text, other.channel_id: there}.items():
        if channel_id != request.channel_id and incident.channel_id != other.channel_id:
            shown = {"text": without_secrets(told)}
            outbox.post(connection, request.workspace_id, channel_id, shown, at=request.received_at)
    # In one channel only one incident is open at a time.
    apart = Button(label=f"Open {other.name} again", action=OPEN_AGAIN, value=other.name)
    buttons = (apart,) if incident.channel_id != other.channel_id else ()
    if other.channel_id == request.channel_id != incident.channel_id:
        return Reply(text=there, public=True, buttons=buttons, about=other.name)
    # Both channels are told above; in a third one the title may be news.
    public = request.is_direct or request.channel_id == incident.channel_id
    return Reply(text=text, public=public, buttons=buttons, about=incident.name)


def open_again(connection: Connection, request: Request) -> Reply:
    """`INC-1`: take the closing of INC-1 back; a button sends it. A cancelled one is then as it was before."""
    number = incident_number(request.words) or 0
    closed = incidents.numbered(connection, request.workspace_id, number)
    if closed is None or not request.sees(closed):
        raise UsageError(f"There is no INC-{number} here, so nothing was changed.")
    return restore(connection, request, closed)


def restore(connection: Connection, request: Request, closed: Incident) -> Reply:
    """Take the closing back, as the receipt says. Raises UsageError where it is not closed, or another one is open."""
    incident = _lock(connection, closed)
    if incident.closed_as is None:
        raise UsageError(f"{incident.name} is {incident.state} already.")
    if not request.is_member:
        require_permission(connection, request, incident, _CLOSED_BY[incident.closed_as])
    incidents.lock_workspace(connection, request.workspace_id)
    latest = incidents.in_channel(connection, request.workspace_id, incident.channel_id)
    if latest is not None and latest.open:
        seen = request.sees(latest)
        merge_it = f" To bring its entries there: {request.slash('incident')} merge {incident.name}"
        raise UsageError(
            f"{latest.name if seen else 'Another incident'} is open in the channel of {incident.name}, so that one "
            f"stays closed.{merge_it if seen and not incident.merged else ''}"
        )
    holder = incidents.holder(connection, incident)
    after = lift_closing(connection, request, incident)
    open_now = is_open(timeline.of_incident(connection, incident.id, kinds=MOVES_OPEN))
    incidents.set_open(connection, after, is_open=open_now)
    if not open_now:
        plan_publication(connection, after, is_open=False, at=request.received_at, cadence=request.settings.cadence)
        if postmortems.newest(connection, incident.id) is None:
            enqueue_draft(connection, request, after)
    kept = holder.name if holder.id != incident.id and request.sees(holder) else None
    text = slack("opened_again", incident=replace(after, open=open_now), moved=incident.merged, kept=kept)
    return Reply(text=text, public=True, about=incident.name)


def _another(connection: Connection, request: Request, verb: str) -> str:
    """An example with another incident than the channel's own; empty where the user sees none."""
    here = incidents.current(connection, request.workspace_id, request.channel_id, sees=request.sees)
    name = example_name(connection, request, but=here)
    return f" Try: {request.slash('incident')} {verb} {name}" if name else ""


def _two(connection: Connection, request: Request, verb: str, *, into: bool = False) -> tuple[Incident, Incident, str]:
    """The incident to write to, the other one that the words name, both locked, and the remaining words.

    `INC-4` is the other one; of two, the second one is, or with `into` the first one. Raises UsageError where they are
    the same, the words name none, or one cannot be seen from here.
    """
    number, rest = take_number(_JOINT.sub("", request.words))
    if number is None:
        raise UsageError(f"Which incident? Name it.{_another(connection, request, verb)}")
    named = get_by_number(connection, request, number)
    joined = _JOINT.sub("", rest)
    second, after = take_number(joined, plain=joined != rest)
    if second is None:
        incident, other = get_current(connection, request), named
    else:
        last, rest = get_by_number(connection, request, second), after
        incident, other = (last, named) if into else (named, last)
    if incident.id == other.id:
        example = _another(connection, request, verb)
        raise UsageError(f"{incident.name} is this incident itself. Name the other one.{example}")
    locked = lock_both(connection, incident, other)
    for each in locked:
        if each.merged:
            raise UsageError(f"{each.name} is a {each.standing} by now.")
    return *locked, rest


def lock_both(connection: Connection, one: Incident, other: Incident) -> tuple[Incident, Incident]:
    """Both incidents, locked, as they are now.

    Always in the same order: two people who merge or move between the same two at once would deadlock otherwise.
    """
    locked = {each.id: _lock(connection, each) for each in sorted((one, other), key=lambda each: each.number)}
    return locked[one.id], locked[other.id]


def _lock(connection: Connection, incident: Incident) -> Incident:
    return incidents.numbered(connection, incident.workspace_id, incident.number, lock=True) or incident


def _reason(words: str) -> str:
    """The words on one line. Raises UsageError where there are more than LONGEST_REASON characters."""
    why = " ".join(after_separator(words).split())
    if len(why) > LONGEST_REASON:
        raise UsageError(
            f"The reason has {len(why)} characters, and {LONGEST_REASON} fit. Put the rest in a note first."
        )
    return why


def _same_as(original: Incident, closed: Incident, verb: str = "the same as") -> str:
    """The reason of a duplicate. It is shown wherever the closed one is, so none that is hidden there is named."""
    hidden = original.private and not (closed.private and closed.channel_id == original.channel_id)
    return f"{verb} {'another incident' if hidden else original.name}"


def _closed_already(connection: Connection, request: Request, incident: Incident) -> str:
    again = commands_about(connection, request, incident)(REOPENED)
    return f"{incident.name} is closed already, {incident.standing}. If it goes on: {again}"


def _close(
    connection: Connection,
    request: Request,
    incident: Incident,
    closed_as: str,
    *,
    why: str | None = None,
    same_as: Incident | None = None,
) -> Incident:
    """Close the incident and cancel the reminder to publish it; those of its items are not due while it is closed."""
    plan_publication(connection, incident, is_open=True, at=request.received_at, cadence=request.settings.cadence)
    return incidents.close(
        connection, incident, closed_as, why=why, same_as=same_as, by=request.user_id, at=request.received_at
    )


def _closed(request: Request, incident: Incident, connection: Connection, original: Incident | None = None) -> Reply:
    planned = reviews.planned(connection, incident.id)
    text = slack(
        "closed",
        incident=incident,
        original=original if original is not None and told_in(original, incident.channel_id) else None,
        review=planned is not None and planned.starts_at > request.received_at,
        request=request,
        command=commands_about(connection, request, incident),
    )
    again = Button(label="Open it again", action=OPEN_AGAIN, value=incident.name)
    return Reply(text=text, public=True, buttons=(again,), about=incident.name)


def reopen_duplicate(connection: Connection, request: Request) -> Reply:
    """`INC-1 INC-2`: reopen INC-1 and move the entries and action items of INC-2 there; a button sends it.

    The detection of INC-2 becomes the reopening. Moved entries keep their times and authors. The duplicate keeps its
    rows, with every entry retracted, and points to the original.
    """
    original, rest = get_named(connection, request)
    mistaken, _ = get_named(connection, replace(request, words=rest))
    # The lock makes a second, simultaneous click wait and then find the original open.
    original, mistaken = lock_both(connection, original, mistaken)
    if original.open or mistaken.id == original.id:
        raise UsageError(f"{original.name} is open again already.")
    if not mistaken.open:
        raise UsageError(f"{mistaken.name} is {mistaken.state} by now, so it stays an incident of its own.")
    if original.channel_id != mistaken.channel_id:
        raise UsageError(f"{original.name} is of another channel, so it cannot be the same as {mistaken.name}.")
    if not request.is_member and mistaken.declared_by_id != request.user_id:
        require_permission(connection, request, mistaken, "merge")
    entries, items, reopening = _move(connection, request, mistaken, original, same=True)
    if mistaken.private:
        original = show(connection, request, original, private=True)
    incidents.close(connection, mistaken, MISTAKEN, same_as=original, by=request.user_id, at=request.received_at)
    assert reopening is not None  # noqa: S101 - the original was not open, and the mistaken one was
    return receipt(connection, request, "duplicate", original, reopening, mistaken=mistaken, moved=entries, items=items)


def _move(
    connection: Connection, request: Request, other: Incident, to: Incident, *, same: bool = False
) -> tuple[int, int, TimelineEntry | None]:
    """Move the entries and items of `other` to the incident `to`: how many, and the entry that reopens `to`, if any.

    Changes of the facts of `other` are such of `to` too where they are the `same` incident, else notes.
    `to` is open afterwards where either was before. The detection of an open `other` that occurred after the resolution
    of `to` becomes its reopening.
    """
    own = timeline.of_incident(connection, to.id)
    entries = in_order([each for each in timeline.of_incident(connection, other.id) if not each.retracted])
    recurrence = _find_recurrence(own, entries) if other.open and not to.open else None
    moved = [
        move_entry(connection, request, entry, to, kind=REOPENED if entry == recurrence else entry.kind)
        if same or entry.kind not in FACTS
        else _move_fact(connection, request, entry, other, to)
        for entry in entries
    ]
    if same:
        to = refresh(connection, request, to, *FACTS)
    reopening = next((each for each in moved if recurrence and each.kind == REOPENED), None)
    if other.open and not to.open and reopening is None:
        reopening = append(connection, request, to, REOPENED, "", at=request.now)
    elif to.open:
        reopening = _keep_open(connection, request, other, to, own, moved)
    items = action_items.of_incident(connection, other.id)
    lock_recipients(connection, (other, to), items, request.settings.cadence)
    if other.open and to.closed_as is not None:
        to = lift_closing(connection, request, to)
    for item in items:
        _move_item(connection, request, item, other, to)
    sync_open_state(connection, request, to, REOPENED)
    return len(moved), len(items), reopening


def _find_recurrence(own: list[TimelineEntry], entries: list[TimelineEntry]) -> TimelineEntry | None:
    """The first detection among the entries, if it occurred after the resolution among the incident's own."""
    resolved_at = lifecycle(own).resolved_at
    detection = next((entry for entry in entries if entry.kind == DETECTED), None)
    if detection is None or resolved_at is None or detection.occurred_at < resolved_at:
        return None
    return detection


def _keep_open(
    connection: Connection,
    request: Request,
    other: Incident,
    to: Incident,
    own: list[TimelineEntry],
    moved: list[TimelineEntry],
) -> TimelineEntry | None:
    """Append a reopening to the open incident if with the moved entries it would be resolved; None if it would not.

    A resolution of the other one did not hold for both: it came back at once, or with the incident's own beginning.
    """
    resolved_at = lifecycle([*own, *moved]).resolved_at
    if resolved_at is None:
        return None
    began_at = min((each.occurred_at for each in own if not each.retracted), default=to.declared_at)
    text = f"{other.name} was resolved, {to.name} was not"
    return append(connection, request, to, REOPENED, text, at=max(resolved_at, began_at))


def move_entry(
    connection: Connection, request: Request, entry: TimelineEntry, to: Incident, *, kind: str
) -> TimelineEntry:
    """Retract the entry and append a copy of it; a qualifier belongs to its kind and goes when that changes."""
    timeline.revise(connection, entry, by=request.user_id, at=request.received_at, retracted=True)
    copy = replace(entry, kind=kind, qualifier=entry.qualifier if kind == entry.kind else None)
    facts = {name: getattr(copy, name) for name in _ENTRY_FIELDS}
    moved = timeline.append(connection, to.id, **facts, people=_linked(copy))
    files.move(connection, to.workspace_id, entry.id, to=moved.id, at=request.received_at)
    graphs.move(connection, to.workspace_id, entry.id, to=moved.id, at=request.received_at)
    if entry.source == FROM_SOURCE:
        signals.move(connection, entry.id, to=moved.id, incident_id=to.id)
    if entry.message_state is None:
        return moved
    by, at = request.user_id, request.received_at
    return timeline.revise(connection, moved, by=by, at=at, message_state=entry.message_state)


def _move_fact(
    connection: Connection, request: Request, entry: TimelineEntry, other: Incident, to: Incident
) -> TimelineEntry:
    """Move a change of a fact of `other` as a note that says whose fact it was."""
    told = replace(entry, text=f"{other.name}, {FACTS[entry.kind].label.lower()}: {entry.text}")
    return move_entry(connection, request, told, to, kind=NOTE)


def _linked(moved: TimelineEntry | ActionItem) -> dict[str, str] | None:
    """Who is in the words; None, not {}, where they hold only ids of people whose names are not known yet."""
    return dict(moved.people) or None


def _move_item(connection: Connection, request: Request, item: ActionItem, other: Incident, to: Incident) -> None:
    """Drop the item and add a copy of it, in the state it had, to the incident `to`."""
    by, at = request.user_id, request.received_at
    facts = asdict(item)
    kept = {name: facts[name] for name in _ITEM_FIELDS}
    copy = action_items.add(connection, to.id, **kept, people=_linked(item), by=by, at=at)
    state = {name: facts[name] for name in ("state", "snoozed_until", "reason", "accepted_at")}
    dropped = action_items.revise(connection, item, by=by, at=at, state="dropped", reason=f"moved to {to.name}")
    moved = action_items.revise(connection, copy, by=by, at=at, **state)
    handovers.move(connection, item.id, to=moved, incident_id=to.id)
    for each, incident in ((dropped, other), (moved, to)):
        plan_item(connection, incident, each, at=at, cadence=request.settings.cadence)
