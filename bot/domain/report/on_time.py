"""Counts action items by whether they were done in time, in all and by the team that owns them."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from storage.values import ItemOutcome

IN_TIME, LATE, OVERDUE, AHEAD, UNDATED, DROPPED = "in time", "late", "overdue", "ahead", "undated", "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTime:
    """The number of action items by due status.

    Done on or before the due date is `in_time`, after it `late`. Open after the due date is `overdue`, before or on it
    `ahead`. `undated` items have no due date, and `undated_done` of them are done. `dropped` items will not be done.
    """

    in_time: int = 0
    late: int = 0
    overdue: int = 0
    ahead: int = 0
    undated: int = 0
    undated_done: int = 0
    dropped: int = 0

    @property
    def recorded(self) -> int:
        """All items."""
        return self.judged + self.ahead + self.undated + self.dropped

    @property
    def judged(self) -> int:
        """The items known to be done in time or not: the denominator of the share done in time."""
        return self.in_time + self.late + self.overdue

    @property
    def done(self) -> int:
        """All items that are done."""
        return self.in_time + self.late + self.undated_done


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerGroup:
    """The items of one team, named as its owner was typed; without a `team` those of people, or without an owner."""

    team: str | None
    owned: bool
    on_time: OnTime


def due_status(item: ItemOutcome, today: date) -> str:
    """The due status of the item on `today`. The day it was done is that of its incident's time zone."""
    if item.state == "dropped":
        return DROPPED
    if item.due_on is None:
        return UNDATED
    if item.state == "done":
        return LATE if item.done_at and item.done_at.astimezone(ZoneInfo(item.zone)).date() > item.due_on else IN_TIME
    return OVERDUE if item.due_on < today else AHEAD


def on_time(items: Iterable[ItemOutcome], today: date) -> OnTime:
    """Count the items by due status."""
    items = list(items)
    by = Counter(due_status(item, today) for item in items)
    return OnTime(
        in_time=by[IN_TIME],
        late=by[LATE],
        overdue=by[OVERDUE],
        ahead=by[AHEAD],
        undated=by[UNDATED],
        undated_done=sum(item.state == "done" and item.due_on is None for item in items),
        dropped=by[DROPPED],
    )


def by_team(items: Iterable[ItemOutcome], today: date, *, people: Collection[str]) -> tuple[OwnerGroup, ...]:
    """The counts by team, the team with most items first; then those of all people together, then without an owner.

    Slack's core scopes do not include user groups, so a team is an owner that is no person: neither a Slack user nor a
    name in `people` (case-folded). A report does not rate single people, so their items are counted together.
    """
    teams: dict[str, list[ItemOutcome]] = {}
    others: dict[bool, list[ItemOutcome]] = {True: [], False: []}
    for item in items:
        if item.owner and not item.owner_id and item.owner.casefold() not in people:
            teams.setdefault(item.owner.casefold(), []).append(item)
        else:
            others[bool(item.owner)].append(item)
    largest = sorted(teams, key=lambda name: (-len(teams[name]), name))
    return (
        *(OwnerGroup(team=teams[name][0].owner, owned=True, on_time=on_time(teams[name], today)) for name in largest),
        *(OwnerGroup(team=None, owned=owned, on_time=on_time(each, today)) for owned, each in others.items() if each),
    )
