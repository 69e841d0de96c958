"""Whether action items are done in time: the counts, in all and by the team that owns them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from storage.values import ItemOutcome

IN_TIME, LATE, OVERDUE, AHEAD, UNDATED, DROPPED = "in time", "late", "overdue", "ahead", "undated", "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTime:
    """Action items by how they stand with their date.

    `in_time` and `late` are done, on or before the due date or after it; `overdue` is open past it; `ahead` is open
    with its date still to come; `undated` has no date, `undated_done` of them are done; `dropped` was decided against.
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
        """All of them."""
        return self.judged + self.ahead + self.undated + self.dropped

    @property
    def judged(self) -> int:
        """Those of which it is known whether they were done in time: what the share is a share of."""
        return self.in_time + self.late + self.overdue

    @property
    def done(self) -> int:
        """All that are done."""
        return self.in_time + self.late + self.undated_done


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerGroup:
    """The items of one team, by the name it was given as an owner; of people or of nobody where `team` is None."""

    team: str | None
    owned: bool
    on_time: OnTime


def due_status(item: ItemOutcome, today: date) -> str:
    """How the item stands on the date `today`; it was done on the day it was in its incident's own zone."""
    if item.state == "dropped":
        return DROPPED
    if item.due_on is None:
        return UNDATED
    if item.state == "done":
        return LATE if item.done_at and item.done_at.astimezone(ZoneInfo(item.zone)).date() > item.due_on else IN_TIME
    return OVERDUE if item.due_on < today else AHEAD


def on_time(items: Iterable[ItemOutcome], today: date) -> OnTime:
    """The counts of the items."""
    told = list(items)
    by = Counter(due_status(item, today) for item in told)
    return OnTime(
        in_time=by[IN_TIME],
        late=by[LATE],
        overdue=by[OVERDUE],
        ahead=by[AHEAD],
        undated=by[UNDATED],
        undated_done=sum(item.state == "done" and item.due_on is None for item in told),
        dropped=by[DROPPED],
    )


def by_team(items: Iterable[ItemOutcome], today: date, *, people: Collection[str]) -> tuple[OwnerGroup, ...]:
    """The counts by team, the one with most items first; then those of people, then those of nobody.

    Slack's core scopes tell no one's team, so a team is an owner who is no person: neither a Slack user nor of a
    name in `people` (in small letters). What people own is counted together: whose it is belongs in the list of
    items, and not into a report.
    """
    teams: dict[str, list[ItemOutcome]] = {}
    others: dict[bool, list[ItemOutcome]] = {True: [], False: []}
    for item in items:
        if item.owner and not item.owner_id and item.owner.casefold() not in people:
            teams.setdefault(item.owner.casefold(), []).append(item)
        else:
            others[bool(item.owner)].append(item)
    rest = [
        OwnerGroup(team=None, owned=owned, on_time=on_time(found, today)) for owned, found in others.items() if found
    ]
    return (*_teams(teams, today), *rest)


def _teams(teams: Mapping[str, list[ItemOutcome]], today: date) -> list[OwnerGroup]:
    largest = sorted(teams, key=lambda name: (-len(teams[name]), name))
    return [OwnerGroup(team=teams[name][0].owner, owned=True, on_time=on_time(teams[name], today)) for name in largest]
