"""Labels at the start of the words: `/note systems: db1, db2` is about the affected systems.

The label stays in the stored words, so it needs no field, and counts only at their very start.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from bot.domain.incident import impact
from bot.domain.postmortem.document import Line
from bot.domain.words import INVISIBLE
from bot.vocabulary import IMPACT
from storage.values import TimelineEntry

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


UNSORTED = "unsorted"
Lines = Mapping[str, tuple[Line, ...]]
LayOut = Callable[[TimelineEntry], Line]


def _sorted(lines: Iterable[tuple[str, Line]]) -> dict[str, tuple[Line, ...]]:
    found: dict[str, list[Line]] = {}
    for key, line in lines:
        found.setdefault(key, []).append(line)
    return {key: tuple(of_it) for key, of_it in found.items()}


def by_kind(lines: Iterable[Line]) -> Lines:
    """The lines of each kind, in order."""
    return _sorted((line.kind, line) for line in lines)


def by_qualifier(lines: Iterable[Line]) -> Lines:
    """The lines by factor or side; those without one are `unsorted`."""
    return _sorted((line.qualifier or UNSORTED, line) for line in lines)


def by_topic(entries: Iterable[TimelineEntry], lay_out: LayOut) -> Lines:
    """The lines that say what they are about, by topic, without their labels."""
    labelled = ((entry, *topic(entry.text)) for entry in entries)
    found = _sorted((about, lay_out(replace(entry, text=text))) for entry, about, text in labelled if about)
    return {key: found[key] for key in TOPICS if key in found}


def by_aspect(entries: Iterable[TimelineEntry], lay_out: LayOut) -> Lines:
    """The impact by what it hurt, without labels; an entry that speaks of two stands under both."""
    told = [entry for entry in entries if entry.kind == IMPACT]
    hurt = [(impact.aspects(each.text), lay_out(replace(each, text=impact.unlabelled(each.text)))) for each in told]
    return _sorted((aspect, line) for aspect in impact.ASPECTS for named, line in hurt if aspect in named)
