"""Lines sorted by what they say: by kind, by qualifier, by topic, by what was hurt."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from bot.domain.incident import impact
from bot.domain.incident.topics import TOPICS, topic
from bot.domain.postmortem.document import Line
from bot.vocabulary import IMPACT
from storage.values import TimelineEntry

UNSORTED = "unsorted"
DROPPED = "dropped"
"""The state of an action item decided against, which sorts it like a term."""
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
