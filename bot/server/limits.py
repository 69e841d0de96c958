"""Limits on request heads and connections, enforced before the application is called.

uvicorn waits for the end of a request's head without limit, buffers all that is sent of it, and accepts any number of
idle connections. On a public address that is enough to exhaust a process's memory or its file descriptors, which the
database and the spool need too.
"""

import asyncio
import time
from typing import Any, ClassVar

from starlette.responses import PlainTextResponse
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 5.0
"""Seconds until a request's head must be complete: from the connection, the last response, or its first byte."""
HEAD_LIMIT = 32 * 1024
"""Bytes of a request's head; Slack's have about 1,000."""
CONNECTIONS = 512
"""Connections at once. Above that, the connection that has been idle longest is closed."""

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
        self._in_head = False
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start the timer for the head; with too many connections, close the one that has been idle longest."""
        super().connection_made(transport)
        # Not loop.time(): it is the same for all connections accepted in one iteration of the loop.
        self.idle_since_s = time.monotonic()
        self._start_timer()
        if len(self.connections) > self.max_connections:
            idle = [each for each in self.connections if isinstance(each, LimitedHttpProtocol) and each.is_idle]
            min(idle, key=lambda each: each.idle_since_s or 0.0).transport.abort()

    @property
    def is_idle(self) -> bool:
        """Whether the connection waits for a request and is not being closed."""
        return self.idle_since_s is not None and not self.transport.is_closing()

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
        """Stop the timer; answer 431 to a head that arrived in one piece and exceeds the limit."""
        self._in_head = False
        self._cancel_timer()
        self.idle_since_s = None
        app = self.app
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.head_limit:
            self.app = PlainTextResponse("head too large", status_code=431, headers=_CLOSE)
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def on_response_complete(self) -> None:
        """Mark the connection idle, unless the client has already sent its next request."""
        super().on_response_complete()
        if not self.transport.is_closing() and not self.pipeline:
            self.idle_since_s = time.monotonic()

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
