"""The endpoint: what it refuses and says, and that nothing half is written and nothing is logged."""

import asyncio
import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import httpx
import pytest
from sqlalchemy import func, select

from bot.clock import SetClock
from bot.handlers.sources.alerts import ask_to_confirm
from storage.database import Database
from storage.models import signals
from tests.support.hooks import SET_UP, address, alert, group, hear, post
from tests.support.ledger import outbox_states
from tests.support.workplace import ACK_S, Workplace, workplace

ZEBRA = "zebra"
SIGNED: Any = {"SCRIBE_HOOKS_SIGNED": "pagerduty=s3cret"}


@pytest.fixture
def office(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(sqlite, clock=clock, **SET_UP, **SIGNED) as place:
        yield place


def kept(office: Workplace) -> int:
    """How many signals there are."""
    with office.database.read() as connection:
        return connection.execute(select(func.count()).select_from(signals)).scalar_one()


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "the body is no JSON"),
        (b"zebra", 400, "the body is no JSON"),
        (b"\xff\xfe", 400, "the body is n"),
        (b"[" * 200_000, 400, "the JSON is nested too deep"),
        (b'{"a":' * 100_000, 400, "the JSON is nested too deep"),
        (b"x" * 1_000_001, 413, "more than 1,000,000 bytes"),
        (json.dumps({"version": "5", "alerts": [], "zebra": 1}).encode(), 400, "version: Input should be '4'"),
        (
            json.dumps(group({**alert(), "startsAt": ZEBRA})).encode(),
            400,
            "alerts.0.startsAt: Input",
        ),
        (
            json.dumps(group(alert(), {**alert("Other"), "status": ZEBRA})).encode(),
            400,
            "alerts.1.status: Input",
        ),
        (json.dumps(group(*[alert()] * 1001)).encode(), 400, "alerts: "),
    ],
)
def test_what_does_not_read_is_told_to_whoever_sets_it_up_and_nothing_of_it_is_kept_or_logged(
    office: Workplace, caplog: pytest.LogCaptureFixture, body: bytes, status: int, said: str
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = post(office, body)
    assert (answer.status_code, answer.text[: len(said)]) == (status, said)
    if status == 400:
        assert "Scribe reads version 4 of Alertmanager's webhook here." in answer.text
    assert ZEBRA not in answer.text
    assert ZEBRA not in caplog.text
    assert kept(office) == 0


def test_a_wrong_address_is_refused_before_anything_is_read(office: Workplace) -> None:
    right = address(office)
    elsewhere = office.slack.add_channel("elsewhere")
    wrong = {
        right[:-1] + ("0" if right[-1] != "0" else "1"): 401,
        right.replace("/alertmanager/", "/grafana/"): 401,
        right.replace(office.channel, elsewhere): 401,
        right.replace(office.slack.team_id, "T0ABROAD00"): 401,
        right.rpartition("-")[0]: 401,
        right.replace("/alertmanager/", "/prometeus/"): 404,
    }
    for url, status in wrong.items():
        answer = httpx.post(url, content=b"x" * 2_000_000, timeout=ACK_S)
        assert answer.status_code == status, url
    assert "one of alertmanager, grafana" in answer.text
    assert httpx.get(right, timeout=ACK_S).status_code == 405
    assert kept(office) == 0


def test_a_source_that_signs_is_checked_once_its_secret_is_set(office: Workplace) -> None:
    answer = post(office, {"event": {}}, "pagerduty")
    assert (answer.status_code, "x-pagerduty-signature is missing" in answer.text) == (401, True)
    assert "s3cret" not in answer.text
    answer = post(office, {"event": {}}, "pagerduty", x_pagerduty_signature=f"v1={'0' * 64}")
    assert answer.status_code == 401
    assert post(office, {"heartbeat": None, "monitor": None}, "uptime-kuma").text == "kept: 0 alerts\n"


def test_without_its_secret_there_is_no_endpoint(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock) as office:
        assert post(office, group(alert())).status_code == 404


def test_nothing_of_a_payload_is_logged_and_one_that_is_read_is_kept(
    office: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    post(office, group(alert(ZEBRA, instance=ZEBRA)))
    hear(office)
    assert kept(office) == 1
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert ZEBRA not in "\n".join(ours)


def test_many_at_once_are_each_kept_once(office: Workplace) -> None:
    async def all_at_once() -> list[int]:
        async with httpx.AsyncClient(timeout=ACK_S) as client:
            url = address(office)
            bodies = [group(alert(instance=str(number % 150))) for number in range(300)]
            answers = await asyncio.gather(*(client.post(url, json=each) for each in bodies))
            return [each.status_code for each in answers]

    assert set(asyncio.run(all_at_once())) == {202}
    assert kept(office) == 150


def test_a_subscription_of_sns_is_confirmed_by_a_job(office: Workplace) -> None:
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    envelope = {"Type": "SubscriptionConfirmation", "Message": "x", "TopicArn": "arn:x", "SubscribeURL": url}
    assert post(office, envelope, "cloudwatch").status_code == 202
    assert outbox_states(office) == {"waiting": 1}
    other = {**envelope, "SubscribeURL": "https://example.org/"}
    assert post(office, other, "cloudwatch").status_code == 400
    assert outbox_states(office) == {"waiting": 1}


class _Topic(BaseHTTPRequestHandler):
    """Answers with the status that the path is, and counts who asks."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(int(self.path.strip("/")))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Nothing is logged."""


def test_a_subscription_that_is_refused_or_redirected_is_set_aside_and_holds_up_no_other(office: Workplace) -> None:
    with HTTPServer(("127.0.0.1", 0), _Topic) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        _Topic.asked.clear()
        with office.database.write() as connection:
            for status in (503, 404, 302, 200):
                url = f"http://127.0.0.1:{server.server_port}/{status}"
                ask_to_confirm(connection, office.slack.team_id, url, at=office.bot.context.clock())
        office.deliver()
        server.shutdown()
    assert sorted(_Topic.asked) == ["/200", "/302", "/404", "/503"]
    assert outbox_states(office) == {"waiting": 1, "parked": 2, "sent": 1}
