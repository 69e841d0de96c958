"""A new draft over what people wrote: base, edited, fresh → merged, section by section."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.domain.postmortem.conflict import count_conflicts
from bot.domain.postmortem.merge import MergeOptions, merge
from storage.values import Section

Conflicts = tuple[tuple[str, int], ...]
EDITED, FACTS = "As edited", "From the timeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrafted:
    """The sections of a new version, with the headings of those that a person has a hand in.

    `kept` were edited and still are; `carried` come from another template, and stand last; `conflicts` counts the
    places that show two versions.
    """

    sections: tuple[Section, ...]
    kept: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    conflicts: Conflicts = ()


def redraft(before: Iterable[Section], fresh: Iterable[Section], *, fallback: bool = False) -> Redrafted:
    """The sections of a fresh draft, with what people changed in those `before`.

    What a template no longer has is carried along if a person changed it, and left out otherwise. A `fallback` draft
    is in another template than it should be, and changes no edited section.
    """
    edited = {section.key: section for section in before if section.edited}
    drafted = tuple(fresh)
    sections = [_merged(edited.pop(each.key, None), each, fallback=fallback) for each in drafted]
    carried = tuple(edited.values())
    everything = (*sections, *carried)
    return Redrafted(
        sections=everything,
        kept=tuple(each.heading for each in everything if each.edited and not each.removed),
        carried=tuple(each.heading for each in carried if not each.removed),
        conflicts=conflicts_by_heading(everything),
    )


def conflicts_by_heading(sections: Iterable[Section]) -> Conflicts:
    """How many places show two versions, with the heading of the section; only of those that have any."""
    counts = ((section.heading, count_conflicts(section.body)) for section in sections if section.edited)
    return tuple((heading, count) for heading, count in counts if count)


def _merged(before: Section | None, fresh: Section, *, fallback: bool) -> Section:
    if before is None:
        return fresh
    if fallback:
        return before
    base = before.base
    # Where the template had nothing before, the two texts know nothing of each other.
    options = MergeOptions(labels=(EDITED, FACTS), join=bool(base))
    body = "" if before.removed else merge(base, before.body, fresh.body, options).text
    by_person = before.drafted is None or before.drafted_heading is not None
    return rewritten(fresh, body, before.heading if by_person else fresh.heading)


def rewritten(section: Section, body: str, heading: str | None = None) -> Section:
    """The section with another body, and maybe another heading, as a person wants it."""
    drafted = section.drafted if section.edited else section.body
    titled = section.drafted_heading or section.heading
    heading = heading or section.heading
    renamed = titled if drafted is not None and heading != titled else None
    edited = drafted is None or body != drafted or renamed is not None
    return replace(
        section,
        heading=heading,
        body=body,
        edited=edited,
        drafted=drafted if edited else None,
        drafted_heading=renamed,
    )


def handwritten(key: str, heading: str, body: str) -> Section:
    """A section that no template knows of."""
    return Section(key=key, heading=heading, body=body, edited=True)
