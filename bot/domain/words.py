"""Typed text, for every subject: what is visible, what can be stored, what is code, where one part of it ends."""

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

CODE = re.compile(
    r"```(?!`)(?!\s*```)(?P<block>.+?)```|(?<![\w`])`(?=[^\S\n]*[^\s`])(?P<span>[^`\n]+)`(?![\w`])", re.DOTALL
)
"""Code as people mark it in Slack: in a fence, or between single backticks that no letter touches from outside."""

_MAX_QUOTE = 40
_MAX_DIGITS = 9
_MAX_MATCHED = 50
_SHORT, _MEDIUM, _LONG = 5, 7, 11
_HIDDEN = re.compile(f"[{INVISIBLE}]")
_FIRST_WORD = re.compile(
    r"(?:(?:e|non|re|pre|post|sub|self|half|full|first|third|one|two|log|sign|check|read|write)-)?[^\W\d_]+"
    r"(?:-(?:in|ins|up|ups|out|outs|off|offs))?(?:['\u2019][^\W\d_]{0,2})?(?=[,;:.!?)\u2026]*(?:\s|$))"
)
"""A word of a sentence, alone or joined as the language joins them (`e-mail`, `sign-ups`)."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_GAP = re.compile(rf"[\s{INVISIBLE}]+")
_SEPARATOR = re.compile(rf"[:,;\u2014]|[-\u2013\u2212.](?=[\s{INVISIBLE}]|$)")
_EMOJI = re.compile(r":[\w+'-]+:")
_INCIDENT = re.compile(
    # A name that is part of a word, a path or a list (`INC-1's`, `INC-1/2`, `INC-1 and INC-2`) is one of the words.
    r"\s*(?:(?P<bracket>\[)|(?P<round>\()|(?P<mark>\*\*?|_|`))?"
    r"#?inc(?:[-_#\u2010-\u2015\u2212]|(?P<gap> ))?(?P<number>[0-9]{1,9})(?(bracket)\])(?(round)\))(?(mark)(?P=mark))"
    r"(?(gap)(?=\s*[:,;\u2014]|\s*$)|(?=[\s:,;\u2014]|[-\u2013\u2212.](?:\s|$)|$))"
    r"(?!\s*(?:[,;&+]|and\b)\s*#?inc[-_# ]?[0-9])",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\s*(?:(?:action\s+)?items?\s+)?#?(?P<number>[0-9]+)(?=[\s:,;]|\.(?:\s|$)|$)", re.IGNORECASE)


def storable(words: str) -> str:
    """The words unchanged.

    Raises UsageError when they are longer than MAX_CHARACTERS, or hold a NUL or a lone surrogate: PostgreSQL stores
    neither.
    """
    if len(words) > MAX_CHARACTERS:
        raise UsageError(f"That is {len(words):,} characters, and {MAX_CHARACTERS:,} fit. Link to what is longer.")
    if "\0" in words:
        raise UsageError("There is a NUL character in the words, and it cannot be kept. Please type them again.")
    if not words.isascii() and _SURROGATE.search(words):
        raise UsageError(
            "There is half a character in the words (a lone surrogate), and it cannot be kept. Please type them again."
        )
    return words


def visible(words: str) -> str:
    """The words without INVISIBLE characters. Spaces of any kind stay."""
    return words if words.isascii() else _HIDDEN.sub("", words)


def trimmed(words: str) -> str:
    """The words without space at either end; empty when no character of them is visible."""
    return words.strip() if visible(words).strip() else ""


def quoted(typed: str) -> str:
    """What was typed on one line, cut to 40 characters, for an error message."""
    typed = " ".join(typed.split())
    return typed if len(typed) <= _MAX_QUOTE else f"{typed[:_MAX_QUOTE]}…"


def without_code_marks(words: str) -> str:
    """The words without the backticks and fences around code, for where nothing can be marked as code."""
    return CODE.sub(lambda code: (code["block"] or code["span"]).strip("\n"), words)


def capitalized(words: str) -> str:
    """The words with a capital at their start, unless they start with a name that is written as it is.

    Names are what has a sign, a digit or a capital in it: a handle, an address, code, `p99`, `iOS`, `checkout-api`.
    """
    first = _FIRST_WORD.match(words)
    if first is None or not first[0].islower() or len(first[0][0].upper()) > 1:
        return words
    return f"{words[0].upper()}{words[1:]}"


def clipped(words: str, length: int) -> str:
    """The words in about `length` characters, with an ellipsis where they are cut, and code in them closed again."""
    if len(words) <= length:
        return words
    end = length - 1
    code = next((code for code in CODE.finditer(words) if code.start() < end < code.end()), None)
    if code is None:
        return f"{words[:end].rstrip()}…"
    mark = "`" if code["block"] is None else "```"
    if end <= code.start() + len(mark):
        return f"{words[: code.start()].rstrip()}…"
    return f"{words[:end].rstrip('`').rstrip()}…{mark}"


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


def take_incident(words: str) -> tuple[int | None, str]:
    """The number of the incident that the words begin with, and what follows it; None and all words without one.

    `INC-12`, `inc12`, `#INC-12`, `[INC-12]`, `(INC-12)`, `*INC-12*` and, before a colon or at the end, `INC 12`, in any
    case.
    """
    match = _INCIDENT.match(visible(words))
    if match is None:
        return None, words
    return int(match["number"]), after_separator(after_visible(words, match.end()))


_POLITE = re.compile(r"(?:please|pls|plz|thanks|thank you|thx|ty|now|bitte|for (?:me|us)|again|[\W_])+", re.IGNORECASE)


def says_nothing(words: str) -> bool:
    """Whether the words after a command only are polite: `please`, `now`, `thanks!`; false for none."""
    return _POLITE.fullmatch(visible(words)) is not None


def closest_match(word: str, choices: Iterable[str]) -> str | None:
    """The choice a mistyped word most likely means, None when it resembles none. Compares 50 characters at most."""
    found = difflib.get_close_matches(word[:_MAX_MATCHED].lower(), list(choices), n=1)
    return found[0] if found else None


def misspelt(word: str, choices: Iterable[str]) -> str | None:
    """The choice that the word is a slip of the keys from, None where it may be another word.

    At most one letter is wrong, missing, too many or swapped with its neighbour, two in words from eleven letters on.
    The first one is right. Short words resemble others: under seven letters none is wrong, under five two are swapped.
    """
    for choice in choices:
        length = min(len(word), len(choice))
        slips = 2 if len(choice) >= _LONG else 1
        if word[:1] != choice[:1] or abs(len(word) - len(choice)) > slips:
            continue
        swapped = sorted(word) == sorted(choice)
        allowed = swapped or length >= _MEDIUM or (length >= _SHORT and len(word) != len(choice))
        if allowed and _edits(word, choice) <= slips:
            return choice
    return None


def _edits(one: str, other: str) -> int:
    """How many insertions, deletions, replacements and swaps of neighbours lead from one to the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        twice, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, twice[j - 2] + 1)
            row.append(cost)
    return row[-1]
