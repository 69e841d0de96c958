from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, text

from storage import incidents, schema, timeline
from storage.database import Database
from storage.items import action_items
from storage.search import find as search
from storage.values import MEMBER, MERGED, MISTAKEN
from tests.integration.storage.rows import NOW, declare, later, plan, say, write_and_fail
from tests.support.together import THREADS, together


def names(found: list[Any]) -> list[str]:
    return [each.name for each in found]


def found(connection: Connection, workspace_id: str, channel_id: str, words: str, *, limit: int) -> list[str]:
    place = (connection, workspace_id, channel_id)
    return [each.incident.name for each in search.search(*place, words, standing=MEMBER, limit=limit)]


def test_an_incident_comes_back_as_it_was_declared(database: Database) -> None:
    with database.write() as connection:
        declared = declare(connection, title="ünï 🔥", severity="SEV2", private=True, timezone="Asia/Tokyo")
        assert declared.open
    with database.read() as connection:
        assert incidents.by_id(connection, declared.id) == declared
        assert incidents.numbered(connection, "T1", 1) == declared
        assert incidents.in_channel(connection, "T1", "C1") == declared
        assert incidents.numbered(connection, "T1", 2) is None
        assert incidents.in_channel(connection, "T1", "C9") is None


def test_numbers_run_without_a_gap_in_each_workspace_however_many_declare_at_once(database: Database) -> None:
    def declare_some(number: int) -> None:
        for turn in range(6):
            with database.write() as connection:
                declare(connection, f"T{1 + (number + turn) % 2}", f"C{number}")
            with pytest.raises(ZeroDivisionError):
                write_and_fail(database, declare)

    together(declare_some)
    with database.read() as connection:
        assert incidents.workspace_ids(connection) == ["T1", "T2"]
        for workspace_id in ("T1", "T2"):
            found = incidents.listing(connection, workspace_id, "C0", open_only=False, limit=100, standing=MEMBER)
            assert [each.number for each in found] == list(range(3 * THREADS, 0, -1))


LOCKING: dict[str, Callable[[Connection], object]] = {
    "the channel's": lambda connection: incidents.in_channel(connection, "T1", "C1", lock=True),
    "by its number": lambda connection: incidents.numbered(connection, "T1", 1, lock=True),
    "unless it is locked": lambda connection: incidents.try_lock(connection, 1),
}
READING: dict[str, Callable[[Connection], object]] = {
    "the channel's": lambda connection: incidents.in_channel(connection, "T1", "C1"),
    "by its number": lambda connection: incidents.numbered(connection, "T1", 1),
    "by its id": lambda connection: incidents.by_id(connection, 1),
}


def locked(postgres: Database, table: str) -> list[int | str]:
    """The ids of the rows that no other transaction can lock now."""
    ids = text(f"SELECT id FROM {table} ORDER BY id")  # noqa: S608 - our own word
    free = text(f"SELECT id FROM {table} FOR UPDATE SKIP LOCKED")  # noqa: S608
    with postgres.read() as connection:
        unlocked = set(connection.execute(free).scalars())
        return [each for each in connection.execute(ids).scalars() if each not in unlocked]


@pytest.mark.parametrize("lock", LOCKING.values(), ids=LOCKING)
def test_an_incident_is_locked_until_the_transaction_ends_and_no_other_is(
    postgres: Database, lock: Callable[[Connection], object]
) -> None:
    with postgres.write() as connection:
        declare(connection)
        declare(connection, channel_id="C2")
        declare(connection, "T2")
    with postgres.write() as connection:
        assert lock(connection)
        assert locked(postgres, "incidents") == [1]
    assert locked(postgres, "incidents") == []


@pytest.mark.parametrize("read", READING.values(), ids=READING)
def test_who_only_reads_an_incident_locks_nothing(postgres: Database, read: Callable[[Connection], object]) -> None:
    with postgres.write() as connection:
        declare(connection)
    with postgres.write() as connection:
        assert read(connection)
        assert locked(postgres, "incidents") == []


def test_an_incident_that_another_transaction_has_locked_is_not_waited_for(postgres: Database) -> None:
    with postgres.write() as connection:
        declare(connection)
        declare(connection)
    with postgres.write() as first, postgres.write() as second:
        assert incidents.try_lock(first, 1)
        assert not incidents.try_lock(second, 1)
        assert incidents.try_lock(second, 2)


def test_who_declares_locks_the_workspace_and_no_other(postgres: Database) -> None:
    with postgres.write() as connection:
        for workspace_id in ("T1", "T2"):
            incidents.lock_workspace(connection, workspace_id)
        assert locked(postgres, "workspaces") == []  # nobody else sees them yet
    with postgres.write() as connection:
        incidents.lock_workspace(connection, "T1")
        assert locked(postgres, "workspaces") == ["T1"]
    assert locked(postgres, "workspaces") == []


def test_every_question_is_about_one_workspace(database: Database) -> None:
    with database.write() as connection:
        one, two = declare(connection, "T1", title="mine"), declare(connection, "T2", title="yours")
        for incident in (one, two):
            say(connection, incident, f"zebra of {incident.workspace_id}")
            plan(connection, incident, f"item of {incident.workspace_id}", owner="alice", owner_id="U1")
    assert one.number == two.number == 1
    assert one.channel_id == two.channel_id
    with database.read() as connection:
        for mine in (one, two):
            workspace_id = mine.workspace_id
            assert incidents.numbered(connection, workspace_id, 1) == mine
            assert incidents.in_channel(connection, workspace_id, "C1") == mine
            assert incidents.listing(connection, workspace_id, "C1", open_only=True, limit=9, standing=MEMBER) == [mine]
            assert found(connection, workspace_id, "C1", "zebra", limit=9) == [mine.name]
            assert [entry.text for entry in timeline.of_incident(connection, mine.id)] == [f"zebra of {workspace_id}"]
            for owner_id in ("U1", None):
                items = action_items.open_in_workspace(
                    connection, workspace_id, "C1", owner_id=owner_id, standing=MEMBER
                )
                assert [(number, item.text) for number, item in items] == [(1, f"item of {workspace_id}")]


def test_the_channels_incident_is_the_newest_open_one_else_the_newest(database: Database) -> None:
    with database.write() as connection:
        first, second = declare(connection), declare(connection)
        declare(connection, channel_id="C2")
        assert incidents.in_channel(connection, "T1", "C1") == second
        incidents.set_open(connection, second, is_open=False)
        assert incidents.in_channel(connection, "T1", "C1") == first
        incidents.set_open(connection, first, is_open=False)
        assert names([incidents.in_channel(connection, "T1", "C1", lock=True)]) == ["INC-2"]


def test_a_channels_cancelled_incident_comes_after_one_that_counts_and_a_merged_one_never(database: Database) -> None:
    with database.write() as connection:
        older, cancelled, merged, latest = (declare(connection) for _ in range(4))
        elsewhere = declare(connection, channel_id="C2")
        for each in (older, cancelled):
            incidents.set_open(connection, each, is_open=False)
        incidents.close(connection, cancelled, closed_as="cancelled", why="drill", by="U1", at=NOW)
        for each in (merged, latest):
            incidents.close(connection, each, closed_as=MERGED, same_as=elsewhere, by="U1", at=NOW)
    with database.read() as connection:
        assert names([incidents.in_channel(connection, "T1", "C1")]) == ["INC-1"]
        assert names([incidents.merged_from(connection, "C1", elsewhere)]) == ["INC-4"]
        assert incidents.merged_from(connection, "C2", elsewhere) is None
        assert incidents.merged_from(connection, "C1", older) is None


@pytest.mark.parametrize("merged_as", [MERGED, MISTAKEN])
def test_what_was_merged_into_an_incident_follows_it_and_nothing_else_does(database: Database, merged_as: str) -> None:
    with database.write() as connection:
        first, second, third, cancelled, elsewhere = (
            declare(connection, workspace_id) for workspace_id in ("T1", "T1", "T1", "T1", "T2")
        )
        incidents.close(connection, first, closed_as=merged_as, same_as=second, by="U1", at=NOW)
        incidents.close(connection, cancelled, closed_as="duplicate", same_as=second, by="U1", at=NOW)
        incidents.close(connection, elsewhere, closed_as=merged_as, same_as=second, by="U1", at=NOW)
        incidents.close(connection, second, closed_as=merged_as, same_as=third, by="U1", at=NOW)
    with database.read() as connection:
        found = [incidents.by_id(connection, number).same_as_id for number in range(1, 6)]
        assert found == [third.id, third.id, None, second.id, second.id]
        assert incidents.holder(connection, incidents.by_id(connection, 1)).id == third.id
        assert incidents.holder(connection, incidents.by_id(connection, 4)).id == cancelled.id


def test_what_was_merged_into_a_hidden_incident_is_listed_beside_the_hidden_one_alone(database: Database) -> None:
    with database.write() as connection:
        into_hidden, into_open, mistaken, cancelled, plain = (declare(connection) for _ in range(5))
        hidden, seen = (
            declare(connection, channel_id="G1", private=True),
            declare(connection, channel_id="C2"),
        )
        for each, original in ((into_hidden, hidden), (into_open, seen)):
            incidents.close(connection, each, closed_as=MERGED, same_as=original, by="U1", at=NOW)
        incidents.close(connection, mistaken, closed_as=MISTAKEN, same_as=seen, by="U1", at=NOW)
        incidents.close(connection, cancelled, closed_as="cancelled", by="U1", at=NOW)

        def listed(channel_id: str, standing: str = MEMBER) -> list[int]:
            found = incidents.listing(connection, "T1", channel_id, open_only=False, limit=9, standing=standing)
            return sorted(each.number for each in found)

        seen_by_all = [into_open.number, cancelled.number, plain.number, seen.number]
        assert listed("C1") == seen_by_all
        assert listed("G1") == sorted([*seen_by_all, into_hidden.number, hidden.number])
        assert listed("C1", standing="guest") == [into_open.number, cancelled.number, plain.number]


def test_the_last_to_happen_comes_first_and_no_more_than_asked_for(database: Database) -> None:
    with database.write() as connection:
        for minute in (5, 9, 1, 9):
            say(connection, declare(connection, declared_at=later(minute)), "zebra", occurred_at=later(minute))
    with database.read() as connection:
        for limit, expected in ((9, ["INC-4", "INC-2", "INC-1", "INC-3"]), (2, ["INC-4", "INC-2"])):
            listed = incidents.listing(connection, "T1", "C1", open_only=False, limit=limit, standing=MEMBER)
            assert names(listed) == expected
            assert found(connection, "T1", "C1", "zebra", limit=limit) == expected


def test_who_closed_an_incident_is_whoever_closed_it_last(database: Database) -> None:
    with database.write() as connection:
        incident, other = declare(connection), declare(connection)
        assert incidents.last_closing(connection, incident) is None
        for by, minute in (("U1", 1), ("U2", 3)):
            closed = incidents.close(connection, incident, closed_as="cancelled", why="", by=by, at=later(minute))
            incidents.change(connection, closed, {"closed_as": None}, by="U4", at=later(minute + 1))
        incidents.close(connection, other, closed_as="cancelled", why="", by="U3", at=later(9))
        assert incidents.last_closing(connection, closed) == ("U2", later(3))


def test_a_private_incident_is_seen_only_from_its_own_channel(database: Database) -> None:
    with database.write() as connection:
        public, private = declare(connection), declare(connection, channel_id="G1", private=True, title="secret")
        say(connection, private, "secret too")
        plan(connection, private)
    with database.read() as connection:
        for channel_id, seen in (("C1", ["INC-1"]), ("G1", ["INC-2", "INC-1"])):
            assert (
                names(incidents.listing(connection, "T1", channel_id, open_only=False, limit=9, standing=MEMBER))
                == seen
            )
            assert found(connection, "T1", channel_id, "secret", limit=9) == seen[:-1]
            assert len(action_items.open_in_workspace(connection, "T1", channel_id, standing=MEMBER)) == len(seen) - 1
    assert public.number == 1


def test_changed_facts_are_kept_with_who_and_when(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        changed = incidents.change(connection, incident, {"lead": "bob", "lead_id": "U2"}, by="U1", at=later(1))
        changed = incidents.change(connection, changed, {"title": "new"}, by="U3", at=later(2))
    assert (changed.lead, changed.lead_id, changed.title) == ("bob", "U2", "new")
    with database.read() as connection:
        kept = connection.exec_driver_sql("SELECT field, value, changed_by FROM incident_changes ORDER BY id").all()
    assert [tuple(row) for row in kept] == [("lead", "bob", "U1"), ("lead_id", "U2", "U1"), ("title", "new", "U3")]


def test_one_that_pointed_to_another_before_there_were_closed_ones_still_does(database: Database) -> None:
    with database.write() as connection:
        original, mistaken = declare(connection), declare(connection)
        incidents.close(connection, mistaken, MISTAKEN, same_as=original, by="U1", at=later(1))
        config = schema._config(connection)
        command.downgrade(config, "0009-1")
        assert connection.exec_driver_sql("SELECT count(*) FROM incidents").scalar_one() == 2
        command.upgrade(config, "head")
        kept = incidents.numbered(connection, "T1", mistaken.number)
        assert kept is not None
        assert (kept.closed_as, kept.state, kept.same_as_id, kept.open) == (MISTAKEN, "duplicate", original.id, False)
        assert names([incidents.numbered(connection, "T1", original.number)]) == [original.name]
        assert incidents.by_id(connection, original.id).closed_as is None


def test_a_mistaken_incident_points_at_the_real_one_and_is_listed_no_more(database: Database) -> None:
    with database.write() as connection:
        original = declare(connection)
        incidents.set_open(connection, original, is_open=False)
        mistaken = declare(connection)
        assert incidents.holder(connection, mistaken) == mistaken
        mistaken = incidents.close(connection, mistaken, MISTAKEN, same_as=original, by="U1", at=later(1))
        assert names([incidents.holder(connection, mistaken)]) == ["INC-1"]
        assert names([incidents.in_channel(connection, "T1", "C1")]) == ["INC-1"]
        assert names(incidents.listing(connection, "T1", "C1", open_only=False, limit=9, standing=MEMBER)) == ["INC-1"]
        assert names([incidents.numbered(connection, "T1", 2)]) == ["INC-2"]
