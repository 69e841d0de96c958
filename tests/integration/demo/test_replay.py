"""Replays of real incidents through the real bot: the documents state what the published reports state."""

import json
import xml.etree.ElementTree as ET
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.demo.casefile import SAMPLE
from bot.demo.replay import ReplayResult, replay_file
from bot.domain.time.format import duration
from tests.support.paths import CASES as FOLDER

CASES = sorted(FOLDER.glob("*.json"))
PUBLISHED = [path for path in CASES if not path.stem.startswith("invented-")]
FACTS = (
    "started_at",
    "detected_at",
    "resolved_at",
    "time_to_detect_s",
    "time_to_resolve_s",
    "detected_by",
    "misleading_paths",
    "escalations",
)


@cache
def replayed(path: Path) -> ReplayResult:
    return replay_file(path)


def exported(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(replayed(path).documents["json"])
    return document


def case(path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return parsed


def test_the_real_and_the_invented_cases_are_there() -> None:
    assert (len(CASES), len(PUBLISHED)) == (5, 3)


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_derived_fact_is_that_of_the_report(path: Path, fact: str) -> None:
    assert exported(path)["incident"][fact] == case(path)["expected"][fact]


@pytest.mark.parametrize("path", [path for path in CASES if path not in PUBLISHED], ids=lambda path: path.stem)
def test_a_derived_fact_is_that_of_the_invented_case(path: Path) -> None:
    incident = exported(path)["incident"]
    before = (datetime.fromisoformat(incident["impact_began_at"] or incident["detected_at"])) - datetime.fromisoformat(
        incident["detected_at"]
    )
    told = {
        **incident,
        "rounds": [[each["began_at"], each["ended_at"]] for each in incident["rounds"]],
        "impact_lasted_s": incident["time_in_rounds_s"],
        "mitigations": [f"{each['at']}{'' if each['held'] else ' did not hold'}" for each in incident["mitigations"]],
        "time_to_detect": f"{duration(before.total_seconds())} before the impact",
    }
    expected = case(path)["expected"]
    assert {fact: told[fact] for fact in expected} == expected


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_the_action_items_are_those_of_the_report(path: Path) -> None:
    found = [
        {"text": item["text"], "owner": item["owner"], "kind": item["kind"], "due": item["due_on"]}
        for item in exported(path)["action_items"]
    ]
    assert found == case(path)["expected"]["action_items"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_command_is_an_entry_or_an_item_with_its_words_and_time(path: Path) -> None:
    typed = case(path)["commands"]
    document = exported(path)
    assert len(document["entries"]) + len(document["action_items"]) == len(typed)
    recorded = sorted((entry["recorded_at"], entry["author"]) for entry in document["entries"])
    assert recorded == sorted((each["at"], each["user"]) for each in typed if each["command"] != "/actionitem")
    words = " ".join(each["text"] for each in typed)
    assert all(entry["text"] in words for entry in document["entries"])
    late = [entry["text"] for entry in document["entries"] if entry["late"]]
    assert len(late) == sum(each["backdated"] for each in typed)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_title_severity_and_declaration_are_those_of_the_case(path: Path) -> None:
    incident = exported(path)["incident"]
    given = case(path)
    assert (incident["title"], incident["severity"]) == (given["title"], given["severity"])
    assert incident["declared_at"] == given["commands"][0]["at"]


@pytest.mark.parametrize("path", [*CASES, SAMPLE], ids=lambda path: path.stem)
def test_the_draft_at_the_end_holds_the_sections_in_order(path: Path) -> None:
    document = exported(path)
    resolutions = sum(entry["kind"] == "resolved" for entry in document["entries"])
    assert document["postmortem"]["version"] == resolutions + 1
    assert [section["key"] for section in document["postmortem"]["sections"]] == [
        "summary",
        "timeline",
        "cause",
        "measures",
        "lessons",
        "response",
        "still-open",
    ]
    written = replayed(path).documents["md"]
    assert written.startswith(f"# INC-1: {document['incident']['title']}\n")
    assert all(f"\n## {section['heading']}\n" in written for section in document["postmortem"]["sections"])


@pytest.mark.parametrize("path", [*CASES, SAMPLE], ids=lambda path: path.stem)
def test_picture_and_page_are_well_formed_and_load_nothing_from_elsewhere(path: Path) -> None:
    documents = replayed(path).documents
    assert ET.fromstring(documents["svg"]).tag.endswith("svg")  # noqa: S314 - our own picture
    page = documents["html"]
    assert "<svg" in page
    assert "<script" not in page
    assert 'src="http' not in page
    assert page.count("<h1") == 1


def test_a_second_replay_gives_the_same_bytes() -> None:
    assert replay_file(CASES[0]).documents == replayed(CASES[0]).documents
