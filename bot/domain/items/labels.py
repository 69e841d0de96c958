"""What an action item's words say about it: what it is for (`prevent: …`), and when it is done (`… done when: …`).

Both stay in the stored words, so they need no field, and documents show them apart.
"""

import re
from dataclasses import dataclass

from bot.domain.incident.topics import after_private
from bot.domain.words import INVISIBLE

_PATTERNS = {
    "prevent": r"prevent(?:ion|ive|ative)?",
    "detect": r"detect(?:ion|ive)?",
    "mitigate": r"mitigat(?:e|ion)",
    "process": r"process(?:es)?",
    "automation": r"automat(?:e|ion)",
    "monitoring": r"monitoring",
    "communication": r"communications?",
    "system": r"systems?",
}
PURPOSES = tuple(_PATTERNS)
"""What an item can be for, in the order in which documents list them."""
PURPOSE = "|".join(f"(?P<{key}>{pattern})" for key, pattern in _PATTERNS.items())
"""A pattern of one purpose as people write it; the group that matched is its name in PURPOSES."""

_GAP = rf"[\s{INVISIBLE}]*"
_LABEL = re.compile(
    rf"{_GAP}(?:\[(?:{PURPOSE})\]{_GAP}:?|(?:{PURPOSE.replace('?P<', '?P<plain_')}){_GAP}:)(?=\s)",
    re.IGNORECASE,
)
_DONE_WHEN = re.compile(
    r"(?:^|(?<![\s,;.\u2013\u2014-])[\s,;.\u2013\u2014-]+|(?<![\s,;.])[\s,;.]*(?P<bracket>[(\[]))"
    r"done[ -]when\s*[:=]\s*(?P<criterion>\S.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_CLOSING = re.compile(r"\s*[)\]]\s*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLabels:
    """`purpose` is one of PURPOSES, `done_when` the criterion, `text` the words without either."""

    purpose: str | None
    done_when: str | None
    text: str


def read_labels(text: str) -> ItemLabels:
    """The labels in an item's words. A label without any other words is one of the words."""
    start = after_private(text)
    found = _LABEL.match(text, start)
    purpose = found.lastgroup.removeprefix("plain_") if found and found.lastgroup else None
    head = f"{text[:start].rstrip()} " if start else ""
    words = head + text[found.end() :].lstrip() if found else text
    done = _DONE_WHEN.search(words)
    criterion = None
    if done and words[: done.start()].strip():
        criterion = _CLOSING.sub("", done["criterion"]) if done["bracket"] else done["criterion"].rstrip()
        words = words[: done.start()].rstrip()
    if not words.strip():
        return ItemLabels(purpose=None, done_when=None, text=text)
    return ItemLabels(purpose=purpose, done_when=criterion, text=words)
