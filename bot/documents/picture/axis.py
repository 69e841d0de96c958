"""The time axis: the position of an instant, which silences are folded, and the ticks with their labels."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Final
from zoneinfo import ZoneInfo

from bot.documents.picture.text_width import width
from bot.domain.incident.phases import LONG_SILENCE
from bot.domain.time import format as time_format
from bot.domain.time.format import rough_duration

SHORTEST: Final = timedelta(minutes=3)
FOLD_SIZE: Final = 10.5
FOLD: Final = 74.0
"""Pixels of a fold, which contains a label with its duration."""
APRON: Final = 12.0
"""Pixels on either side of a fold that are still to scale."""
MOST_FOLDS: Final = 4
OUTLIER: Final = 4.0
"""A silence is folded only if it is this many times as long as the median time between two entries."""
GAIN: Final = 1.08
"""A silence is folded only if that enlarges the rest of the axis by this factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A silence drawn as a break from `x` on, `width` pixels wide. Its label `lasted` is `length` pixels long."""

    x: float
    width: float
    lasted: str
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of the axis between folds, from `start` to `end`. `first` is the first instant drawn in it."""

    start: datetime
    end: datetime
    first: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps instants to pixels, linearly between the `knots` (seconds since 1970, pixels); `pace` is pixels a second."""

    knots: tuple[tuple[float, float], ...]
    folds: tuple[Fold, ...]
    stretches: tuple[Stretch, ...]
    pace: float

    def x(self, at: datetime) -> float:
        """The pixel of the aware instant `at`; for one outside the axis, that of the nearer end."""
        second = at.timestamp()
        index = bisect_right(self.knots, second, key=lambda knot: knot[0])
        if index == 0:
            return self.knots[0][1]
        if index == len(self.knots):
            return self.knots[-1][1]
        (before_s, before), (after_s, after) = self.knots[index - 1], self.knots[index]
        return round(before + (after - before) * (second - before_s) / (after_s - before_s), 1)


def _folded(instants: Sequence[float], room: float, fold: float) -> set[int]:
    """The silences to fold, as indexes of the instants before them: the longest first, while it enlarges the rest."""
    lengths = {index: after - before for index, (before, after) in enumerate(pairwise(instants))}
    if not lengths:
        return set()
    least = max(LONG_SILENCE.total_seconds(), OUTLIER * median_low(lengths.values()))
    rest, chosen = sum(lengths.values()), set[int]()
    for index in sorted(lengths, key=lambda index: (-lengths[index], index))[:MOST_FOLDS]:
        left, space = rest - lengths[index], room - fold - 2 * APRON
        if lengths[index] < least or left <= 0 or space / left < GAIN * room / rest:
            break
        chosen.add(index)
        rest, room = left, space
    return chosen


def scale(instants: Iterable[datetime], left: float, right: float, *, fold: float = FOLD) -> Scale:
    """The scale for the aware `instants`, at least one, between two pixels; a fold is `fold` pixels long."""
    seconds = sorted({at.timestamp() for at in instants})
    folded = sorted(_folded(seconds, right - left, fold))
    unfolded = seconds[-1] - seconds[0] - sum(seconds[index + 1] - seconds[index] for index in folded)
    span = max(unfolded, SHORTEST.total_seconds())
    pace = (right - left - len(folded) * (fold + 2 * APRON)) / span
    apron_s = APRON / pace
    x, at, knots, folds = left, seconds[0], [(seconds[0], left)], []
    for index in folded:
        before, after = seconds[index], seconds[index + 1]
        x += (before - at) * pace + APRON
        lasted = rough_duration(after - before)
        length = round(width(lasted, FOLD_SIZE, bold=True), 1)
        folds.append(Fold(x=round(x, 1), width=fold, lasted=lasted, length=length))
        knots += [(before + apron_s, x), (after - apron_s, x + fold)]
        x, at = x + fold + APRON, after
    knots.append((at + (right - x) / pace, right))
    firsts = [seconds[0], *(seconds[index + 1] for index in folded)]
    return Scale(knots=tuple(knots), folds=tuple(folds), stretches=_stretches(knots, firsts), pace=pace)


def _stretches(knots: Sequence[tuple[float, float]], firsts: Sequence[float]) -> tuple[Stretch, ...]:
    bounds = [datetime.fromtimestamp(second, UTC) for second, _ in knots]
    first_instants = [datetime.fromtimestamp(second, UTC) for second in firsts]
    return tuple(
        Stretch(start=start, end=end, first=first)
        for start, end, first in zip(bounds[::2], bounds[1::2], first_instants, strict=True)
    )


SIZE: Final = 11.0
APART: Final = 10.0
"""The fewest pixels between two labels."""
LONG_MINUTE: Final = 90.0
"""Where a minute has this many pixels or more, times are written with seconds."""
ROOMY: Final = 64.0
"""The fewest pixels between two ticks."""
STEPS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440))
DAYS: Final = (1, 2, 5, 7, 14, 30, 61, 91, 182, 365, 730, 1826, 3652)
_DAY: Final = timedelta(days=1)
_QUARTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of the axis at `x`. Its `label` is centred at `at` and `length` pixels long."""

    x: float
    at: float
    label: str
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The clock times, the days if there are several, and the zone's name."""

    clocks: tuple[Tick, ...]
    days: tuple[Tick, ...]
    zone: str


def time_of_day(there: datetime, pace: float) -> str:
    """`14:02`, or `14:02:30` where a minute is long."""
    return time_format.clock(there) + (f":{there.second:02}" if pace * 60 >= LONG_MINUTE else "")


def _midnights(stretch: Stretch, zone: ZoneInfo, every: int = 1) -> Iterator[datetime]:
    """The local midnights within the stretch, every `every` days."""
    first = stretch.start.astimezone(zone).toordinal()
    for ordinal in range(max(1, first - first % every), date.max.toordinal(), every):
        at = datetime.combine(date.fromordinal(ordinal), time(), zone)
        if at > stretch.end:
            break
        if at >= stretch.start:
            yield at


def _clock_times(stretch: Stretch, step: timedelta, zone: ZoneInfo) -> Iterator[datetime]:
    """The local times within the stretch that are whole steps after midnight, also after a change of the clocks."""
    stride = min(step, _QUARTER)
    at = datetime.min.replace(tzinfo=UTC) + (stretch.start - datetime.min.replace(tzinfo=UTC)) // stride * stride
    while at <= stretch.end:
        there = at.astimezone(zone)
        since = timedelta(hours=there.hour, minutes=there.minute, seconds=there.second)
        if at >= stretch.start and not since % step:
            yield there
        at += stride


class _Row:
    """Labels on one line. A label that would touch an earlier one is left out."""

    def __init__(self, left: float, right: float) -> None:
        self._left, self._right = left, right
        self._taken: list[tuple[float, float]] = []
        self.ticks: list[Tick] = []

    def add(self, x: float, label: str, *, bold: bool = False) -> None:
        length = round(width(label, SIZE, bold=bold), 1)
        at = round(min(max(x, self._left + length / 2), self._right - length / 2), 1)
        start, end = at - length / 2, at + length / 2
        if all(end + APART <= before or after + APART <= start for before, after in self._taken):
            self._taken.append((start, end))
            self.ticks.append(Tick(x=x, at=at, label=label, length=length))

    def sorted(self) -> tuple[Tick, ...]:
        return tuple(sorted(self.ticks, key=lambda tick: tick.x))


def _zone(moments: Iterable[datetime]) -> str:
    """`CET (UTC+1)`; `CET, then CEST` if the clocks change in between; `UTC+5:45` if the zone has no abbreviation."""
    names = {time_format.zone_name(moment): time_format.offset(moment) for moment in moments}
    if len(names) > 1:
        return ", then ".join(names)
    ((name, offset),) = names.items()
    return name if name == offset else f"{name} ({offset})"


def _name_days(row: _Row, scale: Scale, zone: ZoneInfo, name: Callable[[datetime], str]) -> None:
    """Label each day where it begins. The first day, and one that begins within a fold, at the first instant drawn."""
    begins = {there.date(): there for stretch in scale.stretches for there in _midnights(stretch, zone)}
    for stretch in scale.stretches:
        first = stretch.first.astimezone(zone)
        begins.setdefault(first.date(), first)
    for there in begins.values():
        row.add(scale.x(there), name(there), bold=True)


def axis(scale: Scale, zone: ZoneInfo, left: float, right: float, name: Callable[[datetime], str]) -> Axis:
    """The ticks of `scale` in `zone`, with labels between the pixels `left` and `right`; `name` is a day's label."""
    step = next((step for step in STEPS if step.total_seconds() * scale.pace >= ROOMY), STEPS[-1])
    by_day = step == _DAY
    every = next((days for days in DAYS if days * _DAY.total_seconds() * scale.pace >= ROOMY + 10), DAYS[-1])
    clocks, days = _Row(left, right), _Row(left, right)
    ends = [stretch.start.astimezone(zone) for stretch in scale.stretches]
    ends.append(scale.stretches[-1].end.astimezone(zone))
    for stretch in scale.stretches:
        times = _midnights(stretch, zone, every) if by_day else _clock_times(stretch, step, zone)
        before = len(clocks.ticks)
        for there in times:
            clocks.add(scale.x(there), name(there) if by_day else time_format.clock(there))
        if len(clocks.ticks) == before:
            first = stretch.first.astimezone(zone)
            clocks.add(scale.x(first), name(first) if by_day else time_format.clock(first))
    if not by_day and ends[0].date() != ends[-1].date():
        _name_days(days, scale, zone, name)
    return Axis(clocks=clocks.sorted(), days=days.sorted(), zone=_zone(ends))
