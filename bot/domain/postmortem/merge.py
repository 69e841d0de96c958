"""Merges two changes of one text. A change by one side alone is taken; where both changed a place, both are kept.

The texts are compared piece by piece (see `conflict.pieces`); where that leaves a conflict, within a table or a code
block line by line, and elsewhere block by block: what has one label belongs together. A conflict quotes only lines that
a side added or changed.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.domain.postmortem.conflict import is_conflict, pieces, plain_lines, quote_both, versions
from bot.domain.postmortem.diff3 import Conflict, Matcher, diff3

Lines = Sequence[str]

_LABEL = re.compile(
    r"#{1,6}[ \t].*|(?:[ \t]*-[ \t]+)?\*\*[^*\n]{1,60}\*\*(?:(?<!:\*\*)[^:\n]{0,60}:(?=[ ]))?", re.DOTALL
)
"""What a line is about: a heading, or the bold words at its start, with what follows them up to a colon."""
_WORD = re.compile(r"\w+")
_MOST_PAIRS = 4_000
"""The most pairs of lines that are compared with each other in one place."""


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
    if mine == base:
        return list(other), 0
    if other in (base, mine):
        return list(mine), 0
    lines: list[str] = []
    conflicts = 0
    for chunk in diff3(base, mine, other):
        if isinstance(chunk, Conflict):
            resolved, left = _resolve(context, chunk.base, chunk.mine, chunk.other)
            lines += resolved
            conflicts += left
        else:
            lines += chunk
    return lines, conflicts


def _resolve(context: _Context, base: Lines, mine: Lines, other: Lines) -> tuple[list[str], int]:
    """The lines where both sides changed these pieces, and the number of conflicts in them."""
    if plain_lines(mine, context.facts) == plain_lines(other) or _shows(other, mine) or _includes(other, base, mine):
        return list(other), 0
    if _includes(mine, base, other):
        return list(mine), 0
    combined, conflicts = _combine(context, base, mine, other)
    if not conflicts:
        return combined, 0
    for finer in (_merge_by_line, _merge_by_label):
        found = finer(context, base, mine, other)
        if found is not None:
            return found
    return combined, conflicts


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


def _merge_by_line(context: _Context, base: Lines, mine: Lines, other: Lines) -> tuple[list[str], int] | None:
    """Code blocks and tables merged line by line; None if there are none, or if that leaves a conflict within one."""
    by_line = [
        [line for part in parts for line in ([part] if is_conflict(part) else part.split("\n"))]
        for parts in (base, mine, other)
    ]
    if by_line == [list(base), list(mine), list(other)]:
        return None
    lines, conflicts = _merge(context, *by_line)
    return None if conflicts else (lines, 0)


def _merge_by_label(context: _Context, base: Lines, mine: Lines, other: Lines) -> tuple[list[str], int] | None:
    """The pieces merged block by block: lines with one label belong together, whatever else changed about them.

    None if no label occurs once on each of the three sides.
    """
    labelled = [_by_label(parts) for parts in (base, mine, other)]
    shared = [label for label in labelled[0] if label in labelled[1] and label in labelled[2]]
    lines: list[str] = []
    conflicts = 0
    done = (0, 0, 0)
    found = False
    for label in shared:
        at = (labelled[0][label], labelled[1][label], labelled[2][label])
        if any(place < start for place, start in zip(at, done, strict=True)):
            continue  # The sides have these blocks in different orders.
        found = True
        between = (base[done[0] : at[0]], mine[done[1] : at[1]], other[done[2] : at[2]])
        for merged, left in (_merge(context, *between), _merge_line(base[at[0]], mine[at[1]], other[at[2]], context)):
            lines += merged
            conflicts += left
        done = (at[0] + 1, at[1] + 1, at[2] + 1)
    if not found:
        return None
    merged, left = _merge(context, base[done[0] :], mine[done[1] :], other[done[2] :])
    return [*lines, *merged], conflicts + left


def _by_label(parts: Lines) -> dict[str, int]:
    """The indexes of the lines whose label no other line has, by label."""
    places: dict[str, list[int]] = {}
    for index, part in enumerate(parts):
        if label := _LABEL.match(part):
            places.setdefault(label[0].rstrip(), []).append(index)
    return {label: found[0] for label, found in places.items() if len(found) == 1}


def _merge_line(base: str, mine: str, other: str, context: _Context) -> tuple[list[str], int]:
    """One line that all three sides have, by its label."""
    if other in {base, mine}:
        return [mine], 0
    return ([other], 0) if mine == base else ([quote_both([mine], [other], labels=context.options.labels)], 1)


def _combine(context: _Context, base: Lines, mine: Lines, other: Lines) -> tuple[list[str], int]:
    """Both sides' changes in one text, and the number of places where they want different lines, as quotes of both."""
    ours, theirs = _changes(base, mine), _changes(base, other)
    clashes: list[tuple[list[int], list[int]]] = []
    for i, j in _touching(ours, theirs):
        # Lines that both sides add are added once.
        if _is_subsequence(ours[i].lines, theirs[j].lines):
            ours[i] = replace(ours[i], lines=())
        elif _is_subsequence(theirs[j].lines, ours[i].lines):
            theirs[j] = replace(theirs[j], lines=())
        if _clash(ours[i], theirs[j], join=context.options.join):
            if not clashes or (clashes[-1][0][-1] != i and clashes[-1][1][-1] != j):
                clashes.append(([], []))
            for index, known in zip((i, j), clashes[-1], strict=True):
                if index not in known[-1:]:
                    known.append(index)
    settled, conflicts = [], 0
    for ours_here, theirs_here in clashes:
        change, left = _settle(context, base, [ours[i] for i in ours_here], [theirs[j] for j in theirs_here])
        settled.append(change)
        conflicts += left
    in_clash = [{index for clash in clashes for index in clash[side]} for side in (0, 1)]
    free = [
        change
        for side, changes in enumerate((ours, theirs))
        for index, change in enumerate(changes)
        if index not in in_clash[side]
    ]
    return _apply(base, sorted([*free, *settled], key=lambda change: (change.start, change.end))), conflicts


def _settle(context: _Context, base: Lines, ours: Sequence[_Change], theirs: Sequence[_Change]) -> tuple[_Change, int]:
    """The one change that shows what both sides want in a place, and the number of conflicts in it.

    Only lines that a side added are quoted. Where one change of the other side replaces more than what was changed on
    this one, a line of theirs is quoted only if it takes the place of ours; the rest of them is taken.
    """
    start = min(change.start for change in (*ours, *theirs))
    end = max(change.end for change in (*ours, *theirs))
    added, new = ([line for change in changes for line in change.lines] for changes in (ours, theirs))
    if _shows(new, added):
        return _Change(start, end, tuple(new)), 0
    if len(theirs) == 1 and len(ours) * len(new) <= _MOST_PAIRS and _leaves_lines(base, ours, theirs[0]):
        lines, conflicts = _side_by_side(context, base, ours, theirs[0])
        return _Change(start, end, tuple(lines)), conflicts
    return _Change(start, end, (_quoted(context, added, new),)), 1


def _quoted(context: _Context, mine: Lines, other: Lines) -> str:
    return quote_both(
        _without_blank_ends(plain_lines(mine, context.facts)),
        _without_blank_ends(plain_lines(other)),
        labels=context.options.labels,
    )


def _without_blank_ends(lines: Lines) -> list[str]:
    return "\n".join(lines).strip("\n").split("\n")


def _leaves_lines(base: Lines, ours: Sequence[_Change], theirs: _Change) -> bool:
    """Whether `theirs` replaces lines that `ours` leave alone."""
    touched = {index for change in ours for index in range(change.start, change.end)}
    return any(base[index] and index not in touched for index in range(theirs.start, theirs.end))


def _side_by_side(context: _Context, base: Lines, ours: Sequence[_Change], theirs: _Change) -> tuple[list[str], int]:
    """The lines of `theirs`, with each of `ours` in a quote beside those it is about, or apart if there are none."""
    new: list[list[str]] = [[line] for line in theirs.lines]
    before: list[str] = []
    after: list[str] = []
    conflicts = 0
    for change in ours:
        said = [*base[change.start : change.end], *change.lines]
        pairs = [index for index, line in enumerate(theirs.lines) if line and any(_alike(line, own) for own in said)]
        if pairs and all(len(new[index]) == 1 and new[index][0] == theirs.lines[index] for index in pairs):
            conflicts += 1
            new[pairs[0]] = [_quoted(context, change.lines, [theirs.lines[index] for index in pairs])]
            for index in pairs[1:]:
                new[index] = []
        else:
            first = not any(base[theirs.start : change.start])
            _append_apart(before if first else after, plain_lines(change.lines, context.facts))
    lines = before
    _append_apart(lines, [line for part in new for line in part])
    _append_apart(lines, after)
    return lines, conflicts


def _append_apart(lines: list[str], more: Lines) -> None:
    """Append lines, below a blank one unless both are list items."""
    more = _without_blank_ends(more)
    if lines and lines[-1] and more[0] and not lines[-1].lstrip()[:2] == more[0].lstrip()[:2] == "- ":
        lines.append("")
    lines += more if more != [""] else []


def _alike(one: str, other: str) -> bool:
    """Whether two lines tell of the same: they have one label, or half of their words in common."""
    if not other:
        return False
    labels = _LABEL.match(one), _LABEL.match(other)
    if labels[0] and labels[1]:
        return labels[0][0].rstrip() == labels[1][0].rstrip()
    words = [frozenset(_WORD.findall(line.casefold())) for line in (one, other)]
    return 2 * len(words[0] & words[1]) > len(words[0] | words[1])


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
