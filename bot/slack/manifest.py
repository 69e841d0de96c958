"""The Slack app's manifest, from the vocabulary: commands, scopes, events."""

import re
from typing import Any

from bot.errors import UsageError
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS

_NAME = re.compile(r"/[a-z0-9_-]{1,31}")
_CORE = ("commands", "chat:write")
_WIDELY_USED = ("app_mentions:read", "files:write", "users:read")
_FOR_REACTIONS = ("channels:history", "groups:history", "reactions:read")
_FOR_CANVASES = ("canvases:write",)
_REACTION_EVENTS = ("reaction_added", "reaction_removed")


def manifest(
    *, prefix: str = "", url: str | None = None, reactions: bool = False, canvas: bool = False
) -> dict[str, Any]:
    """The manifest as plain values: for Socket Mode, or for HTTP when a `url` is given.

    `url` is the public address of the bot, without the path. Beside the two it needs it asks for scopes that may be
    struck, each with its event: `files:write` for the draft as a file, `users:read` and `user_change` for people's
    time zones, `app_mentions:read` and `app_mention` for `@scribe` in threads; and with `reactions`, for three more;
    with `canvas`, for `canvases:write`.
    Raises UsageError for a command name Slack would refuse (its schema does not say so).
    """
    events = ["app_home_opened", "app_mention", "user_change", *(_REACTION_EVENTS if reactions else ())]
    scopes = [*_CORE, *_WIDELY_USED, *(_FOR_REACTIONS if reactions else ()), *(_FOR_CANVASES if canvas else ())]
    endpoint = {"url": f"{url.rstrip('/')}/slack/events"} if url else {}
    request_url = {"request_url": endpoint["url"]} if url else {}
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Scribe",
            "description": "Writes the incident's timeline down and drafts the postmortem",
            "background_color": "#1f3a4d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "scribe", "always_online": True},
            "shortcuts": [
                {
                    "name": "Add to timeline",
                    "type": "message",
                    "callback_id": ADD_TO_TIMELINE,
                    "description": "Put this message on the incident's timeline",
                }
            ],
            "slash_commands": [
                {
                    "command": _checked(f"/{prefix}{command.name}"),
                    "description": command.description,
                    "usage_hint": command.hint,
                    "should_escape": True,
                    **endpoint,
                }
                for command in COMMANDS.values()
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(scopes)}},
        "settings": {
            "event_subscriptions": {"bot_events": sorted(events), **request_url},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": False,
        },
    }


def _checked(command: str) -> str:
    if not _NAME.fullmatch(command):
        raise UsageError(f"{command} is no name Slack takes: at most 32 characters of a-z, 0-9, - and _")
    return command
