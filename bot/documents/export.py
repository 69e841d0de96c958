"""Exports an incident as Markdown, HTML, JSON, SVG, PNG, or in Confluence's storage format."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.documents import rendering
from bot.documents.picture.png import svg_to_png
from bot.documents.picture.timeline import draw_timeline
from bot.domain.incident.lifecycle import Lifecycle
from bot.domain.postmortem.export import incident_json
from bot.errors import UsageError
from storage.values import ActionItem, Incident, Postmortem, Review, TimelineEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRecord:
    """The data of one export. `lifecycle` is that of all entries, even if `entries` has only those for an audience."""

    incident: Incident
    entries: list[TimelineEntry]
    items: list[ActionItem]
    postmortem: Postmortem | None
    lifecycle: Lifecycle
    review: Review | None = None


def latest_draft(record: ExportRecord) -> Postmortem:
    """The record's newest postmortem. Raises UsageError if there is none yet."""
    if record.postmortem is None:
        raise UsageError(f"{record.incident.name} has no draft yet; /postmortem draft in its channel writes one.")
    return record.postmortem


def _md(record: ExportRecord) -> str:
    return rendering.markdown(record.incident, latest_draft(record).sections)


def editable(record: ExportRecord) -> str:
    """The Markdown that `scribe import` reads back."""
    return rendering.editable(record.incident, latest_draft(record))


def _html(record: ExportRecord) -> str:
    return rendering.page(record.incident, latest_draft(record).sections, _svg(record)).strip() + "\n"


def _svg(record: ExportRecord) -> str:
    zone = ZoneInfo(record.incident.timezone)
    return draw_timeline(record.incident, record.entries, record.lifecycle, zone=zone)


def _json(record: ExportRecord) -> str:
    document = incident_json(record.incident, record.entries, record.items, record.postmortem)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _confluence(record: ExportRecord) -> str:
    newest = latest_draft(record)
    return rendering.confluence(record.incident, newest.sections, version=newest.version)


def _png(record: ExportRecord) -> bytes:
    return svg_to_png(_svg(record))


FORMATS: dict[str, Callable[[ExportRecord], str]] = {"md": _md, "html": _html, "json": _json, "svg": _svg}
"""The formats of a postmortem's files, by suffix."""
PRINTED: dict[str, Callable[[ExportRecord], str]] = {**FORMATS, "confluence": _confluence}
"""All text formats that `scribe export` can print."""
BINARY: dict[str, Callable[[ExportRecord], bytes]] = {"png": _png}
"""The binary formats."""
