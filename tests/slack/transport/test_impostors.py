"""Something else answers in Slack's place: nothing is parked for it, and the token goes nowhere."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from bot.clock import SetClock
from bot.slack.client import Client, respond
from bot.slack.refusals import ForeignAnswerError, Verdict, judge
from tests.support.impostor import Impostor, impostor
from tests.support.ledger import outbox_states, problems
from tests.support.workplace import Workplace

PAGE = b"<html>Sign in to the network, secret page</html>"
ANSWERS = [
    (200, PAGE), (200, b""), (200, b"null"), (200, b"{}"), (200, b"[]"), (200, b'"ok"'), (200, b'{"ok": false}'),
    (200, b"[" * 20_000), (200, b"\xff\xfe"), (403, PAGE), (407, PAGE), (404, PAGE), (307, b""), (302, b""),
    (500, PAGE), (503, b'{"ok": true}'), (407, b'{"error": {"code": 407}}'),
]  # fmt: skip


@pytest.fixture
def server() -> Iterator[Impostor]:
    with impostor() as found:
        yield found


@pytest.mark.parametrize(("status", "body"), ANSWERS, ids=lambda each: repr(each)[:24])
def test_what_is_not_slacks_is_tried_again_until_slack_answers(
    office: Workplace, clock: SetClock, server: Impostor, caplog: pytest.LogCaptureFixture, status: int, body: bytes
) -> None:
    office.say("/detected disk full")
    server.status, server.body = status, body
    client = office.bot.context.client
    slacks, client.base_url = client.base_url, server.url
    with caplog.at_level(logging.DEBUG):
        office.slack.say(office.bob, office.channel, "@scribe did restarted db1")
        for _ in range(8):
            office.deliver()
            assert outbox_states(office)["waiting"] == 1
            clock.set(clock() + timedelta(minutes=6))
    assert "secret page" not in caplog.text
    client.base_url = slacks
    assert any("restarted db1" in each.text for each in office.messages())
    assert problems(office) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_with_the_token(server: Impostor, clock: SetClock, status: int) -> None:
    with impostor() as elsewhere:
        elsewhere.body = b'{"ok": true}'
        server.status, server.headers = status, {"Location": elsewhere.url}
        client = Client(clock=clock, token="xoxb-secret", base_url=server.url)  # noqa: S106 - no secret
        with pytest.raises(ForeignAnswerError) as failure:
            client.auth_test()
        assert judge(failure.value) is Verdict.LATER
        assert "xoxb-secret" in server.seen[0]["Authorization"]
        assert elsewhere.seen == []


@pytest.mark.parametrize(("status", "body"), ANSWERS, ids=lambda each: repr(each)[:24])
def test_a_response_url_that_something_else_answers_is_tried_again(server: Impostor, status: int, body: bytes) -> None:
    server.status, server.body = status, body
    with pytest.raises(ForeignAnswerError):
        respond(server.url, {"text": "x"}, timeout_s=5)


@pytest.mark.parametrize(
    ("status", "body", "taken"),
    [
        (200, b"ok", True), (200, b'{"ok": true}', True), (404, b"used_url", False), (404, b"expired_url", False),
        (404, b'{"ok":false,"error":"used_url"}', False), (400, b"invalid_blocks", False),
    ],
)  # fmt: skip
def test_slacks_own_word_at_a_response_url_decides(server: Impostor, status: int, body: bytes, *, taken: bool) -> None:
    server.status, server.body = status, body
    assert respond(server.url, {"text": "x"}, timeout_s=5) is taken


def test_a_url_that_is_no_web_address_is_never_opened() -> None:
    assert urlsplit("file:///etc/hostname").scheme == "file"
    with pytest.raises(ForeignAnswerError):
        respond("file:///etc/hostname", {"text": "x"}, timeout_s=5)
