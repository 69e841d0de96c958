"""The endpoint of sources outside of Slack: `POST /hooks/<kind>/<token>`.

An answer of 202 says that the signals are written down, or kept on disk while the database is away. Those that come
within GATHER_S are written in one transaction, so that a storm of them leaves the database to what people type.
Any other answer is for whoever sets the source up: it says what is wrong, and quotes nothing that was sent. Nothing of
a payload is logged.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.clock import Clock
from bot.config import Settings
from bot.handlers.offline import OfflineQueue
from bot.handlers.sources.alerts import ask_to_confirm, request_for
from bot.server.limits import SIGNED
from bot.sources import addresses, generic
from bot.sources.addresses import Address
from bot.sources.kinds import SOURCES
from bot.sources.source import ReadPayload, Source, UnreadablePayloadError
from bot.telemetry.context import NO_METRICS, ContextThreadPool, Metrics, measured_work, request_id
from storage.availability import within
from storage.database import Database
from storage.values import CHANGE, Signal

BODY_LIMIT = 1_000_000
"""Bytes of a body; Alertmanager's groups of a hundred alerts have about 100,000."""
BODY_S = 10.0
"""Seconds within which a body must arrive."""
GATHER_S = 0.05
"""Seconds that signals wait for others, to be written together with them."""
MOST_WAITING = 20_000
"""Signals that wait to be written; beyond that sources are told to try again."""
CONFIRM_S = 2.0
_MOST_TOGETHER = 500
_LARGE = 50_000
"""Bytes from which a body is parsed in a thread, so that nothing else waits for it."""
_LENGTH_DIGITS = 20
_CLOSE = {"connection": "close"}
_AGAIN = {"retry-after": "10"}
_log = logging.getLogger(__name__)


class Inbox:
    """Writes signals together that come at the same time; `put` returns when they are safe."""

    def __init__(
        self, queue: OfflineQueue, settings: Settings, clock: Clock, database: Database, metrics: Metrics
    ) -> None:
        self._queue = queue
        self._settings = settings
        self._clock = clock
        self._database = database
        self._metrics = metrics
        self._waiting: list[tuple[Address, Sequence[Signal], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._thread = ContextThreadPool(1, thread_name_prefix="hooks")

    @property
    def is_full(self) -> bool:
        """Whether sources have to wait: more comes than can be written."""
        return len(self._waiting) >= MOST_WAITING

    async def put(self, address: Address, told: Sequence[Signal]) -> None:
        """Have the signals written. Raises what the database or the spool raises."""
        safe = asyncio.get_running_loop().create_future()
        self._waiting.append((address, told, safe))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await safe

    def confirm(self, address: Address, url: str) -> None:
        """Have the subscription confirmed that the address is asked for. Raises what the database raises."""
        with within(CONFIRM_S), self._database.write() as connection:
            ask_to_confirm(connection, address.workspace_id, url, at=self._clock())

    async def _write_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_S)
            batch, self._waiting = self._waiting[:_MOST_TOGETHER], self._waiting[_MOST_TOGETHER:]
            by_place: dict[tuple[str, str], list[tuple[Sequence[Signal], asyncio.Future[None]]]] = {}
            for address, told, safe in batch:
                by_place.setdefault((address.workspace_id, address.channel_id), []).append((told, safe))
            for place, arrived in by_place.items():
                together = [signal for told, _ in arrived for signal in told]
                await self._settle(place, together, [safe for _, safe in arrived])

    async def _settle(
        self, place: tuple[str, str], told: Sequence[Signal], waiting: Sequence[asyncio.Future[None]]
    ) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._write, place, told)
        except Exception as error:  # noqa: BLE001 - the boundary: each who waits gets it, and the next are written
            for each in waiting:
                if not each.done():
                    each.set_exception(error)
        else:
            for each in waiting:
                if not each.done():
                    each.set_result(None)

    def _write(self, place: tuple[str, str], told: Sequence[Signal]) -> None:
        request = request_for(place, told, settings=self._settings, received_at=self._clock())
        with measured_work(self._metrics, request=request_id()):
            self._queue.handle(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hooks:
    """What the endpoint needs to answer."""

    settings: Settings
    clock: Clock
    inbox: Inbox

    async def answer(self, request: Request) -> Response:
        """The answer to a post."""
        address, source = self._address(request)
        setattr(request.state, SIGNED, True)
        if self.inbox.is_full:
            raise HTTPException(503, "too much at once; try again", _AGAIN)
        body = await _body(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self._check_signature(source, body, headers)
        try:
            payload = await _parsed(body)
            told = list(self._reader(source)(payload, headers, now=self.clock()))
            confirmation = None if source.confirmation is None else source.confirmation(payload)
        except UnreadablePayloadError as error:
            raise HTTPException(400, f"{error}. Scribe reads {source.version} here.") from None
        await self._keep(address, told, confirmation)
        return PlainTextResponse(_said(len(told), source), status_code=202)

    def _address(self, request: Request) -> tuple[Address, Source]:
        """Where the signals belong, by the path. Raises HTTPException before anything of the body is read."""
        kind, token = request.path_params["kind"], request.path_params["token"]
        source = SOURCES.get(kind)
        if source is None:
            raise HTTPException(404, f"there is no such kind of source; one of {', '.join(SOURCES)}", _CLOSE)
        address = addresses.find(self.settings.hooks_secret.get_secret_value(), kind, token)
        if address is None:
            problem = "the token at the end of this address is wrong"
            raise HTTPException(401, f"{problem}; scribe sources {kind} prints the right one", _CLOSE)
        return address, source

    def _check_signature(self, source: Source, body: bytes, headers: Mapping[str, str]) -> None:
        secret = self.settings.hooks_signed.get(source.name)
        if secret is None or source.signature is None:
            return
        problem = source.signature(secret.get_secret_value(), body, headers, self.clock())
        if problem is not None:
            raise HTTPException(401, f"{problem}; SCRIBE_HOOKS_SIGNED has the secret for {source.name}", _CLOSE)

    def _reader(self, source: Source) -> ReadPayload:
        if source is generic.SOURCE:
            return partial(generic.read, fields=self.settings.hooks_generic)
        return source.read

    async def _keep(self, address: Address, told: Sequence[Signal], confirmation: str | None) -> None:
        try:
            if confirmation is not None:
                await asyncio.to_thread(self.inbox.confirm, address, confirmation)
            if told:
                await self.inbox.put(address, told)
        except Exception:  # noqa: BLE001 - the boundary: whoever posted tries again
            _log.exception("signals not kept")
            raise HTTPException(503, "it could not be written down; try again", _AGAIN) from None


def _said(count: int, source: Source) -> str:
    what = "change" if source.kind == CHANGE else "alert"
    return f"kept: {count} {what}{'' if count == 1 else 's'}\n"


async def _parsed(body: bytes) -> Any:
    """The JSON of the body. Raises UnreadablePayloadError."""
    if len(body) < _LARGE:
        return _json(body)
    return await asyncio.to_thread(_json, body)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        raise UnreadablePayloadError("the body is not UTF-8") from None
    except RecursionError:
        raise UnreadablePayloadError("the JSON is nested too deep") from None
    except ValueError:
        raise UnreadablePayloadError("the body is no JSON") from None


async def _body(request: Request) -> bytes:
    """The body. Raises HTTPException for one that is too large, too slow or cut off, without reading the rest."""
    too_large = HTTPException(413, f"more than {BODY_LIMIT:,} bytes; send fewer alerts at once", _CLOSE)
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:_LENGTH_DIGITS]) > BODY_LIMIT:
        raise too_large
    pieces = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for piece in request.stream():
                pieces += piece
                if len(pieces) > BODY_LIMIT:
                    raise too_large
    except TimeoutError:
        raise HTTPException(408, "too slow", _CLOSE) from None
    except ClientDisconnect:
        raise HTTPException(400, "cut off", _CLOSE) from None
    return bytes(pieces)


def hook_routes(
    settings: Settings, queue: OfflineQueue, clock: Clock, database: Database, metrics: Metrics = NO_METRICS
) -> list[Route]:
    """The endpoint's route; none unless its secret is set."""
    if not settings.hooks_secret.get_secret_value():
        return []
    inbox = Inbox(queue, settings, clock, database, metrics)
    hooks = _Hooks(settings=settings, clock=clock, inbox=inbox)
    return [Route("/hooks/{kind}/{token}", hooks.answer, methods=["POST"])]
