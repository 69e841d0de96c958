"""Reviews in the store: every plan is kept, the newest stands."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from storage import members, reviews
from storage.database import Database
from storage.values import BOT, Invitee, Member, Review
from tests.integration.storage.making import NOW, declare, later

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


def test_the_members_that_are_bots_are_known_as_such(database: Database) -> None:
    people = [
        Member(workspace_id=workspace, user_id=user_id, name=user_id, timezone=None, barred=why)
        for workspace, user_id, why in (("T1", "U1", None), ("T1", "U2", BOT), ("T2", "U3", BOT))
    ]
    with database.write() as connection:
        members.save(connection, people, at=NOW)
    with database.read() as connection:
        assert members.bot_ids(connection, "T1") == {"U2"}
        assert members.find(connection, "T1", "U2") == people[1]
