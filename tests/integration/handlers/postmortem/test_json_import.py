"""An incident exported as JSON and imported again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.clock import SetClock
from bot.demo.casefile import SAMPLE
from bot.demo.replay import replay_file
from bot.documents.export import FORMATS
from bot.domain.postmortem.export import MOST_BYTES
from bot.errors import UsageError
from bot.handlers.postmortem.exports import read_by_name
from bot.handlers.postmortem.json_import import ImportTarget, import_json
from storage import incidents, postmortems, schema
from storage.database import Database
from storage.models import timeline_entries
from tests.conftest import NOON
from tests.support import casebook
from tests.support.paths import CASES as FOLDER
from tests.support.workplace import Workplace, at, workplace

HERE = ImportTarget(workspace_id="T1", timezone="UTC")
CASES = sorted(FOLDER.glob("*.json"))


def taken(database: Database, text: str, tmp_path: Path, place: ImportTarget = HERE) -> str:
    """Import the text as a file, and export the incident again."""
    file = tmp_path / "incident.json"
    file.write_text(text)
    incident = import_json(database, file, place, at=NOON)
    return FORMATS["json"](read_by_name(database, incident.name))


def refused(database: Database, text: str | bytes, tmp_path: Path, place: ImportTarget = HERE) -> str:
    """The error for a file that is refused; nothing of it is imported."""
    file = tmp_path / "incident.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as error:
        import_json(database, file, place, at=NOON)
    with database.read() as connection:
        assert incidents.workspace_ids(connection) == []
        assert connection.execute(select(func.count()).select_from(timeline_entries)).scalar_one() == 0
    return str(error.value)


@pytest.fixture
def exported(office: Workplace, clock: SetClock) -> str:
    """An incident with edits, words taken back, late entries, one instant twice, items in each state, two drafts.

    A section was edited and one taken out, a review is planned, and the incident is private.
    """
    office.say("/incident open SEV2 Checkout “fails” <b>&amp;")
    office.say("/detected at 11:40 by customer: carts are empty 🛒")
    office.say("/impact about 11:30-11:35: 5% of carts")
    clock.set(at("2026-03-12T12:00:01.500Z"))
    for typed in ("/escalated to the database team", "/ruledout not the cache", "/note one", "/note two"):
        office.say(typed)
    office.say("/did at 11:40 rolled back")
    office.say("/incident edit 6 at 11:58")
    office.say("/incident edit 6 other words")
    office.say("/note gone")
    office.say("/incident undo")
    office.say("/cause process: nobody read the diff")
    for typed in (
        "@bob long-term by friday: read diffs",
        "short-term: buy a cart",
        "sell the cart",
        "@bob by friday: rest",
    ):
        office.say(f"/actionitem {typed}")
    office.say("/actionitem done 1")
    office.say("/actionitem worked 1 no the diff was read too late")
    office.say("/actionitem drop 2 no money")
    office.say("/resolved all carts are full")
    office.deliver()
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/lesson lucky: a quiet day")
    office.say("/postmortem draft")
    office.deliver()
    for section, words in (("lessons", "We were *lucky*, & <tired>.\n\n- twice"), ("response", "")):
        office.ask(f"/postmortem edit {section}")
        assert office.slack.modal(office.alice) is not None
        assert office.slack.submit(office.alice, {"words": words}).ok
    office.ask("/postmortem review friday 10:00 with @bob")
    office.ask("/incident private")
    office.deliver()
    return FORMATS["json"](read_by_name(office.database, "INC-1"))


def test_what_was_exported_is_imported_into_an_empty_database_and_exports_the_same(
    exported: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    told = json.loads(exported)
    assert told["postmortem"]["version"] == 4
    assert {each["edited"] for each in told["postmortem"]["sections"]} == {True, False}
    assert {each["state"] for each in told["action_items"]} == {"proposed", "open", "done", "dropped"}
    assert [each["worked_why"] for each in told["action_items"]] == ["the diff was read too late", None, None, None]
    assert {each["late"] for each in told["entries"]} == {True, False}
    assert {each["revisions"] for each in told["entries"]} == {0, 2}
    assert taken(request.getfixturevalue("postgres"), exported, tmp_path) == exported


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem[:20])
def test_a_real_incident_comes_through_unchanged(case: Path, database: Database, tmp_path: Path) -> None:
    exported = replay_file(case).documents["json"]
    assert taken(database, exported, tmp_path) == exported


def test_entries_keep_the_order_in_which_they_were_recorded_whenever_they_happened(
    office: Workplace, clock: SetClock, tmp_path: Path
) -> None:
    office.say("/incident open disk full")
    for minute, typed in enumerate(("at 11:50 third", "at 11:30 first", "at 11:40 second", "at 11:30 first too")):
        clock.set(at(f"2026-03-12T12:0{minute}:00Z"))
        office.say(f"/note {typed}")
    told = json.loads(FORMATS["json"](read_by_name(office.database, "INC-1")))
    assert [each["text"] for each in told["entries"]] == ["first", "first too", "second", "third"]
    database = Database(f"sqlite:///{tmp_path}/other.db")
    schema.migrate(database)
    again = json.loads(taken(database, json.dumps(told), tmp_path))
    assert again["entries"] == told["entries"]
    with database.read() as connection:
        rows = connection.execute(select(timeline_entries.c.text).order_by(timeline_entries.c.number)).scalars()
        assert list(rows) == ["third", "first", "second", "first too"]
    database.close()


def test_an_incident_just_declared_comes_through_unchanged(
    office: Workplace, postgres: Database, tmp_path: Path
) -> None:
    office.say("/incident open nothing yet")
    exported = FORMATS["json"](read_by_name(office.database, "INC-1"))
    assert taken(postgres, exported, tmp_path) == exported


@pytest.mark.parametrize("typed", ["/incident cancel a drill", "/incident duplicate INC-2"])
def test_a_closed_incident_comes_through_as_closed(office: Workplace, typed: str, tmp_path: Path) -> None:
    office.say("/detected disk full")
    office.say("/detected carts are empty", channel=office.slack.add_channel("second"))
    office.say(typed)
    text = FORMATS["json"](read_by_name(office.database, "INC-1"))
    store = Database(f"sqlite:///{tmp_path / 'other.db'}")
    schema.migrate(store)
    assert taken(store, text, tmp_path) == text
    with store.read() as connection:
        closed = incidents.numbered(connection, "T1", 1)
    store.close()
    assert closed is not None
    assert (closed.state, closed.open) == (json.loads(text)["incident"]["state"], False)


def test_a_file_of_before_there_were_closed_incidents_is_taken(
    exported: str, postgres: Database, tmp_path: Path
) -> None:
    earlier = json.loads(exported)
    del earlier["incident"]["state"]
    assert taken(postgres, json.dumps(earlier), tmp_path) == exported


def test_the_number_stays_and_the_next_incident_gets_one_above_it(
    exported: str, sqlite: Database, office: Workplace, tmp_path: Path
) -> None:
    text = exported.replace('"INC-1"', '"INC-41"')
    assert taken(sqlite, text, tmp_path, ImportTarget(workspace_id=None, timezone="UTC")) == text
    other = office.slack.add_channel("other")
    assert "INC-42 is declared" in office.say("/detected again", channel=other)


def test_it_is_seen_from_its_channel_alone_unless_it_is_said_to_be_public(
    exported: str, office: Workplace, tmp_path: Path
) -> None:
    for number, place in enumerate(
        (
            ImportTarget(workspace_id=None, timezone="UTC"),
            ImportTarget(workspace_id=None, timezone="UTC", channel_id=office.slack.add_channel("war-room")),
            ImportTarget(workspace_id=None, timezone="UTC", public=True),
        ),
        start=7,
    ):
        taken(office.database, exported.replace('"INC-1"', f'"INC-{number}"'), tmp_path, place)
    listed = office.private("/incident list all")
    assert "INC-9" in listed
    assert "INC-7" not in listed
    assert "INC-8" not in listed
    assert "INC-8" in office.private("/incident status", channel=place_of(office))


def place_of(office: Workplace) -> str:
    return next(each.id for each in office.slack.workspace.channels.values() if each.name == "war-room")


def test_an_incident_that_is_there_is_not_overwritten(exported: str, office: Workplace, tmp_path: Path) -> None:
    file = tmp_path / "incident.json"
    file.write_text(exported.replace("carts are empty", "nothing happened"))
    with pytest.raises(UsageError, match="There is INC-1 in the store already"):
        import_json(office.database, file, ImportTarget(workspace_id=None, timezone="UTC"), at=NOON)
    assert FORMATS["json"](read_by_name(office.database, "INC-1")) == exported


def test_a_workspace_must_be_named_where_it_cannot_be_known(exported: str, postgres: Database, tmp_path: Path) -> None:
    assert "--workspace" in refused(postgres, exported, tmp_path, ImportTarget(workspace_id=None, timezone="UTC"))
    for wrong in ("", " ", "T1;--", "T" * 65):
        assert "no workspace's id" in refused(
            postgres, exported, tmp_path, ImportTarget(workspace_id=wrong, timezone="UTC")
        )


@pytest.fixture(scope="module")
def sample() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(replay_file(SAMPLE).documents["json"])
    return told


def changed(sample: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> str:
    copy = json.loads(json.dumps(sample))
    change(copy)
    return json.dumps(copy)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda it: it.pop("entries"), "entries: Field required"),
        (lambda it: it.update(more=1), "more: Extra inputs"),
        (lambda it: it["incident"].update(id="INC-0"), "incident.id: "),
        (lambda it: it["incident"].update(id="INC-1; drop"), "incident.id: "),
        (lambda it: it["incident"].update(title=""), "incident.title: "),
        (lambda it: it["incident"].update(title="a\0b"), "incident.title: holds a NUL"),
        (lambda it: it["incident"].update(severity="SEV9"), "incident.severity: is none of SEV1"),
        (lambda it: it["incident"].update(status="fine"), 'incident.status: the file says "fine"'),
        (lambda it: it["incident"].update(time_to_resolve_s=1), "incident.time_to_resolve_s: the file says 1"),
        (lambda it: it["incident"].update(time_to_resolve_s=float("nan")), "incident.time_to_resolve_s"),
        (lambda it: it["incident"].update(detected_by="a ghost"), "incident.detected_by: is none of"),
        (lambda it: it["incident"].update(declared_at="0001-01-01T00:00:00+01:00"), "incident.declared_at: "),
        (lambda it: it["incident"].update(declared_at="2026-03-12T12:00:00"), "incident.declared_at: "),
        (lambda it: it["incident"].update(declared_at="2026-03-12T12:00:00.000001Z"), "incident.declared_at: "),
        (lambda it: it["entries"][1].update(kind="rumour"), "entries.1.kind: is no kind of entry"),
        (lambda it: it["entries"][1].update(late="yes"), "entries.1.late: "),
        (lambda it: it["entries"][1].update(late=not it["entries"][1]["late"]), "entries.1.late: the file says"),
        (lambda it: it["entries"][1].update(revisions=10**12), "entries.1.revisions: "),
        (lambda it: it["entries"][1].update(source="a source of many words"), "entries.1.source: "),
        (lambda it: it["entries"][1].update(text="\ud800"), "Invalid JSON"),
        (lambda it: it["entries"].reverse(), "entries.0."),
        (lambda it: it["action_items"][0].update(state="forgotten"), "action_items.0.state: "),
        (lambda it: it["action_items"][0].update(due_on="soon"), "action_items.0.due_on: "),
        (lambda it: it["postmortem"].update(version=0), "postmortem.version: "),
        (lambda it: it["postmortem"].update(template="t" * 65), "postmortem.template: "),
        (lambda it: it["postmortem"]["sections"][0].update(body=5), "postmortem.sections.0.body: "),
    ],
)
def test_a_file_with_something_wrong_is_refused_with_the_place(
    sample: dict[str, Any], change: Callable[[dict[str, Any]], object], problem: str, sqlite: Database, tmp_path: Path
) -> None:
    said = refused(sqlite, changed(sample, change), tmp_path)
    assert problem in said
    assert len(said) < 600


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 200_000, b'{"incident": ' * 50_000, b"1e999999"],
)
def test_rubbish_is_refused_in_a_line(content: bytes, sqlite: Database, tmp_path: Path) -> None:
    said = refused(sqlite, content, tmp_path)
    assert "incident.json: " in said
    assert len(said) < 600


def test_a_file_that_is_too_large_is_not_read(sqlite: Database, tmp_path: Path) -> None:
    assert "larger than 20 MB" in refused(sqlite, b" " * (MOST_BYTES + 1), tmp_path)


def test_there_are_real_incidents_to_try() -> None:
    assert len(CASES) >= len(casebook.NAMES) > 0


def test_a_draft_after_the_import_keeps_what_people_wrote(
    exported: str, postgres: Database, clock: SetClock, tmp_path: Path
) -> None:
    file = tmp_path / "incident.json"
    file.write_text(exported)
    with workplace(postgres, clock=clock) as elsewhere:
        place = ImportTarget(workspace_id=elsewhere.slack.team_id, timezone="UTC", channel_id=elsewhere.channel)
        incident = import_json(postgres, file, place, at=NOON)
        elsewhere.say("/cause technical: one more")
        elsewhere.say("/postmortem draft")
        elsewhere.deliver()
    with postgres.read() as connection:
        newest = postmortems.newest(connection, incident.id)
    assert newest is not None
    sections = {each.key: each.body for each in newest.sections}
    assert newest.version == 5
    assert "> We were *lucky*, & <tired>." in sections["lessons"]
    assert "- A quiet day." in sections["lessons"]
    assert "one more" in sections["cause"].casefold()


def test_an_export_of_an_earlier_version_is_taken_as_exact_times(
    sample: dict[str, Any], database: Database, tmp_path: Path
) -> None:
    def without_ranges(told: dict[str, Any]) -> None:
        for entry in told["entries"]:
            del entry["approximate"], entry["until_at"]

    assert json.loads(taken(database, changed(sample, without_ranges), tmp_path)) == sample


def test_a_file_of_before_there_were_rounds_is_taken_with_what_it_said_of_the_first_mitigation(
    sqlite: Database, tmp_path: Path
) -> None:
    told = json.loads(replay_file(FOLDER / "invented-undone-mitigation.json").documents["json"])
    current = dict(told["incident"])
    for added in ("impact_began_at", "rounds", "time_in_rounds_s", "reopened", "mitigations"):
        del told["incident"][added]
    told["incident"] |= {"mitigated_at": "2026-01-10T12:30:00Z", "time_to_mitigate_s": 12600}
    assert json.loads(taken(sqlite, json.dumps(told), tmp_path))["incident"] == current
