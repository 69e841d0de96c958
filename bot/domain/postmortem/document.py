"""The data of a postmortem as one frozen value: everything that a template prints, computed beforehand."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from bot.domain.incident.lifecycle import Duration, Lifecycle
from bot.domain.items.item import DROPPED
from bot.domain.postmortem.layout import Words
from bot.domain.postmortem.offers import Offer
from bot.domain.postmortem.questions import Question
from bot.domain.time.format import span
from storage.values import Incident

_TICKET = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,15}-[0-9]{1,9}")
_TICKET_FOLDERS = frozenset({"issues", "issue", "pull", "merge_requests", "tickets", "browse", "-"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One instant on two clocks: `at` in UTC, `local` in the document's zone.

    `approximate`: it was called so. `until_at` is when it ended, of what took a while.
    """

    at: datetime
    local: datetime
    approximate: bool = False
    until_at: datetime | None = None

    @property
    def in_utc(self) -> bool:
        """Whether the local clock shows UTC."""
        return not self.local.utcoffset()

    @property
    def other_day(self) -> bool:
        """Whether UTC has another date than the local clock."""
        return self.at.date() != self.local.date()

    @property
    def about(self) -> str:
        """`about ` before an approximate time, else nothing."""
        return "about " if self.approximate else ""

    @property
    def utc_clock(self) -> str:
        """`13:02`, or `13:02 to 13:10`, in UTC."""
        return span(self.at, self.until_at)

    @property
    def local_clock(self) -> str:
        """The same in the document's zone."""
        return span(self.local, self.until_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry as a document shows it.

    `late_s` is how many seconds after it happened it was recorded, None if it was not late. `private` lines are left
    out of the public rendering. `message_state` and `backfilled` are those of the entry. `topic` is what a label of
    TOPICS says it is about; neither it nor an aspect's is in the words.
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
    late_s: float | None
    private: bool
    message_state: str | None = None
    topic: str | None = None
    backfilled: bool = False


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
class Trouble:
    """A round of trouble: from `began` to `ended`, None while it lasts, for `seconds`."""

    began: Stamp
    ended: Stamp | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationLine:
    """A mitigation, whether it held to the end of its round, and the line that shows it did not."""

    line: Line
    held: bool
    undone_by: Line | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One action item as a document shows it; `words` are without the labels of `purpose` and `done_when`.

    `ticket` is a web address, None also where the words have it; `ticket_name` is its short form. `look_again_on` is
    the day on which it is asked whether it worked: planned, where it is still to be done. `worked` is the last answer,
    None before one, with who gave it and on which local day.
    """

    number: int
    words: Words
    owner: str | None
    due_on: date | None
    state: str
    reason: str | None
    priority: str | None = None
    ticket: str | None = None
    done_when: Words | None = None
    purpose: str | None = None
    look_again_on: date | None = None
    worked: bool | None = None
    worked_why: Words | None = None
    worked_by: str | None = None
    worked_on: date | None = None

    @property
    def ticket_name(self) -> str:
        """`OPS-12` of an address that ends so, `app #12` of one that ends in a number, else the address's host."""
        parts = [part for part in re.split(r"[/?#]+", (self.ticket or "").partition("://")[2]) if part]
        last = parts[-1] if len(parts) > 1 else ""
        if last.isdigit():
            named = [part for part in parts[1:-1] if part not in _TICKET_FOLDERS]
            return f"{named[-1]} #{last}" if named else f"#{last}"
        return last if _TICKET.fullmatch(last) else next(iter(parts), "ticket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """A severity of the incident, from an instant on."""

    value: str
    since: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Who led the incident, and for how long; `until` is None for the last one."""

    name: str
    since: Stamp
    until: Stamp | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHolder:
    """Who had a role beside the lead, and for how long; `until` is None while they have it."""

    role: str
    name: str
    since: Stamp
    until: Stamp | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarLine:
    """A similar incident by its name, the local day on which it began, and why; without its own words."""

    name: str
    on: date
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the templates print.

    `times` holds the lifecycle's instants by name (None if unknown); `items` the action items by term and `dropped`;
    `lessons` the lessons by side; `causes` the causes by factor, `unsorted` for those without one. `told` holds all
    lines by kind; `topics` those that begin with a topic, and `aspects` the impact by aspect, both without these
    labels. `rounds` are the stretches of trouble, empty while the start is unknown, and `trouble_s` their sum, None
    while one lasts; `impact_began` is when users were hurt, `first_sign` a detection before it, by
    `detected_before_s`. `mitigation` is the one that held in the last round, else the last one; `mitigations` has all,
    in order. `severities` and `leads` are those that the incident had, in order, `roles` by role. `review` is the
    planned start of the review. `questions` are the open ones, by fact. `only_day` is the one date of the whole
    timeline, None if it has several. `names` are the names of people printed here, by user id. `offers` are lessons
    that the facts suggest, neither told nor struck. `similar` are other incidents like this one, which its readers may
    see. `examples` fill the commands of the questions.
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
    rounds: tuple[Trouble, ...]
    trouble_s: float | None
    impact_began: Stamp | None
    first_sign: Stamp | None
    detected_before_s: float | None
    mitigations: tuple[MitigationLine, ...]
    mitigation: Line | None
    resolution: Line | None
    items: Mapping[str, tuple[Item, ...]]
    lessons: Mapping[str, tuple[Line, ...]]
    gaps: tuple[Silence, ...]
    entries: int
    late: tuple[Line, ...]
    people: tuple[str, ...]
    severities: tuple[Severity, ...]
    leads: tuple[Lead, ...]
    review: Stamp | None
    questions: Mapping[str, Question]
    names: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[RoleHolder, ...] = ()
    offers: tuple[Offer, ...] = ()
    similar: tuple[SimilarLine, ...] = ()
    examples: Mapping[str, object] = field(default_factory=dict)

    def with_lines(self, keep: Callable[[Line], bool]) -> "Document":
        """The document with those lines alone on the timeline and under their kinds that `keep` is true of."""
        phases = (
            replace(phase, days=tuple(replace(day, lines=tuple(filter(keep, day.lines))) for day in phase.days))
            for phase in self.timeline
        )
        filled = (replace(phase, days=tuple(day for day in phase.days if day.lines)) for phase in phases)
        kinds = {kind: tuple(filter(keep, lines)) for kind, lines in self.told.items()}
        return replace(
            self,
            timeline=tuple(phase for phase in filled if phase.days),
            told={kind: lines for kind, lines in kinds.items() if lines},
        )

    def longest_gaps(self, most: int) -> tuple[Silence, ...]:
        """At most so many gaps, the longest ones, in the order in which they happened."""
        longest = sorted(self.gaps, key=lambda gap: gap.seconds, reverse=True)[:most]
        return tuple(sorted(longest, key=lambda gap: gap.start.at))

    @property
    def agreed(self) -> tuple[Item, ...]:
        """The action items that were not decided against, by number."""
        items = (item for term, of_term in self.items.items() if term != DROPPED for item in of_term)
        return tuple(sorted(items, key=lambda item: item.number))

    @property
    def root_cause(self) -> tuple[Line, ...]:
        """The cause that stands in the summary, the first that was told; empty without one."""
        return sum(self.causes.values(), start=())[:1]

    @property
    def contributing(self) -> dict[str, tuple[Line, ...]]:
        """The causes by factor without the root cause; factors without another one are left out."""
        others = {
            factor: tuple(each for each in lines if each not in self.root_cause)
            for factor, lines in self.causes.items()
        }
        return {factor: lines for factor, lines in others.items() if lines}

    def without_lessons(self, topics: Collection[str]) -> "Document":
        """The document without the lessons about these topics, for a form that tells them by topic."""
        numbers = {line.number for topic in topics for line in self.topics.get(topic, ())}
        left = {
            side: tuple(each for each in lines if each.number not in numbers) for side, lines in self.lessons.items()
        }
        return replace(self, lessons={side: lines for side, lines in left.items() if lines})

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
