"""The Web API's methods, as one table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bot.fakeslack import canvases, chat, connections, conversations, files, people, views
from bot.fakeslack.arguments import Arguments, Reader, boolean, integer, json_object, object_list, string, string_list
from bot.fakeslack.context import MethodContext
from bot.fakeslack.schema import Json

Work = Callable[[MethodContext, dict[str, Any]], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method. `scope` is None when any token will do, or when it depends on the channel.

    `for_app` says that it wants the app's token instead of the bot's.
    """

    work: Work
    scope: str | None = None
    for_app: bool = False
    arguments: Arguments


def method_row(work: Work, *, scope: str | None = None, optional: str = "", **required: Reader) -> Method:
    """A row of the table: `required` arguments with their readers, and the names of the `optional` ones."""
    more = {name: OPTIONAL[name] for name in optional.split()}
    return Method(work=work, scope=scope, arguments=Arguments(required=required, optional=more))


OPTIONAL: Final[dict[str, Reader]] = {
    **dict.fromkeys(("text", "markdown_text", "thread_ts", "parse", "username", "icon_emoji", "icon_url"), string),
    **dict.fromkeys(("cursor", "latest", "oldest", "hash", "external_id", "view_id", "trigger_id"), string),
    **dict.fromkeys(("interactivity_pointer", "alt_txt", "snippet_type", "initial_comment"), string),
    **dict.fromkeys(("channel", "channel_id", "title"), string),
    **dict.fromkeys(("as_user", "link_names", "mrkdwn", "reply_broadcast", "unfurl_links", "unfurl_media"), boolean),
    **dict.fromkeys(("include_locale", "include_num_members", "include_all_metadata", "inclusive"), boolean),
    **dict.fromkeys(("return_im", "prevent_creation"), boolean),
    **dict.fromkeys(("blocks", "attachments"), object_list),
    **dict.fromkeys(("channels", "users", "file_ids"), string_list),
    **dict.fromkeys(("metadata", "document_content"), json_object),
    "limit": integer,
}

MESSAGE_CONTENT: Final = "text blocks attachments markdown_text as_user link_names parse"
AUTHORSHIP: Final = "username icon_emoji icon_url"
PAGING: Final = "cursor limit"
HISTORY_RANGE: Final = f"{PAGING} inclusive include_all_metadata latest oldest"

METHODS: Final[dict[str, Method]] = {
    "apps.connections.open": Method(
        work=connections.connections_open, for_app=True, arguments=Arguments(required={}, optional={})
    ),
    "auth.test": method_row(people.auth_test),
    "canvases.create": method_row(
        canvases.create, scope="canvases:write", optional="title document_content channel_id"
    ),
    "canvases.edit": method_row(canvases.edit, scope="canvases:write", canvas_id=string, changes=object_list),
    "chat.postMessage": method_row(
        chat.post_message,
        scope="chat:write",
        channel=string,
        optional=f"{MESSAGE_CONTENT} {AUTHORSHIP} thread_ts reply_broadcast unfurl_links unfurl_media mrkdwn metadata",
    ),
    "chat.postEphemeral": method_row(
        chat.post_ephemeral,
        scope="chat:write",
        channel=string,
        user=string,
        optional=f"{MESSAGE_CONTENT} {AUTHORSHIP} thread_ts",
    ),
    "chat.update": method_row(
        chat.update,
        scope="chat:write",
        channel=string,
        ts=string,
        optional=f"{MESSAGE_CONTENT} reply_broadcast metadata file_ids unfurl_links unfurl_media",
    ),
    "chat.delete": method_row(chat.delete, scope="chat:write", channel=string, ts=string, optional="as_user"),
    "chat.getPermalink": method_row(chat.permalink, channel=string, message_ts=string),
    "conversations.info": method_row(conversations.info, channel=string, optional="include_locale include_num_members"),
    "conversations.history": method_row(conversations.history, channel=string, optional=HISTORY_RANGE),
    "conversations.replies": method_row(conversations.replies, channel=string, ts=string, optional=HISTORY_RANGE),
    "conversations.members": method_row(conversations.members, channel=string, optional=PAGING),
    "conversations.open": method_row(
        conversations.open_, scope="im:write", optional="channel users return_im prevent_creation"
    ),
    "users.info": method_row(people.users_info, scope="users:read", user=string, optional="include_locale"),
    "users.list": method_row(people.users_list, scope="users:read", optional=f"{PAGING} include_locale"),
    "views.open": method_row(views.open_, view=json_object, optional="trigger_id interactivity_pointer"),
    "views.update": method_row(views.update, view=json_object, optional="view_id external_id hash"),
    "views.publish": method_row(views.publish, user_id=string, view=json_object, optional="hash"),
    "files.getUploadURLExternal": method_row(
        files.upload_url,
        scope="files:write",
        filename=string,
        length=integer,
        optional="alt_txt snippet_type",
    ),
    "files.completeUploadExternal": method_row(
        files.complete,
        scope="files:write",
        files=object_list,
        optional="channel_id channels initial_comment thread_ts blocks",
    ),
}
