"""The conversations.* methods: a channel, its members, its messages."""

import operator
from collections import Counter
from decimal import Decimal, InvalidOperation

from bot.fakeslack.chat import thread_parent
from bot.fakeslack.context import Context, paginate
from bot.fakeslack.objects import Message, channel_json, message_json
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError


def info(context: Context, args: Json) -> Json:
    """conversations.info."""
    channel = context.readable(args["channel"], "read")
    count = len(context.workspace.members(channel)) if args.get("include_num_members") else None
    return {"channel": channel_json(channel, num_members=count)}


def members(context: Context, args: Json) -> Json:
    """conversations.members."""
    channel = context.readable(args["channel"], "read")
    page, metadata = paginate(context.workspace.members(channel), args, default_limit=100)
    return {"members": page, **metadata}


def open_(context: Context, args: Json) -> Json:
    """conversations.open, for direct messages with one person."""
    if args.get("channel"):
        return {"channel": channel_json(context.channel(args["channel"]))}
    users = args.get("users", [])
    if len(users) != 1:
        raise ApiError("invalid_arguments", "[ERROR] one user, or a channel [json-pointer:/users]")
    channel = context.workspace.direct(context.user(users[0]).id)
    return {"channel": channel_json(channel) if args.get("return_im") else {"id": channel.id}}


def history(context: Context, args: Json) -> Json:
    """conversations.history: newest first, without replies."""
    channel = context.readable(args["channel"], "history")
    messages = context.workspace.visible(channel.id, None)
    roots = [message for message in reversed(messages) if not _is_reply(message)]
    return _message_page(roots, messages, args)


def replies(context: Context, args: Json) -> Json:
    """conversations.replies: the first message of the thread, then its replies, oldest first."""
    channel = context.readable(args["channel"], "history")
    parent = thread_parent(context, channel, args["ts"])
    messages = context.workspace.visible(channel.id, None)
    thread = [parent, *(message for message in messages if message.thread_ts == parent.ts != message.ts)]
    return _message_page(thread, messages, args)


def _message_page(listed: list[Message], messages: list[Message], args: Json) -> Json:
    """Return the page of `listed` between `oldest` and `latest`, with reply counts over all `messages`."""
    oldest, latest = _timestamp(args, "oldest", "0"), _timestamp(args, "latest", "inf")
    before = operator.le if args.get("inclusive") else operator.lt
    in_range = [
        message for message in listed if before(oldest, Decimal(message.ts)) and before(Decimal(message.ts), latest)
    ]
    page, metadata = paginate(in_range, args, default_limit=100)
    reply_counts = Counter(message.thread_ts for message in messages if _is_reply(message))
    shown = []
    for message in page:
        item = message_json(message, metadata=args.get("include_all_metadata", False))
        if reply_counts[message.ts]:
            item |= {"thread_ts": message.ts, "reply_count": reply_counts[message.ts]}
        shown.append(item)
    has_more = bool(metadata["response_metadata"]["next_cursor"])
    return {"messages": shown, "has_more": has_more, "pin_count": 0, **metadata}


def _is_reply(message: Message) -> bool:
    return message.thread_ts not in {None, message.ts}


def _timestamp(args: Json, name: str, default: str) -> Decimal:
    try:
        return Decimal(args.get(name, default))
    except InvalidOperation:
        raise ApiError(f"invalid_ts_{name}") from None
