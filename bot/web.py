"""The HTTP face: Slack's endpoint."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.tally import SILENT, Tally
from bot.watching import watching

Dispatch = Callable[[str, Mapping[str, str]], tuple[int, str, dict[str, str]]]
Verify = Callable[[bytes, Mapping[str, str]], bool]

WORKERS = 16
"""Requests at work at the same time; the others wait for their turn."""
BODY_LIMIT = 1_000_000
"""Bytes of a request; Slack's largest, a form with its view, is far below."""


def application(
    dispatch: Dispatch, verify: Verify, *, tally: Tally = SILENT, routes: Sequence[BaseRoute] = ()
) -> Starlette:
    """The web application. `dispatch` answers what `verify` says is Slack's; it blocks, so it gets a thread.

    `routes` are further ones, such as the probes.
    """
    workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="request")
    answering = watching(tally, dispatch)

    async def events(request: Request) -> Response:
        received_s = time.perf_counter()
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
        answer = asyncio.get_running_loop().run_in_executor(workers, answering, text, headers)
        (status, content, reply_headers), tell = await answer
        seconds = time.perf_counter() - received_s

        async def afterwards() -> None:
            tell()
            tally.acked("http", seconds)

        return Response(content, status, reply_headers, background=BackgroundTask(afterwards))

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"]), *routes])


async def _body(request: Request) -> bytes | None:
    """The body, or None as soon as it is known to be too large."""
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > BODY_LIMIT:
            return None
    return bytes(pieces)
