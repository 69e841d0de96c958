"""Merges two changes of one text. A change by one side alone is taken; where both changed a place, both are kept.

The texts are compared piece by piece (see `conflict.pieces`), and within a table or a code block line by line if that
resolves a conflict.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.domain.postmortem.conflict import is_conflict, pieces, plain_lines, quote_both, versions
from bot.domain.postmortem.diff3 import Conflict, Matcher, diff3

Lines = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeOptions:
    """`labels` name the two sides where a conflict shows both. With `join` both may add lines at one place.

    Joined lines of the first side come before those of the second.
    """

    labels: tuple[str, str]
    join: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The merged text; `conflicts` counts the places that newly show both versions."""

    text: str
    conflicts: int


@dataclass(frozen=True, slots=True)
class _Change:
    """`lines` replace the lines of the base from `start` up to `end`."""

    start: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Context:
    """The options of one merge, and the lines of its base."""

    options: MergeOptions
    facts: Collection[str]


def merge(base: str, mine: str, other: str, options: MergeOptions) -> Merged:
    """Merge `mine` and `other`, two changes of `base`.

    The result has every line that a side added. A line of `base` is missing only if a side removed it.
    """
    if other in {mine, base}:
        return Merged(text=mine, conflicts=0)
    if mine == base:
        return Merged(text=other, conflicts=0)
    context = _Context(options, frozenset(base.split("\n")))
    lines, conflicts = _merge(context, pieces(base), pieces(mine), pieces(other))
    return Merged(text="\n".join(_with_blank_lines(lines)).strip("\n"), conflicts=conflicts)


def _merge(context: _Context, base: Lines, mine: Lines, other: Lines) -> tuple[list[str], int]:
    lines: list[str] = []
    conflicts = 0
    for chunk in diff3(base, mine, other):
        if not isinstance(chunk, Conflict):
            lines += chunk
            continue
        resolved = _resolve(context, chunk.base, chunk.mine, chunk.other)
        if resolved is None:
            conflicts += 1
            first, second = plain_lines(chunk.mine, context.facts), plain_lines(chunk.other)
            resolved = [quote_both(first, second, labels=context.options.labels)]
        lines += resolved
    return lines, conflicts


def _resolve(context: _Context, base: Lines, mine: Lines, other: Lines) -> list[str] | None:
    """The lines where both sides changed these pieces; None for a conflict that a person has to decide."""
    if plain_lines(mine, context.facts) == plain_lines(other) or _shows(other, mine) or _includes(other, base, mine):
        return list(other)
    if _includes(mine, base, other):
        return list(mine)
    combined = _combine(base, mine, other, join=context.options.join)
    return _merge_by_line(context, base, mine, other) if combined is None else combined


def _shows(other: Lines, mine: Lines) -> bool:
    """Whether a conflict in `other` has these very lines as its first version."""
    conflicts = [part for part in other if is_conflict(part)]
    return len(conflicts) == 1 and versions(conflicts[0])[0] == plain_lines(mine)


def _includes(text: Lines, base: Lines, changed: Lines) -> bool:
    """Whether `text` has what `changed` adds to `base`, and lacks what it removes."""
    changes = _changes(base, changed)
    added = [line for change in changes for line in change.lines if line]
    removed = {line for change in changes for line in base[change.start : change.end]} - {"", *changed}
    return _is_subsequence(added, text) and removed.isdisjoint(text)


def _merge_by_line(context: _Context, base: Lines, mine: Lines, other: Lines) -> list[str] | None:
    """Code blocks and tables merged line by line; None if there are none, or if that leaves a conflict within one."""
    by_line = [
        [line for part in parts for line in ([part] if is_conflict(part) else part.split("\n"))]
        for parts in (base, mine, other)
    ]
    if by_line == [list(base), list(mine), list(other)]:
        return None
    lines, conflicts = _merge(context, *by_line)
    return None if conflicts else lines


def _combine(base: Lines, mine: Lines, other: Lines, *, join: bool) -> list[str] | None:
    """Both sides' changes in one text; None where they want different lines in one place."""
    ours, theirs = _changes(base, mine), _changes(base, other)
    for i, j in _touching(ours, theirs):
        # Lines that both sides add are added once.
        if _is_subsequence(ours[i].lines, theirs[j].lines):
            ours[i] = replace(ours[i], lines=())
        elif _is_subsequence(theirs[j].lines, ours[i].lines):
            theirs[j] = replace(theirs[j], lines=())
        if _clash(ours[i], theirs[j], join=join):
            return None
    return _apply(base, sorted([*ours, *theirs], key=lambda change: (change.start, change.end)))


def _changes(base: Lines, other: Lines) -> list[_Change]:
    found: list[_Change] = []
    at = at_other = 0
    for start, start_other, size in Matcher(base, other).get_matching_blocks():
        if start > at or start_other > at_other:
            found.append(_Change(at, start, tuple(other[at_other:start_other])))
        at, at_other = start + size, start_other + size
    return found


def _touching(ours: list[_Change], theirs: list[_Change]) -> Iterator[tuple[int, int]]:
    """The changes of the two sides that overlap or touch, as pairs of indexes."""
    i = j = 0
    while i < len(ours) and j < len(theirs):
        a, b = ours[i], theirs[j]
        if a.start <= b.end and b.start <= a.end:
            yield i, j
        if a.end < b.end:
            i += 1
        else:
            j += 1


def _is_subsequence(few: Lines, many: Lines) -> bool:
    """Whether all of `few` are in `many`, in the same order."""
    rest = iter(many)
    return all(line in rest for line in few)


def _clash(a: _Change, b: _Change, *, join: bool) -> bool:
    if not (a.lines and b.lines):
        return False
    overlap = a.start < b.end and b.start < a.end
    same_place = a.start == a.end == b.start == b.end
    return overlap or (same_place and not join)


def _apply(base: Lines, changes: list[_Change]) -> list[str]:
    lines: list[str] = []
    at, before = 0, None
    for change in changes:
        lines += base[at : change.start]
        if before and change.lines and before.start == before.end == change.start == change.end:
            # A blank line keeps two additions at one place from becoming one paragraph; two list items need none.
            items = lines[-1].lstrip()[:2] == change.lines[0].lstrip()[:2] == "- "
            if lines[-1] and change.lines[0] and not items:
                lines.append("")
        lines += change.lines
        at, before = max(at, change.end), change if change.lines else before
    return [*lines, *base[at:]]


def _with_blank_lines(lines: Lines) -> Iterator[str]:
    """The lines with a blank one before and after each conflict."""
    before = ""
    for line in lines:
        if before and line and (is_conflict(before) or is_conflict(line)):
            yield ""
        yield line
        before = line
