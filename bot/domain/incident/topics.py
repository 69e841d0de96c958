"""Labels at the start of the words: `/note systems: db1, db2` is about the affected systems.

The label stays in the stored words, so it needs no field, and counts only at their very start.
"""

import re

from bot.domain.words import INVISIBLE

_PATTERNS = {
    "systems": r"(?:affected )?systems?",
    "logs": r"logs?",
    "configuration": r"config(?:uration)?",
    "told_customers": r"told customers?",
    "told_staff": r"told (?:staff|internally)",
    "communication": r"communication",
    "improve": r"(?:to )?improve",
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


def topic(text: str) -> tuple[str | None, str]:
    """The one of TOPICS that labels the words, and the words without labels; None and all words without one."""
    marked = _PRIVATE.match(text)
    found = _TOPIC.match(text, marked.end() if marked else 0)
    return (found.lastgroup, text[found.end() :]) if found else (None, text)
