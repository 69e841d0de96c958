"""The timeline drawn: where everything lies, in pixels. `templates/web/timeline.svg.j2` turns it into SVG.

Every entry gets a row of its own, so labels never overlap; a long timeline gets one lane a kind instead,
and no labels. What lies far outside the incident is counted, not drawn.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot import rendering
from bot.domain import dates
from bot.domain.lifecycle import Lifecycle, phases
from bot.domain.postmortem import on_timeline
from bot.vocabulary import KINDS
from storage.values import Incident, TimelineEntry

WIDTH = 900
LEFT, RIGHT = 20, 20
AXIS = 74
ROW = 22
MOST_ROWS = 60
LANE_NAMES = 110
MOST_TICKS = 9
FOOT = 30
CHARACTER, BOLD_CHARACTER = 7.0, 7.9
"""About how many pixels a character of a label takes at its size, in the widest of the usual fonts."""

SHORTEST = timedelta(minutes=3)
STEPS = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 43200, 525600)
)

Scale = Callable[[datetime], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of the time axis; `day` is set where the date is new."""

    x: float
    clock: str
    day: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of the incident: `impact` from the start on, `watching` from the mitigation on."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One entry. `label` is already cut to its room; `before` tells on which side of the mark it stands."""

    x: float
    y: float
    sign: str
    clock: str
    label: str
    before: bool
    milestone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The name of a kind beside its row of marks."""

    y: float
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What of the timeline is drawn, from `start` to `end`, and how many entries lie outside."""

    start: datetime
    end: datetime
    entries: tuple[TimelineEntry, ...]
    earlier: int
    later: int


def _window(entries: Sequence[TimelineEntry], life: Lifecycle) -> Window:
    """All of an open incident; of a resolved one, as much before and after it as it lasted."""
    times = [entry.occurred_at for entry in entries]
    first, last = min(times), max(times)
    if life.started_at and life.resolved_at and life.started_at <= life.resolved_at:
        around = max(life.resolved_at - life.started_at, timedelta(minutes=10))
        first, last = max(first, life.started_at - around), min(last, life.resolved_at + around)
    inside = tuple(entry for entry in entries if first <= entry.occurred_at <= last)
    first, last = (extreme(entry.occurred_at for entry in inside) for extreme in (min, max))
    spare = max((last - first) / 50, (SHORTEST - (last - first)) / 2)
    return Window(
        start=first - spare,
        end=last + spare,
        entries=inside,
        earlier=sum(time < first for time in times),
        later=sum(time > last for time in times),
    )


def _scale(window: Window, left: float) -> Scale:
    span = (window.end - window.start) / timedelta(seconds=1)
    room = WIDTH - RIGHT - left

    def x(at: datetime) -> float:
        return round(left + room * ((at - window.start) / timedelta(seconds=1)) / span, 1)

    return x


def _ticks(window: Window, x: Scale, zone: ZoneInfo) -> list[Tick]:
    """Round local times; counted from a local midnight, so a change of the clocks shifts only labels."""
    step = next((step for step in STEPS if (window.end - window.start) / step <= MOST_TICKS), STEPS[-1])
    local = window.start.astimezone(zone)
    at = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    at += step * -((at - window.start) // step)
    ticks: list[Tick] = []
    shown = None
    while at <= window.end:
        there = at.astimezone(zone)
        day = dates.short_day(there)
        ticks.append(Tick(x=x(at), clock=dates.clock(there), day=day if day != shown else None))
        shown = day
        at += step
    return ticks


def _bands(window: Window, life: Lifecycle, x: Scale) -> list[Band]:
    if not life.started_at or life.started_at > window.end:
        return []
    start = max(life.started_at, window.start)
    end = life.resolved_at or window.end
    turn = life.mitigated_at if life.mitigated_at and start <= life.mitigated_at <= end else end
    stretches = (("impact", start, turn), ("watching", turn, end))
    return [
        Band(kind=kind, x=x(since), width=round(x(until) - x(since), 1))
        for kind, since, until in stretches
        if until > since
    ]


def _cut(text: str, left: float) -> str:
    """`text` on one line, cut with an ellipsis to `left` characters; East Asian signs count as two."""
    text = " ".join(text.split())
    for place, sign in enumerate(text):
        left -= 2 if unicodedata.east_asian_width(sign) in {"W", "F"} else 1
        if left < 1:
            return text[:place].rstrip() + "…"
    return text


def _label(entry: TimelineEntry) -> str:
    by = f" by {entry.qualifier}" if entry.kind == "detected" and entry.qualifier else ""
    return f"{KINDS[entry.kind].label}{by}" + (f": {entry.text}" if entry.text else "")


def _row(entry: TimelineEntry, y: float, x: Scale, zone: ZoneInfo) -> Mark:
    kind, here = KINDS[entry.kind], x(entry.occurred_at)
    before = here > WIDTH * 0.55
    room = (here - LEFT if before else WIDTH - RIGHT - here) - 60
    return Mark(
        x=here,
        y=y,
        sign=kind.mark,
        clock=dates.clock(entry.occurred_at.astimezone(zone)),
        label=_cut(_label(entry), room / (BOLD_CHARACTER if kind.milestone else CHARACTER)),
        before=before,
        milestone=kind.milestone,
    )


def _in_lanes(window: Window, x: Scale, zone: ZoneInfo) -> tuple[list[Mark], list[Lane]]:
    present = [kind for kind in KINDS.values() if any(entry.kind == kind.name for entry in window.entries)]
    level = {kind.name: AXIS + ROW * (row + 1) for row, kind in enumerate(present)}
    marks = [
        Mark(
            x=x(entry.occurred_at),
            y=level[entry.kind],
            sign=KINDS[entry.kind].mark,
            clock=dates.clock(entry.occurred_at.astimezone(zone)),
            label="",
            before=False,
            milestone=KINDS[entry.kind].milestone,
        )
        for entry in window.entries
    ]
    return marks, [Lane(y=level[kind.name], name=kind.label) for kind in present]


def draw(incident: Incident, entries: Sequence[TimelineEntry], lifecycle: Lifecycle, *, zone: ZoneInfo) -> str:
    """The timeline of `incident` as one SVG, 900 px wide, times in `zone`; what is retracted is absent."""
    split = phases(entries)
    parts = (("lead_up", split.lead_up), ("during", split.during), ("aftermath", split.aftermath))
    listed = [entry for key, part in parts for entry in part if on_timeline(entry, key)]
    if not listed:
        return rendering.svg("timeline", incident=incident, lifecycle=lifecycle, drawn=None)
    window = _window(listed, lifecycle)
    many = len(window.entries) > MOST_ROWS
    x = _scale(window, LANE_NAMES if many else LEFT)
    rows = [_row(entry, AXIS + ROW * place, x, zone) for place, entry in enumerate(window.entries, 1) if not many]
    marks, lanes = _in_lanes(window, x, zone) if many else (rows, [])
    local = window.start.astimezone(zone)
    drawn = {
        "width": WIDTH,
        "height": AXIS + ROW * (max(len(rows), len(lanes)) + 1) + FOOT,
        "foot": FOOT,
        "axis": AXIS,
        "zone": dates.zone_name(local),
        "ticks": _ticks(window, x, zone),
        "bands": _bands(window, lifecycle, x),
        "marks": marks,
        "lanes": lanes,
        "earlier": window.earlier,
        "later": window.later,
    }
    return rendering.svg("timeline", incident=incident, lifecycle=lifecycle, drawn=drawn)
