"""Entries in rows: each mark at its very time, its label beside it, and no two of them on top of each other.

As many rows as it takes while that stays readable, with labels as long as there is room for. Of a timeline too long
for that each lane gets a few rows of labels, and the rest stand in one row, close ones counted together.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from bot.documents.picture.text_width import cut, one_line, simple, width
from bot.vocabulary import CAUSE, DETECTED, DID, IMPACT, INVESTIGATING, KINDS, LESSON, NOTE, RULED_OUT
from storage.values import TimelineEntry

LONGEST: Final = 200
"""Signs of an entry that are looked at for its label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A part of the picture with its name and the kinds in it."""

    name: str
    kinds: tuple[str, ...]


MILESTONES: Final = Lane(name="Milestones", kinds=tuple(kind.name for kind in KINDS.values() if kind.milestone))
LANES: Final = (
    MILESTONES,
    *(
        Lane(name=KINDS[kind].label, kinds=(kind,))
        for kind in (IMPACT, INVESTIGATING, RULED_OUT, DID, CAUSE, NOTE, LESSON)
    ),
)


def headline(entry: TimelineEntry) -> str:
    """What a milestone is called, with who detected: `Detected by monitoring`; nothing in a lane of one kind."""
    if not KINDS[entry.kind].milestone:
        return ""
    by = f" by {entry.qualifier}" if entry.kind == DETECTED and entry.qualifier else ""
    return f"{KINDS[entry.kind].label}{by}"


def words(entry: TimelineEntry) -> str:
    """The beginning of the entry's words, on one line."""
    return simple(one_line(entry.text, LONGEST))


def in_lanes(entries: Iterable[TimelineEntry]) -> list[tuple[Lane, list[TimelineEntry]]]:
    """The lanes that have entries, and these in their order."""
    entries = list(entries)
    filled = [(lane, [entry for entry in entries if entry.kind in lane.kinds]) for lane in LANES]
    return [(lane, of_it) for lane, of_it in filled if of_it]


SIZE: Final = 12.0
HALF: Final = 8.0
"""Pixels from the middle of a mark to where its room ends."""
AWAY: Final = 11.0
"""Pixels from the middle of a mark to where its label begins."""
COUNT_SIZE: Final = 10.5
SPACE: Final = 5.0
"""Between the parts of a label, and after it."""
MOST_ROWS: Final = 30
LENGTHS: Final = (900.0, 420.0, 300.0, 220.0)
"""How long a label may be, in pixels: the first that needs no more than MOST_ROWS rows."""
LEAST: Final = 240.0
KEPT: Final = 0.6
"""A label is rather put on the next row than cut to less than this share of it, or than LEAST pixels."""
FEW_ROWS: Final = 3
MILESTONE_ROWS: Final = 9
BIN: Final = 28.0
"""Pixels within which what has no label is counted together."""

MOST_LABELLED: Final = 150
"""More entries than this never all find room for a label."""

Place = Callable[[TimelineEntry], float]
Clock = Callable[[TimelineEntry], str]
_Parts = list[tuple[str, str, float]]
Lanes = Sequence[tuple[Lane, list[TimelineEntry]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A part of a label: `style` is `clock`, `strong` or `plain`; `length` pixels long from `x` on."""

    style: str
    text: str
    x: float
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An entry drawn at `x` in the row `row` of its lane, the first being 0, with its label's parts."""

    entry: TimelineEntry
    x: float
    row: int
    label: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Several entries without labels, counted together from `x` on, `width` pixels wide."""

    entries: tuple[TimelineEntry, ...]
    x: float
    width: float
    row: int
    count: str
    count_length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A lane laid out."""

    lane: Lane
    count: int
    marks: tuple[Mark, ...]
    clusters: tuple[Cluster, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What there is to lay out in: the pixels of the plot, where an entry lies, and what its clock shows."""

    left: float
    right: float
    place: Place
    clock: Clock


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


def _set(parts: _Parts, x: float) -> tuple[Text, ...]:
    """The parts one after the other from `x` on."""
    placed = []
    for style, text, length in parts:
        placed.append(Text(style=style, text=text, x=round(x, 1), length=round(length, 1)))
        x += length + SPACE
    return tuple(placed)


class _Packing:
    """The rows of one lane, filled from the left: each knows where it is free from."""

    def __init__(self, room: Room, longest: float, most: int) -> None:
        self._room, self._longest, self._most = room, longest, most
        self.free: list[float] = []
        self.marks: list[Mark] = []
        self.left_over: list[TimelineEntry] = []

    def add(self, entry: TimelineEntry) -> None:
        """Put the entry into the first row with room for it, else onto a new one, else leave it over."""
        x, clock = self._room.place(entry), self._room.clock(entry)
        wanted = _length(_parts(entry, clock, self._longest))
        after = self._room.right - x - AWAY
        for row in range(min(len(self.free) + 1, self._most)):
            since = self.free[row] if row < len(self.free) else self._room.left - HALF
            before = x - AWAY - since
            if x - HALF >= since and max(after, before) >= min(KEPT * wanted, LEAST):
                to_the_right = after >= wanted or (before < wanted and after >= before)
                room = min(wanted, after if to_the_right else before)
                self._put(entry, row, x, _parts(entry, clock, room), to_the_right)
                return
        self.left_over.append(entry)

    def _put(self, entry: TimelineEntry, row: int, x: float, parts: _Parts, to_the_right: bool) -> None:  # noqa: FBT001
        length = _length(parts)
        label = _set(parts, x + AWAY if to_the_right else x - AWAY - length)
        self.free[row : row + 1] = [x + AWAY + SPACE + (length + SPACE if to_the_right else 0)]
        self.marks.append(Mark(entry=entry, x=x, row=row, label=label))


def _packed(lane: Lane, entries: Sequence[TimelineEntry], room: Room, longest: float, most: int) -> Rows:
    """The lane's entries in `most` rows of labels, and one more for those that find no room there."""
    packing = _Packing(room, longest, most)
    for entry in entries:
        packing.add(entry)
    marks, clusters, count = packing.marks, list[Cluster](), len(packing.free)
    if packing.left_over:
        singles, clusters = _counted(packing.left_over, room, row=count)
        marks, count = marks + singles, count + 1
    return Rows(lane=lane, count=count, marks=tuple(marks), clusters=tuple(clusters))


def _counted(entries: Sequence[TimelineEntry], room: Room, row: int) -> tuple[list[Mark], list[Cluster]]:
    """One row of what has no label: single marks, moved a little where they would touch, and counts."""
    bins = int((room.right - room.left) // BIN)
    size = (room.right - room.left) / bins
    singles, clusters = [], []
    for number, group in groupby(entries, lambda entry: min(int((room.place(entry) - room.left) // size), bins - 1)):
        together, x = tuple(group), room.left + number * size
        if len(together) == 1:
            at = min(max(room.place(together[0]), x + HALF), x + size - HALF)
            singles.append(Mark(entry=together[0], x=round(at, 1), row=row))
        else:
            clusters.append(_cluster(together, x + 1, size - 2, row))
    return singles, clusters


def _cluster(entries: tuple[TimelineEntry, ...], x: float, length: float, row: int) -> Cluster:
    count = f"+{len(entries)}"
    needed = min(width(count, COUNT_SIZE, bold=True), length - 2)
    return Cluster(
        entries=entries,
        x=round(x, 1),
        width=round(length, 1),
        row=row,
        count=count,
        count_length=round(needed, 1),
    )


def _all_labelled(lanes: Lanes, room: Room, longest: float) -> list[Rows] | None:
    """Every entry with its label, or None where that takes more than MOST_ROWS rows."""
    laid: list[Rows] = []
    left = MOST_ROWS
    for lane, entries in lanes:
        rows = _packed(lane, entries, room, longest, left)
        if sum(bool(mark.label) for mark in rows.marks) < len(entries):
            return None
        laid.append(rows)
        left -= rows.count
    return laid


def lay_out(lanes: Lanes, room: Room) -> list[Rows]:
    """Every entry of every lane, as a mark or counted in a cluster."""
    if sum(len(entries) for _, entries in lanes) <= MOST_LABELLED:
        for longest in LENGTHS:
            if laid := _all_labelled(lanes, room, longest):
                return laid
    return [
        _packed(lane, entries, room, *((LENGTHS[1], MILESTONE_ROWS) if lane is MILESTONES else (LENGTHS[-1], FEW_ROWS)))
        for lane, entries in lanes
    ]
