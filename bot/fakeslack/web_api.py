"""The Web API over HTTP: the table of methods, the handling of a call, and the routes of the server."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from bot.fakeslack import canvases, chat, conversations, directory, files, views
from bot.fakeslack.context import MethodContext
from bot.fakeslack.delivery import parse_object
from bot.fakeslack.faults import TOO_MANY_REQUESTS, Fault, Faults
from bot.fakeslack.files import receive_upload
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
from bot.fakeslack.workspace import Workspace


def connections_open(desk: MethodContext, args: dict[str, Any]) -> Json:  # noqa: ARG001 -- every method has the same two parameters
    """apps.connections.open: a WebSocket URL that lets one connection in."""
    host = (desk.sockets.address or desk.address).removeprefix("http")
    return {"url": f"ws{host}/link/?ticket={desk.sockets.ticket()}&app_id={APP_ID}"}


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
    "apps.connections.open": Method(work=connections_open, for_app=True, arguments=Arguments(required={}, optional={})),
    "auth.test": method_row(directory.auth_test),
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
    "users.info": method_row(directory.users_info, scope="users:read", user=string, optional="include_locale"),
    "users.list": method_row(directory.users_list, scope="users:read", optional=f"{PAGING} include_locale"),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One call as it came in. `authorization` is that header."""

    method: str
    content_type: str
    authorization: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResponse:
    """What goes back: Slack says no with status 200, too."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class WebApi:
    """Answers calls. `tokens` tells the bot's token and the app's from any other."""

    desk: MethodContext
    faults: Faults
    bot_token: str
    app_token: str

    def answer(self, request: ApiRequest) -> ApiResponse:
        """Do what the call asks for, or say why not; and write the call down."""
        given: Json = {}
        error: str | None = None
        try:
            given = parse_arguments(request)
            fault = self.faults.take(request.method, given)
            reply = failed(fault) if fault else self._done(request, given)
            error = fault.error if fault else None
        except ApiError as refused:
            reply = ApiResponse(body=refusal(refused))
            error = refused.error
        self._note(request.method, given, error)
        return ApiResponse(status=reply.status, headers={**reply.headers, **self._headers(request)}, body=reply.body)

    def _done(self, request: ApiRequest, given: Json) -> ApiResponse:
        method = METHODS.get(request.method)
        self._admit(request, given, method)
        if method is None:
            raise ApiError("unknown_method", req_method=request.method)
        if method.scope:
            self.desk.require(method.scope)
        understood = method.arguments.read(given)
        with self.desk.workspace.lock:
            return ApiResponse(body={"ok": True, **method.work(self.desk, understood)})

    def _admit(self, request: ApiRequest, given: Json, method: Method | None) -> None:
        token = request.authorization.removeprefix("Bearer ").strip() or str(given.get("token", ""))
        if not token:
            raise ApiError("not_authed")
        if token not in {self.bot_token, self.app_token}:
            raise ApiError("invalid_auth")
        if method and token != (self.app_token if method.for_app else self.bot_token):
            raise ApiError("not_allowed_token_type")

    def _headers(self, request: ApiRequest) -> dict[str, str]:
        method = METHODS.get(request.method)
        accepted = method.scope if method and method.scope else ""
        return {
            "x-oauth-scopes": ",".join(sorted(self.desk.scopes)),
            "x-accepted-oauth-scopes": accepted,
        }

    def _note(self, name: str, given: Json, error: str | None) -> None:
        workspace = self.desk.workspace
        method = METHODS.get(name)
        args = {key: value for key, value in given.items() if key not in COMMON_ARGUMENTS}
        if method and error is None:
            args = method.arguments.read(args)
        with workspace.lock:
            workspace.calls.append(Call(method=name, args=args, at=workspace.clock(), error=error))
            workspace.touch()


def parse_arguments(request: ApiRequest) -> dict[str, Any]:
    """The arguments of a call, still untyped, from a form or from JSON. Raises Refused for any other body."""
    kind = request.content_type.partition(";")[0].strip().lower()
    if not request.body:
        return {}
    if kind == "application/json":
        found = parse_object(request.body)
        if found is None:
            raise ApiError("invalid_json")
        return found
    if kind not in {"application/x-www-form-urlencoded", ""}:
        raise ApiError("invalid_post_type")
    return dict(parse_qsl(request.body, keep_blank_values=True))


def refusal(refused: ApiError) -> Json:
    """Slack's answer to what it does not do."""
    body: Json = {"ok": False, "error": refused.error, **refused.extra}
    if refused.details:
        body["response_metadata"] = {"messages": list(refused.details)}
    return body


def failed(fault: Fault) -> ApiResponse:
    """The answer an ordered fault gives."""
    headers = {"Retry-After": str(fault.retry_after_s)} if fault.status == TOO_MANY_REQUESTS else {}
    return ApiResponse(status=fault.status, headers=headers, body={"ok": False, "error": fault.error})


class Endpoints:
    """What answers at each path."""

    def __init__(self, *, api: WebApi, workspace: Workspace, hooks: ResponseUrls, faults: Faults) -> None:
        self._api = api
        self._workspace = workspace
        self._hooks = hooks
        self._faults = faults

    async def call(self, request: Request) -> Response:
        """A call of the Web API, after the delay ordered for its method."""
        name = request.path_params["method"]
        body = (await request.body()).decode()
        await asyncio.sleep(self._faults.delays_s.get(name, 0))
        reply = self._api.answer(
            ApiRequest(
                method=name,
                content_type=request.headers.get("content-type", ""),
                authorization=request.headers.get("authorization", ""),
                body=body,
            )
        )
        return JSONResponse(reply.body, status_code=reply.status, headers=reply.headers)

    async def upload(self, request: Request) -> Response:
        """The bytes of a file."""
        kind = request.headers.get("content-type", "")
        status, line = receive_upload(self._workspace, request.path_params["ticket"], await request.body(), kind)
        return PlainTextResponse(line, status_code=status)

    async def hook(self, request: Request) -> Response:
        """A POST to a response_url."""
        body = parse_object((await request.body()).decode())
        status, word = self._hooks.post(request.path_params["token"], body)
        if status == 200:  # noqa: PLR2004 -- as the line reads
            return PlainTextResponse(word)
        return JSONResponse({"ok": False, "error": word}, status_code=status)


def application(endpoints: Endpoints, sockets: SocketMode, pages: Sequence[BaseRoute]) -> Starlette:
    """The ASGI application; `pages` are further routes beside Slack's own."""
    return Starlette(
        routes=[
            Route("/api/{method}", endpoints.call, methods=["POST"]),
            Route("/upload/v1/{ticket}", endpoints.upload, methods=["POST"]),
            Route("/hooks/{token}", endpoints.hook, methods=["POST"]),
            WebSocketRoute("/link/", sockets.serve),
            *pages,
        ]
    )
