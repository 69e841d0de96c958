"""Three-way comparison of two changes of one text: the lines that are decided, and the places where they conflict.

The algorithm is diff3 as formalised by S. Khanna, K. Kunal and B. C. Pierce, "A Formal Investigation of Diff3", FSTTCS
2007, LNCS 4855, pages 485 to 496. `Matcher` takes the place of the two-way comparison it is built on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.postmortem.matching import Matcher

Lines = Sequence[str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """The lines of one place in the three texts, where `mine` and `other` both changed `base`, each differently."""

    base: list[str]
    mine: list[str]
    other: list[str]


def diff3(base: Lines, mine: Lines, other: Lines) -> Iterator[list[str] | Conflict]:
    """Compare two changes of `base`, and give the merged text in chunks, from its first line to its last.

    A chunk is the list of lines that the merge has there, empty where lines were only taken out, or a `Conflict`.
    Between two conflicts stands at least one line that all three texts have. Which change is `mine` and which is
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
            yield _decided(changed)
            run = at
        start, start_mine, start_other = at + 1, at_mine + 1, at_other + 1
    if run < len(base):
        yield base[run:]


def _matches(base: Lines, text: Lines) -> dict[int, int]:
    """The lines of `base` that `text` has too: the index in `base`, and the index in `text`."""
    blocks = Matcher(base, text).get_matching_blocks()
    return {in_base + n: in_text + n for in_base, in_text, size in blocks for n in range(size)}


def _decided(changed: Conflict) -> list[str] | Conflict:
    """The lines that one side alone changed, or both in the same way; the conflict where they differ."""
    if changed.mine == changed.base:
        return changed.other
    return changed.mine if changed.other in (changed.base, changed.mine) else changed
