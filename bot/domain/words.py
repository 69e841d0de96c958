"""Typed text, for the parsers of every subject: what is visible, what can be stored, where one part of it ends."""

import difflib
import re
from collections.abc import Iterable

from bot.errors import UsageError

MAX_CHARACTERS = 10_000
"""The most characters one command may carry."""

INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
"""Soft hyphen, zero-width characters, bidi marks and the byte order mark, for use inside a regex's brackets.

Phones and copied chat messages leave them around a time.
"""

_MAX_QUOTE = 40
_MAX_DIGITS = 9
_MAX_MATCHED = 50
_HIDDEN = re.compile(f"[{INVISIBLE}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_GAP = re.compile(rf"[\s{INVISIBLE}]+")
_SEPARATOR = re.compile(rf"[:,;\u2014]|[-\u2013\u2212.](?=[\s{INVISIBLE}]|$)")
_EMOJI = re.compile(r":[\w+'-]+:")
_NUMBER = re.compile(r"\s*#?(?P<number>[0-9]+)(?=[\s:,;]|$)")


def storable(words: str) -> str:
    """The words unchanged.

    Raises UsageError when they are longer than MAX_CHARACTERS, or hold a NUL or a lone surrogate: PostgreSQL stores
    neither.
    """
    if len(words) > MAX_CHARACTERS:
        raise UsageError(f"That is {len(words):,} characters, and {MAX_CHARACTERS:,} fit. Link to what is longer.")
    if "\0" in words:
        raise UsageError("There is a NUL character in the words, and it cannot be kept. Please type them again.")
    if _SURROGATE.search(words):
        raise UsageError(
            "There is half a character in the words (a lone surrogate), and it cannot be kept. Please type them again."
        )
    return words


def visible(words: str) -> str:
    """The words without INVISIBLE characters. Spaces of any kind stay."""
    return _HIDDEN.sub("", words)


def trimmed(words: str) -> str:
    """The words without space at either end; empty when no character of them is visible."""
    return words.strip() if visible(words).strip() else ""


def quoted(typed: str) -> str:
    """What was typed on one line, cut to 40 characters, for an error message."""
    typed = " ".join(typed.split())
    return typed if len(typed) <= _MAX_QUOTE else f"{typed[:_MAX_QUOTE]}…"


def after_visible(words: str, count: int) -> str:
    """The words as typed, less their first `count` visible characters."""
    for index, character in enumerate(words):
        if count == 0:
            return words[index:]
        count -= not _HIDDEN.match(character)
    return ""


def after_separator(tail: str) -> str:
    """What follows a head: `tail` less one separator (colon, comma, stop, dash …) and the space around it.

    A minus that touches the next word belongs to it (`-5% traffic`), and so does the colon of an `:emoji:`.
    """
    start = _skip_gap(tail, 0)
    if start and _EMOJI.match(tail, start):
        return tail[start:]
    separator = _SEPARATOR.match(tail, start)
    return tail[_skip_gap(tail, separator.end()) :] if separator else tail[start:]


def _skip_gap(words: str, start: int) -> int:
    gap = _GAP.match(words, start)
    return gap.end() if gap else start


def parse_number(words: str, *, what: str, example: str = "3 …") -> tuple[int, str]:
    """The number the words begin with (`#3 rest`, `3 rest`), and the rest. `what` names the thing in errors.

    Raises UsageError when they begin with no number, with zero, or with one of more than nine digits.
    """
    match = _NUMBER.match(visible(words))
    if match is None:
        raise UsageError(f"Which {what}? Type its number first. Try: {example}")
    if len(match["number"]) > _MAX_DIGITS or not int(match["number"]):
        raise UsageError(f"There is no {what} {quoted(match['number'])}. Try: {example}")
    return int(match["number"]), after_separator(after_visible(words, match.end()))


def closest_match(word: str, choices: Iterable[str]) -> str | None:
    """The choice a mistyped word most likely means, None when it resembles none. Compares 50 characters at most."""
    found = difflib.get_close_matches(word[:_MAX_MATCHED].lower(), list(choices), n=1)
    return found[0] if found else None
