"""The facts derived from a timeline: the incident's status, its milestones and durations, its rounds and mitigations.

The rules are the design's "Derived facts". What is not known is None, never zero and never now.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, pairwise, takewhile
from operator import attrgetter
from typing import Protocol, TypeVar

from bot.vocabulary import (
    ACKNOWLEDGED,
    DETECTED,
    ESCALATED,
    IMPACT,
    MITIGATED,
    REOPENED,
    RESOLVED,
    RULED_OUT,
    STARTED,
)

OPEN = "open"
_A_MINUTE = timedelta(minutes=1)
ONSET = "onset"
"""The start as recorded by a `/started` or an `/impact`, not inferred from the detection."""

BY_CUSTOMER = "customer"
"""The qualifier of a detection that says that users are hurt already."""

SIGNS = frozenset({STARTED, DETECTED, IMPACT, REOPENED})
"""Kinds that say that there is trouble, and so, after a mitigation, that it did not hold."""

MUST_FOLLOW: tuple[tuple[str, str], ...] = (
    (DETECTED, ACKNOWLEDGED),
    (DETECTED, ESCALATED),
    (DETECTED, MITIGATED),
    (STARTED, MITIGATED),
    (STARTED, RESOLVED),
    (DETECTED, RESOLVED),
)
"""Pairs of kinds of which the second cannot happen before the first."""


class Step(Protocol):
    """The fields of an entry that the lifecycle reads; a report loads these alone for thousands of entries."""

    @property
    def number(self) -> int:
        """Its place in the order of recording."""
        ...

    @property
    def kind(self) -> str:
        """A name of the vocabulary."""
        ...

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""
        ...

    @property
    def qualifier(self) -> str | None:
        """The detector, factor or side that the grammar took off the words."""
        ...

    @property
    def retracted(self) -> bool:
        """Whether it was undone."""
        ...


class TimedStep(Step, Protocol):
    """A step of which it is known how exact its time is."""

    @property
    def approximate(self) -> bool:
        """Whether its time was told approximately."""
        ...


AnyStep = TypeVar("AnyStep", bound=Step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """The definition of one measured time: from the instant named `start` to the one named `end`."""

    key: str
    label: str
    start: str
    end: str
    definition: str


DURATIONS = (
    Duration(
        key="time_to_detect", label="Time to detect", start=ONSET, end=DETECTED,
        definition="detected minus started; known only when a start or an impact was recorded",
    ),
    Duration(
        key="time_to_acknowledge", label="Time to acknowledge", start=DETECTED, end=ACKNOWLEDGED,
        definition="acknowledged minus detected",
    ),
    Duration(
        key="time_to_mitigate", label="Time to mitigate", start=STARTED, end=MITIGATED,
        definition="the mitigation that held, in the last round, minus started",
    ),
    Duration(
        key="time_to_resolve", label="Time to resolve", start=STARTED, end=RESOLVED,
        definition="last resolved minus started",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One stretch of trouble, from where users were hurt, or it came back, to its resolution; None while it lasts."""

    began_at: datetime
    ended_at: datetime | None

    @property
    def seconds(self) -> float | None:
        """How long it lasted, None while it does."""
        return _seconds(self.began_at, self.ended_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigation:
    """A `/mitigated` by its entry's number. `undone_by` is the number of the entry that shows it did not hold."""

    at: datetime
    number: int
    undone_by: int | None

    @property
    def held(self) -> bool:
        """Whether no trouble followed it before the end of its round."""
        return self.undone_by is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The derived facts of one incident.

    `status` is `open`, `mitigated` or `resolved`. Instants are aware UTC, durations whole seconds (a float
    only where milliseconds count). `detected_by` is the qualifier of the first detection.

    `impact_began_at` is the first `/started`, else the first `/impact`, of the first round; a customer who noticed
    before that impact was hurt already. `first_sign_at` is a detection before it, `detected_before_impact_s` how
    long before. `rounds` is empty while the start of the first one is unknown; `time_in_rounds_s` is their sum, known
    once the last has ended, and `reopened` how many times it came back. `mitigated_at` is the mitigation that held in
    the last round; where none did, it is the last one, and the time to mitigate is unknown.
    """

    status: str
    started_at: datetime | None
    detected_at: datetime | None
    acknowledged_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    detected_by: str | None
    time_to_detect_s: float | None
    time_to_acknowledge_s: float | None
    time_to_mitigate_s: float | None
    time_to_resolve_s: float | None
    escalations: int
    misleading_paths: int
    impact_began_at: datetime | None
    first_sign_at: datetime | None
    detected_before_impact_s: float | None
    rounds: tuple[Round, ...]
    time_in_rounds_s: float | None
    reopened: int
    mitigations: tuple[Mitigation, ...]


def lifecycle(entries: Iterable[Step]) -> Lifecycle:
    """Derive the facts from `entries`, given in any order; retracted ones count as absent.

    What lies after the last resolution changes no duration. A milestone found only there keeps its instant,
    so that a mistyped time is seen, but an impact recorded afterwards is a summary and starts nothing.
    """
    active = standing(entries)
    stretches = by_round(active)
    aftermath = active[sum(map(len, stretches)) :]
    end = final_resolution(active)
    within = _first_of_each_kind(chain.from_iterable(stretches))
    anywhere = {kind: entry for kind, entry in _first_of_each_kind(active).items() if kind != IMPACT} | within
    onset, start = onset_and_start(stretches)
    mitigations = [_mitigations(stretch, whole=within) for stretch in stretches]
    told = [*chain.from_iterable(mitigations), *_mitigations(aftermath, whole={})]
    held = next((each for each in mitigations[-1] if each.held), None)
    mitigated = held or next(chain(*map(reversed, reversed(mitigations))), None) or next(iter(told), None)
    inside = {
        ONSET: onset,
        STARTED: start,
        **{kind: _at(within.get(kind)) for kind in (DETECTED, ACKNOWLEDGED)},
        MITIGATED: held.at if held else None,
        RESOLVED: _at(end),
    }
    seconds = {rule.key: _seconds(inside[rule.start], inside[rule.end]) for rule in DURATIONS}
    detection = anywhere.get(DETECTED)
    hurt_at = _impact_began(stretches[0])
    first_sign_at = inside[DETECTED]
    if first_sign_at and not (hurt_at and _minute(first_sign_at) < _minute(hurt_at)):
        first_sign_at = None
    rounds = _rounds(stretches, hurt_at)
    kinds = [entry.kind for entry in active]
    return Lifecycle(
        status=RESOLVED if end else MITIGATED if mitigations[-1] and mitigations[-1][-1].held else OPEN,
        started_at=start or _at(anywhere.get(STARTED)) or _at(detection),
        detected_at=_at(detection),
        acknowledged_at=_at(anywhere.get(ACKNOWLEDGED)),
        mitigated_at=mitigated.at if mitigated else None,
        resolved_at=_at(end),
        detected_by=detection.qualifier if detection else None,
        time_to_detect_s=seconds["time_to_detect"],
        time_to_acknowledge_s=seconds["time_to_acknowledge"],
        time_to_mitigate_s=seconds["time_to_mitigate"],
        time_to_resolve_s=seconds["time_to_resolve"],
        escalations=kinds.count(ESCALATED),
        misleading_paths=kinds.count(RULED_OUT),
        impact_began_at=hurt_at,
        first_sign_at=first_sign_at,
        detected_before_impact_s=_seconds(first_sign_at, hurt_at),
        rounds=rounds,
        time_in_rounds_s=total_s(each.seconds for each in rounds),
        reopened=len(stretches) - 1,
        mitigations=tuple(told),
    )


def approximate_instants(entries: Iterable[TimedStep], life: Lifecycle) -> frozenset[str]:
    """The names of those instants of the lifecycle that are known approximately only."""
    entries = list(entries)
    names = {
        "started_at": SIGNS,
        "impact_began_at": SIGNS,
        "first_sign_at": SIGNS,
        **{f"{kind}_at": {kind} for kind in (DETECTED, ACKNOWLEDGED, MITIGATED, RESOLVED)},
    }
    return frozenset(name for name, kinds in names.items() if known_about(entries, getattr(life, name), kinds))


def known_about(entries: Iterable[TimedStep], at: datetime | None, kinds: Collection[str]) -> bool:
    """Whether every entry of these kinds that tells the instant calls it approximate."""
    told = [each.approximate for each in standing(entries) if each.kind in kinds and each.occurred_at == at]
    return bool(told) and all(told)


def turning_points(entries: Iterable[Step]) -> list[datetime]:
    """The instants after which the next sign of trouble matters: each step, and the last of its minute.

    Of the signs that are told often, impacts and detections, the lifecycle and `contradiction` read only the first of
    all, and the first after each other step or, with a mitigation, after its minute; given the other steps, and of the
    signs those alone, they find the same.
    """
    steps = [entry.occurred_at for entry in entries if not entry.retracted]
    return sorted({*steps, *(_minute(at) + _A_MINUTE - timedelta.resolution for at in steps)})


def is_open(entries: Iterable[Step]) -> bool:
    """Whether there is no resolution, or a reopening after the last one."""
    return final_resolution(standing(entries)) is None


def contradiction(entries: Iterable[AnyStep], kind: str, at: datetime) -> AnyStep | None:
    """The entry that one of `kind` at `at` cannot precede, or cannot follow, by MUST_FOLLOW; None where all is well.

    Only the first entry of a kind counts: in a second round everything follows the first detection.
    """
    firsts = _first_of_each_kind(standing(entries))
    for earlier, later in MUST_FOLLOW:
        first, then = firsts.get(earlier), firsts.get(later)
        if kind == later and first is not None and at < first.occurred_at:
            return first
        if kind == earlier and then is not None and then.occurred_at < at and not (first and first.occurred_at <= at):
            return then
    return None


timeline_position = attrgetter("occurred_at", "number")
"""The sort key of the timeline: when the entry happened, then the order of recording."""


def in_order(entries: Iterable[AnyStep]) -> list[AnyStep]:
    """The entries by `occurred_at`, those of one instant by number."""
    return sorted(entries, key=timeline_position)


def standing(entries: Iterable[AnyStep]) -> list[AnyStep]:
    """The entries that are not retracted, in order."""
    return in_order(entry for entry in entries if not entry.retracted)


def final_resolution(active: Sequence[AnyStep]) -> AnyStep | None:
    """The last `/resolved` of the ordered entries, unless a `/reopened` comes after it."""
    last = next((entry for entry in reversed(active) if entry.kind in {RESOLVED, REOPENED}), None)
    return last if last is not None and last.kind == RESOLVED else None


def by_round(active: Sequence[AnyStep]) -> list[list[AnyStep]]:
    """The ordered entries of each round, at least one: what came before it since the last one ended, and its own.

    A round ends at its last `/resolved` (a second one corrects the first), and the next is there once a `/reopened`
    follows; one of the same instant takes the resolution back. Entries after the last resolution are in no round.
    """
    ends: list[int] = []
    resolved: int | None = None
    for index, entry in enumerate(active):
        if entry.kind == RESOLVED:
            resolved = index + 1
        elif entry.kind == REOPENED and resolved is not None:
            if active[resolved - 1].occurred_at < entry.occurred_at:
                ends.append(resolved)
            resolved = None
    return [list(active[start:end]) for start, end in pairwise([0, *ends, resolved or len(active)])]


def came_back(stretch: Sequence[AnyStep]) -> AnyStep:
    """The entry at which a round after the first begins: its `/reopened`, or an earlier one that tells it more truly.

    That is a start or a detection of the quiet time before it; an impact there sums up the round before.
    """
    return next(entry for entry in stretch if entry.kind in {STARTED, DETECTED, REOPENED})


def total_s(seconds: Iterable[float | None]) -> float | None:
    """The sum of the durations; None if there is none or one is unknown."""
    known = list(seconds)
    return sum(each for each in known if each is not None) if known and None not in known else None


def _rounds(stretches: Sequence[Sequence[Step]], hurt_at: datetime | None) -> tuple[Round, ...]:
    began_at = hurt_at or _started(_first_of_each_kind(stretches[0]))
    if began_at is None:
        return ()
    beginnings = [began_at, *(came_back(stretch).occurred_at for stretch in stretches[1:])]
    ends = [_at(final_resolution(stretch)) for stretch in stretches]
    return tuple(Round(began_at=began, ended_at=end) for began, end in zip(beginnings, ends, strict=True))


def _mitigations(stretch: Sequence[Step], *, whole: Mapping[str, Step]) -> list[Mitigation]:
    """The mitigations of one round; `whole` are the first entries of the incident by kind.

    One is undone by a reopening, and by any other sign of trouble of a later minute: within one minute it is not known
    which came first. A first sign of all that comes after a mitigation is out of order, and undoes nothing.
    """
    first_at = min((entry.occurred_at for kind, entry in whole.items() if kind in SIGNS), default=None)
    told: list[Mitigation] = []
    later: list[Step] = []
    for entry in reversed(stretch):
        if entry.kind in SIGNS:
            later.append(entry)
        elif entry.kind == MITIGATED:
            minute = _minute(entry.occurred_at)
            known = first_at is not None and _minute(first_at) <= minute
            undone_by = next(
                (
                    sign.number
                    for sign in reversed(later)
                    if sign.kind == REOPENED or (known and _minute(sign.occurred_at) > minute)
                ),
                None,
            )
            told.append(Mitigation(at=entry.occurred_at, number=entry.number, undone_by=undone_by))
    return told[::-1]


def _first_of_each_kind(active: Iterable[AnyStep]) -> dict[str, AnyStep]:
    firsts: dict[str, AnyStep] = {}
    for entry in active:
        firsts.setdefault(entry.kind, entry)
    return firsts


def onset_and_start(stretches: Iterable[Iterable[Step]]) -> tuple[datetime | None, datetime | None]:
    """When the impact began as recorded, and the start, of the first round that tells a start.

    What begins a later round does not begin the incident.
    """
    for stretch in stretches:
        firsts = _first_of_each_kind(stretch)
        started = _started(firsts)
        if started:
            return _at(firsts.get(STARTED) or firsts.get(IMPACT)), started
    return None, None


def _started(firsts: Mapping[str, Step]) -> datetime | None:
    """The first `/started`, else the earlier of the first `/impact` and the first `/detected`."""
    if STARTED in firsts:
        return firsts[STARTED].occurred_at
    return min((firsts[kind].occurred_at for kind in (IMPACT, DETECTED) if kind in firsts), default=None)


def _impact_began(stretch: Iterable[Step]) -> datetime | None:
    """When users were hurt in the round, by what stands before its first `/resolved`; an impact after it sums up."""
    firsts = _first_of_each_kind(takewhile(lambda entry: entry.kind != RESOLVED, stretch))
    started, impact, detection = (firsts.get(kind) for kind in (STARTED, IMPACT, DETECTED))
    if started or not impact:
        return _at(started)
    by_customer = detection is not None and detection.qualifier == BY_CUSTOMER
    return min(impact.occurred_at, detection.occurred_at) if detection and by_customer else impact.occurred_at


def _at(entry: Step | None) -> datetime | None:
    return entry.occurred_at if entry else None


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    """None also where the milestones are out of order: no duration is negative."""
    if start is None or end is None or end < start:
        return None
    seconds = (end - start).total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
