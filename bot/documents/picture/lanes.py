"""The lanes: which kinds stand together, in which order, and what is written beside a mark."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bot.documents.picture.text_width import one_line, simple
from bot.vocabulary import CAUSE, DETECTED, DID, IMPACT, INVESTIGATING, KINDS, LESSON, NOTE, RULED_OUT
from storage.values import TimelineEntry

LONGEST: Final = 200
"""Signs of an entry that are looked at for its label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A part of the picture with its name and the kinds in it."""

    name: str
    kinds: tuple[str, ...]


MILESTONES: Final = Lane(name="Milestones", kinds=tuple(kind.name for kind in KINDS.values() if kind.milestone))
LANES: Final = (
    MILESTONES,
    *(
        Lane(name=KINDS[kind].label, kinds=(kind,))
        for kind in (IMPACT, INVESTIGATING, RULED_OUT, DID, CAUSE, NOTE, LESSON)
    ),
)


def headline(entry: TimelineEntry) -> str:
    """What a milestone is called, with who detected: `Detected by monitoring`; nothing in a lane of one kind."""
    if not KINDS[entry.kind].milestone:
        return ""
    by = f" by {entry.qualifier}" if entry.kind == DETECTED and entry.qualifier else ""
    return f"{KINDS[entry.kind].label}{by}"


def words(entry: TimelineEntry) -> str:
    """The beginning of the entry's words, on one line."""
    return simple(one_line(entry.text, LONGEST))


def in_lanes(entries: Iterable[TimelineEntry]) -> list[tuple[Lane, list[TimelineEntry]]]:
    """The lanes that have entries, and these in their order."""
    entries = list(entries)
    filled = [(lane, [entry for entry in entries if entry.kind in lane.kinds]) for lane in LANES]
    return [(lane, of_it) for lane, of_it in filled if of_it]
