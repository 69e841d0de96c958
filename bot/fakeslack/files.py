"""The files.* methods and the upload URL: an app asks for a URL, posts the bytes there and completes the upload."""

from dataclasses import replace
from email.parser import BytesParser
from email.policy import HTTP
from secrets import token_urlsafe

from bot.fakeslack.chat import message_content, thread_parent
from bot.fakeslack.context import Context
from bot.fakeslack.objects import BOT_USER_ID, Channel, File, Upload, file_json
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError
from bot.fakeslack.workspace import Workspace

IMAGES = (".png", ".jpg", ".jpeg", ".gif")
REFUSED_AT_ONCE = frozenset(
    {
        "file_uploads_disabled",
        "file_uploads_except_images_disabled",
        "file_type_not_allowed",
        "file_upload_size_restricted",
    }
)
"""The policies by which Slack gives no upload URL; by the others it refuses to share what was uploaded."""
REFUSED_AT_LAST = frozenset(
    {
        "access_denied", "ekm_access_denied", "invalid_channel", "posting_to_channel_denied", "no_permission",
        "file_update_failed",
    }
)  # fmt: skip
FILE_POLICIES = REFUSED_AT_ONCE | REFUSED_AT_LAST


def upload_url(context: Context, args: Json) -> Json:
    """files.getUploadURLExternal."""
    policy = context.workspace.file_policy
    images_pass = policy == "file_uploads_except_images_disabled" and args["filename"].lower().endswith(IMAGES)
    if policy in REFUSED_AT_ONCE and not images_pass:
        raise ApiError(policy)
    if args["length"] < 1:
        raise ApiError("invalid_arguments", "[ERROR] must be at least 1 [json-pointer:/length]")
    file_id, ticket = context.workspace.next_id("F"), token_urlsafe(12)
    context.workspace.uploads[ticket] = Upload(file_id=file_id, name=args["filename"], length=args["length"])
    return {"upload_url": f"{context.address}/upload/v1/{ticket}", "file_id": file_id}


def receive_upload(workspace: Workspace, ticket: str, body: bytes, content_type: str) -> tuple[int, str]:
    """Store the bytes posted to an upload URL, raw or multipart; return the status and text of the response."""
    content = _multipart_file(body, content_type) if content_type.startswith("multipart/") else body
    with workspace.lock:
        upload = workspace.uploads.get(ticket)
        if upload is None:
            return 404, "not found"
        if len(content) != upload.length:
            return 400, f"{upload.length} bytes were announced, {len(content)} came"
        workspace.uploads[ticket] = replace(upload, content=content)
    return 200, f"OK - {len(content)}"


def _multipart_file(body: bytes, content_type: str) -> bytes:
    """The bytes of the first part of a multipart body that has a file name, else of its first part."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parts = list(message.iter_parts())
    chosen = next((part for part in parts if part.get_filename()), parts[0] if parts else message)
    content = chosen.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def complete(context: Context, args: Json) -> Json:
    """files.completeUploadExternal. The bot must be a member of the channel; chat:write.public is not enough."""
    if args.get("channel_id") and args.get("channels"):
        raise ApiError("invalid_arguments", "[ERROR] channel_id and channels exclude each other")
    channel_ids = [args["channel_id"]] if args.get("channel_id") else args.get("channels", [])
    channels = [_shareable(context, id_) for id_ in channel_ids]
    if context.workspace.file_policy in REFUSED_AT_LAST:
        raise ApiError(context.workspace.file_policy)
    thread_ts = args.get("thread_ts")
    if args.get("blocks"):
        message_content(context, {"text": "file", "blocks": args["blocks"]})
    if thread_ts:
        for channel in channels:
            thread_parent(context, channel, thread_ts)
    files = [_completed_file(context, entry, channels, args) for entry in args["files"]]
    for channel in channels:
        context.workspace.post(
            channel.id,
            user=BOT_USER_ID,
            text=args.get("initial_comment", ""),
            thread_ts=thread_ts,
            files=tuple(files),
            blocks=args.get("blocks"),
        )
    context.workspace.files.extend(files)
    context.workspace.touch()
    return {"files": [file_json(file) for file in files]}


def info(context: Context, args: Json) -> Json:
    """files.info, with the address of this server for the bytes. Not for a file of a channel that the bot is not in."""
    file = next((each for each in context.workspace.files if each.id == args["file"]), None)
    if file is None:
        raise ApiError("file_not_found")
    channel = context.workspace.channels.get(file.channel or "")
    if channel is not None and not channel.bot_is_member:
        raise ApiError("file_not_found")
    return {"file": file_json(file, host=context.address), "comments": [], "response_metadata": {"next_cursor": ""}}


def download(workspace: Workspace, file_id: str, *, authorized: bool) -> File | None:
    """The file for a request at its private address; None where Slack shows its page to sign in instead."""
    file = next((each for each in workspace.files if each.id == file_id), None)
    return file if authorized and "files:read" in workspace.scopes else None


def delete(context: Context, args: Json) -> Json:
    """files.delete: the file, and the messages that shared nothing but it."""
    workspace = context.workspace
    file = next((each for each in workspace.files if each.id == args["file"]), None)
    if file is None:
        raise ApiError("file_not_found")
    workspace.files.remove(file)
    for message in list(workspace.messages.get(file.channel or "", {}).values()):
        if any(each.id == file.id for each in message.files):
            left = tuple(each for each in message.files if each.id != file.id)
            workspace.put_message(replace(message, files=left, deleted=not left))
    workspace.touch()
    return {}


def _shareable(context: Context, channel_id: str) -> Channel:
    channel = context.channel(channel_id)
    if channel.archived:
        raise ApiError("is_archived")
    if not channel.bot_is_member:
        raise ApiError("not_in_channel")
    return channel


def _completed_file(context: Context, entry: Json, channels: list[Channel], args: Json) -> File:
    if not isinstance(entry.get("id"), str) or not entry.keys() <= {"id", "title", "highlight_type"}:
        raise ApiError("invalid_arguments", "[ERROR] must have an id, perhaps a title [json-pointer:/files]")
    uploads = context.workspace.uploads
    ticket = next((ticket for ticket, upload in uploads.items() if upload.file_id == entry["id"]), "")
    upload = uploads.pop(ticket, None)
    if upload is None or upload.content is None:
        raise ApiError("file_not_found")
    return File(
        id=entry["id"],
        name=upload.name,
        title=entry.get("title", upload.name),
        content=upload.content,
        channel=channels[0].id if channels else None,
        initial_comment=args.get("initial_comment", ""),
        thread_ts=args.get("thread_ts"),
        created_at=context.workspace.clock(),
    )
