"""The HTTP face: who is let in, and what is never logged."""

import json
import logging
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from bot.slack.inbound.http import BODY_LIMIT
from tests.support.ledger import counts
from tests.support.workplace import Workplace

SECRET = "the-words-nobody-may-log"  # noqa: S105 - words a person typed
TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
JSON = "application/json"


@pytest.fixture
def loud(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything the bot, Bolt and the server may say, at its most talkative."""
    for name in ("", "bot", "storage", "slack_bolt", "slack_bolt.App", "slack_sdk", "uvicorn", "uvicorn.error"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def logged(caplog: pytest.LogCaptureFixture) -> str:
    said = [f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records]
    return "\n".join(line for line in said if "httpx" not in line)


def test_a_request_that_is_not_signed_by_slack_is_refused_and_not_logged(
    office: Workplace, loud: pytest.LogCaptureFixture
) -> None:
    payload = {**office.ask("/incident help").delivery.payload, "command": "/detected", "text": SECRET}
    body, before, now = urlencode(payload), counts(office), int(time.time())
    wrong: tuple[dict[str, Any], ...] = (
        {"signature": "v0=" + "0" * 64},
        {"signature": ""},
        {"signature": "nonsense"},
        {"drop": [SIGNATURE]},
        {"drop": [TIMESTAMP]},
        {"drop": [SIGNATURE, TIMESTAMP]},
        {"timestamp": str(now - 301)},
        {"timestamp": str(now + 400)},
        {"timestamp": "yesterday"},
        {"timestamp": "nan"},
        {"timestamp": "1e9"},
        {"timestamp": "9" * 5_000},
        {"timestamp": "-1"},
    )
    for how in wrong:
        assert office.slack.post_signed(office.url, body, **how) == (401, "not signed by Slack"), how
    headers = [(TIMESTAMP.encode(), str(now).encode()), (SIGNATURE.encode(), "v0=ÿ".encode("latin-1"))]
    assert httpx.post(office.url, content=body, headers=headers, trust_env=False).status_code == 401
    assert counts(office) == before
    assert SECRET not in logged(loud)


def test_a_signed_body_that_is_none_of_slacks_is_refused_without_a_trace_of_it(
    office: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = counts(office)
    bodies = (
        (f'{{"text": "{SECRET}"', JSON),
        (f'["{SECRET}"]', JSON),
        (f'"{SECRET}"', JSON),
        ("null", JSON),
        ("[" * 100_000, JSON),
        (urlencode({"payload": f'{{"a": "{SECRET}'}), ""),
        (urlencode({"payload": f'"{SECRET}"'}), ""),
        (f"payload={SECRET}", ""),
        (SECRET, ""),
        (f"&&=={SECRET};", ""),
        ("", ""),
        (json.dumps({"type": "event_callback", "event": SECRET}), JSON),
        (json.dumps({"type": "event_callback", "event": {"type": "app_mention", "text": SECRET}}), JSON),
        (urlencode({"payload": json.dumps({"type": "block_actions", "actions": [], "x": SECRET})}), ""),
        (urlencode({"payload": json.dumps({"type": "view_submission", "view": SECRET})}), ""),
        (urlencode({"payload": json.dumps({"type": "message_action", "callback_id": 5, "x": SECRET})}), ""),
        (urlencode({"command": "/detected", "text": SECRET}), ""),
        (urlencode({"command": "", "text": SECRET, "team_id": "T1"}), ""),
    )
    for body, kind in bodies:
        how = {"content_type": kind} if kind else {}
        status, answer = office.slack.post_signed(office.url, body, **how)
        assert status in {200, 400, 404, 500}, body
        assert status == 200 or SECRET not in answer, body
    assert counts(office) == before
    assert SECRET not in logged(caplog)
    assert office.say("/detected disk full")


def test_a_body_that_is_too_large_or_not_utf8_is_refused(office: Workplace) -> None:
    assert office.slack.post_signed(office.url, "x" * (BODY_LIMIT + 1)) == (413, "too large")
    response = httpx.post(office.url, content=b"\xff\xfe", headers={TIMESTAMP: str(int(time.time()))}, trust_env=False)
    assert response.status_code == 401


def test_the_address_answers_slacks_first_question_and_says_it_is_well(office: Workplace) -> None:
    question = json.dumps({"type": "url_verification", "challenge": "abc", "token": "t"})
    status, answer = office.slack.post_signed(office.url, question, JSON)
    assert (status, json.loads(answer)) == (200, {"challenge": "abc"})
    well = httpx.get(office.url.replace("/slack/events", "/healthz"), trust_env=False)
    assert well.json() == {"ok": True}
    assert httpx.get(office.url, trust_env=False).status_code == 405
