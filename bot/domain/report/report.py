"""The report: what a period's incidents and action items say, counted. What is not known is counted as unknown."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from bot.domain.incident.lifecycle import DURATIONS, lifecycle
from bot.domain.postmortem.export import instant
from bot.domain.report.on_time import OnTime, OwnerGroup, by_team, on_time
from bot.domain.report.period import Period
from bot.vocabulary import SEVERITIES
from storage.values import DeclaredIncident, ItemOutcome, Milestone


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One duration of many incidents: `seconds` are the known ones, ascending; `unknown` counts the others.

    `definition` says how one incident's time is measured.
    """

    key: str
    label: str
    definition: str
    seconds: tuple[float, ...]
    unknown: int

    @property
    def known(self) -> int:
        """The sample size."""
        return len(self.seconds)

    @property
    def median_s(self) -> float | None:
        """The middle one, or halfway between the middle two; None when none is known."""
        return median(self.seconds) if self.seconds else None

    @property
    def shortest_s(self) -> float | None:
        """The shortest known, in seconds."""
        return self.seconds[0] if self.seconds else None

    @property
    def longest_s(self) -> float | None:
        """The longest known, in seconds."""
        return self.seconds[-1] if self.seconds else None


def spread(key: str, label: str, definition: str, seconds: Iterable[float | None]) -> Spread:
    """The spread of the times given, None for each incident of which it is not known."""
    told = list(seconds)
    known = sorted(each for each in told if each is not None)
    return Spread(key=key, label=label, definition=definition, seconds=tuple(known), unknown=len(told) - len(known))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The numbers of one period.

    `severities` holds every severity with its count, None standing for the unknown one. `declared` are the
    incidents, in the order they were declared. `groups` are the action items by team.
    """

    period: Period
    declared: tuple[DeclaredIncident, ...]
    severities: tuple[tuple[str | None, int], ...]
    spreads: tuple[Spread, ...]
    items: OnTime
    groups: tuple[OwnerGroup, ...]

    @property
    def still_open(self) -> int:
        """How many of the incidents are not resolved."""
        return sum(incident.open for incident in self.declared)

    @property
    def teams(self) -> tuple[OwnerGroup, ...]:
        """The groups that have a team's name."""
        return tuple(group for group in self.groups if group.team is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRecords:
    """What is counted: the period's incidents, their milestones by the incident's id, and the period's items."""

    incidents: Sequence[DeclaredIncident]
    milestones: Mapping[int, Sequence[Milestone]]
    items: Sequence[ItemOutcome]


def build_report(period: Period, counted: PeriodRecords, *, today: date, people: Collection[str] = ()) -> Report:
    """The report on what was counted; `today` is the date by which items are overdue, `people` as for `by_team`."""
    lives = [lifecycle(counted.milestones.get(incident.id, ())) for incident in counted.incidents]
    return Report(
        period=period,
        declared=tuple(sorted(counted.incidents, key=lambda incident: (incident.declared_at, incident.id))),
        severities=_severities(counted.incidents),
        spreads=tuple(
            spread(rule.key, rule.label, rule.definition, (getattr(life, f"{rule.key}_s") for life in lives))
            for rule in DURATIONS
        ),
        items=on_time(counted.items, today),
        groups=by_team(counted.items, today, people=people),
    )


def _severities(incidents: Sequence[DeclaredIncident]) -> tuple[tuple[str | None, int], ...]:
    found = Counter(incident.severity if incident.severity in SEVERITIES else None for incident in incidents)
    return tuple((severity, found[severity]) for severity in (*SEVERITIES, None))


Json = dict[str, Any]


def report_json(report: Report) -> Json:
    """The report: durations in seconds, each with its sample size; what is not known has a count of its own."""
    return {
        "period": {
            "words": report.period.words,
            "since": instant(report.period.since),
            "until": instant(report.period.until),
        },
        "incidents": {
            "declared": len(report.declared),
            "still_open": report.still_open,
            "by_severity": {severity or "unknown": count for severity, count in report.severities},
        },
        "durations": {spread.key: _spread(spread) for spread in report.spreads},
        "action_items": _kept(report.items),
        "action_items_by_team": [_group(group) for group in report.groups],
    }


def _spread(spread: Spread) -> Json:
    return {
        "known": spread.known,
        "unknown": spread.unknown,
        "median_s": spread.median_s,
        "shortest_s": spread.shortest_s,
        "longest_s": spread.longest_s,
        "definition": spread.definition,
    }


def _kept(on_time: OnTime) -> Json:
    return {
        "recorded": on_time.recorded,
        "done": on_time.done,
        "done_in_time": on_time.in_time,
        "done_late": on_time.late,
        "overdue": on_time.overdue,
        "not_yet_due": on_time.ahead,
        "without_date": on_time.undated,
        "dropped": on_time.dropped,
    }


def _group(group: OwnerGroup) -> Json:
    return {"team": group.team, "owned": group.owned, **_kept(group.on_time)}
