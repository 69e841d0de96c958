"""The width of text in pixels, from the advance widths of Arimo, which are those of Arial and Helvetica.

`deploy/generate.py` writes `advances.json` from the font. The widths of other characters are estimated; the picture
gives the renderer the length of each text (SVG's `textLength`), so that an estimate never makes two texts overlap.
"""

import json
import unicodedata
from functools import cache
from pathlib import Path
from string import ascii_uppercase
from typing import Final

from bot.documents.escaping import visible
from bot.domain.words import without_code_marks

ELLIPSIS: Final = "…"
_ADVANCES: Final = Path(__file__).parent / "advances.json"
_WIDE, _OTHER = 1.0, 0.75
"""Ems of a wide East Asian character or an emoji, and of any other character that the font does not have."""
_INVISIBLE: Final = frozenset({"Mn", "Me", "Cf"})
_SIMPLER: Final[dict[int, str | None]] = {
    **dict.fromkeys([0x200D, 0xFE0E, 0xFE0F, 0x20E3, *range(0x1F3FB, 0x1F400)]),
    **{0x1F1E6 + place: letter for place, letter in enumerate(ascii_uppercase)},
}
"""Removes what joins several emoji into one, as some renderers measure those wrongly. A flag becomes its letters."""


@cache
def _advances(*, bold: bool) -> dict[str, float]:
    """Ems by character."""
    read = json.loads(_ADVANCES.read_text(encoding="utf-8"))
    units = read["units_per_em"]
    return {
        chr(run["first"] + place): advance / units
        for run in read["runs"]
        for place, advance in enumerate(run["bold" if bold else "regular"])
    }


@cache
def _estimate(character: str) -> float:
    if unicodedata.category(character) in _INVISIBLE:
        return 0.0
    return _WIDE if unicodedata.east_asian_width(character) in {"W", "F"} else _OTHER


def _advance(character: str, known: dict[str, float]) -> float:
    found = known.get(character)
    return _estimate(character) if found is None else found


def width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of one line of `text` in a font of `size` pixels, without kerning."""
    known = _advances(bold=bold)
    return size * sum(_advance(character, known) for character in text)


def one_line(text: str, most: int) -> str:
    """At most `most` characters of `text` on one line, without the marks of code, control characters made visible."""
    # Cut first: a pasted text may be long, and only its beginning matters.
    words = " ".join(visible(without_code_marks(text)[: 4 * most]).split())
    return words if len(words) <= most else shortened(words[:most])


def simple(text: str) -> str:
    """`text` with as few combined characters as possible."""
    return unicodedata.normalize("NFC", text).translate(_SIMPLER)


def shortened(text: str) -> str:
    """`text` with an ellipsis."""
    return f"{text.rstrip()}{ELLIPSIS}"


def cut(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """As much of `text` as fits in `room` pixels, with an ellipsis if it is cut; empty if not even that fits."""
    if width(text, size, bold=bold) <= room:
        return text
    known = _advances(bold=bold)
    left = room / size - known[ELLIPSIS]
    for place, character in enumerate(text):
        left -= _advance(character, known)
        if left < 0:
            return shortened(text[:place]) if place else ""
    return text


def wrapped(text: str, room: float, size: float, most: int, *, bold: bool = False) -> list[str]:
    """`text` in at most `most` lines of `room` pixels, broken between words where these fit; the last line is cut."""
    lines: list[str] = []
    left = text.strip()
    while left and len(lines) < most - 1 and width(left, size, bold=bold) > room:
        line = _first_line(left, room, size, bold=bold)
        lines.append(line)
        left = left[len(line) :].lstrip()
    return [*lines, cut(left, room, size, bold=bold)] if left else lines


def _first_line(text: str, room: float, size: float, *, bold: bool) -> str:
    """As many of the words as fit, or as many characters of a word too long, at least one."""
    known = _advances(bold=bold)
    end, space, left = 0, 0, room / size
    for place, character in enumerate(text):
        left -= _advance(character, known)
        if left < 0:
            break
        end = place + 1
        if character == " ":
            space = place
    return text[: space or max(end, 1)]


def has_all(text: str) -> bool:
    """Whether the font has every character of `text`."""
    return set(text) - set("\n\t") <= _advances(bold=False).keys()
