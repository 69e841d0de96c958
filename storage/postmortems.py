"""Postmortems: every draft, edit and import is a version, and no version is changed."""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select

from storage.models import postmortem_versions
from storage.values import Postmortem, Section

_OF_INCIDENT = select(postmortem_versions).where(
    postmortem_versions.c.incident_id == bindparam("incident_id"),
)
_LATEST_FIRST = _OF_INCIDENT.order_by(postmortem_versions.c.number.desc())
_NEWEST = _LATEST_FIRST.limit(1)
_NUMBERED = _OF_INCIDENT.where(postmortem_versions.c.number == bindparam("number"))
_NEXT_NUMBER = select(func.coalesce(func.max(postmortem_versions.c.number), 0) + 1).where(
    postmortem_versions.c.incident_id == bindparam("incident_id")
)
_INSERT = insert(postmortem_versions)

_DEFAULTS = {each.name: each.default for each in fields(Section) if each.default is not MISSING}


def newest(connection: Connection, incident_id: int) -> Postmortem | None:
    """The incident's latest version."""
    row = connection.execute(_NEWEST, {"incident_id": incident_id}).mappings().first()
    return None if row is None else _value(row)


def numbered(connection: Connection, incident_id: int, number: int) -> Postmortem | None:
    """The incident's version of that number."""
    row = connection.execute(_NUMBERED, {"incident_id": incident_id, "number": number}).mappings().first()
    return None if row is None else _value(row)


def latest_first(connection: Connection, incident_id: int) -> Iterator[Postmortem]:
    """Every version of the incident's postmortem, one at a time, the newest first."""
    for row in connection.execute(_LATEST_FIRST, {"incident_id": incident_id}).mappings():
        yield _value(row)


def add(connection: Connection, incident_id: int, **facts: Any) -> Postmortem:
    """Keep a new version. `facts`: template, sections (tuple of Section), drafted_at, drafted_by, maybe origin.

    Raises sqlalchemy.exc.IntegrityError when another transaction kept one of that number meanwhile; to lock the
    incident first keeps that from happening.
    """
    number = connection.execute(_NEXT_NUMBER, {"incident_id": incident_id}).scalar_one()
    version = Postmortem(version=number, **facts)
    insert_version(connection, incident_id, version)
    return version


def insert_version(connection: Connection, incident_id: int, version: Postmortem) -> None:
    """Keep a version under the number it has, whether or not those before it are there."""
    row = {
        "incident_id": incident_id,
        "number": version.version,
        "template": version.template,
        "sections": [_plain(each) for each in version.sections],
        "drafted_at": version.drafted_at,
        "drafted_by": version.drafted_by,
        "origin": version.origin,
    }
    connection.execute(_INSERT, row)


def _plain(section: Section) -> dict[str, Any]:
    """What is stored of a section: the fields that say something."""
    values = {each.name: getattr(section, each.name) for each in fields(section)}
    return {name: value for name, value in values.items() if name not in _DEFAULTS or value != _DEFAULTS[name]}


def _value(row: Any) -> Postmortem:
    return Postmortem(
        template=row["template"],
        version=row["number"],
        sections=tuple(Section(**each) for each in row["sections"]),
        drafted_at=row["drafted_at"],
        drafted_by=row["drafted_by"],
        origin=row["origin"],
    )
