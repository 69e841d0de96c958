"""The times written along the axis: round ones in the incident's zone, never two on top of each other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.documents.picture.scale import Scale, Stretch
from bot.documents.picture.text_width import width
from bot.domain.time import dates

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
    return dates.clock(there) + (f":{there.second:02}" if pace * 60 >= LONG_MINUTE else "")


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
    names = {dates.zone_name(moment): dates.offset(moment) for moment in moments}
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
            clocks.add(scale.x(there), name(there) if by_day else dates.clock(there))
        if len(clocks.ticks) == before:
            first = stretch.first.astimezone(zone)
            clocks.add(scale.x(first), name(first) if by_day else dates.clock(first))
    if not by_day and ends[0].date() != ends[-1].date():
        _name_days(days, scale, zone, name)
    return Axis(clocks=clocks.sorted(), days=days.sorted(), zone=_zone(ends))
