from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from alembic import command
from sqlalchemy import event, text

from storage import schema
from storage.database import Database
from storage.items import reminder_schedules, reminders
from storage.items.action_items import revise
from storage.values import Reminder, ReminderSchedule
from tests.integration.storage.rows import NOW, declare, later, plan
from tests.support.many_items import AT, seed
from tests.support.together import together

WORKSPACE = "T1"


def lock(database: Database, **due: Any) -> None:
    with database.write() as connection:
        reminder_schedules.lock(connection, WORKSPACE, due)


def claimed(database: Database, minutes: int = 30) -> list[str]:
    with database.write() as connection:
        return [each.recipient_id for each in reminder_schedules.claim(connection, at=later(minutes), most=9)]


def test_a_schedule_is_due_at_the_earliest_time_given(database: Database) -> None:
    lock(database, U1=later(20), U2=None)
    lock(database, U1=later(10), U2=later(25))
    lock(database, U1=later(15), U2=None)
    assert claimed(database, 9) == []
    assert claimed(database, 10) == ["U1"]
    assert claimed(database, 25) == ["U1", "U2"]
    with database.read() as connection:
        assert not reminder_schedules.is_due(connection, at=later(9))
        assert reminder_schedules.is_due(connection, at=later(10))


def test_a_schedule_locked_by_one_transaction_is_skipped_by_others(postgres: Database) -> None:
    lock(postgres, U1=later(1), U2=later(2))
    with postgres.write() as connection:
        assert [each.recipient_id for each in reminder_schedules.claim(connection, at=later(9), most=1)] == ["U1"]
        assert claimed(postgres) == ["U2"]
        with postgres.write() as other:
            assert not reminder_schedules.try_lock(other, WORKSPACE, "U1")
            assert reminder_schedules.try_lock(other, WORKSPACE, "U2")
            assert reminder_schedules.try_lock(other, WORKSPACE, "U3")
    assert claimed(postgres) == ["U1", "U2"]


def test_transactions_that_lock_the_same_schedules_in_any_order_do_not_deadlock(database: Database) -> None:
    names = [f"U{number}" for number in range(20)]

    def work(number: int) -> None:
        for _ in range(5):
            lock(database, **dict.fromkeys(names if number % 2 else names[::-1], later(number)))

    together(work)
    assert len(claimed(database)) == 9


def put(database: Database, **facts: Any) -> None:
    with database.write() as connection:
        incident = declare(connection)
        item = plan(connection, incident)
        bare = Reminder(
            id=0,
            kind="item",
            recipient_id="U1",
            due_at=later(5),
            told_on=None,
            incident=incident,
            item=item,
            since_at=NOW,
        )
        reminder_schedules.lock(connection, WORKSPACE, {"U1": later(5)})
        reminders.save(connection, Reminder(**{name: getattr(bare, name) for name in bare.__slots__} | facts))


def test_a_reminder_comes_back_with_all_it_is_about(database: Database) -> None:
    put(database)
    with database.write() as connection:
        held = reminder_schedules.claim(connection, at=later(5), most=9)
        ((found,),) = reminders.due(connection, held, at=later(5), most=9)
        assert found.item is not None
        assert (found.kind, found.recipient_id, found.due_at, found.since_at) == ("item", "U1", later(5), NOW)
        assert (found.incident.name, found.item.text, found.published) == ("INC-1", "add an alert", False)
        item = revise(connection, found.item, by="U1", at=later(6), state="done")
        (now,) = reminders.iterate(connection, page=9)
        assert now.item == item
        told = date(2026, 3, 12)
        reminders.settle(connection, [{"reminder": found.id, "recipient": "U1", "due": None, "told": told}])
        reminder_schedules.reschedule(connection, held, digest_days={held[0]: told}, bundles=held)
        (listed,) = reminders.of_recipient(connection, WORKSPACE, "U1", kind="item", until=told)
        assert listed.told_on == told
        last = reminder_schedules.last_digests(connection)
        assert last == {(WORKSPACE, "U1"): replace(held[0], told_on=told, bundled_on=told)}
        assert not reminder_schedules.is_due(connection, at=later(59))
        reminders.revoke_digest(connection, WORKSPACE, "U1", told, due_at=later(7))
        reminder_schedules.revoke(connection, WORKSPACE, "U1", told)
        assert reminder_schedules.last_digests(connection)[WORKSPACE, "U1"].bundled_on is None
        reminder_schedules.reschedule(connection, held, digest_days={})
        assert reminder_schedules.is_due(connection, at=later(7))


def test_another_workspaces_recipient_of_the_same_name_is_another(database: Database) -> None:
    put(database)
    with database.write() as connection:
        other = [ReminderSchedule(workspace_id="T2", recipient_id="U1", told_on=None)]
        assert list(reminders.due(connection, other, at=later(9), most=9)) == []
        assert reminders.of_recipient(connection, "T2", "U1", kind="item", until=NOW.date()) == []


def test_with_nothing_due_polling_uses_the_partial_index(database: Database) -> None:
    with database.write() as connection:
        seed(connection, 2_000, owners=1_000, due=1_000)
    asked: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", hear)
    with database.write() as connection:
        assert not reminder_schedules.is_due(connection, at=AT - timedelta(hours=1))
        assert reminder_schedules.claim(connection, at=AT - timedelta(hours=1), most=50) == []
    event.remove(database.engine, "before_cursor_execute", hear)
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.read() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("ANALYZE agendas")
        for statement, parameters in asked[:2]:
            plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters))
            assert "ix_agendas_due_at" in plan, plan
            assert "Seq Scan" not in plan


def test_items_open_before_the_migration_to_reminders_get_one(tmp_path: Any) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    schema.migrate(database)
    with database.write() as connection:
        incident = declare(connection, lead_id="U7")
        plan(connection, incident, owner_id="U1")
        plan(connection, incident)
        revise(connection, plan(connection, incident), by="U1", at=later(1), state="done")
        command.downgrade(schema._config(connection), "0005")
        command.upgrade(schema._config(connection), "0006")
        rows = connection.execute(text("SELECT recipient_id FROM reminders ORDER BY item_id")).scalars().all()
        assert rows == ["U1", "U7"]
        rows = connection.execute(text("SELECT recipient_id FROM agendas ORDER BY recipient_id")).scalars().all()
        assert rows == ["U1", "U7"]
    database.close()
