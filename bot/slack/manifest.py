"""The Slack app's manifest, generated from the vocabulary: commands, scopes, events."""

import re
from typing import Any

from bot.errors import UsageError
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS

_COMMAND = re.compile(r"/[a-z0-9_-]{1,31}")
_REQUIRED_SCOPES = ("commands", "chat:write")
_OPTIONAL_SCOPES = ("app_mentions:read", "files:write", "pins:write", "users:read")
_REACTION_SCOPES = ("channels:history", "groups:history", "reactions:read")
_CANVAS_SCOPES = ("canvases:write",)
CHANNEL_SCOPES = ("channels:manage", "channels:read", "groups:read", "groups:write", "usergroups:read")
_REACTION_EVENTS = ("reaction_added", "reaction_removed")
_PIN_SCOPES = ("pins:read",)
_FILE_SCOPES = ("files:read",)
_PIN_EVENTS = ("pin_added", "pin_removed")
_DIRECT_SCOPES = ("im:history",)
_DIRECT_EVENTS = ("message.im",)
_EDIT_SCOPES = ("channels:history", "groups:history")
_HISTORY_SCOPES = ("channels:history", "groups:history")
_EDIT_EVENTS = ("message.channels", "message.groups")


def manifest(
    *,
    prefix: str = "",
    url: str | None = None,
    reactions: bool = False,
    canvas: bool = False,
    edits: bool = False,
    direct: bool = True,
    channels: bool = False,
    pins: bool = False,
    files: bool = False,
    history: bool = False,
) -> dict[str, Any]:
    """The manifest as plain values: for HTTP when `url`, the bot's public address without a path, is given.

    Required scopes: `commands` and `chat:write`. The others are optional: who installs the app may decline them, and
    an operator may remove them, each with its events:
    `files:write` (the draft as a file), `users:read` with `user_change` and `team_join` (people's time zones, and who
    is a member: without it nobody sees another channel's incident), `app_mentions:read` with `app_mention` (`@scribe`
    in threads), `pins:write` (an incident's card is pinned in its channel),
    `im:history` with `message.im` (what is written to Scribe alone is answered; unless `direct`, nothing
    can be written there), the three that `reactions` adds, `canvases:write` that `canvas` adds, and the two that
    `edits` adds with the messages of channels (what becomes of a message is noted on its entry), `pins:read` that
    `pins` adds with its events (what is pinned is put on the timeline), `files:read` that `files` adds (files of
    messages are kept), the five that `channels` adds (to make, find again and archive incidents' own channels, and to
    invite groups), and the two that `history` adds (`/incident backfill 14:00..15:30` reads what was said in a
    channel).
    Raises UsageError for a command name that Slack refuses although its schema allows it.
    """
    events = [
        *("app_home_opened", "app_mention", "team_join", "user_change"),
        *(_REACTION_EVENTS if reactions else ()),
        *(_EDIT_EVENTS if edits else ()),
        *(_PIN_EVENTS if pins else ()),
        *(_DIRECT_EVENTS if direct else ()),
    ]
    scopes = {
        *_REQUIRED_SCOPES,
        *_OPTIONAL_SCOPES,
        *(_REACTION_SCOPES if reactions else ()),
        *(_CANVAS_SCOPES if canvas else ()),
        *(_EDIT_SCOPES if edits else ()),
        *(_PIN_SCOPES if pins else ()),
        *(_FILE_SCOPES if files else ()),
        *(_HISTORY_SCOPES if history else ()),
        *(_DIRECT_SCOPES if direct else ()),
        *(CHANNEL_SCOPES if channels else ()),
    }
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
                "messages_tab_read_only_enabled": not direct,
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
        # Slack wants each optional scope among `bot`, too.
        "oauth_config": {
            "scopes": {"bot": sorted(scopes), "bot_optional": sorted(scopes.difference(_REQUIRED_SCOPES))}
        },
        "settings": {
            "event_subscriptions": {"bot_events": sorted(events), **request_url},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": False,
        },
    }


def _checked(command: str) -> str:
    if not _COMMAND.fullmatch(command):
        raise UsageError(f"{command} is no name Slack takes: at most 32 characters of a-z, 0-9, - and _")
    return command
