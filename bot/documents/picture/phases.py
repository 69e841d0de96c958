"""The incident's phases as spans of time: who knew what, and what was being done about it.

Definitions are data: what each phase is, and which milestone leads from one to the next. What is not recorded is
said to be so, never guessed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Final

from bot.domain.incident.lifecycle import Lifecycle
from bot.vocabulary import (
    ACKNOWLEDGED,
    DETECTED,
    DID,
    ESCALATED,
    INVESTIGATING,
    MITIGATED,
    REOPENED,
    RESOLVED,
)
from storage.values import TimelineEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What a phase is called and how it is defined."""

    key: str
    label: str
    definition: str


PHASES: Final = {
    phase.key: phase
    for phase in (
        Phase(key="undetected", label="Undetected", definition="from the start to the detection"),
        Phase(key="unrecorded", label="Detection not recorded", definition="from the start to the first sign of work"),
        Phase(key="investigating", label="Investigating", definition="from the detection to the first action"),
        Phase(key="mitigating", label="Mitigating", definition="from the first action to the mitigation"),
        Phase(key="monitoring", label="Monitoring", definition="from the mitigation to the resolution"),
        Phase(key="closed", label="Closed", definition="from a resolution to the reopening"),
    )
}

_AWARE: Final = {DETECTED: "investigating", MITIGATED: "monitoring", RESOLVED: "closed"}
_WORKING: Final = {MITIGATED: "monitoring", RESOLVED: "closed", REOPENED: "investigating"}
_NEXT: Final = {
    "undetected": _AWARE,
    "unrecorded": _AWARE
    | {ACKNOWLEDGED: "investigating", ESCALATED: "investigating", INVESTIGATING: "investigating", DID: "mitigating"},
    "investigating": _WORKING | {DID: "mitigating"},
    "mitigating": _WORKING,
    "monitoring": {RESOLVED: "closed", REOPENED: "investigating"},
    "closed": {REOPENED: "investigating", MITIGATED: "monitoring"},
}
"""From a phase, by the kind of an entry, to the next; any other kind changes nothing."""


_ORDER: Final = {DID: 1, MITIGATED: 2, RESOLVED: 3, REOPENED: 4}
"""Which comes first of what happened at one instant; all else before these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of one phase. `going_on` marks the last one of an incident that is not resolved."""

    phase: Phase
    start: datetime
    end: datetime
    going_on: bool = False

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end - self.start).total_seconds()


def _moves(entries: Iterable[TimelineEntry], life: Lifecycle) -> list[tuple[datetime, str]]:
    """What may lead to another phase: the entries shown, and the known instants of those that are not."""
    known = {
        DETECTED: life.detected_at,
        ACKNOWLEDGED: life.acknowledged_at,
        MITIGATED: life.mitigated_at,
        RESOLVED: life.resolved_at,
    }
    moves = [(entry.occurred_at, entry.kind) for entry in entries]
    return moves + [(at, kind) for kind, at in known.items() if at and (at, kind) not in moves]


def _first_phase(life: Lifecycle, start: datetime) -> str:
    if life.detected_at is None:
        return "unrecorded"
    return "undetected" if life.detected_at > start else "investigating"


def _end(life: Lifecycle, entries: Sequence[TimelineEntry], start: datetime) -> datetime:
    return life.resolved_at or max((entry.occurred_at for entry in entries), default=start)


def spans(entries: Sequence[TimelineEntry], life: Lifecycle) -> tuple[Span, ...]:
    """The phases from the start to the last resolution, or to the last of `entries` while it is open; without gaps.

    `entries` are those shown, in order; `life` that of all. Without a start there is no phase.
    """
    start = life.started_at
    if start is None:
        return ()
    end = _end(life, entries, start)
    if end <= start:
        return ()
    phase = _first_phase(life, start)
    turns = [(start, phase)]
    for at, kind in sorted(_moves(entries, life), key=lambda move: (move[0], _ORDER.get(move[1], 0))):
        if start <= at < end and kind in _NEXT[phase]:
            phase = _NEXT[phase][kind]
            turns.append((at, phase))
    return _between(turns, end, going_on=life.resolved_at is None)


def _between(turns: Sequence[tuple[datetime, str]], end: datetime, *, going_on: bool) -> tuple[Span, ...]:
    found = [
        Span(phase=PHASES[phase], start=since, end=until)
        for (since, phase), (until, _) in pairwise([*turns, (end, "")])
        if until > since
    ]
    if found and going_on:
        found[-1] = replace(found[-1], going_on=True)
    return tuple(found)
