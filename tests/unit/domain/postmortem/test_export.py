"""The JSON export holds the facts, keeps the published schema, and the schema forbids what is not promised."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from bot.demo.casefile import SAMPLE
from bot.demo.replay import replay_file
from bot.documents.export import FORMATS, ExportRecord
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.export import incident_json, instant, schema
from storage.values import Postmortem, Section
from tests.support import casebook
from tests.support.casebook import entry, item
from tests.support.editions import drafted, record, story_of_everything
from tests.support.paths import ROOT

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
INCIDENT = casebook.incident(casebook.load(casebook.NAMES[0]))
PUBLISHED = ROOT / "deploy" / "postmortem.schema.json"
VALIDATOR = Draft202012Validator(json.loads(PUBLISHED.read_text()), format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("name", casebook.PUBLISHED)
def test_a_sample_case_exports_the_facts_it_expects(name: str) -> None:
    case = casebook.load(name)
    exported = incident_json(casebook.incident(case), casebook.entries(case), casebook.items(case))
    expected = case["expected"]
    facts = ("started_at", "detected_at", "resolved_at", "time_to_detect_s", "time_to_resolve_s",
             "detected_by", "misleading_paths", "escalations")  # fmt: skip
    assert {fact: exported["incident"][fact] for fact in facts} == {fact: expected[fact] for fact in facts}
    told = ("text", "owner", "kind", "due_on", "state")
    assert [{name: one[name] for name in told} for one in exported["action_items"]] == [
        {"text": one["text"], "owner": one["owner"], "kind": one["kind"], "due_on": one["due"], "state": "open"}
        for one in expected["action_items"]
    ]
    assert json.loads(json.dumps(exported)) == exported


def test_an_invented_case_exports_its_rounds_or_its_mitigations() -> None:
    facts: dict[str, Any] = {}
    for name in ("invented-reopened", "invented-undone-mitigation"):
        case = casebook.load(name)
        facts[name] = incident_json(casebook.incident(case), casebook.entries(case), [])["incident"]
    reopened, undone = facts["invented-reopened"], facts["invented-undone-mitigation"]
    assert [[each["began_at"], each["ended_at"]] for each in reopened["rounds"]] == casebook.load("invented-reopened")[
        "expected"
    ]["rounds"]
    assert (reopened["reopened"], reopened["time_in_rounds_s"], reopened["time_to_resolve_s"]) == (1, 3000, 5400)
    assert (reopened["impact_began_at"], reopened["mitigations"]) == (None, [])
    assert undone["impact_began_at"] == "2026-01-10T12:00:00Z"
    assert undone["mitigations"] == [
        {"at": "2026-01-10T12:30:00Z", "held": False},
        {"at": "2026-01-11T08:00:00Z", "held": True},
    ]
    assert (undone["mitigated_at"], undone["time_to_mitigate_s"]) == ("2026-01-11T08:00:00Z", 82800)
    assert (undone["reopened"], undone["time_in_rounds_s"], undone["time_to_detect_s"]) == (0, 76260, None)


def test_the_fields_are_the_contracts_and_nothing_else() -> None:
    body = Section(key="timeline", heading="Timeline", body="- x")
    version = Postmortem(template="classic", version=2, sections=(body,), drafted_at=NOON, drafted_by="alice")
    told = [
        entry(
            2,
            "note",
            NOON,
            "b",
            recorded_at=NOON + timedelta(seconds=61),
            revisions=1,
            approximate=True,
            until_at=NOON + timedelta(seconds=30),
        ),
        entry(1, "did", NOON + timedelta(milliseconds=5), "a"),
        entry(3, "note", NOON, "gone", retracted=True),
    ]
    exported = incident_json(
        INCIDENT,
        told,
        [
            item(1, "x", owner="dba", kind="long-term", due_on=date(2026, 4, 1)),
            item(
                2, "y", state="done", look_again_on=date(2026, 5, 1), worked=False, worked_why="z",
                worked_by="alice", worked_at=NOON,
            ),
        ],
        version,
    )  # fmt: skip
    assert list(exported) == ["incident", "entries", "action_items", "postmortem"]
    assert exported["entries"] == [
        {
            "kind": "note", "occurred_at": "2026-03-02T12:00:00Z", "recorded_at": "2026-03-02T12:01:01Z",
            "author": "alice", "text": "b", "source": "slash", "late": True, "backfilled": False, "revisions": 1,
            "approximate": True,
            "until_at": "2026-03-02T12:00:30Z",
        },
        {
            "kind": "did", "occurred_at": "2026-03-02T12:00:00.005Z",
            "recorded_at": "2026-03-02T12:00:00.005Z", "author": "alice", "text": "a",
            "source": "slash", "late": False, "backfilled": False, "revisions": 0,
            "approximate": False, "until_at": None,
        },
    ]  # fmt: skip
    assert exported["action_items"] == [
        {
            "text": "x", "owner": "dba", "kind": "long-term", "due_on": "2026-04-01", "state": "open",
            "look_again_on": None, "worked": None, "worked_why": None, "worked_by": None, "worked_at": None,
        },
        {
            "text": "y", "owner": None, "kind": None, "due_on": None, "state": "done", "look_again_on": "2026-05-01",
            "worked": False, "worked_why": "z", "worked_by": "alice", "worked_at": "2026-03-02T12:00:00Z",
        },
    ]  # fmt: skip
    assert exported["postmortem"] == {
        "template": "classic",
        "version": 2,
        "sections": [{"key": "timeline", "heading": "Timeline", "body": "- x", "edited": False}],
    }


def test_what_is_unknown_is_null() -> None:
    exported = incident_json(INCIDENT, [], [])
    assert exported["incident"]["started_at"] is None
    assert exported["incident"]["time_to_resolve_s"] is None
    assert exported["incident"]["status"] == "open"
    assert exported["postmortem"] is None


def test_instants_are_utc_with_milliseconds_only_when_there_are_any() -> None:
    there = datetime.fromisoformat("2026-03-02T13:00:00.250+01:00")
    assert instant(there) == "2026-03-02T12:00:00.250Z"
    assert instant(NOON) == "2026-03-02T12:00:00Z"
    assert instant(None) is None


def export(told: ExportRecord) -> Any:
    return json.loads(FORMATS["json"](told))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", casebook.NAMES)
def test_every_sample_case_keeps_it(name: str) -> None:
    VALIDATOR.validate(export(record(name)))


@pytest.mark.parametrize("template", TemplateCatalog().names())
def test_the_story_of_everything_keeps_it(template: str) -> None:
    VALIDATOR.validate(export(story_of_everything(template)))


def test_an_incident_of_which_nothing_is_known_keeps_it() -> None:
    VALIDATOR.validate(export(drafted(INCIDENT, [], [])))


def test_what_the_real_bot_exports_keeps_it() -> None:
    VALIDATOR.validate(json.loads(replay_file(SAMPLE).documents["json"]))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["incident", "id"], "12"),
        (["incident", "severity"], "SEV9"),
        (["incident", "status"], "closed"),
        (["incident", "started_at"], "2026-03-12 12:00"),
        (["incident", "declared_at"], None),
        (["incident", "time_to_detect_s"], -1),
        (["incident", "detected_by"], "the cat"),
        (["entries", 0, "kind"], "shouted"),
        (["entries", 0, "late"], "no"),
        (["action_items", 0, "due_on"], "soon"),
        (["action_items", 0, "state"], "closed"),
        (["postmortem", "version"], 0),
        (["postmortem", "sections", 0, "edited"], None),
        (["postmortem", "sections", 0, "mood"], "good"),
        (["mood"], "good"),
    ],
)
def test_what_is_not_promised_is_refused(path: list[Any], value: object) -> None:
    told = export(record(casebook.NAMES[0]))
    place = told
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValidationError):
        VALIDATOR.validate(told)


def test_every_field_is_required() -> None:
    told = export(record(casebook.NAMES[0]))
    for part in (told, told["incident"], told["entries"][0], told["action_items"][0], told["postmortem"]):
        for name in list(part):
            kept = part.pop(name)
            assert not VALIDATOR.is_valid(told), name
            part[name] = kept
    VALIDATOR.validate(told)
