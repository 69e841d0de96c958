"""How long a client may take over a request, and how large its head may be, before the application hears of it.

uvicorn waits for the end of a head for ever, holds as much of it as is sent, and keeps any number of connections that
say nothing. Behind a public address that is all it takes to use up a process's memory or its files, and the database
and the spool need some of those.
"""

import asyncio
import time
from typing import Any, ClassVar

from starlette.responses import PlainTextResponse
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 5.0
"""Seconds until a request's head must be there: from the connection, the last answer, or its first byte."""
HEAD_LIMIT = 32 * 1024
"""Bytes of a head; Slack's have about 1,000."""
CONNECTIONS = 512
"""Connections at once. One more costs the one that has waited longest without a request its place."""

_CLOSE = {"connection": "close"}
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class LimitedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with an end to its patience; `of` makes one with other bounds."""

    head_s: ClassVar[float] = HEAD_S
    head_limit: ClassVar[int] = HEAD_LIMIT
    max_connections: ClassVar[int] = CONNECTIONS

    @classmethod
    def with_limits(
        cls, *, head_s: float = HEAD_S, head_limit: int = HEAD_LIMIT, max_connections: int = CONNECTIONS
    ) -> type["LimitedHttpProtocol"]:
        """The protocol with these bounds."""
        return type(
            "LimitedHttpProtocol",
            (cls,),
            {"head_s": head_s, "head_limit": head_limit, "max_connections": max_connections},
        )

    def __init__(self, *about: Any, **more: Any) -> None:
        super().__init__(*about, **more)
        # uvicorn's wait for the next request on a line that is kept.
        self.timeout_keep_alive = self.head_s  # type: ignore[assignment]  # any number does
        self._timer: asyncio.TimerHandle | None = None
        self.idle_since_s: float | None = None
        self._in_head = False
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for a head from now on, in the place of whoever waited longest if there are too many."""
        super().connection_made(transport)
        # The loop's own time stands still within a turn: many that come at once would have waited equally long.
        self.idle_since_s = time.monotonic()
        self._wait()
        if len(self.connections) > self.max_connections:
            idle = [each for each in self.connections if isinstance(each, LimitedHttpProtocol) and each.is_idle]
            min(idle, key=lambda each: each.idle_since_s or 0.0).transport.abort()

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request, and has not been given up on."""
        return self.idle_since_s is not None and not self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what was sent; more of a head than may be ends the connection."""
        goes_on = self._in_head
        super().data_received(data)
        if goes_on and self._in_head:
            # The piece it began in is not counted: that may hold the end of a body, too.
            self._head_bytes += len(data)
            if self._head_bytes > self.head_limit:
                self._end(_TOO_LARGE)
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            # An empty line between two requests, or what is left of a body nobody reads, has ended uvicorn's own wait.
            self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        if self._timer is None:
            self._wait()

    def on_headers_complete(self) -> None:
        """A head is there; one that came at once but is too large gets the same answer."""
        self._in_head = False
        self._stop_waiting()
        self.idle_since_s = None
        usual = self.app
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.head_limit:
            self.app = PlainTextResponse("head too large", status_code=431, headers=_CLOSE)
        try:
            super().on_headers_complete()
        finally:
            self.app = usual

    def on_response_complete(self) -> None:
        """The connection waits for its next request, if it has one."""
        super().on_response_complete()
        if not self.transport.is_closing() and not self.pipeline:
            self.idle_since_s = time.monotonic()

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.head_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        self._end(_TOO_SLOW if self._in_head else b"")

    def _end(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            if answer:
                self.transport.write(answer)
            self.transport.close()
