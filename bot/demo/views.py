"""What the page is told: the workspace as one person sees it, in plain values."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.documents import markup
from bot.fakeslack.objects import BOT_USER_ID, Channel, File, Message, User, View
from bot.fakeslack.schema import Json
from bot.fakeslack.slack import Slack
from bot.fakeslack.workspace import Workspace

MOST_MESSAGES: Final = 500
PREVIEW: Final = 20_000
"""Characters of a text file, or of a canvas, that the page shows."""
PICTURES: Final = {"png": "image/png", "svg": "image/svg+xml", "jpg": "image/jpeg", "gif": "image/gif"}


@lru_cache(maxsize=512)
def _html(markdown: str) -> str:
    """The HTML of Markdown. The page asks for the same ones again and again."""
    return markup.html(markdown)


def people(workspace: Workspace) -> list[Json]:
    """Everybody, the bots too, in the order they came."""
    now = workspace.clock()
    directs = {each.with_user: each.id for each in workspace.channels.values() if each.with_user}
    return [
        _person(user, now) | {"direct": directs.get(user.id), "letters": _letters(workspace, directs.get(user.id))}
        for user in workspace.users.values()
        if not user.deleted
    ]


def _letters(workspace: Workspace, direct: str | None) -> int:
    """How many messages there are in a direct message."""
    return 0 if direct is None else len(workspace.visible(direct, None))


def _person(user: User, now: datetime) -> Json:
    there = now.astimezone(ZoneInfo(user.zone)) if user.zone else None
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "bot": user.is_bot,
        "zone": user.zone,
        "offset_s": int(there.utcoffset().total_seconds()) if there else 0,  # type: ignore[union-attr]
    }


def conversations(workspace: Workspace, user: str) -> list[Json]:
    """The channels the person is in, then their direct message with the bot; `last` is the newest ts they see."""
    there = [each for each in workspace.channels.values() if user in workspace.members(each)]
    listed = sorted(there, key=lambda each: each.with_user is not None)
    return [_conversation(workspace, each, user) for each in listed]


def _conversation(workspace: Workspace, channel: Channel, user: str) -> Json:
    seen = workspace.visible(channel.id, user)
    return {
        "id": channel.id,
        "name": "Scribe" if channel.with_user else channel.name,
        "direct": channel.with_user is not None,
        "private": channel.private,
        "last": seen[-1].ts if seen else "0",
        "count": len(seen),
    }


def said(slack: Slack, channel: str, user: str) -> list[Json]:
    """The messages of a channel that the person sees, oldest first; the newest MOST_MESSAGES of them."""
    typed = _typed(slack)
    seen = slack.workspace.visible(channel, user)[-MOST_MESSAGES:]
    return [_message(each) | {"typed": typed.get((each.channel, each.ts))} for each in seen]


def _typed(slack: Slack) -> dict[tuple[str, str], Json]:
    """The command that each answer to one was the answer to."""
    return {
        (answer.message.channel, answer.message.ts): {
            "user": answer.user,
            "command": answer.delivery.payload["command"],
            "text": answer.delivery.payload["text"],
        }
        for answer in slack.answers
        if answer.message and answer.delivery.kind == "slash_commands"
    }


def _message(message: Message) -> Json:
    return {
        "ts": message.ts,
        "channel": message.channel,
        "user": message.user,
        "bot": message.user == BOT_USER_ID,
        "text": message.text,
        "blocks": blocks(message.blocks),
        "attachments": message.attachments,
        "thread_ts": message.thread_ts,
        "private": message.ephemeral_for is not None,
        "edited": message.edited,
        "reactions": {name: list(users) for name, users in message.reactions.items()},
        "files": [_file(each) for each in message.files],
    }


def blocks(given: list[Json]) -> list[Json]:
    """Blocks with what a page cannot make of them by itself: the HTML of Markdown."""
    return [{**block, "html": _html(block["text"])} if block.get("type") == "markdown" else block for block in given]


def _file(file: File) -> Json:
    suffix = file.name.rpartition(".")[2].lower()
    about: Json = {"id": file.id, "name": file.name, "title": file.title, "size": len(file.content)}
    if suffix in PICTURES:
        return about | {"kind": "picture"}
    text = file.content.decode(errors="replace")
    kind = {"kind": "markdown", "html": _html(text[:PREVIEW])} if suffix == "md" else {"kind": "text"}
    return about | kind | {"text": text[:PREVIEW], "cut": len(text) > PREVIEW}


def canvases(workspace: Workspace, channel: str) -> list[Json]:
    """The canvases with a tab in the channel."""
    return [
        {
            "id": each.id,
            "title": each.title,
            "html": _html(each.markdown[:PREVIEW]),
            "cut": len(each.markdown) > PREVIEW,
        }
        for each in workspace.canvases.values()
        if each.channel == channel
    ]


def view(shown: View | None, zone: ZoneInfo) -> Json | None:
    """A modal or a Home tab, its pickers of an instant with the local time they begin with."""
    if shown is None:
        return None
    return {
        **shown.content,
        "id": shown.id,
        "hash": shown.hash,
        "blocks": [_with_local(each, zone) for each in shown.blocks],
    }


def _with_local(part: Any, zone: ZoneInfo) -> Any:
    if isinstance(part, list):
        return [_with_local(each, zone) for each in part]
    if not isinstance(part, dict):
        return part
    copy = {key: _with_local(value, zone) for key, value in part.items()}
    if isinstance(part.get("initial_date_time"), int):
        local = datetime.fromtimestamp(part["initial_date_time"], UTC).astimezone(zone)
        copy["initial_local"] = f"{local:%Y-%m-%dT%H:%M}"
    return copy
