"""The conversations.* methods: a channel, its members, its messages."""

import operator
import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from bot.fakeslack.chat import thread_parent
from bot.fakeslack.context import Context, paginate
from bot.fakeslack.objects import BOT_USER_ID, Channel, Message, channel_json, message_json
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError


def info(context: Context, args: Json) -> Json:
    """conversations.info."""
    channel = context.readable(args["channel"], "read")
    count = len(context.workspace.members(channel)) if args.get("include_num_members") else None
    return {"channel": channel_json(channel, num_members=count)}


NAME_LENGTH, PURPOSE_LENGTH, MOST_INVITED = 80, 250, 100
"""Slack's limits of a channel's name and purpose, and of the people in one call of conversations.invite."""
_NAME = re.compile(r"[\w-]+")
_KINDS = {"public_channel": "channels", "private_channel": "groups"}


def create(context: Context, args: Json) -> Json:
    """conversations.create: the bot is the only member. The name of an archived channel is taken, too."""
    private = args.get("is_private", False)
    context.require_scope("groups:write" if private else "channels:manage")
    name = args.get("name", "")
    for error, refused in (
        ("invalid_name_required", not name),
        ("invalid_name_maxlength", len(name) > NAME_LENGTH),
        ("invalid_name_punctuation", bool(name) and not name.strip("-_.")),
        ("invalid_name_specials", name != name.lower() or not _NAME.fullmatch(name or "x")),
        ("name_taken", any(name == each.name for each in context.workspace.channels.values())),
    ):
        if refused:
            raise ApiError(error)
    channel = Channel(
        id=context.workspace.next_id("C"),
        name=name,
        private=private,
        members=frozenset({BOT_USER_ID}),
        creator=BOT_USER_ID,
        created_at=context.workspace.clock(),
    )
    return {"channel": channel_json(context.workspace.put_channel(channel))}


def invite(context: Context, args: Json) -> Json:
    """conversations.invite: all of the people, or with `force` those who can be; `errors` has the others."""
    channel = _managed(context, args["channel"])
    users = args["users"]
    if not users:
        raise ApiError("no_user")
    if len(users) > MOST_INVITED:
        raise ApiError("too_many_users")
    errors = [
        {"user": each, "ok": False, "error": error} for each in users if (error := _refusal(context, channel, each))
    ]
    valid = [each for each in users if each not in {refused["user"] for refused in errors}]
    if errors and not (args.get("force") and valid):
        raise ApiError(str(errors[0]["error"]), errors=errors)
    if channel.members is not None:
        channel = context.workspace.put_channel(replace(channel, members=channel.members | frozenset(valid)))
    return {"channel": channel_json(channel), **({"errors": errors} if errors else {})}


def _refusal(context: Context, channel: Channel, user_id: str) -> str | None:
    """Why the person cannot be invited."""
    user = context.workspace.users.get(user_id)
    if user is None:
        return "user_not_found"
    if user_id == BOT_USER_ID:
        return "cant_invite_self"
    if user_id in context.workspace.members(channel):
        return "already_in_channel"
    return "cant_invite" if user.deleted else "user_is_ultra_restricted" if user.ultra_restricted else None


def archive(context: Context, args: Json) -> Json:
    """conversations.archive."""
    channel = _managed(context, args["channel"], archived="already_archived")
    context.workspace.put_channel(replace(channel, archived=True))
    return {}


def set_purpose(context: Context, args: Json) -> Json:
    """conversations.setPurpose."""
    channel = _managed(context, args["channel"])
    if len(args["purpose"]) > PURPOSE_LENGTH:
        raise ApiError("too_long")
    channel = context.workspace.put_channel(replace(channel, purpose=args["purpose"]))
    return {"channel": channel_json(channel)}


def _managed(context: Context, channel_id: str, *, archived: str = "is_archived") -> Channel:
    """A channel that the bot may change, since it is in it. Raises ApiError."""
    channel = context.channel(channel_id)
    if channel.with_user:
        raise ApiError("method_not_supported_for_channel_type")
    context.require_scope("groups:write" if channel.private else "channels:manage")
    if channel.archived:
        raise ApiError(archived)
    if not channel.bot_is_member:
        raise ApiError("not_in_channel")
    return channel


def of_bot(context: Context, args: Json) -> Json:
    """users.conversations: the channels that the bot is in."""
    kinds = [each.strip() for each in args.get("types", "public_channel").split(",")]
    if not set(kinds) <= _KINDS.keys():
        raise ApiError("invalid_types")
    for kind in kinds:
        context.require_scope(f"{_KINDS[kind]}:read")
    wanted = {_KINDS[kind] for kind in kinds}
    found = [
        channel
        for channel in context.workspace.channels.values()
        if channel.bot_is_member and channel.scope_prefix in wanted
        if not (channel.archived and args.get("exclude_archived"))
    ]
    page, metadata = paginate(found, args, default_limit=100)
    return {"channels": [channel_json(each) for each in page], **metadata}


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
        if message.reactions:
            item["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()
            ]
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
