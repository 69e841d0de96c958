"""Sections by their headings: for an operator's template that is plain Markdown, or that gives a section no key.

The headings that people know from elsewhere have the keys of the shipped sections of the same meaning, so that what
people wrote is carried from one template to another; every other one has a key made of its words.
"""

import re
import unicodedata
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

ABOUT, ABOUT_HEADING = "about", "About this incident"
"""Key and heading of the section for the text above the first heading."""

_KNOWN = {
    "summary": "summary, issue summary, incident summary, incident description, executive summary, overview, "
    "what went wrong",
    "impact": "impact, impact assessment, customer impact, user impact, business impact",
    "timeline": "timeline, incident timeline, chronology",
    "cause": "root cause, root causes, root cause analysis, cause, causes, fault, why it went wrong",
    "factors": "contributing factors, contributing causes",
    "resolution": "resolution, recovery, resolution and recovery, resolution steps, immediate actions",
    "detection": "detection, how it was noticed",
    "response": "response, incident response, how the response went",
    "measures": "action items, actions, corrective actions, corrective and preventative measures, "
    "corrective and preventive measures, preventative measures, preventive measures, steps to prevent it",
    "lessons": "lessons, lessons learned, lessons learnt, learnings, what we learned",
    "follow-up": "follow-up, follow up, follow-up actions",
    "communication": "communication, communications, messaging",
    "systems": "affected systems, affected services",
}
_KEYS = {heading: key for key, headings in _KNOWN.items() for heading in headings.split(", ")}
_LONGEST_KEY = 40
_NUMBERING = re.compile(r"^(?:\(?[0-9]{1,2}[.):]|[0-9]{1,2}(?:\.[0-9]{1,2})+)\s+")
_NO_KEY = re.compile(r"[^a-z0-9]+")
_INNER = re.compile(r"(?= {0,3}#{1,5}[ \t])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of a Markdown text: its `level`, its words, and its lines, from `start` to before `end`."""

    level: int
    words: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadedSection:
    """A section of a text: its key, its heading as plain words, and its body."""

    key: str
    heading: str
    body: str


def heading_key(heading: str, taken: Container[str]) -> str:
    """The key of a section with that heading, none of `taken`; the same in each draft."""
    words = " ".join(_NUMBERING.sub("", heading.strip()).rstrip(" :.").split())
    known = _KEYS.get(words.casefold())
    if known is not None and known not in taken:
        return known
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().casefold()
    key = _NO_KEY.sub("-", plain).strip("-")[:_LONGEST_KEY].strip("-")
    if not key or not key[0].isalpha():
        key = f"section-{key}".strip("-")[:_LONGEST_KEY]
    return next(each for each in _numbered(key) if each not in taken)


def _numbered(key: str) -> Iterator[str]:
    yield key
    number = 2
    while True:
        yield f"{key[: _LONGEST_KEY - 1 - len(str(number))]}-{number}"
        number += 1


def split_by_headings(text: str, headings: Sequence[Heading]) -> tuple[HeadedSection, ...]:
    """The sections that the text's top headings begin: `##` below one title or none, else `#`. None without any.

    A title of the whole is left out, as a postmortem has its own; the text below it, above the first section, is one.
    """
    titles = [each for each in headings if each.level == 1]
    level = 1 if len(titles) > 1 or not any(each.level == 2 for each in headings) else 2  # noqa: PLR2004 - `##`
    marks = [each for each in headings if each.level == level]
    if not marks:
        return ()
    lines = text.split("\n")
    above = [line for number, line in enumerate(lines[: marks[0].start]) if not _covered(number, titles)]
    found = [(ABOUT, ABOUT_HEADING, above)] if level > 1 and any(line.strip() for line in above) else []
    for mark, after in zip(marks, [*marks[1:], None], strict=True):
        body = lines[mark.end : after.start if after else None]
        inner = {each.start - mark.end for each in headings if level == 1 and each.level > 1}
        body = [_INNER.sub("#", line, count=1) if number in inner else line for number, line in enumerate(body)]
        key = heading_key(mark.words, {taken for taken, _, _ in found})
        found.append((key, mark.words, body))
    return tuple(HeadedSection(key=key, heading=heading, body="\n".join(body)) for key, heading, body in found)


def _covered(number: int, headings: Sequence[Heading]) -> bool:
    return any(each.start <= number < each.end for each in headings)
