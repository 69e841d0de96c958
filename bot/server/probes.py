"""The probes over HTTP: `/healthz`, `/readyz` and `/metrics`. Responses hold ids and numbers, nothing people typed."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.errors import UsageError
from bot.server.limits import LimitedHttpProtocol
from bot.server.threaded import ServerThread, listen
from bot.telemetry.health import DOWN, Component, Health, component, is_ready

WAIT_S = 2.0
"""Seconds a probe waits for the database; load balancers time out soon after."""
UNAVAILABLE = 503
_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Parts = Mapping[str, Component]
Exposition = Callable[[Parts], bytes]


class SingleFlight(Generic[Answer]):
    """A slow function called once for all who wait for it at the same time, so that probes cannot fill the threads."""

    def __init__(self, function: Callable[[], Answer]) -> None:
        self._function = function
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="probe")
        self._call: asyncio.Future[Answer] | None = None

    async def result(self) -> Answer:
        """The result. Raises TimeoutError after WAIT_S; the call goes on, and later callers wait for the same one."""
        if self._call is None or self._call.done():
            self._call = asyncio.get_running_loop().run_in_executor(self._thread, self._function)
        return await asyncio.wait_for(asyncio.shield(self._call), WAIT_S)


def probe_routes(
    health: Health, exposition: Exposition | None = None, *, content_type: str = "text/plain"
) -> list[Route]:
    """The routes. `exposition` renders the parts for `/metrics` with that content type; without it there is none."""
    local, database = SingleFlight(health.local_parts), SingleFlight(health.database_parts)

    async def parts() -> Parts:
        return {**await _result_or_late(local, "spool"), **await _result_or_late(database, "database")}

    async def healthz(_request: Request) -> Response:
        dead = sorted(health.dead())
        content: dict[str, Any] = {"ok": False, "dead": dead} if dead else {"ok": True}
        return JSONResponse(content, status_code=UNAVAILABLE if dead else 200)

    async def readyz(_request: Request) -> Response:
        found = await parts()
        ready = is_ready(found)
        states = {name: {"state": part.state, **part.facts} for name, part in found.items()}
        return JSONResponse({"ready": ready, "parts": states}, status_code=200 if ready else UNAVAILABLE)

    routes = [Route("/healthz", healthz), Route("/readyz", readyz)]
    if exposition is not None:

        async def metrics(_request: Request) -> Response:
            return Response(exposition(await parts()), headers={"content-type": content_type})

        routes.append(Route("/metrics", metrics))
    return routes


async def _result_or_late(query: SingleFlight[dict[str, Component]], part: str) -> Parts:
    try:
        return await query.result()
    except TimeoutError:
        return {part: component(DOWN, error="late")}


@contextmanager
def serve_separately(
    routes: Sequence[Route], host: str, port: int | None, beat: Callable[[], None] | None = None
) -> Iterator[Sequence[Route]]:
    """Serve the routes on a port of their own, where one is given; yields those left for Slack's port.

    `/healthz` stays on Slack's port too, for the load balancer in front of it; the others are for the operator. `beat`
    is called with every turn of that server. Raises UsageError for a port that cannot be bound.
    """
    if port is None:
        yield routes
        return
    try:
        listener = listen(port, host)
    except OSError as error:
        raise UsageError(f"SCRIBE_HEALTH_PORT: {host}:{port}: {error.strerror or error}") from None
    server = ServerThread(Starlette(routes=routes), listener, http=LimitedHttpProtocol, beat=beat)
    server.start()
    _log.info("probes on http://%s:%s/healthz, /readyz and /metrics", host, listener.getsockname()[1])
    try:
        yield [route for route in routes if route.path == "/healthz"]
    finally:
        server.stop()
