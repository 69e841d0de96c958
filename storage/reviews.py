"""Reviews: the meeting about an incident's postmortem. Every plan is kept; the newest stands."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from storage.models import reviews
from storage.values import Invitee, Review

_OF_INCIDENT = select(reviews).where(reviews.c.incident_id == bindparam("incident_id")).order_by(reviews.c.sequence)


def of_incident(connection: Connection, incident_id: int) -> tuple[Review, ...]:
    """Every plan for the incident's review, the newest last: who planned, moved or cancelled it, and when."""
    return tuple(_value(row) for row in connection.execute(_OF_INCIDENT, {"incident_id": incident_id}).mappings())


def newest(connection: Connection, incident_id: int) -> Review | None:
    """The plan that stands, also where it is a cancellation; None when there never was one."""
    plans = of_incident(connection, incident_id)
    return plans[-1] if plans else None


def planned(connection: Connection, incident_id: int) -> Review | None:
    """The plan that stands, unless it was cancelled."""
    review = newest(connection, incident_id)
    return None if review is None or review.cancelled else review


def add(connection: Connection, incident_id: int, review: Review) -> None:
    """Keep a plan. Raises sqlalchemy.exc.IntegrityError where another took its sequence meanwhile."""
    row = asdict(review) | {"incident_id": incident_id, "people": [asdict(person) for person in review.people]}
    connection.execute(insert(reviews), row)


def _value(row: Any) -> Review:
    return Review(
        sequence=row["sequence"],
        starts_at=row["starts_at"],
        duration_s=row["duration_s"],
        timezone=row["timezone"],
        cancelled=row["cancelled"],
        people=tuple(Invitee(**each) for each in row["people"]),
        planned_at=row["planned_at"],
        planned_by_id=row["planned_by_id"],
    )
