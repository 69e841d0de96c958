"""Whether calls, acks, blocks and views are what Slack's own types allow."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from bot.fakeslack.slack import Slack

FOLDER = Path(__file__).parent
RESPONSE_URL = "response_url"
"""The name under which the stand-in records the uses of response URLs."""
DIFFERENCES = {"files.getUploadURLExternal": {"alt_txt": "alt_text"}}
"""Names in Slack's reference, and in its SDK for Python, that its types spell otherwise."""


@cache
def definitions() -> dict[str, Any]:
    """The schemas of the methods' arguments, of `blocks`, a `view`, a `response` and a `submission`, by name."""
    found: dict[str, Any] = json.loads((FOLDER / "calls.schema.json").read_text(encoding="utf-8"))["definitions"]
    return found


def _resolved(schema: Any) -> Any:
    while isinstance(schema, dict) and "$ref" in schema:
        schema = definitions()[schema["$ref"].rpartition("/")[2]]
    return schema


def _ref(validator: Any, ref: str, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ARG001
    yield from validator.descend(instance, definitions()[ref.rpartition("/")[2]])


def _any_of(validator: Any, branches: list[Any], instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ARG001
    """Try the branches that keys and `type` do not rule out: there are dozens, and most differ in these alone."""
    possible = [branch for branch in map(_resolved, branches) if _is_possible(branch, instance)]
    errors = []
    for branch in possible:
        found = list(validator.descend(instance, branch))
        if not found:
            return
        errors.append(found)
    if errors:
        yield from min(errors, key=len)
    else:
        yield ValidationError(f"{_shown(instance)} has the keys or the type of none of {len(branches)} alternatives")


def _is_possible(branch: Any, instance: Any) -> bool:
    if not isinstance(instance, dict) or not isinstance(branch, dict) or "properties" not in branch:
        return True
    known = branch["properties"]
    if not instance.keys() >= set(branch.get("required", ())):
        return False
    if branch.get("additionalProperties") is False and not instance.keys() <= known.keys():
        return False
    named = known.get("type", {})
    return "const" not in named or named["const"] == instance.get("type")


def _shown(instance: Any) -> str:
    return ", ".join(f"{key}={value!r:.40}" for key, value in instance.items()) if isinstance(instance, dict) else "it"


Typed: Any = extend(Draft7Validator, {"anyOf": _any_of, "$ref": _ref})  # type: ignore[no-untyped-call]


def problems(name: str, value: Any) -> list[str]:
    """What is wrong with the arguments of a method or another value that `definitions` names, each with its place.

    The types let a call have blocks of any type that they do not know; here blocks are checked by themselves.
    """
    schema = definitions().get(name)
    if schema is None:
        return [f"{name} is not among Slack's types here"]
    within = value.get("blocks") if isinstance(value, dict) else None
    if name not in {"blocks", "view"} and isinstance(within, list) and within:
        return problems(name, {**value, "blocks": []}) + problems("blocks", within)
    errors = Typed(schema).iter_errors(value)
    return [f"{name}/{'/'.join(map(str, error.absolute_path))}: {error.message:.300}" for error in errors]


def problems_of(slack: Slack) -> Iterator[str]:
    """What is wrong with the calls that the stand-in recorded, with the uses of response URLs and with the acks."""
    for call in slack.calls:
        if call.method == RESPONSE_URL:
            yield from problems("response", call.args)
        else:
            spelled = DIFFERENCES.get(call.method, {})
            yield from problems(call.method, {spelled.get(key, key): _as_sent(each) for key, each in call.args.items()})
    for answer in slack.answers:
        if answer.body:
            yield from problems("submission" if "response_action" in answer.body else "response", answer.body)


def _as_sent(value: Any) -> Any:
    """The stand-in reads names between commas as a list."""
    names = isinstance(value, list) and value and all(isinstance(each, str) for each in value)
    return ",".join(value) if names else value
