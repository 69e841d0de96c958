"""Words that say what they are about: `/note systems: db1, db2` fills the section on affected systems.

The label stays in the words as typed, so nothing more has to be stored; it counts only at their very start.
"""

import re

from bot.domain.words import INVISIBLE

PRIVATE = "private:"
"""What an entry or action item begins with to be kept out of the public rendering."""

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
    """Whether the words begin with `private:` (or `[private]`)."""
    return _PRIVATE.match(text) is not None


def topic(text: str) -> tuple[str | None, str]:
    """Which of TOPICS the words say they are about, and the words without that label; None for most."""
    marked = _PRIVATE.match(text)
    found = _TOPIC.match(text, marked.end() if marked else 0)
    return (found.lastgroup, text[found.end() :]) if found else (None, text)
