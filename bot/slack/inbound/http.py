"""Slack's HTTP endpoint: the request is read, its signature checked, and Bolt answers it."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from slack_bolt import App, BoltRequest
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.config import Settings
from bot.slack.bot import Bot
from bot.telemetry.context import measured_dispatch

_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
_log = logging.getLogger(__name__)


WORKERS = 16
"""Requests at work at the same time; the others wait for their turn."""
BODY_LIMIT = 1_000_000
"""Bytes of a request; Slack's largest, a form with its view, is far below."""
BODY_S = 5.0
"""Seconds until a request's body must be there; Slack itself gives up after 3."""

_LONGEST = 20

# The rest of such a body is not read, so the connection cannot be used again.
_CLOSE = {"connection": "close"}


def application(bot: Bot, settings: Settings, *, routes: Sequence[BaseRoute] = (), body_s: float = BODY_S) -> Starlette:
    """The web application that answers Slack for the bot. `routes` are further ones, such as the probes."""
    workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="request")
    metrics = bot.context.metrics
    answering = measured_dispatch(metrics, partial(_answer, bot.app))
    verifier = SignatureVerifier(settings.signing_secret.get_secret_value())

    async def events(request: Request) -> Response:
        received_s = time.perf_counter()
        body = await _body(request, within_s=body_s)
        headers = _headers(request)
        if not _is_signed(verifier, body, headers):
            return PlainTextResponse("not signed by Slack", status_code=401)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return PlainTextResponse("not UTF-8", status_code=400)
        # Bolt blocks, so it gets a thread. With 16 requests at once this pool costs half of Starlette's own.
        answer = asyncio.get_running_loop().run_in_executor(workers, answering, text, headers)
        (status, content, reply_headers), tell = await answer
        seconds = time.perf_counter() - received_s

        async def afterwards() -> None:
            tell()
            metrics.acked("http", seconds)

        return Response(content, status, reply_headers, background=BackgroundTask(afterwards))

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"]), *routes])


def _is_signed(verifier: SignatureVerifier, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the request is Slack's: the signature over its body is right and at most five minutes old.

    Source of the rule: Slack, "Verifying requests from Slack".
    """
    try:
        return verifier.is_valid_request(body, dict(headers))
    except (ValueError, TypeError):
        # A timestamp that is no number; a signature with letters outside of ASCII.
        return False


def _answer(app: App, body: str, headers: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
    """Hand a verified request to Bolt; gives (status, body, headers) of the answer.

    A body that is not what Slack sends is answered with 400, and nothing of it is repeated or logged.
    """
    try:
        response = app.dispatch(BoltRequest(body=_plain_form(body), headers=dict(headers)))
    except _UNREADABLE as error:
        # What goes wrong in a listener, Bolt answers itself; this is a body that is no JSON or not of Slack's shape.
        _log.warning("request not readable: %s", type(error).__name__)
        return 400, "not readable", {"content-type": "text/plain"}
    flat = {name: values[0] for name, values in response.headers.items()}
    content: Any = response.body
    return response.status, content if isinstance(content, str) else json.dumps(content), flat


def _plain_form(body: str) -> str:
    """The body in a form that Bolt reads: it takes any form with the word `payload` in it for an interaction's.

    Without this, `/note payload too large` would not reach a listener.
    """
    if "payload" not in body or body.startswith("{"):
        return body
    form = dict(parse_qsl(body, keep_blank_values=True))
    return body if "payload" in form else json.dumps(form)


async def _body(request: Request, *, within_s: float) -> bytes:
    """The body. Raises HTTPException as soon as it is known to be too large, too slow or not to come."""
    if _length(request) > BODY_LIMIT:
        raise HTTPException(413, "too large", _CLOSE)
    pieces = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for piece in request.stream():
                pieces += piece
                if len(pieces) > BODY_LIMIT:
                    raise HTTPException(413, "too large", _CLOSE)
    except TimeoutError:
        raise HTTPException(408, "too slow", _CLOSE) from None
    except ClientDisconnect:
        # Nobody reads that, and nobody has to read of it in the log.
        raise HTTPException(400, "cut off", _CLOSE) from None
    return bytes(pieces)


def _length(request: Request) -> int:
    """The length the body will have by its own account; 0 where it gives none."""
    said = request.headers.get("content-length", "")
    return int(said[:_LONGEST]) if said.isascii() and said.isdigit() else 0


def _headers(request: Request) -> dict[str, str]:
    """The headers by their names in small letters; one sent twice is one with both values, as HTTP has it.

    So of two signatures neither is looked for first: together they are none.
    """
    together: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        together.setdefault(name, []).append(value)
    return {name: ", ".join(values) for name, values in together.items()}
