"""`scribe run` as a process that may be killed at any moment, and started anew."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.clock import now
from bot.fakeslack.slack import Slack
from tests.support.paths import ROOT
from tests.support.workplace import HTTP

START_S, END_S = 60.0, 20.0
RUN, MIGRATE = ("-m", "bot", "run"), ("-m", "bot", "migrate")


class GoneError(Exception):
    """It ended before it was up."""


@dataclass(slots=True, kw_only=True)
class Victim:
    """The process, its Slack, and the database at `url`. `up` is set while it answers.

    Slack gives an answer up after `wait_s` seconds. The stand-in does not notice that a connection has gone under an
    envelope of Socket Mode, so this is also what a kill costs there.
    """

    slack: Slack
    transport: str
    url: str
    folder: Path
    wait_s: float = 3.0
    up: threading.Event = field(default_factory=threading.Event)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    def environment(self) -> Mapping[str, str]:
        """What the process is told."""
        mode = (
            {"SLACK_SIGNING_SECRET": self.slack.signing_secret}
            if self.transport == HTTP
            else {"SLACK_APP_TOKEN": self.slack.app_token}
        )
        return {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": self.url,
            "SLACK_BOT_TOKEN": self.slack.bot_token, "SLACK_API_URL": self.slack.api_url,
            "SCRIBE_SPOOL": f"{self.folder}/spool", "SCRIBE_LOG_LEVEL": "WARNING", **mode,
        }  # fmt: skip

    def spawn(self, arguments: Sequence[str] = RUN) -> None:
        """Start the process, and do not wait until it answers; over HTTP it will on `port`."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, *arguments, *([] if arguments == MIGRATE else ["--port", str(self.port)])],
                cwd=self.folder, env=self.environment(), stdout=log, stderr=log,
            )  # fmt: skip

    def start(self, arguments: Sequence[str] = RUN) -> None:
        """Start the process, and return once it answers."""
        self.spawn(arguments)
        if self.transport == HTTP:
            self._wait_for(lambda: _listens(self.port))
            self.slack.deliver_to(f"http://127.0.0.1:{self.port}/slack/events", wait_s=self.wait_s)
        else:
            self.slack.socket_wait_s = self.wait_s
            self._wait_for(self._connected)
        self.up.set()

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send the signal, and wait for the end; the exit code."""
        assert self.process is not None
        self.up.clear()
        self.process.send_signal(number)
        code = self.process.wait(END_S)
        self.process = None
        if self.transport != HTTP:
            # The stand-in notices a moment later that nobody is there any more.
            self.slack.wait_for(lambda: not self.slack.connections, within_s=END_S)
        return code

    def caller(self) -> socket.socket:
        """A connection to its HTTP port."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def log(self) -> str:
        """What it has said on its standard output and error."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def _connected(self) -> bool:
        return self.slack.connections > 0

    def _wait_for(self, told: Callable[[], bool]) -> None:
        give_up_at_s = time.monotonic() + START_S
        while not told():
            if self.process is None or self.process.poll() is not None or time.monotonic() > give_up_at_s:
                raise GoneError(self.log())
            time.sleep(0.01)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def victim(transport: str, url: str, folder: Path) -> Iterator[Victim]:
    """A process that is not started yet, in a workplace of its own; it is gone with the block."""
    slack = Slack(clock=now)
    with slack.serving():
        made = Victim(slack=slack, transport=transport, url=url, folder=folder)
        try:
            yield made
        finally:
            if made.process is not None:
                made.process.kill()
                made.process.wait()
