"""The probes' HTTP face: `/healthz`, `/readyz` and `/metrics`. They hold ids and numbers, and nobody's words."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.errors import UsageError
from bot.server.threaded import ServerThread, listen
from bot.telemetry.health import DOWN, Component, Health, component, is_ready

WAIT_S = 2.0
"""How long a probe waits for the database; whoever asks gives up soon after."""
UNAVAILABLE = 503
_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Parts = Mapping[str, Component]
Page = Callable[[Parts], bytes]


class SingleFlight:
    """A slow question asked by many at once: put once, answered to all; no crowd of probes fills the threads."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="probe")
        self._asked: asyncio.Future[Any] | None = None

    async def answer(self) -> Any:
        """The answer. Raises TimeoutError when it takes longer than WAIT_S; the question stays put."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().run_in_executor(self._thread, self._ask)
        return await asyncio.wait_for(asyncio.shield(self._asked), WAIT_S)


async def _of(shared: SingleFlight, about: str) -> Parts:
    """The parts it answers with; when it is late, that this part is down."""
    try:
        found: Parts = await shared.answer()
    except TimeoutError:
        return {about: component(DOWN, error="late")}
    return found


def probe_routes(health: Health, page: Page | None = None, *, content_type: str = "text/plain") -> list[Route]:
    """The routes; `page` makes of the parts what `/metrics` serves, of that content type."""
    near, store = SingleFlight(health.local_parts), SingleFlight(health.database_parts)

    async def parts() -> Parts:
        return {**await _of(near, "spool"), **await _of(store, "database")}

    async def healthz(_request: Request) -> Response:
        dead = sorted(name for name, lives in health.threads_alive().items() if not lives)
        told = {"ok": False, "dead": dead} if dead else {"ok": True}
        return JSONResponse(told, status_code=UNAVAILABLE if dead else 200)

    async def readyz(_request: Request) -> Response:
        found = await parts()
        ready = is_ready(found)
        told = {name: {"state": each.state, **each.facts} for name, each in found.items()}
        return JSONResponse({"ready": ready, "parts": told}, status_code=200 if ready else UNAVAILABLE)

    async def metrics(_request: Request) -> Response:
        assert page is not None  # noqa: S101 - there is no such route without one
        return Response(page(await parts()), headers={"content-type": content_type})

    more = [Route("/metrics", metrics)] if page else []
    return [Route("/healthz", healthz), Route("/readyz", readyz), *more]


@contextmanager
def serve_separately(routes: Sequence[Route], host: str, port: int | None) -> Iterator[Sequence[Route]]:
    """The probes on a port of their own, if one is given; the routes that are left to be served elsewhere.

    What balances the load looks at Slack's port, so that always says whether it lives; the rest is the operator's.
    Raises UsageError for a port that cannot be had.
    """
    if port is None:
        yield routes
        return
    try:
        listener = listen(port, host)
    except OSError as error:
        raise UsageError(f"SCRIBE_HEALTH_PORT: {host}:{port}: {error.strerror or error}") from None
    server = ServerThread(Starlette(routes=routes), listener)
    server.start()
    _log.info("probes on http://%s:%s/healthz, /readyz and /metrics", host, listener.getsockname()[1])
    try:
        yield [route for route in routes if route.path == "/healthz"]
    finally:
        server.stop()
