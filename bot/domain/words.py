"""Words as typed: what in them cannot be seen, what cannot be stored, what stands between two parts."""

import re

from bot.errors import UsageError

MAX_CHARACTERS = 10_000
"""The most characters one command may carry."""

INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
"""Soft hyphen, zero-width characters, bidi marks and the byte order mark, for use inside a regex's brackets.

Phones and copied chat messages leave them around a time.
"""

_LONGEST_QUOTE = 40
_HIDDEN = re.compile(f"[{INVISIBLE}]")
_GAP = re.compile(rf"[\s{INVISIBLE}]+")
_SEPARATOR = re.compile(rf"[:,;\u2014]|[-\u2013\u2212.](?=[\s{INVISIBLE}]|$)")
_EMOJI = re.compile(r":[\w+'-]+:")
_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(words: str) -> str:
    """The words without the characters nobody can see. Spaces of any kind stay."""
    return _HIDDEN.sub("", words)


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
    start = _gap_end(tail, 0)
    if start and _EMOJI.match(tail, start):
        return tail[start:]
    separator = _SEPARATOR.match(tail, start)
    return tail[_gap_end(tail, separator.end()) :] if separator else tail[start:]


def trimmed(words: str) -> str:
    """The words without space at either end; nothing at all when none of them can be seen."""
    return words.strip() if visible(words).strip() else ""


def quoted(typed: str) -> str:
    """What was typed, short enough to stand in an answer."""
    typed = " ".join(typed.split())
    return typed if len(typed) <= _LONGEST_QUOTE else f"{typed[:_LONGEST_QUOTE]}…"


def storable(words: str) -> str:
    """The words themselves.

    Raises UsageError when they are longer than MAX_WORDS or hold what no database takes.
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


def _gap_end(words: str, start: int) -> int:
    gap = _GAP.match(words, start)
    return gap.end() if gap else start
