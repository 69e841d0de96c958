"""The Web API over HTTP: the table of methods, the handling of a call and the routes of the server.

Source of the table: Slack's reference of each method. An argument that is not listed is an error.
"""

import asyncio
import mimetypes
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from bot.fakeslack import canvases, chat, conversations, directory, files, views
from bot.fakeslack.context import Context
from bot.fakeslack.delivery import FORM, JSON, OK, parse_object
from bot.fakeslack.faults import TOO_MANY_REQUESTS, Faults
from bot.fakeslack.interactivity import ResponseUrls
from bot.fakeslack.objects import APP_ID, Call
from bot.fakeslack.schema import Json
from bot.fakeslack.sockets import SocketMode
from bot.fakeslack.validation import (
    COMMON_ARGUMENTS,
    ApiError,
    Arguments,
    Reader,
    boolean,
    integer,
    json_object,
    object_list,
    string,
    string_list,
)

Handler = Callable[[Context, Json], Json]
DOWNLOAD: Final = "download"
"""The name under which downloads of files fail or are delayed, as calls of a method are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A Web API method: its handler, the scope it requires and its arguments.

    `scope` is None if any token will do or the scope depends on the channel. A method that requires the `app_token`
    refuses the bot token, and the reverse.
    """

    handler: Handler
    scope: str | None = None
    app_token: bool = False
    arguments: Arguments


def _method(handler: Handler, *, scope: str | None = None, optional: str = "", **required: Reader) -> Method:
    """Return a row of the table, with the readers of the required arguments and the names of the optional ones."""
    readers = {name: OPTIONAL[name] for name in optional.split()}
    return Method(handler=handler, scope=scope, arguments=Arguments(required=required, optional=readers))


def _connections_open(context: Context, args: Json) -> Json:  # noqa: ARG001 - every method takes the arguments
    """apps.connections.open: a WebSocket URL for one connection."""
    host = (context.sockets.address or context.address).removeprefix("http")
    return {"url": f"ws{host}/link/?ticket={context.sockets.issue_ticket()}&app_id={APP_ID}"}


OPTIONAL: Final[dict[str, Reader]] = {
    **dict.fromkeys(("text", "markdown_text", "thread_ts", "parse", "username", "icon_emoji", "icon_url"), string),
    **dict.fromkeys(("cursor", "latest", "oldest", "hash", "external_id", "view_id", "trigger_id"), string),
    **dict.fromkeys(("interactivity_pointer", "alt_txt", "snippet_type", "initial_comment"), string),
    **dict.fromkeys(("channel", "channel_id", "title", "team", "team_id", "domain", "name", "types", "user"), string),
    **dict.fromkeys(("as_user", "link_names", "mrkdwn", "reply_broadcast", "unfurl_links", "unfurl_media"), boolean),
    **dict.fromkeys(("include_locale", "include_num_members", "include_all_metadata", "inclusive"), boolean),
    **dict.fromkeys(("return_im", "prevent_creation", "is_private", "force", "exclude_archived"), boolean),
    **dict.fromkeys(("include_disabled", "include_count", "include_users", "include_slackbot_availability"), boolean),
    **dict.fromkeys(("blocks", "attachments"), object_list),
    **dict.fromkeys(("channels", "users", "file_ids"), string_list),
    **dict.fromkeys(("metadata", "document_content"), json_object),
    **dict.fromkeys(("limit", "count", "page"), integer),
}

MESSAGE_CONTENT: Final = "text blocks attachments markdown_text as_user link_names parse"
AUTHORSHIP: Final = "username icon_emoji icon_url"
PAGING: Final = "cursor limit"
HISTORY_RANGE: Final = f"{PAGING} inclusive include_all_metadata latest oldest"

METHODS: Final[dict[str, Method]] = {
    "apps.connections.open": Method(
        handler=_connections_open, app_token=True, arguments=Arguments(required={}, optional={})
    ),
    "auth.test": _method(directory.auth_test),
    "canvases.create": _method(canvases.create, scope="canvases:write", optional="title document_content channel_id"),
    "canvases.edit": _method(canvases.edit, scope="canvases:write", canvas_id=string, changes=object_list),
    "chat.postMessage": _method(
        chat.post_message,
        scope="chat:write",
        channel=string,
        optional=f"{MESSAGE_CONTENT} {AUTHORSHIP} thread_ts reply_broadcast unfurl_links unfurl_media mrkdwn metadata",
    ),
    "chat.postEphemeral": _method(
        chat.post_ephemeral,
        scope="chat:write",
        channel=string,
        user=string,
        optional=f"{MESSAGE_CONTENT} {AUTHORSHIP} thread_ts",
    ),
    "chat.update": _method(
        chat.update,
        scope="chat:write",
        channel=string,
        ts=string,
        optional=f"{MESSAGE_CONTENT} reply_broadcast metadata file_ids unfurl_links unfurl_media",
    ),
    "chat.delete": _method(chat.delete, scope="chat:write", channel=string, ts=string, optional="as_user"),
    "chat.getPermalink": _method(chat.permalink, channel=string, message_ts=string),
    "conversations.archive": _method(conversations.archive, channel=string),
    "conversations.create": _method(conversations.create, optional="name is_private team_id"),
    "conversations.invite": _method(conversations.invite, channel=string, users=string_list, optional="force"),
    "conversations.setPurpose": _method(conversations.set_purpose, channel=string, purpose=string),
    "conversations.info": _method(conversations.info, channel=string, optional="include_locale include_num_members"),
    "conversations.history": _method(conversations.history, channel=string, optional=HISTORY_RANGE),
    "conversations.replies": _method(conversations.replies, channel=string, ts=string, optional=HISTORY_RANGE),
    "conversations.members": _method(conversations.members, channel=string, optional=PAGING),
    "conversations.open": _method(
        conversations.open_, scope="im:write", optional="channel users return_im prevent_creation"
    ),
    "pins.add": _method(chat.pin, scope="pins:write", channel=string, timestamp=string),
    "pins.list": _method(chat.pins, scope="pins:read", channel=string),
    "team.info": _method(directory.team_info, scope="team:read", optional="team domain include_slackbot_availability"),
    "usergroups.list": _method(
        directory.usergroups_list,
        scope="usergroups:read",
        optional="include_disabled include_count include_users team_id",
    ),
    "usergroups.users.list": _method(
        directory.usergroup_members,
        scope="usergroups:read",
        usergroup=string,
        optional="include_disabled team_id",
    ),
    "users.conversations": _method(conversations.of_bot, optional=f"{PAGING} types exclude_archived user team_id"),
    "users.info": _method(directory.users_info, scope="users:read", user=string, optional="include_locale"),
    "users.list": _method(directory.users_list, scope="users:read", optional=f"{PAGING} include_locale"),
    "views.open": _method(views.open_, view=json_object, optional="trigger_id interactivity_pointer"),
    "views.update": _method(views.update, view=json_object, optional="view_id external_id hash"),
    "views.publish": _method(views.publish, user_id=string, view=json_object, optional="hash"),
    "files.info": _method(files.info, scope="files:read", file=string, optional=f"{PAGING} count page"),
    "files.delete": _method(files.delete, scope="files:write", file=string),
    "files.getUploadURLExternal": _method(
        files.upload_url,
        scope="files:write",
        filename=string,
        length=integer,
        optional="alt_txt snippet_type",
    ),
    "files.completeUploadExternal": _method(
        files.complete,
        scope="files:write",
        files=object_list,
        optional="channel_id channels initial_comment thread_ts blocks",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A call of the Web API. `authorization` is the value of that header."""

    method: str
    content_type: str
    authorization: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResponse:
    """A response of the Web API. Most errors have status 200, too."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class WebApi:
    """Handles calls: faults, token, scope, arguments, then the method's handler."""

    context: Context
    faults: Faults
    bot_token: str
    app_token: str

    def handle(self, request: ApiRequest) -> ApiResponse:
        """Handle a call and record it in the workspace."""
        args: Json = {}
        error: str | None = None
        method = METHODS.get(request.method)
        headers = {
            "x-oauth-scopes": ",".join(sorted(self.context.scopes)),
            "x-accepted-oauth-scopes": (method and method.scope) or "",
        }
        try:
            args = _parse_arguments(request)
            fault = self.faults.take(request.method, args)
            if fault:
                error = fault.error
                retry_after = {"Retry-After": str(fault.retry_after_s)} if fault.status == TOO_MANY_REQUESTS else {}
                response = ApiResponse(
                    status=fault.status, headers=retry_after, body={"ok": False, "error": fault.error}
                )
            else:
                response = ApiResponse(body=self._call(request, args, method))
        except ApiError as refused:
            error = refused.error
            messages = {"response_metadata": {"messages": list(refused.details)}} if refused.details else {}
            response = ApiResponse(body={"ok": False, "error": refused.error, **refused.extra, **messages})
        self._record(request.method, args, error)
        return ApiResponse(status=response.status, headers={**response.headers, **headers}, body=response.body)

    def _call(self, request: ApiRequest, args: Json, method: Method | None) -> Json:
        token = request.authorization.removeprefix("Bearer ").strip() or str(args.get("token", ""))
        if not token:
            raise ApiError("not_authed")
        if token not in {self.bot_token, self.app_token}:
            raise ApiError("invalid_auth")
        if method is None:
            raise ApiError("unknown_method", req_method=request.method)
        if token != (self.app_token if method.app_token else self.bot_token):
            raise ApiError("not_allowed_token_type")
        if method.scope:
            self.context.require_scope(method.scope)
        values = method.arguments.read(args)
        with self.context.workspace.lock:
            return {"ok": True, **method.handler(self.context, values)}

    def _record(self, name: str, args: Json, error: str | None) -> None:
        """Record a call without its token, with typed arguments unless it was refused for them."""
        workspace = self.context.workspace
        args = {key: value for key, value in args.items() if key not in COMMON_ARGUMENTS}
        with suppress(ApiError, KeyError):
            args = METHODS[name].arguments.read(args)
        with workspace.lock:
            workspace.calls.append(Call(method=name, args=args, at=workspace.clock(), error=error))
            workspace.touch()


def _parse_arguments(request: ApiRequest) -> Json:
    """Parse the body of a form or of JSON. Raises ApiError for any other."""
    content_type = request.content_type.partition(";")[0].strip().lower()
    if not request.body:
        return {}
    if content_type == JSON:
        args = parse_object(request.body)
        if args is None:
            raise ApiError("invalid_json")
        return args
    if content_type not in {FORM, ""}:
        raise ApiError("invalid_post_type")
    return dict(parse_qsl(request.body, keep_blank_values=True))


class Endpoints:
    """The handlers of the HTTP routes."""

    def __init__(self, api: WebApi, response_urls: ResponseUrls) -> None:
        self._api = api
        self._response_urls = response_urls

    async def call(self, request: Request) -> Response:
        """Handle a call of the Web API, after the delay set for its method."""
        method = request.path_params["method"]
        body = (await request.body()).decode()
        await asyncio.sleep(self._api.faults.delays_s.get(method, 0))
        response = self._api.handle(
            ApiRequest(
                method=method,
                content_type=request.headers.get("content-type", ""),
                authorization=request.headers.get("authorization", ""),
                body=body,
            )
        )
        return JSONResponse(response.body, status_code=response.status, headers=response.headers)

    async def upload(self, request: Request) -> Response:
        """Receive the bytes of a file at its upload URL."""
        if self._api.faults.upload_status:
            return PlainTextResponse("<html>no</html>", status_code=self._api.faults.upload_status)
        workspace, content_type = self._api.context.workspace, request.headers.get("content-type", "")
        ticket, body = request.path_params["ticket"], await request.body()
        status, text = files.receive_upload(workspace, ticket, body, content_type)
        return PlainTextResponse(text, status_code=status)

    async def download(self, request: Request) -> Response:
        """Give the bytes of a file at its private address; without the token or the scope, send to the page to sign in.

        Such a redirect with an answer of 200 at its end is what Slack gives to a token that may not read the file.
        """
        fault = self._api.faults.take(DOWNLOAD, dict(request.path_params))
        if fault is not None:
            retry_after = {"Retry-After": str(fault.retry_after_s)} if fault.status == TOO_MANY_REQUESTS else {}
            return PlainTextResponse("<html>no</html>", status_code=fault.status, headers=retry_after)
        await asyncio.sleep(self._api.faults.delays_s.get(DOWNLOAD, 0))
        authorized = request.headers.get("authorization") == f"Bearer {self._api.bot_token}"
        workspace, file_id = self._api.context.workspace, request.path_params["file"].partition("-")[2]
        file = files.download(workspace, file_id, authorized=authorized)
        if file is None:
            return RedirectResponse(f"{self._api.context.address}/?redir=%2Ffiles-pri%2F{file_id}", status_code=302)
        return Response(file.content, media_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream")

    async def respond(self, request: Request) -> Response:
        """Receive a message at a response URL."""
        body = parse_object((await request.body()).decode())
        status, result = self._response_urls.post(request.path_params["token"], body)
        if status == OK:
            return PlainTextResponse(result)
        return JSONResponse({"ok": False, "error": result}, status_code=status)


def application(endpoints: Endpoints, sockets: SocketMode, pages: Sequence[BaseRoute]) -> Starlette:
    """Return the ASGI application; `pages` are routes in addition to Slack's."""
    return Starlette(
        routes=[
            Route("/api/{method}", endpoints.call, methods=["POST"]),
            Route("/upload/v1/{ticket}", endpoints.upload, methods=["POST"]),
            Route("/files-pri/{file}/{name:path}", endpoints.download, methods=["GET"]),
            Route("/hooks/{token}", endpoints.respond, methods=["POST"]),
            WebSocketRoute("/link/", sockets.serve),
            *pages,
        ],
        exception_handlers=dict.fromkeys((RecursionError, UnicodeDecodeError), _refuse_unreadable),
    )


async def _refuse_unreadable(_request: Request, _error: Exception) -> Response:
    """Whatever route it was sent to: JSON nested too deep to be read, or bytes that are no text."""
    return JSONResponse({"ok": False, "error": "invalid_json", "problem": "That cannot be read."}, status_code=400)
