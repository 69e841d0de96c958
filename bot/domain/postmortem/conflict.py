"""Two versions of the same lines: shown one below the other in a quote, and found again by its first line."""

import re
from collections.abc import Collection, Iterator, Sequence

HEAD = "> **Two versions of these lines.** Keep what is right, and delete the rest of this quote."

_LABEL = re.compile(r"> \*\*\*[^\n]{1,200}\*\*\*")
_FENCE = re.compile(r" {0,12}(`{3,}|~{3,})")

Lines = Sequence[str]


def shown(mine: Lines, other: Lines, *, by: tuple[str, str]) -> str:
    """Both versions as one quote; `by` says in a few words whose they are."""
    return "\n".join([HEAD, *_side(by[0], mine), *_side(by[1], other)])


def _side(by: str, lines: Lines) -> Iterator[str]:
    yield from (">", f"> ***{by}***", ">")
    yield from (f"> {line}" if line else ">" for line in lines)


def is_conflict(piece: str) -> bool:
    """Whether a piece of a text is such a quote, with both its sides."""
    return piece.startswith(HEAD) and len(_labels(piece.split("\n"))) > 1


def sides(piece: str) -> tuple[list[str], list[str]]:
    """The lines of the two versions in such a quote, as they were before they were quoted."""
    lines = piece.split("\n")
    first, second, *_ = _labels(lines)
    plain = [line[2:] for line in lines]
    return plain[first + 2 : second - 1], plain[second + 2 :]


def _labels(lines: Lines) -> list[int]:
    """Where the sides begin: a label between two empty lines of the quote."""
    return [
        index
        for index in range(2, len(lines) - 1)
        if _LABEL.fullmatch(lines[index]) and lines[index - 1] == ">" == lines[index + 1]
    ]


def pieces(text: str) -> list[str]:
    """The text's lines; a code block, a table and two versions of the same lines stay whole, each as one piece."""
    lines = text.split("\n") if text else []
    closings = _closings(lines)
    found: list[str] = []
    at = 0
    while at < len(lines):
        end = closings.get(at) or _quote_end(lines, at)
        found.append("\n".join(lines[at:end]))
        at = end
    return found


def _closings(lines: Lines) -> dict[int, int]:
    """The code blocks that are closed: where each ends, by where it begins. One never closed is only lines."""
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


def _quote_end(lines: Lines, at: int) -> int:
    """Where the line, the table, or the two versions end that begin there."""
    sign = ">" if lines[at] == HEAD else "|" if lines[at].startswith("|") else None
    end = at + 1
    while sign and end < len(lines) and lines[end].startswith(sign) and lines[end] != HEAD:
        end += 1
    return end


def count_conflicts(text: str) -> int:
    """How many places of the text show two versions."""
    return sum(map(is_conflict, pieces(text))) if HEAD in text else 0


def plain(parts: Lines, facts: Collection[str] = ()) -> list[str]:
    """The lines of some pieces, and of two versions the first alone, where every line of the second is in `facts`."""
    lines: list[str] = []
    for part in parts:
        first, second = sides(part) if is_conflict(part) else ([], [])
        replaceable = bool(first or second) and all(line in facts for line in second)
        lines += first if replaceable else part.split("\n")
    return lines
