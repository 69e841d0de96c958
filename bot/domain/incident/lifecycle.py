"""The facts derived from a timeline: the incident's status, its milestones and durations, its phases and gaps.

The rules are the design's "Derived facts". What is not known is None, never zero and never now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
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
from storage.values import TimelineEntry

OPEN = "open"
ONSET = "onset"
"""The start as recorded by a `/started` or an `/impact`, not inferred from the detection."""

LONG_SILENCE = timedelta(minutes=30)


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
        definition="first mitigated minus started",
    ),
    Duration(
        key="time_to_resolve", label="Time to resolve", start=STARTED, end=RESOLVED,
        definition="last resolved minus started",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The derived facts of one incident.

    `status` is `open`, `mitigated` or `resolved`. Instants are aware UTC, durations whole seconds (a float
    only where milliseconds count). `detected_by` is the qualifier of the first detection.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch without any entry, from `start_at` to `end_at`, `seconds` long."""

    start_at: datetime
    end_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """The timeline in three: before the start, the incident itself, after its last resolution. In order."""

    lead_up: tuple[TimelineEntry, ...]
    during: tuple[TimelineEntry, ...]
    aftermath: tuple[TimelineEntry, ...]


def lifecycle(entries: Iterable[Step]) -> Lifecycle:
    """Derive the facts from `entries`, given in any order; retracted ones count as absent.

    What lies after the last resolution changes no duration. A milestone found only there keeps its instant,
    so that a mistyped time is seen, but an impact recorded afterwards is a summary and starts nothing.
    """
    active = _active(entries)
    end = _resolution(active)
    within = _first_of_each_kind(_up_to(end, active))
    anywhere = {kind: entry for kind, entry in _first_of_each_kind(active).items() if kind != IMPACT} | within
    resolved_at = end.occurred_at if end else None
    inside = {**_instants(within), RESOLVED: resolved_at}
    shown = _instants(anywhere)
    seconds = {rule.key: _seconds(inside[rule.start], inside[rule.end]) for rule in DURATIONS}
    detection = anywhere.get(DETECTED)
    kinds = [entry.kind for entry in active]
    moves = [kind for kind in kinds if kind in {MITIGATED, RESOLVED, REOPENED}]
    return Lifecycle(
        status=RESOLVED if end else MITIGATED if moves[-1:] == [MITIGATED] else OPEN,
        started_at=inside[STARTED] or shown[STARTED],
        detected_at=shown[DETECTED],
        acknowledged_at=shown[ACKNOWLEDGED],
        mitigated_at=shown[MITIGATED],
        resolved_at=resolved_at,
        detected_by=detection.qualifier if detection else None,
        time_to_detect_s=seconds["time_to_detect"],
        time_to_acknowledge_s=seconds["time_to_acknowledge"],
        time_to_mitigate_s=seconds["time_to_mitigate"],
        time_to_resolve_s=seconds["time_to_resolve"],
        escalations=kinds.count(ESCALATED),
        misleading_paths=kinds.count(RULED_OUT),
    )


def is_open(entries: Iterable[Step]) -> bool:
    """Whether there is no resolution, or a reopening after the last one."""
    return _resolution(_active(entries)) is None


def phases(entries: Iterable[TimelineEntry]) -> Phases:
    """Split the entries that are not retracted at the start, if it is known, and after the last resolution."""
    active = _active(entries)
    inside = _up_to(_resolution(active), active)
    started_at = _instants(_first_of_each_kind(inside))[STARTED]
    return Phases(
        lead_up=tuple(entry for entry in inside if started_at and entry.occurred_at < started_at),
        during=tuple(entry for entry in inside if not started_at or entry.occurred_at >= started_at),
        aftermath=tuple(active[len(inside) :]),
    )


def gaps(entries: Iterable[TimelineEntry], *, longer_than: timedelta = LONG_SILENCE) -> list[Gap]:
    """The silences between neighbouring entries from the start to the end, each longer than `longer_than`.

    Neither lead-up nor aftermath has gaps; an open incident ends at its last entry.
    """
    return [
        Gap(
            start_at=before.occurred_at,
            end_at=after.occurred_at,
            seconds=(after.occurred_at - before.occurred_at).total_seconds(),
        )
        for before, after in pairwise(phases(entries).during)
        if after.occurred_at - before.occurred_at > longer_than
    ]


def timeline_position(entry: Step) -> tuple[datetime, int]:
    """The sort key of the timeline: when the entry happened, then the order of recording."""
    return entry.occurred_at, entry.number


def in_order(entries: Iterable[AnyStep]) -> list[AnyStep]:
    """The entries by `occurred_at`, those of one instant by number."""
    return sorted(entries, key=timeline_position)


def _active(entries: Iterable[AnyStep]) -> list[AnyStep]:
    return in_order(entry for entry in entries if not entry.retracted)


def _resolution(active: Sequence[AnyStep]) -> AnyStep | None:
    """The last `/resolved`, unless a `/reopened` comes after it."""
    last = next((entry for entry in reversed(active) if entry.kind in {RESOLVED, REOPENED}), None)
    return last if last is not None and last.kind == RESOLVED else None


def _up_to(end: Step | None, active: Sequence[AnyStep]) -> list[AnyStep]:
    return [entry for entry in active if end is None or timeline_position(entry) <= timeline_position(end)]


def _first_of_each_kind(active: Iterable[AnyStep]) -> dict[str, AnyStep]:
    firsts: dict[str, AnyStep] = {}
    for entry in active:
        firsts.setdefault(entry.kind, entry)
    return firsts


def _instants(firsts: dict[str, AnyStep]) -> dict[str, datetime | None]:
    """When each kind was first recorded, with the onset and the start derived; milestones never recorded are None."""
    at = {kind: entry.occurred_at for kind, entry in firsts.items()}
    onset = at.get(STARTED) or at.get(IMPACT)
    known = [instant for instant in (onset, at.get(DETECTED)) if instant]
    start = at.get(STARTED) or min(known, default=None)
    return {**dict.fromkeys((DETECTED, ACKNOWLEDGED, MITIGATED)), **at, ONSET: onset, STARTED: start}


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    """None also where the milestones are out of order: no duration is negative."""
    if start is None or end is None or end < start:
        return None
    seconds = (end - start).total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
