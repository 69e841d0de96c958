"""The auth.* and users.* methods: who the bot is, and who else is there."""

from typing import Any

from bot.fakeslack.context import MethodContext
from bot.fakeslack.json_objects import WORKSPACE_URL, unix_seconds, user_json
from bot.fakeslack.objects import BOT_ID, BOT_USER_ID, TEAM_DOMAIN, TEAM_ID
from bot.fakeslack.pages import MAX_PAGE, paginate
from bot.fakeslack.schema import Json

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
