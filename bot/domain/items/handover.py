"""Hand-overs: who is to be told of a change of an action item, from when on, and what is left to say by then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.items.cadence import Cadence
from storage.values import PENDING, ActionItem, Handover

GIVEN, TAKEN, CHANGED, DECLINED, LEFT = "given", "taken", "changed", "declined", "left"
"""The kinds of changes: the recipient owns the item now, or no more; it was done, dropped, reopened or dated; its owner
gave it back, or has left the workspace. The recipient of the last two is who decides about the item."""
REOPENED, DATED = "reopened", "dated"
"""What may be said of an item, beside the kinds above and the states of a finished one."""
WINDOW = timedelta(minutes=10)
"""How long after a message was posted more changes are put into it, rather than into another one."""
PRESENT_FOR = timedelta(minutes=15)
"""How long after recording something in an incident a person counts as being in its channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is to be said of one item: a kind of change, or the state it is in; `change` is the one that led to it."""

    what: str
    change: Handover


def concerned(before: ActionItem | None, after: ActionItem, *, by: str) -> dict[str, str]:
    """The kind of the change for each user who is to be told of it; `before` is None for a new item.

    Who made the change knows of it.
    """
    owner_before, owner_after = before.owner_id if before else None, after.owner_id
    agreed = before is not None and before.state == "proposed" and after.state == "open"
    told: dict[str, str] = {}
    if owner_before and owner_before != owner_after:
        told[owner_before] = TAKEN
    if owner_after and (owner_after != owner_before or agreed):
        told[owner_after] = GIVEN
    elif owner_after and before is not None:
        finished = before.state != after.state and not (before.pending and after.pending)
        if finished or before.due_on != after.due_on:
            told[owner_after] = CHANGED
    told.pop(by, None)
    return told


def is_held(item: ActionItem | None, user_id: str) -> bool:
    """Whether the user has the item; a proposal with their name is not theirs yet."""
    return item is not None and item.owner_id == user_id and item.state != "proposed"


def tell_at(at: datetime, cadence: Cadence, zone: ZoneInfo) -> datetime:
    """When to tell somebody of a change at the aware `at`: at once, or when their working hours begin again; in UTC."""
    return at if cadence.is_working(at, zone) else cadence.next_opening(at, zone)


def news(changes: Sequence[Handover]) -> News | None:
    """What is left to say to the recipient after these changes of one item, in order; None where nothing is.

    Said is the difference between what they knew before the first one and the item as it is now: an item that was given
    to them and is done since, taken back, or of a cancelled incident, was never there for them.
    """
    first, last = changes[0], changes[-1]
    item = last.item
    if last.incident.closed_as is not None:
        return None
    if item.owner_id == last.recipient_id and not first.held:
        return News(what=GIVEN, change=_last(changes, GIVEN)) if item.pending else None
    if first.held:
        what = _of_held(first, item)
        return News(what=what, change=last) if what else None
    if not item.pending:
        return None
    for kind in (LEFT, DECLINED):
        change = _last(changes, kind)
        # The change that calls for a decision, unless somebody has decided since.
        if change.kind == kind and (item.owner_id == change.by_id if kind == LEFT else item.owner is None):
            return News(what=kind, change=change)
    return None


def _of_held(first: Handover, item: ActionItem) -> str | None:
    if not item.pending:
        return item.state if first.state in PENDING else None
    if item.owner_id != first.recipient_id:
        return TAKEN
    if first.state not in PENDING:
        return REOPENED
    return DATED if item.due_on != first.due_on else None


def _last(changes: Sequence[Handover], kind: str) -> Handover:
    """The last change of that kind, else the last of all."""
    return next((each for each in reversed(changes) if each.kind == kind), changes[-1])
