"""Exports an incident as Markdown, HTML, JSON, SVG, PNG, or in Confluence's storage format."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from bot.documents import rendering
from bot.documents.picture.png import svg_to_png
from bot.documents.picture.timeline import draw_timeline
from bot.domain.incident.lifecycle import Lifecycle
from bot.domain.postmortem.edition import published
from bot.domain.postmortem.export import incident_json
from bot.domain.postmortem.head import Head, head
from bot.errors import UsageError
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
    return (
        rendering.page(record.incident, latest_draft(record).sections, _svg(record), head=head_of(record)).strip()
        + "\n"
    )


def _svg(record: ExportRecord) -> str:
    zone = ZoneInfo(record.incident.timezone)
    return draw_timeline(record.incident, record.entries, record.lifecycle, zone=zone)


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


FORMATS: dict[str, Callable[[ExportRecord], str]] = {"md": _md, "html": _html, "json": _json, "svg": _svg}
"""The formats of a postmortem's files, by suffix."""
PRINTED: dict[str, Callable[[ExportRecord], str]] = {**FORMATS, "confluence": _confluence}
"""All text formats that `scribe export` can print."""
BINARY: dict[str, Callable[[ExportRecord], bytes]] = {"png": _png}
"""The binary formats."""
