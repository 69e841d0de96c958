"""Hand-overs in the store: what waits for whom, who has left, and that two transactions never settle the same."""

from typing import Any

from sqlalchemy import event, text

from bot.domain.items.cadence import Cadence
from bot.domain.items.handover import GIVEN, LEFT
from bot.handlers.items.handovers import HANDOVER, tick
from storage import members, outbox
from storage.database import Database
from storage.items import action_items, handovers, reminder_schedules
from storage.values import Handover, Member
from tests.integration.storage.rows import NOW, declare, later, plan
from tests.support.together import together

WORKSPACE = "T1"
EVERY_DAY = Cadence()
"""NOW is a Thursday noon in UTC."""


def given(database: Database, recipient_id: str, *, minutes: int = 10, count: int = 1, **other: Any) -> list[int]:
    """Items of the recipient, which they are to be told of; returns the items' row ids."""
    with database.write() as connection:
        incident = declare(connection)
        found = [plan(connection, incident, owner=recipient_id.lower(), owner_id=recipient_id) for _ in range(count)]
        row = {
            "workspace_id": WORKSPACE, "recipient_id": recipient_id, "incident_id": incident.id, "kind": GIVEN,
            "by_id": "U9", "held": False, "state": None, "due_on": None, "recorded_at": NOW,
            "due_at": later(minutes), "told_on": None,
        }  # fmt: skip
        handovers.add(connection, [{**row, **other, "item_id": item.id} for item in found])
        return [item.id for item in found]


def waiting(database: Database, recipient_id: str) -> list[Handover]:
    with database.write() as connection:
        return handovers.waiting(connection, WORKSPACE, recipient_id)


def jobs(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        rows = connection.execute(text("SELECT lane, action FROM outbox ORDER BY id")).mappings()
        return [dict(row) for row in rows]


def test_what_waits_is_due_in_its_time_and_settled_once(database: Database) -> None:
    given(database, "U1", minutes=10, count=2)
    given(database, "U2", minutes=20)
    with database.read() as connection:
        assert not handovers.is_due(connection, at=later(9))
        assert handovers.is_due(connection, at=later(10))
        assert handovers.due_recipients(connection, at=later(19)) == [(WORKSPACE, "U1")]
        assert sorted(handovers.due_recipients(connection, at=later(20))) == [(WORKSPACE, "U1"), (WORKSPACE, "U2")]
    assert tick(database, EVERY_DAY, at=later(10)) == 1
    assert waiting(database, "U1") == []
    assert len(waiting(database, "U2")) == 1
    assert tick(database, EVERY_DAY, at=later(10)) == 0
    assert jobs(database) == [{"lane": "U1", "action": HANDOVER}]


def test_many_ticks_at_once_write_one_message_for_each_recipient(database: Database) -> None:
    for number in range(120):
        given(database, f"U{number}", count=2)
    counts = []

    def work(_number: int) -> None:
        counts.append(tick(database, EVERY_DAY, at=later(10)))

    together(work)
    assert sum(counts) == 120
    assert sorted(job["lane"] for job in jobs(database)) == sorted(f"U{number}" for number in range(120))


def test_a_recipient_whom_another_transaction_has_locked_is_left_to_it(postgres: Database) -> None:
    given(postgres, "U1")
    given(postgres, "U2")
    with postgres.write() as connection:
        reminder_schedules.lock(connection, WORKSPACE, {"U1": None})
    with postgres.write() as connection:
        reminder_schedules.lock(connection, WORKSPACE, {"U1": None})
        assert tick(postgres, EVERY_DAY, at=later(10)) == 1
    assert tick(postgres, EVERY_DAY, at=later(10)) == 1
    assert [job["lane"] for job in jobs(postgres)] == ["U2", "U1"]


def test_a_tick_that_fails_settles_nothing(database: Database) -> None:
    given(database, "U1")
    with database.write() as connection:
        connection.execute(text("ALTER TABLE outbox RENAME TO elsewhere"))
    failed = False
    try:
        tick(database, EVERY_DAY, at=later(10))
    except Exception:  # noqa: BLE001 - each database raises its own
        failed = True
    assert failed
    with database.write() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO outbox"))
    assert tick(database, EVERY_DAY, at=later(10)) == 1


def test_a_tick_with_nothing_due_is_one_query_of_partial_indexes(database: Database) -> None:
    given(database, "U1", minutes=11, count=3)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert tick(database, EVERY_DAY, at=later(10)) == 0
    selected = [each for each in statements if each.startswith("SELECT")]
    assert len(selected) == 1
    assert "handovers.due_at IS NOT NULL" in selected[0]
    assert "members.left_at IS NOT NULL" in selected[0]


def test_what_waits_can_be_forgotten_and_what_was_told_is_kept_for_a_time(database: Database) -> None:
    (item,) = given(database, "U1", due_at=None, told_on=NOW.date())
    given(database, "U1", kind=LEFT, item_id=None)
    with database.write() as connection:
        handovers.forget(connection, item, "U1")
        assert handovers.last_by(connection, item, "U1", kind=GIVEN) == "U9"
        handovers.prune(connection, before=NOW, most=9)
        assert handovers.last_by(connection, item, "U1", kind=GIVEN) == "U9"
        handovers.prune(connection, before=later(1), most=9)
        assert handovers.last_by(connection, item, "U1", kind=GIVEN) is None
    assert len(waiting(database, "U1")) == 1


def person(user_id: str, barred: str | None = None) -> Member:
    return Member(workspace_id=WORKSPACE, user_id=user_id, name=user_id.lower(), timezone=None, barred=barred)


def departed(database: Database) -> list[str]:
    with database.write() as connection:
        return sorted(user_id for _, user_id in members.departed(connection, most=9))


def save(database: Database, *people: Member) -> None:
    with database.write() as connection:
        members.save(connection, people, at=NOW)


def test_who_leaves_is_noticed_once_each_time_by_whatever_look(database: Database) -> None:
    save(database, person("U1"), person("U2"), person("U3", "bot"), person("U4", "deactivated"))
    assert departed(database) == ["U4"]
    save(database, person("U1", "deactivated"), person("U2", "outside"), person("U4", "deactivated"))
    save(database, person("U1", "deactivated"), person("U2"))
    assert departed(database) == ["U1"]
    save(database, person("U1", "unknown"))
    assert departed(database) == []
    save(database, person("U1"))
    save(database, person("U1", "deactivated"), person("U2", "deactivated"))
    save(database, person("U2"))
    assert departed(database) == ["U1"]
    with database.write() as connection:
        members.mark_barred(connection, WORKSPACE, "U2", "unknown", at=NOW)
        members.mark_barred(connection, WORKSPACE, "U1", "unknown", at=NOW)
    assert departed(database) == ["U2"]


def test_the_pending_items_of_who_left_are_those_of_counted_incidents(database: Database) -> None:
    with database.write() as connection:
        first, second, cancelled = (declare(connection) for _ in range(3))
        for incident in (second, first, cancelled):
            plan(connection, incident, "theirs", owner="u1", owner_id="U1")
            plan(connection, incident, "another's", owner="u2", owner_id="U2")
            done = plan(connection, incident, "done", owner="u1", owner_id="U1")
            action_items.revise(connection, done, by="U1", at=NOW, state="done")
        connection.execute(text("UPDATE incidents SET closed_as = 'cancelled' WHERE id = :id"), {"id": cancelled.id})
        ids = handovers.pending_ids(connection, WORKSPACE, "U1")
        found = [each for item_id in ids if (each := handovers.pending(connection, WORKSPACE, "U1", item_id))]
        assert [(incident.id, item.text) for incident, item in found] == [(first.id, "theirs"), (second.id, "theirs")]
        assert handovers.pending_ids(connection, "T2", "U1") == []
        assert handovers.pending(connection, "T2", "U1", ids[0]) is None
        assert handovers.pending(connection, WORKSPACE, "U2", ids[0]) is None
        assert handovers.pending(connection, WORKSPACE, "U1", done.id) is None
        assert outbox.is_due(connection, at=NOW) is False
