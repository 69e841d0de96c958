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
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.config import Settings
from bot.server.limits import SIGNED
from bot.server.supervisor import Workers
from bot.slack.bot import Bot
from bot.slack.inbound.payloads import UNREADABLE, bolt_request
from bot.slack.members import MAX_WAITING
from bot.telemetry.context import measured_dispatch

PATH = "/slack/events"
WORKERS = 2 * MAX_WAITING
"""Requests handled at the same time; further ones wait for a thread. At most half of them wait for Slack."""
BODY_LIMIT = 1_000_000
"""Bytes of a request's body; Slack's largest, a form with its view, is far below."""
BODY_S = 5.0
"""Seconds within which a body must arrive; Slack itself gives up after 3."""
_LENGTH_DIGITS = 20
"""Digits of a Content-Length that are parsed: Python raises ValueError beyond 4,300."""
_CLOSE = {"connection": "close"}
"""The rest of a rejected body is not read, and who signs wrongly is not Slack: the connection is not used again."""
_log = logging.getLogger(__name__)


def application(bot: Bot, settings: Settings, *, routes: Sequence[BaseRoute] = (), body_s: float = BODY_S) -> ASGIApp:
    """The web application that answers Slack for the bot. `routes` are further ones, such as the probes."""
    return Starlette(routes=[Route(PATH, Events(bot, settings, body_s=body_s), methods=["POST"]), *routes])


class RefusedError(Exception):
    """A request that is not read to its end, or not Slack's. The connection is not used again."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


class Events:
    """The endpoint as an ASGI application: Starlette's request and response would cost as much as the reading."""

    def __init__(self, bot: Bot, settings: Settings, *, body_s: float = BODY_S) -> None:
        self._metrics = bot.context.metrics
        self._verifier = SignatureVerifier(settings.signing_secret.get_secret_value())
        self._body_s = body_s
        # Bolt blocks, so it runs in threads.
        answering = measured_dispatch(self._metrics, partial(_answer, bot.app))
        self._workers = Workers(answering, WORKERS, name="request", supervisor=bot.supervisor)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, then count and log it."""
        received_s = time.perf_counter()
        headers = _headers(scope)
        try:
            text = self._signed(await _body(headers, receive, within_s=self._body_s), headers)
        except RefusedError as error:
            await PlainTextResponse(str(error), error.status, _CLOSE)(scope, receive, send)
            return
        scope["state"][SIGNED] = True
        (status, content, reply_headers), tell = await self._workers.call(text, headers)
        seconds = time.perf_counter() - received_s
        body = content.encode()
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    *((name.encode("latin-1"), value.encode("latin-1")) for name, value in reply_headers.items()),
                    (b"content-length", b"%d" % len(body)),
                ],
            }
        )
        await send({"type": "http.response.body", "body": body})
        tell()
        self._metrics.acked("http", seconds)

    def _signed(self, body: bytes, headers: Mapping[str, str]) -> str:
        """The body as text. Raises RefusedError unless its signature is right and at most five minutes old.

        Source of the rule: Slack, "Verifying requests from Slack".
        """
        timestamp, signature = headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature")
        try:
            text = body.decode()
            if self._verifier.is_valid(text, timestamp, signature):
                return text
        except (ValueError, TypeError):
            # A body that is not UTF-8, a timestamp that is no number, or a signature with characters outside ASCII.
            pass
        raise RefusedError(401, "not signed by Slack")


async def _body(headers: Mapping[str, str], receive: Receive, *, within_s: float) -> bytes:
    """The body. Raises RefusedError for one that is too large, too slow or cut off, without reading the rest."""
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:_LENGTH_DIGITS]) > BODY_LIMIT:
        raise RefusedError(413, "too large")
    pieces = bytearray()
    try:
        async with asyncio.timeout(within_s):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    # The client is gone, so this answer reaches no one.
                    raise RefusedError(400, "cut off")
                pieces += message.get("body", b"")
                if len(pieces) > BODY_LIMIT:
                    raise RefusedError(413, "too large")
                more = message.get("more_body", False)
    except TimeoutError:
        raise RefusedError(408, "too slow") from None
    return bytes(pieces)


def _headers(scope: Scope) -> dict[str, str]:
    """The headers by lower-case name; the values of a repeated one are joined by commas, as in RFC 9110.

    So two signatures become one invalid signature, and neither takes precedence.
    """
    headers: dict[str, str] = {}
    for name, value in ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]):
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


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
