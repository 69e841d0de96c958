"""A conflict as it stands in a section: both versions of some lines, one below the other in a Markdown quote.

The first line of the quote, HEAD, identifies it, so that a later merge finds it again.
"""

import re
from collections.abc import Collection, Iterator, Sequence

HEAD = "> **Two versions of these lines.** Keep what is right, and delete the rest of this quote."

_LABEL = re.compile(r"> \*\*\*[^\n]{1,200}\*\*\*")
_FENCE = re.compile(r" {0,12}(`{3,}|~{3,})")

Lines = Sequence[str]


def quote_both(mine: Lines, other: Lines, *, labels: tuple[str, str]) -> str:
    """Both versions as one quote, each below its label."""
    return "\n".join([HEAD, *_quote(labels[0], mine), *_quote(labels[1], other)])


def _quote(label: str, lines: Lines) -> Iterator[str]:
    yield from (">", f"> ***{label}***", ">")
    yield from (f"> {line}" if line else ">" for line in lines)


def is_conflict(piece: str) -> bool:
    """Whether a piece of a text is such a quote, with both its versions."""
    return piece.startswith(HEAD) and len(_label_lines(piece.split("\n"))) > 1


def versions(piece: str) -> tuple[list[str], list[str]]:
    """The lines of the two versions in such a quote, without the quote's marks."""
    lines = piece.split("\n")
    first, second, *_ = _label_lines(lines)
    unquoted = [line[2:] for line in lines]
    return unquoted[first + 2 : second - 1], unquoted[second + 2 :]


def _label_lines(lines: Lines) -> list[int]:
    """The indexes of the labels: a label stands between two empty lines of the quote."""
    return [
        index
        for index in range(2, len(lines) - 1)
        if _LABEL.fullmatch(lines[index]) and lines[index - 1] == ">" == lines[index + 1]
    ]


def count_conflicts(text: str) -> int:
    """How many places of the text show two versions."""
    return sum(map(is_conflict, pieces(text))) if HEAD in text else 0


def pieces(text: str) -> list[str]:
    """The text in the pieces that a merge keeps whole: a code block, a table, a conflict, and any other line."""
    lines = text.split("\n") if text else []
    closings = _fence_ends(lines)
    found: list[str] = []
    at = 0
    while at < len(lines):
        end = closings.get(at) or _piece_end(lines, at)
        found.append("\n".join(lines[at:end]))
        at = end
    return found


def _fence_ends(lines: Lines) -> dict[int, int]:
    """The end of each code block by its beginning, as indexes. A fence that is never closed is an ordinary line."""
    found: dict[int, int] = {}
    fence, begin = "", 0
    for index, line in enumerate(lines):
        match = _FENCE.match(line)
        if match and not fence:
            fence, begin = match[1], index
        elif match and line.strip() == fence:
            found[begin] = index + 1
            fence = ""
    return found


def _piece_end(lines: Lines, at: int) -> int:
    """The end of the line, the table or the conflict that begins at index `at`."""
    sign = ">" if lines[at] == HEAD else "|" if lines[at].startswith("|") else None
    end = at + 1
    while sign and end < len(lines) and lines[end].startswith(sign) and lines[end] != HEAD:
        end += 1
    return end


def plain_lines(parts: Lines, facts: Collection[str] = ()) -> list[str]:
    """The lines of some pieces. A conflict whose second version has only lines of `facts` is its first version."""
    lines: list[str] = []
    for part in parts:
        first, second = versions(part) if is_conflict(part) else ([], [])
        outdated = bool(first or second) and all(line in facts for line in second)
        lines += first if outdated else part.split("\n")
    return lines
