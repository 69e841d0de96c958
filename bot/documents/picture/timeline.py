"""Draws the timeline: computes every position in pixels, and `templates/web/timeline.svg.j2` makes the SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from bot.documents import rendering
from bot.documents.picture import axis as ticks
from bot.documents.picture import graphs as plots
from bot.documents.picture import text_width
from bot.documents.picture.axis import Axis, Fold, axis, scale
from bot.documents.picture.labels import MILESTONES, Cluster, Mark, Room, Rows, headline, in_lanes, lay_out
from bot.documents.picture.phases import PhaseBar, bar, spans
from bot.domain.incident.lifecycle import Lifecycle
from bot.domain.incident.phases import phases
from bot.domain.incident.topics import without_labels
from bot.domain.postmortem.assemble import on_timeline
from bot.domain.time import format as time_format
from bot.vocabulary import (
    ACKNOWLEDGED,
    ALERT,
    CAUSE,
    CHANGE,
    DETECTED,
    DID,
    ENTRY_KINDS,
    ESCALATED,
    IMPACT,
    INVESTIGATING,
    LEAD,
    LESSON,
    MITIGATED,
    NOTE,
    PRIVATE,
    REOPENED,
    RESOLVED,
    ROLE,
    RULED_OUT,
    SEVERITY,
    STARTED,
    TITLE,
    UPDATE,
)
from storage.values import EntryGraph, Incident, TimelineEntry

LIGHT: Final = {
    "paper": "#ffffff",
    "ink": "#1d2530",
    "soft": "#56616f",
    "line": "#dbe0e7",
    "milestone": "#0b5cad",
    "mark": "#3c4654",
    "signs": "#f8e5b8",
    "undetected": "#b34700",
    "unrecorded": "#c3cad3",
    "investigating": "#f0b030",
    "mitigating": "#0072b2",
    "monitoring": "#a6dcca",
    "closed": "#f1f3f6",
    "on-signs": "#1d2530",
    "on-undetected": "#ffffff",
    "on-unrecorded": "#1d2530",
    "on-investigating": "#1d2530",
    "on-mitigating": "#ffffff",
    "on-monitoring": "#1d2530",
    "on-closed": "#1d2530",
}
DARK: Final = LIGHT | {
    "paper": "#14181e",
    "ink": "#e4e8ee",
    "soft": "#a3aebb",
    "line": "#363f4b",
    "milestone": "#7fb8f5",
    "mark": "#c3ccd6",
    "undetected": "#c04d00",
    "unrecorded": "#8d97a4",
    "mitigating": "#1176b6",
    "closed": "#262d37",
    "on-closed": "#e4e8ee",
}
TINT: Final = 0.13
"""The opacity of a phase's colour behind its entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An SVG path, and whether it is filled."""

    path: str
    filled: bool = True


_RING = "M5 0A5 5 0 1 1 -5 0A5 5 0 1 1 5 0Z"
SHAPES: Final = {
    STARTED: Shape(path="M-4.5 -5.5L6 0L-4.5 5.5Z"),
    DETECTED: Shape(path=f"{_RING}M2 0A2 2 0 1 1 -2 0A2 2 0 1 1 2 0Z", filled=False),
    ACKNOWLEDGED: Shape(path="M0 -5L5 0L0 5L-5 0Z", filled=False),
    ESCALATED: Shape(path="M0 -5.5L6 4.5H-6Z"),
    INVESTIGATING: Shape(path="M2.5 -1A3.5 3.5 0 1 1 -4.5 -1A3.5 3.5 0 1 1 2.5 -1ZM1.7 1.7L5 5", filled=False),
    RULED_OUT: Shape(path="M-4 -4L4 4M4 -4L-4 4", filled=False),
    DID: Shape(path="M4.5 0A4.5 4.5 0 1 1 -4.5 0A4.5 4.5 0 1 1 4.5 0Z"),
    IMPACT: Shape(path="M-1.5 -6H1.5V1.5H-1.5ZM-1.5 3.2H1.5V6H-1.5Z"),
    CAUSE: Shape(path="M0 -5.5L5.5 0L0 5.5L-5.5 0Z"),
    MITIGATED: Shape(path=f"{_RING}M0 -4.5V4.5M1.8 -3.5V3.5M3.4 -2V2", filled=False),
    RESOLVED: Shape(path="M-5 0.5L-1.5 4L5 -4", filled=False),
    REOPENED: Shape(path="M4.3 2.5A5 5 0 1 1 3.5 -3.6M4.6 -5.8V-2.6H1.4", filled=False),
    NOTE: Shape(path="M-5 -3H5M-5 0H5M-5 3H2", filled=False),
    SEVERITY: Shape(path="M-3.5 3V1M0 3V-1M3.5 3V-3.5", filled=False),
    LEAD: Shape(path="M0 -4A1.7 1.7 0 1 1 0 -0.6A1.7 1.7 0 1 1 0 -4ZM-3.5 3.5C-3 0.5 3 0.5 3.5 3.5Z"),
    ROLE: Shape(path="M0 -4.5A1.8 1.8 0 1 1 0 -0.9A1.8 1.8 0 1 1 0 -4.5ZM-4 4C-3.5 0.8 3.5 0.8 4 4Z", filled=False),
    TITLE: Shape(path="M-3 -3H3M0 -3V3.5", filled=False),
    UPDATE: Shape(path="M-4 -4L0 0L-4 4M1 -4L5 0L1 4", filled=False),
    ALERT: Shape(path="M-5 -4L5 -4L0 5Z"),
    CHANGE: Shape(path="M-4 -4L4 -4L4 4L-4 4Z", filled=False),
    PRIVATE: Shape(path="M-3 -0.5H3V3.5H-3ZM-1.8 -0.5V-2.2A1.8 1.8 0 0 1 1.8 -2.2V-0.5", filled=False),
    LESSON: Shape(path="M0 -6L1.6 -1.9L6 -1.9L2.5 0.8L3.7 5L0 2.5L-3.7 5L-2.5 0.8L-6 -1.9L-1.6 -1.9Z"),
}

LEAST_AROUND: Final = timedelta(minutes=10)
AROUND: Final = (30, 10, 3, 1)
"""How much before and after a resolved incident is drawn, in multiples of its own length; the most first."""

WIDTH: Final = 900
EDGE: Final = 20.0
PLOT: Final = (128.0, 880.0)
INDENT: Final = 12.0
"""Pixels between the plot's edges and its first and last instant: half a mark and some space."""
TITLE_SIZE: Final = 16.0
TITLE_ROOM: Final = 860.0
"""The pixels that the title shares with the outcome, TITLE_GAP apart."""
TITLE_GAP: Final = 24.0
HEAD, LEGEND, BAR = 66.0, 24.0, 30.0
CLOCKS, DAYS, LANE_GAP, ROW, FOOT = 24.0, 16.0, 9.0, 20.0, 14.0
NOT_DRAWN: Final = 22.0
EMPTY: Final = 92.0
SHARE: Final = 0.4
"""The least share of the axis for the incident itself, if entries around it can be left out."""
_TOOLTIP_LENGTH: Final = 300
"""The most characters of an entry's text in its tooltip."""
_TOOLTIP_ENTRIES: Final = 8
"""The most entries of a cluster in its tooltip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The entries that are drawn, and those too far before and after, in order."""

    entries: tuple[TimelineEntry, ...]
    earlier: tuple[TimelineEntry, ...]
    later: tuple[TimelineEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A lane from pixel `top` to `bottom`, with its marks and clusters."""

    name: str
    top: float
    bottom: float
    marks: tuple[Mark, ...]
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What the template draws, with the height and all positions in pixels."""

    height: float
    bar_top: float
    lanes_top: float
    lanes_bottom: float
    bottom: float
    panels: tuple[plots.Panel, ...]
    bar: PhaseBar
    folds: tuple[Fold, ...]
    axis: Axis
    strips: tuple[Strip, ...]
    window: Window
    start: datetime
    end: datetime
    entries: int


def draw_timeline(
    incident: Incident,
    entries: Sequence[TimelineEntry],
    lifecycle: Lifecycle,
    *,
    zone: ZoneInfo,
    graphs: Sequence[EntryGraph] = (),
) -> str:
    """The timeline of `incident` as an SVG of 900 px width, with times in `zone`. Retracted entries are left out.

    The graphs are below it, on the same axis.
    """
    listed = shown(entries)
    drawn = arrange(listed, lifecycle, zone=zone, graphs=graphs) if listed else None
    ending = outcome(incident, lifecycle)
    ending_length = text_width.width(ending, TITLE_SIZE, bold=True)
    title = text_width.cut(
        text_width.simple(text_width.one_line(incident.title, _TOOLTIP_LENGTH)),
        TITLE_ROOM - TITLE_GAP - ending_length,
        TITLE_SIZE,
        bold=True,
    )
    return rendering.svg(
        "timeline",
        incident=incident,
        lifecycle=lifecycle,
        outcome=ending,
        outcome_length=round(ending_length, 1),
        title=title,
        title_length=round(text_width.width(title, TITLE_SIZE, bold=True), 1),
        width=WIDTH,
        height=drawn.height if drawn else EMPTY,
        drawn=drawn,
        plot=PLOT,
        sizes={"bar": BAR, "row": ROW, "days": DAYS, "clocks": CLOCKS},
        colours=LIGHT,
        dark=dark_style(),
        tint=TINT,
        shapes=SHAPES,
        milestones=MILESTONES.kinds,
        zone_length=round(text_width.width(drawn.axis.zone, ticks.SIZE), 1) if drawn else 0,
        tooltip=partial(tooltip, zone=zone),
        tooltips=partial(tooltips, zone=zone),
    )


def shown(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """The entries that a picture has, in order."""
    split = phases(entries)
    parts = (("lead_up", split.lead_up), ("during", split.during), ("aftermath", split.aftermath))
    return [entry for key, part in parts for entry in part if on_timeline(entry, key)]


def outcome(incident: Incident, life: Lifecycle) -> str:
    """How it ended, and how long it took: `Resolved in 27 min`, `Resolved · 50 min of trouble in 2 rounds`."""
    if incident.closed_as:
        return incident.state.capitalize()
    if life.status != RESOLVED:
        return "Mitigated, not yet resolved" if life.status == MITIGATED else "Open"
    trouble_s = life.time_in_rounds_s
    if trouble_s is not None and trouble_s != life.time_to_resolve_s:
        rounds = f" in {len(life.rounds)} rounds" if life.reopened else ""
        return f"Resolved · {time_format.duration(trouble_s)} of trouble{rounds}"
    took_s = life.time_to_resolve_s
    return "Resolved" if took_s is None else f"Resolved in {time_format.duration(took_s)}"


def arrange(
    listed: Sequence[TimelineEntry], lifecycle: Lifecycle, *, zone: ZoneInfo, graphs: Sequence[EntryGraph] = ()
) -> Drawn:
    """Lay out the entries `listed`, at least one, in order, with times in `zone`, and the graphs below them."""
    phase_spans = spans(listed, lifecycle)
    bounds = [edge for span in phase_spans for edge in (span.start, span.end)]
    for window in windows(listed, lifecycle):
        instants = [entry.occurred_at for entry in window.entries] + bounds
        measure = scale(instants, PLOT[0] + INDENT, PLOT[1] - INDENT)
        if not bounds or measure.x(max(bounds)) - measure.x(min(bounds)) >= SHARE * (PLOT[1] - PLOT[0]):
            break
    if graphs:
        measure = scale([*instants, *plots.around(graphs, instants)], PLOT[0] + INDENT, PLOT[1] - INDENT)
    times = axis(measure, zone, *PLOT, name=time_format.short_day)
    blocks = bar(phase_spans, measure, EDGE, WIDTH - EDGE)
    bar_top = HEAD + (LEGEND if blocks.legend else 0)
    lanes_top = bar_top + BAR + CLOCKS + (DAYS if times.days else 0)
    room = Room(
        left=PLOT[0],
        right=PLOT[1],
        place=lambda entry: measure.x(entry.occurred_at),
        clock=partial(_clock, zone=zone, pace=measure.pace),
    )
    strips = _strips(lay_out(in_lanes(window.entries), room), lanes_top)
    lanes_bottom = strips[-1].bottom if strips else lanes_top
    panels = tuple(plots.panels(graphs, measure, PLOT, lanes_bottom)) if graphs else ()
    bottom = panels[-1].bottom if panels else lanes_bottom
    return Drawn(
        height=bottom + FOOT + (NOT_DRAWN if window.earlier or window.later else 0),
        bar_top=bar_top,
        lanes_top=lanes_top,
        lanes_bottom=lanes_bottom,
        bottom=bottom,
        panels=panels,
        bar=blocks,
        folds=measure.folds,
        axis=times,
        strips=strips,
        window=window,
        start=min(instants).astimezone(zone),
        end=max(instants).astimezone(zone),
        entries=len(listed),
    )


def _clock(entry: TimelineEntry, *, zone: ZoneInfo, pace: float) -> str:
    """When it happened, as its label says: `14:02`, `about 14:02`, `14:02\u201314:10`."""
    text = ("about " if entry.approximate else "") + ticks.time_of_day(entry.occurred_at.astimezone(zone), pace)
    return f"{text}\u2013{ticks.time_of_day(entry.until_at.astimezone(zone), pace)}" if entry.until_at else text


def windows(entries: Sequence[TimelineEntry], life: Lifecycle) -> Iterator[Window]:
    """The windows from the widest, which has all `entries`, to the narrowest. An open incident has only the widest."""
    yield Window(entries=tuple(entries), earlier=(), later=())
    if life.started_at and life.resolved_at and life.started_at <= life.resolved_at:
        lasted = max(life.resolved_at - life.started_at, LEAST_AROUND)
        for times in AROUND:
            first, last = life.started_at - times * lasted, life.resolved_at + times * lasted
            yield Window(
                entries=tuple(entry for entry in entries if first <= entry.occurred_at <= last),
                earlier=tuple(entry for entry in entries if entry.occurred_at < first),
                later=tuple(entry for entry in entries if entry.occurred_at > last),
            )


def _strips(laid: Sequence[Rows], top: float) -> tuple[Strip, ...]:
    strips = []
    for rows in laid:
        bottom = top + rows.count * ROW + LANE_GAP
        strips.append(Strip(name=rows.lane.name, top=top, bottom=bottom, marks=rows.marks, clusters=rows.clusters))
        top = bottom
    return tuple(strips)


def tooltip(entry: TimelineEntry, zone: ZoneInfo) -> str:
    """An entry on one line: time, kind, and the beginning of its text."""
    there = entry.occurred_at.astimezone(zone)
    words = text_width.one_line(without_labels(entry.kind, entry.text)[1], _TOOLTIP_LENGTH)
    kind = headline(entry) or ENTRY_KINDS[entry.kind].label
    at = f"{'about ' if entry.approximate else ''}{time_format.span(there, entry.until_at)}"
    return f"{time_format.short_day(there)}, {at} · {kind}" + (f": {words}" if words else "")


def tooltips(entries: Sequence[TimelineEntry], zone: ZoneInfo) -> str:
    """Several entries on a line each; of many, the first ones and the number of others."""
    more = len(entries) - _TOOLTIP_ENTRIES
    lines = [tooltip(entry, zone) for entry in entries[:_TOOLTIP_ENTRIES]]
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)


def palette() -> str:
    """The picture's colours for a style sheet around it: `--p-investigating`, and so on by role."""
    light, dark = ("".join(f"--p-{role}:{colour};" for role, colour in each.items()) for each in (LIGHT, DARK))
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def dark_style() -> str:
    """The style sheet for readers who prefer a dark colour scheme: one rule for each colour, by class."""
    rules = "".join(
        f".scribe-picture .{role}{{fill:{colour}}}.scribe-picture .{role}-stroke{{stroke:{colour}}}"
        for role, colour in DARK.items()
    )
    return f"@media (prefers-color-scheme:dark){{{rules}}}"
