"""What a workspace holds: people, channels, messages, views, files. Frozen; a change makes a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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
