import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import websocket
from slack_sdk import WebClient

from bot.clock import now
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.slack import Slack
from tests.integration.fakeslack.echo import Echo, over_sockets

# websocket-client never closes the socket of a session that the other end closed.
LEAKING = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def own() -> Iterator[Slack]:
    """A separate workspace, so that a test can count its connections."""
    slack = Slack(clock=now)
    slack.add_user("alice")
    slack.add_channel("inc-1")
    with slack.serving():
        yield slack


@contextmanager
def connected(slack: Slack) -> Iterator[websocket.WebSocket]:
    url = WebClient(base_url=slack.api_url).apps_connections_open(app_token=slack.app_token)["url"]
    link = websocket.create_connection(url, timeout=60)
    try:
        yield link
    finally:
        link.close()
        # A link closed by the other end keeps its socket until shutdown.
        link.shutdown()  # type: ignore[no-untyped-call]


def received(link: websocket.WebSocket) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(link.recv())
    return message


def command(slack: Slack) -> Answer:
    ids = {user.name: user.id for user in slack.workspace.users.values()}
    return slack.command(ids["alice"], next(iter(slack.workspace.channels)), "/echo", "hi")


def answers_again(slack: Slack) -> bool:
    # Slack's clients may connect twice and drop one of the two, with the envelope just sent to it.
    slack.socket_wait_s = 0.5
    return slack.wait_for(lambda: command(slack).text == "you typed hi")


@contextmanager
def commanding(slack: Slack) -> Iterator[list[Answer]]:
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(command(slack)))
    thread.start()
    yield answers
    thread.join()


@LEAKING
@pytest.mark.parametrize("kind", ["builtin", "websocket_client"])
def test_both_of_slacks_clients_connect_answer_and_come_back_after_a_cut(own: Slack, kind: str) -> None:
    with over_sockets(own, Echo(own), kind=kind):
        assert command(own).text == "you typed hi"
        own.cut_sockets()
        assert answers_again(own)


@LEAKING
def test_a_client_told_to_go_comes_back(own: Slack) -> None:
    with over_sockets(own, Echo(own), kind="builtin"):
        own.disconnect_sockets()
        assert answers_again(own)


def test_a_connection_is_greeted_and_gets_envelopes(own: Slack) -> None:
    with connected(own) as link:
        hello = received(link)
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert hello["connection_info"] == {"app_id": own.app_id}
        own.wait_connected()
        with commanding(own) as answers:
            envelope = received(link)
            assert envelope["type"] == "slash_commands"
            assert envelope["accepts_response_payload"] is True
            assert envelope["payload"]["command"] == "/echo"
            link.send(json.dumps({"envelope_id": "another"}))
            link.send(json.dumps({"envelope_id": envelope["envelope_id"], "payload": {"text": "taken"}}))
        assert answers[0].text == "taken"


def test_a_ticket_lets_one_connection_in(own: Slack) -> None:
    url = WebClient(base_url=own.api_url).apps_connections_open(app_token=own.app_token)["url"]
    websocket.create_connection(url, timeout=60).close()
    for bad in (url, url.replace("ticket=", "ticket=x")):
        with pytest.raises(websocket.WebSocketBadStatusException):
            websocket.create_connection(bad, timeout=60)


def test_an_eleventh_connection_is_sent_away(own: Slack) -> None:
    links = []
    for _ in range(10):
        link = connected(own)
        received(link.__enter__())
        links.append(link)
    own.wait_connected(10)
    with connected(own) as one_more:
        goodbye = received(one_more)
        assert (goodbye["type"], goodbye["reason"]) == ("disconnect", "too_many_websockets")
    for link in links:
        link.__exit__(None, None, None)


def test_envelopes_go_to_the_connections_in_turn(own: Slack) -> None:
    with connected(own) as one, connected(own) as two:
        assert [received(link)["type"] for link in (one, two)] == ["hello", "hello"]
        own.wait_connected(2)
        for link in (one, two):
            with commanding(own) as answers:
                link.send(json.dumps({"envelope_id": received(link)["envelope_id"]}))
            assert answers[0].ok


def test_no_ack_in_time_is_a_timeout_and_a_late_one_is_not_taken(own: Slack) -> None:
    own.socket_wait_s = 0.1
    with connected(own) as link:
        received(link)
        own.wait_connected()
        answer = command(own)
        envelope = received(link)
        link.send(json.dumps({"envelope_id": envelope["envelope_id"], "payload": {"text": "too late"}}))
        assert (answer.error, answer.late, answer.status) == ("operation_timeout", True, 0)
        link.send("no JSON at all")
        assert command(own).error == "operation_timeout"
    assert all(not seen for seen in own.workspace.messages.values())


def test_without_a_connection_nothing_is_delivered(own: Slack) -> None:
    assert command(own).error == "dispatch_failed"
    with pytest.raises(TimeoutError):
        own.wait_connected(within_s=0.05)


def test_a_connection_told_to_go_gets_nothing_more_and_is_closed(own: Slack) -> None:
    with connected(own) as link:
        received(link)
        own.wait_connected()
        own.disconnect_sockets("warning", grace_s=0)
        assert received(link)["reason"] == "warning"
        assert link.recv_data()[0] == websocket.ABNF.OPCODE_CLOSE
        assert command(own).error == "dispatch_failed"


@LEAKING
@pytest.mark.parametrize(("characters", "error"), [(15_000, None), (20_000, "dispatch_failed")])
def test_a_large_ack_is_lost(own: Slack, characters: int, error: str | None) -> None:
    with connected(own) as link:
        json.loads(link.recv())
        own.wait_connected()
        answers: list[Answer] = []
        user, channel = next(iter(own.workspace.users)), next(iter(own.workspace.channels))
        typing = threading.Thread(target=lambda: answers.append(own.command(user, channel, "/x")))
        typing.start()
        envelope = json.loads(link.recv())
        link.send(json.dumps({"envelope_id": envelope["envelope_id"], "payload": {"text": "x" * characters}}))
        typing.join(60)
        assert answers[0].error == error
