"""Which lines two texts share: found in a time that hardly more than doubles with the text.

Lines that are unique in both texts anchor it (the idea of "patience diff"); what lies between two anchors is small, and
compared exactly. The standard library's matcher alone takes the square of the time where every second line of a long
timeline differs.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

Block = tuple[int, int, int]
"""Where a run of equal lines begins in the one text and in the other, and how many lines it has."""

_CLOSELY = 128
"""Gaps of up to so many lines are compared exactly."""


class Matcher:
    """The equal lines of two texts, in the form of `difflib.SequenceMatcher`'s blocks."""

    def __init__(self, a: Sequence[str], b: Sequence[str]) -> None:
        self._a, self._b = a, b

    def get_matching_blocks(self) -> list[Block]:
        """The runs of equal lines, in order, and an empty one at the end of both texts."""
        ends = (len(self._a), len(self._b))
        anchors = [(-1, -1), *_anchors(self._a, self._b), ends]
        blocks: list[Block] = []
        for (a, b), (next_a, next_b) in pairwise(anchors):
            if a >= 0:
                _grow(blocks, (a, b, 1))
            for block in self._between(a + 1, next_a, b + 1, next_b):
                _grow(blocks, block)
        return [*blocks, (*ends, 0)]

    def _between(self, a: int, end_a: int, b: int, end_b: int) -> Iterator[Block]:
        """The equal lines of a gap: those at its edges, and within a small one all."""
        before = _shared(self._a, self._b, range(a, end_a), range(b, end_b))
        yield a, b, before
        a, b = a + before, b + before
        after = _shared(self._a, self._b, range(end_a - 1, a - 1, -1), range(end_b - 1, b - 1, -1))
        end_a, end_b = end_a - after, end_b - after
        if a < end_a and b < end_b and max(end_a - a, end_b - b) <= _CLOSELY:
            close = SequenceMatcher(None, self._a[a:end_a], self._b[b:end_b], autojunk=False)
            yield from ((a + each.a, b + each.b, each.size) for each in close.get_matching_blocks())
        yield end_a, end_b, after


def _shared(a: Sequence[str], b: Sequence[str], in_a: range, in_b: range) -> int:
    """How many lines are equal from the start of both ranges on."""
    count = 0
    for one, other in zip(in_a, in_b, strict=False):
        if a[one] != b[other]:
            break
        count += 1
    return count


def _grow(blocks: list[Block], block: Block) -> None:
    """Add a run; one that goes on where the last ended is part of it."""
    a, b, size = block
    if not size:
        return
    if blocks and (blocks[-1][0] + blocks[-1][2], blocks[-1][1] + blocks[-1][2]) == (a, b):
        a, b, size = blocks[-1][0], blocks[-1][1], blocks[-1][2] + size
        blocks.pop()
    blocks.append((a, b, size))


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """The lines that each text has once, as many as stand in the same order in both."""
    single = Counter(b)
    where = {line: index for index, line in enumerate(b) if single[line] == 1}
    times = Counter(a)
    pairs = [(index, where[line]) for index, line in enumerate(a) if line in where and times[line] == 1]
    return _rising(pairs)


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs whose second number rises, as the first does already."""
    lowest: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for index, (_, place) in enumerate(pairs):
        length = bisect_left(lowest, place)
        lowest[length : length + 1] = [place]
        ends[length : length + 1] = [index]
        before.append(ends[length - 1] if length else None)
    found: list[tuple[int, int]] = []
    at = ends[-1] if ends else None
    while at is not None:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]
