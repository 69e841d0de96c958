"""Postmortems: each draft, edit and import is a new version; versions are append-only."""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select

from storage.models import postmortem_versions
from storage.values import Postmortem, Section

_OF_INCIDENT = select(postmortem_versions).where(postmortem_versions.c.incident_id == bindparam("incident_id"))
_LATEST_FIRST = _OF_INCIDENT.order_by(postmortem_versions.c.number.desc())
_NEWEST = _LATEST_FIRST.limit(1)
_NUMBERED = _OF_INCIDENT.where(postmortem_versions.c.number == bindparam("number"))
_NEXT_NUMBER = select(func.coalesce(func.max(postmortem_versions.c.number), 0) + 1).where(
    postmortem_versions.c.incident_id == bindparam("incident_id")
)
_INSERT = insert(postmortem_versions)

_SECTION_DEFAULTS = {each.name: each.default for each in fields(Section) if each.default is not MISSING}


def newest(connection: Connection, incident_id: int) -> Postmortem | None:
    """The newest version of the incident's postmortem."""
    row = connection.execute(_NEWEST, {"incident_id": incident_id}).mappings().first()
    return None if row is None else _postmortem(row)


def numbered(connection: Connection, incident_id: int, number: int) -> Postmortem | None:
    """The version of that number of the incident's postmortem."""
    row = connection.execute(_NUMBERED, {"incident_id": incident_id, "number": number}).mappings().first()
    return None if row is None else _postmortem(row)


def latest_first(connection: Connection, incident_id: int) -> Iterator[Postmortem]:
    """All versions of the incident's postmortem, the newest first, built one at a time."""
    for row in connection.execute(_LATEST_FIRST, {"incident_id": incident_id}).mappings():
        yield _postmortem(row)


def add(connection: Connection, incident_id: int, **facts: Any) -> Postmortem:
    """Insert the next version. `facts`: template, sections (tuple of Section), drafted_at, drafted_by, optional origin.

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
    }
    connection.execute(_INSERT, row)


def _to_json(section: Section) -> dict[str, Any]:
    """The fields of a section that differ from their defaults."""
    values = {each.name: getattr(section, each.name) for each in fields(section)}
    return {
        name: value
        for name, value in values.items()
        if name not in _SECTION_DEFAULTS or value != _SECTION_DEFAULTS[name]
    }


def _postmortem(row: Any) -> Postmortem:
    return Postmortem(
        template=row["template"],
        version=row["number"],
        sections=tuple(Section(**each) for each in row["sections"]),
        drafted_at=row["drafted_at"],
        drafted_by=row["drafted_by"],
        origin=row["origin"],
    )
