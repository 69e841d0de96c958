import random
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, event, insert, select

from bot.domain.incident.lifecycle import Step, lifecycle, standing, turning_points
from storage import home_tab, incidents, outbox, postmortems, receipts, schema, timeline
from storage.database import Database
from storage.items import action_items
from storage.models import incidents as incident_rows
from storage.models import timeline_entries
from storage.values import MEMBER, UNKNOWN, Section, TimelineEntry
from tests.integration.storage.rows import NOW, declare, later, plan, say, write_and_fail
from tests.support.statements import statements
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


def test_an_approximate_time_and_the_end_of_a_range_are_kept_and_revised(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        entry = say(connection, incident, "x", approximate=True, until_at=later(3))
        words = timeline.revise(connection, entry, by="U2", at=later(4), text="y")
    with database.read() as connection:
        assert timeline.numbered(connection, 1, 1) == words
        assert (words.approximate, words.until_at) == (True, later(3))
    with database.write() as connection:
        exact = timeline.revise(connection, words, by="U2", at=later(5), approximate=False, until_at=None)
    with database.read() as connection:
        assert timeline.of_incident(connection, 1) == [exact]
        assert (exact.approximate, exact.until_at) == (False, None)


def test_the_milestones_of_some_incidents_are_those_that_stand_as_they_were_corrected(database: Database) -> None:
    with database.write() as connection:
        first, second, third, other = (declare(connection, channel_id=f"C{number}") for number in range(4))
        say(connection, first, kind="detected", qualifier="customer", approximate=True, occurred_at=later(3))
        moved = say(connection, first, kind="resolved", occurred_at=later(9))
        moved = timeline.revise(
            connection, moved, by="U1", at=NOW, occurred_at=later(7), qualifier="x", approximate=True
        )
        timeline.revise(connection, moved, by="U1", at=NOW, occurred_at=later(8), qualifier=None, approximate=False)
        undone = say(connection, first, kind="resolved")
        timeline.revise(connection, undone, by="U1", at=NOW, retracted=True)
        again = timeline.revise(connection, say(connection, second, kind="detected"), by="U1", at=NOW, retracted=True)
        timeline.revise(connection, again, by="U1", at=NOW, retracted=False)
        say(connection, first)
        say(connection, other, kind="detected")
        asked = [first.id, second.id, third.id]
        found = timeline.milestones(connection, asked, ("detected", "resolved"))
        assert [timeline.count(connection, each.id) for each in (first, second, third, other)] == [3, 1, 0, 1]
    as_read = {incident_id: sorted(tuple(each)[1:] for each in some) for incident_id, some in found.items()}
    assert as_read == {
        first.id: [
            (1, "detected", later(3), "customer", True, False),
            (2, "resolved", later(8), None, False, False),
        ],
        second.id: [(1, "detected", NOW, None, False, False)],
        third.id: [],
    }


def test_the_latest_entries_are_those_that_happened_last_as_they_were_corrected(database: Database) -> None:
    with database.write() as connection:
        incident, other = (declare(connection, channel_id=f"C{number}") for number in range(2))
        late = say(connection, incident, "late", kind="note", occurred_at=later(9))
        moved = say(connection, incident, "moved", kind="impact", occurred_at=later(1))
        moved = timeline.revise(connection, moved, by="U1", at=NOW, occurred_at=later(10), text="moved on")
        undone = say(connection, incident, "undone", kind="note", occurred_at=later(11))
        timeline.revise(connection, undone, by="U1", at=NOW, retracted=True)
        again = say(connection, incident, "again", kind="note", occurred_at=later(9))
        say(connection, other, kind="note", occurred_at=later(20))
    with database.read() as connection:
        assert timeline.last_happened(connection, incident.id, limit=2) == [moved, again]
        assert timeline.last_happened(connection, incident.id, limit=9, kind="note") == [again, late]
        assert timeline.last_happened(connection, incident.id, limit=9, kind="cause") == []


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


def test_the_entries_of_a_message_are_found_in_every_incident_of_its_workspace_alone(database: Database) -> None:
    bare, threaded = "https://w.example/archives/C1/p1", "https://w.example/archives/C1/p1?thread_ts=1&cid=C1"
    with database.write() as connection:
        incident, other = declare(connection), declare(connection, channel_id="C2")
        foreign = declare(connection, workspace_id="T2")
        first = say(connection, incident, "one", permalink=bare)
        second = say(connection, other, "two", permalink=threaded)
        say(connection, other, "of another message", permalink=f"{bare}2")
        say(connection, foreign, "of another workspace", permalink=bare)
        revised = timeline.revise(connection, first, by="", at=later(1), text="two", message_state="edited")
    with database.read() as connection:
        assert timeline.of_message(connection, "T1", {bare, threaded}) == [revised, second]
        assert timeline.of_message(connection, "T1", {bare}) == [revised]
        assert timeline.texts(connection, revised) == {"one", "two"}
        assert timeline.incident_id(connection, second) == other.id
        assert timeline.by_permalink(connection, other.id, bare, "note") == second
        assert timeline.by_permalink(connection, incident.id, threaded, "note") == revised


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
    with statements(database) as said, database.write() as connection:
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
    words = [statement.replace('"', "").split() for statement in said]
    changed = {each[1] for each in words if each[0] == "UPDATE"} | {each[2] for each in words if each[0] == "DELETE"}
    assert {each[2] for each in words if each[0] == "INSERT"} >= APPEND_ONLY
    assert changed == {"workspaces", "incidents"}


def test_the_characters_are_those_of_the_newest_rows_of_each_kind(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection, title="a")
        declare(connection, title="b")
        for text, author in (("q", "x"), ("r", "y"), ("s", "z")):
            entry = say(connection, incident, text, author=author)
            timeline.revise(connection, entry, by="U1", at=NOW, text=text.upper())
        assert timeline.characters(connection, most=1) == "Sbsz"
        assert timeline.characters(connection, most=2) == "RSabrsyz"


def test_the_newest_entry_made_by_a_reaction_is_the_persons_own(database: Database) -> None:
    link = "https://x.slack.com/p1"
    with database.write() as connection:
        incident, other = declare(connection), declare(connection)
        reacted = {"permalink": link, "source": "reaction"}
        say(connection, incident, "first", **reacted)
        newest = say(connection, incident, "second", **reacted)
        say(connection, incident, "another's", recorded_by_id="U2", **reacted)
        say(connection, incident, "typed", permalink=link)
        say(connection, incident, "of another message", permalink="https://x.slack.com/p12", source="reaction")
        say(connection, other, "elsewhere", **reacted)
        assert timeline.by_reaction(connection, incident.id, link, "U1") == newest


def test_who_wrote_or_is_quoted_took_part_and_nobody_else_did(database: Database) -> None:
    with database.write() as connection:
        incident, other = declare(connection), declare(connection)
        say(connection, incident, author_id="U1", recorded_by_id="U2")
        say(connection, other, author_id="U3", recorded_by_id="U3")
        took_part = [timeline.is_participant(connection, incident.id, each) for each in ("U1", "U2", "U3", "U4")]
    assert took_part == [True, True, False, False]


def test_a_repeat_is_of_the_same_person_kind_words_and_incident_a_little_while_ago(database: Database) -> None:
    with database.write() as connection:
        incident, other = declare(connection), declare(connection)

        def repeat(**decoy: Any) -> int | None:
            """What the words repeat, where they were said before only as the decoy says."""
            where = decoy.pop("where", incident)
            facts: dict[str, Any] = {"text": "we look", "recorded_at": later(5)} | decoy
            before = say(connection, where, **facts)
            entry = say(connection, incident, "we look", recorded_at=later(9))
            found = [
                timeline.said_before(connection, incident.id, entry, text="we look", since=later(5), at=at)
                for at in (None, NOW)
            ]
            for each in (before, entry):
                timeline.revise(connection, each, by="U1", at=NOW, retracted=True)
            assert found[0] == found[1]
            return found[0] and found[0] - before.number

        assert repeat() == 0
        assert repeat(recorded_at=later(4)) is None
        assert repeat(recorded_by_id="U2") is None
        assert repeat(kind="did") is None
        assert repeat(text="we looked") is None
        assert repeat(where=other) is None


def test_a_repeat_is_looked_for_a_few_entries_back_and_by_the_time_that_was_typed(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        say(connection, incident, "we look", occurred_at=later(3))

        def repeat(at: Any = None) -> int | None:
            entry = say(connection, incident, "we look")
            found = timeline.said_before(connection, incident.id, entry, text="we look", since=NOW, at=at)
            timeline.revise(connection, entry, by="U1", at=NOW, retracted=True)
            return found

        assert (repeat(), repeat(later(3)), repeat(later(4))) == (1, 1, None)
        for _ in range(16):
            say(connection, incident, "something else")
        assert repeat() == 1
        assert repeat() is None


def test_an_entry_of_a_kind_is_one_of_that_incident_that_stands(database: Database) -> None:
    with database.write() as connection:
        incident, other = declare(connection), declare(connection)
        say(connection, other, kind="impact")
        say(connection, incident, kind="cause")
        assert not timeline.has(connection, incident.id, "impact")
        entry = say(connection, incident, kind="impact")
        assert timeline.has(connection, incident.id, "impact")
        timeline.revise(connection, entry, by="U1", at=NOW, retracted=True)
        assert not timeline.has(connection, incident.id, "impact")


def happened_at(entries: Collection[TimelineEntry]) -> datetime:
    """When an incident of these entries, declared at NOW, happened: the rule, over all of them."""

    def times(*kinds: str) -> list[datetime]:
        return [entry.occurred_at for entry in entries if entry.kind in kinds and not entry.retracted]

    signs, ends = times("impact", "detected"), times("resolved")
    if times("started"):
        return min(times("started"))
    if signs and not (ends and min(signs) > max(ends)):
        return min(signs)
    return min([NOW, *(each.occurred_at for each in entries if each.kind != "severity" and not each.retracted)])


@pytest.mark.parametrize("seed", range(12))
def test_an_incidents_date_is_that_of_all_its_entries_whatever_was_appended_last(sqlite: Database, seed: int) -> None:
    chosen = random.Random(seed)  # noqa: S311 - no secret
    kinds = ("started", "detected", "impact", "resolved", "resolved", "note", "note", "severity")
    with sqlite.write() as connection:
        incident = declare(connection, declared_at=NOW)
        for _ in range(14):
            at = NOW.replace(hour=chosen.choice((11, 12)), minute=chosen.randrange(60))
            entry = say(connection, incident, kind=chosen.choice(kinds), occurred_at=at)
            if chosen.random() < 0.2:
                timeline.revise(connection, entry, by="U1", at=NOW, retracted=True)
            found = connection.execute(select(incident_rows.c.happened_at)).scalar_one()
            assert found == happened_at(timeline.of_incident(connection, incident.id))


def test_a_detection_after_the_first_reads_no_more_of_a_long_timeline_than_of_a_short_one(sqlite: Database) -> None:
    def steps(entries: int) -> int:
        """The steps of SQLite's machine that one detection takes behind so many, in hundreds."""
        taken = 0

        def count() -> int:
            nonlocal taken
            taken += 1
            return 0

        with sqlite.write() as connection:
            incident = declare(connection, channel_id=f"C{entries}")
            for _ in range(entries):
                say(connection, incident, kind="detected")
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(count, 100)
            say(connection, incident, kind="detected", occurred_at=later(1))
            driver.set_progress_handler(None, 0)
        return taken

    assert steps(500) <= steps(5) + 2


SIGNS, STEPS = ("detected", "impact"), ("started", "mitigated", "resolved", "reopened", "acknowledged")
"""Kinds that may be recorded often, and the other milestones."""


def write_history(connection: Connection, seed: int) -> int:
    """The row id of an incident with 80 entries of few minutes, half of them revised: moved, taken back or put back."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    incident = declare(connection)
    entries: list[TimelineEntry] = []
    for _ in range(80):
        kind = chance.choice((*SIGNS, *SIGNS, *STEPS, "note"))
        at = later(chance.randrange(30)) + timedelta(seconds=chance.choice((0, 0, 30)))
        by = chance.choice(("customer", "monitoring")) if kind == "detected" else None
        entries.append(say(connection, incident, kind=kind, occurred_at=at, qualifier=by))
        if chance.random() < 0.5:
            entry = chance.choice(entries)
            changed: dict[str, Any] = chance.choice(
                ({"occurred_at": later(chance.randrange(30))}, {"retracted": not entry.retracted}, {"text": "else"})
            )
            entries[entry.number - 1] = timeline.revise(connection, entry, by="U1", at=NOW, **changed)
    return incident.id


@pytest.mark.parametrize("seed", range(3))
def test_pages_in_the_order_of_what_happened_are_those_of_the_whole_timeline(database: Database, seed: int) -> None:
    with database.write() as connection:
        incident_id = write_history(connection, seed)
    with database.read() as connection:
        whole = standing(timeline.of_incident(connection, incident_id))
        pages = [timeline.last_happened(connection, incident_id, limit=7, skip=skip) for skip in range(0, 84, 7)]
        assert [entry for page in pages for entry in page] == whole[::-1]
        assert timeline.count(connection, incident_id) == len(whole)
        for kind in (*SIGNS, *STEPS, "cause"):
            of_kind = [entry for entry in whole[::-1] if entry.kind == kind]
            assert timeline.last_happened(connection, incident_id, limit=5, skip=2, kind=kind) == of_kind[2:7]
        happened_at = incidents.by_id(connection, incident_id).happened_at
    firsts = {kind: next((each.occurred_at for each in whole if each.kind == kind), None) for kind in (*STEPS, *SIGNS)}
    signs = [at for kind, at in firsts.items() if kind in SIGNS and at]
    ends = [entry.occurred_at for entry in whole if entry.kind == "resolved"]
    expected = firsts["started"] or min(signs)
    if not firsts["started"] and ends and expected > max(ends):
        expected = min(whole[0].occurred_at, NOW)
    assert happened_at == expected


def test_entries_that_were_revised_before_the_migration_stand_where_they_stood(database: Database) -> None:
    with database.write() as connection:
        incident_id = write_history(connection, seed=4)
        before = timeline.last_happened(connection, incident_id, limit=80)
        command.downgrade(schema._config(connection), "0024")
        command.upgrade(schema._config(connection), "head")
        assert timeline.last_happened(connection, incident_id, limit=80) == before
        assert timeline.count(connection, incident_id) == len(before) < 80


@pytest.mark.parametrize("seed", range(8))
def test_of_the_signs_the_firsts_after_each_step_tell_the_same_course(database: Database, seed: int) -> None:
    with database.write() as connection:
        incident_id = write_history(connection, seed)
    with database.read() as connection:
        every = timeline.of_incident(connection, incident_id, kinds=(*STEPS, *SIGNS))
        steps: list[TimelineEntry] = timeline.of_incident(connection, incident_id, kinds=STEPS)
        signs = timeline.firsts(connection, incident_id, SIGNS, after=turning_points(steps))
    assert len(signs) < sum(entry.kind in SIGNS for entry in every)
    assert lifecycle([*steps, *signs]) == lifecycle(every)
    few: list[Step] = [entry for entry in steps if entry.number % 3 == 0]
    with database.read() as connection:
        signs = timeline.firsts(connection, incident_id, SIGNS, after=turning_points(few))
    assert lifecycle([*few, *signs]) == lifecycle([*few, *(each for each in every if each.kind in SIGNS)])


def test_what_is_read_for_an_answer_is_read_by_an_index_of_it(database: Database) -> None:
    """The plans, with thousands of rows of others around, after the database has counted them."""
    with database.write() as connection:
        long = declare(connection)
        # By three people, as in life: what one of them is to have recorded is not in every row.
        facts = {"source": "slash", "text": "we look", "author": "alice", "incident_id": long.id}
        rows = [
            {
                "number": number, "kind": ("note", "did", "impact")[number % 3], "recorded_by_id": f"U{number % 3}",
                "author_id": f"U{number % 4}", "occurred_at": NOW + timedelta(seconds=number), "recorded_at": NOW,
                "permalink": f"https://x/p{number}" if number % 5 == 0 else None, **facts,
            }
            for number in range(1, 6_001)
        ]  # fmt: skip
        connection.execute(insert(timeline_entries), rows)
        many = [
            {
                "id": 100 + number, "workspace_id": long.workspace_id, "number": 100 + number, "title": "disk full",
                "channel_id": f"C{number}", "channel_name": "incident", "declared_at": NOW, "declared_by": "alice",
                "happened_at": NOW + timedelta(minutes=number), "timezone": "UTC", "private": False,
                "lead_id": "U1" if number % 500 == 0 else None, "open": number % 500 == 1, "last_entry_number": 1,
                "last_item_number": 0,
            }
            for number in range(5_000)
        ]  # fmt: skip
        connection.execute(insert(incident_rows), many)
        each = {**rows[0], "number": 1, "kind": "resolved", "author_id": "U3", "recorded_by_id": "U3"}
        connection.execute(insert(timeline_entries), [{**each, "incident_id": row["id"]} for row in many])
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    asked: dict[str, list[tuple[str, Any]]] = {}
    reads: dict[str, Callable[[], object]] = {
        "ix_timeline_entries_incident_id_occurred_at_number":
            lambda: timeline.last_happened(connection, long.id, limit=40),
        "ix_timeline_entries_incident_id_kind_occurred_at_number":
            lambda: timeline.of_incident(connection, long.id, kinds=("resolved", "role")),
        "ix_timeline_entries_incident_id_recorded_by_id_number":
            lambda: timeline.is_participant(connection, long.id, "U9"),
        "ix_timeline_entries_incident_id_permalink":
            lambda: timeline.by_permalink(connection, long.id, "https://x/p5990", "note"),
        "ix_incidents_open": lambda: incidents.listing(
            connection, long.workspace_id, "C1", standing=MEMBER, open_only=True, limit=20
        ),
        "ix_incidents_workspace_id_channel_id_happened_at_number": lambda: incidents.listing(
            connection, long.workspace_id, "C1", standing=UNKNOWN, open_only=False, limit=20
        ),
        "ix_incidents_workspace_id_lead_id":
            lambda: home_tab.unpublished(connection, long.workspace_id, "U1", most=5),
    }  # fmt: skip
    with database.read() as connection:
        for index, read in reads.items():

            def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
                asked.setdefault(index, []).append((statement, parameters))  # noqa: B023 - heard within the turn

            event.listen(database.engine, "before_cursor_execute", hear)
            read()
            event.remove(database.engine, "before_cursor_execute", hear)
        explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        for index, heard in asked.items():
            plans = [
                "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters))
                for statement, parameters in heard
            ]
            assert index in "\n".join(plans), plans
            for plan_of in plans:
                assert "Seq Scan on timeline_entries" not in plan_of
                assert "SCAN timeline_entries" not in plan_of
