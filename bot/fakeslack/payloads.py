"""The payloads of commands, interactions and events. All keys are from Slack's reference."""

from secrets import token_hex, token_urlsafe
from typing import Final
from uuid import uuid4

from bot.fakeslack.objects import (
    APP_ID,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    Channel,
    Message,
    Pin,
    User,
    View,
    message_json,
    pinned_item,
    unix_seconds,
    user_json,
    view_json,
)
from bot.fakeslack.schema import Json
from bot.fakeslack.workspace import Workspace

VERIFICATION_TOKEN: Final = token_hex(12)
TEAM: Final[Json] = {"id": TEAM_ID, "domain": TEAM_DOMAIN}


def command(user: User, channel: Channel, *, name: str, text: str, urls: tuple[str, str]) -> Json:
    """Return the form of a slash command; `urls` are its response_url and trigger_id."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": "privategroup" if channel.private and not channel.with_user else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": urls[0],
        "trigger_id": urls[1],
    }


def user_reference(user: User) -> Json:
    """Return the `user` of block_actions and view payloads."""
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}


def _interaction(type_: str, trigger_id: str | None) -> Json:
    common: Json = {
        "type": type_,
        "team": TEAM,
        "enterprise": None,
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "is_enterprise_install": False,
    }
    return common | ({"trigger_id": trigger_id} if trigger_id else {})


def message_shortcut(user: User, channel: Channel, message: Message, *, name: str, urls: tuple[str, str]) -> Json:
    """Return the payload of a message shortcut."""
    payload = _interaction("message_action", urls[1])
    # Slack sends the app id with every other interaction.
    del payload["api_app_id"]
    return payload | {
        "callback_id": name,
        "message_ts": message.ts,
        "response_url": urls[0],
        "message": message_json(message),
        "user": {"id": user.id, "name": user.name, "team_id": user.team_id},
        "channel": {"id": channel.id, "name": channel.name},
        "action_ts": message.ts,
    }


def message_block_actions(
    user: User, channel: Channel, message: Message, *, action: Json, urls: tuple[str, str]
) -> Json:
    """Return the block_actions of a message. For an ephemeral message, Slack does not send the message."""
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_for is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _interaction("block_actions", urls[1]) | {
        "user": user_reference(user),
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        "response_url": urls[0],
        "state": {"values": {}},
        "actions": [action],
    }
    return payload if message.ephemeral_for else payload | {"message": message_json(message, metadata=True)}


def view_block_actions(user: User, view: View, *, action: Json, values: Json, trigger_id: str) -> Json:
    """Return the block_actions of a modal or the Home tab."""
    return _interaction("block_actions", trigger_id) | {
        "user": user_reference(user),
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(view) | {"state": {"values": values}},
        "actions": [action],
    }


def view_submission(user: User, view: View, *, values: Json, trigger_id: str) -> Json:
    """Return the payload of a submitted modal."""
    return _interaction("view_submission", trigger_id) | {
        "user": user_reference(user),
        "view": view_json(view) | {"state": {"values": values}},
    }


def view_closed(user: User, view: View) -> Json:
    """Return the payload of a dismissed modal."""
    return _interaction("view_closed", None) | {
        "user": user_reference(user),
        "view": view_json(view),
        "is_cleared": False,
    }


def event(workspace: Workspace, content: Json) -> Json:
    """Wrap an event as the Events API does."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event": content,
        "type": "event_callback",
        "event_id": workspace.next_id("Ev"),
        "event_time": unix_seconds(workspace.clock()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM_ID,
                "user_id": BOT_USER_ID,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": token_urlsafe(24),
    }


def in_channel(workspace: Workspace, payload: Json, channel: Channel) -> Json:
    """Return the payload as Slack sends it from a shared channel.

    Its team is the one that created the channel, whoever acts there; an event also names the author's team.
    """
    if not channel.shared:
        return payload
    if payload.get("type") != "event_callback":
        outer = {"id": channel.created_by, "domain": channel.created_by.lower()}
        return payload | (
            {"team": outer} if "team" in payload else {"team_id": outer["id"], "team_domain": outer["domain"]}
        )
    content = payload["event"]
    author = workspace.users.get(content.get("user") or "")
    if author is not None and content["type"] == "app_mention":
        content = content | {"team": author.team_id, "user_team": author.team_id, "source_team": author.team_id}
    return payload | {"team_id": channel.created_by, "event": content, "is_ext_shared_channel": True}


def app_mention(message: Message) -> Json:
    """Return the event of a message that mentions the bot."""
    content: Json = {
        "type": "app_mention",
        "client_msg_id": str(uuid4()),
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": TEAM_ID,
        "channel": message.channel,
        "event_ts": message.ts,
    }
    content |= {key: message.app[key] for key in ("bot_id", "app_id", "bot_profile") if key in message.app}
    if message.edited_ts:
        content["edited"] = {"user": message.user, "ts": message.edited_ts}
    return content | ({"thread_ts": message.thread_ts} if message.thread_ts else {})


def direct_message(message: Message) -> Json:
    """Return the event of a message in the conversation of a person with the bot."""
    content = message_json(message) | {"channel": message.channel, "channel_type": "im", "event_ts": message.ts}
    return content | ({"subtype": "file_share"} if message.files else {})


def message_changed(before: Message, after: Message, *, ts: str) -> Json:
    """Return the event of an edited message."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": message_json(after),
        "previous_message": message_json(before),
        "channel": after.channel,
        "channel_type": "channel",
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
    }


def message_deleted(message: Message, *, ts: str) -> Json:
    """Return the event of a deleted message."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": message_json(message),
        "channel": message.channel,
        "channel_type": "channel",
        "hidden": True,
        "deleted_ts": message.ts,
        "ts": ts,
        "event_ts": ts,
    }


def reaction(type_: str, user: User, message: Message, *, name: str, ts: str) -> Json:
    """Return the event of a reaction; `type_` is reaction_added or reaction_removed."""
    return {
        "type": type_,
        "user": user.id,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "reaction": name,
        **({"item_user": message.user} if message.user else {}),
        "event_ts": ts,
    }


_OF_PINNED: Final = frozenset(
    {
        "client_msg_id", "type", "app_id", "team", "user", "bot_id", "bot_profile", "text", "attachments", "blocks",
        "pinned_to", "permalink", "ts",
    }
)  # fmt: skip
"""The keys of the message in an event about a pin. Source: @slack/types, events/pin.ts."""


def pin(type_: str, user: User, message: Message, *, pinned: Pin, count: int, ts: str) -> Json:
    """Return the event of a pin; `type_` is pin_added or pin_removed, `pinned` who had pinned it and when.

    Its message has neither files nor its thread, but for the permalink; pins.list has both.
    """
    item = pinned_item(message, pinned)
    item["message"] = {name: value for name, value in item["message"].items() if name in _OF_PINNED}
    return {
        "type": type_,
        "user": user.id,
        "channel_id": message.channel,
        "item": item,
        "item_user": message.user,
        "pin_count": count,
        "pinned_info": {
            "channel": message.channel,
            "pinned_by": pinned.user,
            "pinned_ts": unix_seconds(pinned.at),
        },
        **({"has_pins": count > 0} if type_ == "pin_removed" else {}),
        "event_ts": ts,
    }


def member_joined(channel: Channel, user_id: str = BOT_USER_ID) -> Json:
    """Return the event of somebody, unless named the bot, who joins a channel."""
    return {
        "type": "member_joined_channel",
        "user": user_id,
        "channel": channel.id,
        "channel_type": "G" if channel.private else "C",
        "team": TEAM_ID,
    }


def user_change(workspace: Workspace, user: User) -> Json:
    """Return the event of a changed profile."""
    now = workspace.clock()
    return {"type": "user_change", "user": user_json(user, now=now), "cache_ts": unix_seconds(now)}


def app_home_opened(user: User, channel: Channel, *, home: View | None, ts: str) -> Json:
    """Return the event of a person who opens the app's Home tab."""
    content: Json = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": channel.id,
        "tab": "home",
        "event_ts": ts,
    }
    return content | ({"view": view_json(home)} if home else {})
