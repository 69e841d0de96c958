"""Lays out entries in rows: each mark at its time, with its label beside it, and nothing overlaps.

Every entry has a label if MOST_ROWS rows suffice, with the longest labels that fit. In a longer timeline each lane has
a few rows of labels, and one more row for the other entries, in which close ones are shown as a count.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from bot.documents.picture.text_width import cut, one_line, simple, width
from bot.domain.incident.topics import without_labels
from bot.vocabulary import (
    ALERT,
    CAUSE,
    CHANGE,
    DETECTED,
    DID,
    ENTRY_KINDS,
    FACTS,
    IMPACT,
    INVESTIGATING,
    KINDS,
    LESSON,
    NOTE,
    RULED_OUT,
    TOLD,
)
from storage.values import TimelineEntry

LONGEST: Final = 200
"""The most characters of an entry's text in its label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A horizontal part of the picture for some kinds of entries."""

    name: str
    kinds: tuple[str, ...]


MILESTONES: Final = Lane(name="Milestones", kinds=tuple(kind.name for kind in KINDS.values() if kind.milestone))
LANES: Final = (
    MILESTONES,
    *(
        Lane(name=KINDS[kind].label, kinds=(kind,))
        for kind in (IMPACT, INVESTIGATING, RULED_OUT, DID, CAUSE, NOTE, LESSON)
    ),
    Lane(name="Changes", kinds=tuple(FACTS)),
    *(Lane(name=f"{each.label}s", kinds=(each.name,)) for each in TOLD.values()),
    Lane(name="Alerts", kinds=(ALERT,)),
    Lane(name="Deployed", kinds=(CHANGE,)),
)


def headline(entry: TimelineEntry) -> str:
    """What stands before the words: `Detected by monitoring`, `Severity`; empty where the lane says it."""
    if entry.kind in FACTS:
        return FACTS[entry.kind].label
    if not ENTRY_KINDS[entry.kind].milestone:
        return ""
    by = f" by {entry.qualifier}" if entry.kind == DETECTED and entry.qualifier else ""
    return f"{ENTRY_KINDS[entry.kind].label}{by}"


def words(entry: TimelineEntry) -> str:
    """The beginning of the entry's text, on one line."""
    return simple(one_line(without_labels(entry.kind, entry.text)[1], LONGEST))


def in_lanes(entries: Iterable[TimelineEntry]) -> list[tuple[Lane, list[TimelineEntry]]]:
    """The lanes that have entries, each with its entries in their order."""
    entries = list(entries)
    lanes = [(lane, [entry for entry in entries if entry.kind in lane.kinds]) for lane in LANES]
    return [(lane, its_entries) for lane, its_entries in lanes if its_entries]


SIZE: Final = 12.0
HALF: Final = 8.0
"""Pixels from the middle of a mark to its edge, with some space."""
AWAY: Final = 11.0
"""Pixels from the middle of a mark to its label."""
COUNT_SIZE: Final = 10.5
SPACE: Final = 5.0
"""Pixels between the parts of a label."""
APART: Final = 26.0
"""The fewest pixels from a label to the middle of the next mark in its row, so that it is not read as that mark's."""
MOST_ROWS: Final = 30
LENGTHS: Final = (900.0, 420.0, 300.0, 220.0)
"""The longest labels in pixels, to be tried in order until MOST_ROWS rows suffice."""
LEAST: Final = 240.0
LEAST_SHARE: Final = 0.6
"""A label moves to the next row if it would be cut to less than this share of its length, and than LEAST pixels."""
FEW_ROWS: Final = 3
MILESTONE_ROWS: Final = 9
BIN: Final = 28.0
"""Entries without labels are counted together within this many pixels."""

MOST_LABELLED: Final = 150
"""More entries than this never all have room for labels, so that is not tried."""

Place = Callable[[TimelineEntry], float]
Clock = Callable[[TimelineEntry], str]
_Parts = list[tuple[str, str, float]]
Lanes = Sequence[tuple[Lane, list[TimelineEntry]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A part of a label, `length` pixels long from `x` on; `style` is `clock`, `strong` or `plain`."""

    style: str
    text: str
    x: float
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An entry at `x` in row `row` of its lane (from 0), with the parts of its label.

    A label to the left of its mark is underlined from `joined_from` on, up to the mark; None for one to the right.
    """

    entry: TimelineEntry
    x: float
    row: int
    label: tuple[Text, ...] = ()
    joined_from: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Several entries without labels, shown as one count from `x` on, `width` pixels wide."""

    entries: tuple[TimelineEntry, ...]
    x: float
    width: float
    row: int
    count: str
    count_length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A lane with its marks and clusters in `count` rows."""

    lane: Lane
    count: int
    marks: tuple[Mark, ...]
    clusters: tuple[Cluster, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The pixels of the plot, the position of an entry, and the text of its clock time."""

    left: float
    right: float
    place: Place
    clock: Clock


def lay_out(lanes: Lanes, room: Room) -> list[Rows]:
    """Lay out the lanes: every entry is a mark, or counted in a cluster."""
    if sum(len(entries) for _, entries in lanes) <= MOST_LABELLED:
        for longest in LENGTHS:
            if laid := _all_labelled(lanes, room, longest):
                return laid
    return [
        _packed(lane, entries, room, *((LENGTHS[1], MILESTONE_ROWS) if lane is MILESTONES else (LENGTHS[-1], FEW_ROWS)))
        for lane, entries in lanes
    ]


def _parts(entry: TimelineEntry, clock: str, room: float) -> _Parts:
    """The label's parts, cut to `room` pixels: (style, text, length)."""
    texts = (("clock", clock), ("strong", headline(entry)), ("plain", words(entry)))
    parts: _Parts = []
    for style, text in texts:
        bold = style == "strong"
        shown = cut(text, room, SIZE, bold=bold)
        if shown:
            length = width(shown, SIZE, bold=bold)
            parts.append((style, shown, length))
            room -= length + SPACE
        if shown != text:
            break
    return parts


def _length(parts: _Parts) -> float:
    return sum(length for *_, length in parts) + SPACE * (len(parts) - 1)


def _placed(parts: _Parts, x: float) -> tuple[Text, ...]:
    """The parts one after the other from `x` on."""
    texts = []
    for style, text, length in parts:
        texts.append(Text(style=style, text=text, x=round(x, 1), length=round(length, 1)))
        x += length + SPACE
    return tuple(texts)


class _Packing:
    """Fills the rows of one lane from the left. `free` holds the pixel from which each row is free."""

    def __init__(self, room: Room, longest: float, most: int) -> None:
        self._room, self._longest, self._most = room, longest, most
        self.free: list[float] = []
        self.marks: list[Mark] = []
        self.left_over: list[TimelineEntry] = []

    def add(self, entry: TimelineEntry) -> None:
        """Place the entry in the first row with room for it or a new row, or in `left_over` after `most` rows."""
        x, clock = self._room.place(entry), self._room.clock(entry)
        wanted = _length(_parts(entry, clock, self._longest))
        after = self._room.right - x - AWAY
        for row in range(min(len(self.free) + 1, self._most)):
            since = self.free[row] if row < len(self.free) else self._room.left - HALF
            before = x - AWAY - since
            enough = min(LEAST_SHARE * wanted, LEAST)
            if x - HALF >= since and max(after, before) >= enough:
                to_the_right = after >= (enough if before < wanted else wanted)
                room = min(wanted, after if to_the_right else before)
                self._put(entry, row, x, _parts(entry, clock, room), to_the_right)
                return
        self.left_over.append(entry)

    def _put(self, entry: TimelineEntry, row: int, x: float, parts: _Parts, to_the_right: bool) -> None:  # noqa: FBT001
        length = _length(parts)
        start = x + AWAY if to_the_right else x - AWAY - length
        self.free[row : row + 1] = [APART - HALF + (start + length if to_the_right else x + HALF)]
        joined_from = None if to_the_right else round(start, 1)
        self.marks.append(Mark(entry=entry, x=x, row=row, label=_placed(parts, start), joined_from=joined_from))


def _packed(lane: Lane, entries: Sequence[TimelineEntry], room: Room, longest: float, most: int) -> Rows:
    """The lane's entries in at most `most` rows of labels, and one more row for those without room."""
    packing = _Packing(room, longest, most)
    for entry in entries:
        packing.add(entry)
    marks, clusters, count = packing.marks, list[Cluster](), len(packing.free)
    if packing.left_over:
        singles, clusters = _counted(packing.left_over, room, row=count)
        marks, count = marks + singles, count + 1
    return Rows(lane=lane, count=count, marks=tuple(marks), clusters=tuple(clusters))


def _counted(entries: Sequence[TimelineEntry], room: Room, row: int) -> tuple[list[Mark], list[Cluster]]:
    """A row of entries without labels: single marks, moved slightly if they would touch, and counts of close ones."""
    bins = int((room.right - room.left) // BIN)
    size = (room.right - room.left) / bins
    singles, clusters = [], []
    for number, group in groupby(entries, lambda entry: min(int((room.place(entry) - room.left) // size), bins - 1)):
        close, x = tuple(group), room.left + number * size
        if len(close) == 1:
            at = min(max(room.place(close[0]), x + HALF), x + size - HALF)
            singles.append(Mark(entry=close[0], x=round(at, 1), row=row))
        else:
            count, length = f"+{len(close)}", size - 2
            clusters.append(
                Cluster(
                    entries=close,
                    x=round(x + 1, 1),
                    width=round(length, 1),
                    row=row,
                    count=count,
                    count_length=round(min(width(count, COUNT_SIZE, bold=True), length - 2), 1),
                )
            )
    return singles, clusters


def _all_labelled(lanes: Lanes, room: Room, longest: float) -> list[Rows] | None:
    """Every entry with its label, or None if that takes more than MOST_ROWS rows."""
    laid: list[Rows] = []
    left = MOST_ROWS
    for lane, entries in lanes:
        rows = _packed(lane, entries, room, longest, left)
        if sum(bool(mark.label) for mark in rows.marks) < len(entries):
            return None
        laid.append(rows)
        left -= rows.count
    return laid
