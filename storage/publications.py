"""Publications: where a postmortem went; a target holds one, and publishing again updates it."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from storage.models import publications
from storage.values import Publication

_OF_INCIDENT = (
    select(publications).where(publications.c.incident_id == bindparam("incident_id")).order_by(publications.c.target)
)


def of_incident(connection: Connection, incident_id: int) -> tuple[Publication, ...]:
    """Where the incident's postmortem is published, by target."""
    rows = connection.execute(_OF_INCIDENT, {"incident_id": incident_id}).mappings()
    return tuple(
        Publication(
            target=row["target"],
            location=row["location"],
            version=row["version"],
            published_at=row["published_at"],
            published_by=row["published_by"],
        )
        for row in rows
    )


def save(
    connection: Connection, incident_id: int, *, target: str, location: str, version: int, at: datetime, by: str
) -> None:
    """Say where the version is now; it takes the place of what that target held."""
    facts = {"location": location, "version": version, "published_at": at, "published_by": by}
    there = (publications.c.incident_id == incident_id) & (publications.c.target == target)
    if connection.execute(update(publications).where(there).values(facts)).rowcount == 0:
        connection.execute(insert(publications).values(incident_id=incident_id, target=target, **facts))
