"""Where the Web API's methods do their work: the workspace, and what they all have to look up first."""

from dataclasses import dataclass

from bot.fakeslack.arguments import ApiError
from bot.fakeslack.objects import Channel, User
from bot.fakeslack.sockets import SocketMode
from bot.fakeslack.triggers import Triggers
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
