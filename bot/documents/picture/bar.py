"""The bar of phases: where each span and its words lie."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.documents.picture.phases import PHASES, Phase, Span
from bot.documents.picture.scale import Fold, Scale
from bot.documents.picture.text_width import width
from bot.domain.time.durations import duration

SIZE: Final = 12.5
INSIDE: Final = 7.0
"""Pixels left free on either side of the words in a block."""
SPACE: Final = 6.0
SWATCH: Final = 18.0
UNKNOWN: Final = ("Phases unknown", "no start or detection before the end is recorded")
BETWEEN: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A phase's name and how long it took, from `x` on; either may be missing where there is no room."""

    x: float
    name: str
    name_length: float
    lasted: str
    lasted_x: float
    lasted_length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A span drawn from `x` on, `width` pixels wide. `words` is None where none fit."""

    span: Span
    x: float
    width: float
    words: Words | None
    lasted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An entry of the legend: a phase, and how long it took in all its rounds."""

    phase: Phase
    x: float
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The blocks; and a legend where a block has no room for its name. `unknown` stands where there is no block."""

    blocks: tuple[Block, ...]
    legend: tuple[Key, ...]
    unknown: Words | None


def _words(name: str, lasted: str, x: float) -> Words:
    name_length = width(name, SIZE, bold=True)
    gap = SPACE if name and lasted else 0.0
    return Words(
        x=round(x, 1),
        name=name,
        name_length=round(name_length, 1),
        lasted=lasted,
        lasted_x=round(x + name_length + gap, 1),
        lasted_length=round(width(lasted, SIZE), 1),
    )


def _end(words: Words) -> float:
    return words.lasted_x + words.lasted_length


def _free(start: float, end: float, folds: Iterable[Fold]) -> tuple[float, float]:
    """The widest part between two pixels that no fold covers."""
    parts = []
    for fold in folds:
        if start < fold.x + fold.width and fold.x < end:
            parts.append((start, fold.x))
            start = fold.x + fold.width
    return max([*parts, (start, end)], key=lambda part: part[1] - part[0])


def _fitting(name: str, lasted: str, start: float, end: float, scale: Scale) -> Words | None:
    """As many of the two words as have room between two pixels, where no fold covers them."""
    left, right = _free(start, end, scale.folds)
    for first, second in ((name, lasted), (name, ""), ("", lasted)):
        length = _end(_words(first, second, 0))
        if length + 2 * INSIDE <= right - left:
            return _words(first, second, (left + right - length) / 2)
    return None


def _block(span: Span, scale: Scale) -> Block:
    start, end = scale.x(span.start), scale.x(span.end)
    lasted = duration(span.seconds) + (" so far" if span.going_on else "")
    words = _fitting(span.phase.label, lasted, start, end, scale)
    return Block(span=span, x=start, width=round(end - start, 1), words=words, lasted=lasted)


def _totals(spans: Sequence[Span], *, rounds: bool, lasted: bool) -> list[tuple[Phase, str]]:
    """Each phase there is with how long it took in all its rounds."""
    totals = []
    for phase in PHASES.values():
        of_it = [span for span in spans if span.phase == phase]
        if of_it:
            often = f" in {len(of_it)} rounds" if rounds and len(of_it) > 1 else ""
            so_far = " so far" if of_it[-1].going_on else ""
            took = duration(sum(span.seconds for span in of_it))
            totals.append((phase, f"{took}{often}{so_far}" if lasted else ""))
    return totals


def _keys(totals: Sequence[tuple[Phase, str]], x: float) -> tuple[Key, ...]:
    keys = []
    for phase, lasted in totals:
        keys.append(Key(phase=phase, x=round(x, 1), words=_words(phase.label, lasted, x + SWATCH)))
        x = _end(keys[-1].words) + BETWEEN
    return tuple(keys)


def _legend(spans: Sequence[Span], left: float, right: float) -> tuple[Key, ...]:
    """The legend that says most of those that fit."""
    for rounds, lasted in ((True, True), (False, True), (False, False)):
        keys = _keys(_totals(spans, rounds=rounds, lasted=lasted), left)
        if _end(keys[-1].words) <= right:
            break
    return keys


def bar(spans: Sequence[Span], scale: Scale, left: float, right: float) -> Bar:
    """The bar of `spans` on `scale`; a legend, where it takes one, lies between the pixels `left` and `right`."""
    blocks = tuple(_block(span, scale) for span in spans)
    complete = all(block.words and block.words.name and block.words.lasted for block in blocks)
    return Bar(
        blocks=blocks,
        legend=() if complete else _legend(spans, left, right),
        unknown=None if blocks else _fitting(*UNKNOWN, scale.knots[0][1], scale.knots[-1][1], scale),
    )
