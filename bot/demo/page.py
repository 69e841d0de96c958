"""The page's routes, under the token: the files it is made of, what it is told, and what people do on it."""

import asyncio
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.demo import views
from bot.demo.actions import ACTIONS
from bot.demo.demo import ROLES, Demo
from bot.demo.preview import TABS
from bot.documents.templates import TEMPLATES
from bot.errors import UsageError
from bot.fakeslack.objects import BOT_USER_ID
from bot.fakeslack.schema import Json

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class TokenGuard:
    """Lets requests to `app` that name the right token, host and origin; everything gets the strict headers.

    The host is looked at because a stranger's page may have its own name resolve to 127.0.0.1. `address` is the
    server's, `http://127.0.0.1:PORT`.
    """

    def __init__(self, app: ASGIApp, *, token: str, address: Callable[[], str], is_open: Callable[[], bool]) -> None:
        self._app = app
        self._token = token.encode()
        self._address = address
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand the request on."""

        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_strictly)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers, address = Headers(scope=scope), self._address()
        if not secrets.compare_digest(str(scope["path_params"].get("token", "")).encode(), self._token):
            return PlainTextResponse("Open the address that scribe demo printed last.\n", status_code=404)
        if headers.get("host") != address.removeprefix("http://") or headers.get("origin", address) != address:
            return PlainTextResponse(f"This page is only there at {address}\n", status_code=421)
        if not self._is_open():
            return PlainTextResponse("The demo is not there yet.\n", status_code=503)
        return None


FILES: Final = TEMPLATES / "web" / "demo"
TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
WAIT_S: Final = 20.0
"""How long a question for news waits for some."""
LOOK_S: Final = 0.03
BODY_LIMIT: Final = 1_000_000


class Page:
    """The page of one demo, at `/TOKEN/`. The demo is given once the server has an address for it."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(18)
        self.demo: Demo | None = None
        self._closing = False
        self._files = {path.name: path for path in FILES.iterdir() if path.suffix in TYPES}

    def close(self) -> None:
        """Send away whoever waits for news."""
        self._closing = True

    def routes(self, address: Callable[[], str]) -> list[Mount]:
        """The one route to put beside the stand-in's own. `address` gives the server's, which requests must name."""
        router = Router(
            [
                Route("/", self._file),
                Route("/state", self._state),
                Route("/setup", self._setup),
                Route("/document", self._document),
                Route("/picture.svg", self._picture),
                Route("/files/{id}", self._upload),
                Route("/do/{deed}", self._do, methods=["POST"]),
                Route("/{name}", self._file),
            ]
        )
        return [
            Mount(
                "/{token}", app=TokenGuard(router, token=self.token, address=address, is_open=lambda: bool(self.demo))
            )
        ]

    async def _file(self, request: Request) -> Response:
        path: Path | None = self._files.get(request.path_params.get("name", "index.html"))
        if path is None:
            return PlainTextResponse("There is no such file.", status_code=404)
        return Response(await run_in_threadpool(path.read_bytes), media_type=TYPES[path.suffix])

    async def _setup(self, _request: Request) -> Response:
        demo = self._running
        return JSONResponse(
            {
                **demo.features(),
                "bot": BOT_USER_ID,
                "roles": [{"id": demo.cast.people[role.name], "about": role.about} for role in ROLES],
                "channel": next(iter(demo.cast.channels.values())),
                "tabs": TABS,
                "prefix": demo.prefix,
                "drills": [
                    {"id": case.id, "title": case.title, "commands": len(case.script)} for case in demo.cases.values()
                ],
            }
        )

    async def _state(self, request: Request) -> Response:
        after = request.query_params.get("after")
        workspace = self._running.slack.workspace
        clock = asyncio.get_running_loop().time
        give_up_at_s = clock() + WAIT_S
        while str(workspace.version) == after and not self._closing and clock() < give_up_at_s:
            await asyncio.sleep(LOOK_S)
        if self._closing:
            return JSONResponse({"problem": "The demo is closing."}, status_code=503)
        query = request.query_params
        return await _tried(lambda: self._seen(query.get("as", ""), query.get("channel", "")))

    def _seen(self, user: str, channel: str) -> Json:
        demo = self._running
        demo.watched()
        slack, clock = demo.slack, demo.clock
        with slack.workspace.lock:
            zone = ZoneInfo(slack.workspace.users[user].zone or "UTC")
            stack = slack.workspace.views.get(user)
            seen = user in slack.workspace.members(slack.workspace.channels[channel])
            return {
                "version": slack.workspace.version,
                "clock": {
                    "now": clock().isoformat(),
                    "rate": clock.rate,
                    "until": clock.until_at and clock.until_at.isoformat(),
                },
                "people": views.people(slack.workspace),
                "channels": views.conversations(slack.workspace, user),
                "channel": channel,
                "messages": views.said(slack, channel, user) if seen else [],
                "canvases": views.canvases(slack.workspace, channel) if seen else [],
                "modal": views.view(stack[-1] if stack else None, zone),
                "home": views.view(slack.home(user), zone),
                "plugged": demo.plug.connected,
                "drill": demo.drill and demo.drill.shown(),
                "hints": demo.hints.done,
            }

    async def _document(self, request: Request) -> Response:
        query = request.query_params
        return await _tried(lambda: self._running.living.shown(query.get("channel", ""), query.get("tab", TABS[0])))

    async def _picture(self, request: Request) -> Response:
        channel = request.query_params.get("channel", "")
        drawn = await run_in_threadpool(self._running.living.picture, channel)
        if drawn is None:
            return PlainTextResponse("There is no incident yet.", status_code=404)
        return Response(drawn, media_type=TYPES[".svg"])

    async def _upload(self, request: Request) -> Response:
        wanted = request.path_params["id"]
        file = next((each for each in self._running.slack.files if each.id == wanted), None)
        if file is None:
            return PlainTextResponse("There is no such file.", status_code=404)
        kind = views.PICTURES.get(file.name.rpartition(".")[2].lower(), "application/octet-stream")
        return Response(file.content, media_type=kind, headers={"Content-Disposition": "attachment"})

    async def _do(self, request: Request) -> Response:
        deed = ACTIONS.get(request.path_params["deed"])
        if deed is None:
            return JSONResponse({"problem": "There is no such deed."}, status_code=404)
        if int(request.headers.get("content-length", BODY_LIMIT + 1)) > BODY_LIMIT:
            return JSONResponse({"problem": "That is too much at once."}, status_code=413)
        try:
            body: Any = json.loads(await request.body())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return JSONResponse({"problem": "That is no JSON object."}, status_code=400)
        return await _tried(lambda: deed(self._running, **body))

    @property
    def _running(self) -> Demo:
        if self.demo is None:
            raise RuntimeError("the gate lets nobody in before there is a demo")
        return self.demo


async def _tried(work: Callable[[], Json]) -> Response:
    """What `work` gives, done in a thread; or 400 with the reason why it cannot be done."""
    try:
        return JSONResponse(await run_in_threadpool(work))
    except ValidationError as error:
        problem = error.errors()[0]
        return JSONResponse({"problem": f"{problem['loc'][0]}: {problem['msg']}"}, status_code=400)
    except KeyError:
        return JSONResponse({"problem": "There is no such person, channel or thing here."}, status_code=400)
    except (LookupError, ValueError, UsageError) as error:
        return JSONResponse({"problem": str(error)}, status_code=400)
