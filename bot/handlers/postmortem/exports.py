"""Read the record of one incident for export, rendering and checks."""

from sqlalchemy import Connection

from bot.documents.export import ExportRecord
from bot.domain.incident.grammar import graph_query
from bot.domain.incident.lifecycle import lifecycle
from bot.errors import UsageError
from bot.handlers.incident.incidents import incident_number
from bot.vocabulary import LESSON
from storage import incidents, members, postmortems, reviews, timeline
from storage.database import Database
from storage.items import action_items
from storage.values import EntryGraph, Incident, TimelineEntry


def read_record(connection: Connection, incident: Incident) -> ExportRecord:
    """The incident's record, without retracted entries; where the bytes of its files are, its user knows."""
    every = timeline.of_incident(connection, incident.id)
    entries = [entry for entry in every if not entry.retracted]
    return ExportRecord(
        incident=incident,
        entries=entries,
        items=action_items.of_incident(connection, incident.id),
        postmortem=postmortems.newest(connection, incident.id),
        lifecycle=lifecycle(entries),
        review=reviews.planned(connection, incident.id),
        former_names=members.stored_names(connection, incident.id),
        published=postmortems.published_version(connection, incident.id),
        files=tuple(timeline.files(connection, incident.id)),
        graphs=_graphs(connection, incident, entries),
        struck=tuple(entry for entry in every if entry.retracted and entry.kind == LESSON),
    )


def _graphs(connection: Connection, incident: Incident, entries: list[TimelineEntry]) -> tuple[EntryGraph, ...]:
    """The graphs of the queries that the notes have now."""
    notes = {entry.number: entry for entry in entries}
    found = [(graph, notes[graph.entry_number]) for graph in timeline.graphs(connection, incident.id)]
    return tuple(graph for graph, note in found if graph_query(note.kind, note.text) == graph.query)


def read_by_name(database: Database, name: str, *, workspace_id: str | None = None) -> ExportRecord:
    """The record of the incident called `name` (`INC-12`). Raises UsageError for an unknown one."""
    with database.read() as connection:
        return read_record(connection, find_incident(connection, name, workspace_id))


def find_incident(connection: Connection, name: str, workspace_id: str | None) -> Incident:
    """The incident of that name, or the one it was merged into. Raises UsageError for an unknown one."""
    number = incident_number(name)
    if number is None:
        raise UsageError(f"{name!r} is no incident's name; they are called INC-12.")
    incident = incidents.numbered(connection, resolve_workspace(connection, workspace_id), number)
    if incident is None:
        raise UsageError(f"There is no INC-{number} in the store.")
    return incidents.holder(connection, incident)


def resolve_workspace(connection: Connection, workspace_id: str | None) -> str:
    """The given workspace, else the only one in the database. Raises UsageError for an unknown or ambiguous one."""
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
