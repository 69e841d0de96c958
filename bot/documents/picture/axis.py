"""The axis of time: where an instant lies, which silences are folded, and where the ticks stand."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Final
from zoneinfo import ZoneInfo

from bot.documents.picture.text_width import width
from bot.domain.incident.lifecycle import LONG_SILENCE
from bot.domain.time import format as time_format
from bot.domain.time.format import duration

SHORTEST: Final = timedelta(minutes=3)
FOLD_SIZE: Final = 10.5
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
    return Fold(x=round(x, 1), width=FOLD, lasted=lasted, length=round(width(lasted, FOLD_SIZE, bold=True), 1))


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


SIZE: Final = 11.0
APART: Final = 10.0
LONG_MINUTE: Final = 90.0
"""Pixels of a minute from which on seconds are written too."""
ROOMY: Final = 64.0
"""Pixels between two round times, at least."""
STEPS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440))
DAYS: Final = (1, 2, 5, 7, 14, 30, 61, 91, 182, 365, 730, 1826, 3652)
_DAY: Final = timedelta(days=1)
_QUARTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of the axis at `x`, with its `label` centred at `at`, `length` pixels long."""

    x: float
    at: float
    label: str
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The clock times, the days above them where there are several, and the zone's name."""

    clocks: tuple[Tick, ...]
    days: tuple[Tick, ...]
    zone: str


def time_of_day(there: datetime, pace: float) -> str:
    """`14:02`, or `14:02:30` where a minute is long."""
    return time_format.clock(there) + (f":{there.second:02}" if pace * 60 >= LONG_MINUTE else "")


def _step(pace: float) -> timedelta:
    """The shortest round step that leaves room for its labels."""
    return next((step for step in STEPS if step.total_seconds() * pace >= ROOMY), STEPS[-1])


def _midnights(stretch: Stretch, zone: ZoneInfo, every: int = 1) -> Iterator[datetime]:
    """The local midnights of the stretch, each `every` days."""
    first = stretch.start.astimezone(zone).toordinal()
    for ordinal in range(max(1, first - first % every), date.max.toordinal(), every):
        at = datetime.combine(date.fromordinal(ordinal), time(), zone)
        if at > stretch.end:
            break
        if at >= stretch.start:
            yield at


def _clock_times(stretch: Stretch, step: timedelta, zone: ZoneInfo) -> Iterator[datetime]:
    """The local times of the stretch that are whole steps from midnight; a change of the clocks keeps them round."""
    stride = min(step, _QUARTER)
    at = datetime.min.replace(tzinfo=UTC) + (stretch.start - datetime.min.replace(tzinfo=UTC)) // stride * stride
    while at <= stretch.end:
        there = at.astimezone(zone)
        since = timedelta(hours=there.hour, minutes=there.minute, seconds=there.second)
        if at >= stretch.start and not since % step:
            yield there
        at += stride


def _centred(x: float, length: float, left: float, right: float) -> float:
    return round(min(max(x, left + length / 2), right - length / 2), 1)


class _Row:
    """Labels along one line; one that would touch another is left out."""

    def __init__(self, left: float, right: float) -> None:
        self._left, self._right = left, right
        self._taken: list[tuple[float, float]] = []
        self.ticks: list[Tick] = []

    def add(self, x: float, label: str, *, bold: bool = False) -> None:
        length = round(width(label, SIZE, bold=bold), 1)
        at = _centred(x, length, self._left, self._right)
        start, end = at - length / 2, at + length / 2
        if all(end + APART <= before or after + APART <= start for before, after in self._taken):
            self._taken.append((start, end))
            self.ticks.append(Tick(x=x, at=at, label=label, length=length))

    def sorted(self) -> tuple[Tick, ...]:
        return tuple(sorted(self.ticks, key=lambda tick: tick.x))


def _zone(moments: Iterable[datetime]) -> str:
    """`CET (UTC+1)`; `CET, then CEST` where the clocks change in between; a bare offset where there are no letters."""
    names = {time_format.zone_name(moment): time_format.offset(moment) for moment in moments}
    if len(names) > 1:
        return ", then ".join(names)
    ((name, offset),) = names.items()
    return name if name == offset else f"{name} ({offset})"


def _name_days(row: _Row, scale: Scale, zone: ZoneInfo, name: Callable[[datetime], str]) -> None:
    """Name each day where it begins; the first, and one that begins in a fold, where it is first seen."""
    begins = {there.date(): there for stretch in scale.stretches for there in _midnights(stretch, zone)}
    for stretch in scale.stretches:
        first = stretch.first.astimezone(zone)
        begins.setdefault(first.date(), first)
    for there in begins.values():
        row.add(scale.x(there), name(there), bold=True)


def axis(scale: Scale, zone: ZoneInfo, left: float, right: float, name: Callable[[datetime], str]) -> Axis:
    """The times of `scale` in `zone`, their labels between the pixels `left` and `right`. `name` names a day."""
    step = _step(scale.pace)
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
