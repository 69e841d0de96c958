"""Clients that send slowly, send too much, or hold idle connections."""

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
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
UNSIGNED = b"POST /slack/events HTTP/1.1\r\n" + HOST
POST = UNSIGNED + b"X-Slack-Signature: v0=" + b"0" * 64 + b"\r\nX-Slack-Request-Timestamp: NOW\r\n"
"""The beginning of a request that looks like Slack's until its body is there, once it is `dated`."""


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


def dated(sent: bytes, *, ago_s: int = 0) -> bytes:
    """What is sent, with the time for its NOW."""
    return sent.replace(b"NOW", b"%d" % (time.time() - ago_s))


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
            connection.sendall(dated(piece))
            time.sleep(pause_s)
    except ConnectionError:
        return False
    return True


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def next_status(connection: socket.socket) -> int:
    """The status of the next answer on a kept connection, of which the body is read too: it may come in two pieces."""
    response = HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", 0),
        (b"\r\n", 0),
        (b"P", 408),
        (POST, 408),
        (POST + b"X-More: ", 408),
        (POST + b"Content-Length: 5\r\n\r\nab", 408),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", 408),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", 408),
        (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n\r\n", 200),
        (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\nGET /hea", 200),
        (POST.replace(b"/slack/events", b"/nowhere") + b"Content-Length: 9\r\n\r\nab", 404),
    ],
)
def test_a_client_that_stops_sending_is_disconnected(limited: LimitedServer, sent: bytes, answer: int) -> None:
    with closing(limited.connect()) as connection:
        connection.sendall(dated(sent))
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
        connection.sendall(dated(head))
        assert status(received(connection)) == 431


def test_a_head_without_an_end_is_refused_while_it_comes(office: Workplace) -> None:
    office.say("/detected disk full")
    limits = LimitedHttpProtocol.with_limits(head_s=60, head_limit=2_000)
    with serve_limited(office, limits) as url, closing(LimitedServer(office, url).connect()) as connection:
        assert not takes(connection, chain([POST], (b"X-%d: a\r\n" % number for number in range(1_000_000))))


def test_a_body_that_turns_out_too_large_is_refused(limited: LimitedServer) -> None:
    head, piece = b"Transfer-Encoding: chunked\r\n\r\n", b"2710\r\n" + b"a" * 10_000 + b"\r\n"
    with closing(limited.connect()) as connection:
        connection.sendall(dated(POST + head))
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
        connection.sendall(dated(POST) + b"Content-Length: 999999999\r\n\r\n")
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


SIGNATURE = b"X-Slack-Signature: v0=" + b"0" * 64 + b"\r\n"
TIMESTAMP = b"X-Slack-Request-Timestamp: NOW\r\n"
LENGTH = b"Content-Length: 500000\r\n\r\n"


@pytest.mark.parametrize(
    ("headers", "ago_s"),
    [
        (b"", 0),
        (SIGNATURE, 0),
        (TIMESTAMP, 0),
        (SIGNATURE.replace(b"0" * 64, b"0" * 63) + TIMESTAMP, 0),
        (SIGNATURE.replace(b"0" * 64, b"g" * 64) + TIMESTAMP, 0),
        (SIGNATURE.replace(b"v0", b"v1") + TIMESTAMP, 0),
        (SIGNATURE + TIMESTAMP.replace(b"NOW", b"soon"), 0),
        (SIGNATURE + TIMESTAMP.replace(b"NOW", b"9" * 400), 0),
        (SIGNATURE + TIMESTAMP.replace(b"NOW", b"-5"), 0),
        (SIGNATURE + TIMESTAMP, 310),
        (SIGNATURE + TIMESTAMP, -310),
    ],
)
def test_what_does_not_look_signed_is_refused_at_its_head(limited: LimitedServer, headers: bytes, ago_s: int) -> None:
    with closing(limited.connect()) as connection:
        connection.sendall(dated(UNSIGNED + headers + LENGTH, ago_s=ago_s))
        answer = received(connection)
    assert status(answer) == 401
    assert b"connection: close" in answer


def test_a_signature_that_is_wrong_is_refused_once_its_body_is_there(limited: LimitedServer) -> None:
    with closing(limited.connect()) as connection:
        connection.sendall(dated(POST + b"Content-Length: 5\r\n\r\nwords"))
        answer = received(connection)
    assert status(answer) == 401
    assert b"connection: close" in answer


@pytest.mark.parametrize("sent", [b"", b"P", POST, POST + LENGTH + b"words"])
def test_slacks_kept_connection_outlives_any_number_of_others(office: Workplace, sent: bytes) -> None:
    office.say("/detected disk full")
    limits = LimitedHttpProtocol.with_limits(head_s=60, max_connections=20)
    with serve(office.bot, office.bot.context.settings, http=limits, body_s=60) as url, ExitStack() as connections:
        limited = LimitedServer(office, url)
        posts = HttpTransport(url=url, wait_s=AWAIT_S, secret=office.slack.signing_secret)
        connections.enter_context(closing(posts))
        keeps = connections.enter_context(closing(limited.connect()))
        for number in range(4):
            body = urlencode({**office.answers[0].delivery.payload, "command": "/note", "text": f"n{number}",
                              "trigger_id": f"t{number}"})  # fmt: skip
            signed = "".join(f"{name}: {value}\r\n" for name, value in posts.headers(body, FORM).items())
            head = f"POST /slack/events HTTP/1.1\r\nHost: x\r\n{signed}Content-Length: {len(body)}\r\n\r\n"
            keeps.sendall(head.encode() + body.encode())
            assert next_status(keeps) == 200
            for _ in range(100):
                connections.enter_context(closing(limited.connect())).sendall(dated(sent))


def test_of_those_that_are_not_slacks_the_address_with_most_gives_way(office: Workplace) -> None:
    limits = LimitedHttpProtocol.with_limits(head_s=60, max_connections=20)
    with serve_limited(office, limits) as url, ExitStack() as connections:
        limited = LimitedServer(office, url)
        place = urlsplit(url).hostname, urlsplit(url).port
        alone = socket.create_connection(place, timeout=AWAIT_S, source_address=("127.0.0.2", 0))
        connections.enter_context(closing(alone)).sendall(b"GET /healthz HTTP/1.1\r\n")
        many = [connections.enter_context(closing(limited.connect())) for _ in range(60)]
        assert received(many[0]) == b""
        alone.sendall(HOST + b"\r\n")
        assert status(alone.recv(65_536)) == 200


def test_hundreds_of_unsigned_and_slow_connections_a_second_delay_no_signed_request(office: Workplace) -> None:
    office.say("/detected disk full")
    limits = LimitedHttpProtocol.with_limits(max_connections=100)
    with serve(office.bot, office.bot.context.settings, http=limits) as url, ExitStack() as stack:
        limited, stop, opened = LimitedServer(office, url), threading.Event(), [0]

        def attack(sent: bytes) -> None:
            held: deque[socket.socket] = deque()
            while not stop.is_set():
                with suppress(OSError):
                    held.append(limited.connect())
                    held[-1].sendall(dated(sent))
                    opened[0] += 1
                if len(held) > 60:
                    held.popleft().close()
            for each in held:
                each.close()

        kinds = (b"", POST, POST + LENGTH, UNSIGNED + LENGTH)
        for kind in kinds:
            thread = threading.Thread(target=attack, args=(kind,))
            thread.start()
            stack.callback(thread.join)
        stack.callback(stop.set)
        answered = 0
        while opened[0] < 400 or answered < 10:
            answered += 1
            assert limited.command(f"in the midst {answered}")[0] == 200


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
            connection.sendall(dated(sent))
            connection.shutdown(socket.SHUT_WR)
            received(connection)
    assert counts(limited.office) == before
    assert [record.getMessage() for record in caplog.records if record.name != "httpx"] == []
