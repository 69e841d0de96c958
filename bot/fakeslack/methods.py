"""The Web API's methods, as one table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bot.fakeslack import canvases, chat, connections, conversations, files, people, views
from bot.fakeslack.arguments import Arguments, Reader, flag, mapping, names, objects, whole, words
from bot.fakeslack.context import Desk
from bot.fakeslack.schema import Json

Work = Callable[[Desk, dict[str, Any]], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method. `scope` is None when any token will do, or when it depends on the channel.

    `for_app` says that it wants the app's token instead of the bot's.
    """

    work: Work
    scope: str | None = None
    for_app: bool = False
    arguments: Arguments


def method(work: Work, *, scope: str | None = None, optional: str = "", **required: Reader) -> Method:
    """A row of the table: `required` arguments with their readers, and the names of the `optional` ones."""
    more = {name: OPTIONAL[name] for name in optional.split()}
    return Method(work=work, scope=scope, arguments=Arguments(required=required, optional=more))


OPTIONAL: Final[dict[str, Reader]] = {
    **dict.fromkeys(("text", "markdown_text", "thread_ts", "parse", "username", "icon_emoji", "icon_url"), words),
    **dict.fromkeys(("cursor", "latest", "oldest", "hash", "external_id", "view_id", "trigger_id"), words),
    **dict.fromkeys(("interactivity_pointer", "alt_txt", "snippet_type", "initial_comment"), words),
    **dict.fromkeys(("channel", "channel_id", "title"), words),
    **dict.fromkeys(("as_user", "link_names", "mrkdwn", "reply_broadcast", "unfurl_links", "unfurl_media"), flag),
    **dict.fromkeys(("include_locale", "include_num_members", "include_all_metadata", "inclusive"), flag),
    **dict.fromkeys(("return_im", "prevent_creation"), flag),
    **dict.fromkeys(("blocks", "attachments"), objects),
    **dict.fromkeys(("channels", "users", "file_ids"), names),
    **dict.fromkeys(("metadata", "document_content"), mapping),
    "limit": whole,
}

CONTENT: Final = "text blocks attachments markdown_text as_user link_names parse"
DISGUISE: Final = "username icon_emoji icon_url"
PAGE: Final = "cursor limit"
SPAN: Final = f"{PAGE} inclusive include_all_metadata latest oldest"

METHODS: Final[dict[str, Method]] = {
    "apps.connections.open": Method(
        work=connections.open_, for_app=True, arguments=Arguments(required={}, optional={})
    ),
    "auth.test": method(people.test),
    "canvases.create": method(canvases.create, scope="canvases:write", optional="title document_content channel_id"),
    "canvases.edit": method(canvases.edit, scope="canvases:write", canvas_id=words, changes=objects),
    "chat.postMessage": method(
        chat.post_message,
        scope="chat:write",
        channel=words,
        optional=f"{CONTENT} {DISGUISE} thread_ts reply_broadcast unfurl_links unfurl_media mrkdwn metadata",
    ),
    "chat.postEphemeral": method(
        chat.post_ephemeral,
        scope="chat:write",
        channel=words,
        user=words,
        optional=f"{CONTENT} {DISGUISE} thread_ts",
    ),
    "chat.update": method(
        chat.update,
        scope="chat:write",
        channel=words,
        ts=words,
        optional=f"{CONTENT} reply_broadcast metadata file_ids unfurl_links unfurl_media",
    ),
    "chat.delete": method(chat.delete, scope="chat:write", channel=words, ts=words, optional="as_user"),
    "chat.getPermalink": method(chat.permalink, channel=words, message_ts=words),
    "conversations.info": method(conversations.info, channel=words, optional="include_locale include_num_members"),
    "conversations.history": method(conversations.history, channel=words, optional=SPAN),
    "conversations.replies": method(conversations.replies, channel=words, ts=words, optional=SPAN),
    "conversations.members": method(conversations.members, channel=words, optional=PAGE),
    "conversations.open": method(
        conversations.open_, scope="im:write", optional="channel users return_im prevent_creation"
    ),
    "users.info": method(people.info, scope="users:read", user=words, optional="include_locale"),
    "users.list": method(people.list_, scope="users:read", optional=f"{PAGE} include_locale"),
    "views.open": method(views.open_, view=mapping, optional="trigger_id interactivity_pointer"),
    "views.update": method(views.update, view=mapping, optional="view_id external_id hash"),
    "views.publish": method(views.publish, user_id=words, view=mapping, optional="hash"),
    "files.getUploadURLExternal": method(
        files.upload_url,
        scope="files:write",
        filename=words,
        length=whole,
        optional="alt_txt snippet_type",
    ),
    "files.completeUploadExternal": method(
        files.complete,
        scope="files:write",
        files=objects,
        optional="channel_id channels initial_comment thread_ts blocks",
    ),
}
