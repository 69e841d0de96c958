"""What Web API methods share: the workspace, the checks of scopes and membership, and pagination."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.fakeslack.interactivity import Triggers
from bot.fakeslack.objects import Channel, User
from bot.fakeslack.schema import Json
from bot.fakeslack.sockets import SocketMode
from bot.fakeslack.validation import ApiError
from bot.fakeslack.workspace import Workspace

MAX_PAGE = 1000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The first argument of every method. `address` is the base URL of this server, `http://127.0.0.1:PORT`."""

    workspace: Workspace
    triggers: Triggers
    sockets: SocketMode
    address: str

    @property
    def scopes(self) -> set[str]:
        """The scopes of the bot token."""
        return self.workspace.scopes

    def require_scope(self, *scopes: str) -> None:
        """Raise ApiError (missing_scope) unless the token holds one of `scopes`."""
        if not self.scopes.intersection(scopes):
            provided = ",".join(sorted(self.scopes))
            raise ApiError("missing_scope", needed=",".join(scopes), provided=provided)

    def user(self, user_id: str) -> User:
        """Look up a person. Raises ApiError (user_not_found)."""
        user = self.workspace.users.get(user_id)
        if user is None:
            raise ApiError("user_not_found")
        return user

    def channel(self, channel_id: str) -> Channel:
        """Look up a conversation the bot can see. Raises ApiError (channel_not_found)."""
        channel = self.workspace.channels.get(channel_id)
        if channel is None or (channel.private and not channel.bot_is_member):
            raise ApiError("channel_not_found")
        return channel

    def readable(self, channel_id: str, access: str) -> Channel:
        """Look up a conversation the token may read; `access` is `read` or `history`. Raises ApiError."""
        channel = self.channel(channel_id)
        self.require_scope(f"{channel.scope_prefix}:{access}")
        if access == "history" and not channel.bot_is_member:
            raise ApiError("not_in_channel")
        return channel

    def writable(self, channel_id: str) -> Channel:
        """Look up a conversation the bot may post to; a user id means the direct message. Raises ApiError."""
        if channel_id in self.workspace.users:
            return self.workspace.direct(channel_id)
        channel = self.channel(channel_id)
        if channel.archived:
            raise ApiError("is_archived")
        if not channel.bot_is_member and "chat:write.public" not in self.scopes:
            raise ApiError("not_in_channel")
        return channel


def paginate(items: Sequence[Item], args: Json, *, default_limit: int) -> tuple[list[Item], Json]:
    """Return the page that the arguments `cursor` and `limit` ask for, and a `response_metadata` with the next cursor.

    Raises ApiError (invalid_cursor, invalid_limit).
    """
    limit = args.get("limit") or default_limit
    if limit > MAX_PAGE:
        raise ApiError("invalid_limit")
    cursor = args.get("cursor")
    try:
        start = int(b64decode(cursor, validate=True).decode().removeprefix("next:")) if cursor else 0
    except ValueError:
        raise ApiError("invalid_cursor") from None
    end = start + limit
    next_cursor = b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), {"response_metadata": {"next_cursor": next_cursor}}
