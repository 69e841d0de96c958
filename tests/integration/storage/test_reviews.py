from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from storage import reviews
from storage.database import Database
from storage.values import Invitee, Review
from tests.integration.storage.rows import NOW, declare, later

PLAN = Review(
    sequence=0, starts_at=later(30), duration_s=2700, timezone="Europe/Berlin", cancelled=False,
    people=(Invitee(user_id="U1", name="alice"), Invitee(user_id="U2", name="bøb")),
    planned_at=NOW, planned_by_id="U1",
)  # fmt: skip


def test_every_plan_is_kept_with_who_and_when_and_the_newest_stands(database: Database) -> None:
    moved = replace(PLAN, sequence=1, starts_at=later(45), planned_by_id="U2", planned_at=later(1))
    gone = replace(moved, sequence=2, cancelled=True)
    with database.write() as connection:
        incident, other = declare(connection), declare(connection, channel_id="C2")
        assert reviews.newest(connection, incident.id) is None
        reviews.add(connection, incident.id, PLAN)
        reviews.add(connection, incident.id, moved)
        assert reviews.planned(connection, incident.id) == moved
        reviews.add(connection, incident.id, gone)
    with database.read() as connection:
        assert reviews.of_incident(connection, incident.id) == (PLAN, moved, gone)
        assert reviews.newest(connection, incident.id) == gone
        assert reviews.planned(connection, incident.id) is None
        assert reviews.planned(connection, other.id) is None


def test_no_two_plans_have_one_sequence(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        reviews.add(connection, incident.id, PLAN)
    with pytest.raises(IntegrityError), database.write() as connection:
        reviews.add(connection, incident.id, replace(PLAN, duration_s=3600))
    with database.read() as connection:
        assert reviews.of_incident(connection, incident.id) == (PLAN,)
