"""What every Web API method uses: the workspace, the checks of scopes and conversations, and pagination."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.fakeslack.interactivity import Triggers
from bot.fakeslack.objects import Channel, User
from bot.fakeslack.schema import Json
from bot.fakeslack.sockets import SocketMode
from bot.fakeslack.validation import ApiError
from bot.fakeslack.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodContext:
    """What a method is given.

    `address` is the stand-in's own, `http://127.0.0.1:PORT`.
    """

    workspace: Workspace
    triggers: Triggers
    sockets: SocketMode
    address: str

    @property
    def scopes(self) -> set[str]:
        """The scopes the bot's token holds now."""
        return self.workspace.scopes

    def require(self, *scopes: str) -> None:
        """Raises Refused (missing_scope) unless the token holds one of `scopes`."""
        if scopes and not self.scopes.intersection(scopes):
            provided = ",".join(sorted(self.scopes))
            raise ApiError("missing_scope", needed=",".join(scopes), provided=provided)

    def user(self, id_: str) -> User:
        """A person. Raises Refused (user_not_found)."""
        user = self.workspace.users.get(id_)
        if user is None:
            raise ApiError("user_not_found")
        return user

    def channel(self, id_: str) -> Channel:
        """A conversation the bot can see. Raises Refused (channel_not_found)."""
        channel = self.workspace.channels.get(id_)
        if channel is None or (channel.private and not channel.bot_is_member):
            raise ApiError("channel_not_found")
        return channel

    def readable(self, id_: str, verb: str) -> Channel:
        """A conversation the token may read: `verb` is `read` or `history`. Raises Refused."""
        channel = self.channel(id_)
        self.require(f"{channel.family}:{verb}")
        if verb == "history" and not channel.bot_is_member:
            raise ApiError("not_in_channel")
        return channel

    def writable(self, id_: str) -> Channel:
        """A conversation the bot may post to; a person's id means their direct message. Raises Refused."""
        if id_ in self.workspace.users:
            return self.workspace.direct(id_)
        channel = self.channel(id_)
        if channel.archived:
            raise ApiError("is_archived")
        if not channel.bot_is_member and "chat:write.public" not in self.scopes:
            raise ApiError("not_in_channel")
        return channel


MAX_PAGE = 1000

Member = TypeVar("Member")


def paginate(members: Sequence[Member], args: dict[str, Any], *, usual: int) -> tuple[list[Member], Json]:
    """One page of `members` by the arguments `cursor` and `limit`, and response_metadata with the next one.

    `usual` is how many there are without a limit. Raises Refused (invalid_cursor, invalid_limit).
    """
    limit = args.get("limit") or usual
    if limit > MAX_PAGE:
        raise ApiError("invalid_limit")
    start = _start_of(args.get("cursor", ""))
    end = start + limit
    cursor = b64encode(f"next:{end}".encode()).decode() if end < len(members) else ""
    return list(members[start:end]), {"response_metadata": {"next_cursor": cursor}}


def _start_of(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except ValueError:
        raise ApiError("invalid_cursor") from None
