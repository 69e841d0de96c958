import time
from urllib.parse import urlencode

import pytest

from bot.fakeslack.delivery import JSON, signature
from tests.integration.fakeslack.conftest import Stage

BODY = urlencode({"command": "/echo", "text": "hi", "user_id": "U1", "channel_id": "C1", "team_id": "T1"})


@pytest.fixture
def url(stage: Stage) -> str:
    if stage.transport != "http":
        pytest.skip("requests are signed over HTTP only")
    return stage.url


def test_a_rightly_signed_request_is_taken(stage: Stage, url: str) -> None:
    assert stage.slack.post_signed(url, BODY) == (200, "you typed hi")


def test_a_tampered_request_is_refused(stage: Stage, url: str) -> None:
    now_s = str(int(time.time()))
    signed_for_another = signature(stage.slack.signing_secret, now_s, BODY + "&text=other")
    assert stage.slack.post_signed(url, BODY, timestamp=now_s, signature=signed_for_another)[0] == 401
    assert stage.slack.post_signed(url, BODY, signature="v0=" + "0" * 64)[0] == 401
    assert stage.slack.post_signed(url, BODY, signature="")[0] == 401
    assert stage.echo.heard == []


def test_a_stale_or_unsigned_request_is_refused(stage: Stage, url: str) -> None:
    old = str(int(time.time()) - 301)
    assert stage.slack.post_signed(url, BODY, timestamp=old)[0] == 401
    for header in ("X-Slack-Signature", "x-slack-request-timestamp"):
        assert stage.slack.post_signed(url, BODY, drop=(header,))[0] == 401


def test_the_signature_is_slacks_own_example() -> None:
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name="
        "foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2F"
        "hooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015."
        "47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    secret, expected = (
        "8f742231b10e8888abcd99yyyzzz85a5",
        "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    )
    assert signature(secret, "1531420618", body) == f"v0={expected}"


def test_a_url_is_verified_with_json(stage: Stage, url: str) -> None:
    status, body = stage.slack.post_signed(url, '{"type": "url_verification", "challenge": "abc"}', JSON)
    assert (status, body) == (200, '{"challenge": "abc"}')
