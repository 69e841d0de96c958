"""Socket Mode connections that Slack closes, that are cut, half open or silent."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from bot.clock import now
from bot.config import Settings
from bot.fakeslack.delivery import DISPATCH_FAILED
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.slack import Slack
from bot.slack.bot import build
from bot.slack.inbound.socket import Keepalive, Socket, connect
from storage import timeline
from storage.database import Database
from tests.support.line import Line
from tests.support.workplace import ACK_S

PATIENT = Keepalive(ping_s=60, silent_s=60, lost_s=60, lived_s=0)


@dataclass
class Connected:
    """Fakeslack with Alice in a channel, and the bot's connection to it."""

    slack: Slack
    socket: Socket
    alice: str
    channel: str
    answers: list[Answer] = field(default_factory=list)

    def ask(self, words: str) -> Answer:
        return self.slack.command(self.alice, self.channel, "/note", words)

    def opened(self) -> int:
        return sum(call.method == "apps.connections.open" for call in self.slack.calls)

    def type_until(self, stopped: threading.Event, number: int) -> list[Answer]:
        answers: list[Answer] = []
        while not stopped.wait(0.01):
            answers.append(self.ask(f"{number} says {len(answers)}"))
        return answers


@contextmanager
def connected(
    sqlite: Database, spool: Path, keepalive: Keepalive = PATIENT, *, by: Line | None = None
) -> Iterator[Connected]:
    slack = Slack(clock=now)
    with slack.serving():
        if by is not None:
            by.lead_to(("127.0.0.1", int(slack.address.rpartition(":")[2])))
            slack.set_socket_address(f"http://127.0.0.1:{by.port}")
        settings = Settings.from_env(
            {
                "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url, "SCRIBE_SPOOL": str(spool),
            }
        )  # fmt: skip
        slack.socket_wait_s = ACK_S
        alice, channel = slack.add_user("alice", zone="UTC"), slack.add_channel("incident")
        bot = build(settings, sqlite)
        bot.refresh()
        socket = connect(bot, settings, keepalive=keepalive)
        slack.wait_connected()
        try:
            connected_slack = Connected(slack, socket, alice, channel)
            assert slack.command(alice, channel, "/detected", "disk full").ok
            yield connected_slack
        finally:
            socket.close()
            bot.stop()


@pytest.fixture
def line() -> Iterator[Line]:
    proxy = Line(("127.0.0.1", 0))
    yield proxy
    proxy.close()


def texts(database: Database) -> list[str]:
    with database.read() as connection:
        return [entry.text for entry in timeline.of_incident(connection, 1)]


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
def test_asked_to_reconnect_it_opens_the_next_connection_first_and_answers_every_envelope(
    sqlite: Database, tmp_path: Path, reason: str
) -> None:
    with connected(sqlite, tmp_path) as office, ThreadPoolExecutor(4) as pool:
        stopped = threading.Event()
        typing = [pool.submit(office.type_until, stopped, number) for number in range(4)]
        for times in range(2, 5):
            # Long enough to answer what is in hand on a busy machine; the client leaves by itself after five seconds.
            office.slack.disconnect_sockets(reason, grace_s=2)
            office.slack.wait_for(lambda: office.opened() == times and office.slack.connections)  # noqa: B023
        stopped.set()
        answers = [answer for each in typing for answer in each.result()]
        # While there was no connection, Slack delivered nothing.
        assert {answer.error for answer in answers} <= {None, DISPATCH_FAILED}
        answered = [answer.delivery.payload["text"] for answer in answers if answer.ok]
        assert sorted(texts(sqlite)) == sorted(["disk full", *answered])
        assert office.opened() == 4


def test_after_a_cut_it_connects_again(sqlite: Database, tmp_path: Path) -> None:
    with connected(sqlite, tmp_path) as office:
        office.slack.cut_sockets()
        office.slack.wait_connected()
        assert office.ask("again").ok


def test_while_slack_opens_no_connection_it_retries(sqlite: Database, tmp_path: Path) -> None:
    with connected(sqlite, tmp_path) as office:
        office.slack.fail_next("apps.connections.open", error="internal_error", status=500)
        office.slack.cut_sockets()
        office.slack.wait_connected()
        assert not office.slack.faults
        assert office.ask("again").ok


def test_a_half_open_connection_is_replaced(sqlite: Database, tmp_path: Path, line: Line) -> None:
    with connected(sqlite, tmp_path, Keepalive(ping_s=0.2, silent_s=60, lost_s=60, lived_s=0), by=line) as office:
        office.slack.set_socket_address("")
        line.freeze()
        office.slack.socket_wait_s = 0.5
        office.slack.wait_for(lambda: office.ask("again").ok)
        assert office.opened() == 2


def test_a_silent_connection_is_replaced(sqlite: Database, tmp_path: Path) -> None:
    with connected(sqlite, tmp_path, Keepalive(ping_s=60, silent_s=0.3, lost_s=60, lived_s=0)) as office:
        # Fakeslack pings every five seconds, longer than `silent_s` here.
        office.slack.wait_for(lambda: office.opened() > 2)
        office.slack.wait_for(lambda: office.ask("again").ok)


def test_after_a_long_silence_it_counts_as_lost(sqlite: Database, tmp_path: Path) -> None:
    with connected(sqlite, tmp_path, Keepalive(ping_s=60, silent_s=60, lost_s=0.3)) as office:
        office.slack.wait_for(lambda: office.socket.lost)
        assert office.ask("heard").ok
        assert not office.socket.lost


def test_closing_answers_the_envelopes_in_flight_and_ignores_later_ones(sqlite: Database, tmp_path: Path) -> None:
    with connected(sqlite, tmp_path) as office, ThreadPoolExecutor(1) as pool:
        # The command before this one may have been answered a moment before it counts as done.
        office.slack.wait_for(lambda: not office.socket.in_flight)
        with sqlite.write():
            under_way = pool.submit(office.ask, "under way")
            office.slack.wait_for(partial(_in_flight, office.socket))
            closing = threading.Thread(target=office.socket.close)
            closing.start()
            office.slack.wait_for(lambda: office.socket.closing)
            office.slack.socket_wait_s = 0.1
            assert office.ask("too late").error
        closing.join()
        assert under_way.result().ok
        assert texts(sqlite) == ["disk full", "under way"]


def _in_flight(socket: Socket) -> int:
    return socket.in_flight
