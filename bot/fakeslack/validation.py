"""Checks of what an app sends: a method's arguments, messages and views."""

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
"""Every method takes these; Slack's own client adds the team to all it sends."""

Reader = Callable[[object], Any]


class ApiError(Exception):
    """Slack says no: `error` is its word for why, `details` are its messages, `extra` goes with the error."""

    def __init__(self, error: str, *details: str, **extra: str) -> None:
        super().__init__(error, *details)
        self.error = error
        self.details = details
        self.extra = extra


def string(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise TypeError("must be a string")
    return value


def boolean(value: object) -> bool:
    """A boolean, in a form written as 1, 0, true or false."""
    known: dict[object, bool] = {
        True: True,
        False: False,
        "1": True,
        "0": False,
        "true": True,
        "false": False,
    }
    if not isinstance(value, bool | str) or value not in known:
        raise TypeError("must be a boolean")
    return known[value]


def integer(value: object) -> int:
    """A whole number, in a form written in figures."""
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and value.isdecimal())):
        raise TypeError("must be an integer")
    return int(value)


def object_list(value: object) -> list[Json]:
    """A list of objects, in a form written as JSON."""
    found = _unpacked(value)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise TypeError("must be a list of objects")
    return found


def json_object(value: object) -> Json:
    """An object, in a form written as JSON."""
    found = _unpacked(value)
    if not isinstance(found, dict):
        raise TypeError("must be an object")
    return found


def string_list(value: object) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in string(value).split(",") if name.strip()]


def _unpacked(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise TypeError("must be valid JSON") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments a method takes, each with its reader; any other is refused."""

    required: Mapping[str, Reader]
    optional: Mapping[str, Reader]

    def read(self, given: Json) -> dict[str, Any]:
        """The arguments as typed values. Raises Refused (invalid_arguments) naming all that is wrong."""
        faults = [error_message(f"missing required field: {name}", "") for name in self.required if name not in given]
        understood = {}
        for name, value in given.items():
            reader = self.required.get(name) or self.optional.get(name)
            if reader is not None:
                try:
                    understood[name] = reader(value)
                except TypeError as error:
                    faults.append(error_message(str(error), f"/{name}"))
            elif name not in COMMON_ARGUMENTS:
                faults.append(error_message(f"invalid additional property: {name}", ""))
        if faults:
            raise ApiError("invalid_arguments", *faults)
        return understood


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Why Slack refuses: its `error` word, and `details`, one sentence for each fault."""

    error: str
    details: tuple[str, ...] = ()


def elements_of(block: Json) -> list[Json]:
    """The interactive elements that stand in a block, in order."""
    inside = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
    return [element for element in inside if isinstance(element, dict) and element.get("type") in ELEMENTS]


def options_of(element: Json) -> list[Json]:
    """Every option an element offers, those in groups too."""
    grouped = chain.from_iterable(group["options"] for group in element.get("option_groups", ()))
    return [*element.get("options", ()), *grouped]


def text_length(value: object) -> int:
    """The characters people would read in a block, a list of blocks, or any part of one."""
    if isinstance(value, dict):
        own = value.get("text")
        return (len(own) if isinstance(own, str) else 0) + sum(text_length(inner) for inner in value.values())
    return sum(text_length(inner) for inner in value) if isinstance(value, list) else 0


def complaint_about_message(words: str, blocks: list[Json]) -> Complaint | None:
    """Why a message of `words` and `blocks` would be refused, or None."""
    if not words.strip():
        return Complaint(error="no_text", details=("[ERROR] text is required, also next to blocks",))
    if len(words) > MAX_MESSAGE_TEXT:
        return Complaint(error="msg_too_long")
    rule = ListOf(item=ByType(types=BLOCKS), max_items=MAX_MESSAGE_BLOCKS, min_items=0)
    details = tuple(rule.errors(blocks, "/blocks")) or tuple(_clashes(blocks, "/blocks"))
    if details:
        return Complaint(error="invalid_blocks", details=details)
    if text_length(blocks) > MAX_BLOCKS_TEXT:
        return Complaint(error="msg_blocks_too_long", details=(f"[ERROR] {text_length(blocks)} characters",))
    return None


def complaint_about_view(view: Json) -> Complaint | None:
    """Why a view would be refused, or None."""
    if len(str(view)) > MAX_VIEW_BYTES:
        return Complaint(error="view_too_large")
    blocks = view.get("blocks")
    details = tuple(ByType(types=VIEWS).errors(view, "/view"))
    if not details and isinstance(blocks, list):
        details = (*_clashes(blocks, "/view/blocks"), *_missing_in_form(view))
    return Complaint(error="invalid_arguments", details=details) if details else None


def _missing_in_form(view: Json) -> Iterator[str]:
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    if view["type"] == "modal" and inputs and "submit" not in view:
        yield error_message("missing required field: submit, as there are input blocks", "/view")
    yield from _repeated([block["element"] for block in inputs], "action_id", "/view/blocks")


def _clashes(blocks: list[Json], at: str) -> Iterator[str]:
    yield from _repeated(blocks, "block_id", at)
    for index, block in enumerate(blocks):
        yield from _repeated(elements_of(block), "action_id", f"{at}/{index}")
        for element in elements_of(block):
            yield from _strange_choice(element, f"{at}/{index}")
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MAX_MARKDOWN_TEXT:
        yield error_message(f"markdown blocks may have {MAX_MARKDOWN_TEXT} characters in all", at)


def _repeated(things: list[Json], key: str, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for thing in things:
        name = thing.get(key)
        if name in seen:
            yield error_message(f"{key} {name} already exists", at)
        elif name is not None:
            seen.add(name)


def _strange_choice(element: Json, at: str) -> Iterator[str]:
    offered = options_of(element)
    chosen = [*element.get("initial_options", ())]
    if "initial_option" in element:
        chosen.append(element["initial_option"])
    if any(one not in offered for one in chosen):
        yield error_message("initial_option must be one of the options, exactly", at)
