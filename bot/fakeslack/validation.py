"""What Slack would say against a message or a view. Pure: a value goes in, complaints come out."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

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
