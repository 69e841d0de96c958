"""The chat.* methods: post, update and delete messages."""

from dataclasses import replace
from typing import Any

from bot.fakeslack.block_kit import MAX_MARKDOWN_TEXT
from bot.fakeslack.context import MethodContext
from bot.fakeslack.objects import BOT_USER_ID, WORKSPACE_URL, Channel, Message, message_json
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError, complaint_about_message

AUTHORSHIP_ARGUMENTS = ("username", "icon_emoji", "icon_url", "as_user")

Args = dict[str, Any]


def post_message(desk: MethodContext, args: Args) -> Json:
    """chat.postMessage. A user's id as channel means their direct message."""
    channel = desk.writable(args["channel"])
    content = message_content(desk, args)
    if args.get("thread_ts"):
        thread_parent(desk, channel, args["thread_ts"])
    message = desk.workspace.post(
        channel.id, user=BOT_USER_ID, thread_ts=args.get("thread_ts"), metadata=message_metadata(args), **content
    )
    return {"channel": channel.id, "ts": message.ts, "message": message_json(message, metadata=True)}


def post_ephemeral(desk: MethodContext, args: Args) -> Json:
    """chat.postEphemeral."""
    channel = desk.writable(args["channel"])
    user = desk.user(args["user"])
    if user.id not in desk.workspace.members(channel):
        raise ApiError("user_not_in_channel")
    message = desk.workspace.post(
        channel.id,
        user=BOT_USER_ID,
        ephemeral_for=user.id,
        thread_ts=args.get("thread_ts"),
        **message_content(desk, args),
    )
    return {"message_ts": message.ts}


def update(desk: MethodContext, args: Args) -> Json:
    """chat.update. Text without blocks takes the old blocks away, as in Slack."""
    message = own_message(desk, args, refusal="cant_update_message")
    fresh = {"blocks": [], "attachments": [], **message_content(desk, args)}
    metadata = message_metadata(args) or message.metadata
    changed = desk.workspace.put_message(replace(message, edited=True, metadata=metadata, **fresh))
    shown = message_json(changed, metadata=True)
    del shown["ts"]
    return {"channel": changed.channel, "ts": changed.ts, "text": changed.text, "message": shown}


def delete(desk: MethodContext, args: Args) -> Json:
    """chat.delete."""
    message = own_message(desk, args, refusal="cant_delete_message")
    desk.workspace.put_message(replace(message, deleted=True))
    return {"channel": message.channel, "ts": message.ts}


def permalink(desk: MethodContext, args: Args) -> Json:
    """chat.getPermalink."""
    channel = desk.channel(args["channel"])
    message = desk.workspace.message(channel.id, args["message_ts"])
    if message is None:
        raise ApiError("message_not_found")
    return {"channel": channel.id, "permalink": permalink_of(message)}


def permalink_of(message: Message) -> str:
    """A message's permalink."""
    thread = f"?thread_ts={message.thread_ts}&cid={message.channel}" if message.thread_ts else ""
    return f"{WORKSPACE_URL}/archives/{message.channel}/p{message.ts.replace('.', '')}{thread}"


def message_content(desk: MethodContext, args: Args) -> Json:
    """The text, blocks and attachments of a message to be. Raises Refused when Slack would not take them."""
    if any(name in args for name in AUTHORSHIP_ARGUMENTS):
        desk.require("chat:write.customize")
    text = args.get("text", "")
    if "markdown_text" in args:
        if "text" in args or "blocks" in args:
            raise ApiError("markdown_text_conflict")
        text = args["markdown_text"]
        if len(text) > MAX_MARKDOWN_TEXT:
            raise ApiError("msg_too_long")
    complaint = complaint_about_message(text, args.get("blocks", []))
    if complaint:
        raise ApiError(complaint.error, *complaint.details)
    return {"text": text} | {key: args[key] for key in ("blocks", "attachments") if key in args}


def message_metadata(args: Args) -> Json | None:
    """A message's metadata. Raises Refused unless it is an event_type and an event_payload."""
    metadata: Json | None = args.get("metadata")
    if metadata is None:
        return None
    kind, payload = metadata.get("event_type"), metadata.get("event_payload")
    if metadata.keys() != {"event_type", "event_payload"} or not (
        isinstance(kind, str) and kind and isinstance(payload, dict)
    ):
        raise ApiError("invalid_metadata_format")
    return metadata


def thread_parent(desk: MethodContext, channel: Channel, ts: str) -> Message:
    """The message a thread hangs on. Raises Refused (thread_not_found)."""
    message = desk.workspace.message(channel.id, ts)
    if message is None or message.ephemeral_for:
        raise ApiError("thread_not_found")
    return message


def own_message(desk: MethodContext, args: Args, *, refusal: str) -> Message:
    """The bot's own message that `args` point at. Raises Refused; ephemeral ones cannot be found."""
    channel = desk.channel(args["channel"])
    message = desk.workspace.message(channel.id, args["ts"])
    if message is None or message.ephemeral_for:
        raise ApiError("message_not_found")
    if message.user != BOT_USER_ID:
        raise ApiError(refusal)
    return message
