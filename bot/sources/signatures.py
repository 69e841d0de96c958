"""Vendors' signatures: whether a body was signed with a secret, in constant time."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta

from bot.sources.source import Headers, SignatureProblem

WITHIN = timedelta(minutes=5)
"""How old a signed time may be, and how far ahead. Source: Standard Webhooks; the others sign no time."""
_WRONG = "the signature in {header} is not made with this secret"


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).digest()


def _is_any(expected: str, given: list[str]) -> bool:
    # All are compared, whichever is right.
    return sum(hmac.compare_digest(expected.encode(), each.encode()) for each in given) > 0


def hmac_hex(header: str, *, prefix: str = "") -> SignatureProblem:
    """The body's HMAC-SHA256 in hexadecimal, in that header after the prefix; one of several is enough."""

    def problem(secret: str, body: bytes, headers: Headers, _now: datetime) -> str | None:
        signed = headers.get(header)
        if not signed:
            return f"the header {header} is missing: the source does not sign"
        given = [each.strip().removeprefix(prefix) for each in signed.split(",") if each.strip().startswith(prefix)]
        return None if _is_any(_mac(secret.encode(), body).hex(), given) else _WRONG.format(header=header)

    return problem


def shared_token(header: str) -> SignatureProblem:
    """The secret itself, in that header."""

    def problem(secret: str, _body: bytes, headers: Headers, _now: datetime) -> str | None:
        given = headers.get(header, "")
        return None if _is_any(secret, [given]) else f"the header {header} does not hold this secret"

    return problem


def timestamped_hmac(header: str, timestamp: str) -> SignatureProblem:
    """As `hmac_hex`; where the header `timestamp` is sent, of that time, a colon and the body."""
    plain = hmac_hex(header)

    def problem(secret: str, body: bytes, headers: Headers, now: datetime) -> str | None:
        at = headers.get(timestamp)
        if at is None:
            return plain(secret, body, headers, now)
        return _late(at, now, timestamp) or plain(secret, at.encode() + b":" + body, headers, now)

    return problem


def _late(at: str, now: datetime, header: str) -> str | None:
    is_number = at.isascii() and at.isdigit() and len(at) <= 15  # noqa: PLR2004 - digits that are surely a time
    if not is_number or abs(now.timestamp() - int(at)) > WITHIN.total_seconds():
        return f"the time in {header} is not within five minutes of now: look at the clocks"
    return None


def standard_webhooks(secret: str, body: bytes, headers: Headers, now: datetime) -> str | None:
    """The signature of the Standard Webhooks specification: base64 of HMAC-SHA256 of id, time and body, after `v1,`."""
    sent = [headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature")]
    if None in sent:
        return "the headers webhook-id, webhook-timestamp and webhook-signature are missing: the source does not sign"
    message_id, at, signature = map(str, sent)
    if late := _late(at, now, "webhook-timestamp"):
        return late
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return "the secret in SCRIBE_HOOKS_SIGNED is none of Standard Webhooks: whsec_ and base64"
    expected = base64.b64encode(_mac(key, f"{message_id}.{at}.".encode() + body)).decode()
    given = [each.removeprefix("v1,") for each in signature.split() if each.startswith("v1,")]
    return None if _is_any(expected, given) else _WRONG.format(header="webhook-signature")
