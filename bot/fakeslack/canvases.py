"""The canvases.* methods: documents in Markdown, in a tab of a channel or standalone.

Sources: Slack's reference of canvases.create and canvases.edit, and the `detail` of its errors for Markdown it does
not accept: a list within a quotation, a list of another kind within a list, a heading below the third level.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bot.fakeslack.context import Context
from bot.fakeslack.objects import Canvas
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError

MAX_MARKDOWN_CHARACTERS: Final = 1_048_576
OPERATIONS: Final = frozenset(
    {"insert_after", "insert_before", "insert_at_start", "insert_at_end", "replace", "delete", "rename"}
)

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_UNSUPPORTED: Final = (
    (re.compile(r"\s*#{4,6}\s"), "Unsupported heading depth"),
    (re.compile(r"\s*>\s*(?:[-*+]|\d+[.)])\s"), "Unsupported block type (List) within block quote"),
    (re.compile(r"\s*(?:[-*+]|\d+[.)])\s+>"), "Unsupported block type (Quote) within list item"),
    (re.compile(r"\s+(?:`{3,}|~{3,})"), "Unsupported block type (Code block) within list item"),
    (re.compile(r"\s*<!--"), "Unsupported HTML"),
)


def create(context: Context, args: Json) -> Json:
    """canvases.create. A workspace on the free plan requires a `channel_id` and allows one canvas a channel."""
    workspace = context.workspace
    channel = context.writable(args["channel_id"]).id if args.get("channel_id") else None
    if workspace.free_plan and channel is None:
        raise ApiError("free_teams_cannot_create_non_tabbed_canvases")
    if workspace.free_plan and any(canvas.channel == channel for canvas in workspace.canvases.values()):
        raise ApiError("free_team_canvas_tab_already_exists")
    content = args.get("document_content", {"type": "markdown", "markdown": ""})
    markdown = _checked_markdown(content, "canvas_creation_failed")
    canvas = Canvas(id=workspace.next_id("F"), title=args.get("title", ""), markdown=markdown, channel=channel)
    workspace.canvases[canvas.id] = canvas
    workspace.touch()
    return {"canvas_id": canvas.id}


def edit(context: Context, args: Json) -> Json:
    """canvases.edit with one change, as Slack requires. Only `replace` of the whole and `rename` are implemented."""
    canvas = context.workspace.canvases.get(args["canvas_id"])
    if canvas is None:
        raise ApiError("canvas_not_found")
    if len(args["changes"]) != 1:
        raise ApiError("invalid_arguments", "[ERROR] must provide one change [json-pointer:/changes]")
    (change,) = args["changes"]
    operation = change.get("operation")
    if operation not in OPERATIONS:
        raise ApiError("invalid_arguments", "[ERROR] must be a known operation [json-pointer:/changes/0/operation]")
    content_key = "title_content" if operation == "rename" else "document_content"
    if not change.keys() <= {"operation", content_key}:
        raise ApiError("invalid_arguments", "[ERROR] must be a change of the whole [json-pointer:/changes/0]")
    text = _checked_markdown(change.get(content_key), "canvas_editing_failed")
    changed = replace(canvas, title=text) if operation == "rename" else replace(canvas, markdown=text)
    context.workspace.canvases[canvas.id] = changed
    context.workspace.touch()
    return {}


def _checked_markdown(content: object, error: str) -> str:
    """Return the Markdown of a `document_content`. Raises ApiError with `error` if Slack does not accept it."""
    if not isinstance(content, dict) or content.keys() != {"type", "markdown"} or content["type"] != "markdown":
        raise ApiError("invalid_arguments", "[ERROR] failed to match exactly one allowed schema [json-pointer:/]")
    text = content["markdown"]
    if not isinstance(text, str) or len(text) > MAX_MARKDOWN_CHARACTERS:
        raise ApiError(
            "invalid_arguments", f"[ERROR] must be at most {MAX_MARKDOWN_CHARACTERS} characters [json-pointer:/]"
        )
    for problem in markdown_errors(text):
        raise ApiError(error, detail=f"'content' error: {problem}")
    return text


def markdown_errors(text: str) -> Iterator[str]:
    """Yield `line N: …` for each construct that a canvas does not support, outside fenced code."""
    fence = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not fence:
            yield from (f"line {number}: {message}" for pattern, message in _UNSUPPORTED if pattern.match(line))
        marker = _FENCE.match(line)
        if marker and (not fence or line.strip() == fence):
            fence = "" if fence else marker[1]
