"""The stand-in is as strict as Slack: its error codes are Slack's, and it enforces Slack's limits."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.fakeslack import validation
from bot.fakeslack.validation import ApiError, check_message

Json = dict[str, Any]

ROOT = Path(validation.__file__).parent

ERROR_CODES = {
    "every method": "not_authed invalid_auth missing_scope not_allowed_token_type unknown_method invalid_arguments "
    "invalid_json invalid_post_type fatal_error internal_error ratelimited service_unavailable",
    "chat.*": "channel_not_found not_in_channel is_archived no_text msg_too_long invalid_blocks msg_blocks_too_long "
    "markdown_text_conflict message_not_found cant_update_message cant_delete_message invalid_metadata_format "
    "user_not_in_channel",
    "pins.add": "already_pinned",
    "conversations.*": "thread_not_found invalid_cursor invalid_limit invalid_ts_latest invalid_ts_oldest "
    "method_not_supported_for_channel_type",
    "conversations.invite": "no_user too_many_users",
    "conversations.setPurpose": "too_long",
    "users.*": "user_not_found",
    "users.conversations": "invalid_types",
    "usergroups.users.list": "no_such_subteam",
    "views.*": "invalid_trigger_id exchanged_trigger_id expired_trigger_id duplicate_external_id hash_conflict "
    "not_found view_too_large",
    "files.*": "file_not_found file_uploads_disabled file_uploads_except_images_disabled file_type_not_allowed "
    "file_upload_size_restricted access_denied ekm_access_denied invalid_channel posting_to_channel_denied "
    "no_permission file_update_failed",
    "canvases.*": "canvas_not_found free_team_canvas_tab_already_exists free_teams_cannot_create_non_tabbed_canvases "
    "canvas_creation_failed canvas_editing_failed",
    "a response_url": "expired_url used_url invalid_payload",
    "an answer, as shown to the person": "dispatch_failed operation_timeout invalid_response_action",
}
"""Slack's error codes, by the part of its reference that lists them."""


def error_codes(path: Path) -> Iterator[str]:
    """Every error code in a file of the stand-in; a formatted one with `*` for its variable parts."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in {"ApiError", "_own_message"}:
            continue
        named = [each.value for each in node.keywords if each.arg == "refusal"]
        for given_ in [*node.args[:1], *named]:
            if isinstance(given_, ast.Constant) and isinstance(given_.value, str):
                yield given_.value
            elif isinstance(given_, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else "*" for part in given_.values)  # type: ignore[misc]


def test_its_error_codes_are_slacks() -> None:
    known = set(" ".join(ERROR_CODES.values()).split())
    used = {word for path in ROOT.glob("*.py") for word in error_codes(path)}
    assert len(used) > 25
    unknown = {word for word in used if word not in known and not any(_fits(word, each) for each in known)}
    assert unknown == set()


def _fits(word: str, known: str) -> bool:
    before, star, after = word.partition("*")
    return bool(star) and known.startswith(before) and known.endswith(after)


LENGTHS = {"section": 3000, "field": 2000, "header": 150, "context": 3000, "label": 75, "value": 2000, "option": 75}
COUNTS = {"fields": 10, "elements of context": 10, "elements of actions": 25, "options": 100}
BLOCKS, ALL_CHARACTERS, MARKDOWN = 50, 13_000, 12_000
"""Slack's limits, copied from its Block Kit reference independently of the table under test."""


def about(most: int) -> st.SearchStrategy[int]:
    """Lengths on both sides of a limit, and small ones."""
    return st.sampled_from([0, 1, 2, most - 1, most, most + 1])


def texts(most: int, kind: str = "mrkdwn") -> st.SearchStrategy[Json]:
    return about(most).map(lambda length: {"type": kind, "text": "x" * length})


def some(many: int, inner: st.SearchStrategy[Json]) -> st.SearchStrategy[list[Json]]:
    """Lists of one repeated value, so that their length is limited only by the number of items."""
    return st.tuples(about(many), inner).map(lambda drawn: [drawn[1]] * drawn[0])


def buttons() -> st.SearchStrategy[Json]:
    return st.tuples(texts(LENGTHS["label"], "plain_text"), about(LENGTHS["value"])).map(
        lambda drawn: {"type": "button", "text": drawn[0], "value": "v" * drawn[1]}
    )


def selects() -> st.SearchStrategy[Json]:
    options = texts(LENGTHS["option"], "plain_text").map(lambda text: {"text": text, "value": "v"})
    return some(COUNTS["options"], options).map(lambda drawn: {"type": "static_select", "options": drawn})


MESSAGES = st.lists(
    st.one_of(
        texts(LENGTHS["section"]).map(lambda text: {"type": "section", "text": text}),
        some(COUNTS["fields"], texts(LENGTHS["field"])).map(lambda fields: {"type": "section", "fields": fields}),
        texts(LENGTHS["header"], "plain_text").map(lambda text: {"type": "header", "text": text}),
        some(COUNTS["elements of context"], texts(5)).map(lambda each: {"type": "context", "elements": each}),
        some(COUNTS["elements of actions"], st.one_of(buttons(), selects())).map(
            lambda each: {"type": "actions", "elements": each}
        ),
        about(MARKDOWN).map(lambda length: {"type": "markdown", "text": "x" * length}),
        st.just({"type": "divider"}),
    ),
    max_size=4,
)


def over(value: str | list[Json], most: int) -> bool:
    return not 1 <= len(value) <= most


def objections(blocks: list[Json]) -> Iterator[str]:
    """Every violation of the limits above in a message."""
    for block in blocks:
        kind, elements = block["type"], block.get("elements", [])
        if kind == "section" and "text" in block and over(block["text"]["text"], LENGTHS["section"]):
            yield "section"
        if "fields" in block and (
            over(block["fields"], COUNTS["fields"])
            or any(over(each["text"], LENGTHS["field"]) for each in block["fields"])
        ):
            yield "fields"
        if kind == "header" and over(block["text"]["text"], LENGTHS["header"]):
            yield "header"
        if kind == "markdown" and over(block["text"], MARKDOWN):
            yield "markdown"
        if kind in {"context", "actions"} and over(elements, COUNTS[f"elements of {kind}"]):
            yield kind
        for element in elements:
            yield from _in_element(element)
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN:
        yield "all markdown"
    if sum(_characters(block) for block in blocks) > ALL_CHARACTERS:
        yield "all"


def _in_element(element: Json) -> Iterator[str]:
    if element["type"] == "mrkdwn" and over(element["text"], LENGTHS["context"]):
        yield "text of a context"
    if element["type"] == "button" and (
        over(element["text"]["text"], LENGTHS["label"]) or over(element["value"], LENGTHS["value"])
    ):
        yield "button"
    if element["type"] == "static_select":
        options = element["options"]
        if over(options, COUNTS["options"]) or any(over(each["text"]["text"], LENGTHS["option"]) for each in options):
            yield "select"


def _characters(part: Any) -> int:
    """The characters of every `text`, however deep."""
    if isinstance(part, list):
        return sum(map(_characters, part))
    if not isinstance(part, dict):
        return 0
    own = part.get("text")
    return (len(own) if isinstance(own, str) else 0) + sum(_characters(each) for each in part.values())


def accepts(blocks: list[Json]) -> bool:
    try:
        check_message("words", blocks)
    except ApiError:
        return False
    return True


@given(MESSAGES)
@settings(max_examples=150, deadline=None)
def test_it_accepts_exactly_what_slacks_limits_allow(blocks: list[Json]) -> None:
    assert accepts(blocks) == (list(objections(blocks)) == [])


@pytest.mark.parametrize(("count", "taken"), [(BLOCKS, True), (BLOCKS + 1, False)])
def test_it_accepts_as_many_blocks_as_slack(count: int, taken: bool) -> None:  # noqa: FBT001 - a parameter by its name
    assert accepts([{"type": "divider"}] * count) == taken
