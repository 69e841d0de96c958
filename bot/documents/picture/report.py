"""Draws the report: computes every position in pixels, and `templates/web/report.svg.j2` makes the SVG.

Three panels: incidents by day, week or month, stacked by severity; each duration as dots, range and median on one
logarithmic axis; action items by due status. A panel without data is left out, or says so.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import accumulate

from bot.documents import rendering
from bot.documents.picture import text_width
from bot.domain.report.on_time import AHEAD, DROPPED, IN_TIME, LATE, OVERDUE, UNDATED, OnTime
from bot.domain.report.period import Period
from bot.domain.report.report import Report, Spread
from bot.domain.time import format as time_format
from bot.domain.time.format import rough_duration

WIDTH = 900
SIZE = 12.0
"""Pixels of the letters of the legends."""
LEFT, RIGHT = 20, 20
TOP = 66
BARS_LEFT, BARS_HEIGHT, BARS_TITLE = 56, 130, 34
SPREADS_LEFT, SPREADS_RIGHT, SPREAD_ROW, SPREADS_TITLE = 160, 550, 44, 62
ITEMS_LEFT, ITEMS_BAR, ITEMS_HEIGHT = 20, 22, 100
FOOT = 16
MOST_DOTS = 200
"""The most dots of one duration. Of more incidents, a sample at even ranks is drawn, with the shortest and longest."""
MOST_LABELS, MOST_NUMBERED, MOST_LINES, WIDEST_BAR = 9, 24, 5, 60
TICK_ROOM = 46
ROUND_S = (1, 10, 60, 300, 900, 3600, 14400, 86400, 604800, 2419200, 15724800, 31536000, 157680000)
"""Seconds at which the axis of durations can have a line: 1 s, 10 s, 1 min … 28 d, half a year, years."""
DAYS_UP_TO, WEEKS_UP_TO = 14, 400
"""The longest periods, in days, whose bars are days, and weeks. Those of a longer period are months."""

Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a stacked bar. `of` names what it counts."""

    of: str
    count: int
    at: float
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The bar of one day, week or month; `label` and `total` are empty if there is no room for them."""

    x: float
    width: float
    top: float
    total: str
    label: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GridLine:
    """A line of an axis with its label."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationRow:
    """One duration: the positions of its dots and of its median, None if that is unknown."""

    y: float
    spread: Spread
    dots: tuple[float, ...]
    median: float | None


def draw_report(report: Report) -> str:
    """The report as an SVG of 900 px width, which follows the reader's colour scheme."""
    y: float = TOP
    panels: dict[str, dict[str, object] | None] = {"bars": None, "spreads": None, "items": None}
    if report.declared:
        panels["bars"] = _bars(report, y)
        y += BARS_TITLE + BARS_HEIGHT + 52
        panels["spreads"] = _spreads(report.spreads, y)
        y += SPREADS_TITLE + SPREAD_ROW * len(report.spreads) + 34
    if report.items.recorded:
        panels["items"] = _items(report.items, y)
        y += ITEMS_HEIGHT
    length = partial(text_width.width, size=SIZE)
    return rendering.svg("report", report=report, width=WIDTH, height=int(y + FOOT), length=length, **panels)


def _bins(period: Period) -> tuple[str, list[date]]:
    """Whether a bar is a day, a week or a month, and the first day of each bar, in the period's zone."""
    first, last = (at.astimezone(period.zone).date() for at in (period.since, period.until - timedelta(microseconds=1)))
    days = (period.until - period.since).days
    if days <= DAYS_UP_TO:
        return "day", [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if days <= WEEKS_UP_TO:
        monday = first - timedelta(days=first.weekday())
        return "week", [monday + timedelta(weeks=n) for n in range((last - monday).days // 7 + 1)]
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return "month", [date(month // 12, month % 12 + 1, 1) for month in months]


def _bin_label(step: str, day: date) -> str:
    month = time_format.MONTHS[day.month - 1][:3]
    return f"{month} {day.year}" if step == "month" else f"{day.day} {month}"


def _counts(report: Report, step: str) -> dict[date, Counter[str]]:
    """The number of incidents of each severity, by the first day of the bar."""
    known = {severity for severity, _ in report.severities}
    counts: dict[date, Counter[str]] = {}
    for incident in report.declared:
        day = incident.happened_at.astimezone(report.period.zone).date()
        if step == "week":
            day -= timedelta(days=day.weekday())
        elif step == "month":
            day = day.replace(day=1)
        severity = incident.severity if incident.severity in known else None
        counts.setdefault(day, Counter())[severity or "unknown"] += 1
    return counts


def _count_ticks(most: int, y: Scale) -> list[GridLine]:
    """At most MOST_LINES lines at whole numbers, and one at zero."""
    magnitude: int = 10 ** max(0, len(str(most)) - 1)
    steps = (magnitude * factor // 10 for factor in (1, 2, 5, 10, 20, 50))
    step = next(each for each in steps if each and most / each <= MOST_LINES)
    return [GridLine(at=y(number), label=str(number)) for number in range(0, most + 1, step)]


def _stack(counts: Sequence[tuple[str, int]], at: Scale) -> tuple[Piece, ...]:
    """The counts as parts of one bar, in order, without those that are zero."""
    ends = list(accumulate(count for _, count in counts))
    return tuple(
        Piece(
            of=of,
            count=count,
            at=round(min(at(end - count), at(end)), 1),
            size=round(abs(at(end) - at(end - count)), 1),
        )
        for (of, count), end in zip(counts, ends, strict=True)
        if count
    )


def _bars(report: Report, top: float) -> dict[str, object]:
    step, starts = _bins(report.period)
    counts = _counts(report, step)
    most = max(counter.total() for counter in counts.values())
    bottom = top + BARS_TITLE + BARS_HEIGHT

    def y(number: float) -> float:
        return bottom - (BARS_HEIGHT - 14) * number / most

    room = (WIDTH - RIGHT - BARS_LEFT) / len(starts)
    width = min(room * 0.8, WIDEST_BAR)
    every = math.ceil(len(starts) / MOST_LABELS)
    order = [severity or "unknown" for severity, _ in report.severities]
    bars = [
        Column(
            x=round(BARS_LEFT + room * (place + 0.5) - width / 2, 1),
            width=round(width, 1),
            top=round(y(counts[start].total()) if start in counts else bottom, 1),
            total=str(counts[start].total()) if start in counts and len(starts) <= MOST_NUMBERED else "",
            label=_bin_label(step, start) if place % every == 0 else "",
            pieces=_stack([(of, counts.get(start, Counter())[of]) for of in order], y),
        )
        for place, start in enumerate(starts)
    ]
    return {"top": top, "bottom": bottom, "step": step, "bars": bars, "ticks": _count_ticks(most, y)}


def _duration_scale(spreads: Sequence[Spread]) -> tuple[Scale, list[GridLine]]:
    """Logarithmic, from the round time below the shortest to the one above the longest."""
    seconds = [each for spread in spreads for each in (spread.shortest_s, spread.longest_s) if each is not None]
    low = max((each for each in ROUND_S if each <= min(seconds)), default=ROUND_S[0])
    high = min((each for each in ROUND_S if each >= max(seconds) and each > low), default=max(seconds))
    span = math.log(high / low)

    def x(of: float) -> float:
        part = math.log(max(of, low) / low) / span
        return round(SPREADS_LEFT + (SPREADS_RIGHT - SPREADS_LEFT) * part, 1)

    ticks: list[GridLine] = []
    for each in ROUND_S:
        if low <= each <= high and (not ticks or x(each) - ticks[-1].at >= TICK_ROOM):
            ticks.append(GridLine(at=x(each), label=rough_duration(each)))
    return x, ticks


def _sample(seconds: Sequence[float]) -> list[float]:
    """The values, or MOST_DOTS of them at even ranks from the shortest to the longest."""
    if len(seconds) <= MOST_DOTS:
        return list(seconds)
    return [seconds[rank * (len(seconds) - 1) // (MOST_DOTS - 1)] for rank in range(MOST_DOTS)]


def _spreads(spreads: Sequence[Spread], top: float) -> dict[str, object]:
    measured = [spread for spread in spreads if spread.known]
    x, ticks = _duration_scale(measured) if measured else (None, [])
    rows = [
        DurationRow(
            y=top + SPREADS_TITLE + SPREAD_ROW * place + SPREAD_ROW / 2,
            spread=spread,
            dots=tuple(x(each) for each in _sample(spread.seconds)) if x else (),
            median=x(spread.median_s) if x and spread.median_s is not None else None,
        )
        for place, spread in enumerate(spreads)
    ]
    sampled = any(spread.known > MOST_DOTS for spread in spreads)
    bottom = top + SPREADS_TITLE + SPREAD_ROW * len(rows)
    return {"top": top, "bottom": bottom, "rows": rows, "ticks": ticks, "sampled": sampled, "most": MOST_DOTS}


def _items(on_time: OnTime, top: float) -> dict[str, object]:
    room = WIDTH - RIGHT - ITEMS_LEFT

    def x(number: float) -> float:
        return ITEMS_LEFT + room * number / on_time.recorded

    counts = (
        (IN_TIME, on_time.in_time),
        (LATE, on_time.late),
        (OVERDUE, on_time.overdue),
        (AHEAD, on_time.ahead),
        (UNDATED, on_time.undated),
        (DROPPED, on_time.dropped),
    )
    return {"top": top, "bar": ITEMS_BAR, "pieces": _stack(counts, x)}
