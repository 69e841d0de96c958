"""The HTTP endpoint: which bodies it refuses, without logging them, and what else it answers."""

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import httpx
import pytest

from bot.slack import members
from bot.slack.bot import _BACKGROUND_THREADS
from bot.slack.inbound.http import BODY_LIMIT, WORKERS
from tests.support.ledger import counts
from tests.support.workplace import Workplace

SECRET = "never-log-this"  # noqa: S105 - words a person typed
TIMESTAMP = "X-Slack-Request-Timestamp"
JSON = "application/json"
WAIT_S = 60.0


def logged(caplog: pytest.LogCaptureFixture) -> str:
    lines = [f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records]
    return "\n".join(line for line in lines if "httpx" not in line)


def test_a_signed_body_that_is_not_slacks_is_refused_and_not_logged(
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


def test_the_endpoint_answers_url_verification_and_the_health_check(office: Workplace) -> None:
    challenge = json.dumps({"type": "url_verification", "challenge": "abc", "token": "t"})
    status, answer = office.slack.post_signed(office.url, challenge, JSON)
    assert (status, json.loads(answer)) == (200, {"challenge": "abc"})
    health = httpx.get(office.url.replace("/slack/events", "/healthz"), trust_env=False)
    assert health.json() == {"ok": True}
    assert httpx.get(office.url, trust_env=False).status_code == 405


def test_those_who_wait_for_slack_hold_half_of_the_workers_at_most(
    office: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "LOOK_UP_S", WAIT_S)
    slack, known, answered = office.slack, office.bot.context.members, list[str]()
    strangers = [slack.add_user(f"new{number}", zone="Europe/Berlin") for number in range(3 * WORKERS)]
    office.say("/detected disk full")

    def look(stranger: str) -> None:
        slack.command(stranger, office.channel, "/did", "at 12:50 looked")
        answered.append(stranger)

    release = threading.Event()
    with ThreadPoolExecutor(len(strangers)) as typing:
        try:
            for _ in range(_BACKGROUND_THREADS):
                known._executor.submit(release.wait, WAIT_S)
            for each in strangers:
                typing.submit(look, each)
            slack.wait_for(lambda: len(answered) == len(strangers) - members.MAX_WAITING, within_s=WAIT_S)
            assert office.say("/note answered meanwhile").startswith("Note")
            assert len(answered) == len(strangers) - members.MAX_WAITING
        finally:
            release.set()
    assert len(answered) == len(strangers)
    assert 2 * members.MAX_WAITING <= WORKERS
