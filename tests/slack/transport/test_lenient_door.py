"""Each field of each payload removed, emptied or mistyped: what nobody reads refuses nothing, what is read is named."""

import copy
import itertools
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.clock import SetClock
from bot.fakeslack import payloads as sent
from bot.fakeslack.dispatcher import Answer
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from tests.support.ledger import counts, entries
from tests.support.workplace import SOCKET, Workplace, workplace

Payload = dict[str, Any]
TYPED = "correct-horse-battery"

READ: dict[str, frozenset[str]] = {
    "command": frozenset({"channel_id", "user_id", "command", "text", "trigger_id"}),
    "mention": frozenset({"event", "event.type", "event.user", "event.text", "event.ts", "event.channel"}),
    "direct": frozenset(
        {"event", "event.type", "event.user", "event.text", "event.ts", "event.channel", "event.subtype", "event_id"}
    ),
    "reaction": frozenset(
        {
            "event", "event.type", "event.user", "event.reaction", "event.item", "event.item.type",
            "event.item.channel", "event.item.ts", "event_id",
        }
    ),
    "pin": frozenset(
        {
            "event", "event.type", "event.user", "event.item", "event.item.type", "event.item.message",
            "event.item.message.ts", "event.item.message.text", "event.item.message.user", "event_id",
        }
    ),
    "edit": frozenset(
        {
            "event", "event.type", "event.subtype", "event.channel", "event.message", "event.message.ts",
            "event.message.text", "event.message.edited", "event.message.edited.ts", "event.message.user", "event_id",
            "event.message.subtype", "event.message.type",
        }
    ),
    "home": frozenset({"event", "event.type", "event.user", "event.tab"}),
    "member": frozenset({"event", "event.type", "event.user", "event.user.id", "event.user.profile"}),
    "joined": frozenset({"event", "event.type", "event.user", "event.channel"}),
    "unread": frozenset({"event", "event.type"}),
    "click": frozenset(
        {"user", "user.id", "trigger_id", "actions", "actions.0", "actions.0.action_id", "actions.0.value",
         "actions.0.type", "actions.0.selected_option", "channel", "channel.id"}
    ),
    "shortcut": frozenset(
        {"user", "user.id", "trigger_id", "callback_id", "channel", "channel.id", "message", "message.ts",
         "message.user", "message.text"}
    ),
    "form": frozenset(
        {"user", "user.id", "view", "view.id", "view.callback_id", "view.type", "view.private_metadata", "view.state"}
    ),
}  # fmt: skip
"""The fields that decide what is done, by kind; `type` is what tells the kinds apart."""
ALSO_READ = ("type", "view.state", "event.user.")
"""Where every part of it is read: the kinds, what was filled in, Slack's description of a person."""
KIND = (
    "event.type", "event.subtype", "type", "event.message.edited", "event.message.subtype", "event.item.type",
    "event.reaction", "event.message.type", "command", "text",
)  # fmt: skip
"""What another value of makes another kind of, which nobody may read."""
CHANGES: dict[str, Callable[[Any], Any]] = {
    "null": lambda _value: None,
    "empty": lambda value: type(value)() if isinstance(value, dict | list) else "",
    "mistyped": lambda value: 5 if isinstance(value, str | dict | list) or value is None else [TYPED],
    "of another shape": lambda value: {TYPED: TYPED} if not isinstance(value, dict) else [TYPED],
}


@pytest.fixture
def office(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin", SCRIBE_PINS="on") as office:
        office.slack.scopes |= {"reactions:read", "channels:history", "channels:read", "pins:read"}
        office.say("/detected disk full")
        yield office


def kinds(office: Workplace) -> dict[str, Answer]:
    """One delivery of each kind, as the stand-in sends it."""
    slack, alice = office.slack, office.alice

    def last() -> Answer:
        return slack.answers[-1]

    def event(content: Payload) -> Answer:
        return slack._dispatcher.event(content, user=alice)

    found = {"command": office.ask("/note a word")}
    found["click"] = slack.click(alice, office.ask("/detected disk full"), "entry_undo")
    slack.say(alice, office.channel, "@scribe note by mention")
    found["mention"] = last()
    message = slack.say(office.bob, office.channel, "it is back")
    slack.react(alice, message, "pushpin")
    found["reaction"] = last()
    office.deliver()
    slack.pin(alice, slack.say(office.bob, office.channel, "it is gone"))
    found["pin"] = last()
    office.deliver()
    slack.edit(message, "it is back now")
    found["edit"] = last()
    slack.shortcut(alice, message, ADD_TO_TIMELINE)
    found["shortcut"] = last()
    assert slack.modal(alice)
    slack.submit(alice, {"kind": "note", "words": "in a form"})
    found["form"] = last()
    slack.open_home(alice)
    found["home"] = last()
    slack.write(alice, "done INC-1 9")
    found["direct"] = last()
    found["member"] = event(sent.user_change(slack.workspace, slack.workspace.users[office.carol]))
    found["joined"] = event(sent.member_joined(slack.workspace.channels[office.channel]))
    found["unread"] = event(
        {"type": "channel_rename", "channel": {"id": office.channel, "name": "x"}, "event_ts": "1.2"}
    )
    office.deliver()
    return found


_FRESH = itertools.count(1)


def fresh(office: Workplace, kind: str, payload: Payload) -> Payload:
    """The payload as if Slack had not sent it before."""
    payload, number = copy.deepcopy(payload), next(_FRESH)
    for key in ("trigger_id", "event_id"):
        if key in payload:
            payload[key] = f"fresh.{number}"
    if kind in {"mention", "direct"}:
        payload["event"]["ts"] = f"{1773316800 + number}.000100"
    if kind == "form":
        payload["view"]["id"] = f"V{number}"
    if kind == "shortcut":
        payload["trigger_id"] = office.slack._triggers.issue(office.alice)
    return payload


def paths(part: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part; inside of a message's or view's blocks nothing more is told apart."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in inner:
        yield (*above, key)
        if key not in {"blocks", "bot_profile", "previous_message"}:
            yield from paths(value, (*above, key))


def changes(payload: Payload) -> Iterator[tuple[str, str, Callable[[Payload], None]]]:
    for path in paths(payload):
        *holders, last = path

        def holder(fresh: Payload, holders: list[Any] = holders) -> Any:
            for step in holders:
                fresh = fresh[step]
            return fresh

        def remove(fresh: Payload, holder: Any = holder, last: Any = last) -> None:
            del holder(fresh)[last]

        name = ".".join(map(str, path))
        yield name, "removed", remove
        for how, new in CHANGES.items():

            def change(fresh: Payload, holder: Any = holder, last: Any = last, new: Any = new) -> None:
                holder(fresh)[last] = new(holder(fresh)[last])

            yield name, how, change
    if isinstance(payload.get("event"), dict):
        yield "event.added", "added", lambda fresh: fresh["event"].update({TYPED: TYPED})
    yield "added", "added", lambda fresh: fresh.update({TYPED: {TYPED: [TYPED]}})


def post(office: Workplace, delivery_kind: str, payload: Payload) -> int:
    if delivery_kind == "slash_commands":
        flat = {key: value if isinstance(value, str) else json.dumps(value) for key, value in payload.items()}
        return office.slack.post_signed(office.url, urlencode(flat))[0]
    if delivery_kind == "interactive":
        return office.slack.post_signed(office.url, urlencode({"payload": json.dumps(payload)}))[0]
    return office.slack.post_signed(office.url, json.dumps(payload), "application/json")[0]


@contextmanager
def grown(office: Workplace) -> Iterator[dict[str, int]]:
    """How many rows each table gets meanwhile."""
    found: dict[str, int] = {}
    before = counts(office)
    yield found
    after = counts(office)
    found.update({name: after[name] - before[name] for name in after if after[name] != before[name]})


def is_read(kind: str, name: str) -> bool:
    return name in READ[kind] or name.startswith(ALSO_READ)


@pytest.mark.parametrize("kind", sorted(READ))
def test_a_field_that_nobody_reads_refuses_nothing_and_a_refused_one_is_named(
    office: Workplace, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    delivery = kinds(office)[kind].delivery
    with grown(office) as usual:
        assert post(office, delivery.kind, fresh(office, kind, delivery.payload)) == 200
    caplog.set_level(logging.INFO)
    refused = 0
    for name, how, change in changes(delivery.payload):
        payload = fresh(office, kind, delivery.payload)
        change(payload)
        caplog.clear()
        with grown(office) as done:
            status = post(office, delivery.kind, payload)
        logged = [record.getMessage() for record in caplog.records if "not readable" in record.getMessage()]
        told = (kind, name, how, status, logged)
        assert status in {200, 400, 404}, told
        assert TYPED not in caplog.text, told
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR], told
        if is_read(kind, name):
            refused += status == 400
            assert status != 400 or (logged and done == {}), told
            assert status == 400 or done or not usual or logged or name in KIND, told
            if status == 400 and name != "event":
                assert not {*name.split("."), "*"}.isdisjoint(logged[0].replace(":", "").replace(".", " ").split()), (
                    told
                )
        else:
            assert status == 200, told
            assert not logged, told
            assert done == usual, told
    assert refused > 0


def test_what_is_refused_over_the_socket_is_acknowledged_and_not_delivered_for_ever(
    sqlite: Database, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    with workplace(sqlite, clock=clock, transport=SOCKET, SCRIBE_REACTIONS="pushpin") as office:
        slack = office.slack
        reacted = {"type": "reaction_added", "user": office.alice, "reaction": "pushpin"}
        for content, field in (
            ({"type": "app_mention", "user": office.alice, "channel": office.channel, "ts": TYPED, "text": "x"}, "ts"),
            (reacted | {"item": {"channel": "", "ts": "1.2"}}, "event.item.message.channel"),
            ({"type": "user_change", "user": {"name": TYPED}}, "event.user.id"),
            ({"type": 5}, "event.type"),
            ({}, "event.type"),
        ):
            caplog.clear()
            assert slack._dispatcher.event(content, user=office.alice).status == 200
            assert field in caplog.text
            assert TYPED not in caplog.text
        assert slack.undelivered == []
        assert office.say("/detected disk full").startswith("Detected · ")


def test_what_was_reported_of_real_payloads_is_taken(office: Workplace) -> None:
    slack, alice = office.slack, office.alice
    message = slack.say(office.bob, office.channel, "it is back")
    slack.react(alice, message, "pushpin")
    added = slack.answers[-1].delivery
    later = slack.say(office.bob, office.channel, "it is gone")
    event = {key: value for key, value in added.payload["event"].items() if key != "event_ts"}
    bare = {key: value for key, value in added.payload.items() if key != "team_id"}
    event["item"] = {"type": "message", "channel": office.channel, "ts": later.ts}
    assert post(office, added.kind, bare | {"event": event, "event_id": "EvBARE"}) == 200
    office.deliver()
    slack.shortcut(alice, message, ADD_TO_TIMELINE)
    shortcut = fresh(office, "shortcut", slack.answers[-1].delivery.payload)
    shortcut["message"] |= {"user": "", "bot_id": "B0ALERTS"}
    shortcut |= {"team": None}
    assert post(office, "interactive", shortcut) == 200
    assert slack.modal(alice)
    slack.workspace.close_view(alice, all_of_them=True)
    button = slack.click(alice, office.ask("/detected disk full"), "entry_undo").delivery
    click = fresh(office, "click", button.payload)
    click |= {"channel": {"id": "", "name": ""}, "team": None, "container": click["container"] | {"is_ephemeral": 5}}
    assert post(office, "interactive", click) == 200
    assert [(entry.kind, entry.text) for entry in entries(office)] == [
        ("detected", "disk full"),
        ("note", "it is back"),
        ("note", "it is gone"),
        ("detected", "disk full"),
    ]
