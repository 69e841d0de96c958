"""The canvases.* methods: documents in Markdown, each in a tab of its channel or standing alone.

Sources: Slack's reference of canvases.create and canvases.edit, and what its answers' `detail` says of Markdown it
does not take: a list within a quotation, a list of another kind within a list, a heading below the third level.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from bot.fakeslack.context import MethodContext
from bot.fakeslack.objects import Canvas
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError

MAX_MARKDOWN_CHARACTERS: Final = 1_048_576
WITH_CONTENT: Final = frozenset({"insert_after", "insert_before", "insert_at_start", "insert_at_end", "replace"})
OPERATIONS: Final = WITH_CONTENT | {"delete", "rename"}

Args = dict[str, Any]

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_COMPLAINTS: Final = (
    (re.compile(r"\s*#{4,6}\s"), "Unsupported heading depth"),
    (re.compile(r"\s*>\s*(?:[-*+]|\d+[.)])\s"), "Unsupported block type (List) within block quote"),
    (re.compile(r"\s*(?:[-*+]|\d+[.)])\s+>"), "Unsupported block type (Quote) within list item"),
    (re.compile(r"\s+(?:`{3,}|~{3,})"), "Unsupported block type (Code block) within list item"),
    (re.compile(r"\s*<!--"), "Unsupported HTML"),
)


def create(desk: MethodContext, args: Args) -> Json:
    """canvases.create: with a `channel_id` in a tab of that channel, which a workspace on a free plan demands."""
    workspace = desk.workspace
    channel = desk.writable(args["channel_id"]).id if args.get("channel_id") else None
    if workspace.free_plan and channel is None:
        raise ApiError("free_teams_cannot_create_non_tabbed_canvases")
    if workspace.free_plan and any(each.channel == channel for each in workspace.canvases.values()):
        raise ApiError("free_team_canvas_tab_already_exists")
    markdown = _markdown(args.get("document_content", {"type": "markdown", "markdown": ""}), "canvas_creation_failed")
    canvas = Canvas(id=workspace.next_id("F"), title=args.get("title", ""), markdown=markdown, channel=channel)
    workspace.canvases[canvas.id] = canvas
    workspace.touch()
    return {"canvas_id": canvas.id}


def edit(desk: MethodContext, args: Args) -> Json:
    """canvases.edit: one change a call; of the operations, the stand-in does `replace` of all, and `rename`."""
    canvas = desk.workspace.canvases.get(args["canvas_id"])
    if canvas is None:
        raise ApiError("canvas_not_found")
    if len(args["changes"]) != 1:
        raise ApiError("invalid_arguments", "[ERROR] must provide one change [json-pointer:/changes]")
    desk.workspace.canvases[canvas.id] = _changed(canvas, args["changes"][0])
    desk.workspace.touch()
    return {}


def _changed(canvas: Canvas, change: Json) -> Canvas:
    operation = change.get("operation")
    if operation not in OPERATIONS:
        raise ApiError("invalid_arguments", "[ERROR] must be a known operation [json-pointer:/changes/0/operation]")
    content = "title_content" if operation == "rename" else "document_content"
    if not change.keys() <= {"operation", "section_id", content} or "section_id" in change:
        raise ApiError("invalid_arguments", "[ERROR] must be a change of the whole [json-pointer:/changes/0]")
    text = _markdown(change.get(content), "canvas_editing_failed")
    return replace(canvas, title=text) if operation == "rename" else replace(canvas, markdown=text)


def _markdown(content: object, error: str) -> str:
    """The Markdown of a `document_content`. Raises Refused where Slack would not take it."""
    if not isinstance(content, dict) or content.keys() != {"type", "markdown"} or content["type"] != "markdown":
        raise ApiError("invalid_arguments", "[ERROR] failed to match exactly one allowed schema [json-pointer:/]")
    text = content["markdown"]
    if not isinstance(text, str) or len(text) > MAX_MARKDOWN_CHARACTERS:
        raise ApiError(
            "invalid_arguments", f"[ERROR] must be at most {MAX_MARKDOWN_CHARACTERS} characters [json-pointer:/]"
        )
    for problem in _problems(text):
        raise ApiError(error, detail=f"'content' error: {problem}")
    return text


def _problems(text: str) -> Iterator[str]:
    fence = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not fence:
            yield from (f"line {number}: {words}" for pattern, words in _COMPLAINTS if pattern.match(line))
        opened = _FENCE.match(line)
        if opened and (not fence or line.strip() == fence):
            fence = "" if fence else opened[1]
