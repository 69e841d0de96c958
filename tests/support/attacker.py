"""A server in Slack's place that is Slack to most channels, and something else to one."""

import gzip
import itertools
import shutil
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.impostor import Impostor, impostor

_READ_S = 60.0
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing resets the connection."""


@dataclass(kw_only=True)
class Line:
    """The connection of one request. `elsewhere` is another host, to which nobody must go."""

    connection: socket.socket
    elsewhere: str
    over: threading.Event

    def send(self, *pieces: bytes) -> None:
        """Send the pieces."""
        for piece in pieces:
            self.connection.sendall(piece)

    def send_without_end(self, pieces: Iterable[bytes], *, every_s: float = 0.0) -> None:
        """Send until the other side has enough, or the test is over."""
        for piece in pieces:
            if self.over.wait(every_s):
                return
            self.connection.sendall(piece)

    def reset(self) -> None:
        """Break the connection."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


Trick = Callable[[Line], None]
DRIP_S = 0.05


def answer(status: str, body: bytes = b"", *headers: str) -> Trick:
    """A whole answer."""

    def play(line: Line) -> None:
        lines = (f"HTTP/1.1 {status}", "Content-Type: text/html", *headers, f"Content-Length: {len(body)}", "", "")
        line.send("\r\n".join(lines).encode(), body)

    return play


def raw(*pieces: bytes) -> Trick:
    """Bytes that need be no HTTP."""
    return lambda line: line.send(*pieces)


def endless(begin: bytes, piece: bytes, *, every_s: float = 0.0) -> Trick:
    """An answer that goes on."""

    def play(line: Line) -> None:
        line.send(begin)
        line.send_without_end(itertools.repeat(piece), every_s=every_s)

    return play


def redirect(status: int) -> Trick:
    """A redirect to elsewhere."""

    def play(line: Line) -> None:
        answer(f"{status} Elsewhere", b"", f"Location: {line.elsewhere}chat.postMessage")(line)

    return play


def cut(begin: bytes) -> Trick:
    """A connection that breaks after the beginning of an answer."""

    def play(line: Line) -> None:
        line.send(begin)
        line.reset()

    return play


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PAGE = b"<html>Sign in to the network: a secret page</html>"
FINE = b'{"ok": true, "channel": "C1", "ts": "1.2"}'
BOMB = gzip.compress(b"\0" * 50_000_000)
MEGABYTE = b" " * 1_000_000
SHORT: dict[str, Trick] = {
    "a page with 200": answer("200 OK", PAGE),
    "a page with 403": answer("403 Forbidden", PAGE),
    "a page with 407": answer("407 Proxy Authentication Required", PAGE, "Proxy-Authenticate: Basic"),
    "a page with 502": answer("502 Bad Gateway", PAGE),
    "nothing": answer("200 OK"),
    "204": answer("204 No Content"),
    "null": answer("200 OK", b"null"),
    "a list": answer("200 OK", b"[]"),
    "an object": answer("200 OK", b"{}"),
    "a number as ok": answer("200 OK", b'{"ok": 1}'),
    "ok without what was asked for": answer("200 OK", b'{"ok": true}'),
    "ok with 500": answer("500 Oops", FINE),
    "a refusal without a word": answer("200 OK", b'{"ok": false, "error": {"code": 7}}'),
    "Latin-1": answer("200 OK", '{"ok": false, "error": "é"}'.encode("latin-1")),
    "UTF-16": answer("200 OK", FINE.decode().encode("utf-16")),
    "half of it": raw(HEAD + b"Content-Length: 500\r\n\r\n", FINE[:20]),
    "half a chunk": raw(CHUNKED + b"1f4\r\n", FINE[:20]),
    "deep JSON": answer("200 OK", b'{"ok":' + b"[" * 100_000),
    "a number of a million digits": answer("200 OK", b'{"ok": true, "ts": ' + b"9" * 1_000_000 + b"}"),
    "a packed answer": answer("200 OK", gzip.compress(FINE), "Content-Encoding: gzip"),
    "a packed bomb": answer("200 OK", BOMB, "Content-Encoding: gzip"),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.2p1 a secret page\r\n"),
    "HTTP of no version": raw(b"HTTP/7.7 200 OK\r\n\r\n", FINE),
    "a status of no number": raw(b"HTTP/1.1 fine a secret page\r\n\r\n", FINE),
    "a chunk of a negative size": raw(CHUNKED + b"-5\r\n", FINE),
    "a chunk of a word": raw(CHUNKED + b"secret\r\n", FINE),
    "a chunk of a huge size": raw(CHUNKED + b"7fffffffffffffff\r\n", FINE),
    "a huge length": raw(HEAD + b"Content-Length: 1000000000000\r\n\r\n", FINE),
    "a thousand headers": raw(HEAD + b"".join(b"X-%d: x\r\n" % number for number in range(1_000)) + b"\r\n"),
    "a header of a megabyte": raw(HEAD + b"X: ", MEGABYTE, b"\r\n\r\n"),
    "reset at once": cut(b""),
    "reset in the head": cut(HEAD),
    "reset in the body": cut(HEAD + b"Content-Length: 500\r\n\r\n{"),
    "closed at once": raw(),
    **{f"redirected with {status}": redirect(status) for status in (301, 302, 303, 307, 308)},
}
"""Answers that end."""
ENDLESS: dict[str, Trick] = {
    "no answer": endless(b"", b"", every_s=DRIP_S),
    "a drip in the status": endless(b"", b"H", every_s=DRIP_S),
    "a drip of headers": endless(HEAD, b"X: x\r\n", every_s=DRIP_S),
    "a drip in a body": endless(HEAD + b"Content-Length: 100000\r\n\r\n", b" ", every_s=DRIP_S),
    "a drip of chunks": endless(CHUNKED, b"1\r\n \r\n", every_s=DRIP_S),
    "a drip to the end": endless(HEAD + b"\r\n", b" ", every_s=DRIP_S),
    "ever to be continued": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "an endless header": endless(HEAD + b"X: ", MEGABYTE),
    "an endless body": endless(HEAD + b"\r\n", MEGABYTE),
    "300 MB": endless(HEAD + b"Content-Length: 300000000\r\n\r\n", MEGABYTE),
    "endless chunks": endless(CHUNKED, b"f4240\r\n" + MEGABYTE + b"\r\n"),
}
"""Answers that go on until somebody has enough."""
TRICKS = SHORT | ENDLESS


@dataclass(kw_only=True)
class Attacker:
    """Plays `trick` on each request that has `mark` in it, and passes the others on to `behind`, Slack's stand-in.

    `played` counts the requests it was played on; `elsewhere` has seen those that were led away.
    """

    behind: str
    elsewhere: Impostor
    trick: Trick | None = None
    mark: bytes = b""
    played: int = 0
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def handle(self, connection: socket.socket) -> None:
        """Answer one request."""
        connection.settimeout(_READ_S)
        head, body = _request(connection)
        if self.trick is not None and self.mark in head + body:
            self.played += 1
            with suppress(OSError):
                self.trick(Line(connection=connection, elsewhere=self.elsewhere.url, over=self.over))
        elif head:
            connection.sendall(self._passed_on(head, body))

    def _passed_on(self, head: bytes, body: bytes) -> bytes:
        request, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        slack = HTTPConnection(urlsplit(self.behind).netloc, timeout=_READ_S)
        try:
            slack.request("POST", request.split(" ")[1], body, headers)
            found = slack.getresponse()
            content = found.read()
        finally:
            slack.close()
        kept = "".join(f"{name}: {value}\r\n" for name, value in found.getheaders() if name.lower() == "retry-after")
        return f"HTTP/1.1 {found.status} -\r\n{kept}Content-Length: {len(content)}\r\n\r\n".encode() + content


def _request(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head and the body of a request."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        if not piece:
            return b"", b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
    while len(body) < int(length.split(b":")[1]):
        body += connection.recv(65_536)
    return head, body


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def certificate(folder: Path) -> Path:
    """A file with a new certificate of `localhost` and its key; the test is skipped where there is no openssl."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl")
    path = folder / "localhost.pem"
    files = ("-keyout", path, "-out", path.with_suffix(".crt"))
    about = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2")
    command = (program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *about)
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own words
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@contextmanager
def attacker(behind: str, certified_by: Path | None = None) -> Iterator[Attacker]:
    """An attacker in front of Slack's stand-in, within the block; over TLS where it has a `certificate`."""
    context = None if certified_by is None else ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if context is not None and certified_by is not None:
        context.load_cert_chain(certified_by)
    with impostor() as elsewhere:
        elsewhere.body = FINE
        found = Attacker(behind=behind, elsewhere=elsewhere)

        class Handler(socketserver.BaseRequestHandler):
            """One connection."""

            def handle(self) -> None:
                with suppress(ConnectionError, ssl.SSLError):
                    if context is None:
                        found.handle(self.request)
                    else:
                        with context.wrap_socket(self.request, server_side=True) as secure:
                            found.handle(secure)

        with _Server(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            origin = "http://127.0.0.1" if context is None else "https://localhost"
            found.url = f"{origin}:{server.server_address[1]}{urlsplit(behind).path}"
            try:
                yield found
            finally:
                found.over.set()
                server.shutdown()
                thread.join()
