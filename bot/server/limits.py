"""Limits on request heads and connections, enforced before the application is called.

uvicorn waits for the end of a request's head without limit, buffers all that is sent of it, and accepts any number of
idle connections. On a public address that is enough to exhaust a process's memory or its file descriptors, which the
database and the spool need too. Of a request whose head does not look signed, no body is read.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.responses import PlainTextResponse
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 5.0
"""Seconds until a request's head must be complete: from the connection, the last response, or its first byte."""
HEAD_LIMIT = 32 * 1024
"""Bytes of a request's head; Slack's have about 1,000."""
CONNECTIONS = 512
"""Connections at once. Above that one is closed, by preference one over which no signed request ever came."""
SIGNED_WITHIN_S = 300
"""Seconds by which a request's time may differ from the clock (Slack, "Verifying requests from Slack")."""

SIGNED = "signed"
"""The name under which the application notes, in a request's state, that its signature is right."""
_SIGNATURE, _TIMESTAMP = b"x-slack-signature", b"x-slack-request-timestamp"
_SIGNATURE_SHAPE = re.compile(rb"v0=[0-9a-f]{64}")
_TIMESTAMP_SHAPE = re.compile(rb"[0-9]{1,15}")
_TOKEN_IN_PATH = b"/hooks/"
_READS = frozenset({b"GET", b"HEAD"})
_CLOSE = {"connection": "close"}
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class LimitedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits on time, size and number; `with_limits` returns a class with other limits."""

    head_s: ClassVar[float] = HEAD_S
    head_limit: ClassVar[int] = HEAD_LIMIT
    max_connections: ClassVar[int] = CONNECTIONS

    @classmethod
    def with_limits(
        cls, *, head_s: float = HEAD_S, head_limit: int = HEAD_LIMIT, max_connections: int = CONNECTIONS
    ) -> type["LimitedHttpProtocol"]:
        """A subclass with these limits; uvicorn creates the instances itself, one a connection."""
        limits = {"head_s": head_s, "head_limit": head_limit, "max_connections": max_connections}
        return type("LimitedHttpProtocol", (cls,), limits)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn's limit between two requests of one connection.
        self.timeout_keep_alive = self.head_s  # type: ignore[assignment]  # declared int, used as any number
        self._timer: asyncio.TimerHandle | None = None
        self.idle_since_s: float | None = None
        self.began_s = 0.0
        self.is_slacks = False
        self._in_head = False
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start the timer for the head; with too many connections, close the one that can best be spared."""
        super().connection_made(transport)
        # Not loop.time(): it is the same for all connections accepted in one iteration of the loop.
        self.idle_since_s = self.began_s = time.monotonic()
        self._start_timer()
        if len(self.connections) > self.max_connections:
            self._make_room()

    def _make_room(self) -> None:
        """Close one connection: one over which no signed request ever came, though one may be arriving slowly.

        Of these, the oldest of the address that has most; of the others, Slack's, the one that has been idle longest.
        """
        others = [each for each in self.connections if isinstance(each, LimitedHttpProtocol) and each is not self]
        spared = [each for each in others if each.can_be_spared] or [self]
        held = Counter(each.address for each in spared if not each.is_slacks)

        def rank(each: "LimitedHttpProtocol") -> tuple[bool, int, float]:
            return each.is_slacks, -held[each.address], each.idle_since_s or each.began_s

        min(spared, key=rank).transport.abort()

    @property
    def can_be_spared(self) -> bool:
        """Whether no complete request is being answered on the connection, and it is not being closed."""
        arriving = self.cycle is None or self.cycle.more_body
        return (self.idle_since_s is not None or arriving) and not self.transport.is_closing()

    @property
    def address(self) -> str:
        """The client's address, without its port."""
        return self.client[0] if self.client else ""

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timer."""
        self._cancel_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data; answer 431 when a head that spans several pieces exceeds the limit."""
        was_in_head = self._in_head
        super().data_received(data)
        if was_in_head and self._in_head:
            # The piece in which the head begins is not counted: it may hold the end of the previous request's body.
            self._head_bytes += len(data)
            if self._head_bytes > self.head_limit:
                self._close(_TOO_LARGE)
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            # uvicorn cancels its own keep-alive timer for any data, also for an empty line or a body that was not read.
            self._start_timer()

    def on_message_begin(self) -> None:
        """Start the timer for a head that follows on a kept connection."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        if self._timer is None:
            self._start_timer()

    def on_headers_complete(self) -> None:
        """Stop the timer; answer 401 to what does not look signed, and 431 to a head that exceeds the limit.

        Both answers are given without the body, of which the rest is not read.
        """
        self._in_head = False
        self._cancel_timer()
        self.idle_since_s = None
        app = self.app
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.head_limit:
            self.app = PlainTextResponse("head too large", status_code=431, headers=_CLOSE)
        elif not (self._may_be_unsigned() or _looks_signed(dict(self.headers), time.time())):
            self.app = PlainTextResponse("not signed by Slack", status_code=401, headers=_CLOSE)
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def _may_be_unsigned(self) -> bool:
        """Whether the request needs no signature of Slack's: it reads, or it has a token in its path, checked there."""
        return self.parser.get_method() in _READS or self.url.startswith(_TOKEN_IN_PATH)

    def on_response_complete(self) -> None:
        """Mark the connection idle, unless the client has already sent its next request."""
        super().on_response_complete()
        if not self.transport.is_closing() and not self.pipeline:
            self.idle_since_s = time.monotonic()
            self.is_slacks = self.is_slacks or SIGNED in self.cycle.scope["state"]

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.head_s, self._time_out)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_out(self) -> None:
        self._timer = None
        self._close(_TOO_SLOW if self._in_head else b"")

    def _close(self, response: bytes) -> None:
        if not self.transport.is_closing():
            if response:
                self.transport.write(response)
            self.transport.close()


def _looks_signed(headers: Mapping[bytes, bytes], now_s: float) -> bool:
    """Whether the head has a signature of Slack's shape and of now; whether it is right shows with the body."""
    signature, timestamp = headers.get(_SIGNATURE, b""), headers.get(_TIMESTAMP, b"")
    if not _SIGNATURE_SHAPE.fullmatch(signature) or not _TIMESTAMP_SHAPE.fullmatch(timestamp):
        return False
    return abs(now_s - int(timestamp)) <= SIGNED_WITHIN_S
