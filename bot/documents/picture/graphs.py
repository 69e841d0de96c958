"""Draws graphs below the timeline, on its axis: lines over the same phases, folds and ticks, and a scale of their own.

Lines are told apart by their dashes as well as their colour. A legend names each with its lowest and highest value of
all the time that was fetched: also of what a fold hides, which the scale does not count.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.documents.picture.axis import Scale
from bot.documents.picture.text_width import cut, one_line, simple, width
from storage.values import EntryGraph, GraphSeries

HEAD, PLOT_HEIGHT, KEY_ROW, GAP = 24.0, 92.0, 18.0, 12.0
"""Pixels of a graph's title, of its plot, of a row of its legend, and below it."""
TITLE_SIZE, SIZE = 12.0, 11.0
SWATCH: Final = 30.0
"""Pixels of the piece of a line in the legend."""
MOST_LEVELS: Final = 4
"""The most lines of the scale, beside the lowest."""
LONGEST: Final = 300
"""The most characters of a query or a line's name that are measured."""
STYLES: Final = (
    ("milestone", ""),
    ("undetected", "7 3"),
    ("ink", "2 3"),
    ("milestone", "9 3 2 3"),
    ("undetected", "2 2 2 6"),
    ("ink", "12 5"),
)
"""The colour and the dashes of each line."""
SHARE: Final = 0.5
"""How much of the time before and after the entries is drawn, in lengths of the timeline; at least LEAST."""
LEAST: Final = timedelta(minutes=5)
PREFIXES: Final = {-3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T", 5: "P", 6: "E"}
"""SI prefixes by the power of a thousand."""


Place = Callable[[float], float]
"""The pixel of a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A line of the scale at the pixel `y`, with its label, `length` pixels long."""

    y: float
    label: str
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line: its SVG path, how it is drawn, and its row of the legend, at `x` and `y`."""

    path: str
    role: str
    dashes: str
    said: str
    name: str
    length: float
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One graph, from pixel `top` to `bottom`; its plot is between `plot_top` and `plot_bottom`."""

    number: int
    query: str
    title: str
    title_length: float
    top: float
    plot_top: float
    plot_bottom: float
    bottom: float
    levels: tuple[Level, ...]
    curves: tuple[Curve, ...]
    left_out: str
    left_out_length: float


def around(graphs: Sequence[EntryGraph], instants: Sequence[datetime]) -> list[datetime]:
    """Instants by which an axis for `instants` also has time before and after them, as far as the graphs have.

    So much that the timeline keeps most of the axis, and in steps that no silence is long enough to be folded.
    """
    if not graphs or not instants:
        return []
    first, last = min(instants), max(instants)
    room = max(LEAST, (last - first) * SHARE)
    begin = max(min(each.start_at for each in graphs), first - room)
    end = min(max(_ends_at(each) for each in graphs), last + room)
    found = [begin, begin + (first - begin) / 2] if begin < first else []
    return [*found, last + (end - last) / 2, end] if end > last else found


def _ends_at(graph: EntryGraph) -> datetime:
    longest = max(len(each.values) for each in graph.series)
    return graph.start_at + timedelta(seconds=graph.step_s * (longest - 1))


def panels(graphs: Sequence[EntryGraph], measure: Scale, plot: tuple[float, float], top: float) -> Iterator[Panel]:
    """The graphs one below the other from the pixel `top` on, on the axis `measure`, between the pixels of `plot`."""
    for graph in graphs:
        panel = _panel(graph, measure, plot, top)
        yield panel
        top = panel.bottom


def _panel(graph: EntryGraph, measure: Scale, plot: tuple[float, float], top: float) -> Panel:
    plot_top, plot_bottom = top + HEAD, top + HEAD + PLOT_HEIGHT
    every = [value for line in graph.series for value in line.values if value is not None]
    seen = [value for line in graph.series for _, value in _points(line, graph, measure) if value is not None]
    low, high, step = _bounds(min(seen or every), max(seen or every))

    def y(value: float) -> float:
        return round(plot_bottom - 1 - (PLOT_HEIGHT - 8) * (value - low) / (high - low), 1)

    names = _names(graph)
    column = (plot[1] - plot[0]) / 2
    curves = []
    for place, (line, name) in enumerate(zip(graph.series, names, strict=True)):
        role, dashes = STYLES[place % len(STYLES)]
        values = [value for value in line.values if value is not None]
        said = f"{name}: {si(min(values))} to {si(max(values))}" if name else f"{si(min(values))} to {si(max(values))}"
        shown = cut(said, column - SWATCH - 16, SIZE)
        curves.append(
            Curve(
                path=_path(line, graph, measure, y),
                role=role,
                dashes=dashes,
                said=said,
                name=shown,
                length=round(width(shown, SIZE), 1),
                x=round(plot[0] + column * (place % 2), 1),
                y=plot_bottom + 15 + KEY_ROW * (place // 2),
            )
        )
    rows = math.ceil(len(curves) / 2)
    left_out = f"{graph.left_out} more not drawn" if graph.left_out else ""
    query = simple(one_line(graph.query, LONGEST))
    room = plot[1] - plot[0] - (width(left_out, SIZE) + 24 if left_out else 0)
    title = cut(query, room, TITLE_SIZE, bold=True)
    return Panel(
        number=graph.entry_number,
        query=query,
        title=title,
        title_length=round(width(title, TITLE_SIZE, bold=True), 1),
        top=top,
        plot_top=plot_top,
        plot_bottom=plot_bottom,
        bottom=plot_bottom + KEY_ROW * rows + GAP,
        levels=tuple(_levels(low, high, step, y)),
        curves=tuple(curves),
        left_out=left_out,
        left_out_length=round(width(left_out, SIZE), 1),
    )


def _names(graph: EntryGraph) -> list[str]:
    """What tells each line from the others: the labels in which they differ; nothing for a line alone."""
    if len(graph.series) == 1:
        return [""]
    every = [dict(line.labels) for line in graph.series]
    differing = [name for name in sorted({name for each in every for name in each})
                 if len({each.get(name) for each in every}) > 1]  # fmt: skip
    said = [", ".join(f"{name}={each[name]}" for name in differing if name in each) for each in every]
    return [simple(one_line(each, LONGEST)) or "without labels" for each in said]


def _bounds(least: float, most: float) -> tuple[float, float, float]:
    """The lowest and the highest value of the scale, and the step between its lines: 1, 2 or 5 times a power of ten.

    It begins at zero unless the values are all far from it.
    """
    low, high = (min(0.0, least), max(0.0, most)) if least <= most / 2 or most < 0 else (least, most)
    span = high - low or abs(high) or 1.0
    magnitude = 10.0 ** math.floor(math.log10(span))
    step = next(each for each in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0) if span / (each * magnitude) <= MOST_LEVELS)
    step *= magnitude
    low = math.floor(low / step) * step
    return low, max(math.ceil(high / step) * step, low + step), step


def _levels(low: float, high: float, step: float, y: Place) -> Iterator[Level]:
    for number in range(round((high - low) / step) + 1):
        label = si(low + number * step)
        yield Level(y=y(low + number * step), label=label, length=round(width(label, SIZE), 1))


def _points(line: GraphSeries, graph: EntryGraph, measure: Scale) -> Iterator[tuple[float, float | None]]:
    """The pixel of each value on the axis, and the value: None where there is none, in folds and beyond the axis."""
    first_s, last_s = measure.knots[0][0], measure.knots[-1][0]
    for number, value in enumerate(line.values):
        at = graph.start_at + timedelta(seconds=graph.step_s * number)
        x = measure.x(at)
        hidden = any(fold.x < x < fold.x + fold.width for fold in measure.folds)
        yield x, None if hidden or not first_s <= at.timestamp() <= last_s else value


def _path(line: GraphSeries, graph: EntryGraph, measure: Scale, y: Place) -> str:
    """An SVG path through the values, broken where there is none; one alone is a dot."""
    commands, drawing = [], False
    for x, value in _points(line, graph, measure):
        if value is not None:
            commands.append(f"L{x} {y(value)}" if drawing else f"M{x} {y(value)}h0")
        drawing = value is not None
    return "".join(commands)


def si(value: float) -> str:
    """The number in three digits with an SI prefix: `1.25 k`, `340 m`, `0`."""
    if value == 0:
        return "0"
    # Rounded first: 999.9 is 1 k.
    rounded = float(f"{value:.3g}")
    power = max(min(math.floor(math.log10(abs(rounded)) / 3), max(PREFIXES)), min(PREFIXES))
    return f"{float(f'{rounded / 1000.0**power:.3g}'):g} {PREFIXES[power]}".rstrip().replace("-", "\u2212")
