"""Signed payloads with a part removed or changed: an answer, no partial change, no trace in the log."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SetClock
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from tests.support.abroad import Said
from tests.support.hostile import JSON, QUICK, TEXTS, check_log, check_said, loud
from tests.support.workplace import Workplace, workplace

Payload = dict[str, Any]


@pytest.fixture
def busy(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    """A workplace to which Slack has delivered each kind of payload once."""
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin", SCRIBE_PINS="on") as office:
        office.slack.scopes |= {"reactions:read", "channels:history", "pins:read"}
        office.say("/incident open SEV2 disk full")
        office.say("/actionitem @bob: buy disks")
        office.say("/resolved freed some")
        office.say("/detected again")
        message = office.slack.say(office.carol, office.channel, "what now?")
        office.slack.shortcut(office.bob, message, ADD_TO_TIMELINE)
        assert office.slack.modal(office.bob)
        assert office.slack.submit(office.bob, {"words": "a message"}).ok
        office.ask("/actionitem")
        assert office.slack.modal(office.alice)
        assert office.slack.submit(office.alice, {"words": "another disk"}).ok
        office.slack.react(office.bob, message, "pushpin")
        office.slack.pin(office.bob, office.slack.say(office.carol, office.channel, "pinned"))
        office.slack.say(office.bob, office.channel, "@scribe note by mention")
        office.slack.open_home(office.bob)
        office.deliver()
        home = office.slack.home(office.bob)
        assert home is not None
        office.slack.click(office.bob, home, "home_done", "INC-1 1")
        button = next(each for each in reversed(office.messages()) if "reopen" in str(each.blocks))
        office.slack.click(office.carol, button, "reopen")
        office.deliver()
        yield office


def paths(part: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part of a payload."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in inner:
        yield (*above, key)
        yield from paths(value, (*above, key))


def changed(payload: Payload, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Payload:
    """A copy of the payload, with `change` applied to the container of the path's last key."""
    fresh = copy.deepcopy(payload)
    holder: Any = fresh
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return fresh


def post(busy: Workplace, kind: str, payload: Payload) -> int:
    """Post the payload, signed, as Slack posts that kind; returns the status."""
    if kind == "slash_commands":
        flat = {key: value if isinstance(value, str) else json.dumps(value) for key, value in payload.items()}
        body, content_type = urlencode(flat, errors="replace"), "application/x-www-form-urlencoded"
    elif kind == "interactive":
        body, content_type = urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded"
    else:
        body, content_type = json.dumps(payload), "application/json"
    return busy.slack.post_signed(busy.url, body, content_type)[0]


@QUICK
@given(data=st.data())
def test_any_payload_with_a_part_changed_is_answered(
    busy: Workplace, caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    loud(caplog)
    said = Said.from_now(busy)
    delivery = data.draw(st.sampled_from([answer.delivery for answer in busy.slack.answers[:20]]), label="delivery")
    payload = delivery.payload | (
        {"trigger_id": data.draw(st.uuids().map(str))} if "trigger_id" in delivery.payload else {}
    )
    path = data.draw(st.sampled_from(sorted(paths(payload), key=str)), label="path")
    value = data.draw(st.one_of(JSON, TEXTS), label="value")
    gone = data.draw(st.booleans(), label="gone")

    def change(holder: Any, key: Any) -> None:
        if gone:
            del holder[key]
        else:
            holder[key] = value

    assert post(busy, delivery.kind, changed(payload, path, change)) in {200, 400, 404}
    busy.deliver()
    check_said(said)
    check_log(busy, caplog)
