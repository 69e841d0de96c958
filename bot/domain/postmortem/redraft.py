"""A new draft merged with what people wrote, section by section: base, edited and fresh give the new section."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.domain.postmortem.conflict import count_conflicts
from bot.domain.postmortem.merge import MergeOptions, merge
from storage.values import Section

Conflicts = tuple[tuple[str, int], ...]
EDITED, FACTS = "As edited", "From the timeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrafted:
    """The sections of a new version, with the headings of those that people edited.

    `kept` are the edited sections; `carried` those of them that the template does not have, which come last;
    `conflicts` counts the places that show two versions, by heading.
    """

    sections: tuple[Section, ...]
    kept: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    conflicts: Conflicts = ()


def redraft(before: Iterable[Section], fresh: Iterable[Section], *, fallback: bool = False) -> Redrafted:
    """Merge the sections of a fresh draft with the edited ones of the version `before`.

    An edited section that the template does not have is carried along; any other such section is dropped. A `fallback`
    draft is one in another template than the chosen one, which is broken: it changes no edited section.
    """
    edited = {section.key: section for section in before if section.edited}
    sections: list[Section] = []
    for each in fresh:
        mine = edited.pop(each.key, None)
        if mine is None:
            sections.append(each)
        else:
            sections.append(mine if fallback else _merge(mine, each))
    carried = tuple(edited.values())
    everything = (*sections, *carried)
    return Redrafted(
        sections=everything,
        kept=tuple(each.heading for each in everything if each.edited and not each.removed),
        carried=tuple(each.heading for each in carried if not each.removed),
        conflicts=conflicts_by_heading(everything),
    )


def conflicts_by_heading(sections: Iterable[Section]) -> Conflicts:
    """How many places show two versions, with the section's heading, for the sections with any."""
    counts = ((section.heading, count_conflicts(section.body)) for section in sections if section.edited)
    return tuple((heading, count) for heading, count in counts if count)


def _merge(before: Section, fresh: Section) -> Section:
    base = before.base
    # Without a base every line is an addition, so joining would put two unrelated texts one after the other.
    options = MergeOptions(labels=(EDITED, FACTS), join=bool(base))
    body = "" if before.removed else merge(base, before.body, fresh.body, options).text
    by_person = before.drafted is None or before.drafted_heading is not None
    return rewritten(fresh, body, before.heading if by_person else fresh.heading)


def rewritten(section: Section, body: str, heading: str | None = None) -> Section:
    """The section as a person edits it, with another body and maybe another heading.

    `drafted` and `drafted_heading` remember what the template wrote. Edited back to that, the section counts as not
    edited.
    """
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
    """A section that a person added and no template has."""
    return Section(key=key, heading=heading, body=body, edited=True)
