"""The conversations.* methods: what a channel is, who is in it, what was said there."""

from decimal import Decimal, InvalidOperation
from typing import Any

from bot.fakeslack.chat import thread_parent
from bot.fakeslack.context import MethodContext, paginate
from bot.fakeslack.objects import Message, channel_json, message_json
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError

Args = dict[str, Any]


def info(desk: MethodContext, args: Args) -> Json:
    """conversations.info."""
    channel = desk.readable(args["channel"], "read")
    count = len(desk.workspace.members(channel)) if args.get("include_num_members") else None
    return {"channel": channel_json(channel, num_members=count)}


def members(desk: MethodContext, args: Args) -> Json:
    """conversations.members."""
    channel = desk.readable(args["channel"], "read")
    page, metadata = paginate(desk.workspace.members(channel), args, usual=100)
    return {"members": page, **metadata}


def open_(desk: MethodContext, args: Args) -> Json:
    """conversations.open, for direct messages with one person."""
    if args.get("channel"):
        return {"channel": channel_json(desk.channel(args["channel"]))}
    users = args.get("users", [])
    if len(users) != 1:
        raise ApiError("invalid_arguments", "[ERROR] one user, or a channel [json-pointer:/users]")
    channel = desk.workspace.direct(desk.user(users[0]).id)
    return {"channel": channel_json(channel) if args.get("return_im") else {"id": channel.id}}


def history(desk: MethodContext, args: Args) -> Json:
    """conversations.history: newest first, without replies."""
    channel = desk.readable(args["channel"], "history")
    said = desk.workspace.visible(channel.id, None)
    roots = [message for message in reversed(said) if message.thread_ts in {None, message.ts}]
    return _listed(roots, args, threads=_reply_counts(said))


def replies(desk: MethodContext, args: Args) -> Json:
    """conversations.replies: the thread's first message and then its replies, oldest first."""
    channel = desk.readable(args["channel"], "history")
    parent = thread_parent(desk, channel, args["ts"])
    said = desk.workspace.visible(channel.id, None)
    thread = [parent, *(message for message in said if message.thread_ts == parent.ts != message.ts)]
    return _listed(thread, args, threads=_reply_counts(said))


def _reply_counts(said: list[Message]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for message in said:
        if message.thread_ts and message.thread_ts != message.ts:
            counts[message.thread_ts] = counts.get(message.thread_ts, 0) + 1
    return counts


def _listed(said: list[Message], args: Args, *, threads: dict[str, int]) -> Json:
    page, metadata = paginate([message for message in said if _within(message, args)], args, usual=100)
    listed = []
    for message in page:
        shown = message_json(message, metadata=args.get("include_all_metadata", False))
        if message.ts in threads:
            shown |= {"thread_ts": message.ts, "reply_count": threads[message.ts]}
        listed.append(shown)
    more = bool(metadata["response_metadata"]["next_cursor"])
    return {"messages": listed, "has_more": more, "pin_count": 0, **metadata}


def _instant(args: Args, name: str, usual: str) -> Decimal:
    try:
        return Decimal(args.get(name, usual))
    except InvalidOperation:
        raise ApiError(f"invalid_ts_{name}") from None


def _within(message: Message, args: Args) -> bool:
    oldest, latest, at = _instant(args, "oldest", "0"), _instant(args, "latest", "inf"), Decimal(message.ts)
    return oldest <= at <= latest if args.get("inclusive") else oldest < at < latest
