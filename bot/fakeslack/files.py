"""The files.* methods: the two ends of an upload."""

from typing import Any

from bot.fakeslack.arguments import ApiError
from bot.fakeslack.chat import message_content, thread_parent
from bot.fakeslack.context import MethodContext
from bot.fakeslack.json_objects import file_json
from bot.fakeslack.objects import BOT_USER_ID, Channel, File
from bot.fakeslack.schema import Json

Args = dict[str, Any]


def upload_url(desk: MethodContext, args: Args) -> Json:
    """files.getUploadURLExternal."""
    if args["length"] < 1:
        raise ApiError("invalid_arguments", "[ERROR] must be at least 1 [json-pointer:/length]")
    file_id = desk.workspace.next_id("F")
    ticket = desk.uploads.begin(file_id=file_id, name=args["filename"], length=args["length"])
    return {"upload_url": f"{desk.address}/upload/v1/{ticket}", "file_id": file_id}


def complete(desk: MethodContext, args: Args) -> Json:
    """files.completeUploadExternal. The bot has to be in the channel; chat:write.public does not help."""
    channels = [shareable(desk, id_) for id_ in targets(args)]
    thread_ts = args.get("thread_ts")
    if args.get("blocks"):
        message_content(desk, {"text": "file", "blocks": args["blocks"]})
    for channel in channels:
        if thread_ts:
            thread_parent(desk, channel, thread_ts)
    files = [finished(desk, entry, channels, args) for entry in args["files"]]
    for channel in channels:
        desk.workspace.post(
            channel.id,
            user=BOT_USER_ID,
            text=args.get("initial_comment", ""),
            thread_ts=thread_ts,
            files=tuple(files),
            blocks=args.get("blocks"),
        )
    desk.workspace.files.extend(files)
    desk.workspace.touch()
    return {"files": [file_json(file) for file in files]}


def targets(args: Args) -> list[str]:
    """The channels an upload goes to, none when it is kept private."""
    if args.get("channel_id") and args.get("channels"):
        raise ApiError("invalid_arguments", "[ERROR] channel_id and channels exclude each other")
    return [args["channel_id"]] if args.get("channel_id") else args.get("channels", [])


def shareable(desk: MethodContext, id_: str) -> Channel:
    """A channel a file may be shared in. Raises Refused."""
    channel = desk.channel(id_)
    if channel.archived:
        raise ApiError("is_archived")
    if not channel.bot_is_member:
        raise ApiError("not_in_channel")
    return channel


def finished(desk: MethodContext, entry: Json, channels: list[Channel], args: Args) -> File:
    """The file an entry of `files` names. Raises Refused when its bytes never came."""
    if not isinstance(entry.get("id"), str) or not entry.keys() <= {"id", "title", "highlight_type"}:
        raise ApiError("invalid_arguments", "[ERROR] must have an id, perhaps a title [json-pointer:/files]")
    name, content = desk.uploads.complete(entry["id"])
    return File(
        id=entry["id"],
        name=name,
        title=entry.get("title", name),
        content=content,
        channel=channels[0].id if channels else None,
        initial_comment=args.get("initial_comment", ""),
        thread_ts=args.get("thread_ts"),
        created_at=desk.workspace.clock(),
    )
