from typing import Any

import pytest

from storage import action_items, incidents, timeline
from storage.database import Database
from tests.integration.storage.rows import NOW, declare, later, plan, say, write_and_fail
from tests.support.together import THREADS, together


def names(found: list[Any]) -> list[str]:
    return [each.name for each in found]


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
            found = incidents.listing(connection, workspace_id, "C0", open_only=False, limit=100)
            assert [each.number for each in found] == list(range(3 * THREADS, 0, -1))


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
            assert incidents.listing(connection, workspace_id, "C1", open_only=True, limit=9) == [mine]
            assert incidents.search(connection, workspace_id, "C1", "zebra", limit=9) == [mine]
            assert [entry.text for entry in timeline.of_incident(connection, mine.id)] == [f"zebra of {workspace_id}"]
            for owner_id in ("U1", None):
                items = action_items.open_in_workspace(connection, workspace_id, "C1", owner_id=owner_id)
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


def test_a_private_incident_is_seen_only_from_its_own_channel(database: Database) -> None:
    with database.write() as connection:
        public, private = declare(connection), declare(connection, channel_id="G1", private=True, title="secret")
        say(connection, private, "secret too")
        plan(connection, private)
    with database.read() as connection:
        for channel_id, seen in (("C1", ["INC-1"]), ("G1", ["INC-2", "INC-1"])):
            assert names(incidents.listing(connection, "T1", channel_id, open_only=False, limit=9)) == seen
            assert names(incidents.search(connection, "T1", channel_id, "secret", limit=9)) == seen[:-1]
            assert len(action_items.open_in_workspace(connection, "T1", channel_id)) == len(seen) - 1
    assert public.number == 1


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("100%", ["INC-1"]),
        ("a_b", ["INC-2"]),
        ("DISK", ["INC-3"]),
        ("/", ["INC-3"]),
        ("\\", ["INC-4"]),
        ("'; DROP TABLE incidents; --", []),
        ("%", ["INC-1"]),
        ("_", ["INC-2"]),
    ],
)
def test_search_takes_words_as_they_are(database: Database, words: str, found: list[str]) -> None:
    with database.write() as connection:
        for title, text in (("100% packet loss", "x"), ("axb", "a_b"), ("disk / full", "y"), ("z", "C:\\temp")):
            say(connection, declare(connection, title=title), text)
    with database.read() as connection:
        assert names(incidents.search(connection, "T1", "C1", words, limit=9)) == found


def test_search_knows_the_timeline_as_it_stands(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        entry = say(connection, incident, "zebra")
        edited = timeline.revise(connection, entry, by="U1", at=NOW, text="giraffe")
        assert incidents.search(connection, "T1", "C1", "zebra", limit=9) == []
        assert incidents.search(connection, "T1", "C1", "giraffe", limit=9) == [incident]
        timeline.revise(connection, edited, by="U1", at=NOW, retracted=True)
        assert incidents.search(connection, "T1", "C1", "giraffe", limit=9) == []


def test_changed_facts_are_kept_with_who_and_when(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        changed = incidents.change(connection, incident, {"lead": "bob", "lead_id": "U2"}, by="U1", at=later(1))
        changed = incidents.change(connection, changed, {"title": "new"}, by="U3", at=later(2))
    assert (changed.lead, changed.lead_id, changed.title) == ("bob", "U2", "new")
    with database.read() as connection:
        kept = connection.exec_driver_sql("SELECT field, value, changed_by FROM incident_changes ORDER BY id").all()
    assert [tuple(row) for row in kept] == [("lead", "bob", "U1"), ("lead_id", "U2", "U1"), ("title", "new", "U3")]


def test_a_mistaken_incident_points_at_the_real_one_and_is_listed_no_more(database: Database) -> None:
    with database.write() as connection:
        original = declare(connection)
        incidents.set_open(connection, original, is_open=False)
        mistaken = declare(connection)
        assert incidents.duplicate_of(connection, mistaken) is None
        incidents.mark_duplicate(connection, mistaken, original)
        assert names([incidents.duplicate_of(connection, mistaken)]) == ["INC-1"]
        assert names([incidents.in_channel(connection, "T1", "C1")]) == ["INC-1"]
        assert names(incidents.listing(connection, "T1", "C1", open_only=False, limit=9)) == ["INC-1"]
        assert names([incidents.numbered(connection, "T1", 2)]) == ["INC-2"]
