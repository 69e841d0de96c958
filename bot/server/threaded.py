"""uvicorn, with a heartbeat, and in a thread of this process."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

PING_EVERY_S = 5.0
START_WITHIN_S = 10.0


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A listening socket; port 0 binds a free port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def base_url(listener: socket.socket) -> str:
    """The URL of a socket that listens on this machine: `http://127.0.0.1:PORT`."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


class BeatingServer(uvicorn.Server):
    """uvicorn's server, which calls `beat` with every turn of its event loop, ten times a second."""

    def __init__(self, config: uvicorn.Config, beat: Callable[[], None]) -> None:
        super().__init__(config)
        self._beat = beat

    async def on_tick(self, counter: int) -> bool:
        """Beat, and do what uvicorn does at each tick."""
        self._beat()
        return await super().on_tick(counter)


class ServerThread:
    """A web application served by uvicorn in a daemon thread, on a socket that already listens; `stop` closes it.

    `http` is the class of the HTTP protocol; "auto" takes uvicorn's own. `beat` is as BeatingServer's.
    """

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        *,
        http: type[asyncio.Protocol] | Literal["auto"] = "auto",
        beat: Callable[[], None] | None = None,
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
        self._uvicorn = uvicorn.Server(config) if beat is None else BeatingServer(config, beat)
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [listener]}, name="serving", daemon=True
        )

    def start(self) -> None:
        """Start, and return once requests are served. Raises TimeoutError after START_WITHIN_S."""
        self._thread.start()
        deadline_s = time.monotonic() + START_WITHIN_S
        while not self._uvicorn.started:
            if time.monotonic() > deadline_s:
                raise TimeoutError("the server did not start")
            time.sleep(0.002)

    def stop(self) -> None:
        """Stop serving, and return when the thread has ended."""
        self._uvicorn.should_exit = True
        self._thread.join()
        self._listener.close()
