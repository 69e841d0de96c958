"""The floor: the least that answers a signed request durably. `python -m tests.benchmarks.floor PORT FILE SECRET`."""

import hashlib
import hmac
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ANSWER = b'{"response_type": "in_channel", "text": "Detected"}'


class Store:
    """An SQLite file; a connection for each thread, one writer at a time, durable as Scribe's is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._connection().execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = sqlite3.connect(self._path, isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                self._local.connection.execute(f"PRAGMA {pragma}")
        connection: sqlite3.Connection = self._local.connection
        return connection

    def keep(self, body: str) -> None:
        """Insert and commit."""
        connection = self._connection()
        with self._lock:
            connection.execute("INSERT INTO entries (body) VALUES (?)", (body,))


def handler(store: Store, secret: bytes) -> type[BaseHTTPRequestHandler]:
    """What answers a request: check the signature, keep the body, say a fixed word."""

    class Floor(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signed = b"v0:" + self.headers["X-Slack-Request-Timestamp"].encode() + b":" + body
            signature = "v0=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(signature, self.headers["X-Slack-Signature"]):
                self.send_error(401)
                return
            store.keep(body.decode())
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http.server
            """Say nothing."""

    return Floor


class Server(ThreadingHTTPServer):
    """A thread for each connection, and room for many that come at once."""

    request_queue_size = 128


def main(port: str, path: str, secret: str) -> None:
    """Serve until ended."""
    Server(("127.0.0.1", int(port)), handler(Store(Path(path)), secret.encode())).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
