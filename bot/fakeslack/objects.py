"""Slack's objects as frozen values, each with the JSON Slack sends of it: all keys are from Slack's reference.

The values refer to each other by id.
"""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from bot.fakeslack.schema import Json

TEAM_ID = "T0PLAYGRND"
TEAM_DOMAIN = "playground"
WORKSPACE_URL = f"https://{TEAM_DOMAIN}.slack.com"
FILES_URL = "https://files.slack.com"
APP_ID = "A0SCRIBE"
BOT_ID = "B0SCRIBE"
BOT_USER_ID = "U0SCRIBE"
SLACKBOT_ID = "USLACKBOT"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A member of the workspace. `zone` is an IANA name, or None if Slack does not know it.

    `display_name` is the profile's, None for the handle. `team_id` is the workspace of a person in a shared channel.
    A guest is `restricted`; the guest of a single channel is `ultra_restricted` too.
    """

    id: str
    name: str
    real_name: str
    display_name: str | None = None
    team_id: str = TEAM_ID
    zone: str | None = None
    is_bot: bool = False
    deleted: bool = False
    restricted: bool = False
    ultra_restricted: bool = False
    updated_at: datetime


def user_json(user: User, *, now: datetime, locale: bool = False) -> Json:
    """Return a user object. A deleted user has no time zone, as in Slack."""
    zone: Json = {}
    if user.zone and not user.deleted:
        local_time = now.astimezone(ZoneInfo(user.zone))
        offset = local_time.utcoffset()
        zone = {
            "tz": user.zone,
            "tz_label": local_time.tzname() or user.zone,
            "tz_offset": int(offset.total_seconds()) if offset else 0,
        }
    shown = user.name if user.display_name is None else user.display_name
    roles = ("is_admin", "is_owner", "is_primary_owner", "is_app_user")
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        **zone,
        "profile": {
            "real_name": user.real_name,
            "real_name_normalized": user.real_name,
            "display_name": shown,
            "display_name_normalized": shown,
            "team": user.team_id,
            **({"bot_id": BOT_ID, "api_app_id": APP_ID} if user.id == BOT_USER_ID else {}),
        },
        **dict.fromkeys(roles, False),
        "is_restricted": user.restricted,
        "is_ultra_restricted": user.ultra_restricted,
        "is_bot": user.is_bot,
        **({"is_stranger": True} if user.team_id != TEAM_ID else {}),
        "updated": unix_seconds(user.updated_at),
        **({"locale": "en-GB"} if locale else {}),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A conversation. Without `members` it has all people; `with_user` is the person of a direct message.

    `shared` is a channel with another organisation, created by the workspace `created_by`. `creator` is a user's id.
    """

    id: str
    name: str
    created_at: datetime
    private: bool = False
    archived: bool = False
    bot_is_member: bool = True
    members: frozenset[str] | None = None
    with_user: str | None = None
    shared: bool = False
    created_by: str = TEAM_ID
    creator: str = SLACKBOT_ID
    purpose: str = ""

    @property
    def scope_prefix(self) -> str:
        """The prefix of the scopes to read it: `channels`, `groups` or `im`."""
        if self.with_user:
            return "im"
        return "groups" if self.private else "channels"


def channel_json(channel: Channel, *, num_members: int | None = None) -> Json:
    """Return a conversation object."""
    if channel.with_user:
        return {
            "id": channel.id,
            "created": unix_seconds(channel.created_at),
            "is_archived": False,
            "is_im": True,
            "is_org_shared": False,
            "user": channel.with_user,
        }
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_general": False,
        "is_shared": channel.shared,
        "is_ext_shared": channel.shared,
        "is_member": channel.bot_is_member,
        "created": unix_seconds(channel.created_at),
        "creator": channel.creator,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": channel.purpose, "creator": channel.creator if channel.purpose else "", "last_set": 0},
        "previous_names": [],
        "context_team_id": TEAM_ID,
        **({} if num_members is None else {"num_members": num_members}),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An uploaded file. `channel` is None if it was not shared; `user` is who uploaded it."""

    id: str
    name: str
    title: str
    content: bytes
    user: str = BOT_USER_ID
    channel: str | None = None
    initial_comment: str = ""
    thread_ts: str | None = None
    created_at: datetime


def file_json(file: File, *, host: str = FILES_URL) -> Json:
    """Return a file object, whose bytes are at `host`; Slack's is files.slack.com."""
    file_type = PurePosixPath(file.name).suffix.lstrip(".") or "text"
    name = quote(file.name)
    private = f"{host}/files-pri/{TEAM_ID}-{file.id}"
    share_keys = {"C": "channels", "G": "groups", "D": "ims"}
    shared: Json = {"channels": [], "groups": [], "ims": []}
    if file.channel:
        shared[share_keys[file.channel[0]]] = [file.channel]
    return {
        "id": file.id,
        "created": unix_seconds(file.created_at),
        "timestamp": unix_seconds(file.created_at),
        "name": file.name,
        "title": file.title,
        "mimetype": mimetypes.guess_type(file.name)[0] or "text/plain",
        "filetype": file_type,
        "pretty_type": file_type.upper(),
        "user": file.user,
        "user_team": TEAM_ID,
        "editable": False,
        "size": len(file.content),
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": bool(shared["channels"]),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{private}/{name}",
        "url_private_download": f"{private}/download/{name}",
        "permalink": f"{WORKSPACE_URL}/files/{file.user}/{file.id}/{name}",
        **shared,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload that is not complete: `length` bytes are announced, `content` is None until they arrive."""

    file_id: str
    name: str
    length: int
    content: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """A canvas, in a tab of `channel` or standalone."""

    id: str
    title: str
    markdown: str
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. Only the person `ephemeral_for` sees an ephemeral one; `reactions` are user ids by emoji name.

    `edited_ts` is when the author edited it, None for an edit by the bot. `app` are the keys that Slack adds to what an
    app posted: `bot_id`, `bot_profile`, `username`, `subtype`. Without a `user` an app posted it with a webhook.
    """

    ts: str
    user: str
    text: str
    channel: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    ephemeral_for: str | None = None
    metadata: Json | None = None
    edited: bool = False
    edited_ts: str | None = None
    app: Json = field(default_factory=dict)
    deleted: bool = False
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[File, ...] = ()


def message_json(message: Message, *, metadata: bool = False) -> Json:
    """Return a message object; Slack includes the metadata only on request."""
    parts: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": TEAM_ID,
    }
    if message.user == BOT_USER_ID:
        parts |= {"bot_id": BOT_ID, "app_id": APP_ID}
    parts |= message.app
    if not message.user:
        del parts["user"]
    if message.blocks:
        parts["blocks"] = message.blocks
    if message.attachments:
        parts["attachments"] = message.attachments
    if message.thread_ts:
        parts["thread_ts"] = message.thread_ts
    if message.edited:
        parts["edited"] = {"user": message.user, "ts": message.edited_ts or message.ts}
    if message.files:
        parts["files"] = [file_json(file) for file in message.files]
    if metadata and message.metadata:
        parts["metadata"] = message.metadata
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Who pinned a message, and when."""

    user: str
    at: datetime


def pinned_item(message: Message, pin: Pin) -> Json:
    """Return the item of pins.list and of the events about pins: the message with its permalink."""
    thread = f"?thread_ts={message.thread_ts}&cid={message.channel}" if message.thread_ts else ""
    permalink = f"{WORKSPACE_URL}/archives/{message.channel}/p{message.ts.replace('.', '')}{thread}"
    return {
        "type": "message",
        "created": unix_seconds(pin.at),
        "created_by": pin.user,
        "channel": message.channel,
        "message": message_json(message) | {"pinned_to": [message.channel], "permalink": permalink},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A modal or Home tab of one person. `content` is what the app sent, with generated ids where it gave none."""

    id: str
    user: str
    content: Json
    hash: str
    root_id: str
    previous_id: str | None = None

    @property
    def title(self) -> str:
        """The text of the title; empty for a Home tab."""
        return str(self.content.get("title", {}).get("text", ""))

    @property
    def blocks(self) -> list[Json]:
        """The blocks, with their ids."""
        blocks: list[Json] = self.content["blocks"]
        return blocks

    @property
    def callback_id(self) -> str:
        """The callback_id, or an empty string."""
        return str(self.content.get("callback_id", ""))


def view_json(view: View) -> Json:
    """Return a view object."""
    content = {key: value for key, value in view.content.items() if key != "state"}
    return {
        "id": view.id,
        "team_id": TEAM_ID,
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "submit": None,
        "close": None,
        **content,
        "state": {"values": {}},
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "app_id": APP_ID,
        "app_installed_team_id": TEAM_ID,
        "bot_id": BOT_ID,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A recorded call of the Web API or use of a response URL. `args` are without the token."""

    method: str
    args: dict[str, Any]
    at: datetime
    error: str | None = None


def unix_seconds(moment: datetime) -> int:
    """Return the whole seconds since 1970 UTC."""
    return int(moment.timestamp())
