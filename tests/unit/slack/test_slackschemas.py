"""What the recorded calls are held to: Slack's own types find what is wrong, and folding them changes nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator

from bot.fakeslack.block_kit import BLOCKS, DATE_PATTERN, TIME_PATTERN, URL, VIEWS
from bot.fakeslack.schema import AnyOf, ByType, Integer, ListOf, Object, String
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
        ("pins.add", {"channel": "C1", "timestamp": "1.2"}),
        ("conversations.create", {"name": "inc-12-disk-full", "is_private": True}),
        ("conversations.invite", {"channel": "C1", "users": "U1,U2"}),
        ("response", {"response_type": "ephemeral", "text": "x", "blocks": [SECTION]}),
        ("response", {"delete_original": True}),
        ("submission", {"response_action": "errors", "errors": {"b": "x"}}),
        ("submission", {"response_action": "update", "view": MODAL}),
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
        ("pins.add", {"channel": "C1", "ts": "1.2"}, "ts"),
        ("response", {"response_type": "private", "text": "x"}, "response_type"),
        ("response", {"text": "x", "blocks": [{**SECTION, "txt": 1}]}, "blocks/0"),
        ("submission", {"response_action": "error", "errors": {"b": "x"}}, "response_action"),
    ],
)
def test_what_they_do_not_allow_is_found_with_its_place(name: str, value: Any, place: str) -> None:
    found = problems(name, value)
    assert found
    assert place in " ".join(found)


def fullest(schema: Any) -> Any:
    """A value with all that the stand-in's schema lets it have."""
    match schema:
        case String():
            known = {DATE_PATTERN: "2026-03-12", TIME_PATTERN: "14:02", URL.pattern: "https://x.example"}
            return (*schema.choices, known.get(schema.pattern, "#0b5cad" if schema.pattern else "x"))[0]
        case Integer():
            return max(schema.minimum, 1)
        case ListOf():
            return [fullest(schema.item)]
        case ByType():
            name = next(iter(schema.only or schema.types))
            return {"type": name, **fullest(schema.types[name])}
        case AnyOf():
            return fullest(schema.schemas[0])
        case Object():
            both = {key: fullest(each) for key, each in {**schema.required, **schema.optional}.items()}
            return {key: each for key, each in both.items() if key not in schema.any_of[1:]}
    return True


def of_every_type(name: str, block: Object) -> Iterator[Any]:
    """The fullest block, with each of the elements that it can have."""
    made = {"type": name, **fullest(block)}
    for key, schema in {**block.required, **block.optional}.items():
        inner = schema.item if isinstance(schema, ListOf) else schema
        if isinstance(inner, ByType):
            for each in inner.only or inner.types:
                element = {"type": each, **fullest(inner.types[each])}
                yield {**made, key: [element] if isinstance(schema, ListOf) else element}
    yield made


@pytest.mark.parametrize("name", BLOCKS)
def test_what_the_stand_in_takes_slacks_types_allow(name: str) -> None:
    for block in of_every_type(name, BLOCKS[name]):
        assert problems("blocks", [block]) == [], block


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_that_the_stand_in_takes_slacks_types_allow(name: str) -> None:
    assert problems("view", {"type": name, **fullest(VIEWS[name])}) == []


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
