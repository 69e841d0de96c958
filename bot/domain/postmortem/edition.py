"""What of a postmortem is published: no open question, no empty heading, no list of what is still open."""

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.domain.postmortem.conflict import is_conflict, pieces, versions
from bot.domain.postmortem.questions import NOTHING, STILL_OPEN, asked, is_prompt, without_empty_headings
from storage.values import Section

_UNTICKED = re.compile(r"[ \t]*[-*][ \t]+☐ .*")
_UNSORTED = re.compile(r"(#{1,6})[ \t]+Not sorted yet[ \t]*")


def published(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections as they are published.

    The list of what is still open is left out, and so are questions, sections without words, headings with nothing
    below, and what a checklist has not ticked. What nobody has sorted is called "Other". Where two versions of some
    lines wait for a decision, those that a person wrote stand.
    """
    shown = (
        replace(section, body=_published_body(section.body))
        for section in sections
        if section.key != STILL_OPEN and not section.removed
    )
    return tuple(section for section in shown if section.body)


def _published_body(body: str) -> str:
    written = pieces(body)
    parts = ["\n".join(versions(part)[0]) if is_conflict(part) else part for part in written]
    parts = [
        part for part in parts if part.strip() != NOTHING and not is_prompt(part) and not _UNTICKED.fullmatch(part)
    ]
    parts = [_UNSORTED.sub(r"\1 Other", part) if _UNSORTED.fullmatch(part) else part for part in parts]
    parts = without_empty_headings(parts, asked_only=False)
    if parts == written:
        return body if body.strip() else ""
    lines: list[str] = []
    for part in parts:
        if part.strip() or (lines and lines[-1].strip()):
            lines.append(part)
    return "\n".join(lines).strip("\n")


def count_open(sections: Iterable[Section]) -> int:
    """How many questions, and places that show two versions, the sections leave open."""
    sections = [section for section in sections if not section.removed]
    places = sum(is_conflict(part) for section in sections for part in pieces(section.body))
    return places + sum(1 for _ in asked(sections))
