from datetime import date

from storage.database import Database
from storage.items import action_items
from storage.values import MEMBER
from tests.integration.storage.rows import NOW, declare, later, plan

DUE = date(2026, 4, 1)


def test_an_item_comes_back_as_it_was_planned(database: Database) -> None:
    with database.write() as connection:
        item = plan(connection, declare(connection), "alert", kind="long-term", owner="dba", due_on=DUE)
    with database.read() as connection:
        assert action_items.of_incident(connection, 1) == [item]
        assert action_items.numbered(connection, 1, 1) == item
        assert action_items.numbered(connection, 1, 2) is None
    assert (item.state, item.due_on, item.owner, item.owner_id) == ("open", DUE, "dba", None)


def test_every_change_is_kept_with_who_and_when_and_the_last_one_stands(database: Database) -> None:
    with database.write() as connection:
        item = plan(connection, declare(connection))
        item = action_items.revise(connection, item, by="U2", at=later(1), owner="bob", owner_id="U2")
        item = action_items.revise(connection, item, by="U3", at=later(2), snoozed_until=DUE)
        item = action_items.revise(connection, item, by="U4", at=later(3), state="dropped", reason="moot")
    with database.read() as connection:
        assert action_items.of_incident(connection, 1) == [item]
        kept = connection.exec_driver_sql(
            "SELECT number, revised_by_id, owner, state FROM action_item_revisions ORDER BY number"
        ).all()
    assert (item.owner, item.snoozed_until, item.state, item.reason) == ("bob", DUE, "dropped", "moot")
    assert [tuple(row) for row in kept] == [
        (1, "U1", None, "open"), (2, "U2", "bob", "open"), (3, "U3", "bob", "open"), (4, "U4", "bob", "dropped"),
    ]  # fmt: skip


def test_open_items_of_a_workspace_are_those_that_stand_open_now(database: Database) -> None:
    with database.write() as connection:
        first, second = declare(connection), declare(connection, channel_id="C2")
        mine = plan(connection, second, "mine", owner="alice", owner_id="U1")
        done = plan(connection, first, "done", owner="alice", owner_id="U1")
        given = plan(connection, first, "given away", owner="alice", owner_id="U1")
        action_items.revise(connection, done, by="U1", at=NOW, state="done")
        given = action_items.revise(connection, given, by="U1", at=NOW, owner="bob", owner_id="U2")
        assert action_items.open_in_workspace(connection, "T1", "C1", standing=MEMBER) == [(1, given), (2, mine)]
        assert action_items.open_in_workspace(connection, "T1", "C1", owner_id="U1", standing=MEMBER) == [(2, mine)]
