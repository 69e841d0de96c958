"""The whole picture: where everything lies, in pixels. `templates/web/timeline.svg.j2` turns it into SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from bot.documents import rendering
from bot.documents.picture import axis as ticks
from bot.documents.picture import palette, text_width
from bot.documents.picture.axis import Axis, axis
from bot.documents.picture.bar import Bar, bar
from bot.documents.picture.labels import Cluster, Mark, Room, Rows, lay_out
from bot.documents.picture.lanes import MILESTONES, headline, in_lanes
from bot.documents.picture.phases import spans
from bot.documents.picture.scale import Fold, Scale, scale
from bot.documents.picture.shapes import SHAPES
from bot.documents.picture.window import Window, windows
from bot.domain.incident.lifecycle import Lifecycle, phases
from bot.domain.postmortem.assemble import on_timeline
from bot.domain.time import dates
from bot.vocabulary import KINDS
from storage.values import Incident, TimelineEntry

WIDTH: Final = 900
EDGE: Final = 20.0
PLOT: Final = (128.0, 880.0)
INDENT: Final = 12.0
"""Pixels between the plot's edge and its first and last instant: half a mark, and a little air."""
TITLE_SIZE: Final = 16.0
TITLE_ROOM: Final = 620.0
HEAD, LEGEND, BAR = 66.0, 24.0, 30.0
CLOCKS, DAYS, LANE_GAP, ROW, FOOT = 24.0, 16.0, 9.0, 20.0, 14.0
NOT_DRAWN: Final = 22.0
EMPTY: Final = 92.0
SHARE: Final = 0.4
"""How much of the axis the incident itself takes, at least, where something around it can be left out."""
_TOLD: Final = 300
"""Signs of an entry's words in its tooltip."""
_LISTED: Final = 8
"""Entries of a cluster named in its tooltip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A lane at its place: its name, its top and bottom, its marks and clusters."""

    name: str
    top: float
    bottom: float
    marks: tuple[Mark, ...]
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Everything the template draws; `height` and all places in pixels."""

    height: float
    bar_top: float
    lanes_top: float
    bar: Bar
    folds: tuple[Fold, ...]
    axis: Axis
    strips: tuple[Strip, ...]
    window: Window
    start: datetime
    end: datetime
    entries: int


def _listed(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """What the timeline lists, in order; what is retracted is absent."""
    split = phases(entries)
    parts = (("lead_up", split.lead_up), ("during", split.during), ("aftermath", split.aftermath))
    return [entry for key, part in parts for entry in part if on_timeline(entry, key)]


def _strips(laid: Sequence[Rows], top: float) -> tuple[Strip, ...]:
    strips = []
    for rows in laid:
        bottom = top + rows.count * ROW + LANE_GAP
        strips.append(Strip(name=rows.lane.name, top=top, bottom=bottom, marks=rows.marks, clusters=rows.clusters))
        top = bottom
    return tuple(strips)


def _room(measure: Scale, zone: ZoneInfo) -> Room:
    return Room(
        left=PLOT[0],
        right=PLOT[1],
        place=lambda entry: measure.x(entry.occurred_at),
        clock=lambda entry: ticks.time_of_day(entry.occurred_at.astimezone(zone), measure.pace),
    )


def arrange(listed: Sequence[TimelineEntry], lifecycle: Lifecycle, *, zone: ZoneInfo) -> Drawn:
    """Everything at its place, of the entries `listed`, one at least, in order, with times in `zone`."""
    lived = spans(listed, lifecycle)
    bounds = [edge for span in lived for edge in (span.start, span.end)]
    for seen in windows(listed, lifecycle):
        instants = [entry.occurred_at for entry in seen.entries] + bounds
        measure = scale(instants, PLOT[0] + INDENT, PLOT[1] - INDENT)
        if not bounds or measure.x(max(bounds)) - measure.x(min(bounds)) >= SHARE * (PLOT[1] - PLOT[0]):
            break
    times = axis(measure, zone, *PLOT, name=dates.short_day)
    blocks = bar(lived, measure, EDGE, WIDTH - EDGE)
    bar_top = HEAD + (LEGEND if blocks.legend else 0)
    lanes_top = bar_top + BAR + CLOCKS + (DAYS if times.days else 0)
    strips = _strips(lay_out(in_lanes(seen.entries), _room(measure, zone)), lanes_top)
    bottom = strips[-1].bottom if strips else lanes_top
    return Drawn(
        height=bottom + FOOT + (NOT_DRAWN if seen.earlier or seen.later else 0),
        bar_top=bar_top,
        lanes_top=lanes_top,
        bar=blocks,
        folds=measure.folds,
        axis=times,
        strips=strips,
        window=seen,
        start=min(instants).astimezone(zone),
        end=max(instants).astimezone(zone),
        entries=len(listed),
    )


def _tooltip(entry: TimelineEntry, zone: ZoneInfo) -> str:
    """An entry as one line: when, what, and the beginning of its words."""
    there = entry.occurred_at.astimezone(zone)
    words = text_width.one_line(entry.text, _TOLD)
    kind = headline(entry) or KINDS[entry.kind].label
    return f"{dates.short_day(there)}, {dates.clock(there)} · {kind}" + (f": {words}" if words else "")


def _tooltips(entries: Sequence[TimelineEntry], zone: ZoneInfo) -> str:
    """Several entries, a line each; of many the first."""
    more = len(entries) - _LISTED
    lines = [_tooltip(entry, zone) for entry in entries[:_LISTED]]
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)


def draw(incident: Incident, entries: Sequence[TimelineEntry], lifecycle: Lifecycle, *, zone: ZoneInfo) -> str:
    """The timeline of `incident` as one SVG, 900 px wide, times in `zone`; what is retracted is absent."""
    listed = _listed(entries)
    drawn = arrange(listed, lifecycle, zone=zone) if listed else None
    title = text_width.cut(
        text_width.simple(text_width.one_line(incident.title, _TOLD)), TITLE_ROOM, TITLE_SIZE, bold=True
    )
    return rendering.svg(
        "timeline",
        incident=incident,
        lifecycle=lifecycle,
        title=title,
        title_length=round(text_width.width(title, TITLE_SIZE, bold=True), 1),
        width=WIDTH,
        height=drawn.height if drawn else EMPTY,
        drawn=drawn,
        plot=PLOT,
        sizes={"bar": BAR, "row": ROW, "days": DAYS, "clocks": CLOCKS},
        colours=palette.LIGHT,
        dark=palette.dark_style(),
        tint=palette.TINT,
        shapes=SHAPES,
        milestones=MILESTONES.kinds,
        zone_length=round(text_width.width(drawn.axis.zone, ticks.SIZE), 1) if drawn else 0,
        tooltip=partial(_tooltip, zone=zone),
        tooltips=partial(_tooltips, zone=zone),
    )
