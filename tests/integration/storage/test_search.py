"""The search finds the same whether what it looks for is indexed yet or not, and reads no more where more was told."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text, update

from storage import incidents, models, postmortems, timeline
from storage.database import Database
from storage.items import action_items
from storage.search import find as search
from storage.search import index as search_index
from storage.search.find import snippet
from storage.values import GUEST, MEMBER, MERGED, Incident, Section
from tests.integration.storage.rows import NOW, declare, later, plan, say
from tests.support.reading import analyze, effort


@pytest.fixture(params=["indexed", "not yet"])
def settle(request: pytest.FixtureRequest, database: Database) -> Callable[[], None]:
    """Index what was written, or leave it to be read as it is."""

    def index() -> None:
        while search_index.catch_up(database):
            pass

    return index if request.param == "indexed" else lambda: None


def found(
    database: Database,
    words: str,
    channel_id: str = "C1",
    *,
    workspace_id: str = "T1",
    standing: str = MEMBER,
    limit: int = 9,
) -> list[str]:
    with database.read() as connection:
        place = (connection, workspace_id, channel_id)
        return [each.incident.name for each in search.search(*place, words, standing=standing, limit=limit)]


def draft(connection: Connection, incident: Incident, *bodies: str) -> None:
    sections = tuple(Section(key=f"part{at}", heading="Part", body=body) for at, body in enumerate(bodies))
    timeline_section = Section(key="timeline", heading="Timeline", body="a repetition")
    facts: dict[str, Any] = {"template": "classic", "drafted_at": NOW, "drafted_by": "alice"}
    postmortems.add(connection, incident.id, sections=(*sections, timeline_section), **facts)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("100%", ["INC-1"]),
        ("a_b", ["INC-2"]),
        ("DISK", ["INC-3"]),
        ("/", ["INC-3"]),
        ("\\", ["INC-4"]),
        ("'; DROP TABLE incidents; --", []),
        ("%", ["INC-1"]),
        ("_", ["INC-2"]),
        ("full disk", ["INC-3"]),
        ('"full disk"', []),
        ("“disk / full”", ["INC-3"]),
        ("sk", ["INC-3"]),
        ("temp 100%", []),
        ("データベース", ["INC-5"]),
        ("障害", ["INC-5"]),
        ("障", ["INC-5"]),
        ("база", ["INC-6"]),
        ("БАЗЕ", []),
        ("strasse", ["INC-6"]),
        ("\uff24\uff29\uff33\uff2b", ["INC-3"]),
        ('"" “”', []),
        ('" AND rowid', []),
        ("*", []),
        ("x NOT y", []),
    ],
)
def test_words_are_taken_as_they_are_in_every_languages_letters(
    database: Database, settle: Callable[[], None], words: str, expected: list[str]
) -> None:
    told = (
        ("100% packet loss", "x"), ("axb", "a_b"), ("disk / full", "y"), ("z", "C:\\temp"),
        ("データベース障害", "復旧した"), ("База данных", "Königstraße"),
    )  # fmt: skip
    with database.write() as connection:
        for title, entry in told:
            say(connection, declare(connection, title=title), entry)
    settle()
    assert found(database, words) == expected


def test_each_place_is_found_as_it_stands(database: Database, settle: Callable[[], None]) -> None:
    with database.write() as connection:
        incident = declare(connection, title="the first title")
        entry = say(connection, incident, "zebra")
        item = plan(connection, incident, "buy a bigger quagga", done_when="okapi grazes")
        draft(connection, incident, "whoever reads this sees a tapir", "x" * 4_100 + " numbat " + "y" * 5_000)
    settle()
    for words in ("first title", "zebra", "bigger quagga", "okapi", "tapir", "numbat"):
        assert found(database, words) == ["INC-1"], words
    assert found(database, "repetition") == []
    with database.write() as connection:
        incidents.change(connection, incident, {"title": "another"}, by="U1", at=NOW)
        edited = timeline.revise(connection, entry, by="U1", at=NOW, text="giraffe")
        action_items.revise(connection, item, by="U1", at=later(1), state="dropped")
        draft(connection, incident, "a wombat")
        # In the same transaction already.
        place = (connection, "T1", "C1")
        assert search.search(*place, "zebra", standing=MEMBER, limit=9) == []
        assert len(search.search(*place, "giraffe", standing=MEMBER, limit=9)) == 1
    for _ in range(2):
        for words in ("first title", "zebra"):
            assert found(database, words) == [], words
        for words in ("another", "giraffe", "quagga", "wombat"):
            assert found(database, words) == ["INC-1"], words
        settle()
    with database.write() as connection:
        timeline.revise(connection, edited, by="U1", at=NOW, retracted=True)
    assert found(database, "giraffe") == []
    settle()
    assert found(database, "giraffe") == []
    if database.is_sqlite:
        return
    with database.read() as connection:
        assert (
            connection.execute(select(models.search_documents).where(models.search_documents.c.words == "")).all() == []
        )


def test_an_edit_before_the_index_gets_there_is_indexed_once_it_does(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        entry = say(connection, incident, "zebra")
        other = say(connection, incident, "okapi")
        timeline.revise(connection, entry, by="U1", at=NOW, text="giraffe")
        timeline.revise(connection, other, by="U1", at=NOW, retracted=True)
    assert search_index.catch_up(database)
    assert not search_index.catch_up(database)
    assert [found(database, words) for words in ("zebra", "giraffe", "okapi")] == [[], ["INC-1"], []]


def test_a_search_is_scoped_by_workspace_and_by_who_may_see(database: Database, settle: Callable[[], None]) -> None:
    with database.write() as connection:
        for workspace_id in ("T1", "T2"):
            public = declare(connection, workspace_id, title="zebra")
            declare(connection, workspace_id, "G1", private=True, title="zebra too")
            merged = declare(connection, workspace_id, title="zebra again")
            incidents.close(connection, merged, MERGED, same_as=public, by="U1", at=NOW)
            say(connection, declare(connection, workspace_id, "C2", title="x"), "zebra")
    settle()
    for workspace_id in ("T1", "T2"):
        of: Any = {"workspace_id": workspace_id}
        assert sorted(found(database, "zebra", **of)) == ["INC-1", "INC-3", "INC-4"]
        assert sorted(found(database, "zebra", "G1", **of)) == ["INC-1", "INC-2", "INC-3", "INC-4"]
        assert found(database, "zebra", "C2", standing=GUEST, **of) == ["INC-4"]
        assert found(database, "zebra", "C9", standing=GUEST, **of) == []
    with database.write() as connection:
        hidden = incidents.numbered(connection, "T1", 4)
        assert hidden is not None
        incidents.change(connection, hidden, {"private": True}, by="U1", at=NOW)
    assert "INC-4" not in found(database, "zebra")


def test_the_best_is_first_and_of_equals_the_last_to_happen(database: Database, settle: Callable[[], None]) -> None:
    with database.write() as connection:
        for title, told in (
            ("x", "checkout was slow, for reasons that took us two hours to find, while the queue grew and grew"),
            ("x", "checkout, checkout, checkout"),
            ("checkout is down", "x"),
            ("checkout is down", "x"),
        ):
            say(connection, declare(connection, title=title), told)
    settle()
    assert found(database, "checkout") == ["INC-4", "INC-3", "INC-2", "INC-1"]
    assert found(database, "checkout", limit=2) == ["INC-4", "INC-3"]


def test_one_incident_that_says_it_all_the_time_does_not_hide_the_others(database: Database) -> None:
    with database.write() as connection:
        say(connection, declare(connection, title="x"), "zebra")
        loud = declare(connection, title="y")
        for _ in range(150):
            say(connection, loud, "zebra")
    while search_index.catch_up(database):
        pass
    assert sorted(found(database, "zebra")) == ["INC-1", "INC-2"]


def test_an_older_releases_entries_are_indexed_once_they_are_noticed(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
    search_index.catch_up(database)
    with database.write() as connection:
        say(connection, incident, "zebra")
        connection.execute(update(models.incidents).values(unindexed=False))
    assert found(database, "zebra") == []
    with database.write() as connection:
        search_index.note_missed(connection)
    assert found(database, "zebra") == ["INC-1"]


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("the disk is full", "disk", "the [disk] is full"),
        ("Disks fill\n again", "disk", "[Disks] fill again"),
        ("データベース障害", "障害", "データベース[障害]"),
        ("Königstraße 5", "strasse", "[Königstraße] 5"),
        ("nothing of it", "disk", "nothing of it"),
        ("a" * 50 + " disk " + "b" * 50, "disk", "…" + "a" * 6 + " [disk] " + "b" * 9 + "…"),
        ("a<b & c", "<b", "a[<b] & c"),
        ("", "disk", ""),
    ],
)
def test_a_snippet_marks_the_words_that_hold_what_was_searched(text: str, words: str, shown: str) -> None:
    pieces = snippet(text, words, most=21)
    assert "".join(f"[{piece}]" if marked else piece for piece, marked in pieces) == shown


ENTRIES = 40
"""Of each incident that is written in bulk."""
COMMON, RARE, NOWHERE = "checkout slow", "incident 77 zebra", "giraffe wombat"


def told(database: Database, many: int) -> None:
    """So many indexed entries with common words, some of them with rare ones, in incidents of ENTRIES each."""
    with database.write() as connection:
        for number in range(many // ENTRIES):
            incident = declare(connection, title=f"incident {number}")
            facts = {
                "incident_id": incident.id, "kind": "note", "occurred_at": NOW, "recorded_at": NOW, "author": "alice",
                "author_id": "U1", "recorded_by_id": "U1", "source": "slash",
            }  # fmt: skip
            rows = [
                facts
                | {"number": at, "text": f"checkout is slow again, p99 is {number * at} ms"}
                | ({"text": "incident 77 has a zebra"} if number in {2, 3} and at == 7 else {})
                for at in range(1, ENTRIES + 1)
            ]
            connection.execute(insert(models.timeline_entries), rows)
            of = models.incidents.c.id == incident.id
            connection.execute(update(models.incidents).where(of).values(last_entry_number=ENTRIES))
    while search_index.catch_up(database):
        pass
    analyze(database)


def test_a_search_reads_no_more_where_more_was_told(database: Database) -> None:
    taken: dict[str, list[int]] = {COMMON: [], RARE: [], NOWHERE: []}
    for many in (2_000, 8_000):
        told(database, many)
        for words, efforts in taken.items():
            place = ("T1", "C1", words)
            efforts.append(effort(database, lambda each: search.search(each, *place, standing=MEMBER, limit=20)))  # noqa: B023
    assert len(found(database, COMMON, limit=20)) == 20
    assert sorted(found(database, RARE)) == ["INC-3", "INC-4", "INC-53", "INC-54"]
    assert found(database, NOWHERE) == []
    # FTS5 keeps what it is told in parts, and has some more of them to look into.
    parts = 2_000 * database.is_sqlite
    for words, (few, many) in taken.items():
        assert many <= 2 * few + parts, (words, taken)


def test_what_was_removed_is_not_in_the_bytes_of_the_index(sqlite: Database) -> None:
    with sqlite.write() as connection:
        incident = declare(connection)
        entry = say(connection, incident, "ꙮ")
    search_index.catch_up(sqlite)

    def held() -> bool:
        with sqlite.read() as connection:
            blocks = connection.execute(text("SELECT block FROM search_grams_data")).scalars()
            return any("ꙮ".encode() in block for block in blocks)

    assert held()
    with sqlite.write() as connection:
        timeline.revise(connection, entry, by="U1", at=NOW, text="gone")
        search_index.optimize(connection)
    assert not held()
