"""The load: whole requests over connections that stay open, sent and timed by one thread."""

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

LIMIT_S = 30.0
"""A lap that takes longer has gone wrong."""
_PIECE = 65536


class UnansweredError(Exception):
    """A request was refused, or not answered in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """What some requests took: each, and all together, in seconds; and of the server's CPU time, if that was read."""

    each_s: tuple[float, ...]
    all_s: float
    cpu_s: float = 0.0


@dataclass(slots=True)
class _Connection:
    """One keep-alive connection with at most one request under way, counted from `begun_at_s`."""

    socket: socket.socket
    begun_at_s: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes, begun_at_s: float) -> None:
        self.begun_at_s = begun_at_s
        self.received.clear()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what there is; True once the answer is whole. Raises UnansweredError unless it is a public receipt."""
        piece = self.socket.recv(_PIECE)
        if not piece:
            raise UnansweredError(f"connection closed after {bytes(self.received)!r}")
        self.received += piece
        head, end, body = bytes(self.received).partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return False
        if b" 200 " not in head.split(b"\r\n", 1)[0] or b"response_type" not in body:
            raise UnansweredError(bytes(self.received).decode())
        return True


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])


def back_to_back(port: int, requests: Sequence[bytes], *, connections: int) -> Lap:
    """Every connection sends its next request as soon as it has an answer."""
    return _drive(port, requests, connections, [0.0] * len(requests))


def steady(
    port: int, requests: Sequence[bytes], *, per_second: float, connections: int = 32, limit_s: float = LIMIT_S
) -> Lap:
    """Requests at fixed instants, however slow the answers; each is counted from the instant it was due."""
    return _drive(port, requests, connections, [(n + 1) / per_second for n in range(len(requests))], limit_s)


def _drive(
    port: int, requests: Sequence[bytes], connections: int, after_s: Sequence[float], limit_s: float = LIMIT_S
) -> Lap:
    """Send each request so many seconds after the start; 0 means at once, and counts from when it was sent."""
    each_s: list[float] = []
    with _connected(port, connections) as (idle, selector):
        start_s = time.perf_counter()
        due_s = (start_s + seconds if seconds else 0.0 for seconds in after_s)
        waiting = deque(zip(due_s, requests, strict=True))
        while len(each_s) < len(requests):
            _send_due(waiting, idle)
            for key, _ in selector.select(_pause_s(waiting, idle)):
                connection: _Connection = key.data
                if connection.receive():
                    each_s.append(time.perf_counter() - connection.begun_at_s)
                    idle.append(connection)
            if time.perf_counter() - start_s > limit_s:
                raise UnansweredError(f"{len(requests) - len(each_s)} requests not answered in {limit_s} s")
        return Lap(each_s=tuple(each_s), all_s=time.perf_counter() - start_s)


def _send_due(waiting: deque[tuple[float, bytes]], idle: deque[_Connection]) -> None:
    while waiting and idle and waiting[0][0] <= time.perf_counter():
        due_s, request = waiting.popleft()
        idle.popleft().send(request, due_s or time.perf_counter())


def _pause_s(waiting: deque[tuple[float, bytes]], idle: deque[_Connection]) -> float:
    return max(0.0, waiting[0][0] - time.perf_counter()) if waiting and idle else 1.0


@contextmanager
def _connected(port: int, n: int) -> Iterator[tuple[deque[_Connection], selectors.BaseSelector]]:
    # `select` keeps microseconds where `epoll` rounds a pause up to the next millisecond.
    with ExitStack() as stack, selectors.SelectSelector() as selector:
        connections = deque[_Connection]()
        for _ in range(n):
            opened = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections.append(_Connection(opened))
            selector.register(opened, selectors.EVENT_READ, connections[-1])
        yield connections, selector
