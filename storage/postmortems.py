"""Postmortems: every draft is a version, and no version is changed."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, func, insert, select

from storage.models import postmortem_versions
from storage.values import Postmortem, Section


def newest(connection: Connection, incident_id: int) -> Postmortem | None:
    """The incident's latest version."""
    query = (
        select(postmortem_versions)
        .where(postmortem_versions.c.incident_id == incident_id)
        .order_by(postmortem_versions.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else _value(row)


def add(connection: Connection, incident_id: int, **facts: Any) -> Postmortem:
    """Keep a new version. `facts`: template, sections (tuple of Section), drafted_at, drafted_by."""
    number = connection.execute(
        select(func.coalesce(func.max(postmortem_versions.c.number), 0) + 1).where(
            postmortem_versions.c.incident_id == incident_id
        )
    ).scalar_one()
    sections = facts.pop("sections")
    row = facts | {
        "number": number,
        "incident_id": incident_id,
        "sections": [asdict(each) for each in sections],
    }
    connection.execute(insert(postmortem_versions), row)
    return Postmortem(version=number, sections=sections, **facts)


def _value(row: Any) -> Postmortem:
    return Postmortem(
        template=row["template"],
        version=row["number"],
        sections=tuple(Section(**each) for each in row["sections"]),
        drafted_at=row["drafted_at"],
        drafted_by=row["drafted_by"],
    )
