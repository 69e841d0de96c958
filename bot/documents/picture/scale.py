"""The time axis: from instants to pixels, with long silences folded to a narrow break.

Between two folds a minute is equally long everywhere; over a fold time goes on too, only much faster, so the axis is
monotonic and every instant has its place.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Final

from bot.documents.picture.text_width import width
from bot.domain.incident.lifecycle import LONG_SILENCE
from bot.domain.time.durations import duration

SHORTEST: Final = timedelta(minutes=3)
SIZE: Final = 10.5
FOLD: Final = 74.0
"""Pixels of a break: its length is written in it."""
APRON: Final = 12.0
"""Pixels on either side of a break where time still goes at its usual pace."""
MOST_FOLDS: Final = 4
OUTLIER: Final = 4.0
"""A silence is folded only if it is so many times as long as the usual one between two entries."""
GAIN: Final = 1.08
"""And only if all the rest grows by this factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A silence drawn as a break from `x` on, `width` pixels wide; how long it `lasted` takes `length` pixels."""

    x: float
    width: float
    lasted: str
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of the axis between folds, from `start` to `end`; `first` is the first of the scale's instants in it."""

    start: datetime
    end: datetime
    first: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where each instant lies. `knots` are (seconds since 1970, pixels), both rising; `pace` is pixels a second."""

    knots: tuple[tuple[float, float], ...]
    folds: tuple[Fold, ...]
    stretches: tuple[Stretch, ...]
    pace: float

    def x(self, at: datetime) -> float:
        """The pixel of the aware instant `at`; what lies outside the axis is at its nearer end."""
        second = at.timestamp()
        place = bisect_right(self.knots, second, key=lambda knot: knot[0])
        if place == 0:
            return self.knots[0][1]
        if place == len(self.knots):
            return self.knots[-1][1]
        (before_s, before), (after_s, after) = self.knots[place - 1], self.knots[place]
        return round(before + (after - before) * (second - before_s) / (after_s - before_s), 1)


def _folded(instants: Sequence[float], room: float) -> set[int]:
    """The silences to fold, each by the place of the instant before it; the longest first, while it pays."""
    lengths = {place: after - before for place, (before, after) in enumerate(pairwise(instants))}
    if not lengths:
        return set()
    least = max(LONG_SILENCE.total_seconds(), OUTLIER * median_low(lengths.values()))
    rest, chosen = sum(lengths.values()), set[int]()
    for place in sorted(lengths, key=lambda place: (-lengths[place], place))[:MOST_FOLDS]:
        left, space = rest - lengths[place], room - FOLD - 2 * APRON
        if lengths[place] < least or left <= 0 or space / left < GAIN * room / rest:
            break
        chosen.add(place)
        rest, room = left, space
    return chosen


def _fold(x: float, seconds: float) -> Fold:
    lasted = duration(seconds)
    return Fold(x=round(x, 1), width=FOLD, lasted=lasted, length=round(width(lasted, SIZE, bold=True), 1))


def scale(instants: Iterable[datetime], left: float, right: float) -> Scale:
    """The axis for the aware `instants`, one at least, between the pixels `left` and `right`."""
    seconds = sorted({at.timestamp() for at in instants})
    folded = _folded(seconds, right - left)
    told = seconds[-1] - seconds[0] - sum(seconds[place + 1] - seconds[place] for place in folded)
    span = max(told, SHORTEST.total_seconds())
    pace = (right - left - len(folded) * (FOLD + 2 * APRON)) / span
    apron_s = APRON / pace
    x, at, knots, folds = left, seconds[0], [(seconds[0], left)], []
    for place in sorted(folded):
        before, after = seconds[place], seconds[place + 1]
        x += (before - at) * pace + APRON
        folds.append(_fold(x, after - before))
        knots += [(before + apron_s, x), (after - apron_s, x + FOLD)]
        x, at = x + FOLD + APRON, after
    knots.append((at + (right - x) / pace, right))
    firsts = [seconds[0], *(seconds[place + 1] for place in sorted(folded))]
    return Scale(knots=tuple(knots), folds=tuple(folds), stretches=_stretches(knots, firsts), pace=pace)


def _stretches(knots: Sequence[tuple[float, float]], firsts: Sequence[float]) -> tuple[Stretch, ...]:
    ends = [datetime.fromtimestamp(second, UTC) for second, _ in knots]
    begun = [datetime.fromtimestamp(second, UTC) for second in firsts]
    return tuple(
        Stretch(start=start, end=end, first=first)
        for start, end, first in zip(ends[::2], ends[1::2], begun, strict=True)
    )
