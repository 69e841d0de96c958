"""A hostile Slack: whatever answers in one channel, what is said there waits, and nothing else does.

The promise for each trick: no worker is held for longer than a call may take, no more than its limit is read, nothing
is parked, other channels go on, the token is told to nobody else, no page is logged, and once Slack answers again what
waited is said once.
"""

import logging
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from slack_sdk.errors import SlackClientError

from bot.clock import SetClock
from bot.slack.client import ANSWER_LIMIT, CALL_S, MOST_LEFT_BEHIND, Client, StrictClient, respond
from bot.slack.refusals import Verdict, judge
from bot.slack.trial import on_trial, outcome, probe
from storage import outbox
from tests.support.attacker import ENDLESS, TRICKS, Attacker, attacker, certificate
from tests.support.attacks import ROUNDS
from tests.support.ledger import outbox_states, problems
from tests.support.workplace import Workplace

LIMIT_S = CALL_S if ROUNDS > 1 else 0.5
"""Seconds for a call: in the short run fewer than the bot's own."""
SPARE_S = 30.0
"""Seconds by which a busy machine may be late; what is endless would be later than that."""
SHARED_S = max(LIMIT_S, 3.0)
"""The same as LIMIT_S where Slack itself is called as well, which on a busy machine takes its time."""
TRIED = [name for name in TRICKS if ROUNDS > 1 or not name.startswith(("a drip of", "a drip to", "ever"))]
"""In the short run, a few of those that wait until the call's time is over."""
MEMORY = 8 * ANSWER_LIMIT
TOKEN = "xoxb-1-secret"  # noqa: S105 - no secret
FAILED = (OSError, SlackClientError)


@pytest.fixture
def hostile(office: Workplace) -> Iterator[Attacker]:
    """Something in front of the office's Slack, through which the bot calls."""
    client = office.bot.context.client
    with attacker(client.base_url) as found:
        client.base_url, client.timeout = found.url, SHARED_S  # type: ignore[assignment]  # declared int
        yield found


def enqueue(office: Workplace, channel: str, text: str, clock: SetClock) -> None:
    with office.database.write() as connection:
        outbox.post(connection, office.slack.team_id, channel, {"text": text}, at=clock())


def said(office: Workplace, channel: str) -> list[str]:
    return [message.text for message in office.slack.messages(channel)]


@pytest.mark.parametrize("trick", TRIED)
def test_what_one_channel_is_answered_stops_that_channel_alone(
    office: Workplace, clock: SetClock, hostile: Attacker, caplog: pytest.LogCaptureFixture, trick: str
) -> None:
    bad, good = office.slack.add_channel("bad"), office.slack.add_channel("good")
    hostile.trick, hostile.mark = TRICKS[trick], bad.encode()
    for number in range(2):
        enqueue(office, bad, f"bad {number}", clock)
    for number in range(ROUNDS):
        enqueue(office, good, f"good {number}", clock)
        with caplog.at_level(logging.INFO):
            begun_s = time.monotonic()
            office.deliver()
            assert time.monotonic() - begun_s < SHARED_S + SPARE_S
        assert said(office, good) == [f"good {each}" for each in range(number + 1)]
        assert outbox_states(office) == {"waiting": 2, "sent": number + 1}
        clock.set(clock() + timedelta(minutes=6))
    assert hostile.played == ROUNDS
    assert said(office, bad) == []
    assert hostile.elsewhere.seen == []
    assert "secret" not in caplog.text
    assert office.slack.bot_token not in caplog.text
    hostile.trick = None
    office.deliver()
    assert said(office, bad) == ["bad 0", "bad 1"]
    assert problems(office) == []


@pytest.mark.parametrize("trick", TRICKS)
def test_a_connection_that_something_else_offers_is_asked_for_again(trick: str) -> None:
    with attacker("http://127.0.0.1:9/api/") as server:
        server.trick = TRICKS[trick]
        client = StrictClient(token=TOKEN, base_url=server.url, timeout=LIMIT_S)
        begun_s = time.monotonic()
        with pytest.raises(FAILED) as failure:
            client.apps_connections_open(app_token=TOKEN)
        assert time.monotonic() - begun_s < LIMIT_S + SPARE_S
        assert judge(failure.value) is Verdict.LATER
        assert server.played == 1
        assert server.elsewhere.seen == []


@pytest.mark.parametrize("trick", ENDLESS)
def test_an_upload_a_response_url_and_the_doctor_wait_no_longer(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch, trick: str
) -> None:
    monkeypatch.setattr("bot.slack.trial.PROBE_S", LIMIT_S)
    with attacker("http://127.0.0.1:9/api/") as server:
        server.trick = TRICKS[trick]
        client = Client(clock=clock, token=TOKEN, base_url=server.url, timeout=LIMIT_S)
        begun_s = time.monotonic()
        with pytest.raises(FAILED):
            client.upload(server.url, b"x" * 1_000_000)
        with pytest.raises(FAILED):
            respond(server.url, {"text": "x"}, timeout_s=LIMIT_S)
        assert not probe("auth.test", token=TOKEN, api_url=server.url, clock=clock).reached
        tried = on_trial(token=TOKEN, api_url=server.url, channel="C1", user="U1")
        assert outcome(type(tried).upload, tried).unreached
        assert time.monotonic() - begun_s < 4 * (LIMIT_S + SPARE_S)


@pytest.mark.parametrize("trick", ["300 MB", "an endless header", "endless chunks", "a huge length", "a packed bomb"])
def test_a_giant_takes_no_memory(trick: str) -> None:
    with attacker("http://127.0.0.1:9/api/") as server:
        server.trick = TRICKS[trick]
        client = StrictClient(token=TOKEN, base_url=server.url, timeout=CALL_S)
        tracemalloc.start()
        try:
            with pytest.raises(FAILED):
                client.auth_test()
            assert tracemalloc.get_traced_memory()[1] < MEMORY
        finally:
            tracemalloc.stop()


def test_a_look_up_that_hangs_is_waited_for_no_longer_than_an_answer(
    office: Workplace, clock: SetClock, hanging_look_up: threading.Event
) -> None:
    client, channel = office.bot.context.client, office.slack.add_channel("bad")
    client.base_url = client.base_url.replace("127.0.0.1", "localhost")
    client.timeout = SHARED_S  # type: ignore[assignment]  # declared int
    enqueue(office, channel, "said late", clock)
    begun_s = time.monotonic()
    office.deliver()
    assert time.monotonic() - begun_s < SHARED_S + SPARE_S
    assert outbox_states(office) == {"waiting": 1}
    hanging_look_up.set()
    clock.set(clock() + timedelta(minutes=6))
    office.deliver()
    assert said(office, channel) == ["said late"]


def test_look_ups_that_hang_leave_few_threads_behind_and_the_next_call_succeeds(
    office: Workplace, hanging_look_up: threading.Event
) -> None:
    url = office.slack.api_url.replace("127.0.0.1", "localhost")
    client = StrictClient(token=office.slack.bot_token, base_url=url)
    client.timeout = 0.01  # type: ignore[assignment]  # declared int
    begun_s = time.monotonic()
    for _ in range(3 * MOST_LEFT_BEHIND):
        with pytest.raises(OSError, match="look-up") as failure:
            client.auth_test()
        assert judge(failure.value) is Verdict.LATER
    assert len([each for each in threading.enumerate() if each.name == "look-up"]) == MOST_LEFT_BEHIND
    assert time.monotonic() - begun_s < SPARE_S
    hanging_look_up.set()
    for thread in threading.enumerate():
        if thread.name == "look-up":
            thread.join(SPARE_S)
    client.timeout = CALL_S
    assert client.auth_test()["team_id"] == office.slack.team_id


def test_over_tls_the_same_limits_hold(office: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem.with_suffix(".crt")))
    with attacker(office.slack.api_url, pem) as server:
        client = StrictClient(token=office.slack.bot_token, base_url=server.url, timeout=CALL_S)
        assert client.auth_test()["team_id"] == office.slack.team_id
        client.timeout = LIMIT_S  # type: ignore[assignment]  # declared int
        for trick in ("no answer", "a drip of headers", "a drip in a body", "300 MB", "an endless header"):
            server.trick = TRICKS[trick]
            begun_s = time.monotonic()
            with pytest.raises(FAILED) as failure:
                client.auth_test()
            assert time.monotonic() - begun_s < LIMIT_S + SPARE_S
            assert judge(failure.value) is Verdict.LATER


def test_who_reads_slowly_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = StrictClient(token=TOKEN, base_url="http://127.0.0.1/", timeout=LIMIT_S)
        begun_s = time.monotonic()
        with pytest.raises(OSError, match="timed out"):
            client.upload(f"http://127.0.0.1:{server.getsockname()[1]}/", b"x" * 50_000_000)
        assert time.monotonic() - begun_s < LIMIT_S + SPARE_S


@pytest.mark.parametrize("said_first", [b"", b"HTTP/1.1 200 OK\r\n\r\n{}", b"\x16\x03\x01\xff\xff" + b"\0" * 600])
def test_what_is_no_tls_is_tried_again(said_first: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection, _ = server.accept()
            with closing(connection), suppress(OSError):
                connection.sendall(said_first)
                while connection.recv(65_536):
                    pass

        thread = threading.Thread(target=speak)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        client = StrictClient(token=TOKEN, base_url=url, timeout=LIMIT_S)
        begun_s = time.monotonic()
        with pytest.raises(FAILED) as failure:
            client.auth_test()
        assert time.monotonic() - begun_s < LIMIT_S + SPARE_S
        assert judge(failure.value) is Verdict.LATER
        thread.join()


@pytest.mark.parametrize("trick", ["a page with 407", "a page with 403", "a drip of headers", "no HTTP", "no answer"])
def test_a_proxy_that_opens_no_tunnel_is_neither_waited_for_nor_quoted(
    trick: str, caplog: pytest.LogCaptureFixture
) -> None:
    with attacker("http://127.0.0.1:9/api/") as server, caplog.at_level(logging.INFO):
        server.trick = TRICKS[trick]
        client = StrictClient(
            token=TOKEN, base_url="https://slack.example/api/", timeout=LIMIT_S, proxy=server.url
        )  # fmt: skip
        begun_s = time.monotonic()
        with pytest.raises(FAILED) as failure:
            client.auth_test()
        assert time.monotonic() - begun_s < LIMIT_S + SPARE_S
        assert judge(failure.value) is Verdict.LATER
        assert "secret" not in f"{caplog.text}{failure.value}"
