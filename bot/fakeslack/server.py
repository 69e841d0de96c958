"""The stand-in's HTTP face: Web API, uploads, response_urls, Socket Mode."""

import asyncio
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from bot.fakeslack import web_api
from bot.fakeslack.delivery import parse_object
from bot.fakeslack.faults import Faults
from bot.fakeslack.files import receive_upload
from bot.fakeslack.interactivity import ResponseUrls
from bot.fakeslack.sockets import SocketMode
from bot.fakeslack.web_api import WebApi
from bot.fakeslack.workspace import Workspace


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
            web_api.ApiRequest(
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
