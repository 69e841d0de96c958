"""Labels at the start of the words: `/note systems: db1, db2` is about the affected systems.

The label stays in the stored words, so it needs no field, and counts only at their very start.
"""

import re

from bot.domain.incident import impact
from bot.domain.words import INVISIBLE
from bot.vocabulary import IMPACT

_PATTERNS = {
    "systems": r"(?:affected )?systems?",
    "logs": r"logs?",
    "configuration": r"config(?:uration)?",
    "told_customers": r"told customers?",
    "told_staff": r"told (?:staff|internally)",
    "communication": r"communication",
    "noticing": r"noticing",
    "coordinating": r"coordinat(?:ing|ion)",
    "telling": r"telling",
    "improve": r"(?:to )?improve|differently",
    "documentation": r"doc(?:s|umentation)",
    "training": r"training",
    "review": r"review",
}
TOPICS = tuple(_PATTERNS)

_GAP = rf"[\s{INVISIBLE}]*"
_PRIVATE = re.compile(rf"{_GAP}\[?private(?:\]{_GAP}:?|{_GAP}:)", re.IGNORECASE)
_TOPIC = re.compile(
    rf"{_GAP}(?:{'|'.join(f'(?P<{key}>{pattern})' for key, pattern in _PATTERNS.items())}){_GAP}:(?=\s)",
    re.IGNORECASE,
)


def is_private(text: str) -> bool:
    """Whether the words begin with `private:` (or `[private]`), which keeps them out of the public rendering."""
    return _PRIVATE.match(text) is not None


def after_private(text: str) -> int:
    """Where the words after a `private:` begin; 0 without one."""
    marked = _PRIVATE.match(text)
    return marked.end() if marked else 0


def without_private(text: str) -> tuple[str, str]:
    """The words' `private:`, empty where they have none, and the words after it."""
    marked = _PRIVATE.match(text)
    end = marked.end() if marked else 0
    return text[:end], text[end:]


def topic(text: str) -> tuple[str | None, str]:
    """The one of TOPICS that labels the words, and the words without labels; None and all words without one."""
    found = _TOPIC.match(text, after_private(text))
    return (found.lastgroup, text[found.end() :]) if found else (None, text)


def without_labels(kind: str, text: str) -> tuple[str | None, str]:
    """The topic of an entry, and its words as a document shows them: without the label of a topic or of an aspect.

    `private:` stays before the words of an impact.
    """
    about, words = topic(text)
    if kind != IMPACT:
        return about, words
    mark, rest = without_private(words)
    unlabelled = impact.unlabelled(rest)
    return about, words if unlabelled == rest else f"{mark} {unlabelled}".lstrip()
