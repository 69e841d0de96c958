"""The data of a postmortem as one frozen value: everything that a template prints, computed beforehand."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.incident.lifecycle import Duration, Lifecycle
from bot.domain.postmortem.layout import Words
from bot.domain.postmortem.questions import Question
from storage.values import Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One instant on two clocks: `at` in UTC, `local` in the document's zone."""

    at: datetime
    local: datetime

    @property
    def other_day(self) -> bool:
        """Whether UTC has another date than the local clock."""
        return self.at.date() != self.local.date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry as a document shows it.

    `new_utc_day` says to print UTC's date beside its time. `late_s` is how many seconds after it happened it was
    recorded, None if it was not late. `private` lines are left out of the public rendering.
    """

    number: int
    kind: str
    label: str
    mark: str
    qualifier: str | None
    words: Words
    author: str
    permalink: str | None
    time: Stamp
    new_utc_day: bool
    late_s: float | None
    private: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The lines of one local date within one phase."""

    on: date
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of the timeline: `lead_up`, `during` or `aftermath`."""

    key: str
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One of the four times of the response: its definition, and the seconds it took, None if unknown."""

    rule: Duration
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A stretch of the incident without any entry."""

    start: Stamp
    end: Stamp
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One action item as a document shows it."""

    number: int
    words: Words
    owner: str | None
    due_on: date | None
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the templates print.

    `times` holds the lifecycle's instants by name (None if unknown); `items` the action items by term and `dropped`;
    `lessons` the lessons by side; `causes` the causes by factor, `unsorted` for those without one. `told` holds all
    lines by kind; `topics` those that begin with a topic, and `aspects` the impact by aspect, both without these
    labels. `review` is the planned start of the review. `questions` are the open ones, by fact. `only_day` is the one
    date of the whole timeline, None if it has several.
    """

    incident: Incident
    lifecycle: Lifecycle
    zone: str
    in_utc: bool
    only_day: date | None
    times: Mapping[str, Stamp | None]
    measured: tuple[Measured, ...]
    timeline: tuple[Phase, ...]
    impact: tuple[Line, ...]
    share: str | None
    aspects: Mapping[str, tuple[Line, ...]]
    topics: Mapping[str, tuple[Line, ...]]
    told: Mapping[str, tuple[Line, ...]]
    causes: Mapping[str, tuple[Line, ...]]
    mitigation: Line | None
    resolution: Line | None
    items: Mapping[str, tuple[Item, ...]]
    lessons: Mapping[str, tuple[Line, ...]]
    gaps: tuple[Silence, ...]
    entries: int
    late: tuple[Line, ...]
    people: tuple[str, ...]
    review: Stamp | None
    questions: Mapping[str, Question]

    def hurt(self, aspects: Collection[str]) -> dict[str, tuple[Line, ...]]:
        """The impact by aspect: each line once, under the first of `aspects` that it has, else under the first one."""
        named: dict[int, str] = {}
        for aspect in aspects:
            for line in self.aspects.get(aspect, ()):
                named.setdefault(line.number, aspect)
        placed = {
            aspect: tuple(line for line in self.aspects.get(aspect, ()) if named[line.number] == aspect)
            for aspect in aspects
        }
        others = tuple(line for line in self.impact if line.number not in named)
        first = next(iter(placed), "")
        in_order = sorted((*placed.get(first, ()), *others), key=lambda line: (line.time.at, line.number))
        return placed | {first: tuple(in_order)}
