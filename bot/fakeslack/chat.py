"""The chat.* methods: post, update and delete messages."""

from dataclasses import replace

from bot.fakeslack.block_kit import MAX_MARKDOWN_TEXT
from bot.fakeslack.context import Context
from bot.fakeslack.objects import BOT_USER_ID, WORKSPACE_URL, Channel, Message, Pin, message_json, pinned_item
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError, check_message

AUTHORSHIP_ARGUMENTS = ("username", "icon_emoji", "icon_url", "as_user")


def post_message(context: Context, args: Json) -> Json:
    """chat.postMessage. A user id as channel means the direct message with that person."""
    channel = context.writable(args["channel"])
    content = message_content(context, args)
    if args.get("thread_ts"):
        thread_parent(context, channel, args["thread_ts"])
    message = context.workspace.post(
        channel.id, user=BOT_USER_ID, thread_ts=args.get("thread_ts"), metadata=_metadata(args), **content
    )
    return {"channel": channel.id, "ts": message.ts, "message": message_json(message, metadata=True)}


def post_ephemeral(context: Context, args: Json) -> Json:
    """chat.postEphemeral."""
    channel = context.writable(args["channel"])
    user = context.user(args["user"])
    if user.id not in context.workspace.members(channel):
        raise ApiError("user_not_in_channel")
    message = context.workspace.post(
        channel.id,
        user=BOT_USER_ID,
        ephemeral_for=user.id,
        thread_ts=args.get("thread_ts"),
        **message_content(context, args),
    )
    return {"message_ts": message.ts}


def update(context: Context, args: Json) -> Json:
    """chat.update. Text without blocks removes the old blocks, as in Slack."""
    message = _own_message(context, args, refusal="cant_update_message")
    content = {"blocks": [], "attachments": [], **message_content(context, args)}
    metadata = _metadata(args) or message.metadata
    changed = context.workspace.put_message(replace(message, edited=True, metadata=metadata, **content))
    shown = message_json(changed, metadata=True)
    del shown["ts"]
    return {"channel": changed.channel, "ts": changed.ts, "text": changed.text, "message": shown}


def delete(context: Context, args: Json) -> Json:
    """chat.delete."""
    message = _own_message(context, args, refusal="cant_delete_message")
    context.workspace.put_message(replace(message, deleted=True))
    return {"channel": message.channel, "ts": message.ts}


def permalink(context: Context, args: Json) -> Json:
    """chat.getPermalink."""
    channel = context.channel(args["channel"])
    message = context.workspace.message(channel.id, args["message_ts"])
    if message is None:
        raise ApiError("message_not_found")
    thread = f"?thread_ts={message.thread_ts}&cid={message.channel}" if message.thread_ts else ""
    url = f"{WORKSPACE_URL}/archives/{message.channel}/p{message.ts.replace('.', '')}{thread}"
    return {"channel": channel.id, "permalink": url}


def pin(context: Context, args: Json) -> Json:
    """pins.add. Raises ApiError (message_not_found, not_in_channel, already_pinned)."""
    channel = context.writable(args["channel"])
    message = context.workspace.message(channel.id, args["timestamp"])
    if message is None or message.ephemeral_for:
        raise ApiError("message_not_found")
    if (channel.id, message.ts) in context.workspace.pins:
        raise ApiError("already_pinned")
    context.workspace.pins[channel.id, message.ts] = Pin(user=BOT_USER_ID, at=context.workspace.clock())
    return {}


def pins(context: Context, args: Json) -> Json:
    """pins.list: the pinned messages of a channel, the one that was pinned last first."""
    channel = context.channel(args["channel"])
    if not channel.bot_is_member:
        raise ApiError("not_in_channel")
    found = [
        pinned_item(message, pin)
        for (channel_id, ts), pin in reversed(context.workspace.pins.items())
        if channel_id == channel.id and (message := context.workspace.message(channel.id, ts)) is not None
    ]
    return {"items": found}


def message_content(context: Context, args: Json) -> Json:
    """Return the text, blocks and attachments of a new message. Raises ApiError if Slack would refuse them."""
    if any(name in args for name in AUTHORSHIP_ARGUMENTS):
        context.require_scope("chat:write.customize")
    text = args.get("text", "")
    if "markdown_text" in args:
        if "text" in args or "blocks" in args:
            raise ApiError("markdown_text_conflict")
        text = args["markdown_text"]
        if len(text) > MAX_MARKDOWN_TEXT:
            raise ApiError("msg_too_long")
    check_message(text, args.get("blocks", []))
    return {"text": text} | {key: args[key] for key in ("blocks", "attachments") if key in args}


def _metadata(args: Json) -> Json | None:
    """Return the message metadata. Raises ApiError unless it has exactly an event_type and an event_payload."""
    metadata: Json | None = args.get("metadata")
    if metadata is None:
        return None
    event_type, payload = metadata.get("event_type"), metadata.get("event_payload")
    if metadata.keys() != {"event_type", "event_payload"} or not (
        isinstance(event_type, str) and event_type and isinstance(payload, dict)
    ):
        raise ApiError("invalid_metadata_format")
    return metadata


def thread_parent(context: Context, channel: Channel, ts: str) -> Message:
    """Return the first message of a thread. Raises ApiError (thread_not_found)."""
    message = context.workspace.message(channel.id, ts)
    if message is None or message.ephemeral_for:
        raise ApiError("thread_not_found")
    return message


def _own_message(context: Context, args: Json, *, refusal: str) -> Message:
    """Return the bot's message at `channel` and `ts`. Raises ApiError; ephemeral messages cannot be found."""
    channel = context.channel(args["channel"])
    message = context.workspace.message(channel.id, args["ts"])
    if message is None or message.ephemeral_for:
        raise ApiError("message_not_found")
    if message.user != BOT_USER_ID:
        raise ApiError(refusal)
    return message
