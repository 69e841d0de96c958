"""The words between a time and the text: `by monitoring`, `process:`, `well:`."""

import re

from bot.domain.words import INVISIBLE, after_separator
from bot.vocabulary import DETECTORS, FACTORS, KINDS, SIDES, Kind

_SYNONYMS: dict[tuple[str, ...], dict[str, str]] = {
    DETECTORS: {
        "monitor": "monitoring", "alert": "monitoring", "alerts": "monitoring", "alerting": "monitoring",
        "pager": "monitoring", "customers": "customer", "user": "customer", "users": "customer",
        "engineers": "engineer",
    },
    FACTORS: {"tech": "technical"},
    SIDES: {"good": "well", "bad": "badly", "luck": "lucky"},
}  # fmt: skip

_GAP = rf"[\s{INVISIBLE}]"
_WHO = re.compile(rf"{_GAP}*by{_GAP}+(?:(?:an?|the|our){_GAP}+)?(?P<word>[a-z]+)(?![\w'\u2019/-])", re.IGNORECASE)
_PREFIX = re.compile(rf"{_GAP}*(?P<word>[a-z]+){_GAP}*:", re.IGNORECASE)

_SHAPES: dict[tuple[str, ...], re.Pattern[str]] = {DETECTORS: _WHO, FACTORS: _PREFIX, SIDES: _PREFIX}


def take_qualifier(kind: Kind, words: str) -> tuple[str | None, str]:
    """The kind's qualifier that the words begin with, and what follows it; None and all words without one."""
    meanings = _MEANINGS[kind.name]
    match = _SHAPES[kind.qualifiers].match(words) if meanings else None
    qualifier = meanings.get(match["word"].lower()) if match else None
    if match is None or qualifier is None:
        return None, words
    # The colon that makes a prefix belongs to it: a second one, of an emoji, is left to the words.
    tail = words[match.end() :]
    return qualifier, tail if match[0].endswith(":") else after_separator(tail)


def _meanings(kind: Kind) -> dict[str, str]:
    return {name: name for name in kind.qualifiers} | _SYNONYMS.get(kind.qualifiers, {})


_MEANINGS = {kind.name: _meanings(kind) for kind in KINDS.values()}
