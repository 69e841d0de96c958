"""Exports an incident as Markdown, HTML, JSON, SVG, PNG, or in Confluence's storage format."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from bot.documents import markup, rendering
from bot.documents.picture import phases, timeline
from bot.documents.picture.labels import MILESTONES, words
from bot.documents.picture.png import svg_to_png
from bot.documents.picture.tall import draw_tall
from bot.domain.incident.lifecycle import Lifecycle
from bot.domain.postmortem.edition import published
from bot.domain.postmortem.export import incident_json
from bot.domain.postmortem.head import Head, head
from bot.domain.time.format import clock
from bot.errors import UsageError
from bot.vocabulary import ENTRY_KINDS
from storage.values import ActionItem, Incident, Postmortem, Review, TimelineEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRecord:
    """The data of one export. `lifecycle` is that of all entries, even if `entries` has only those for an audience.

    `former_names` are (user id, name) of the incident's people, names they had before included. `published` is the
    newest version of the postmortem that is published whole. `struck` are lessons that were taken back, which are not
    offered again.
    """

    incident: Incident
    entries: list[TimelineEntry]
    items: list[ActionItem]
    postmortem: Postmortem | None
    lifecycle: Lifecycle
    review: Review | None = None
    former_names: tuple[tuple[str, str], ...] = ()
    published: int | None = None
    struck: tuple[TimelineEntry, ...] = ()


def latest_draft(record: ExportRecord) -> Postmortem:
    """The record's newest postmortem. Raises UsageError if there is none yet."""
    if record.postmortem is None:
        raise UsageError(f"{record.incident.name} has no draft yet; /postmortem draft in its channel writes one.")
    return record.postmortem


def for_publication(record: ExportRecord) -> ExportRecord:
    """The record with its newest version as it is published: without open questions, and without what is empty."""
    newest = latest_draft(record)
    return replace(record, postmortem=replace(newest, sections=published(newest.sections)))


def head_of(record: ExportRecord) -> Head:
    """The head of the record's newest version."""
    return head(
        record.incident,
        record.entries,
        record.lifecycle,
        postmortem=record.postmortem,
        published=record.published,
        review=record.review,
    )


def _md(record: ExportRecord) -> str:
    return rendering.markdown(record.incident, latest_draft(record).sections, head=head_of(record))


def with_picture(record: ExportRecord, address: str | None) -> str:
    """The Markdown with the picture of the timeline, which has that address, below the head; None for no picture."""
    return rendering.markdown(record.incident, latest_draft(record).sections, head=head_of(record), picture=address)


def editable(record: ExportRecord) -> str:
    """The Markdown that `scribe import` reads back."""
    return rendering.editable(record.incident, latest_draft(record), head=head_of(record))


def _html(record: ExportRecord) -> str:
    zone, wide, tall = ZoneInfo(record.incident.timezone), _svg(record), _tall(record)
    listed = timeline.shown(record.entries)
    spans = phases.spans(listed, record.lifecycle)
    drawings = rendering.Drawings(
        tall=tall,
        banner=rendering.svg("phases", shares=phases.shares(spans), colours=timeline.LIGHT) if spans else "",
        totals=tuple((phase.key, phase.label, lasted) for phase, lasted in phases.totals(spans)),
        palette=timeline.palette(),
        rail=_Rail(listed, zone, spans, {"wide": wide, "tall": tall}),
    )
    page = rendering.page(record.incident, latest_draft(record).sections, wide, head=head_of(record), drawings=drawings)
    return page.strip() + "\n"


_CLOCK = re.compile(r"(?:about )?(\d\d:\d\d)(?: to (?:\d[^:(]*)?\d\d:\d\d)?(?: \S+ \([^)]*\)| UTC)? (.*)", re.DOTALL)
"""The head of a line of the timeline: `about 10:02 to 10:10 CET (09:02 to 09:10 UTC) Did: …`."""
_NO_WORD = re.compile(r"[\W_]+")
_ENOUGH = 24
"""The letters by which the words of an entry are recognised, of those that a person may have edited."""
_MOST = 200
"""The most entries of one minute among which a line's is looked for."""


def _letters(text: str) -> str:
    return _NO_WORD.sub("", text).casefold()


class _Rail:
    """Finds the entry of each line of the timeline, in order, and the mark that the picture has for it.

    A line is an entry's where it has its time and its kind, and the beginning of its words unless there is no other
    entry of that time and kind. What a person has added to the section has no mark.
    """

    def __init__(
        self, entries: Iterable[TimelineEntry], zone: ZoneInfo, spans: Sequence[phases.Span], pictures: dict[str, str]
    ) -> None:
        self._spans = spans
        self._left: dict[str, list[tuple[str, str, TimelineEntry]]] = {}
        for entry in entries:
            at = clock(entry.occurred_at.astimezone(zone))
            told = _letters(ENTRY_KINDS[entry.kind].label), _letters(words(entry))[:_ENOUGH], entry
            self._left.setdefault(at, []).append(told)
        self._drawn = {(side, int(number)) for side, svg in pictures.items() for number in _MARKS[side].findall(svg)}

    def __call__(self, line: str) -> markup.RailMark | None:
        """The mark of the line."""
        found = self._entry(line)
        if found is None:
            return None
        phase = phases.phase_at(self._spans, found.occurred_at)
        role = "milestone" if found.kind in MILESTONES.kinds else "other"
        return markup.RailMark(
            html=rendering.svg(
                "mark",
                entry=found,
                shape=timeline.SHAPES[found.kind],
                targets=[(side, prefix) for side, prefix in _TARGETS.items() if (side, found.number) in self._drawn],
            ).strip(),
            id=f"entry-{found.number}",
            classes=f"{role} in-{phase.key}" if phase else role,
        )

    def _entry(self, line: str) -> TimelineEntry | None:
        match = _CLOCK.match(line)
        if match is None:
            return None
        left, said = self._left.get(match[1], []), _letters(match[2])
        possible = [told for told in left[:_MOST] if said.startswith(told[0])]
        same = [told for told in possible if told[1] in said]
        if not same and len(possible) != 1:
            return None
        found = max(same or possible, key=lambda told: len(told[1]))
        left.remove(found)
        return found[2]


_TARGETS = {"wide": "mark-", "tall": "tall-mark-"}
"""What the ids of the marks begin with in each picture."""
_MARKS = {side: re.compile(f'<g id="{prefix}(\\d+)"') for side, prefix in _TARGETS.items()}


def _svg(record: ExportRecord) -> str:
    zone = ZoneInfo(record.incident.timezone)
    return timeline.draw_timeline(record.incident, record.entries, record.lifecycle, zone=zone)


def _tall(record: ExportRecord) -> str:
    zone = ZoneInfo(record.incident.timezone)
    return draw_tall(record.incident, record.entries, record.lifecycle, zone=zone)


def _json(record: ExportRecord) -> str:
    document = incident_json(record.incident, record.entries, record.items, record.postmortem)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _confluence(record: ExportRecord) -> str:
    newest = latest_draft(record)
    return rendering.confluence(
        record.incident, published(newest.sections), version=newest.version, head=head_of(record)
    )


def _png(record: ExportRecord) -> bytes:
    return svg_to_png(_svg(record))


def _tall_png(record: ExportRecord) -> bytes:
    return svg_to_png(_tall(record))


FORMATS: dict[str, Callable[[ExportRecord], str]] = {"md": _md, "html": _html, "json": _json, "svg": _svg}
"""The formats of a postmortem's files, by suffix."""
PRINTED: dict[str, Callable[[ExportRecord], str]] = {**FORMATS, "phone-svg": _tall, "confluence": _confluence}
"""All text formats that `scribe export` can print."""
BINARY: dict[str, Callable[[ExportRecord], bytes]] = {"png": _png, "phone-png": _tall_png}
"""The binary formats."""
