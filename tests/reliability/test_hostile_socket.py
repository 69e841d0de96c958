"""What may come over Slack's WebSocket, and what is promised: the next envelope is answered."""

import json
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.server import Server, ServerConnection, serve

from bot.clock import now
from bot.config import Settings
from bot.fakeslack.slack import Slack
from bot.slack.bot import Bot, build
from bot.slack.client import CALL_S
from bot.slack.inbound.socket import WORKERS, Keepalive, Socket, connect
from bot.telemetry.context import NO_METRICS, Metrics
from bot.telemetry.metrics import PrometheusMetrics
from storage.database import Database

QUICK = Keepalive(ping_s=0.5, silent_s=1.5, lost_s=600, lived_s=0)
WAIT_S = 60.0
MANY = WORKERS + 2
HELLO = json.dumps({"type": "hello"})
ENVELOPE = json.dumps({"envelope_id": "after", "type": "a_new_kind"})
Attack = Callable[[ServerConnection], object]


class Hostile:
    """A server that greets, does what the case says on its first connections, and then sends an envelope."""

    def __init__(self, attack: Attack, times: int) -> None:
        self._attack = attack
        self._times = times
        self.opened = 0
        self.acknowledged = threading.Event()
        self.server: Server = serve(self._serve, "127.0.0.1", 0, max_size=None, ping_interval=None)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.socket.getsockname()[1]}"

    def _serve(self, connection: ServerConnection) -> None:
        self.opened += 1
        try:
            if self.opened <= self._times:
                self._attack(connection)
            else:
                connection.send(HELLO)
            connection.send(ENVELOPE)
            while json.loads(connection.recv(timeout=WAIT_S))["envelope_id"] != "after":
                pass
            self.acknowledged.set()
            while not self.server.socket._closed:  # type: ignore[attr-defined]  # as long as the test lasts
                connection.ping()
                time.sleep(0.2)
        except (ConnectionClosed, TimeoutError, OSError):
            pass


@dataclass
class Attacked:
    slack: Slack
    hostile: Hostile
    socket: Socket
    bot: Bot


@contextmanager
def attacked(
    sqlite: Database,
    spool: Path,
    attack: Attack,
    *,
    times: int = 1,
    metrics: Metrics = NO_METRICS,
    prepare: Callable[[Bot], None] = lambda _bot: None,
) -> Iterator[Attacked]:
    slack, hostile = Slack(clock=now), Hostile(attack, times)
    with slack.serving():
        slack.set_socket_address(hostile.address)
        settings = Settings.from_env(
            {
                "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url, "SCRIBE_SPOOL": str(spool),
            }
        )  # fmt: skip
        bot = build(settings, sqlite, metrics=metrics)
        prepare(bot)
        socket = connect(bot, settings, keepalive=QUICK)
        try:
            yield Attacked(slack, hostile, socket, bot)
        finally:
            socket.close()
            bot.stop()
            hostile.server.shutdown()


def says(*frames: str | bytes) -> Attack:
    def attack(connection: ServerConnection) -> None:
        connection.send(HELLO)
        for frame in frames:
            connection.send(frame)

    return attack


def writes(raw: bytes, *, greets: bool = True) -> Attack:
    """Bytes past the protocol, and then nothing for longer than a connection may be silent."""

    def attack(connection: ServerConnection) -> None:
        if greets:
            connection.send(HELLO)
        connection.socket.sendall(raw)
        connection.recv(timeout=WAIT_S)

    return attack


def envelope(**more: object) -> str:
    return json.dumps({"envelope_id": "first", "type": "events_api", **more})


TEXT, FIN = int(Opcode.TEXT), 0x80
NEW, SAME = 2, 1
"""On how many connections the envelope is answered at last."""
CASES: dict[str, tuple[Attack, int]] = {
    "deep lists": (says("[" * 100_000), SAME),
    "deep objects": (says('{"a":' * 100_000), SAME),
    "a deep payload": (says(envelope(payload=1)[:-2] + '{"a":' * 900 + "1" + "}" * 901), SAME),
    "10 kB of brackets": (says("[" * 10_000), SAME),
    "a number of 100,000 digits": (says("1" * 100_000), SAME),
    "no JSON": (says("", "{", "\u0000", "hello"), SAME),
    "JSON of another kind": (says("null", "5", "[]", '"x"', "NaN", '{"type": ["hello"]}'), SAME),
    "binary": (says(b"\x00\xff\xfe", b"", b"\x80" * 10_000), SAME),
    "an envelope without a name": (says('{"envelope_id": null}', '{"envelope_id": {"a": 1}}'), SAME),
    "an envelope of nonsense": (says(envelope(payload=[]), envelope(payload={"event": 5})), SAME),
    "a giant": (says("x" * (5 << 20)), NEW),
    "words that are no UTF-8": (writes(bytes([FIN | TEXT, 2]) + b"\xff\xfe"), NEW),
    "half a frame": (writes(bytes([FIN | TEXT, 126]) + struct.pack("!H", 5_000) + b"half"), NEW),
    "half a head": (writes(bytes([FIN | TEXT, 126])), NEW),
    "a reserved kind of frame": (writes(bytes([FIN | 0x3, 0])), NEW),
    "a frame that never ends": (writes(bytes([TEXT, 1]) + b"x"), NEW),
    "no hello and no word": (writes(b"", greets=False), NEW),
    "closed at once": (lambda connection: connection.close(), NEW),
    "cut at once": (lambda connection: connection.socket.close(), NEW),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_after_anything_that_comes_the_next_envelope_is_answered(sqlite: Database, tmp_path: Path, name: str) -> None:
    attack, connections = CASES[name]
    with attacked(sqlite, tmp_path, attack) as case:
        assert case.hostile.acknowledged.wait(WAIT_S)
        assert case.hostile.opened <= connections
        assert case.socket.hearing


def test_a_look_up_that_hangs_is_waited_for_no_longer_than_a_connection(
    sqlite: Database, tmp_path: Path, hanging_look_up: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.inbound.socket.CALL_S", 0.5)
    with attacked(sqlite, tmp_path, says()) as run:
        run.slack.set_socket_address(run.hostile.address.replace("127.0.0.1", "localhost"))
        other, begun_s = Socket(run.bot, run.bot.context.settings, QUICK), time.monotonic()
        assert not other.open()
        assert time.monotonic() - begun_s < WAIT_S / 2
        hanging_look_up.set()
        monkeypatch.setattr("bot.slack.inbound.socket.CALL_S", CALL_S)
        assert other.open()
        other.close()


def test_closed_again_and_again_it_comes_back_ever_more_slowly(sqlite: Database, tmp_path: Path) -> None:
    began_s = time.monotonic()
    with attacked(sqlite, tmp_path, lambda connection: connection.close(), times=2) as case:
        assert case.hostile.acknowledged.wait(WAIT_S)
        assert case.hostile.opened == 3
    assert time.monotonic() - began_s > 1.5


def test_silence_with_pings_is_no_reason_to_leave(sqlite: Database, tmp_path: Path) -> None:
    with attacked(sqlite, tmp_path, says()) as case:
        assert case.hostile.acknowledged.wait(WAIT_S)
        time.sleep(2 * QUICK.silent_s)
        assert (case.hostile.opened, case.socket.hearing) == (1, True)


def test_a_reader_that_hangs_is_replaced_though_its_connection_answers_pings(sqlite: Database, tmp_path: Path) -> None:
    with attacked(sqlite, tmp_path, says()) as case:
        assert case.hostile.acknowledged.wait(WAIT_S)
        (connection,) = case.socket._connections
        # Whoever has read an envelope waits for this lock to hand it over.
        with case.socket._envelopes._idle:
            connection.recv_messages.put(Frame(Opcode.TEXT, ENVELOPE.encode()))
            _wait_for(lambda: not case.socket.hearing)
            assert connection.heard_at_s > time.monotonic() - QUICK.silent_s
            _wait_for(lambda: case.hostile.opened > 1)
        _wait_for(lambda: case.socket.hearing)


@pytest.mark.parametrize("error", [MemoryError, SystemExit, KeyboardInterrupt, ZeroDivisionError])
def test_whatever_handlers_raise_the_next_envelope_is_answered_and_it_is_counted(
    sqlite: Database, tmp_path: Path, error: type[BaseException]
) -> None:
    payload = {"type": "event_callback", "team_id": "T1", "event_id": "E1", "event": {"type": "a_new_event"}}
    broken = [json.dumps({"envelope_id": f"e{n}", "type": "events_api", "payload": payload}) for n in range(MANY)]

    def breaks(*_args: object) -> None:
        raise error

    def prepare(bot: Bot) -> None:
        bot.app.on_payload = breaks

    metrics = PrometheusMetrics()
    with attacked(sqlite, tmp_path, says(*broken), metrics=metrics, prepare=prepare) as case:
        assert case.hostile.acknowledged.wait(WAIT_S)
        assert (case.hostile.opened, case.socket.hearing) == (1, True)
        counted = f'scribe_loop_failures_total{{loop="envelope"}} {float(MANY)}'
        _wait_for(lambda: counted in metrics.exposition({}).decode())


def _wait_for(condition: Callable[[], object]) -> None:
    give_up_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < give_up_s
        time.sleep(0.01)
