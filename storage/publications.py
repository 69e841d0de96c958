"""Publications: where each postmortem is published, one row a target, which the next publication updates."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from storage.items import digests
from storage.models import publications
from storage.values import Publication

_OF_INCIDENT = (
    select(
        publications.c.target,
        publications.c.location,
        publications.c.version,
        publications.c.published_at,
        publications.c.published_by,
    )
    .where(publications.c.incident_id == bindparam("incident_id"))
    .order_by(publications.c.target)
)


def of_incident(connection: Connection, incident_id: int) -> tuple[Publication, ...]:
    """The publications of the incident's postmortem, by target."""
    rows = connection.execute(_OF_INCIDENT, {"incident_id": incident_id}).mappings()
    return tuple(Publication(**row) for row in rows)


def save(
    connection: Connection, incident_id: int, *, target: str, location: str, version: int, at: datetime, by: str
) -> None:
    """Save where the version is published, in place of the target's previous publication."""
    facts = {"location": location, "version": version, "published_at": at, "published_by": by}
    at_target = (publications.c.incident_id == incident_id) & (publications.c.target == target)
    if connection.execute(update(publications).where(at_target).values(facts)).rowcount == 0:
        connection.execute(insert(publications).values(incident_id=incident_id, target=target, **facts))
    digests.note_change(connection, incident_id, at=at)
