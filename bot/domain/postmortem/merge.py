"""Two changes of one text brought together: what one side changed alone is taken; where both did, both are kept."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.domain.postmortem.conflict import is_conflict, pieces, plain, shown, sides
from bot.domain.postmortem.diff3 import Conflict, Matcher, diff3

Lines = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeOptions:
    """Whose the two changes are, in a few words each; with `join` both may add at one place, the first before."""

    labels: tuple[str, str]
    join: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The text that came of it; `conflicts` counts the places that show both versions and did not before."""

    text: str
    conflicts: int


@dataclass(frozen=True, slots=True)
class _Change:
    """The pieces from `start` up to `end` give way to `lines`."""

    start: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Merge:
    """One merge: the options, and all lines of the text both began with."""

    options: MergeOptions
    facts: Collection[str]


def merge(base: str, mine: str, other: str, options: MergeOptions) -> Merged:
    """Bring `mine` and `other`, two changes of `base`, together.

    Every line that one side wrote is in the text. A line of `base` is, unless one side took it out.
    """
    if other in {mine, base}:
        return Merged(text=mine, conflicts=0)
    if mine == base:
        return Merged(text=other, conflicts=0)
    work = _Merge(options, frozenset(base.split("\n")))
    lines, conflicts = _groups(work, pieces(base), pieces(mine), pieces(other))
    return Merged(text="\n".join(_spaced(lines)).strip("\n"), conflicts=conflicts)


def _groups(work: _Merge, base: Lines, mine: Lines, other: Lines) -> tuple[list[str], int]:
    lines: list[str] = []
    conflicts = 0
    for chunk in diff3(base, mine, other):
        if not isinstance(chunk, Conflict):
            lines += chunk
            continue
        settled = _settled(work, chunk.base, chunk.mine, chunk.other)
        if settled is None:
            conflicts += 1
            settled = [shown(plain(chunk.mine, work.facts), plain(chunk.other), by=work.options.labels)]
        lines += settled
    return lines, conflicts


def _settled(work: _Merge, base: Lines, mine: Lines, other: Lines) -> list[str] | None:
    """What stands where both changed these pieces; None where only a person can tell."""
    if plain(mine, work.facts) == plain(other) or _shows(other, mine) or _has(other, base, mine):
        return list(other)
    if _has(mine, base, other):
        return list(mine)
    together = _together(work.options, base, mine, other)
    return _finer(work, base, mine, other) if together is None else together


def _shows(other: Lines, mine: Lines) -> bool:
    """Whether `other` shows these very lines of `mine` as one of two versions already."""
    quotes = [part for part in other if is_conflict(part)]
    return len(quotes) == 1 and sides(quotes[0])[0] == plain(mine)


def _has(text: Lines, base: Lines, changed: Lines) -> bool:
    """Whether `text` has what `changed` adds to `base`, and lacks what it takes out."""
    changes = _changes(base, changed)
    added = [line for change in changes for line in change.lines if line]
    gone = {line for change in changes for line in base[change.start : change.end]} - {"", *changed}
    return _within(added, text) and gone.isdisjoint(text)


def _finer(work: _Merge, base: Lines, mine: Lines, other: Lines) -> list[str] | None:
    """Code blocks and tables merged line by line, if that goes without a conflict in the midst of one."""
    single = [_split(parts) for parts in (base, mine, other)]
    if single == [list(base), list(mine), list(other)]:
        return None
    lines, conflicts = _groups(work, *single)
    return None if conflicts else lines


def _split(parts: Lines) -> list[str]:
    return [line for part in parts for line in ([part] if is_conflict(part) else part.split("\n"))]


def _together(options: MergeOptions, base: Lines, mine: Lines, other: Lines) -> list[str] | None:
    """Both sides' changes in one text; None where they want different lines in the same place."""
    ours, theirs = _changes(base, mine), _changes(base, other)
    for i, j in _meeting(ours, theirs):
        ours[i], theirs[j] = _without_repeats(ours[i], theirs[j])
        if _clash(ours[i], theirs[j], join=options.join):
            return None
    return _applied(base, sorted([*ours, *theirs], key=lambda change: (change.start, change.end)))


def _changes(base: Lines, other: Lines) -> list[_Change]:
    found: list[_Change] = []
    at = at_other = 0
    for start, start_other, size in Matcher(base, other).get_matching_blocks():
        if start > at or start_other > at_other:
            found.append(_Change(at, start, tuple(other[at_other:start_other])))
        at, at_other = start + size, start_other + size
    return found


def _meeting(ours: list[_Change], theirs: list[_Change]) -> Iterator[tuple[int, int]]:
    """The changes of either side that overlap or touch, by their places in the lists."""
    i = j = 0
    while i < len(ours) and j < len(theirs):
        a, b = ours[i], theirs[j]
        if a.start <= b.end and b.start <= a.end:
            yield i, j
        if a.end < b.end:
            i += 1
        else:
            j += 1


def _without_repeats(a: _Change, b: _Change) -> tuple[_Change, _Change]:
    """The two changes, less the lines of the one that are all in the other."""
    if _within(a.lines, b.lines):
        return replace(a, lines=()), b
    return (a, replace(b, lines=())) if _within(b.lines, a.lines) else (a, b)


def _within(few: Lines, many: Lines) -> bool:
    """Whether all of `few` stand in `many`, in the same order."""
    rest = iter(many)
    return all(line in rest for line in few)


def _clash(a: _Change, b: _Change, *, join: bool) -> bool:
    if not (a.lines and b.lines):
        return False
    overlap = a.start < b.end and b.start < a.end
    same_place = a.start == a.end == b.start == b.end
    return overlap or (same_place and not join)


def _applied(base: Lines, changes: list[_Change]) -> list[str]:
    lines: list[str] = []
    at, before = 0, None
    for change in changes:
        lines += base[at : change.start]
        if before and change.lines and before.start == before.end == change.start == change.end:
            lines += _between(lines[-1], change.lines[0])
        lines += change.lines
        at, before = max(at, change.end), change if change.lines else before
    return [*lines, *base[at:]]


def _between(line: str, following: str) -> list[str]:
    """A blank line, where two that were added at one place would become one paragraph."""
    items = line.lstrip()[:2] == following.lstrip()[:2] == "- "
    return [""] if line and following and not items else []


def _spaced(lines: Lines) -> Iterator[str]:
    """The lines with a blank one around each place that shows two versions."""
    before = ""
    for line in lines:
        if before and line and (is_conflict(before) or is_conflict(line)):
            yield ""
        yield line
        before = line
