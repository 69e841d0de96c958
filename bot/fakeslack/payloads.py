"""What Slack writes into a command, an interaction and an event. No key is used that Slack does not send."""

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
    User,
    View,
    message_json,
    unix_seconds,
    user_json,
    view_json,
)
from bot.fakeslack.schema import Json
from bot.fakeslack.workspace import Workspace

VERIFICATION_TOKEN: Final = token_hex(12)
TEAM: Final[Json] = {"id": TEAM_ID, "domain": TEAM_DOMAIN}


def command(user: User, channel: Channel, *, name: str, text: str, urls: tuple[str, str]) -> Json:
    """A slash command's form; `urls` are its response_url and trigger_id."""
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
    """A person, as block_actions and views name them."""
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": TEAM_ID}


def _interaction(kind: str, trigger_id: str | None) -> Json:
    common: Json = {
        "type": kind,
        "team": TEAM,
        "enterprise": None,
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "is_enterprise_install": False,
    }
    return common | ({"trigger_id": trigger_id} if trigger_id else {})


def message_shortcut(user: User, channel: Channel, message: Message, *, name: str, urls: tuple[str, str]) -> Json:
    """A message shortcut."""
    payload = _interaction("message_action", urls[1])
    # A message shortcut is the one interaction without the app's id.
    del payload["api_app_id"]
    return payload | {
        "callback_id": name,
        "message_ts": message.ts,
        "response_url": urls[0],
        "message": message_json(message),
        "user": {"id": user.id, "name": user.name, "team_id": TEAM_ID},
        "channel": {"id": channel.id, "name": channel.name},
        "action_ts": message.ts,
    }


def message_block_actions(
    user: User, channel: Channel, message: Message, *, action: Json, urls: tuple[str, str]
) -> Json:
    """Something pressed or chosen in a message. Of an ephemeral message Slack does not send the content."""
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
    """Something pressed or chosen in a modal or a Home tab."""
    return _interaction("block_actions", trigger_id) | {
        "user": user_reference(user),
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(view) | {"state": {"values": values}},
        "actions": [action],
    }


def view_submission(user: User, view: View, *, values: Json, trigger_id: str) -> Json:
    """A modal filled in and sent."""
    return _interaction("view_submission", trigger_id) | {
        "user": user_reference(user),
        "view": view_json(view) | {"state": {"values": values}},
    }


def view_closed(user: User, view: View) -> Json:
    """A modal dismissed."""
    return _interaction("view_closed", None) | {
        "user": user_reference(user),
        "view": view_json(view),
        "is_cleared": False,
    }


def event(workspace: Workspace, content: Json) -> Json:
    """An event, wrapped as the Events API does."""
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


def app_mention(message: Message) -> Json:
    """The event of a message that names the bot."""
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
    return content | ({"thread_ts": message.thread_ts} if message.thread_ts else {})


def reaction(kind: str, user: User, message: Message, *, name: str, ts: str) -> Json:
    """The event of a reaction; `kind` is reaction_added or reaction_removed."""
    return {
        "type": kind,
        "user": user.id,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "reaction": name,
        "item_user": message.user,
        "event_ts": ts,
    }


def user_change(workspace: Workspace, user: User) -> Json:
    """The event of a changed profile."""
    now = workspace.clock()
    return {"type": "user_change", "user": user_json(user, now=now), "cache_ts": unix_seconds(now)}


def app_home_opened(user: User, channel: Channel, *, home: View | None, ts: str) -> Json:
    """The event of a person who opens the app's Home tab."""
    content: Json = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": channel.id,
        "tab": "home",
        "event_ts": ts,
    }
    return content | ({"view": view_json(home)} if home else {})
