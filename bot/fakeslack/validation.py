"""Validation of what an app sends: the arguments of a method, messages and views."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from bot.fakeslack.block_kit import (
    BLOCKS,
    ELEMENTS,
    MAX_BLOCKS_TEXT,
    MAX_MARKDOWN_TEXT,
    MAX_MESSAGE_BLOCKS,
    MAX_MESSAGE_TEXT,
    MAX_VIEW_BYTES,
    VIEWS,
)
from bot.fakeslack.schema import ByType, Json, ListOf, error_message

COMMON_ARGUMENTS: Final = frozenset({"token", "team_id"})
"""Arguments that every method accepts; slack_sdk adds the team id to every call."""

Reader = Callable[[object], Any]


class ApiError(Exception):
    """An error response of Slack: its `error` code, messages in `details`, and `extra` fields of the response."""

    def __init__(self, error: str, *details: str, **extra: object) -> None:
        super().__init__(error, *details)
        self.error = error
        self.details = details
        self.extra = extra


def string(value: object) -> str:
    """Read a string. This reader and the others raise TypeError for any other value."""
    if not isinstance(value, str):
        raise TypeError("must be a string")
    return value


def boolean(value: object) -> bool:
    """Read a boolean; in a form it is written as 1, 0, true or false."""
    known: dict[object, bool] = {True: True, False: False, "1": True, "0": False, "true": True, "false": False}
    if not isinstance(value, bool | str) or value not in known:
        raise TypeError("must be a boolean")
    return known[value]


def integer(value: object) -> int:
    """Read a non-negative integer, or its digits."""
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and value.isdecimal())):
        raise TypeError("must be an integer")
    return int(value)


def object_list(value: object) -> list[Json]:
    """Read a list of objects; in a form it is written as JSON."""
    found = _decode_json(value)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise TypeError("must be a list of objects")
    return found


def json_object(value: object) -> Json:
    """Read an object; in a form it is written as JSON."""
    found = _decode_json(value)
    if not isinstance(found, dict):
        raise TypeError("must be an object")
    return found


def string_list(value: object) -> list[str]:
    """Read comma-separated names."""
    return [name.strip() for name in string(value).split(",") if name.strip()]


def _decode_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise TypeError("must be valid JSON") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments a method accepts, each with the reader of its value."""

    required: Mapping[str, Reader]
    optional: Mapping[str, Reader]

    def read(self, args: Json) -> dict[str, Any]:
        """Return the typed values. Raises ApiError (invalid_arguments) that lists all errors."""
        errors = [error_message(f"missing required field: {name}", "") for name in self.required if name not in args]
        values = {}
        for name, value in args.items():
            reader = self.required.get(name) or self.optional.get(name)
            if reader is not None:
                try:
                    values[name] = reader(value)
                except TypeError as error:
                    errors.append(error_message(str(error), f"/{name}"))
            elif name not in COMMON_ARGUMENTS:
                errors.append(error_message(f"invalid additional property: {name}", ""))
        if errors:
            raise ApiError("invalid_arguments", *errors)
        return values


def check_message(text: str, blocks: list[Json]) -> None:
    """Raise ApiError if Slack would refuse a message of `text` and `blocks`.

    The text is required next to blocks too, where Slack only recommends it: notifications show it.
    """
    if not text.strip():
        raise ApiError("no_text", "[ERROR] text is required, also next to blocks")
    if len(text) > MAX_MESSAGE_TEXT:
        raise ApiError("msg_too_long")
    schema = ListOf(item=ByType(types=BLOCKS), max_items=MAX_MESSAGE_BLOCKS, min_items=0)
    errors = tuple(schema.errors(blocks, "/blocks")) or tuple(_block_errors(blocks, "/blocks"))
    if errors:
        raise ApiError("invalid_blocks", *errors)
    if text_length(blocks) > MAX_BLOCKS_TEXT:
        raise ApiError("msg_blocks_too_long", f"[ERROR] {text_length(blocks)} characters")


def check_view(view: Json) -> None:
    """Raise ApiError if Slack would refuse a view."""
    if len(str(view)) > MAX_VIEW_BYTES:
        raise ApiError("view_too_large")
    errors = tuple(ByType(types=VIEWS).errors(view, "/view"))
    if not errors:
        inputs = [block for block in view["blocks"] if block["type"] == "input"]
        errors = tuple(_block_errors(view["blocks"], "/view/blocks"))
        if view["type"] == "modal" and inputs and "submit" not in view:
            errors += (error_message("missing required field: submit, as there are input blocks", "/view"),)
        errors += tuple(_duplicates([block["element"] for block in inputs], "action_id", "/view/blocks"))
    if errors:
        raise ApiError("invalid_arguments", *errors)


def _block_errors(blocks: list[Json], pointer: str) -> Iterator[str]:
    """Yield the errors a schema cannot express: duplicate ids, unknown initial options, the total of Markdown."""
    yield from _duplicates(blocks, "block_id", pointer)
    for index, block in enumerate(blocks):
        yield from _duplicates(elements_of(block), "action_id", f"{pointer}/{index}")
        for element in elements_of(block):
            initial = [*element.get("initial_options", ())]
            if "initial_option" in element:
                initial.append(element["initial_option"])
            if any(option not in options_of(element) for option in initial):
                yield error_message("initial_option must be one of the options, exactly", f"{pointer}/{index}")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MAX_MARKDOWN_TEXT:
        yield error_message(f"markdown blocks may have {MAX_MARKDOWN_TEXT} characters in all", pointer)


def _duplicates(parts: list[Json], key: str, pointer: str) -> Iterator[str]:
    seen: set[str] = set()
    for part in parts:
        name = part.get(key)
        if name in seen:
            yield error_message(f"{key} {name} already exists", pointer)
        elif name is not None:
            seen.add(name)


def elements_of(block: Json) -> list[Json]:
    """Return the interactive elements and images in a block, in order."""
    parts = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
    return [part for part in parts if isinstance(part, dict) and part.get("type") in ELEMENTS]


def options_of(element: Json) -> list[Json]:
    """Return every option of an element, including those in option groups."""
    grouped = chain.from_iterable(group["options"] for group in element.get("option_groups", ()))
    return [*element.get("options", ()), *grouped]


def text_length(value: object) -> int:
    """Count the characters of every `text` in a block, a list of blocks or any part of one."""
    if isinstance(value, dict):
        own = value.get("text")
        return (len(own) if isinstance(own, str) else 0) + sum(text_length(inner) for inner in value.values())
    return sum(text_length(inner) for inner in value) if isinstance(value, list) else 0
