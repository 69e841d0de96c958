"""The workspace's people and channels: added and changed by tests, looked up by auth.test and the users.* methods."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from bot.fakeslack import payloads
from bot.fakeslack.context import MAX_PAGE, MethodContext, paginate
from bot.fakeslack.dispatcher import Dispatcher
from bot.fakeslack.objects import (
    BOT_ID,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    WORKSPACE_URL,
    Channel,
    User,
    unix_seconds,
    user_json,
)
from bot.fakeslack.schema import Json
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


Args = dict[str, Any]


def auth_test(desk: MethodContext, args: Args) -> Json:  # noqa: ARG001 -- every method has the same two parameters
    """auth.test."""
    return {
        "url": f"{WORKSPACE_URL}/",
        "team": TEAM_DOMAIN,
        "user": desk.workspace.users[BOT_USER_ID].name,
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def users_info(desk: MethodContext, args: Args) -> Json:
    """users.info."""
    user = desk.user(args["user"])
    shown = user_json(user, now=desk.workspace.clock(), locale=args.get("include_locale", False))
    return {"user": shown}


def users_list(desk: MethodContext, args: Args) -> Json:
    """users.list, by pages."""
    now = desk.workspace.clock()
    page, metadata = paginate(list(desk.workspace.users.values()), args, usual=MAX_PAGE)
    shown = [user_json(user, now=now, locale=args.get("include_locale", False)) for user in page]
    return {"members": shown, "cache_ts": unix_seconds(now), **metadata}
