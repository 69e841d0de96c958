"""Shortens a JSON Schema whose types have no names: what stands in it more than once becomes one definition.

`compile.sh` calls it: python -m tests.support.slackschemas.fold @slack/types@3.2.0 … < long.json > calls.schema.json
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

SHORTEST = 60
"""A part with less JSON than that many characters stays where it is."""
MAPS, LISTS, SINGLES = {"properties"}, {"anyOf", "allOf", "items"}, {"items", "additionalProperties", "not"}
"""The keywords that hold schemas, by how they hold them. Everything else is copied as it is."""
REFERENCE = "#/definitions/"
LICENCE = "MIT, © Slack Technologies, LLC."
MADE_BY = "Made by tests/support/slackschemas/compile.sh; not to be edited."


class Folding:
    """The distinct parts found so far, each by the name of its definition."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.parts: dict[str, Any] = {}

    def folded(self, schema: Any) -> Any:
        """Return the schema as a reference to its part, or itself if it is short."""
        if not isinstance(schema, dict):
            return schema
        inner = {key: self._value(key, value) for key, value in schema.items() if key != "description"}
        text = json.dumps(inner, sort_keys=True)
        if len(text) < SHORTEST:
            return inner
        name = self.names.setdefault(text, f"part{len(self.names) + 1}")
        self.parts[name] = inner
        return {"$ref": REFERENCE + name}

    def _value(self, key: str, value: Any) -> Any:
        if key in MAPS and isinstance(value, dict):
            return {name: self.folded(each) for name, each in value.items()}
        if key in LISTS and isinstance(value, list):
            return [self.folded(each) for each in value]
        return self.folded(value) if key in SINGLES else value

    def inlined(self, schema: Any, once: set[str]) -> Any:
        """Return the schema with each part in `once`, which one other part refers to, back in its place."""
        if isinstance(schema, list):
            return [self.inlined(each, once) for each in schema]
        if not isinstance(schema, dict):
            return schema
        name = str(schema.get("$ref", "")).removeprefix(REFERENCE)
        if name in once:
            return self.inlined(self.parts[name], once)
        return {key: self.inlined(value, once) for key, value in schema.items()}


def references(schema: Any) -> Counter[str]:
    """Count the references in a part."""
    if isinstance(schema, list):
        return sum(map(references, schema), Counter())
    if not isinstance(schema, dict):
        return Counter()
    if "$ref" in schema:
        return Counter([str(schema["$ref"]).removeprefix(REFERENCE)])
    return sum(map(references, schema.values()), Counter())


def fold(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an equal schema for each property of the one type in `schema`, as definitions."""
    calls = schema["definitions"][schema["$ref"].removeprefix(REFERENCE)]["properties"]
    folding = Folding()
    roots = {name: folding.folded(each) for name, each in calls.items()}
    uses = references([*folding.parts.values(), *roots.values()])
    once = {name for name, count in uses.items() if count == 1}
    kept = {name: folding.inlined(part, once) for name, part in folding.parts.items() if name not in once}
    shown = {name: folding.inlined(each, once) for name, each in roots.items()}
    return {"$schema": schema["$schema"], "definitions": {**shown, **kept}}


def lines(schema: dict[str, Any], sources: Sequence[str]) -> str:
    """Return the schema as JSON with a line for each definition, and its `sources`, npm packages with versions."""
    parts = ",\n".join(f"{json.dumps(name)}: {json.dumps(part)}" for name, part in schema["definitions"].items())
    head = {"$schema": schema["$schema"], "$comment": f"{LICENCE} From npm: {', '.join(sources)}. {MADE_BY}"}
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "definitions": {{\n{parts}\n}}}}\n'


if __name__ == "__main__":
    sys.stdout.write(lines(fold(json.load(sys.stdin)), sys.argv[1:]))
