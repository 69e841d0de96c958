"""The workspace's people and channels: added and changed by tests, looked up by auth.test and the users.* methods."""

from collections.abc import Collection
from dataclasses import replace

from bot.fakeslack import payloads
from bot.fakeslack.context import MAX_PAGE, Context, paginate
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
from bot.fakeslack.validation import ApiError
from bot.fakeslack.workspace import Workspace


class Directory:
    """Adds and changes people and channels. Methods take and return their ids; unknown ids raise KeyError."""

    workspace: Workspace
    _dispatcher: Dispatcher

    def add_user(
        self,
        name: str,
        *,
        zone: str | None = "Etc/UTC",
        real_name: str = "",
        display_name: str | None = None,
        team_id: str = TEAM_ID,
        deleted: bool = False,
        is_bot: bool = False,
        restricted: bool = False,
        ultra_restricted: bool = False,
    ) -> str:
        """Add a member, or with another `team_id` somebody in a shared channel, or a guest.

        `zone` is an IANA name, or None if Slack does not know it. Without a `display_name` it is the handle.
        """
        user = User(
            id=self.workspace.next_id("U"),
            name=name,
            real_name=real_name or name.capitalize(),
            display_name=display_name,
            team_id=team_id,
            zone=zone,
            deleted=deleted,
            is_bot=is_bot,
            restricted=restricted or ultra_restricted,
            ultra_restricted=ultra_restricted,
            updated_at=self.workspace.clock(),
        )
        return self.workspace.put_user(user).id

    def change_user(
        self,
        user_id: str,
        *,
        zone: str | None = None,
        name: str | None = None,
        real_name: str | None = None,
        display_name: str | None = None,
        deleted: bool | None = None,
        restricted: bool | None = None,
    ) -> None:
        """Change the given fields of a member and send user_change, if the bot has the scope users:read."""
        before = self.workspace.users[user_id]
        user = replace(
            before,
            zone=zone or before.zone,
            name=name or before.name,
            real_name=real_name or before.real_name,
            display_name=before.display_name if display_name is None else display_name,
            deleted=before.deleted if deleted is None else deleted,
            restricted=before.restricted if restricted is None else restricted,
            updated_at=self.workspace.clock(),
        )
        self.workspace.put_user(user)
        if "users:read" in self.workspace.scopes:
            self._dispatcher.event(payloads.user_change(self.workspace, user), user=user_id)

    def add_channel(
        self,
        name: str,
        *,
        private: bool = False,
        bot_is_member: bool = True,
        members: Collection[str] | None = None,
        shared: bool = False,
        created_by: str = TEAM_ID,
    ) -> str:
        """Add a channel. Without `members`, all people are in it. A `shared` one may be `created_by` another team."""
        channel = Channel(
            id=self.workspace.next_id("C"),
            name=name,
            private=private,
            bot_is_member=bot_is_member,
            members=None if members is None else frozenset(members),
            shared=shared,
            created_by=created_by,
            created_at=self.workspace.clock(),
        )
        return self.workspace.put_channel(channel).id

    def change_channel(
        self, channel_id: str, *, archived: bool | None = None, bot_is_member: bool | None = None
    ) -> None:
        """Archive or unarchive a channel, or add or remove the bot.

        Adding the bot sends member_joined_channel, if it has the scope channels:read or groups:read.
        """
        before = self.workspace.channels[channel_id]
        changed = replace(
            before,
            archived=before.archived if archived is None else archived,
            bot_is_member=before.bot_is_member if bot_is_member is None else bot_is_member,
        )
        self.workspace.put_channel(changed)
        if (
            changed.bot_is_member
            and not before.bot_is_member
            and f"{changed.scope_prefix}:read" in self.workspace.scopes
        ):
            self._dispatcher.event(payloads.member_joined(changed), user=BOT_USER_ID, channel=channel_id)


def auth_test(context: Context, args: Json) -> Json:  # noqa: ARG001 - every method takes the arguments
    """auth.test."""
    return {
        "url": f"{WORKSPACE_URL}/",
        "team": TEAM_DOMAIN,
        "user": context.workspace.users[BOT_USER_ID].name,
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def users_info(context: Context, args: Json) -> Json:
    """users.info."""
    user = context.user(args["user"])
    now = context.workspace.clock()
    return {"user": user_json(user, now=now, locale=args.get("include_locale", False))}


def users_list(context: Context, args: Json) -> Json:
    """users.list."""
    now = context.workspace.clock()
    page, metadata = paginate(list(context.workspace.users.values()), args, default_limit=MAX_PAGE)
    members = [user_json(user, now=now, locale=args.get("include_locale", False)) for user in page]
    return {"members": members, "cache_ts": unix_seconds(now), **metadata}


def team_info(context: Context, args: Json) -> Json:
    """team.info."""
    team_id = args.get("team", TEAM_ID)
    names = {TEAM_ID: TEAM_DOMAIN.capitalize(), **context.workspace.organisations}
    if team_id not in names:
        raise ApiError("invalid_arguments")
    return {"team": {"id": team_id, "name": names[team_id], "domain": names[team_id].split()[0].lower()}}


def usergroups_list(context: Context, args: Json) -> Json:  # noqa: ARG001 - every method takes the arguments
    """usergroups.list."""
    groups = context.workspace.groups.items()
    return {"usergroups": [{"id": group_id, "handle": handle, "name": handle} for group_id, handle in groups]}


def usergroup_members(context: Context, args: Json) -> Json:
    """usergroups.users.list."""
    if args["usergroup"] not in context.workspace.groups:
        raise ApiError("no_such_subteam")
    return {"users": list(context.workspace.group_members.get(args["usergroup"], ()))}
