"""Three-way comparison of two changes of one text: the merged lines, and the places where the changes conflict.

The algorithm is diff3 as formalised by S. Khanna, K. Kunal and B. C. Pierce, "A Formal Investigation of Diff3", FSTTCS
2007, LNCS 4855, pages 485 to 496. Its two-way comparison is `Matcher`, whose time grows little more than linearly with
the text: it anchors on lines that both texts have exactly once, as patience diff does, and compares only small gaps
between them with difflib.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

Block = tuple[int, int, int]
"""A run of equal lines: its index in the first text and in the second, and its number of lines."""

_EXACT_GAP = 128
"""Gaps of up to so many lines are compared with difflib, whose worst case is quadratic."""


class Matcher:
    """The equal lines of two texts, as blocks like those of `difflib.SequenceMatcher`."""

    def __init__(self, a: Sequence[str], b: Sequence[str]) -> None:
        self._a, self._b = a, b

    def get_matching_blocks(self) -> list[Block]:
        """The runs of equal lines, in order, and an empty run at the end of both texts."""
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
        """The equal lines of a gap: those at both its ends, and in a small gap also those within."""
        before = _shared(self._a, self._b, range(a, end_a), range(b, end_b))
        yield a, b, before
        a, b = a + before, b + before
        after = _shared(self._a, self._b, range(end_a - 1, a - 1, -1), range(end_b - 1, b - 1, -1))
        end_a, end_b = end_a - after, end_b - after
        if a < end_a and b < end_b and max(end_a - a, end_b - b) <= _EXACT_GAP:
            close = SequenceMatcher(_is_blank, self._a[a:end_a], self._b[b:end_b], autojunk=False)
            yield from ((a + each.a, b + each.b, each.size) for each in close.get_matching_blocks())
        yield end_a, end_b, after


def _is_blank(line: str) -> bool:
    """Blank lines match only beside lines that say something: they are alike wherever they stand."""
    return not line


def _shared(a: Sequence[str], b: Sequence[str], in_a: range, in_b: range) -> int:
    """How many lines are equal from the start of both ranges on."""
    count = 0
    for one, other in zip(in_a, in_b, strict=False):
        if a[one] != b[other]:
            break
        count += 1
    return count


def _grow(blocks: list[Block], block: Block) -> None:
    """Append a run, or extend the last one if the run continues it."""
    a, b, size = block
    if not size:
        return
    if blocks and (blocks[-1][0] + blocks[-1][2], blocks[-1][1] + blocks[-1][2]) == (a, b):
        a, b, size = blocks[-1][0], blocks[-1][1], blocks[-1][2] + size
        blocks.pop()
    blocks.append((a, b, size))


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """The lines that each text has exactly once, as many of them as are in the same order in both."""
    single = Counter(b)
    where = {line: index for index, line in enumerate(b) if single[line] == 1 and line}
    times = Counter(a)
    pairs = [(index, where[line]) for index, line in enumerate(a) if line in where and times[line] == 1]
    return _longest_rising(pairs)


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence of pairs whose second number rises, given that the first does (patience sorting)."""
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


Lines = Sequence[str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """The lines of one place in the three texts, where `mine` and `other` changed `base` differently."""

    base: list[str]
    mine: list[str]
    other: list[str]


def diff3(base: Lines, mine: Lines, other: Lines) -> Iterator[list[str] | Conflict]:
    """Compare two changes of `base`, and give the merged text in chunks, from its first line to its last.

    A chunk is the list of merged lines, empty where lines were only removed, or a `Conflict`.
    Between two conflicts is at least one line that all three texts have. Which change is `mine` and which is
    `other` does not matter: exchanged, they give the same chunks with the sides of each conflict exchanged.

    `diff3("abcd", "aXcd", "aYcZ")` gives `["a"]`, `Conflict(["b"], ["X"], ["Y"])`, `["c"]`, `["Z"]`.
    """
    base, mine, other = list(base), list(mine), list(other)
    in_mine, in_other = _matches(base, mine), _matches(base, other)
    stable = [(at, in_mine[at], in_other[at]) for at in sorted(in_mine.keys() & in_other.keys())]
    run = start = start_mine = start_other = 0
    for at, at_mine, at_other in [*stable, (len(base), len(mine), len(other))]:
        changed = Conflict(base[start:at], mine[start_mine:at_mine], other[start_other:at_other])
        if changed.base or changed.mine or changed.other:
            if run < start:
                yield base[run:start]
            yield _merge_chunk(changed)
            run = at
        start, start_mine, start_other = at + 1, at_mine + 1, at_other + 1
    if run < len(base):
        yield base[run:]


def _matches(base: Lines, text: Lines) -> dict[int, int]:
    """The lines of `base` that `text` has too, as indexes in `text` by indexes in `base`."""
    blocks = Matcher(base, text).get_matching_blocks()
    return {in_base + n: in_text + n for in_base, in_text, size in blocks for n in range(size)}


def _merge_chunk(changed: Conflict) -> list[str] | Conflict:
    """The lines of the one side that changed them, or of both if they agree; otherwise the conflict."""
    if changed.mine == changed.base:
        return changed.other
    return changed.mine if changed.other in (changed.base, changed.mine) else changed
