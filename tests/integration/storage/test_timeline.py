from typing import Any

import pytest
from sqlalchemy import event

from storage import action_items, incidents, outbox, postmortems, receipts, timeline
from storage.database import Database
from storage.values import Section
from tests.integration.storage.rows import NOW, declare, later, plan, say, write_and_fail
from tests.support.together import THREADS, together

APPEND_ONLY = {
    "timeline_entries", "entry_revisions", "action_items", "action_item_revisions", "postmortem_versions",
    "incident_changes", "receipts",
}  # fmt: skip


def test_an_entry_comes_back_as_it_was_written(database: Database) -> None:
    with database.write() as connection:
        written = say(
            connection, declare(connection), "ünï 🔥 \u202eabc", kind="detected", qualifier="monitoring",
            occurred_at=later(0), recorded_at=later(5), author="bob", author_id="U2", permalink="https://x",
        )  # fmt: skip
    with database.read() as connection:
        assert timeline.of_incident(connection, 1) == [written]
        assert timeline.numbered(connection, 1, 1) == written
        assert timeline.numbered(connection, 1, 2) is None
    assert written.late


def test_numbers_run_without_a_gap_in_each_incident_however_many_write_at_once(database: Database) -> None:
    with database.write() as connection:
        declare(connection)
        declare(connection, channel_id="C2")

    def write(number: int) -> None:
        for turn in range(10):
            with database.write() as connection:
                incident = incidents.by_id(connection, 1 + (number + turn) % 2)
                say(connection, incident)
                plan(connection, incident)
            with pytest.raises(ZeroDivisionError):
                write_and_fail(database, lambda connection: say(connection, incidents.by_id(connection, 1)))

    together(write)
    with database.read() as connection:
        for incident_id in (1, 2):
            entries = [entry.number for entry in timeline.of_incident(connection, incident_id)]
            items = [item.number for item in action_items.of_incident(connection, incident_id)]
            assert entries == items == list(range(1, 5 * THREADS + 1))


def test_a_revision_says_how_the_entry_stands_and_keeps_who_and_when(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        entry, other = say(connection, incident, "disk fll"), say(connection, incident, "other")
        second = timeline.revise(connection, entry, by="U2", at=later(1), text="disk full")
        third = timeline.revise(connection, second, by="U3", at=later(2), occurred_at=later(0))
        fourth = timeline.revise(connection, third, by="U1", at=later(3), retracted=True)
    with database.read() as connection:
        assert timeline.of_incident(connection, 1) == [fourth, other]
        assert timeline.numbered(connection, 1, 1) == fourth
        kept = connection.exec_driver_sql(
            "SELECT number, text, revised_by_id, retracted FROM entry_revisions ORDER BY number"
        ).all()
        first = connection.exec_driver_sql("SELECT text FROM timeline_entries WHERE number = 1").scalar()
    assert first == "disk fll"
    assert [tuple(row) for row in kept] == [
        (1, "disk full", "U2", False), (2, "disk full", "U3", False), (3, "disk full", "U1", True),
    ]  # fmt: skip
    assert (fourth.revisions, fourth.text, fourth.retracted, other.revisions) == (3, "disk full", True, 0)


def test_the_last_entry_of_a_person_is_one_that_stands(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        first = say(connection, incident, "one")
        say(connection, incident, "of somebody else", recorded_by_id="U2")
        second = say(connection, incident, "two")
        assert timeline.last_by(connection, incident.id, "U1") == second
        gone = timeline.revise(connection, second, by="U1", at=NOW, retracted=True)
        assert timeline.last_by(connection, incident.id, "U1") == first
        back = timeline.revise(connection, gone, by="U1", at=NOW, retracted=False)
        assert timeline.last_by(connection, incident.id, "U1") == back
        assert timeline.last_by(connection, incident.id, "U9") is None


def test_kinds_narrow_the_timeline_with_its_revisions(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        say(connection, incident, "no")
        resolved = say(connection, incident, "yes", kind="resolved")
        revised = timeline.revise(connection, resolved, by="U1", at=NOW, text="really")
        assert timeline.of_incident(connection, incident.id, kinds=("resolved", "reopened")) == [revised]


def test_an_entry_is_found_by_the_message_it_was_made_from(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        pinned = say(connection, incident, permalink="https://p", source="reaction")
        say(connection, incident, permalink="https://p", kind="did")
        assert timeline.by_permalink(connection, incident.id, "https://p", "note") == pinned
        assert timeline.by_permalink(connection, incident.id, "https://q", "note") is None
        assert timeline.by_reaction(connection, incident.id, "https://p", "U1") == pinned
        assert timeline.by_reaction(connection, incident.id, "https://p", "U2") is None


def test_two_people_revising_one_entry_at_once_is_two_revisions(database: Database) -> None:
    with database.write() as connection:
        say(connection, declare(connection))

    def revise(number: int) -> None:
        with database.write() as connection:
            incidents.in_channel(connection, "T1", "C1", lock=True)
            entry = timeline.numbered(connection, 1, 1)
            assert entry is not None
            timeline.revise(connection, entry, by=f"U{number}", at=NOW, text=str(number))

    together(revise)
    with database.read() as connection:
        entry = timeline.numbered(connection, 1, 1)
    assert entry is not None
    assert entry.revisions == THREADS


def test_nothing_of_a_whole_story_is_ever_overwritten_or_deleted(database: Database) -> None:
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(" ".join(statement.replace('"', "").split()))

    event.listen(database.engine, "before_cursor_execute", hear)
    with database.write() as connection:
        incident = declare(connection)
        entry = say(connection, incident)
        timeline.revise(connection, entry, by="U1", at=NOW, text="better", retracted=True)
        item = plan(connection, incident)
        action_items.revise(connection, item, by="U1", at=NOW, state="done")
        incidents.change(connection, incident, {"severity": "SEV1"}, by="U1", at=NOW)
        incidents.set_open(connection, incident, is_open=False)
        section = Section(key="k", heading="H", body="b")
        for by in ("alice", "bob"):
            postmortems.add(
                connection, incident.id, template="classic", sections=(section,), drafted_at=NOW, drafted_by=by
            )
        receipts.save(connection, "T1", "k", {}, at=NOW)
        outbox.add(connection, "T1", lane="C1", action="post", content={}, at=NOW)
    event.remove(database.engine, "before_cursor_execute", hear)
    words = [statement.split() for statement in said]
    changed = {each[1] for each in words if each[0] == "UPDATE"} | {each[2] for each in words if each[0] == "DELETE"}
    assert {each[2] for each in words if each[0] == "INSERT"} >= APPEND_ONLY
    assert changed == {"workspaces", "incidents"}
