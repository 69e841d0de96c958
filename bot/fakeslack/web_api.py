"""The Web API's one entry: token, scope, arguments, work, answer."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from bot.fakeslack.arguments import COMMON_ARGUMENTS, ApiError
from bot.fakeslack.context import MethodContext
from bot.fakeslack.delivery import parse_object
from bot.fakeslack.faults import TOO_MANY_REQUESTS, Fault, Faults
from bot.fakeslack.methods import METHODS, Method
from bot.fakeslack.objects import Call
from bot.fakeslack.schema import Json


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
