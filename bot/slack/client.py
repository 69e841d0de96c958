"""Calls to Slack: within limits, taking nothing for an answer that is not Slack's, and heeding `Retry-After`.

urllib's time-out is for each read, so an answer that comes a byte at a time would hold a thread for ever, and it reads
an answer of any size. Here one deadline covers an exchange from connecting to the last byte, one limit covers all bytes
that come, and no redirect is followed. The look-up of a host's name has no limit but the system's, half a minute and
more, so it is made in a thread that is left behind when the time is over.
"""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from functools import lru_cache, partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env
from slack_sdk.web import SlackResponse
from slack_sdk.web.file_upload_v2_result import FileUploadV2Result

from bot.clock import Clock
from bot.slack.refusals import (
    ONE_FILE,
    REQUEST_TIMEOUT,
    SERVER_ERROR,
    TOO_MANY,
    FileKeptBackError,
    FileRefusedError,
    ForeignAnswerError,
    Verdict,
    judge_code,
    reason,
    refuses_file,
    retry_after_s,
)
from bot.telemetry.context import NO_METRICS, Metrics, progress

CALL_S = 10
"""Seconds for one call to Slack, an upload included, from connecting to the last byte of the answer."""
PROBE_S = 5
"""The same for a call by which the operator looks after the installation."""
FILE_S = 30
"""Seconds for a file from Slack, from connecting to the last byte; what takes longer is tried again."""
ANSWER_LIMIT = 4_000_000
"""Bytes of an answer, its head and a proxy's included. Slack's largest, 200 members, has about a tenth."""
OK, NOT_FOUND = 200, 404
MOST_LEFT_BEHIND = 16
"""Threads that may be left behind at a time; while so many hang, a call fails at once."""
_LIMITED_BY_CHANNEL = "chat."
"""The methods that Slack limits by channel; it limits the others by workspace. Source: Slack, "Rate Limits"."""
_WORD = re.compile(r"[a-z_]+")
_WORD_LIMIT = 100
_PIECE = 65_536
_HEAD = 65_536
"""Bytes that the head of an answer may have beside a file."""
_SCHEMES = frozenset({"http", "https"})
_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")
_BYTES = {"Content-Type": "application/octet-stream"}
_JSON_BODY = {"Content-Type": "application/json;charset=utf-8"}
_PROOF: Final[Mapping[str, str]] = {
    "apps.connections.open": "url",
    "auth.test": "team_id",
    "canvases.create": "canvas_id",
    "chat.postMessage": "ts",
    "conversations.create": "channel",
    "conversations.info": "channel",
    "files.completeUploadExternal": "files",
    "files.getUploadURLExternal": "upload_url",
    "team.info": "team",
    "usergroups.list": "usergroups",
    "usergroups.users.list": "users",
    "users.conversations": "channels",
    "users.info": "user",
    "users.list": "members",
}
"""A field that each answer of the method has, where Scribe needs it: what is "ok" without it does not come of Slack."""


_PLACES_LEFT = threading.BoundedSemaphore(MOST_LEFT_BEHIND)
Result = TypeVar("Result")


def in_time(
    step: Callable[[], Result], within_s: float, *, too_late: Callable[[Result], object] = lambda _result: None
) -> Result:
    """What the step returns, or raises; after `within_s` its thread is left behind, with `too_late` for its result.

    Raises TimeoutError then, and OSError where no further thread can be had.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(step())
        except BaseException as error:  # noqa: BLE001 - the boundary: it is raised again where it is waited for
            future.set_exception(error)
        finally:
            _PLACES_LEFT.release()

    if not _PLACES_LEFT.acquire(blocking=False):
        raise OSError("too many look-ups hang")
    try:
        threading.Thread(target=run, name="look-up", daemon=True).start()
    except RuntimeError as error:
        _PLACES_LEFT.release()
        raise OSError(str(error)) from None
    wait((future,), within_s)
    if not future.done():
        future.add_done_callback(lambda late: late.exception() or too_late(late.result()))
        raise TimeoutError("the look-up takes too long")
    return future.result()


def exchange(
    request: Request, *, proxy: str | None, timeout_s: float, most_bytes: int = ANSWER_LIMIT
) -> tuple[int, Message, bytes]:
    """The answer's status, headers and body, whatever the status; a redirect is an answer as well.

    Raises OSError where the network fails or `timeout_s` is over, ForeignAnswerError for what is no answer in HTTP, or
    larger than `most_bytes`, its head included. Neither has words of the answer's.
    """
    if request.type not in _SCHEMES:
        # urllib would open files as well.
        raise ForeignAnswerError(0)
    progress()
    try:
        with _opener(proxy, most_bytes).open(request, timeout=timeout_s) as answer:
            return answer.status, answer.headers, _body(answer)
    except ConnectionError:
        # Also RemoteDisconnected, which is an HTTPException.
        raise
    except (HTTPException, ValueError) as error:
        # From None: the exception quotes the line that was not understood.
        raise ForeignAnswerError(0, problem=type(error).__name__) from None


def post(
    url: str, content: bytes, headers: dict[str, str], *, proxy: str | None, timeout_s: float
) -> tuple[int, Message, bytes]:
    """The answer to a POST without a token; otherwise as `exchange`. A `url` that is none raises ForeignAnswerError."""
    try:
        request = Request(url, data=content, method="POST", headers=headers)  # noqa: S310 - checked by exchange
    except ValueError:
        raise ForeignAnswerError(0) from None
    return exchange(request, proxy=proxy, timeout_s=timeout_s)


def _body(answer: HTTPResponse) -> bytes:
    """By pieces: for a length that is only claimed no memory is taken. Raises ForeignAnswerError for half a body."""
    body = bytearray()
    while piece := answer.read(_PIECE):
        body += piece
    if answer.length:
        raise ForeignAnswerError(answer.status, problem="answer_cut_off")
    return bytes(body)


@lru_cache
def _opener(proxy: str | None, most_bytes: int) -> OpenerDirector:
    """An opener without the handlers that follow redirects; without a `proxy` the environment's are used."""
    opener = OpenerDirector()
    proxies = ProxyHandler({"http": proxy, "https": proxy} if proxy else None)
    for handler in (proxies, _Plain(most_bytes), _Secure(most_bytes)):
        opener.add_handler(handler)
    return opener


class _Plain(HTTPHandler):
    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(_LimitedConnection, most_bytes=self._most_bytes), req)


class _Secure(HTTPSHandler):
    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(_LimitedSecureConnection, most_bytes=self._most_bytes), req)


class _Limits:
    """What is left of an exchange: the time until its deadline, and the bytes that may still come."""

    def __init__(self, timeout_s: float, most_bytes: int) -> None:
        self._until_s = time.monotonic() + timeout_s
        self._bytes = most_bytes

    def left_s(self) -> float:
        """Seconds until the deadline. Raises TimeoutError after it."""
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the exchange takes too long")
        return left_s

    def count(self, received: int) -> None:
        """Raises ForeignAnswerError once too much has come."""
        self._bytes -= received
        if self._bytes < 0:
            raise ForeignAnswerError(0, problem="answer_too_large")


class _LimitedConnection(HTTPConnection):
    """A connection for one exchange; its `timeout` is for all of it."""

    def __init__(self, *args: Any, most_bytes: int = ANSWER_LIMIT, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = _Limits(self.timeout or CALL_S, most_bytes)
        self.response_class = partial(_LimitedResponse, self._limits)  # type: ignore[assignment]  # called alone
        self._create_connection = self._dial

    def send(self, data: Any) -> None:
        """Send by pieces, each within the time that is left: TLS would grant it to every record anew."""
        if self.sock is None:
            self.connect()
        for start in range(0, len(data), _PIECE):
            self.sock.settimeout(self._limits.left_s())
            super().send(data[start : start + _PIECE])

    def _dial(self, address: tuple[str, int], *_: Any) -> socket.socket:
        """Connect to the first of the host's addresses that answers; each but the last gets half of the time left."""
        look_up = partial(socket.getaddrinfo, *address, type=socket.SOCK_STREAM)
        places: list[Any] = [found[4][:2] for found in in_time(look_up, self._limits.left_s())]
        for left in reversed(range(len(places))):
            within_s = self._limits.left_s() / (2 if left else 1)
            try:
                dialled = socket.create_connection(places[-left - 1], within_s)
            except OSError:
                if not left:
                    raise
            else:
                # For what follows without a time of its own: the TLS handshake.
                dialled.settimeout(self._limits.left_s())
                return dialled
        raise OSError("the host has no address")

    def _tunnel(self) -> None:
        """Have a proxy connect. Raises ForeignAnswerError where it refuses, without the words it has for that."""
        try:
            super()._tunnel()  # type: ignore[misc]  # not in the stubs
        except OSError as error:
            # The status stands in the exception's text alone, beside the proxy's words.
            status = _REFUSED_TUNNEL.match(str(error))
            if status is None:
                raise
            raise ForeignAnswerError(int(status[1])) from None
        self.sock.settimeout(self._limits.left_s())


class _LimitedSecureConnection(_LimitedConnection, HTTPSConnection):
    """The same over TLS."""


class _LimitedResponse(HTTPResponse):
    """An answer that is read within the limits, its head included."""

    def __init__(self, limits: _Limits, sock: socket.socket | ssl.SSLSocket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = BufferedReader(_LimitedReader(self.fp.detach(), sock, limits))


class _LimitedReader(RawIOBase):
    """The bytes that come over a socket, as `raw` reads them, each read within the limits."""

    def __init__(self, raw: RawIOBase, sock: socket.socket, limits: _Limits) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._limits = limits

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come, waiting at most until the deadline."""
        self._sock.settimeout(self._limits.left_s())
        received: int = self._raw.readinto(buffer)
        self._limits.count(received)
        return received

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class PausedError(SlackClientError):
    """Slack's `Retry-After` for this method has `wait_s` seconds left; the call was not sent."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"{wait_s:.1f} s")
        self.wait_s = wait_s


def _slacks(status: int, body: bytes, method: str = "") -> dict[str, Any] | None:
    """The answer of one of Slack's methods; None where something else answered."""
    try:
        found = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    if found.get("ok") is True and status == OK and _PROOF.get(method, "ok") in found:
        return found
    return found if found.get("ok") is False and isinstance(found.get("error"), str) else None


class StrictClient(WebClient):
    """A WebClient of which every exchange is limited. An answer that is not Slack's raises ForeignAnswerError.

    Nothing is sent twice by it, as the WebClient would after a connection that broke: its callers know what may be.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"timeout": CALL_S, "retry_handlers": [], **options})

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        # The only place of WebClient's in which an answer is seen before anybody has parsed or followed it.
        status, headers, body = exchange(req, proxy=self.proxy, timeout_s=self.timeout)
        wait = headers.get("Retry-After")
        if _slacks(status, body, url.rpartition("/")[2]) is None:
            raise ForeignAnswerError(status, wait)
        # Under this name also where the answer has it in lower case.
        named = dict(headers.items()) | ({} if wait is None else {"Retry-After": wait})
        return {"status": status, "headers": named, "body": body.decode()}

    def upload(self, url: str, content: bytes) -> None:
        """Post the bytes to an upload URL, which needs no token.

        Raises FileRefusedError where it takes no file, ForeignAnswerError and OSError where it may later.
        """
        status, headers, _ = post(url, content, _BYTES, proxy=self.proxy, timeout_s=self.timeout)
        if status in {REQUEST_TIMEOUT, TOO_MANY} or status >= SERVER_ERROR:
            raise ForeignAnswerError(status, headers.get("Retry-After"))
        if status != OK:
            raise FileRefusedError(status)

    def _upload_file(self, *, url: str, data: bytes, **_: Any) -> FileUploadV2Result:
        # WebClient's own has no limits, and puts the answer's body into its exception.
        self.upload(url, data)
        return FileUploadV2Result(status=OK, body="")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to share. `extra` ones are left out where Slack refuses them; `alt_text` is for pictures."""

    filename: str
    title: str
    content: bytes
    alt_text: str | None = None
    extra: bool = False


class Client(StrictClient):
    """A client that observes `Retry-After` for each method and, where Slack limits by channel, each channel.

    Each call that fails is counted in `metrics`; a call that is not sent because it is too early is not.
    """

    def __init__(self, *, clock: Clock, metrics: Metrics = NO_METRICS, **options: Any) -> None:
        super().__init__(**options)
        self._clock = clock
        self._metrics = metrics
        self._lock = threading.Lock()
        self._pauses: dict[tuple[str, str], tuple[datetime, float]] = {}

    def api_call(self, api_method: str, **how: Any) -> SlackResponse:
        """Call Slack. Raises PausedError while the method is paused, otherwise what the WebClient raises."""
        key = (api_method, _channel(how) if api_method.startswith(_LIMITED_BY_CHANNEL) else "")
        self._check_pause(key)
        try:
            return super().api_call(api_method, **how)
        except (SlackClientError, OSError) as error:
            self._metrics.slack_failed(api_method, reason(error))
            if _status(error) == TOO_MANY:
                with self._lock:
                    self._pauses[key] = self._clock(), retry_after_s(error) or 0.0
            raise

    def _check_pause(self, key: tuple[str, str]) -> None:
        with self._lock:
            if key not in self._pauses:
                return
            since_at, asked_s = self._pauses[key]
            waited_s = (self._clock() - since_at).total_seconds()
            # Before its beginning, the clock was set back: then Slack itself says whether it is too early.
            if 0 <= waited_s < asked_s:
                raise PausedError(asked_s - waited_s)
            del self._pauses[key]

    def share(
        self, channel: str, comment: str, uploads: Sequence[NewFile], *, thread_ts: str | None = None
    ) -> list[str]:
        """Share files in one message, or in a reply in a thread; each `extra` one is left out if Slack refuses that.

        Returns the ids of those that were shared. Raises FileRefusedError where an upload URL refuses the bytes,
        otherwise what `api_call` raises.
        """
        ids = [(each, self._uploaded(each)) for each in uploads]
        found = [(each, file_id) for each, file_id in ids if file_id is not None]
        try:
            self._complete(channel, comment, found, thread_ts)
        except SlackApiError as error:
            needed = [each for each in uploads if not each.extra]
            if reason(error) not in ONE_FILE or len(needed) == len(found):
                raise
            # Which of the files it was is not said. A completed upload cannot be completed again: upload anew.
            return self.share(channel, comment, needed, thread_ts=thread_ts)
        return [file_id for _, file_id in found]

    def _uploaded(self, upload: NewFile) -> str | None:
        """The file's id at Slack; None for an extra file that is refused."""
        try:
            about = {} if upload.alt_text is None else {"alt_txt": upload.alt_text}
            ticket = self.files_getUploadURLExternal(filename=upload.filename, length=len(upload.content), **about)
            self.upload(str(ticket["upload_url"]), upload.content)
            return str(ticket["file_id"])
        except (SlackApiError, FileRefusedError) as error:
            if upload.extra and refuses_file(error):
                return None
            raise

    def download(self, url: str, *, workspace_url: str | None, most_bytes: int) -> bytes:
        """The bytes at a file's private address, with the token, which none but Slack's own hosts get.

        Raises FileKeptBackError where Slack will not give them, or sends elsewhere: to its page to sign in. Raises
        ForeignAnswerError and OSError where another attempt may succeed, and for more than `most_bytes`.
        """
        if not _is_slacks(url, self.base_url, workspace_url):
            raise FileKeptBackError("foreign_host")
        request = Request(url, headers={"Authorization": f"Bearer {self.token}"})  # noqa: S310 - checked above
        try:
            status, headers, body = exchange(request, proxy=self.proxy, timeout_s=FILE_S, most_bytes=most_bytes + _HEAD)
            if status in {REQUEST_TIMEOUT, TOO_MANY} or status >= SERVER_ERROR:
                raise ForeignAnswerError(status, headers.get("Retry-After"))
            if status != OK:
                raise FileKeptBackError(f"http_{status}")
            if headers.get_content_type() == "text/html":
                raise FileKeptBackError("sign_in")
        except (SlackClientError, OSError) as error:
            self._metrics.slack_failed("download", reason(error))
            raise
        return body

    def upload(self, url: str, content: bytes) -> None:
        """As StrictClient's, counted."""
        try:
            super().upload(url, content)
        except (SlackClientError, OSError) as error:
            self._metrics.slack_failed("upload", reason(error))
            raise

    def _complete(
        self, channel: str, comment: str, found: Sequence[tuple[NewFile, str]], thread_ts: str | None
    ) -> None:
        self.files_completeUploadExternal(
            files=[{"id": file_id, "title": each.title} for each, file_id in found],
            channel_id=channel,
            initial_comment=comment,
            thread_ts=thread_ts,
        )


def _is_slacks(url: str, api_url: str, workspace_url: str | None) -> bool:
    """Whether the address is one of Slack's for files: files.slack.com, the workspace's own, or the API's host itself.

    Another API, such as slack-gov.com's, has a host for files of its own name.
    """
    try:
        given, api = urlsplit(url), urlsplit(api_url)
        own = urlsplit(workspace_url or "")
        hosts = {(f"files.{api.hostname}", api.port), (api.hostname, api.port), (own.hostname, own.port)}
        place = (given.hostname, given.port)
    except ValueError:
        return False
    is_plain = given.username is None and given.password is None and given.hostname is not None
    return is_plain and given.scheme == api.scheme and place in hosts


def _channel(how: dict[str, Any]) -> str:
    """The channel of a call; the WebClient sends arguments as `params`, `data` or `json`, by method."""
    return next((str(part["channel"]) for part in how.values() if isinstance(part, dict) and "channel" in part), "")


def _status(error: Exception) -> int | None:
    """The HTTP status of the answer that was no success; None where there was none."""
    if isinstance(error, SlackApiError):
        return int(error.response.status_code)
    return error.status if isinstance(error, ForeignAnswerError) else None


def respond(url: str, message: Mapping[str, Any], *, timeout_s: float = CALL_S) -> bool:
    """Send a message to a `response_url`; False where it takes this one never.

    Raises ForeignAnswerError and OSError where another attempt may succeed.
    """
    data, proxy = json.dumps(message).encode(), load_http_proxy_from_env()
    status, headers, body = post(url, data, _JSON_BODY, proxy=proxy, timeout_s=timeout_s)
    answer = _slacks(status, body)
    # Slack answers here with one word, or with JSON as its methods do.
    word = str(answer.get("error", "ok")) if answer else body[:_WORD_LIMIT].decode(errors="replace").strip()
    if status == OK and word == "ok":
        return True
    busy = status in {REQUEST_TIMEOUT, TOO_MANY} or status >= SERVER_ERROR or status == OK
    if busy or not _WORD.fullmatch(word) or judge_code(word) is Verdict.LATER:
        raise ForeignAnswerError(status, headers.get("Retry-After"))
    return False
