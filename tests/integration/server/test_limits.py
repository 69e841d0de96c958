"""Clients that send slowly, send too much, or hold idle connections."""

import logging
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from urllib.parse import urlencode, urlsplit

import pytest

from bot.fakeslack.delivery import FORM, HttpTransport
from bot.server.limits import LimitedHttpProtocol
from bot.slack.inbound.http import BODY_LIMIT
from tests.support.ledger import counts
from tests.support.workplace import Workplace, serve

SHORT_S, AWAIT_S = 0.2, 60.0
HOST = b"Host: scribe.example\r\n"
POST = b"POST /slack/events HTTP/1.1\r\n" + HOST


@dataclass
class LimitedServer:
    """The bot behind an HTTP server with low limits."""

    office: Workplace
    url: str

    def connect(self) -> socket.socket:
        address = urlsplit(self.url)
        return socket.create_connection((address.hostname, address.port), timeout=AWAIT_S)

    def command(self, text: str) -> tuple[int, str]:
        """`/note text` as Slack posts it to this server."""
        payload = {**self.office.answers[0].delivery.payload, "command": "/note", "text": text, "trigger_id": text}
        return self.office.slack.post_signed(self.url, urlencode(payload))


@pytest.fixture
def limited(office: Workplace) -> Iterator[LimitedServer]:
    office.say("/detected disk full")
    with serve_limited(
        office, LimitedHttpProtocol.with_limits(head_s=SHORT_S, head_limit=2_000, max_connections=20)
    ) as url:
        yield LimitedServer(office, url)


@contextmanager
def serve_limited(office: Workplace, http: type[LimitedHttpProtocol]) -> Iterator[str]:
    with serve(office.bot, office.bot.context.settings, http=http, body_s=SHORT_S) as url:
        yield url


def received(connection: socket.socket) -> bytes:
    """All data until the server closes the connection. Raises TimeoutError if it does not."""
    pieces = []
    try:
        while piece := connection.recv(65_536):
            pieces.append(piece)
    except ConnectionError:
        pass
    return b"".join(pieces)


def takes(connection: socket.socket, pieces: Iterable[bytes], *, pause_s: float = 0) -> bool:
    """Whether the other side takes all of the pieces, one after the other."""
    try:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)
    except ConnectionError:
        return False
    return True


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", 0),
        (b"\r\n", 0),
        (b"P", 408),
        (POST, 408),
        (POST + b"X-Slack-Signature: v0", 408),
        (POST + b"Content-Length: 5\r\n\r\nab", 408),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", 408),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", 408),
        (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n\r\n", 200),
        (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\nGET /hea", 200),
        (b"POST /nowhere HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nab", 404),
    ],
)
def test_a_client_that_stops_sending_is_disconnected(limited: LimitedServer, sent: bytes, answer: int) -> None:
    with closing(limited.connect()) as connection:
        connection.sendall(sent)
        assert status(received(connection)) == answer


def test_a_head_that_comes_letter_by_letter_ends_in_time(limited: LimitedServer) -> None:
    with closing(limited.connect()) as connection:
        assert not takes(connection, chain([POST, b"X-Long: "], repeat(b"a", 5_000)), pause_s=0.005)
    assert limited.command("after")[0] == 200


def test_a_body_that_comes_letter_by_letter_ends_in_time(limited: LimitedServer) -> None:
    with closing(limited.connect()) as connection:
        letters = chain([POST + b"Content-Length: 5000\r\n\r\n"], repeat(b"a", 4_999))
        assert not takes(connection, letters, pause_s=0.005)
    assert limited.command("after")[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        POST + b"X-Long: " + b"a" * 3_000 + b"\r\n\r\n",
        POST + b"".join(b"X-%d: a\r\n" % number for number in range(500)) + b"\r\n",
        b"GET /" + b"a" * 3_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
def test_a_head_that_is_too_large_is_refused(limited: LimitedServer, head: bytes) -> None:
    with closing(limited.connect()) as connection:
        connection.sendall(head)
        assert status(received(connection)) == 431


def test_a_head_without_an_end_is_refused_while_it_comes(office: Workplace) -> None:
    office.say("/detected disk full")
    limits = LimitedHttpProtocol.with_limits(head_s=60, head_limit=2_000)
    with serve_limited(office, limits) as url, closing(LimitedServer(office, url).connect()) as connection:
        assert not takes(connection, chain([POST], (b"X-%d: a\r\n" % number for number in range(1_000_000))))


def test_a_body_that_turns_out_too_large_is_refused(limited: LimitedServer) -> None:
    head, piece = b"Transfer-Encoding: chunked\r\n\r\n", b"2710\r\n" + b"a" * 10_000 + b"\r\n"
    with closing(limited.connect()) as connection:
        connection.sendall(POST + head)
        sent = 0
        # Not a piece more than may be: what is not read would make the answer be lost on its way.
        while sent <= BODY_LIMIT:
            connection.sendall(piece)
            sent += 10_000
        answer = received(connection)
    assert status(answer) == 413
    assert b"connection: close" in answer


def test_a_length_that_is_too_large_is_refused_before_anything_is_read(limited: LimitedServer) -> None:
    with closing(limited.connect()) as connection:
        connection.sendall(POST + b"Content-Length: 999999999\r\n\r\n")
        assert status(received(connection)) == 413


def test_the_connection_idle_longest_is_closed_for_a_new_one(office: Workplace) -> None:
    office.say("/detected disk full")
    with (
        serve_limited(office, LimitedHttpProtocol.with_limits(head_s=60, max_connections=20)) as url,
        ExitStack() as connections,
    ):
        limited = LimitedServer(office, url)
        idle = [connections.enter_context(closing(limited.connect())) for _ in range(100)]
        for number in range(3):
            assert limited.command(f"while they hold the connection {number}")[0] == 200
        assert received(idle[0]) == b""
        idle[-1].settimeout(0)
        with pytest.raises(BlockingIOError):
            idle[-1].recv(1)


def test_a_kept_connection_serves_one_request_after_another(limited: LimitedServer) -> None:
    posts = HttpTransport(url=limited.url, wait_s=AWAIT_S, secret=limited.office.slack.signing_secret)
    with closing(posts):
        for number in range(3):
            payload = {**limited.office.answers[0].delivery.payload, "command": "/note", "text": f"n{number}"}
            body = urlencode({**payload, "trigger_id": f"t{number}"})
            assert posts.post(body, posts.headers(body, FORM)).status_code == 200
            time.sleep(SHORT_S / 4)


def test_what_is_cut_off_leaves_neither_a_trace_nor_an_error(
    limited: LimitedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = counts(limited.office)
    for sent in (
        b"",
        b"P",
        POST,
        POST + b"Content-Length: 50\r\n\r\nwords",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nwo",
    ):
        limited.connect().close()
        with closing(limited.connect()) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            received(connection)
    assert counts(limited.office) == before
    assert [record.getMessage() for record in caplog.records if record.name != "httpx"] == []
