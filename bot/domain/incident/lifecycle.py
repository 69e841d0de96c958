"""What the milestones of a timeline say about the incident: its status, its times, its silences.

The rules are the design's "Derived facts". What is not known is None, never zero and never now.
"""

from collections.abc import Iterable, Mapping, Sequence
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
"""The start as somebody told it: by a `/started` or an `/impact`, not inferred from the detection."""

LONG_SILENCE = timedelta(minutes=30)

Instants = Mapping[str, datetime | None]


class Step(Protocol):
    """As much of an entry as the lifecycle looks at; a report reads no more than this of thousands."""

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
        """What the grammar took off the words."""
        ...

    @property
    def retracted(self) -> bool:
        """Whether it was taken back."""
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
    """A silence: no entry between `start_at` and `end_at`, `seconds` long."""

    start_at: datetime
    end_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """The timeline in three: before the start, the incident itself, after its last resolution. In order."""

    lead_up: tuple[TimelineEntry, ...]
    during: tuple[TimelineEntry, ...]
    aftermath: tuple[TimelineEntry, ...]


def timeline_position(entry: Step) -> tuple[datetime, int]:
    """Where an entry stands on the timeline: when it happened, then in the order of recording."""
    return entry.occurred_at, entry.number


def in_order(entries: Iterable[AnyStep]) -> list[AnyStep]:
    """The entries by `occurred_at`, those of one instant by number."""
    return sorted(entries, key=timeline_position)


def _standing(entries: Iterable[AnyStep]) -> list[AnyStep]:
    return in_order(entry for entry in entries if not entry.retracted)


def _resolution(standing: Sequence[AnyStep]) -> AnyStep | None:
    """The last `/resolved`, unless a `/reopened` stands after it."""
    last = next((entry for entry in reversed(standing) if entry.kind in {RESOLVED, REOPENED}), None)
    return last if last is not None and last.kind == RESOLVED else None


def _up_to(end: Step | None, standing: Sequence[AnyStep]) -> list[AnyStep]:
    return [entry for entry in standing if end is None or timeline_position(entry) <= timeline_position(end)]


def _firsts(standing: Iterable[AnyStep]) -> dict[str, AnyStep]:
    firsts: dict[str, AnyStep] = {}
    for entry in standing:
        firsts.setdefault(entry.kind, entry)
    return firsts


def _instants(firsts: Mapping[str, Step]) -> dict[str, datetime | None]:
    at = {kind: entry.occurred_at for kind, entry in firsts.items()}
    onset = at.get(STARTED) or at.get(IMPACT)
    known = [instant for instant in (onset, at.get(DETECTED)) if instant]
    start = at.get(STARTED) or min(known, default=None)
    return {**dict.fromkeys((DETECTED, ACKNOWLEDGED, MITIGATED)), **at, ONSET: onset, STARTED: start}


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None or end < start:
        return None
    seconds = (end - start).total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def _status(standing: Sequence[Step]) -> str:
    if _resolution(standing):
        return RESOLVED
    moves = [entry.kind for entry in standing if entry.kind in {MITIGATED, RESOLVED, REOPENED}]
    return MITIGATED if moves and moves[-1] == MITIGATED else OPEN


def lifecycle(entries: Iterable[Step]) -> Lifecycle:
    """Derive the facts from `entries`, given in any order; retracted ones count as absent.

    What lies after the last resolution changes no duration. A milestone found only there keeps its instant,
    so that a mistyped time is seen, but an impact told afterwards is a summary and starts nothing.
    """
    standing = _standing(entries)
    end = _resolution(standing)
    within = _firsts(_up_to(end, standing))
    anywhere = {kind: entry for kind, entry in _firsts(standing).items() if kind != IMPACT} | within
    resolved_at = end.occurred_at if end else None
    inside: Instants = {**_instants(within), RESOLVED: resolved_at}
    told = _instants(anywhere)
    took = {rule.key: _seconds(inside[rule.start], inside[rule.end]) for rule in DURATIONS}
    detection = anywhere.get(DETECTED)
    kinds = [entry.kind for entry in standing]
    return Lifecycle(
        status=_status(standing),
        started_at=inside[STARTED] or told[STARTED],
        detected_at=told[DETECTED],
        acknowledged_at=told[ACKNOWLEDGED],
        mitigated_at=told[MITIGATED],
        resolved_at=resolved_at,
        detected_by=detection.qualifier if detection else None,
        time_to_detect_s=took["time_to_detect"],
        time_to_acknowledge_s=took["time_to_acknowledge"],
        time_to_mitigate_s=took["time_to_mitigate"],
        time_to_resolve_s=took["time_to_resolve"],
        escalations=kinds.count(ESCALATED),
        misleading_paths=kinds.count(RULED_OUT),
    )


def is_open(entries: Iterable[Step]) -> bool:
    """Whether no resolution stands."""
    return _resolution(_standing(entries)) is None


def phases(entries: Iterable[TimelineEntry]) -> Phases:
    """Split the standing entries at the start, if it is known, and after the last resolution."""
    standing = _standing(entries)
    end = _resolution(standing)
    started_at = _instants(_firsts(_up_to(end, standing)))[STARTED]
    inside = _up_to(end, standing)
    return Phases(
        lead_up=tuple(entry for entry in inside if started_at and entry.occurred_at < started_at),
        during=tuple(entry for entry in inside if not started_at or entry.occurred_at >= started_at),
        aftermath=tuple(standing[len(inside) :]),
    )


def lead_up(entries: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """The standing entries of before the start, in order."""
    return list(phases(entries).lead_up)


def gaps(entries: Iterable[TimelineEntry], *, longer_than: timedelta = LONG_SILENCE) -> list[Gap]:
    """The silences between neighbouring entries from the start to the end, each longer than `longer_than`.

    Neither lead-up nor aftermath has gaps; an open incident is looked at up to its last entry.
    """
    during = phases(entries).during
    return [
        Gap(
            start_at=before.occurred_at,
            end_at=after.occurred_at,
            seconds=(after.occurred_at - before.occurred_at).total_seconds(),
        )
        for before, after in pairwise(during)
        if after.occurred_at - before.occurred_at > longer_than
    ]
