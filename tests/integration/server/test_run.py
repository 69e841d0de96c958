import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bot.clock import now
from bot.fakeslack.slack import Slack
from bot.run import tick_intervals
from bot.server.threaded import base_url, listen
from storage import timeline
from storage.database import Database
from storage.models import outbox as jobs
from storage.spool import Spool
from tests.support.paths import ROOT
from tests.support.workplace import ACK_S, HTTP, SOCKET, Workplace

START_S, STOP_S = 60.0, 30.0


def until(told: Callable[[], bool], within_s: float) -> None:
    give_up_at_s = time.monotonic() + within_s
    while not told():
        assert time.monotonic() < give_up_at_s, f"not so within {within_s} s"
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@dataclass
class Process:
    """`scribe run` as an operator runs it: a process of its own, in another folder."""

    slack: Slack
    transport: str
    folder: Path
    port: int = 0
    database_url: str = ""
    running: subprocess.Popen[str] | None = None
    ended: list[str] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        tokens = {
            HTTP: {"SLACK_SIGNING_SECRET": self.slack.signing_secret},
            SOCKET: {"SLACK_APP_TOKEN": self.slack.app_token},
        }
        return {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT),
            "DATABASE_URL": self.database_url or f"sqlite:///{self.folder}/scribe.db",
            "SLACK_BOT_TOKEN": self.slack.bot_token, "SLACK_API_URL": self.slack.api_url,
            "SCRIBE_SPOOL": f"{self.folder}/spool", **tokens[self.transport],
        }  # fmt: skip

    def start(self, *more: str) -> None:
        self.port = free_port()
        self.running = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "bot", "run", "--port", str(self.port), *more],
            cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if self.transport == HTTP:
            until(self._healthy, START_S)
            self.slack.deliver_to(f"http://127.0.0.1:{self.port}/slack/events", wait_s=ACK_S)
        else:
            self.slack.socket_wait_s = ACK_S
            self.slack.wait_connected(within_s=START_S)

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def end(self, number: signal.Signals) -> int:
        """Send the signal; the exit code, once the process has gone."""
        assert self.running is not None
        self.running.send_signal(number)
        _, told = self.running.communicate(timeout=STOP_S)
        self.ended.append(told)
        code, self.running = self.running.returncode, None
        return code


@contextmanager
def process(transport: str, folder: Path) -> Iterator[Process]:
    slack = Slack(clock=now)
    with slack.serving():
        made = Process(slack, transport, folder)
        try:
            yield made
        finally:
            if made.running is not None:
                made.end(signal.SIGKILL)


def texts(folder: Path) -> list[str]:
    database = Database(f"sqlite:///{folder}/scribe.db")
    with database.read() as connection:
        found = [entry.text for entry in timeline.of_incident(connection, 1)]
    database.close()
    return found


def waiting(folder: Path) -> set[str]:
    """The actions of the jobs that wait."""
    database = Database(f"sqlite:///{folder}/scribe.db")
    with database.read() as connection:
        found = set(connection.execute(select(jobs.c.action).where(jobs.c.state == "waiting")).scalars())
    database.close()
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_records_until_it_is_told_to_stop_and_leaves_in_peace(
    tmp_path: Path, transport: str, number: signal.Signals
) -> None:
    with process(transport, tmp_path) as scribe:
        scribe.start()
        alice, channel = scribe.slack.add_user("alice", zone="UTC"), scribe.slack.add_channel("incident")
        assert scribe.slack.command(alice, channel, "/detected", "disk full").text.startswith("Detected · ")
        assert scribe.end(number) == 0
        assert "Traceback" not in scribe.ended[0]
    assert texts(tmp_path) == ["disk full"]


def test_killed_at_any_instant_it_has_every_acknowledged_entry_and_still_delivers_the_draft(
    tmp_path: Path, transport: str
) -> None:
    with process(transport, tmp_path) as scribe:
        scribe.start()
        slack = scribe.slack
        alice, channel = slack.add_user("alice", zone="UTC"), slack.add_channel("incident")
        # The draft does not get through at once, so it is still in the outbox when the process dies.
        slack.fail_next("files.getUploadURLExternal", error="internal_error")
        typed = [("/detected", "disk full"), *(("/note", f"look {turn}") for turn in range(20)), ("/resolved", "over")]
        for command, words in typed:
            assert slack.command(alice, channel, command, words).ok
        until(lambda: not slack.faults and "document" in waiting(tmp_path), START_S)
        assert scribe.end(signal.SIGKILL) == -signal.SIGKILL
        assert not slack.files
        assert texts(tmp_path) == [words for _, words in typed]
        scribe.start()
        slack.wait_for(lambda: slack.files)
        assert [each.name for each in slack.files] == [
            "INC-1-postmortem-v1.md",
            "INC-1-timeline.png",
            # Of more than a few entries.
            "INC-1-timeline-phone.png",
        ]
        assert slack.command(alice, channel, "/reopened", "again").ok
        assert scribe.end(signal.SIGTERM) == 0


def test_while_its_database_cannot_be_reached_it_starts_and_keeps_what_is_typed(tmp_path: Path) -> None:
    with process(HTTP, tmp_path) as scribe, socket.create_server(("127.0.0.1", 0)) as unused:
        scribe.database_url = f"postgresql://scribe@127.0.0.1:{unused.getsockname()[1]}/scribe?connect_timeout=1"
        unused.close()
        scribe.start()
        alice, channel = scribe.slack.add_user("alice", zone="UTC"), scribe.slack.add_channel("incident")
        assert scribe.slack.command(alice, channel, "/detected", "disk full").text.startswith("Kept · Detected")
        assert scribe.end(signal.SIGTERM) == 0
        assert "Traceback" not in scribe.ended[0]
    assert Spool(tmp_path / "spool").count() == 1


def test_the_probes_have_a_port_of_their_own_in_either_mode_and_the_log_tells_ids_and_no_words(
    tmp_path: Path, transport: str
) -> None:
    port = free_port()
    with process(transport, tmp_path) as scribe:
        scribe.start("--health-port", str(port))
        alice, channel = scribe.slack.add_user("alice", zone="UTC"), scribe.slack.add_channel("incident")
        assert scribe.slack.command(alice, channel, "/detected", "by monitoring: the secret runbook").ok
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as probe:
            assert probe.get("/healthz").json() == {"ok": True}
            told = probe.get("/readyz").json()
            until(lambda: 'scribe_entries_total{kind="detected"} 1.0' in probe.get("/metrics").text, START_S)
        assert told["ready"]
        assert ("socket" in told["parts"]) == (transport == SOCKET)
        if transport == HTTP:
            assert httpx.get(f"http://127.0.0.1:{scribe.port}/metrics", trust_env=False).status_code == 404
        assert scribe.end(signal.SIGTERM) == 0
    lines = [json.loads(line) for line in scribe.ended[0].splitlines()]
    (done,) = [line for line in lines if line.get("command") == "detected"]
    assert (done["event"], done["workspace"], done["incident"]) == ("done", scribe.slack.team_id, "INC-1")
    assert len(done["request"]) == 12
    assert "runbook" not in scribe.ended[0]
    assert scribe.slack.bot_token not in scribe.ended[0]


def test_it_is_alive_and_not_ready_while_socket_mode_finds_no_slack(tmp_path: Path) -> None:
    port = free_port()
    with process(SOCKET, tmp_path) as scribe:
        scribe.slack.fail_next("apps.connections.open", error="internal_error", status=500, times=100)
        scribe.running = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**scribe.environment(), "SCRIBE_HEALTH_PORT": str(port), "SCRIBE_LOG_FORMAT": "text"}, text=True,
        )  # fmt: skip
        until(lambda: len(scribe.slack.faults) < 100, START_S)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as probe:
            assert probe.get("/healthz").status_code == 200
            answer = probe.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]["socket"]) == (503, {"state": "down"})
        assert scribe.end(signal.SIGTERM) == 0
        assert " warning bot.slack.inbound.socket: Slack is not reached" in scribe.ended[0]


def test_a_health_port_in_use_ends_it_with_a_word_about_it(tmp_path: Path) -> None:
    with process(HTTP, tmp_path) as scribe, listen(0) as taken:
        port = base_url(taken).rpartition(":")[2]
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "bot", "run", "--health-port", port],
            cwd=tmp_path, env=scribe.environment(), capture_output=True, text=True, timeout=START_S, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert f"SCRIBE_HEALTH_PORT: 127.0.0.1:{port}: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_looks_every_minute_whether_anybody_is_to_be_reminded(office: Workplace) -> None:
    assert tick_intervals(office.bot)[office.bot.remind] == 60


def test_socket_mode_begins_when_slack_is_back(tmp_path: Path) -> None:
    with process(SOCKET, tmp_path) as scribe:
        scribe.slack.fail_next("apps.connections.open", error="internal_error", status=500)
        scribe.start()
        assert scribe.end(signal.SIGTERM) == 0


def test_it_stops_at_once_while_slack_is_away(tmp_path: Path) -> None:
    with process(SOCKET, tmp_path) as scribe:
        scribe.slack.fail_next("apps.connections.open", error="internal_error", status=500, times=100)
        scribe.running = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"],
            cwd=tmp_path, env=scribe.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until(lambda: len(scribe.slack.faults) < 100, START_S)
        assert scribe.end(signal.SIGTERM) == 0


def test_a_token_slack_does_not_take_ends_it_with_a_word_about_it(tmp_path: Path) -> None:
    with process(SOCKET, tmp_path) as scribe:
        environment = {**scribe.environment(), "SLACK_APP_TOKEN": "xapp-1-wrong"}
        done = subprocess.run(
            [sys.executable, "-m", "bot", "run"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=START_S, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "SLACK_APP_TOKEN: Slack does not take it (invalid_auth)" in done.stderr
    assert "Traceback" not in done.stderr
    assert "wrong" not in done.stderr


def test_a_port_in_use_ends_it_with_a_word_about_it(tmp_path: Path) -> None:
    with process(HTTP, tmp_path) as scribe, listen(0) as taken:
        port = base_url(taken).rpartition(":")[2]
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "bot", "run", "--port", port],
            cwd=tmp_path, env=scribe.environment(), capture_output=True, text=True, timeout=START_S, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.endswith(f"Error: 127.0.0.1:{port}: Address already in use. Choose another with --port.\n")
    assert "listening" not in done.stderr
