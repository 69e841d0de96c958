"""Postmortems: each draft, edit and import is a new version; versions are append-only."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from storage import live_messages
from storage.items import digests
from storage.members import current_name, names_of
from storage.models import incidents, postmortem_reviews, postmortem_versions, publications
from storage.values import Postmortem, Section

_DRAFTED_BY = current_name(
    incidents.c.workspace_id, postmortem_versions.c.drafted_by_id, postmortem_versions.c.drafted_by
)
_OF_INCIDENT = (
    select(postmortem_versions, _DRAFTED_BY.label("drafter"), incidents.c.workspace_id)
    .join(incidents, incidents.c.id == postmortem_versions.c.incident_id)
    .where(postmortem_versions.c.incident_id == bindparam("incident_id"))
)
_LATEST_FIRST = _OF_INCIDENT.order_by(postmortem_versions.c.number.desc())
_NEWEST = _LATEST_FIRST.limit(1)
_NUMBERED = _OF_INCIDENT.where(postmortem_versions.c.number == bindparam("number"))
_NEXT_NUMBER = select(func.coalesce(func.max(postmortem_versions.c.number), 0) + 1).where(
    postmortem_versions.c.incident_id == bindparam("incident_id")
)
_PUBLISHED = select(func.max(publications.c.version)).where(
    publications.c.incident_id == bindparam("incident_id"), ~publications.c.target.contains(":")
)
"""A target with a colon is that of a rendering for others, such as `folder:public`."""
_REVIEWED = (
    select(
        current_name(
            incidents.c.workspace_id, postmortem_reviews.c.reviewed_by_id, postmortem_reviews.c.reviewed_by
        ).label("reviewer"),
        postmortem_reviews.c.reviewed_at,
    )
    .join(incidents, incidents.c.id == postmortem_reviews.c.incident_id)
    .where(postmortem_reviews.c.incident_id == bindparam("incident_id"))
    .order_by(postmortem_reviews.c.id.desc())
    .limit(1)
)
_INSERT = insert(postmortem_versions)
_MARK_UNINDEXED = update(incidents).where(incidents.c.id == bindparam("of_incident")).values(unindexed=True)

_PLAIN_NAME = re.compile(r"[^\W_](?:[\w .,'\u2019()-]*[\w.)])?")
"""A name without characters that are markup; another one waits for the next draft, which escapes it."""
_SECTION_DEFAULTS = {each.name: each.default for each in fields(Section) if each.default is not MISSING}


def published_version(connection: Connection, incident_id: int) -> int | None:
    """The newest version that is published whole, None where none is."""
    version: int | None = connection.execute(_PUBLISHED, {"incident_id": incident_id}).scalar_one()
    return version


def mark_reviewed(connection: Connection, incident_id: int, *, version: int, by: str, by_id: str, at: datetime) -> None:
    """Save that somebody reviewed the version, 0 for no draft, of a postmortem that is published nowhere."""
    facts = {"version": version, "reviewed_at": at, "reviewed_by": by, "reviewed_by_id": by_id}
    connection.execute(insert(postmortem_reviews).values(incident_id=incident_id, **facts))
    digests.note_change(connection, incident_id, at=at)


def reviewed(connection: Connection, incident_id: int) -> tuple[str, datetime] | None:
    """Who has marked the postmortem as reviewed, and when, the last time; None where nobody has."""
    row = connection.execute(_REVIEWED, {"incident_id": incident_id}).first()
    return None if row is None else (row.reviewer, row.reviewed_at)


def newest(connection: Connection, incident_id: int) -> Postmortem | None:
    """The newest version of the incident's postmortem."""
    row = connection.execute(_NEWEST, {"incident_id": incident_id}).mappings().first()
    return None if row is None else _postmortem(connection, row)


def numbered(connection: Connection, incident_id: int, number: int) -> Postmortem | None:
    """The version of that number of the incident's postmortem."""
    row = connection.execute(_NUMBERED, {"incident_id": incident_id, "number": number}).mappings().first()
    return None if row is None else _postmortem(connection, row)


def latest_first(connection: Connection, incident_id: int) -> Iterator[Postmortem]:
    """All versions of the incident's postmortem, the newest first, built one at a time."""
    for row in connection.execute(_LATEST_FIRST, {"incident_id": incident_id}).mappings():
        yield _postmortem(connection, row)


def add(connection: Connection, incident_id: int, **facts: Any) -> Postmortem:
    """Insert the next version. `facts`: template, sections (tuple of Section), drafted_at, drafted_by.

    Optional: origin, drafted_by_id, names.

    Raises sqlalchemy.exc.IntegrityError when another transaction inserted that number, which a lock on the incident
    prevents.
    """
    number = connection.execute(_NEXT_NUMBER, {"incident_id": incident_id}).scalar_one()
    version = Postmortem(version=number, **facts)
    insert_version(connection, incident_id, version)
    return version


def insert_version(connection: Connection, incident_id: int, version: Postmortem) -> None:
    """Insert a version under its own number, for an import; earlier numbers may be missing."""
    row = {
        "incident_id": incident_id,
        "number": version.version,
        "template": version.template,
        "sections": [_to_json(each) for each in version.sections],
        "drafted_at": version.drafted_at,
        "drafted_by": version.drafted_by,
        "origin": version.origin,
        "drafted_by_id": version.drafted_by_id,
        "names": dict(version.names) or None,
    }
    connection.execute(_INSERT, row)
    connection.execute(_MARK_UNINDEXED, {"of_incident": incident_id})
    live_messages.note_change(connection, incident_id)


def _to_json(section: Section) -> dict[str, Any]:
    """The fields of a section that differ from their defaults."""
    values = {each.name: getattr(section, each.name) for each in fields(section)}
    return {
        name: value
        for name, value in values.items()
        if name not in _SECTION_DEFAULTS or value != _SECTION_DEFAULTS[name]
    }


def _postmortem(connection: Connection, row: Any) -> Postmortem:
    """The version. Somebody who was printed by id, as Slack had not told the name yet, is named."""
    names, sections = row["names"] or {}, row["sections"]
    unnamed = {user_id for user_id, name in names.items() if user_id == name}
    learned = names_of(connection, row["workspace_id"], unnamed) if unnamed else {}
    printable = {user_id: name for user_id, name in learned.items() if _PLAIN_NAME.fullmatch(name)}
    if printable:
        names = names | printable
        sections = [_named(section, printable) for section in sections]
    return Postmortem(
        template=row["template"],
        version=row["number"],
        sections=tuple(Section(**each) for each in sections),
        drafted_at=row["drafted_at"],
        drafted_by=row["drafter"],
        origin=row["origin"],
        drafted_by_id=row["drafted_by_id"],
        names=names,
    )


def _named(section: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    ids = re.compile(rf"(?<![A-Za-z0-9_])({'|'.join(map(re.escape, names))})(?![A-Z0-9_])")
    texts = {part: section[part] for part in ("body", "drafted") if section.get(part)}
    return section | {part: ids.sub(lambda match: names[match[1]], text) for part, text in texts.items()}
