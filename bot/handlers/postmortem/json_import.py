"""`scribe import FILE.json`: add an exported incident to the database. Exporting it again gives the same JSON.

An export lacks the users' Slack ids, the channel, permalinks, retracted entries and the qualifiers of most entries.
The entries keep their order, and are numbered in the order in which they were recorded.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bot.domain.incident.facts import highest, last_change, value_of
from bot.domain.incident.grammar import graph_query
from bot.domain.incident.lifecycle import in_order, is_open
from bot.domain.items.cadence import Cadence
from bot.domain.postmortem.export import (
    MOST_BYTES,
    EntryFacts,
    ExportFile,
    ItemFacts,
    PostmortemFacts,
    incident_json,
    parse_export,
)
from bot.errors import UsageError
from bot.handlers.incident.incidents import incident_number
from bot.handlers.items.handovers import note_change
from bot.handlers.items.reminders import lock_recipients, plan_item
from bot.handlers.postmortem.exports import read_record
from bot.vocabulary import DETECTED, FACTS, LEAD, SEVERITY, TITLE
from storage import incidents, members, postmortems, timeline
from storage.database import Database
from storage.items import action_items
from storage.sources import graphs
from storage.values import CANCELLED, DUPLICATE, PENDING, GraphSeries, Incident, Postmortem, Section, whole_milliseconds

BY = "import"
"""The user that imported rows are recorded by; no Slack user has this id."""
NO_CHANNEL = "imported"
"""The channel id of an incident that is imported without one; no Slack channel has this id."""
_ID_LENGTH = 64
_REDEFINED = frozenset(
    {"status", "started_at", "mitigated_at", "time_to_detect_s", "time_to_mitigate_s", "time_to_resolve_s"}
)
"""Facts that followed from the entries in another way before there were rounds and mitigations that did not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTarget:
    """Where the incident goes. `workspace_id` may be None where the database knows exactly one workspace.

    Unless `public`, the incident is private: the file does not say whether it was.
    """

    workspace_id: str | None
    timezone: str
    channel_id: str | None = None
    public: bool = False


def import_json(
    database: Database, path: Path, place: ImportTarget, *, at: datetime, cadence: Cadence | None = None
) -> Incident:
    """Add the incident in the file, in one transaction at the instant `at`.

    With a `cadence`, its open items are handed to their owners, as far as exactly one member has an owner's name.

    Raises UsageError for a file that is no export, for facts that do not follow from the file's entries, and for an
    incident whose number is taken.
    """
    with path.open("rb") as opened:
        file, plain = parse_export(opened.read(MOST_BYTES + 1), str(path))
    with database.write() as connection:
        incident = _declare(connection, file, place)
        _add_entries(connection, incident, file, at)
        _add_graphs(connection, incident, file, at)
        owners = _members_by_name(connection, incident) if cadence is not None else {}
        for item in file.action_items:
            _add_item(connection, incident, item, at, owners)
        if file.postmortem:
            postmortems.insert_version(connection, incident.id, _postmortem(file.postmortem, at))
        incident = incidents.by_id(connection, incident.id)
        _compare(connection, incident, plain, path)
        if cadence is not None:
            _hand_over(connection, incident, at=at, cadence=cadence)
        return incident


def _members_by_name(connection: Connection, incident: Incident) -> dict[str, str]:
    """The user ids of the workspace's members who may own an item, by name; without names that several have."""
    known = members.names(connection, incident.workspace_id)
    described = members.find_many(connection, incident.workspace_id, known)
    counts = Counter(known.values())
    return {
        name: user_id
        for user_id, name in known.items()
        if counts[name] == 1 and not described[user_id].barred and name != user_id
    }


def _hand_over(connection: Connection, incident: Incident, *, at: datetime, cadence: Cadence) -> None:
    """Plan the reminders of the open items, and note for each owner what they have now.

    Of a private incident without a channel nobody could read the words anywhere, so nobody is told.
    """
    if incident.closed_as is not None or (incident.private and incident.channel_id == NO_CHANNEL):
        return
    items = [item for item in action_items.of_incident(connection, incident.id) if item.pending and item.owner_id]
    lock_recipients(connection, (incident,), items, cadence)
    for item in items:
        plan_item(connection, incident, item, at=at, cadence=cadence, handed_over=True)
        note_change(connection, incident, None, item, by=BY, at=at, cadence=cadence)


def _declare(connection: Connection, file: ExportFile, place: ImportTarget) -> Incident:
    facts = file.incident
    workspace_id, number = _workspace(connection, place.workspace_id), incident_number(facts.id)
    assert number is not None  # noqa: S101 - the schema of the file requires INC- and a number
    incidents.lock_workspace(connection, workspace_id)
    if incidents.numbered(connection, workspace_id, number) is not None:
        raise UsageError(f"There is {facts.id} in the store already; nothing is overwritten.")
    incidents.reserve_number(connection, workspace_id, number)
    channel_id = place.channel_id or NO_CHANNEL
    return incidents.declare(
        connection,
        workspace_id=workspace_id,
        number=number,
        channel_id=channel_id,
        channel_name=channel_id,
        title=facts.title,
        severity=facts.severity,
        first_severity=_first_severity(file),
        lead=None,
        lead_id=None,
        declared_at=whole_milliseconds(facts.declared_at),
        declared_by=BY,
        declared_by_id=BY,
        timezone=place.timezone,
        private=not place.public,
    )


def _first_severity(file: ExportFile) -> str | None:
    """The severity of the declaration: the first one of all, unless an entry says it."""
    told = [(entry.occurred_at, entry.text) for entry in file.entries if entry.kind == SEVERITY]
    first = next(iter(file.incident.severity_changes), None)
    if first is None:
        return None if told else file.incident.severity
    return None if (first.at, first.severity) in told else first.severity


def _set_facts(connection: Connection, incident: Incident, file: ExportFile, at: datetime) -> None:
    """Make the incident say what its entries say of its lead and its severities."""
    entries = timeline.of_incident(connection, incident.id, kinds=tuple(FACTS))
    last = last_change(entries, LEAD)
    found = {LEAD: value_of(last)[0], "lead_id": None} if last else {}
    # Of a title that was changed, the file holds the last one alone.
    title = {"first_title": None} if any(entry.kind == TITLE for entry in file.entries) else {}
    incidents.change(connection, incident, found, by=BY, at=at, highest_severity=highest(incident, entries), **title)


def _workspace(connection: Connection, given: str | None) -> str:
    known = incidents.workspace_ids(connection)
    if given is None and len(known) != 1:
        raise UsageError(
            "Say which Slack workspace it belongs to: --workspace T0123ABC; `scribe doctor` tells the id of yours."
        )
    workspace_id = known[0] if given is None else given.strip()
    if not 0 < len(workspace_id) <= _ID_LENGTH or not workspace_id.isalnum():
        raise UsageError(f"{workspace_id[:_ID_LENGTH]!r} is no workspace's id; they look like T0123ABC.")
    return workspace_id


def _add_entries(connection: Connection, incident: Incident, file: ExportFile, at: datetime) -> None:
    first = next((entry for entry in file.entries if entry.kind == DETECTED), None)
    if first is None and file.incident.detected_by is not None:
        raise UsageError("incident.detected_by: nothing in the file was detected.")
    for facts in _in_recorded_order(file.entries):
        entry = timeline.append(
            connection,
            incident.id,
            kind=facts.kind,
            occurred_at=whole_milliseconds(facts.occurred_at),
            recorded_at=whole_milliseconds(facts.recorded_at),
            author=facts.author,
            author_id=facts.author[:_ID_LENGTH],
            recorded_by_id=BY,
            text=facts.text,
            qualifier=file.incident.detected_by if facts is first else None,
            source=facts.source,
            permalink=None,
            people={},
            approximate=facts.approximate,
            until_at=facts.until_at and whole_milliseconds(facts.until_at),
        )
        if facts.revisions:
            before = replace(entry, revisions=facts.revisions - 1)
            timeline.revise(connection, before, by=BY, at=at, text=entry.text, people={})
    _set_facts(connection, incident, file, at)
    incidents.set_open(connection, incident, is_open=is_open(timeline.of_incident(connection, incident.id)))
    if file.incident.state in {CANCELLED, DUPLICATE}:
        incidents.close(connection, incident, file.incident.state, by=BY, at=at)


def _add_graphs(connection: Connection, incident: Incident, file: ExportFile, at: datetime) -> None:
    entries = in_order(timeline.of_incident(connection, incident.id)) if file.graphs else []
    by_place = dict(enumerate(entries, 1))
    for number, facts in enumerate(file.graphs):
        entry = by_place.pop(facts.entry, None)
        if entry is None or graph_query(entry.kind, entry.text) != facts.query:
            raise UsageError(f"graphs.{number}: entry {facts.entry} is no note that asks for this graph.")
        lines = [GraphSeries(labels=each.labels, values=each.values) for each in facts.series]
        figures = graphs.figures_json(int(facts.start_at.timestamp()), facts.step_s, lines, facts.series_left_out)
        graphs.restore(connection, entry.id, facts.query, figures, at=at)


def _in_recorded_order(entries: Sequence[EntryFacts]) -> list[EntryFacts]:
    """The entries by `recorded_at`, unless that would change the order of entries with the same `occurred_at`."""
    recorded = sorted(entries, key=lambda entry: entry.recorded_at)
    shown = sorted(recorded, key=lambda entry: entry.occurred_at)
    return recorded if all(one is other for one, other in zip(shown, entries, strict=True)) else list(entries)


def _add_item(
    connection: Connection, incident: Incident, facts: ItemFacts, at: datetime, owners: Mapping[str, str]
) -> None:
    item = action_items.add(
        connection,
        incident.id,
        text=facts.text,
        kind=facts.kind,
        owner=facts.owner,
        owner_id=owners.get(facts.owner or "") if facts.state in PENDING else None,
        due_on=facts.due_on,
        look_again_on=facts.look_again_on,
        worked=facts.worked,
        worked_why=facts.worked_why,
        worked_by=facts.worked_by,
        worked_at=facts.worked_at and whole_milliseconds(facts.worked_at),
        people={},
        by=BY,
        at=at,
    )
    if facts.state != item.state:
        action_items.revise(connection, item, by=BY, at=at, state=facts.state)


def _postmortem(facts: PostmortemFacts, at: datetime) -> Postmortem:
    sections = tuple(Section(**each.model_dump()) for each in facts.sections)
    return Postmortem(
        template=facts.template, version=facts.version, sections=sections, drafted_at=at, drafted_by=BY, origin="import"
    )


def _compare(connection: Connection, incident: Incident, plain: Any, path: Path) -> None:
    """Raise UsageError, which rolls the import back, unless exporting the incident gives the file's content again."""
    record = read_record(connection, incident)
    # An old export may hold an id for an author whose name is known here.
    names = members.names(connection, incident.workspace_id)
    for entry in plain["entries"]:
        entry["author"] = names.get(entry["author"], entry["author"])
    exported = incident_json(record.incident, record.entries, record.items, record.postmortem, graphs=record.graphs)
    if "rounds" not in plain["incident"]:
        plain["incident"] = {name: said for name, said in plain["incident"].items() if name not in _REDEFINED}
    difference = _first_difference(plain, exported, "")
    if difference:
        raise UsageError(f"{path}: {difference}")


def _first_difference(given: Any, exported: Any, place: str) -> str | None:
    if isinstance(exported, dict):
        # An export of an earlier version lacks what is added to the format since.
        pairs = [(name, given.get(name, value), value) for name, value in exported.items()]
    elif isinstance(exported, list):
        pairs = [(str(number), *pair) for number, pair in enumerate(zip(given, exported, strict=True))]
    elif given == exported:
        return None
    else:
        return f"{place}: the file says {_short(given)}, and it should be {_short(exported)}."
    differences = (_first_difference(one, other, f"{place}.{name}".lstrip(".")) for name, one, other in pairs)
    return next(filter(None, differences), None)


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:60]
