"""Socket Mode: the server end of the WebSockets that an app opens.

Source: Slack's guide to Socket Mode, whose limit is ten connections for an app.
"""

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
from bot.fakeslack.objects import APP_ID
from bot.fakeslack.schema import Json

MAX_CONNECTIONS = 10
MAX_ACK_BYTES = 20_000
"""The JSON of an ack with more is lost; Slack does not document it, and apps report about this size."""
SEND_TIMEOUT_S = 5
GOING_AWAY = 1001
POLICY_VIOLATION = 1008


@dataclass(slots=True, kw_only=True, eq=False)
class SocketConnection:
    """One open WebSocket. A `leaving` one was asked to disconnect and gets no more deliveries.

    Its methods block; call them from any thread except the server's own.
    """

    socket: WebSocket
    loop: asyncio.AbstractEventLoop
    leaving: bool = False

    def send(self, message: Json) -> None:
        """Send a message and wait until it is sent."""
        asyncio.run_coroutine_threadsafe(self.socket.send_text(json.dumps(message)), self.loop).result(SEND_TIMEOUT_S)

    def close(self) -> None:
        """Close the WebSocket."""
        asyncio.run_coroutine_threadsafe(self.socket.close(GOING_AWAY), self.loop).result(SEND_TIMEOUT_S)


class SocketMode:
    """All open WebSockets; deliveries go to them round-robin, and each waits `wait_s` seconds for its ack.

    `address` is the base URL that clients connect to, if they reach this server through a proxy.
    """

    def __init__(self, *, wait_s: float = 3.0) -> None:
        self.wait_s = wait_s
        self.address = ""
        self.turns_away = ""
        """The reason for which each connection is asked to disconnect as soon as it is open; empty for none."""
        self.acks: list[str] = []
        """What the app has sent over the connections, oldest first."""
        self._lock = threading.Condition()
        self._tickets: set[str] = set()
        self._connections: list[SocketConnection] = []
        self._round_robin = itertools.count()
        self._pending_acks: dict[str, Future[Json]] = {}

    def issue_ticket(self) -> str:
        """Issue a ticket that is valid for one connection."""
        ticket = token_urlsafe(16)
        with self._lock:
            self._tickets.add(ticket)
        return ticket

    @property
    def connections(self) -> list[SocketConnection]:
        """The connections that get deliveries."""
        with self._lock:
            return [connection for connection in self._connections if not connection.leaving]

    async def serve(self, socket: WebSocket) -> None:
        """Handle one connection from its handshake to its end."""
        ticket = socket.query_params.get("ticket", "")
        with self._lock:
            known = ticket in self._tickets
            self._tickets.discard(ticket)
        if not known:
            await socket.close(POLICY_VIOLATION)
            return
        await socket.accept()
        if len(self.connections) >= MAX_CONNECTIONS:
            await socket.send_text(json.dumps(_disconnect_message("too_many_websockets")))
            await socket.close(POLICY_VIOLATION)
            return
        if self.turns_away:
            # As with a link that is disabled: greeted, then asked to leave.
            await socket.send_text(json.dumps(self._hello_message()))
            await socket.send_text(json.dumps(_disconnect_message(self.turns_away)))
            await socket.close(GOING_AWAY)
            return
        connection = SocketConnection(socket=socket, loop=asyncio.get_running_loop())
        await socket.send_text(json.dumps(self._hello_message()))
        with self._lock:
            self._connections.append(connection)
            self._lock.notify_all()
        try:
            while True:
                text = await socket.receive_text()
                self.acks.append(text)
                ack = parse_object(text) or {}
                pending = self._pending_acks.get(ack.get("envelope_id", ""))
                if pending is not None and not pending.done():
                    pending.set_result(ack.get("payload") or {})
        except WebSocketDisconnect:
            pass
        finally:
            with self._lock:
                self._connections.remove(connection)
                self._lock.notify_all()

    def deliver(self, delivery: PayloadDelivery) -> Ack:
        """Send an envelope to one of the connections and wait for its ack."""
        started_s = time.monotonic()
        connections = self.connections
        if not connections:
            return Ack(status=0, elapsed_s=0.0, error=DISPATCH_FAILED)
        envelope_id = str(uuid4())
        pending: Future[Json] = Future()
        self._pending_acks[envelope_id] = pending
        wait_s = self.wait_s
        try:
            connections[next(self._round_robin) % len(connections)].send(_envelope(delivery, envelope_id))
            body = pending.result(wait_s)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            elapsed_s = time.monotonic() - started_s
            return Ack(status=0, elapsed_s=elapsed_s, late=True, error=OPERATION_TIMEOUT)
        finally:
            self._pending_acks.pop(envelope_id, None)
        accepted = body if delivery.takes_payload else {}
        if len(json.dumps(body)) > MAX_ACK_BYTES:
            return Ack(status=0, elapsed_s=time.monotonic() - started_s, error=DISPATCH_FAILED)
        return Ack(status=OK, body=accepted, elapsed_s=time.monotonic() - started_s)

    def say(self, text: str) -> None:
        """Send a text frame over every connection."""
        for connection in self.connections:
            asyncio.run_coroutine_threadsafe(connection.socket.send_text(text), connection.loop).result(SEND_TIMEOUT_S)

    def disconnect(self, reason: str, *, grace_s: float = 0.5) -> None:
        """Ask every connection to disconnect, and close those still open after `grace_s` seconds."""
        with self._lock:
            leaving = [connection for connection in self._connections if not connection.leaving]
            for connection in leaving:
                connection.leaving = True
        for connection in leaving:
            connection.send(_disconnect_message(reason))
        with self._lock:
            self._lock.wait_for(lambda: not set(leaving).intersection(self._connections), grace_s)
            still_open = [connection for connection in leaving if connection in self._connections]
        for connection in still_open:
            connection.close()

    def cut(self) -> None:
        """Close every connection without a disconnect message, as a network failure does."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.leaving = True
            connection.close()

    def wait_connected(self, count: int, within_s: float) -> None:
        """Wait for `count` connections. Raises TimeoutError after `within_s` seconds."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self.connections) >= count, within_s):
                raise TimeoutError(f"{len(self.connections)} of {count} connections after {within_s} s")

    def _hello_message(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections) + 1,
            "connection_info": {"app_id": APP_ID},
            "debug_info": {**_debug_info(), "build_number": 1, "approximate_connection_time": 18060},
        }


def _disconnect_message(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": _debug_info()}


def _debug_info() -> Json:
    return {"host": f"applink-{token_hex(2)}"}


def _envelope(delivery: PayloadDelivery, envelope_id: str) -> Json:
    """Wrap a delivery for Socket Mode. Only events have retry fields on the first attempt."""
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
