"""Reviews: plans of the meeting about an incident's postmortem. Plans are append-only; the newest is in effect."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from storage.members import names_of
from storage.models import incidents, reviews
from storage.values import Invitee, Review

_OF_INCIDENT = (
    select(incidents.c.workspace_id, *(reviews.c[field.name] for field in fields(Review)))
    .join(incidents, incidents.c.id == reviews.c.incident_id)
    .where(reviews.c.incident_id == bindparam("incident_id"))
    .order_by(reviews.c.sequence)
)


def of_incident(connection: Connection, incident_id: int) -> tuple[Review, ...]:
    """All plans of the incident's review, the newest last; a cancellation is a plan too. Names are those of now."""
    rows: list[dict[str, Any]] = [
        dict(row) for row in connection.execute(_OF_INCIDENT, {"incident_id": incident_id}).mappings()
    ]
    invited = {person["user_id"] for row in rows for person in row["people"]}
    names = names_of(connection, rows[0]["workspace_id"], invited) if invited else {}
    for row in rows:
        del row["workspace_id"]
        row["people"] = tuple(Invitee(**person | _name(names, person["user_id"])) for person in row["people"])
    return tuple(Review(**row) for row in rows)


def _name(names: dict[str, str], user_id: str) -> dict[str, str]:
    return {"name": names[user_id]} if user_id in names else {}


def newest(connection: Connection, incident_id: int) -> Review | None:
    """The plan in effect, which may be a cancellation; None when there has been no plan."""
    plans = of_incident(connection, incident_id)
    return plans[-1] if plans else None


def planned(connection: Connection, incident_id: int) -> Review | None:
    """The plan in effect, unless it is a cancellation."""
    review = newest(connection, incident_id)
    return None if review is None or review.cancelled else review


def add(connection: Connection, incident_id: int, review: Review) -> None:
    """Insert a plan. Raises sqlalchemy.exc.IntegrityError when another transaction used its sequence."""
    connection.execute(insert(reviews), asdict(review) | {"incident_id": incident_id})
