"""The phases of an incident, and the bar that shows them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Final

from bot.documents.picture.axis import Fold, Scale
from bot.documents.picture.text_width import width
from bot.domain.incident.lifecycle import Lifecycle
from bot.domain.time.format import duration
from bot.vocabulary import (
    ACKNOWLEDGED,
    DETECTED,
    DID,
    ESCALATED,
    INVESTIGATING,
    MITIGATED,
    REOPENED,
    RESOLVED,
    STARTED,
)
from storage.values import TimelineEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseKind:
    """The name and the definition of a phase."""

    key: str
    label: str
    definition: str


PHASES: Final = {
    phase.key: phase
    for phase in (
        PhaseKind(key="signs", label="First signs", definition="from the first sign to the impact"),
        PhaseKind(key="undetected", label="Undetected", definition="from the start to the detection"),
        PhaseKind(
            key="unrecorded", label="Detection not recorded", definition="from the start to the first sign of work"
        ),
        PhaseKind(key="investigating", label="Investigating", definition="from the detection to the first action"),
        PhaseKind(key="mitigating", label="Mitigating", definition="from the first action to the mitigation that held"),
        PhaseKind(key="monitoring", label="Monitoring", definition="from the mitigation to the resolution"),
        PhaseKind(key="closed", label="Quiet", definition="from a resolution to the next round"),
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
    "closed": dict.fromkeys((REOPENED, STARTED, DETECTED), "investigating"),
}
"""The next phase, by the phase and the kind of an entry. Any other kind changes nothing."""


_ORDER: Final = {DID: 1, MITIGATED: 2, RESOLVED: 3, REOPENED: 4}
"""The order of entries at one instant. Other kinds come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A period of one phase. `going_on` is set on the last one of an incident that is not resolved."""

    phase: PhaseKind
    start: datetime
    end: datetime
    going_on: bool = False

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return (self.end - self.start).total_seconds()


def spans(entries: Sequence[TimelineEntry], life: Lifecycle) -> tuple[Span, ...]:
    """The phases from the start to the last resolution, or to the last entry of an open incident, without gaps.

    `entries` are those shown, in order; `life` is the lifecycle of all entries. Without a start there is no phase.
    """
    start = life.started_at
    if start is None:
        return ()
    end = life.resolved_at or max((entry.occurred_at for entry in entries), default=start)
    if end <= start:
        return ()
    if life.detected_at is None:
        phase = "unrecorded"
    elif life.detected_at > start:
        phase = "undetected"
    else:
        phase = "investigating"
    changes = [(start, phase)]
    for at, kind in sorted(_moves(entries, life), key=lambda move: (move[0], _ORDER.get(move[1], 0))):
        following = _NEXT[phase].get(kind, phase)
        if start <= at < end and following != phase:
            phase = following
            changes.append((at, phase))
    return _spans_between(_with_first_signs(changes, life), end, going_on=life.resolved_at is None)


def _with_first_signs(changes: list[tuple[datetime, str]], life: Lifecycle) -> list[tuple[datetime, str]]:
    """The changes, with one phase up to the impact where something was seen before it."""
    hurt_at = life.impact_began_at
    if life.first_sign_at is None or hurt_at is None or changes[0][0] >= hurt_at:
        return changes
    phase = [phase for at, phase in changes if at <= hurt_at][-1]
    return [(changes[0][0], "signs"), (hurt_at, phase), *(change for change in changes if change[0] > hurt_at)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A span as a part of the whole incident, from `x` on, in thousandths."""

    phase: PhaseKind
    x: float
    width: float


def shares(spans: Sequence[Span]) -> tuple[Share, ...]:
    """The spans in proportion, each at least as wide as can be seen."""
    least, whole = THOUSAND / 200, sum(span.seconds for span in spans)
    widths = [max(least, THOUSAND * span.seconds / whole) for span in spans]
    scaled = [width * THOUSAND / sum(widths) for width in widths]
    starts = accumulate(scaled, initial=0.0)
    return tuple(
        Share(phase=span.phase, x=round(x, 1), width=round(size, 1))
        for span, x, size in zip(spans, starts, scaled, strict=False)
    )


def phase_at(spans: Sequence[Span], at: datetime) -> PhaseKind | None:
    """The phase at an instant; None before the first and after the last one."""
    return next((span.phase for span in spans if span.start <= at < span.end or at == span.end == spans[-1].end), None)


def _moves(entries: Iterable[TimelineEntry], life: Lifecycle) -> list[tuple[datetime, str]]:
    """The instants and kinds that can begin a phase: of `entries`, and of milestones that are not among them.

    A mitigation that did not hold ended nothing, nor did a resolution that a later one of its round corrects.
    """
    told = [
        *((life.detected_at, DETECTED), (life.acknowledged_at, ACKNOWLEDGED), (life.resolved_at, RESOLVED)),
        *((each.at, MITIGATED) for each in life.mitigations if each.held),
        *((each.ended_at, RESOLVED) for each in life.rounds),
    ]
    known = [(at, kind) for at, kind in told if at]
    derived = {MITIGATED, RESOLVED} if life.rounds else {MITIGATED}
    moves = [(entry.occurred_at, entry.kind) for entry in entries if entry.kind not in derived]
    return [*moves, *(move for move in dict.fromkeys(known) if move not in moves)]


def _spans_between(changes: Sequence[tuple[datetime, str]], end: datetime, *, going_on: bool) -> tuple[Span, ...]:
    found = [
        Span(phase=PHASES[phase], start=since, end=until)
        for (since, phase), (until, _) in pairwise([*changes, (end, "")])
        if until > since
    ]
    if found and going_on:
        found[-1] = replace(found[-1], going_on=True)
    return tuple(found)


THOUSAND: Final = 1000.0
SIZE: Final = 12.5
INSIDE: Final = 7.0
"""Pixels left free on either side of the label in a block."""
SPACE: Final = 6.0
SWATCH: Final = 18.0
UNKNOWN: Final = ("Phases unknown", "no start or detection before the end is recorded")
BETWEEN: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BarLabel:
    """A phase's name and duration, from `x` on; either is empty if there is no room for it."""

    x: float
    name: str
    name_length: float
    lasted: str
    lasted_x: float
    lasted_length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A span drawn from `x` on, `width` pixels wide. `words` is None if nothing fits."""

    span: Span
    x: float
    width: float
    words: BarLabel | None
    lasted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An entry of the legend: a phase and its total duration."""

    phase: PhaseKind
    x: float
    words: BarLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseBar:
    """The blocks, and a legend if a block has no room for its label. `unknown` is the label if there is no block."""

    blocks: tuple[Block, ...]
    legend: tuple[Key, ...]
    unknown: BarLabel | None


def bar(spans: Sequence[Span], scale: Scale, left: float, right: float) -> PhaseBar:
    """The bar of `spans` on `scale`. Its legend, if it needs one, is between the pixels `left` and `right`."""
    blocks = tuple(_block(span, scale) for span in spans)
    complete = all(block.words and block.words.name and block.words.lasted for block in blocks)
    return PhaseBar(
        blocks=blocks,
        legend=() if complete else _legend(spans, left, right),
        unknown=None if blocks else _fitting(*UNKNOWN, scale.knots[0][1], scale.knots[-1][1], scale),
    )


def _words(name: str, lasted: str, x: float) -> BarLabel:
    name_length = width(name, SIZE, bold=True)
    gap = SPACE if name and lasted else 0.0
    return BarLabel(
        x=round(x, 1),
        name=name,
        name_length=round(name_length, 1),
        lasted=lasted,
        lasted_x=round(x + name_length + gap, 1),
        lasted_length=round(width(lasted, SIZE), 1),
    )


def _right_edge(words: BarLabel) -> float:
    return words.lasted_x + words.lasted_length


def _free(start: float, end: float, folds: Iterable[Fold]) -> tuple[float, float]:
    """The widest part between two pixels that is not covered by a fold."""
    parts = []
    for fold in folds:
        if start < fold.x + fold.width and fold.x < end:
            parts.append((start, fold.x))
            start = fold.x + fold.width
    return max([*parts, (start, end)], key=lambda part: part[1] - part[0])


def _fitting(name: str, lasted: str, start: float, end: float, scale: Scale) -> BarLabel | None:
    """As much of the label as has room between two pixels outside the folds; None if nothing has."""
    left, right = _free(start, end, scale.folds)
    for first, second in ((name, lasted), (name, ""), ("", lasted)):
        length = _right_edge(_words(first, second, 0))
        if length + 2 * INSIDE <= right - left:
            return _words(first, second, (left + right - length) / 2)
    return None


def _block(span: Span, scale: Scale) -> Block:
    start, end = scale.x(span.start), scale.x(span.end)
    lasted = duration(span.seconds) + (" so far" if span.going_on else "")
    words = _fitting(span.phase.label, lasted, start, end, scale)
    return Block(span=span, x=start, width=round(end - start, 1), words=words, lasted=lasted)


def totals(spans: Sequence[Span], *, rounds: bool = True, lasted: bool = True) -> list[tuple[PhaseKind, str]]:
    """Each phase that occurs, with its total duration."""
    found = []
    for phase in PHASES.values():
        its_spans = [span for span in spans if span.phase == phase]
        if its_spans:
            count = f" in {len(its_spans)} rounds" if rounds and len(its_spans) > 1 else ""
            so_far = " so far" if its_spans[-1].going_on else ""
            total = duration(sum(span.seconds for span in its_spans))
            found.append((phase, f"{total}{count}{so_far}" if lasted else ""))
    return found


def _keys(told: Sequence[tuple[PhaseKind, str]], x: float) -> tuple[Key, ...]:
    keys = []
    for phase, lasted in told:
        keys.append(Key(phase=phase, x=round(x, 1), words=_words(phase.label, lasted, x + SWATCH)))
        x = _right_edge(keys[-1].words) + BETWEEN
    return tuple(keys)


def _legend(spans: Sequence[Span], left: float, right: float) -> tuple[Key, ...]:
    """The most detailed legend that fits."""
    for rounds, lasted in ((True, True), (False, True), (False, False)):
        keys = _keys(totals(spans, rounds=rounds, lasted=lasted), left)
        if _right_edge(keys[-1].words) <= right:
            break
    return keys
