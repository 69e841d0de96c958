"""Draws the timeline from top to bottom, for phones: the same entries, phases and folds as the wide picture.

Each entry has its mark on a row of its own with its label to the right, joined by a line to its time on the bar of the
phases. In a long timeline neighbouring entries share a row, which says how many they are and from when to when.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from bot.documents import rendering
from bot.documents.picture import timeline
from bot.documents.picture.axis import Fold, Scale, scale
from bot.documents.picture.labels import COUNT_SIZE, MILESTONES, headline, words
from bot.documents.picture.phases import PhaseKind, Span, spans, totals
from bot.documents.picture.text_width import cut, one_line, simple, width, wrapped
from bot.domain.incident.lifecycle import Lifecycle
from bot.domain.time import format as time_format
from bot.vocabulary import ENTRY_KINDS
from storage.values import Incident, TimelineEntry

WIDTH: Final = 390
EDGE: Final = 16.0
TITLE_SIZE, SIZE = 17.0, 13.0
TITLE_LINES: Final = 3
TITLE_LONGEST: Final = 300
LINE: Final = 17.0
KEY: Final = 20.0
ROOM: Final = WIDTH - 2 * EDGE
LABEL: Final = 88.0
"""Where the labels begin."""
WORD_LINES: Final = 2
BETWEEN: Final = 9.0
"""Pixels between two labels."""
LEAST_HEIGHT: Final = 220.0
FOLD: Final = 30.0
MOST_ROWS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A text in the line `line` (from 0) of a label, `length` pixels long from `x` on; `style` as in labels.py."""

    style: str
    text: str
    x: float
    line: int
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TallRow:
    """A row of the picture: its entries (none for a silence), where their time is on the bar, and the label.

    `top` is the label's upper edge and `height` its height, with the space below it. `outside` are entries too far
    before or after to be drawn, which the row only counts.
    """

    entries: tuple[TimelineEntry, ...]
    at: float
    parts: tuple[Part, ...]
    lines: int
    top: float = 0.0
    outside: tuple[TimelineEntry, ...] = ()

    @property
    def height(self) -> float:
        """The pixels that it takes."""
        return self.lines * LINE + BETWEEN


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseBlock:
    """A phase on the bar, from `top` on."""

    phase: PhaseKind
    top: float
    height: float


def draw_tall(incident: Incident, entries: Sequence[TimelineEntry], lifecycle: Lifecycle, *, zone: ZoneInfo) -> str:
    """The timeline of `incident` as an SVG of 390 px width, with times in `zone`. Retracted entries are left out."""
    listed = timeline.shown(entries)
    title = wrapped(simple(one_line(incident.title, TITLE_LONGEST)), ROOM, TITLE_SIZE, TITLE_LINES, bold=True)
    phase_spans = spans(listed, lifecycle) if listed else ()
    keys = totals(phase_spans)
    top = 24 + len(title) * 22 + 2 * LINE + len(keys) * KEY + 16
    window, folds, steps, pieces = _arranged(listed, lifecycle, phase_spans, zone, top) if listed else _NOTHING
    return rendering.svg(
        "tall",
        incident=incident,
        title=[(line, round(width(line, TITLE_SIZE, bold=True), 1)) for line in title],
        outcome=cut(timeline.outcome(incident, lifecycle), ROOM, SIZE, bold=True),
        days=_days(window, zone) if window else "Nothing is on the timeline yet.",
        keys=[(phase, lasted, round(width(phase.label, SIZE, bold=True), 1)) for phase, lasted in keys],
        top=top,
        height=math.ceil((steps[-1].top + steps[-1].height if steps else top) + EDGE),
        width=WIDTH,
        label=LABEL,
        steps=steps,
        pieces=pieces,
        folds=folds,
        window=window,
        count_size=COUNT_SIZE,
        length=width,
        colours=timeline.LIGHT,
        dark=timeline.dark_style(),
        shapes=timeline.SHAPES,
        milestones=MILESTONES.kinds,
        tooltip=partial(timeline.tooltip, zone=zone),
        tooltips=partial(timeline.tooltips, zone=zone),
    )


Arranged = tuple[timeline.Window | None, tuple[Fold, ...], tuple[TallRow, ...], tuple[PhaseBlock, ...]]
_NOTHING: Final[Arranged] = (None, (), (), ())


def _arranged(
    listed: Sequence[TimelineEntry], life: Lifecycle, phase_spans: Sequence[Span], zone: ZoneInfo, top: float
) -> Arranged:
    """The window, the folds, the rows and the pieces of the bar, below the pixel `top`."""
    bounds = [edge for span in phase_spans for edge in (span.start, span.end)]
    for window in timeline.windows(listed, life):
        rows = [_step(group, zone, several=_several_days(window, zone)) for group in _grouped(window.entries)]
        height = max(LEAST_HEIGHT, sum(row.height for row in rows))
        earlier, later = _not_drawn(window.earlier, "earlier"), _not_drawn(window.later, "later")
        measure = scale([*(entry.occurred_at for entry in window.entries), *bounds], top, top + height, fold=FOLD)
        share = measure.x(max(bounds)) - measure.x(min(bounds)) if bounds else height
        if share >= timeline.SHARE * height:
            break
    placed = [replace(row, at=measure.x(row.entries[0].occurred_at)) for row in rows]
    silences = [_silence(fold) for fold in measure.folds]
    between = sorted([*placed, *silences], key=lambda step: step.at)
    last = replace(later, at=top + height) if later else None
    steps = spread([step for step in (earlier, *between, last) if step], top)
    return window, measure.folds, tuple(steps), tuple(_pieces(phase_spans, measure))


def _pieces(phase_spans: Sequence[Span], measure: Scale) -> Iterator[PhaseBlock]:
    for span in phase_spans:
        start, end = measure.x(span.start), measure.x(span.end)
        yield PhaseBlock(phase=span.phase, top=start, height=round(end - start, 1))


def spread(steps: Sequence[TallRow], top: float) -> list[TallRow]:
    """The rows in their order below `top`, none over another, each as near to its time as its neighbours allow.

    Rows that would overlap become a block around the mean of the places they want (pool adjacent violators).
    """
    blocks: list[
        tuple[float, float, list[TallRow]]
    ] = []  # the sum of the tops wanted by its first row, its height, rows
    for step in steps:
        wanted, height, rows = max(top, step.at - LINE / 2), step.height, [step]
        while blocks and blocks[-1][0] / len(blocks[-1][2]) + blocks[-1][1] > wanted / len(rows):
            before_wanted, before_height, before = blocks.pop()
            wanted = before_wanted + wanted - before_height * len(rows)
            height, rows = before_height + height, [*before, *rows]
        blocks.append((wanted, height, rows))
    spread_out, free = list[TallRow](), top
    for wanted, _, rows in blocks:
        free = max(free, wanted / len(rows))
        for row in rows:
            spread_out.append(replace(row, top=round(free, 1)))
            free += row.height
    return spread_out


def _grouped(entries: Sequence[TimelineEntry]) -> Iterator[tuple[TimelineEntry, ...]]:
    """The entries by row: each on its own, or of a long timeline the milestones, if these are few, and groups."""
    if len(entries) <= MOST_ROWS:
        yield from ((entry,) for entry in entries)
        return
    few = sum(entry.kind in MILESTONES.kinds for entry in entries) <= MOST_ROWS / 2
    alone = {entry.number for entry in entries if few and entry.kind in MILESTONES.kinds}
    size = math.ceil((len(entries) - len(alone)) / (MOST_ROWS - len(alone)))
    for single, run in groupby(entries, lambda entry: entry.number in alone):
        rest = list(run)
        step = 1 if single else size
        yield from (tuple(rest[start : start + step]) for start in range(0, len(rest), step))


def _step(group: tuple[TimelineEntry, ...], zone: ZoneInfo, *, several: bool) -> TallRow:
    first, last = group[0], group[-1]
    there = first.occurred_at.astimezone(zone)
    day = f"{time_format.short_day(there)}, " if several else ""
    about = "about " if len(group) == 1 and first.approximate else ""
    until_at = first.until_at if len(group) == 1 else last.occurred_at
    time = f"{day}{about}{time_format.span(there, until_at)}"
    if len(group) == 1:
        name, text = headline(first) or ENTRY_KINDS[first.kind].label, words(first)
    else:
        kinds = Counter(ENTRY_KINDS[entry.kind].label for entry in group)
        name, text = f"{len(group)} entries", ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return _labelled(group, time, name, text)


def _silence(fold: Fold) -> TallRow:
    return replace(_labelled((), f"{fold.lasted}, no entries", "", ""), at=round(fold.x + fold.width / 2, 1))


def _not_drawn(outside: tuple[TimelineEntry, ...], side: str) -> TallRow | None:
    row = _labelled((), f"{len(outside)} {side}, not drawn", "", "")
    return replace(row, outside=outside) if outside else None


def _labelled(group: tuple[TimelineEntry, ...], time: str, name: str, text: str) -> TallRow:
    """The label: time and kind in one line where there is room, the words below."""
    room = WIDTH - EDGE - LABEL
    length = width(time, SIZE)
    parts = [Part(style="clock", text=time, x=LABEL, line=0, length=round(length, 1))]
    line, x = 0, LABEL + length + 6
    if name:
        name = cut(name, room, SIZE, bold=True)
        size = width(name, SIZE, bold=True)
        if x + size > WIDTH - EDGE:
            line, x = 1, LABEL
        parts.append(Part(style="strong", text=name, x=round(x, 1), line=line, length=round(size, 1)))
    for each in wrapped(text, room, SIZE, WORD_LINES):
        line += 1
        parts.append(Part(style="plain", text=each, x=LABEL, line=line, length=round(width(each, SIZE), 1)))
    return TallRow(entries=group, at=0.0, parts=tuple(parts), lines=line + 1)


def _local_days(window: timeline.Window, zone: ZoneInfo) -> list[datetime]:
    return [window.entries[place].occurred_at.astimezone(zone) for place in (0, -1)]


def _several_days(window: timeline.Window, zone: ZoneInfo) -> bool:
    first, last = _local_days(window, zone)
    return first.date() != last.date()


def _days(window: timeline.Window, zone: ZoneInfo) -> str:
    """`Thursday 12 March 2026, CET`: the first and the last day, with the zone's name."""
    first, last = _local_days(window, zone)
    names = dict.fromkeys((time_format.zone_name(first), time_format.zone_name(last)))
    days = dict.fromkeys((time_format.day(first), time_format.day(last)))
    text = f"{' to '.join(days)}, {', then '.join(names)}"
    short = f"{time_format.short_day(first)} to {time_format.short_day(last)}, {', then '.join(names)}"
    return text if width(text, SIZE) <= ROOM else cut(short, ROOM, SIZE)
