"""The report: the incidents and action items of a period, records. What is not known is counted as unknown."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from inspect import getsource
from statistics import median
from zlib import crc32

from bot.domain.incident import lifecycle as course
from bot.domain.incident.lifecycle import DURATIONS, ONSET, Duration
from bot.domain.postmortem.causes import causes_in
from bot.domain.postmortem.export import Json, instant
from bot.domain.report.on_time import OnTime, OwnerGroup, by_team, on_time
from bot.domain.report.period import Period
from bot.vocabulary import ACKNOWLEDGED, DETECTED, RESOLVED, SEVERITIES
from storage.values import DeclaredIncident, ItemOutcome, Milestone, ToldCause

MEASURED = (
    *DURATIONS,
    Duration(
        key="time_in_rounds", label="Time in trouble", start=ONSET, end=RESOLVED,
        definition="the rounds alone, from where users were hurt, or it came back, to each resolution",
    ),
)  # fmt: skip
"""What the report measures: beside the wall clock the time in trouble, without the quiet between two rounds."""
_OF_THE_FIRST_ROUND = frozenset({DETECTED, ACKNOWLEDGED})
"""Ends of durations that a return of the trouble cannot move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One duration over many incidents: `seconds` are the known values, ascending; `unknown` counts the others.

    `definition` says how the duration of one incident is measured. `reopened` is how many of the known values are of
    incidents that were reopened, 0 for a duration that this does not move.
    """

    key: str
    label: str
    definition: str
    seconds: tuple[float, ...]
    unknown: int
    reopened: int = 0

    @property
    def known(self) -> int:
        """The sample size."""
        return len(self.seconds)

    @property
    def median_s(self) -> float | None:
        """The median in seconds, None when no value is known."""
        return median(self.seconds) if self.seconds else None

    @property
    def shortest_s(self) -> float | None:
        """The shortest value in seconds, None when none is known."""
        return self.seconds[0] if self.seconds else None

    @property
    def longest_s(self) -> float | None:
        """The longest value in seconds, None when none is known."""
        return self.seconds[-1] if self.seconds else None


def spread(key: str, label: str, definition: str, seconds: Iterable[float | None]) -> Spread:
    """The spread of one value an incident, None for an incident where it is unknown."""
    values = list(seconds)
    known = sorted(each for each in values if each is not None)
    return Spread(key=key, label=label, definition=definition, seconds=tuple(known), unknown=len(values) - len(known))


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseCount:
    """How many incidents had a cause of that `factor`, None for one unsorted; `numbers` of those that are named."""

    factor: str | None
    incidents: int
    numbers: tuple[int, ...]


def count_causes(told: Iterable[ToldCause], *, channel_id: str | None) -> tuple[CauseCount, ...]:
    """The kinds of causes of the incidents, the most frequent first; an incident counts once under each of its kinds.

    In a channel only its own incidents are named, as there may be guests; without one all are.
    """
    found: dict[str | None, dict[int, str]] = {}
    for each in told:
        for cause in causes_in(each.text, each.qualifier):
            found.setdefault(cause.factor, {})[each.number] = each.channel_id
    counts = [
        CauseCount(
            factor=factor,
            incidents=len(places),
            numbers=tuple(number for number, place in places.items() if channel_id in {None, place}),
        )
        for factor, places in found.items()
    ]
    return tuple(sorted(counts, key=lambda each: (each.factor is None, -each.incidents, each.factor or "")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The numbers of one period.

    `declared` are the incidents, in the order in which they happened. `severities` has each severity with its
    count, None for the unknown one; an incident counts under the highest that it had. `items` counts the action items,
    `groups` the same by team. `reopened` counts the incidents that came back after a resolution.
    `causes` has the kinds of their causes.
    """

    period: Period
    declared: tuple[DeclaredIncident, ...]
    severities: tuple[tuple[str | None, int], ...]
    spreads: tuple[Spread, ...]
    items: OnTime
    groups: tuple[OwnerGroup, ...]
    reopened: int = 0
    causes: tuple[CauseCount, ...] = ()

    @property
    def still_open(self) -> int:
        """The number of incidents that are not resolved."""
        return sum(incident.open for incident in self.declared)

    @property
    def teams(self) -> tuple[OwnerGroup, ...]:
        """The groups of teams, without those of people and of items without an owner."""
        return tuple(group for group in self.groups if group.team is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFigures:
    """What a report counts of one incident: its durations by their keys, None where unknown, and how often it reopened.

    They follow from its milestones alone, so that they are kept and not counted again until an entry changes.
    """

    seconds: Mapping[str, float | None]
    reopened: int


def count_figures(milestones: Iterable[Milestone]) -> IncidentFigures:
    """The figures of an incident with these milestones."""
    life = course.lifecycle(milestones)
    return IncidentFigures(
        seconds={rule.key: getattr(life, f"{rule.key}_s") for rule in MEASURED}, reopened=life.reopened
    )


@cache
def rules() -> int:
    """What `count_figures` goes by, as a number: kept figures that were counted by another code are counted again."""
    return crc32((getsource(course) + getsource(count_figures)).encode()) & 0x7FFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRecords:
    """The records of one period: its incidents, the figures of each by its id, and its action items."""

    incidents: Sequence[DeclaredIncident]
    figures: Mapping[int, IncidentFigures]
    items: Sequence[ItemOutcome]
    causes: tuple[CauseCount, ...] = ()


def build_report(period: Period, records: PeriodRecords, *, today: date, people: Collection[str] = ()) -> Report:
    """Count the records of the period. `today` is the date for due statuses; `people` are as for `by_team`."""
    figures = [records.figures[incident.id] for incident in records.incidents]
    severities = Counter(each.severity if each.severity in SEVERITIES else None for each in records.incidents)
    return Report(
        period=period,
        declared=tuple(sorted(records.incidents, key=lambda incident: (incident.happened_at, incident.id))),
        severities=tuple((severity, severities[severity]) for severity in (*SEVERITIES, None)),
        spreads=tuple(_measure(rule, figures) for rule in MEASURED),
        reopened=sum(each.reopened > 0 for each in figures),
        items=on_time(records.items, today),
        groups=by_team(records.items, today, people=people),
        causes=records.causes,
    )


def _measure(rule: Duration, figures: Sequence[IncidentFigures]) -> Spread:
    """The spread of one duration over the incidents."""
    seconds = [each.seconds[rule.key] for each in figures]
    returned = [
        took_s is not None and each.reopened > 0 and rule.end not in _OF_THE_FIRST_ROUND
        for each, took_s in zip(figures, seconds, strict=True)
    ]
    return replace(spread(rule.key, rule.label, rule.definition, seconds), reopened=sum(returned))


def report_json(report: Report) -> Json:
    """The report as plain JSON values: durations in seconds, each with the numbers of known and unknown ones."""
    return {
        "period": {
            "words": report.period.words,
            "since": instant(report.period.since),
            "until": instant(report.period.until),
        },
        "incidents": {
            "declared": len(report.declared),
            "still_open": report.still_open,
            "reopened": report.reopened,
            "by_severity": {severity or "unknown": count for severity, count in report.severities},
        },
        "durations": {
            spread.key: {
                "known": spread.known,
                "unknown": spread.unknown,
                "reopened": spread.reopened,
                "median_s": spread.median_s,
                "shortest_s": spread.shortest_s,
                "longest_s": spread.longest_s,
                "definition": spread.definition,
            }
            for spread in report.spreads
        },
        "causes": [
            {"kind": each.factor or "unsorted", "incidents": each.incidents, "numbers": list(each.numbers)}
            for each in report.causes
        ],
        "action_items": _on_time_json(report.items),
        "action_items_by_team": [
            {"team": group.team, "owned": group.owned, **_on_time_json(group.on_time)} for group in report.groups
        ],
    }


def _on_time_json(on_time: OnTime) -> Json:
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
