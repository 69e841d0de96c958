"""The page's routes, under its token: its files, its state as JSON, and what a person does on it."""

import asyncio
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.demo.actions import ACTIONS
from bot.demo.demo import ROLES, Demo
from bot.demo.preview import TABS
from bot.documents import markup
from bot.documents.templates import TEMPLATES
from bot.errors import UsageError
from bot.fakeslack import objects
from bot.fakeslack.objects import BOT_USER_ID
from bot.fakeslack.schema import Json
from bot.fakeslack.slack import Slack
from bot.fakeslack.workspace import Workspace
from bot.slack.manifest import manifest

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
    """Passes on to `app` the requests with the right token, host and origin; adds HEADERS to every response.

    The host is checked against DNS rebinding: a page of another site can let its own name resolve to 127.0.0.1.
    `address` returns the server's, `http://127.0.0.1:PORT`.
    """

    def __init__(self, app: ASGIApp, *, token: str, address: Callable[[], str]) -> None:
        self._app = app
        self._token = token.encode()
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers, address = Headers(scope=scope), self._address()
        if not secrets.compare_digest(str(scope["path_params"].get("token", "")).encode(), self._token):
            return PlainTextResponse("Open the address that scribe demo printed last.\n", status_code=404)
        if headers.get("host") != address.removeprefix("http://") or headers.get("origin", address) != address:
            return PlainTextResponse(f"This page is only there at {address}\n", status_code=421)
        return None


FILES: Final = TEMPLATES / "web" / "demo"
CONTENT_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
IMAGE_TYPES: Final = {"png": "image/png", "svg": "image/svg+xml", "jpg": "image/jpeg", "gif": "image/gif"}
STARTING: Final = 503
"""The status of all but the page's files until the bot runs; the page asks again."""
LONG_POLL_S: Final = 20.0
"""How long a request for the state is held open while nothing changes."""
POLL_S: Final = 0.03
MAX_BODY_BYTES: Final = 1_000_000
MAX_MESSAGES: Final = 500
PREVIEW_CHARS: Final = 20_000
"""How much of a text file, or of a canvas, the page shows."""


class Page:
    """The page of one demo, at `/TOKEN/`. Its files are served at once, the rest from when `demo` is set."""

    def __init__(self, token: str = "") -> None:
        self.token = token or secrets.token_urlsafe(18)
        self.demo: Demo | None = None
        self._closing = False
        self._files = {path.name: path for path in FILES.iterdir() if path.suffix in CONTENT_TYPES}

    def close(self) -> None:
        """End the requests that are held open."""
        self._closing = True

    def routes(self, address: Callable[[], str]) -> list[Mount]:
        """The route to mount beside the stand-in's own. `address` returns the server's, for TokenGuard."""
        router = Router(
            [
                Route("/", self._file),
                Route("/state", self._state),
                Route("/setup", self._setup),
                Route("/document", self._document),
                Route("/picture.svg", self._picture),
                Route("/files/{id}", self._upload),
                Route("/actions/{name}", self._action, methods=["POST"]),
                Route("/{name}", self._file),
            ]
        )
        guard = TokenGuard(router, token=self.token, address=address)
        return [Mount("/{token}", app=guard)]

    async def _file(self, request: Request) -> Response:
        path: Path | None = self._files.get(request.path_params.get("name", "index.html"))
        if path is None:
            return PlainTextResponse("There is no such file.", status_code=404)
        return Response(await run_in_threadpool(path.read_bytes), media_type=CONTENT_TYPES[path.suffix])

    async def _setup(self, _request: Request) -> Response:
        demo = self._running_demo
        return JSONResponse(
            {
                **demo.features(),
                "bot": BOT_USER_ID,
                "roles": [{"id": demo.ids.people[role.name], "about": role.about} for role in ROLES],
                "channel": next(iter(demo.ids.channels.values())),
                "tabs": TABS,
                "prefix": demo.prefix,
                "manifest": json.dumps(manifest(prefix=demo.prefix), indent=2, ensure_ascii=False),
                "drills": [
                    {"id": case.id, "title": case.title, "commands": len(case.script)} for case in demo.cases.values()
                ],
            }
        )

    async def _state(self, request: Request) -> Response:
        """Long polling: answers once the workspace's version differs from `after`, or after LONG_POLL_S."""
        query = request.query_params
        workspace = self._running_demo.slack.workspace
        clock = asyncio.get_running_loop().time
        deadline_s = clock() + LONG_POLL_S
        while str(workspace.version) == query.get("after") and not self._closing and clock() < deadline_s:
            await asyncio.sleep(POLL_S)
        if self._closing:
            return JSONResponse({"problem": "The demo is closing."}, status_code=410)
        return await _json(lambda: self._state_for(query.get("as", ""), query.get("channel", "")))

    def _state_for(self, user: str, channel: str) -> Json:
        demo = self._running_demo
        demo.on_view()
        slack, clock = demo.slack, demo.clock
        if slack.workspace.channels[channel].with_user == user and slack.workspace.visible(channel, user):
            demo.film.on_digest()
        with slack.workspace.lock:
            zone = ZoneInfo(slack.workspace.users[user].zone or "UTC")
            views = slack.workspace.views.get(user)
            is_member = user in slack.workspace.members(slack.workspace.channels[channel])
            return {
                "version": slack.workspace.version,
                "clock": {
                    "now": clock().isoformat(),
                    "rate": clock.rate,
                    "until": clock.until_at and clock.until_at.isoformat(),
                },
                "people": people_json(slack.workspace),
                "channels": channels_json(slack.workspace, user),
                "channel": channel,
                "messages": messages_json(slack, channel, user) if is_member else [],
                "canvases": canvases_json(slack.workspace, channel) if is_member else [],
                "modal": view_json(views[-1] if views else None, zone),
                "home": view_json(slack.home(user), zone),
                "connected": demo.bot_process.connected,
                "drill": demo.drill and demo.drill.status(),
                "steps": demo.steps(),
            }

    async def _document(self, request: Request) -> Response:
        query = request.query_params
        preview = self._running_demo.preview
        return await _json(lambda: preview.render(query.get("channel", ""), query.get("tab", TABS[0])))

    async def _picture(self, request: Request) -> Response:
        channel, tall = request.query_params.get("channel", ""), "tall" in request.query_params
        svg = await run_in_threadpool(self._running_demo.preview.picture, channel, tall=tall)
        if svg is None:
            return PlainTextResponse("There is no incident yet.", status_code=404)
        return Response(svg, media_type=CONTENT_TYPES[".svg"])

    async def _upload(self, request: Request) -> Response:
        file_id = request.path_params["id"]
        file = next((each for each in self._running_demo.slack.files if each.id == file_id), None)
        if file is None:
            return PlainTextResponse("There is no such file.", status_code=404)
        media_type = IMAGE_TYPES.get(_suffix(file), "application/octet-stream")
        return Response(file.content, media_type=media_type, headers={"Content-Disposition": "attachment"})

    async def _action(self, request: Request) -> Response:
        action = ACTIONS.get(request.path_params["name"])
        if action is None:
            return JSONResponse({"problem": "There is no such action."}, status_code=404)
        if int(request.headers.get("content-length", MAX_BODY_BYTES + 1)) > MAX_BODY_BYTES:
            return JSONResponse({"problem": "That is too much at once."}, status_code=413)
        try:
            body: Any = json.loads(await request.body())
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            return JSONResponse({"problem": "That is no JSON object."}, status_code=400)
        return await _json(lambda: action(self._running_demo, **body))

    @property
    def _running_demo(self) -> Demo:
        if self.demo is None:
            raise HTTPException(status_code=STARTING, detail="Scribe is starting.")
        return self.demo


async def _json(work: Callable[[], Json]) -> Response:
    """The result of `work`, run in a thread; status 400 with the reason when it raises for bad input."""
    try:
        return JSONResponse(await run_in_threadpool(work))
    except ValidationError as error:
        problem = error.errors()[0]
        return JSONResponse({"problem": f"{problem['loc'][0]}: {problem['msg']}"}, status_code=400)
    except KeyError:
        return JSONResponse({"problem": "There is no such person, channel or thing here."}, status_code=400)
    except RecursionError:
        return JSONResponse({"problem": "That is nested too deep."}, status_code=400)
    except (LookupError, ValueError, UsageError) as error:
        return JSONResponse({"problem": str(error)}, status_code=400)


# The page polls every part of the state again after each change, so the same texts come back many times.
@lru_cache(maxsize=512)
def _html(markdown: str) -> str:
    return markup.html(markdown)


def people_json(workspace: Workspace) -> list[Json]:
    """The users, bots included, in the order they were added."""
    now = workspace.clock()
    direct_ids = {each.with_user: each.id for each in workspace.channels.values() if each.with_user}
    return [
        _person(workspace, user, direct_ids.get(user.id), now) for user in workspace.users.values() if not user.deleted
    ]


def _person(workspace: Workspace, user: objects.User, direct: str | None, now: datetime) -> Json:
    """`direct` is the person's direct-message channel with the bot; the page counts its messages to mark new ones."""
    offset = now.astimezone(ZoneInfo(user.zone)).utcoffset() if user.zone else None
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "bot": user.is_bot,
        "zone": user.zone,
        "offset_s": int(offset.total_seconds()) if offset else 0,
        "direct": direct,
        "direct_count": 0 if direct is None else len(workspace.visible(direct, None)),
    }


def channels_json(workspace: Workspace, user: str) -> list[Json]:
    """The channels the person is in, direct messages last; `last` is the ts of the newest message they see."""
    joined = [each for each in workspace.channels.values() if user in workspace.members(each)]
    return [_channel(workspace, each, user) for each in sorted(joined, key=lambda each: each.with_user is not None)]


def _channel(workspace: Workspace, channel: objects.Channel, user: str) -> Json:
    visible = workspace.visible(channel.id, user)
    return {
        "id": channel.id,
        "name": "Scribe" if channel.with_user else channel.name,
        "direct": channel.with_user is not None,
        "private": channel.private,
        "last": visible[-1].ts if visible else "0",
        "count": len(visible),
    }


def messages_json(slack: Slack, channel: str, user: str) -> list[Json]:
    """The newest MAX_MESSAGES messages of a channel that the person sees, oldest first.

    `typed` is the command that the message is the answer to, `pinned` the id of who pinned it, if any.
    """
    typed = {
        (answer.message.channel, answer.message.ts): {
            "user": answer.user,
            "command": answer.delivery.payload["command"],
            "text": answer.delivery.payload["text"],
        }
        for answer in slack.answers
        if answer.message and answer.delivery.kind == "slash_commands"
    }
    visible = slack.workspace.visible(channel, user)[-MAX_MESSAGES:]
    zone = ZoneInfo(slack.workspace.users[user].zone or "UTC")
    pins = slack.workspace.pins
    return [
        _message(each, zone)
        | {
            "typed": typed.get((each.channel, each.ts)),
            "pinned": pins[each.channel, each.ts].user if (each.channel, each.ts) in pins else None,
        }
        for each in visible
    ]


def _message(message: objects.Message, zone: ZoneInfo) -> Json:
    return {
        "ts": message.ts,
        "channel": message.channel,
        "user": message.user,
        "bot": message.user == BOT_USER_ID,
        "text": message.text,
        # The page renders no Markdown, so markdown blocks come with their HTML.
        "blocks": [
            {**block, "html": _html(block["text"])}
            if block.get("type") == "markdown"
            else _with_local_times(block, zone)
            for block in message.blocks
        ],
        "attachments": message.attachments,
        "thread_ts": message.thread_ts,
        "private": message.ephemeral_for is not None,
        "edited": message.edited,
        "reactions": {name: list(users) for name, users in message.reactions.items()},
        "files": [_file(each) for each in message.files],
    }


def _suffix(file: objects.File) -> str:
    return file.name.rpartition(".")[2].lower()


def _file(file: objects.File) -> Json:
    about: Json = {"id": file.id, "name": file.name, "title": file.title, "size": len(file.content)}
    if _suffix(file) in IMAGE_TYPES:
        return about | {"kind": "picture"}
    text = file.content.decode(errors="replace")
    shown = text[:PREVIEW_CHARS]
    kind = {"kind": "markdown", "html": _html(shown)} if _suffix(file) == "md" else {"kind": "text"}
    return about | kind | {"text": shown, "cut": len(text) > PREVIEW_CHARS}


def canvases_json(workspace: Workspace, channel: str) -> list[Json]:
    """The canvases that are tabs of the channel."""
    return [
        {
            "id": each.id,
            "title": each.title,
            "html": _html(each.markdown[:PREVIEW_CHARS]),
            "cut": len(each.markdown) > PREVIEW_CHARS,
        }
        for each in workspace.canvases.values()
        if each.channel == channel
    ]


def view_json(view: objects.View | None, zone: ZoneInfo) -> Json | None:
    """A modal or Home tab; its datetimepickers have `initial_local`, the initial instant in the person's `zone`."""
    if view is None:
        return None
    return {
        **view.content,
        "id": view.id,
        "hash": view.hash,
        "blocks": [_with_local_times(each, zone) for each in view.blocks],
    }


def _with_local_times(part: Any, zone: ZoneInfo) -> Any:
    if isinstance(part, list):
        return [_with_local_times(each, zone) for each in part]
    if not isinstance(part, dict):
        return part
    copy = {key: _with_local_times(value, zone) for key, value in part.items()}
    if isinstance(part.get("initial_date_time"), int):
        local = datetime.fromtimestamp(part["initial_date_time"], UTC).astimezone(zone)
        copy["initial_local"] = f"{local:%Y-%m-%dT%H:%M}"
    return copy
