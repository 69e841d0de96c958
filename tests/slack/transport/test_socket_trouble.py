"""Socket Mode under trouble: how often it connects, what it answers, and what it leaves behind."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import SetClock, now
from bot.config import Settings
from bot.errors import UsageError
from bot.fakeslack.delivery import PayloadDelivery
from bot.fakeslack.slack import Slack
from bot.slack.bot import Bot, build
from bot.slack.context import FORM_LOST
from bot.slack.inbound.socket import Keepalive, Pace, Socket, connect
from bot.slack.outbound import blocks
from storage.database import Database
from tests.support.attacker import TRICKS, attacker
from tests.support.workplace import ACK_S, SOCKET, Workplace, at, workplace

PATIENT = Keepalive(ping_s=60, silent_s=3_600, lost_s=7_200)


class Seconds:
    """A monotonic clock that the test sets."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Line:
    """A bot's socket over a stand-in; no thread reconnects, the test takes the turns."""

    def __init__(self, slack: Slack, bot: Bot, settings: Settings) -> None:
        self.slack = slack
        self.seconds = Seconds()
        self.settings = settings
        self.bot = bot
        self.socket = Socket(bot, settings, PATIENT, monotonic=self.seconds)

    @property
    def opened(self) -> int:
        return sum(call.method == "apps.connections.open" for call in self.slack.calls)

    def live(self, seconds: float) -> int:
        """Take turns for so long, each as soon as it is due; how often a connection was asked for."""
        before, end_s = self.opened, self.seconds.now_s + seconds
        while self.seconds.now_s < end_s:
            wait_s = self.socket.turn()
            # A connection that is turned away is known to be so before the clock goes on.
            self.slack.wait_for(lambda: not self.slack.turns_sockets_away or not self.socket.usable)
            self.seconds.now_s += wait_s
        return self.opened - before


@pytest.fixture
def line(sqlite: Database, tmp_path: Path) -> Iterator[Line]:
    slack = Slack(clock=now)
    with slack.serving():
        settings = Settings.from_env(
            {
                "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url, "SCRIBE_SPOOL": str(tmp_path),
            }
        )  # fmt: skip
        slack.socket_wait_s = ACK_S
        bot = build(settings, sqlite)
        found = Line(slack, bot, settings)
        try:
            yield found
        finally:
            found.socket.close()
            bot.stop()


@pytest.mark.parametrize("reason", ["too_many_websockets", "link_disabled", "warning"])
def test_connections_that_end_at_once_are_opened_ever_more_rarely(line: Line, reason: str) -> None:
    line.slack.turn_sockets_away(reason)
    assert 3 <= line.live(20) <= 8
    assert line.live(600) <= 45


@pytest.mark.parametrize(("error", "status"), [("internal_error", 500), ("fatal_error", 200), ("a_new_word", 200)])
def test_refused_connections_are_opened_ever_more_rarely(line: Line, error: str, status: int) -> None:
    line.slack.fail_next("apps.connections.open", error=error, status=status, times=1_000)
    assert 3 <= line.live(20) <= 8


def test_a_retry_after_is_obeyed_up_to_an_hour_and_counts_as_no_silence(line: Line) -> None:
    line.slack.fail_next("apps.connections.open", retry_after_s=120)
    assert line.live(119) == 1
    assert not line.socket.lost
    assert line.live(5) == 1
    line.slack.wait_connected()
    line.slack.cut_sockets()
    line.slack.wait_for(lambda: not line.socket.connected)
    line.seconds.now_s += 60
    line.slack.fail_next("apps.connections.open", retry_after_s=10**9)
    assert line.live(3_500) == 1
    assert line.live(110) == 1


def test_after_a_connection_that_lived_the_next_one_is_opened_at_once(line: Line) -> None:
    assert line.live(5) == 1
    line.slack.wait_connected()
    line.slack.wait_for(lambda: line.socket.greeted)
    assert line.live(60) == 0
    line.slack.disconnect_sockets("refresh_requested", grace_s=0)
    line.slack.wait_for(lambda: not line.socket.usable)
    line.socket.turn()
    assert line.opened == 2


def test_a_connection_without_a_greeting_or_a_life_changes_no_wait() -> None:
    seconds = Seconds()
    pace = Pace(seconds)
    waits = []
    for _ in range(8):
        pace.attempted()
        waits.append(pace.wait_s)
        seconds.now_s += pace.wait_s
    assert waits[-1] >= 15
    pace.lived()
    assert pace.wait_s == 0
    pace.attempted()
    assert pace.wait_s <= 2


@pytest.mark.parametrize("error", ["ratelimited", "internal_error", "service_unavailable", "fatal_error"])
def test_a_temporary_refusal_at_the_start_is_waited_for(line: Line, error: str) -> None:
    line.slack.fail_next("apps.connections.open", error=error, retry_after_s=0)
    assert not line.socket.open()
    assert 0 < line.socket.pace.wait_s <= 2
    stopped = threading.Event()
    stopped.set()
    line.slack.fail_next("apps.connections.open", error=error, retry_after_s=3_600)
    connect(line.bot, line.settings, stopped).close()


@pytest.mark.parametrize("error", ["invalid_auth", "not_allowed_token_type", "missing_scope", "forbidden_team"])
def test_a_permanent_refusal_at_the_start_names_the_token(line: Line, error: str) -> None:
    line.slack.fail_next("apps.connections.open", error=error)
    with pytest.raises(UsageError, match=f"SLACK_APP_TOKEN.*{error}"):
        connect(line.bot, line.settings)


@pytest.mark.parametrize(
    "trick",
    [
        "redirected with 302", "redirected with 307", "a page with 200", "a drip of headers", "an endless header",
        "no HTTP", "closed at once", "no answer", "300 MB",
    ],
)  # fmt: skip
def test_what_is_no_websocket_is_left_in_time_and_leads_nowhere(
    line: Line, monkeypatch: pytest.MonkeyPatch, trick: str
) -> None:
    monkeypatch.setattr("bot.slack.inbound.socket.CALL_S", 0.5)
    with attacker(line.slack.api_url) as server:
        server.trick = TRICKS[trick]
        line.slack.set_socket_address(server.url.removesuffix("/api/"))
        threads, begun_s = threading.active_count(), time.monotonic()
        assert not line.socket.open()
        assert time.monotonic() - begun_s < 30
        assert server.played == 1
        assert server.elsewhere.seen == []
        server.over.set()
        line.slack.wait_for(lambda: threading.active_count() <= threads)
        line.slack.set_socket_address("")
    assert line.socket.open()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no list of open files")
def test_many_connections_leave_no_thread_and_no_socket_behind(line: Line) -> None:
    before, open_before = threading.active_count(), open_files()
    line.slack.turn_sockets_away("link_disabled")
    opened = 0
    while opened < 200:
        opened += line.live(1_200)
    line.slack.turn_sockets_away("")
    line.socket.close()
    line.slack.wait_for(lambda: not line.socket.connected)
    line.slack.wait_for(lambda: threading.active_count() <= before + 1)
    line.slack.wait_for(lambda: open_files() <= open_before + 2)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(at("2026-03-12T12:00:00Z"))


@pytest.fixture
def office(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(sqlite, clock=clock, transport=SOCKET) as found:
        yield found


def delivered(office: Workplace, kind: str, payload: object) -> int:
    ack = office.slack.transport.deliver(PayloadDelivery(kind=kind, payload=payload))  # type: ignore[arg-type]
    return ack.status


EVENT = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1"}


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("a_new_kind", {"x": 1}),
        ("a_new_kind", None),
        ("events_api", None),
        ("events_api", []),
        ("events_api", "text"),
        ("events_api", {}),
        ("events_api", {**EVENT, "event": {"type": "a_new_event", "user": {"id": 5}}}),
        ("events_api", {**EVENT, "event": {"type": "app_mention", "user": 5, "text": ["secret"]}}),
        ("events_api", {**EVENT, "event": None}),
        ("interactive", {"type": "a_new_interaction"}),
        ("interactive", {"type": "block_actions", "actions": "secret"}),
        ("interactive", {"type": 5}),
        ("slash_commands", {"command": "/note"}),
        ("slash_commands", {"command": 5}),
    ],
)
def test_what_nobody_can_read_is_acknowledged_once_and_not_logged(
    office: Workplace, caplog: pytest.LogCaptureFixture, kind: str, payload: object
) -> None:
    assert delivered(office, kind, payload) == 200
    assert "secret" not in caplog.text


def test_what_is_refused_is_logged_with_the_names_of_its_fields(
    office: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    delivered(office, "slash_commands", {"command": "/note", "text": 5, "team_id": "", "Robert": "x"})
    assert "SlashCommand: channel_id, text, trigger_id, user_id" in caplog.text
    assert "Robert" not in caplog.text


LINES = [f"{9 + number // 60:02}:{number % 60:02} looked at host {number} and saw nothing" for number in range(60)]


def preview(office: Workplace) -> None:
    """Submit a chronology, whose preview is the largest form there is."""
    office.say("/incident open SEV2 disk full")
    assert office.ask("/incident backfill").ok
    assert office.slack.modal(office.alice)
    assert office.slack.submit(office.alice, {"words": "2026-03-12\n" + "\n".join(LINES)}).ok


def shown(office: Workplace) -> str:
    view = office.slack.modal(office.alice)
    assert view is not None
    return json.dumps(view.content)


def test_the_largest_form_comes_after_a_small_ack(office: Workplace) -> None:
    preview(office)
    assert max(len(each.encode()) for each in office.slack.socket_acks) <= blocks.SMALL_VIEW
    assert "One moment" in shown(office)
    office.deliver()
    assert "looked at host 59" in shown(office)
    assert len(shown(office)) > 4 * blocks.SMALL_VIEW
    office.slack.submit(office.alice, {})
    assert "60 entries recorded" in office.messages()[-1].text + office.messages()[-2].text


def test_a_form_that_slack_does_not_take_at_once_is_sent_again(office: Workplace, clock: SetClock) -> None:
    preview(office)
    office.slack.fail_next("views.update", error="internal_error", status=500, times=2)
    for _ in range(3):
        office.deliver()
        clock.set(clock() + timedelta(seconds=10))
    assert "looked at host 59" in shown(office)


def test_a_form_overtaken_by_its_ack_is_sent_again(office: Workplace, clock: SetClock) -> None:
    preview(office)
    office.slack.fail_next("views.update", error="not_found")
    office.deliver()
    clock.set(clock() + timedelta(seconds=10))
    office.deliver()
    assert "looked at host 59" in shown(office)


@pytest.mark.parametrize("error", ["internal_error", "not_found", "view_too_large", "invalid_arguments"])
def test_a_form_that_is_lost_gives_the_words_back(office: Workplace, clock: SetClock, error: str) -> None:
    preview(office)
    office.slack.fail_next("views.update", error=error, times=20)
    for _ in range(8):
        office.deliver()
        clock.set(clock() + timedelta(seconds=30))
    (told,) = [each for each in office.messages(user=office.alice) if each.text.startswith(FORM_LOST)]
    assert told.ephemeral_for == office.alice
    assert all(line in told.text for line in LINES)
    assert len(office.slack.faults) > 10


def test_a_large_answer_comes_by_the_outbox_once(office: Workplace) -> None:
    office.say("/incident open SEV2 disk full")
    for number in range(60):
        office.say(f"/note {number} {'監視カメラ' * 30}")
    office.say("/postmortem draft")
    office.deliver()
    before = len(office.messages(user=office.alice))
    answer = office.ask("/postmortem show INC-1")
    assert answer.ok
    assert max(len(each.encode()) for each in office.slack.socket_acks) <= blocks.SMALL_MESSAGE
    assert answer.body == {}
    office.slack.repeat(answer)
    (message,) = office.messages(user=office.alice)[before:]
    assert "監視カメラ" in str(message.blocks)
    assert blocks.size({"blocks": message.blocks}) > blocks.SMALL_MESSAGE


@pytest.mark.parametrize("frame", ["[" * 100_000, "null", "5", "[]", '"x"', "{", '{"type": ["hello"]}', "\u0000"])
def test_a_frame_of_any_kind_leaves_it_hearing(office: Workplace, frame: str) -> None:
    office.slack.say_over_sockets(frame)
    assert office.say("/detected disk full").startswith("Detected")
    assert office.slack.connections == 1
