"""Clients that take their time, send too much, or only hold the line."""

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

SHORT_S, AWAIT_S = 0.2, 10.0
HOST = b"Host: scribe.example\r\n"
POST = b"POST /slack/events HTTP/1.1\r\n" + HOST


@dataclass
class Impatient:
    """The bot behind a face with small bounds."""

    office: Workplace
    url: str

    def connect(self) -> socket.socket:
        address = urlsplit(self.url)
        return socket.create_connection((address.hostname, address.port), timeout=AWAIT_S)

    def command(self, text: str) -> tuple[int, str]:
        """`/note text` as Slack posts it to this face."""
        payload = {**self.office.answers[0].delivery.payload, "command": "/note", "text": text, "trigger_id": text}
        return self.office.slack.post_signed(self.url, urlencode(payload))


@pytest.fixture
def impatient(office: Workplace) -> Iterator[Impatient]:
    office.say("/detected disk full")
    with face(office, LimitedHttpProtocol.with_limits(head_s=SHORT_S, head_limit=2_000, max_connections=20)) as url:
        yield Impatient(office, url)


@contextmanager
def face(office: Workplace, http: type[LimitedHttpProtocol]) -> Iterator[str]:
    with serve(office.bot, office.bot.context.settings, http=http, body_s=SHORT_S) as url:
        yield url


def told(line: socket.socket) -> bytes:
    """All that comes until the other side closes the line; a TimeoutError if it never does."""
    pieces = []
    try:
        while piece := line.recv(65_536):
            pieces.append(piece)
    except ConnectionError:
        pass
    return b"".join(pieces)


def takes(line: socket.socket, pieces: Iterable[bytes], *, pause_s: float = 0) -> bool:
    """Whether the other side takes all of the pieces, one after the other."""
    try:
        for piece in pieces:
            line.sendall(piece)
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
def test_whoever_does_not_go_on_loses_the_line(impatient: Impatient, sent: bytes, answer: int) -> None:
    with closing(impatient.connect()) as line:
        line.sendall(sent)
        assert status(told(line)) == answer


def test_a_head_that_comes_letter_by_letter_ends_in_time(impatient: Impatient) -> None:
    with closing(impatient.connect()) as line:
        assert not takes(line, chain([POST, b"X-Long: "], repeat(b"a", 5_000)), pause_s=0.005)
    assert impatient.command("after")[0] == 200


def test_a_body_that_comes_letter_by_letter_ends_in_time(impatient: Impatient) -> None:
    with closing(impatient.connect()) as line:
        letters = chain([POST + b"Content-Length: 5000\r\n\r\n"], repeat(b"a", 4_999))
        assert not takes(line, letters, pause_s=0.005)
    assert impatient.command("after")[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        POST + b"X-Long: " + b"a" * 3_000 + b"\r\n\r\n",
        POST + b"".join(b"X-%d: a\r\n" % number for number in range(500)) + b"\r\n",
        b"GET /" + b"a" * 3_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
def test_a_head_that_is_too_large_is_refused(impatient: Impatient, head: bytes) -> None:
    with closing(impatient.connect()) as line:
        line.sendall(head)
        assert status(told(line)) == 431


def test_a_head_without_an_end_is_refused_while_it_comes(office: Workplace) -> None:
    office.say("/detected disk full")
    bounds = LimitedHttpProtocol.with_limits(head_s=60, head_limit=2_000)
    with face(office, bounds) as url, closing(Impatient(office, url).connect()) as line:
        assert not takes(line, chain([POST], (b"X-%d: a\r\n" % number for number in range(1_000_000))))


def test_a_body_that_turns_out_too_large_is_refused(impatient: Impatient) -> None:
    head, piece = b"Transfer-Encoding: chunked\r\n\r\n", b"2710\r\n" + b"a" * 10_000 + b"\r\n"
    with closing(impatient.connect()) as line:
        line.sendall(POST + head)
        sent = 0
        # Not a piece more than may be: what is not read would make the answer be lost on its way.
        while sent <= BODY_LIMIT:
            line.sendall(piece)
            sent += 10_000
        answer = told(line)
    assert status(answer) == 413
    assert b"connection: close" in answer


def test_a_length_that_is_too_large_is_refused_before_anything_is_read(impatient: Impatient) -> None:
    with closing(impatient.connect()) as line:
        line.sendall(POST + b"Content-Length: 999999999\r\n\r\n")
        assert status(told(line)) == 413


def test_idle_lines_cost_the_one_that_waited_longest_its_place(office: Workplace) -> None:
    office.say("/detected disk full")
    with face(office, LimitedHttpProtocol.with_limits(head_s=60, max_connections=20)) as url, ExitStack() as lines:
        impatient = Impatient(office, url)
        idle = [lines.enter_context(closing(impatient.connect())) for _ in range(100)]
        for number in range(3):
            assert impatient.command(f"while they hold the line {number}")[0] == 200
        assert told(idle[0]) == b""
        idle[-1].settimeout(0)
        with pytest.raises(BlockingIOError):
            idle[-1].recv(1)


def test_a_line_that_is_kept_serves_one_request_after_another(impatient: Impatient) -> None:
    posts = HttpTransport(url=impatient.url, wait_s=AWAIT_S, secret=impatient.office.slack.signing_secret)
    with closing(posts):
        for number in range(3):
            payload = {**impatient.office.answers[0].delivery.payload, "command": "/note", "text": f"n{number}"}
            body = urlencode({**payload, "trigger_id": f"t{number}"})
            assert posts.post(body, posts.headers(body, FORM)).status_code == 200
            time.sleep(SHORT_S / 4)


def test_what_is_cut_off_leaves_neither_a_trace_nor_an_error(
    impatient: Impatient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = counts(impatient.office)
    for sent in (
        b"",
        b"P",
        POST,
        POST + b"Content-Length: 50\r\n\r\nwords",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nwo",
    ):
        impatient.connect().close()
        with closing(impatient.connect()) as line:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            told(line)
    assert counts(impatient.office) == before
    assert [record.getMessage() for record in caplog.records if record.name != "httpx"] == []
