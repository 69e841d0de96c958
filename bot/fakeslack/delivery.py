"""Deliveries to the app: a payload, the ack it gets, and the signed HTTP requests that carry it.

Socket Mode, the other transport, is in sockets.py.
"""

import hashlib
import hmac
import json
import ssl
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol
from urllib.parse import urlencode

import httpx

from bot.fakeslack.schema import Json

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
OK = 200
SIGNATURE = "X-Slack-Signature"

DISPATCH_FAILED = "dispatch_failed"
OPERATION_TIMEOUT = "operation_timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadDelivery:
    """A payload to deliver. `kind` is its type in Socket Mode, `retries` the number of earlier attempts.

    Only a delivery that `takes_payload` may be acknowledged with a body.
    """

    kind: str
    payload: Json
    takes_payload: bool = False
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The app's response. `status` is 0 without one; `error` is the code that Slack shows the person."""

    status: int
    body: Json = field(default_factory=dict)
    elapsed_s: float
    late: bool = False
    error: str | None = None


class Transport(Protocol):
    """A way to reach the app."""

    def deliver(self, delivery: PayloadDelivery) -> Ack:
        """Deliver and wait for the ack as long as Slack does."""
        ...


class NoTransport:
    """Fails every delivery at once."""

    def deliver(self, delivery: PayloadDelivery) -> Ack:  # noqa: ARG002 - as in Transport
        """Return the ack of an app that is not reachable."""
        return Ack(status=0, elapsed_s=0.0, error=DISPATCH_FAILED)


@cache
def tls() -> ssl.SSLContext:
    """The context of every HTTP client here, made once: it loads the certificates, 30 ms of CPU time."""
    return ssl.create_default_context()


class HttpTransport:
    """HTTP mode: every delivery is a signed POST to `url`, which times out after `wait_s` seconds."""

    def __init__(self, *, url: str, wait_s: float, secret: str) -> None:
        self.url = url
        self.wait_s = wait_s
        self._secret = secret
        # The app runs on this machine, so the environment's proxy settings do not apply.
        self._client = httpx.Client(trust_env=False, timeout=wait_s, verify=tls())

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def deliver(self, delivery: PayloadDelivery) -> Ack:
        """POST the payload and read the ack."""
        body, content_type = _encode_body(delivery)
        headers = self.headers(body, content_type)
        if delivery.retries:
            headers |= {"X-Slack-Retry-Num": str(delivery.retries), "X-Slack-Retry-Reason": "http_timeout"}
        started_s = time.monotonic()
        try:
            response = self.post(body, headers)
        except httpx.TimeoutException:
            elapsed_s = time.monotonic() - started_s
            return Ack(status=0, elapsed_s=elapsed_s, late=True, error=OPERATION_TIMEOUT)
        except httpx.TransportError:
            return Ack(status=0, elapsed_s=time.monotonic() - started_s, error=DISPATCH_FAILED)
        return self._read_ack(response, elapsed_s=time.monotonic() - started_s)

    def headers(self, body: str, content_type: str, *, timestamp: str | None = None) -> dict[str, str]:
        """Return the headers of a request with that body, signed for `timestamp` in Unix seconds, default now."""
        # The real time, not the workspace's clock: the app compares the timestamp with its own system time.
        timestamp = timestamp or str(int(time.time()))
        return {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            SIGNATURE: signature(self._secret, timestamp, body),
        }

    def post(self, body: str, headers: dict[str, str]) -> httpx.Response:
        """POST once. Raises httpx.TransportError."""
        return self._client.post(self.url, content=body.encode(), headers=headers)

    def _read_ack(self, response: httpx.Response, *, elapsed_s: float) -> Ack:
        if elapsed_s > self.wait_s:
            return Ack(status=response.status_code, elapsed_s=elapsed_s, late=True, error=OPERATION_TIMEOUT)
        if response.status_code != OK:
            return Ack(status=response.status_code, elapsed_s=elapsed_s, error=DISPATCH_FAILED)
        if not response.content:
            return Ack(status=OK, elapsed_s=elapsed_s)
        if not response.headers.get("content-type", "").startswith(JSON):
            return Ack(status=OK, body={"text": response.text}, elapsed_s=elapsed_s)
        body = parse_object(response.text)
        return Ack(status=OK, body=body or {}, elapsed_s=elapsed_s, error=DISPATCH_FAILED if body is None else None)


def _encode_body(delivery: PayloadDelivery) -> tuple[str, str]:
    """Return the body of the HTTP request and its content type."""
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload), FORM
    if delivery.kind == "interactive":
        return urlencode({"payload": json.dumps(delivery.payload)}), FORM
    return json.dumps(delivery.payload), JSON


def signature(secret: str, timestamp: str, body: str) -> str:
    """Return Slack's signature of a request, version v0: HMAC-SHA256 of version, timestamp and body."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()


def parse_object(text: str) -> Json | None:
    """Parse a JSON object; None for anything else. Raises RecursionError for one that is nested too deep."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
