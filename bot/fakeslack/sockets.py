"""Socket Mode: the stand-in's end of the WebSockets a bot opens."""

import asyncio
import itertools
import json
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from secrets import token_hex, token_urlsafe
from uuid import uuid4

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.fakeslack.delivery import DISPATCH_FAILED, OK, OPERATION_TIMEOUT, Ack, PayloadDelivery, parse_object
from bot.fakeslack.schema import Json

MAX_CONNECTIONS = 10
GOING_AWAY = 1001
POLICY_VIOLATION = 1008


@dataclass(slots=True, kw_only=True, eq=False)
class SocketConnection:
    """One open WebSocket. A `leaving` one was told to go and gets nothing more."""

    socket: WebSocket
    loop: asyncio.AbstractEventLoop
    leaving: bool = False

    def send(self, message: Json) -> None:
        """Send from any thread but the server's own, and wait until it is sent."""
        asyncio.run_coroutine_threadsafe(self.socket.send_text(json.dumps(message)), self.loop).result(5)

    def close(self) -> None:
        """Close from any thread but the server's own."""
        asyncio.run_coroutine_threadsafe(self.socket.close(GOING_AWAY), self.loop).result(5)


class SocketMode:
    """All open WebSockets; a delivery goes to one of them, in turn. `wait_s` is how long an ack may take.

    `address` is where clients are told to connect, unless that is the stand-in itself.
    """

    def __init__(self, *, app_id: str, wait_s: float = 3.0) -> None:
        self.wait_s = wait_s
        self.address = ""
        self._app_id = app_id
        self._lock = threading.Condition()
        self._tickets: set[str] = set()
        self._links: list[SocketConnection] = []
        self._turns = itertools.count()
        self._awaited: dict[str, Future[Json]] = {}

    def ticket(self) -> str:
        """A ticket that lets one connection in."""
        ticket = token_urlsafe(16)
        with self._lock:
            self._tickets.add(ticket)
        return ticket

    @property
    def links(self) -> list[SocketConnection]:
        """The connections that deliveries go to."""
        with self._lock:
            return [link for link in self._links if not link.leaving]

    async def serve(self, socket: WebSocket) -> None:
        """One connection from its handshake to its end."""
        ticket = socket.query_params.get("ticket", "")
        with self._lock:
            known = ticket in self._tickets
            self._tickets.discard(ticket)
        if not known:
            await socket.close(POLICY_VIOLATION)
            return
        await socket.accept()
        if len(self.links) >= MAX_CONNECTIONS:
            await socket.send_text(json.dumps(self._goodbye("too_many_websockets")))
            await socket.close(POLICY_VIOLATION)
            return
        link = SocketConnection(socket=socket, loop=asyncio.get_running_loop())
        await socket.send_text(json.dumps(self._hello()))
        self._add(link)
        try:
            while True:
                self._acknowledged(await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            self._remove(link)

    def deliver(self, delivery: PayloadDelivery) -> Ack:
        """Send an envelope to one of the connections and wait for its ack."""
        started_s = time.monotonic()
        links = self.links
        if not links:
            return Ack(status=0, elapsed_s=0.0, error=DISPATCH_FAILED)
        envelope_id = str(uuid4())
        awaited: Future[Json] = Future()
        self._awaited[envelope_id] = awaited
        try:
            links[next(self._turns) % len(links)].send(envelope(delivery, envelope_id))
            body = awaited.result(self.wait_s)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            elapsed_s = time.monotonic() - started_s
            return Ack(status=0, elapsed_s=elapsed_s, late=True, error=OPERATION_TIMEOUT)
        finally:
            self._awaited.pop(envelope_id, None)
        kept = body if delivery.takes_payload else {}
        return Ack(status=OK, body=kept, elapsed_s=time.monotonic() - started_s)

    def disconnect(self, reason: str, *, grace_s: float = 0.5) -> None:
        """Tell every connection to go, and close those that have not gone after `grace_s` seconds."""
        with self._lock:
            going = [link for link in self._links if not link.leaving]
            for link in going:
                link.leaving = True
        for link in going:
            link.send(self._goodbye(reason))
        with self._lock:
            self._lock.wait_for(lambda: not set(going).intersection(self._links), grace_s)
            left = [link for link in going if link in self._links]
        for link in left:
            link.close()

    def cut(self) -> None:
        """Close every connection without a word before, as a network may."""
        with self._lock:
            cut = list(self._links)
        for link in cut:
            link.leaving = True
            link.close()

    def wait_connected(self, count: int, within_s: float) -> None:
        """Wait until there are `count` connections. Raises TimeoutError after `within_s` seconds."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self.links) >= count, within_s):
                raise TimeoutError(f"{len(self.links)} of {count} connections after {within_s} s")

    def _acknowledged(self, text: str) -> None:
        ack = parse_object(text) or {}
        awaited = self._awaited.get(ack.get("envelope_id", ""))
        if awaited is not None and not awaited.done():
            awaited.set_result(ack.get("payload") or {})

    def _add(self, link: SocketConnection) -> None:
        with self._lock:
            self._links.append(link)
            self._lock.notify_all()

    def _remove(self, link: SocketConnection) -> None:
        with self._lock:
            self._links.remove(link)
            self._lock.notify_all()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.links) + 1,
            "connection_info": {"app_id": self._app_id},
            "debug_info": self._debug() | {"build_number": 1, "approximate_connection_time": 18060},
        }

    def _goodbye(self, reason: str) -> Json:
        return {"type": "disconnect", "reason": reason, "debug_info": self._debug()}

    def _debug(self) -> Json:
        return {"host": f"applink-{token_hex(2)}"}


def envelope(delivery: PayloadDelivery, envelope_id: str) -> Json:
    """A delivery as Socket Mode wraps it. Only events carry retries."""
    wrapped: Json = {
        "envelope_id": envelope_id,
        "type": delivery.kind,
        "accepts_response_payload": delivery.takes_payload,
        "payload": delivery.payload,
    }
    if delivery.kind == "events_api" or delivery.retries:
        wrapped["retry_attempt"] = delivery.retries
        wrapped["retry_reason"] = "timeout" if delivery.retries else ""
    return wrapped
