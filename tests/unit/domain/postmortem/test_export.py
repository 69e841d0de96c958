import json
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.domain.postmortem.export import incident_json, instant
from storage.values import Postmortem, Section
from tests.support import casebook
from tests.support.casebook import entry, item

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
INCIDENT = casebook.incident(casebook.load(casebook.NAMES[0]))


@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_sample_case_exports_the_facts_it_expects(name: str) -> None:
    case = casebook.load(name)
    exported = incident_json(casebook.incident(case), casebook.entries(case), casebook.items(case))
    expected = case["expected"]
    facts = ("started_at", "detected_at", "resolved_at", "time_to_detect_s", "time_to_resolve_s",
             "detected_by", "misleading_paths", "escalations")  # fmt: skip
    assert {fact: exported["incident"][fact] for fact in facts} == {fact: expected[fact] for fact in facts}
    assert [{**one, "due": one["due_on"]} for one in exported["action_items"]] == [
        {**one, "due_on": one["due"], "state": "open"} for one in expected["action_items"]
    ]
    assert json.loads(json.dumps(exported)) == exported


def test_the_fields_are_the_contracts_and_nothing_else() -> None:
    body = Section(key="timeline", heading="Timeline", body="- x")
    drafted = Postmortem(template="classic", version=2, sections=(body,), drafted_at=NOON, drafted_by="alice")
    told = [
        entry(2, "note", NOON, "b", recorded_at=NOON + timedelta(seconds=61), revisions=1),
        entry(1, "did", NOON + timedelta(milliseconds=5), "a"),
        entry(3, "note", NOON, "gone", retracted=True),
    ]
    exported = incident_json(
        INCIDENT, told, [item(1, "x", owner="dba", kind="long-term", due_on=date(2026, 4, 1))], drafted
    )
    assert list(exported) == ["incident", "entries", "action_items", "postmortem"]
    assert exported["entries"] == [
        {
            "kind": "note", "occurred_at": "2026-03-02T12:00:00Z", "recorded_at": "2026-03-02T12:01:01Z",
            "author": "alice", "text": "b", "source": "slash", "late": True, "revisions": 1,
        },
        {
            "kind": "did", "occurred_at": "2026-03-02T12:00:00.005Z",
            "recorded_at": "2026-03-02T12:00:00.005Z", "author": "alice", "text": "a",
            "source": "slash", "late": False, "revisions": 0,
        },
    ]  # fmt: skip
    assert exported["action_items"] == [
        {"text": "x", "owner": "dba", "kind": "long-term", "due_on": "2026-04-01", "state": "open"}
    ]
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
