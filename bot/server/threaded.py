"""A web application served from a thread of this process."""

import asyncio
import socket
import threading
import time
from typing import Literal

import uvicorn
from starlette.applications import Starlette

PING_EVERY_S = 5.0
START_WITHIN_S = 10.0


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A listening socket; port 0 takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def base_url(listener: socket.socket) -> str:
    """Where a listening socket is reached: `http://127.0.0.1:PORT`."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


class ServerThread:
    """uvicorn in a thread of its own, on a socket that listens already; that is closed in the end.

    `http` is the protocol's class, where it is not to be uvicorn's own.
    """

    def __init__(
        self, app: Starlette, listener: socket.socket, *, http: type[asyncio.Protocol] | Literal["auto"] = "auto"
    ) -> None:
        self._listener = listener
        config = uvicorn.Config(
            app,
            http=http,
            ws="websockets-sansio",
            ws_ping_interval=PING_EVERY_S,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="serving", daemon=True)

    def start(self) -> None:
        """Start, and return once requests are answered. Raises TimeoutError if that never happens."""
        self._thread.start()
        give_up_at_s = time.monotonic() + START_WITHIN_S
        while not self._uvicorn.started:
            if time.monotonic() > give_up_at_s:
                raise TimeoutError("the server did not start")
            time.sleep(0.002)

    def stop(self) -> None:
        """Stop, and return once the thread has ended."""
        self._uvicorn.should_exit = True
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        self._uvicorn.run(sockets=[self._listener])
