"""Slack's objects as frozen values, and their JSON, which has no key that Slack does not send."""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from bot.fakeslack.schema import Json

TEAM_ID = "T0PLAYGRND"
TEAM_DOMAIN = "playground"
APP_ID = "A0SCRIBE"
BOT_ID = "B0SCRIBE"
BOT_USER_ID = "U0SCRIBE"
SLACKBOT_ID = "USLACKBOT"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A member of the workspace. `zone` is an IANA name, or None when Slack does not know it."""

    id: str
    name: str
    real_name: str
    zone: str | None = None
    is_bot: bool = False
    deleted: bool = False
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A conversation. `members` is None where everybody is in; `with_user` is whose direct message it is."""

    id: str
    name: str
    created_at: datetime
    private: bool = False
    archived: bool = False
    bot_is_member: bool = True
    members: frozenset[str] | None = None
    with_user: str | None = None

    @property
    def family(self) -> str:
        """The word its scopes begin with: `channels`, `groups` or `im`."""
        if self.with_user:
            return "im"
        return "groups" if self.private else "channels"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file somebody uploaded. `channel` is None when it was shared nowhere."""

    id: str
    name: str
    title: str
    content: bytes
    channel: str | None = None
    initial_comment: str = ""
    thread_ts: str | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload that is not complete: `length` bytes are announced, `content` is None until they arrive."""

    file_id: str
    name: str
    length: int
    content: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """A canvas. `channel` is the one it has a tab in, None for one that stands alone."""

    id: str
    title: str
    markdown: str
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it stands. `ephemeral_for` is the only person who sees it, None when everybody does."""

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
    deleted: bool = False
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A modal or a Home tab as one person sees it. `content` is what the app sent, and missing ids."""

    id: str
    user: str
    content: Json
    hash: str
    root_id: str
    previous_id: str | None = None

    @property
    def title(self) -> str:
        """The words of its title; empty for a Home tab."""
        return str(self.content.get("title", {}).get("text", ""))

    @property
    def blocks(self) -> list[Json]:
        """Its blocks."""
        blocks: list[Json] = self.content["blocks"]
        return blocks

    @property
    def callback_id(self) -> str:
        """What the app named it; empty if it did not."""
        return str(self.content.get("callback_id", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the Web API. `args` come without the token; `error` is None when it went well."""

    method: str
    args: dict[str, Any]
    at: datetime
    error: str | None = None


WORKSPACE_URL = f"https://{TEAM_DOMAIN}.slack.com"


def unix_seconds(moment: datetime) -> int:
    """Whole seconds since 1970."""
    return int(moment.timestamp())


def user_json(user: User, *, now: datetime, locale: bool = False) -> Json:
    """A user object. A deleted one has no time zone, as in Slack."""
    zone: Json = {}
    if user.zone and not user.deleted:
        there = now.astimezone(ZoneInfo(user.zone))
        offset = there.utcoffset()
        zone = {
            "tz": user.zone,
            "tz_label": there.tzname() or user.zone,
            "tz_offset": int(offset.total_seconds()) if offset else 0,
        }
    rights = (
        "is_admin",
        "is_owner",
        "is_primary_owner",
        "is_restricted",
        "is_ultra_restricted",
        "is_app_user",
    )
    return {
        "id": user.id,
        "team_id": TEAM_ID,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        **zone,
        "profile": {
            "real_name": user.real_name,
            "real_name_normalized": user.real_name,
            "display_name": user.name,
            "display_name_normalized": user.name,
            "team": TEAM_ID,
            **({"bot_id": BOT_ID, "api_app_id": APP_ID} if user.id == BOT_USER_ID else {}),
        },
        **dict.fromkeys(rights, False),
        "is_bot": user.is_bot,
        "updated": unix_seconds(user.updated_at),
        **({"locale": "en-GB"} if locale else {}),
    }


def channel_json(channel: Channel, *, num_members: int | None = None) -> Json:
    """A conversation object."""
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
        "is_shared": False,
        "is_member": channel.bot_is_member,
        "created": unix_seconds(channel.created_at),
        "creator": BOT_USER_ID,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
        "context_team_id": TEAM_ID,
        **({} if num_members is None else {"num_members": num_members}),
    }


def message_json(message: Message, *, metadata: bool = False) -> Json:
    """A message object; `metadata` is only shown to who asks for it."""
    parts: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": TEAM_ID,
    }
    if message.user == BOT_USER_ID:
        parts |= {"bot_id": BOT_ID, "app_id": APP_ID}
    if message.blocks:
        parts["blocks"] = message.blocks
    if message.attachments:
        parts["attachments"] = message.attachments
    if message.thread_ts:
        parts["thread_ts"] = message.thread_ts
    if message.edited:
        parts["edited"] = {"user": message.user, "ts": message.ts}
    if message.files:
        parts["files"] = [file_json(file) for file in message.files]
    if metadata and message.metadata:
        parts["metadata"] = message.metadata
    return parts


def file_json(file: File) -> Json:
    """A file object."""
    kind = PurePosixPath(file.name).suffix.lstrip(".") or "text"
    address = f"{WORKSPACE_URL}/files/{BOT_USER_ID}/{file.id}/{file.name}"
    families = {"C": "channels", "G": "groups", "D": "ims"}
    shared: Json = {"channels": [], "groups": [], "ims": []}
    if file.channel:
        shared[families[file.channel[0]]] = [file.channel]
    return {
        "id": file.id,
        "created": unix_seconds(file.created_at),
        "timestamp": unix_seconds(file.created_at),
        "name": file.name,
        "title": file.title,
        "mimetype": mimetypes.guess_type(file.name)[0] or "text/plain",
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": BOT_USER_ID,
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
        "url_private": address,
        "url_private_download": f"{address}?download",
        "permalink": address,
        **shared,
    }


def view_json(view: View) -> Json:
    """A view object."""
    made_by_app = {key: value for key, value in view.content.items() if key != "state"}
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
        **made_by_app,
        "state": {"values": {}},
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "app_id": APP_ID,
        "app_installed_team_id": TEAM_ID,
        "bot_id": BOT_ID,
    }
