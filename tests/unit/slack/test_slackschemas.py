"""What the recorded calls are held to: Slack's own types find what is wrong, and folding them changes nothing."""

from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.support.slackschemas.check import problems
from tests.support.slackschemas.fold import fold

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
BUTTON = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "x"}, "value": "1"}
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": [SECTION]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chat.postMessage", {"channel": "C1", "text": "x"}),
        ("chat.postMessage", {"channel": "C1", "text": "x", "blocks": []}),
        ("chat.postMessage", {"channel": "C1", "text": "x", "blocks": [SECTION], "unfurl_links": False}),
        ("chat.postMessage", {"channel": "C1", "text": "x", "blocks": [{"type": "actions", "elements": [BUTTON]}]}),
        ("chat.update", {"channel": "C1", "ts": "1.2", "text": "x"}),
        ("views.open", {"trigger_id": "1.2", "view": MODAL}),
        ("users.list", {"limit": 200, "cursor": "x"}),
        ("blocks", [SECTION, {"type": "divider"}]),
        ("view", {"type": "home", "blocks": [SECTION]}),
    ],
)
def test_what_slacks_types_allow_passes(name: str, value: Any) -> None:
    assert problems(name, value) == []


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("chat.postMessage", {"channel": "C1"}, "chat.postMessage"),
        ("chat.postMessage", {"channel": "C1", "text": 1}, "text"),
        ("chat.postMessage", {"channel": "C1", "text": "x", "unfurl": False}, "unfurl"),
        ("chat.postMessage", {"channel": "C1", "text": "x", "blocks": [{"type": "sectoin"}]}, "blocks/0"),
        ("chat.postMessage", {"channel": "C1", "text": "x", "blocks": [SECTION, {**SECTION, "txt": 1}]}, "blocks/1"),
        ("blocks", [{"type": "actions", "elements": [{**BUTTON, "style": "blue"}]}], "blocks/0/elements/0"),
        ("blocks", [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "blocks/0"),
        ("view", {**MODAL, "title": "x"}, "title"),
        ("views.open", {"view": MODAL}, "views.open"),
        ("chat.update", {"channel": "C1", "text": "x"}, "chat.update"),
        ("chat.shout", {}, "chat.shout"),
    ],
)
def test_what_they_do_not_allow_is_found_with_its_place(name: str, value: Any, place: str) -> None:
    found = problems(name, value)
    assert found
    assert place in " ".join(found)


def test_a_folded_schema_allows_what_the_long_one_does() -> None:
    text = {"type": "object", "properties": {"type": {"const": "x"}, "text": {"type": "string"}}, "required": ["text"]}
    other = {**text, "properties": {"properties": text, "again": {"type": "array", "items": text}}, "required": []}
    long = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": "#/definitions/Calls",
        "definitions": {"Calls": {"properties": {"one": {"anyOf": [text, other]}, "two": other, "three": text}}},
    }
    folded = fold(long)
    assert str(folded).count("'required': ['text']") == 1
    for name, schema in long["definitions"]["Calls"]["properties"].items():  # type: ignore[index]
        short = {**folded, "$ref": f"#/definitions/{name}"}
        for value in ({"text": "a"}, {"text": 1}, {}, {"properties": {"text": 2}}, {"again": [{"text": "a"}, {}]}, 1):
            assert Draft7Validator(schema).is_valid(value) == Draft7Validator(short).is_valid(value), (name, value)
