"""What Slack sends to an app, and the signed POST that carries it."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
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
    """One thing to deliver. `kind` is Socket Mode's word for it; `retries` is how often it was sent."""

    kind: str
    payload: Json
    takes_payload: bool = False
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """What came back. `status` is 0 when nothing did; `error` is what Slack would tell the person."""

    status: int
    body: Json = field(default_factory=dict)
    elapsed_s: float
    late: bool = False
    error: str | None = None


class Transport(Protocol):
    """A way to reach the bot."""

    def deliver(self, delivery: PayloadDelivery) -> Ack:
        """Bring it there and wait for the ack, as long as Slack would."""
        ...


class NoTransport:
    """A way that leads nowhere: every delivery fails at once."""

    def deliver(self, delivery: PayloadDelivery) -> Ack:  # noqa: ARG002 - a courier's
        """Bring it nowhere."""
        return Ack(status=0, elapsed_s=0.0, error=DISPATCH_FAILED)


def signature(secret: str, timestamp: str, body: str) -> str:
    """Slack's signature of a request, version 0."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()


class HttpTransport:
    """HTTP mode: every delivery is a signed POST to `url`, given up after `wait_s` seconds."""

    def __init__(self, *, url: str, wait_s: float, secret: str) -> None:
        self.url = url
        self.wait_s = wait_s
        self._secret = secret
        # The machine's proxy settings are not for a server on the same machine.
        self._client = httpx.Client(trust_env=False, timeout=wait_s)

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def deliver(self, delivery: PayloadDelivery) -> Ack:
        """POST it and read the ack."""
        body, content_type = encode_body(delivery)
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
        return self._read(response, elapsed_s=time.monotonic() - started_s)

    def headers(self, body: str, content_type: str, *, timestamp: str | None = None) -> dict[str, str]:
        """The headers of a request with that body, signed for `timestamp` in Unix seconds, or for now."""
        # Real time, never the workspace's clock: the bot compares it with its own.
        timestamp = timestamp or str(int(time.time()))
        return {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            SIGNATURE: signature(self._secret, timestamp, body),
        }

    def post(self, body: str, headers: dict[str, str]) -> httpx.Response:
        """One POST. Raises httpx.TransportError."""
        return self._client.post(self.url, content=body.encode(), headers=headers)

    def _read(self, response: httpx.Response, *, elapsed_s: float) -> Ack:
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


def encode_body(delivery: PayloadDelivery) -> tuple[str, str]:
    """The body of a delivery over HTTP and its content type."""
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload), FORM
    if delivery.kind == "interactive":
        return urlencode({"payload": json.dumps(delivery.payload)}), FORM
    return json.dumps(delivery.payload), JSON


def parse_object(text: str) -> Json | None:
    """The JSON object that `text` is, or None."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
