"""A new draft merged with what people wrote, section by section: base, edited and fresh give the new section."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from bot.domain.postmortem.conflict import count_conflicts, pieces
from bot.domain.postmortem.merge import MergeOptions, merge
from bot.domain.postmortem.questions import NOTHING, STILL_OPEN, is_prompt
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


_NOBODY: Mapping[str, str] = {}


def redraft(
    before: Iterable[Section],
    fresh: Iterable[Section],
    *,
    fallback: bool = False,
    renamed: Mapping[str, str] = _NOBODY,
) -> Redrafted:
    """Merge the sections of a fresh draft with the edited ones of the version `before`.

    An edited section that the template does not have is carried along; any other such section is dropped. A `fallback`
    draft is one in another template than the chosen one, which is broken: it changes no edited section.

    `renamed` are the people whose names are other ones than in `before`, as printed: old name and new one. A name alone
    makes no line a changed one; what people wrote keeps the names they wrote.
    """
    edited = {section.key: section for section in before if section.edited}
    still_open = edited.get(STILL_OPEN)
    if still_open is not None and still_open.removed:
        # The list of what is open is Scribe's: it comes again while something is.
        del edited[STILL_OPEN]
    fresh = list(fresh)
    if STILL_OPEN in edited and all(each.key != STILL_OPEN for each in fresh):
        fresh.append(Section(key=STILL_OPEN, heading=edited[STILL_OPEN].heading, body=""))
    sections: list[Section] = []
    for each in fresh:
        mine = edited.pop(each.key, None)
        if mine is None:
            sections.append(each)
        else:
            sections.append(mine if fallback else _merge(mine, each, renamed))
    carried = tuple(edited.values())
    last = [each for each in sections if each.key == STILL_OPEN and each.body]
    everything = (*(each for each in sections if each.key != STILL_OPEN), *carried, *last)
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


def renames(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Old and new names of the people who have another name `now`, both by user id; not a name that two had."""
    changed: dict[str, str] = {}
    kept = {name for user_id, name in before.items() if now.get(user_id, name) == name}
    for user_id, name in before.items():
        if name not in kept and changed.setdefault(name, now[user_id]) != now[user_id]:
            kept.add(name)
    return {name: new for name, new in changed.items() if name not in kept}


def _with_names(base: str, body: str, fresh: str, renamed: Mapping[str, str]) -> tuple[str, str]:
    """The base, and a person's version of it, with the lines of the fresh draft that differ by names alone."""
    if not renamed:
        return base, body
    old_name = re.compile(
        "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(renamed, key=len, reverse=True))
    )
    in_fresh = frozenset(fresh.split("\n"))
    new_lines = {}
    for line in base.split("\n"):
        named = old_name.sub(lambda match: renamed[match[0]], line)
        new_lines[line] = named if named in in_fresh else line
    texts = ("\n".join(new_lines.get(line, line) for line in text.split("\n")) for text in (base, body))
    return next(texts), next(texts)


def _merge(before: Section, fresh: Section, renamed: Mapping[str, str]) -> Section:
    # A placeholder is no text: it never stands beside words.
    facts = "" if fresh.body == NOTHING else fresh.body
    base, edited = _without_prompts(*_with_names(before.base, before.body, facts, renamed), facts)
    # Without a base every line is an addition, so joining would put two unrelated texts one after the other.
    options = MergeOptions(labels=(EDITED, FACTS), join=bool(before.base))
    body = "" if before.removed else merge(base, edited, facts, options).text or fresh.body
    by_person = before.drafted is None or before.drafted_heading is not None
    return rewritten(fresh, body, before.heading if by_person else fresh.heading)


def _without_prompts(base: str, edited: str, fresh: str) -> tuple[str, str]:
    """The base, and a person's version of it, without questions and placeholders that the fresh draft does not have.

    A question with a label stays in the base if the person took it out: they answered it, and the fresh draft may too.
    """
    if not any(is_prompt(line) or line == NOTHING for text in (base, edited) for line in text.split("\n")):
        return base, edited
    new, mine = frozenset(pieces(fresh)), frozenset(pieces(edited))

    def is_gone(part: str) -> bool:
        return part not in new and (part == NOTHING or is_prompt(part))

    old = (part for part in pieces(base) if not is_gone(part) or (part not in mine and part.startswith("**")))
    kept = (part for part in pieces(edited) if not is_gone(part))
    return "\n".join(_single_spaced(old)).strip("\n"), "\n".join(_single_spaced(kept)).strip("\n")


def _single_spaced(parts: Iterable[str]) -> Iterator[str]:
    """The parts without a blank line after another one."""
    before = ""
    for part in parts:
        if part or before:
            yield part
        before = part


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
