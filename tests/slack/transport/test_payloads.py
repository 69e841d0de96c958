"""Payloads as Slack has been seen to send them, rebuilt or recorded, through the real door."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.clock import SetClock
from bot.doctor.recording import Disguise
from bot.slack.manifest import manifest
from storage.database import Database
from tests.support.workplace import Workplace, workplace

FOLDER = Path(__file__).parent / "payloads"
REBUILT: dict[str, dict[str, Any]] = json.loads((FOLDER / "rebuilt.json").read_text(encoding="utf-8"))
RECORDED = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("[0-9]*.json"))}


def here(payload: dict[str, Any], office: Workplace) -> dict[str, Any]:
    """The payload with the ids of this workplace in place of its own."""
    slack, text = office.slack, json.dumps(payload)
    ids = {
        "T0ACME0001": slack.team_id, "A0BOT00001": slack.app_id, "U0BOT00001": slack.bot_user_id,
        "B0BOT00001": slack.bot_id, "U0ANA00001": office.alice, "U0BEN00001": office.bob, "C0INC00001": office.channel,
    }  # fmt: skip
    for name, own in ids.items():
        text = text.replace(name, own)
    found: dict[str, Any] = json.loads(text)
    return found


def post(office: Workplace, payload: dict[str, Any]) -> tuple[int, str]:
    """POST the payload, signed, in the form that Slack gives its kind."""
    if "command" in payload:
        return office.slack.post_signed(office.url, urlencode(payload))
    if payload.get("type") == "event_callback":
        return office.slack.post_signed(office.url, json.dumps(payload), "application/json")
    return office.slack.post_signed(office.url, urlencode({"payload": json.dumps(payload)}))


@pytest.fixture
def open_incident(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(
        sqlite, clock=clock, SCRIBE_REACTIONS="pushpin=note", SCRIBE_FOLLOW_EDITS="on", SCRIBE_PINS="on"
    ) as office:
        office.slack.scopes |= {"reactions:read", "channels:history", "groups:history", "pins:read"}
        office.say("/detected disk full")
        yield office


def kinds() -> set[str]:
    """What the rebuilt payloads are, by Slack's names; a message's in the manifest is that of its channels."""
    events = {payload["event"]["type"] for payload in REBUILT.values() if "event" in payload}
    others = {"command" if "command" in payload else payload["type"] for payload in REBUILT.values()}
    return events | others - {"event_callback"}


def test_there_is_one_for_everything_that_the_manifest_subscribes_to() -> None:
    subscribed = manifest(reactions=True, edits=True, pins=True)["settings"]["event_subscriptions"]["bot_events"]
    assert {name.partition(".")[0] for name in subscribed} <= kinds()
    assert {"command", "block_actions", "message_action", "view_submission", "view_closed"} <= kinds()


def test_each_rebuilt_payload_is_answered(open_incident: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    office, refused = open_incident, {}
    for name, payload in REBUILT.items():
        status, _ = post(office, here(payload, office))
        if status != 200:
            refused[name] = status
    assert refused == {}
    assert "request not readable" not in caplog.text
    said = office.ask("/timeline").text
    assert said.count("the disk of db1 is full") == 2, said  # the command's and the mention's


def test_each_recorded_payload_is_answered(open_incident: Workplace) -> None:
    """Those of a live hour, and the rebuilt ones as they would have been recorded."""
    disguise = Disguise()
    payloads = {name: disguise.of(payload) for name, payload in REBUILT.items()}
    payloads |= {name: recorded["payload"] for name, recorded in RECORDED.items()}
    refused = {name: status for name, each in payloads.items() if (status := post(open_incident, each)[0]) != 200}
    assert refused == {}
