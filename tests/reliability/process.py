"""`scribe run` as a process that tests kill and restart."""

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

START_S, END_S = 60.0, 60.0
RUN, MIGRATE = ("-m", "bot", "run"), ("-m", "bot", "migrate")


class ExitedError(Exception):
    """The process exited before it was ready."""


@dataclass(slots=True, kw_only=True)
class ScribeProcess:
    """The process, its fake Slack, and the database at `url`. `up` is set while it answers.

    Slack waits at most `wait_s` seconds for an answer. In Socket Mode that is also the time lost by a kill: the fake
    Slack does not notice that the connection is gone.
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
        """The environment variables of the process."""
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
        """Start the process without waiting until it answers; over HTTP it listens on `port`."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - fixed arguments
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
            self._wait_for(lambda: self.slack.connections > 0)
        self.up.set()

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send the signal, wait for the process to end, and return its exit code."""
        assert self.process is not None
        self.up.clear()
        self.process.send_signal(number)
        code = self.process.wait(END_S)
        self.process = None
        if self.transport != HTTP:
            # The fake Slack notices the closed connection a moment later.
            self.slack.wait_for(lambda: not self.slack.connections, within_s=END_S)
        return code

    def caller(self) -> socket.socket:
        """A connection to its HTTP port."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def log(self) -> str:
        """Its standard output and error so far."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + START_S
        while not condition():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline_s:
                raise ExitedError(self.log())
            time.sleep(0.01)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def scribe_process(transport: str, url: str, folder: Path) -> Iterator[ScribeProcess]:
    """A process, not started yet, with a fake Slack; it is killed at the end of the block."""
    slack = Slack(clock=now)
    with slack.serving():
        process = ScribeProcess(slack=slack, transport=transport, url=url, folder=folder)
        try:
            yield process
        finally:
            if process.process is not None:
                process.process.kill()
                process.process.wait()
