"""The report: what a period's incidents and action items say, counted. What is not known is counted as unknown."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain.incident.lifecycle import DURATIONS, lifecycle
from bot.domain.report.on_time import Group, Kept, by_team, kept
from bot.domain.report.period import Period
from bot.domain.report.spread import Spread, spread
from bot.vocabulary import SEVERITIES
from storage.values import DeclaredIncident, ItemOutcome, Milestone


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
    items: Kept
    groups: tuple[Group, ...]

    @property
    def still_open(self) -> int:
        """How many of the incidents are not resolved."""
        return sum(incident.open for incident in self.declared)

    @property
    def teams(self) -> tuple[Group, ...]:
        """The groups that have a team's name."""
        return tuple(group for group in self.groups if group.team is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What is counted: the period's incidents, their milestones by the incident's id, and the period's items."""

    incidents: Sequence[DeclaredIncident]
    milestones: Mapping[int, Sequence[Milestone]]
    items: Sequence[ItemOutcome]


def report(period: Period, counted: Counted, *, today: date, people: Collection[str] = ()) -> Report:
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
        items=kept(counted.items, today),
        groups=by_team(counted.items, today, people=people),
    )


def _severities(incidents: Sequence[DeclaredIncident]) -> tuple[tuple[str | None, int], ...]:
    found = Counter(incident.severity if incident.severity in SEVERITIES else None for incident in incidents)
    return tuple((severity, found[severity]) for severity in (*SEVERITIES, None))
