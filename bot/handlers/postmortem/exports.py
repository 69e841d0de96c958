"""What leaves the store: an incident as Markdown, HTML, JSON or a picture."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents import rendering
from bot.documents.picture import draw
from bot.documents.picture.painting import painted
from bot.domain.incident.lifecycle import Lifecycle, lifecycle
from bot.domain.postmortem.export import contract
from bot.errors import UsageError
from bot.handlers.lookup import incident_number
from storage import action_items, incidents, postmortems, reviews, timeline
from storage.database import Database
from storage.values import ActionItem, Incident, Postmortem, Review, TimelineEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What leaves the store of one incident. The lifecycle is that of all entries, also where some are left out."""

    incident: Incident
    entries: list[TimelineEntry]
    items: list[ActionItem]
    postmortem: Postmortem | None
    lifecycle: Lifecycle
    review: Review | None = None


def read(connection: Connection, incident: Incident) -> Record:
    """The incident's record; retracted entries are left out."""
    entries = [entry for entry in timeline.of_incident(connection, incident.id) if not entry.retracted]
    return Record(
        incident=incident,
        entries=entries,
        items=action_items.of_incident(connection, incident.id),
        postmortem=postmortems.newest(connection, incident.id),
        lifecycle=lifecycle(entries),
        review=reviews.planned(connection, incident.id),
    )


def drafted(record: Record) -> Postmortem:
    """Its newest version. Raises UsageError when there is none yet."""
    if record.postmortem is None:
        raise UsageError(f"{record.incident.name} has no draft yet; /postmortem draft in its channel writes one.")
    return record.postmortem


def _md(record: Record) -> str:
    return rendering.markdown(record.incident, drafted(record).sections)


def editable(record: Record) -> str:
    """Markdown that `scribe import` takes back."""
    return rendering.editable(record.incident, drafted(record))


def _html(record: Record) -> str:
    return rendering.page(record.incident, drafted(record).sections, _svg(record)).strip() + "\n"


def _svg(record: Record) -> str:
    zone = ZoneInfo(record.incident.timezone)
    return draw(record.incident, record.entries, record.lifecycle, zone=zone)


def _json(record: Record) -> str:
    document = contract(record.incident, record.entries, record.items, record.postmortem)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _confluence(record: Record) -> str:
    newest = drafted(record)
    return rendering.confluence(record.incident, newest.sections, version=newest.version)


def _png(record: Record) -> bytes:
    return painted(_svg(record))


FORMATS: dict[str, Callable[[Record], str]] = {"md": _md, "html": _html, "json": _json, "svg": _svg}
"""What a postmortem's files are made in, by their suffix."""
PRINTED: dict[str, Callable[[Record], str]] = {**FORMATS, "confluence": _confluence}
"""All that can be printed."""
BINARY: dict[str, Callable[[Record], bytes]] = {"png": _png}
"""The formats that are no text."""


def export(database: Database, name: str, *, workspace_id: str | None = None) -> Record:
    """The record of the incident called `name` (`INC-12`). Raises UsageError when there is none."""
    with database.read() as connection:
        return read(connection, find(connection, name, workspace_id))


def find(connection: Connection, name: str, workspace_id: str | None) -> Incident:
    """The incident of that name, in the workspace given or the only one there is. Raises UsageError otherwise."""
    number = incident_number(name)
    if number is None:
        raise UsageError(f"{name!r} is no incident's name; they are called INC-12.")
    incident = incidents.numbered(connection, workspace(connection, workspace_id), number)
    if incident is None:
        raise UsageError(f"There is no INC-{number} in the store.")
    return incidents.same_as(connection, incident) or incident


def workspace(connection: Connection, workspace_id: str | None) -> str:
    """The workspace meant. Raises UsageError when there is none, or several and none is named."""
    known = incidents.workspace_ids(connection)
    if not known:
        raise UsageError(
            "The store holds no incident yet. In Slack, /detected declares one; DATABASE_URL says which store this is."
        )
    if workspace_id is None and len(known) > 1:
        raise UsageError(f"The store knows several workspaces; name one: --workspace {known[0]}")
    if workspace_id is not None and workspace_id not in known:
        raise UsageError(f"The store knows no workspace {workspace_id}; it knows {', '.join(known)}.")
    return workspace_id or known[0]
