"""Who is in the workspace and which channels it has, and how that changes."""

from collections.abc import Collection
from dataclasses import replace

from bot.fakeslack import payloads
from bot.fakeslack.dispatcher import Dispatcher
from bot.fakeslack.objects import Channel, User
from bot.fakeslack.workspace import Workspace


class Directory:
    """The workspace's people and channels, given by their ids; unknown ones raise KeyError."""

    workspace: Workspace
    _office: Dispatcher

    def add_user(
        self,
        name: str,
        *,
        zone: str | None = "Etc/UTC",
        real_name: str = "",
        deleted: bool = False,
        is_bot: bool = False,
    ) -> str:
        """A new member's id. `zone` is an IANA name, or None if Slack does not know it."""
        user = User(
            id=self.workspace.next_id("U"),
            name=name,
            real_name=real_name or name.capitalize(),
            zone=zone,
            deleted=deleted,
            is_bot=is_bot,
            updated_at=self.workspace.clock(),
        )
        return self.workspace.put_user(user).id

    def change_user(
        self,
        id_: str,
        *,
        zone: str | None = None,
        name: str | None = None,
        real_name: str | None = None,
        deleted: bool | None = None,
    ) -> None:
        """Change what is given of a member; the bot hears of it in a user_change event."""
        before = self.workspace.users[id_]
        changed = replace(
            before,
            zone=zone or before.zone,
            name=name or before.name,
            real_name=real_name or before.real_name,
            deleted=before.deleted if deleted is None else deleted,
            updated_at=self.workspace.clock(),
        )
        user = self.workspace.put_user(changed)
        if "users:read" in self.workspace.scopes:
            self._office.event(payloads.user_change(self.workspace, user), user=id_)

    def add_channel(
        self,
        name: str,
        *,
        private: bool = False,
        bot_is_member: bool = True,
        members: Collection[str] | None = None,
    ) -> str:
        """A new channel's id. Everybody is in it unless `members` says who."""
        channel = Channel(
            id=self.workspace.next_id("C"),
            name=name,
            private=private,
            bot_is_member=bot_is_member,
            members=None if members is None else frozenset(members),
            created_at=self.workspace.clock(),
        )
        return self.workspace.put_channel(channel).id

    def change_channel(self, id_: str, *, archived: bool | None = None, bot_is_member: bool | None = None) -> None:
        """Archive a channel, or let the bot in or out."""
        before = self.workspace.channels[id_]
        changed = replace(
            before,
            archived=before.archived if archived is None else archived,
            bot_is_member=before.bot_is_member if bot_is_member is None else bot_is_member,
        )
        self.workspace.put_channel(changed)
