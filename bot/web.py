"""The HTTP face: Slack's endpoint and health."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

Dispatch = Callable[[str, Mapping[str, str]], tuple[int, str, dict[str, str]]]
Verify = Callable[[bytes, Mapping[str, str]], bool]

WORKERS = 16
"""Requests at work at the same time; the others wait for their turn."""
BODY_LIMIT = 1_000_000
"""Bytes of a request; Slack's largest, a form with its view, is far below."""


def application(dispatch: Dispatch, verify: Verify) -> Starlette:
    """The web application. `dispatch` answers what `verify` says is Slack's; it blocks, so it gets a thread."""
    workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="request")

    async def events(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return PlainTextResponse("too large", status_code=413)
        headers = dict(request.headers)
        if not verify(body, headers):
            return PlainTextResponse("not signed by Slack", status_code=401)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return PlainTextResponse("not UTF-8", status_code=400)
        # With 16 requests at once the hop costs half of what it does through Starlette's own thread pool.
        answer = asyncio.get_running_loop().run_in_executor(workers, dispatch, text, headers)
        status, content, reply_headers = await answer
        return Response(content, status_code=status, headers=reply_headers)

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"ok": True})

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"]), Route("/healthz", healthz)])


async def _body(request: Request) -> bytes | None:
    """The body, or None as soon as it is known to be too large."""
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > BODY_LIMIT:
            return None
    return bytes(pieces)
