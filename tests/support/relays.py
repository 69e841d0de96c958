"""What stands between Scribe and a PostgreSQL server: PgBouncer and HAProxy, each a real process."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import URL

_START_S = 20.0
_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin"
"""Where Debian puts servers; not everybody's PATH has it."""
PGBOUNCER = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
{more}
"""
HAPROXY = """
global
    stats timeout 1s
defaults
    mode tcp
    timeout connect 1s
    timeout client {idle_ms}ms
    timeout server {idle_ms}ms
listen postgres
    bind 127.0.0.1:{port}
    server one {address}
"""


@dataclass(kw_only=True)
class Relay:
    """A process that relays to a server, at the same port each time it is started."""

    arguments: list[str]
    port: int
    process: subprocess.Popen[bytes] | None = None
    url: str = ""

    def start(self) -> None:
        """Start it, and return once it takes connections."""
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own words
        give_up_s = time.monotonic() + _START_S
        while not _listens(self.port):
            assert self.process.poll() is None, "it ended at once"
            assert time.monotonic() < give_up_s, "it takes no connection"
            time.sleep(0.02)

    def stop(self) -> None:
        """Kill it: every connection through it breaks."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextmanager
def pgbouncer(server: URL, *, mode: str = "transaction", size: int = 3, more: str = "") -> Iterator[Relay]:
    """PgBouncer in front of the server, with at most `size` connections to it; `more` are lines of its settings."""
    host, port = _place(server)
    password = f" password={server.password}" if server.password else ""
    leads_to = f"host={host} port={port} user={server.username or 'postgres'}{password}"
    with _ready("pgbouncer") as (program, free, folder):
        settings = folder / "pgbouncer.ini"
        settings.write_text(PGBOUNCER.format(server=leads_to, port=free, mode=mode, size=size, more=more))
        as_user = ["-u", _other_user(host)] if os.geteuid() == 0 else []
        yield from _running(Relay(arguments=[program, "-q", *as_user, str(settings)], port=free), server)


@contextmanager
def haproxy(server: URL, *, idle_ms: int = 60_000) -> Iterator[Relay]:
    """HAProxy in front of the server, which closes connections that are idle for `idle_ms`."""
    host, port = _place(server)
    address = f"unix@{host}/.s.PGSQL.{port}" if host.startswith("/") else f"{host}:{port}"
    with _ready("haproxy") as (program, free, folder):
        settings = folder / "haproxy.cfg"
        settings.write_text(HAPROXY.format(address=address, port=free, idle_ms=idle_ms))
        yield from _running(Relay(arguments=[program, "-q", "-db", "-f", str(settings)], port=free), server)


@contextmanager
def _ready(name: str) -> Iterator[tuple[str, int, Path]]:
    """The program, a free port, and a folder that another user can read."""
    program = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM_FOLDERS}")
    if program is None:
        pytest.skip(f"no {name}: apt-get install {name}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    with TemporaryDirectory(prefix=f"scribe-{name}-") as folder:
        Path(folder).chmod(0o755)
        yield program, free, Path(folder)


def _running(relay: Relay, server: URL) -> Iterator[Relay]:
    at_relay = server.set(host="127.0.0.1", port=relay.port, username=server.username or "postgres", query={})
    relay.url = at_relay.render_as_string(hide_password=False)
    relay.start()
    try:
        yield relay
    finally:
        relay.stop()


def _place(server: URL) -> tuple[str, int]:
    """The host, or the folder of the Unix socket, and the port."""
    return str(server.query.get("host") or server.host or "127.0.0.1"), server.port or 5432


def _other_user(host: str) -> str:
    """PgBouncer refuses to run as root: it runs as the server's user, who alone may enter its socket's folder."""
    owner = Path(host).stat().st_uid if host.startswith("/") else 0
    return pwd.getpwuid(owner).pw_name if owner else "nobody"
