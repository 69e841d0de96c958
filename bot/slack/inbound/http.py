"""Slack's HTTP endpoint: reads the request within limits, verifies its signature, and lets Bolt answer it."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from slack_bolt import App
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.config import Settings
from bot.server.limits import SIGNED
from bot.slack.bot import Bot
from bot.slack.inbound.payloads import UNREADABLE, bolt_request
from bot.telemetry.context import ContextThreadPool, measured_dispatch

WORKERS = 16
"""Requests handled at the same time; further ones wait for a thread."""
BODY_LIMIT = 1_000_000
"""Bytes of a request's body; Slack's largest, a form with its view, is far below."""
BODY_S = 5.0
"""Seconds within which a body must arrive; Slack itself gives up after 3."""
_LENGTH_DIGITS = 20
"""Digits of a Content-Length that are parsed: Python raises ValueError beyond 4,300."""
_CLOSE = {"connection": "close"}
"""The rest of a rejected body is not read, and who signs wrongly is not Slack: the connection is not used again."""
_log = logging.getLogger(__name__)


def application(bot: Bot, settings: Settings, *, routes: Sequence[BaseRoute] = (), body_s: float = BODY_S) -> Starlette:
    """The web application that answers Slack for the bot. `routes` are further ones, such as the probes."""
    workers = ContextThreadPool(WORKERS, thread_name_prefix="request")
    metrics = bot.context.metrics
    answering = measured_dispatch(metrics, partial(_answer, bot.app))
    verifier = SignatureVerifier(settings.signing_secret.get_secret_value())

    async def events(request: Request) -> Response:
        received_s = time.perf_counter()
        body = await _body(request, within_s=body_s)
        headers = _headers(request)
        if not _is_signed(verifier, body, headers):
            return PlainTextResponse("not signed by Slack", status_code=401, headers=_CLOSE)
        setattr(request.state, SIGNED, True)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return PlainTextResponse("not UTF-8", status_code=400)
        # Bolt blocks, so it runs in a thread. With 16 requests at once this pool costs half of Starlette's own.
        answer = asyncio.get_running_loop().run_in_executor(workers, answering, text, headers)
        (status, content, reply_headers), tell = await answer
        seconds = time.perf_counter() - received_s

        async def afterwards() -> None:
            tell()
            metrics.acked("http", seconds)

        return Response(content, status, reply_headers, background=BackgroundTask(afterwards))

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"]), *routes])


async def _body(request: Request, *, within_s: float) -> bytes:
    """The body. Raises HTTPException for one that is too large, too slow or cut off, without reading the rest."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:_LENGTH_DIGITS]) > BODY_LIMIT:
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
        # The client is gone, so this answer reaches no one; it only keeps a traceback out of the log.
        raise HTTPException(400, "cut off", _CLOSE) from None
    return bytes(pieces)


def _headers(request: Request) -> dict[str, str]:
    """The headers by lower-case name; the values of a repeated one are joined by commas, as in RFC 9110.

    So two signatures become one invalid signature, and neither takes precedence.
    """
    values: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        values.setdefault(name, []).append(value)
    return {name: ", ".join(each) for name, each in values.items()}


def _is_signed(verifier: SignatureVerifier, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the signature matches the body and is at most five minutes old.

    Source of the rule: Slack, "Verifying requests from Slack".
    """
    try:
        return verifier.is_valid_request(body, dict(headers))
    except (ValueError, TypeError):
        # A timestamp that is no number, or a signature with characters outside ASCII.
        return False


def _answer(app: App, body: str, headers: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
    """Bolt's answer to a verified request, as (status, body, headers).

    A body that is not readable is answered with 400, and no part of it appears in the answer or in the log.
    """
    try:
        response = app.dispatch(bolt_request(_unambiguous(body), headers=dict(headers)))
    except UNREADABLE as error:
        # Bolt answers exceptions of listeners itself; this one is from parsing the body.
        _log.warning("request not readable: %s", type(error).__name__)
        return 400, "not readable", {"content-type": "text/plain"}
    flat = {name: values[0] for name, values in response.headers.items()}
    content: Any = response.body
    return response.status, content if isinstance(content, str) else json.dumps(content), flat


def _unambiguous(body: str) -> str:
    """The body, as JSON where Bolt would misread the form: it takes any that contains `payload` for an interaction.

    Without this, `/note payload too large` reaches no listener.
    """
    if "payload" not in body or body.startswith("{"):
        return body
    form = dict(parse_qsl(body, keep_blank_values=True))
    return body if "payload" in form else json.dumps(form)
