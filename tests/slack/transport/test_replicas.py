"""What Slack delivers several times and in any order, to one bot or to two over one database, is stored once."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.clock import SetClock
from bot.fakeslack.delivery import HttpTransport
from bot.fakeslack.dispatcher import Answer
from bot.slack.bot import Bot
from bot.slack.outbound import home
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from storage.live_messages import WINDOW_S
from tests.support.ledger import counts, entries, items, outbox_states, standing
from tests.support.replicas import at_once, replicas
from tests.support.workplace import HTTP, Workplace, serve

COPIES = 4
CHANNELS = 2
TURNS = 2 + 4 * CHANNELS
"""More than there are live messages, of which one is edited at a time: a card and a draft of each incident."""
Repeat = Callable[[Answer], str]
"""Repeats a delivery to the next bot in turn, and returns the body of the answer."""


@contextmanager
def repeating(office: Workplace, bots: list[Bot], transport: str) -> Iterator[Repeat]:
    """The function that repeats a delivery over the transport."""
    if transport != HTTP:
        # Fakeslack delivers to its connections in turn.
        yield lambda answer: _body(office.slack.repeat(answer))
        return
    with ExitStack() as stack:
        urls = [stack.enter_context(serve(bot, office.bot.context.settings)) for bot in bots]
        posts = [HttpTransport(url=url, wait_s=60, secret=office.slack.signing_secret) for url in urls]
        for each in posts:
            stack.callback(each.close)
        turns = iter(range(10_000))

        def repeat(answer: Answer) -> str:
            ack = posts[next(turns) % len(posts)].deliver(replace(answer.delivery, retries=1))
            assert (ack.status, ack.error) == (200, None)
            return json.dumps(ack.body, sort_keys=True)

        yield repeat


def _body(answer: Answer) -> str:
    assert answer.ok, answer
    return json.dumps(answer.body, sort_keys=True)


def deliveries(office: Workplace) -> list[Answer]:
    """Commands, clicks, forms and events that Slack has not delivered yet; what they refer to is in the workplace."""
    slack = office.slack
    channels = [slack.add_channel(f"outage-{number}") for number in range(CHANNELS)]
    office.say("/detected disk full")
    office.say("/actionitem @carol: watch it")
    again = []
    for channel in channels:
        office.say("/detected down", channel=channel)
        office.say("/resolved up", channel=channel)
        again.append(office.ask("/detected down again", channel=channel))
    message = slack.say(office.bob, office.channel, "the pool is exhausted")
    slack.shortcut(office.carol, message, ADD_TO_TIMELINE)
    assert slack.modal(office.carol)
    slack.open_home(office.carol)
    office.deliver()
    before = len(slack.answers)
    with slack.failing_deliveries():
        for number in range(4):
            office.ask(f"/note seen {number}")
            slack.say(office.bob, office.channel, f"@scribe did step {number}")
        office.ask("/actionitem alert before it is full")
        office.ask("/incident severity SEV2")
        for answer in again:
            slack.click(office.bob, answer, "reopen")
        slack.submit(office.carol)
        tab = slack.home(office.carol)
        assert tab
        slack.click(office.carol, tab, home.DONE)
        slack.react(office.alice, slack.say(office.bob, office.channel, "the pool is refilled"), "pushpin")
    return slack.answers[before:]


@pytest.mark.parametrize(("store", "bots"), [("sqlite", 1), ("postgres", 2)])
def test_repeated_deliveries_in_any_order_are_stored_once_and_answered_the_same(
    request: pytest.FixtureRequest, clock: SetClock, transport: str, store: str, bots: int
) -> None:
    database: Database = request.getfixturevalue(store)
    seed = random.randrange(1_000_000)  # noqa: S311 - no secret
    print("seed", seed)  # pytest shows it with a failure
    with replicas(database, clock, transport, bots) as (office, running):
        original = deliveries(office)
        copies = original * COPIES
        random.Random(seed).shuffle(copies)  # noqa: S311 - no secret
        answers = defaultdict(set)
        with repeating(office, running, transport) as repeat, ThreadPoolExecutor(8) as pool:
            for answer, text in zip(copies, pool.map(repeat, copies), strict=True):
                answers[original.index(answer)].add(text)
        assert {len(each) for each in answers.values()} == {1}
        _check_sent_once(office, running, clock)
        _check_stored_once(office)


def _check_stored_once(office: Workplace) -> None:
    expected = ["disk full", "SEV2", "the pool is exhausted", "the pool is refilled"]
    expected += [f"seen {number}" for number in range(4)] + [f"step {number}" for number in range(4)]
    assert sorted(text for _, text in standing(office)) == sorted(expected)
    assert sorted((item.text, item.state) for item in items(office)) == [
        ("alert before it is full", "proposed"),
        ("watch it", "done"),
    ]
    for number in range(CHANNELS):
        # Reopened, with the entries of the duplicate moved to it.
        assert [text for _, text in standing(office, 2 + 2 * number)].count("down again") == 1
    assert counts(office)["incidents"] == 1 + 2 * CHANNELS


def _check_sent_once(office: Workplace, bots: list[Bot], clock: SetClock) -> None:
    with ThreadPoolExecutor() as pool:
        for _ in range(TURNS):
            list(pool.map(lambda bot: bot.context.delivery.deliver_due(), bots))
            clock.set(clock() + timedelta(seconds=WINDOW_S))
    assert outbox_states(office).keys() == {"sent"}
    posted = Counter(
        call.args["metadata"]["event_payload"]["key"]
        for call in office.slack.calls
        if call.method == "chat.postMessage" and call.args.get("metadata")
    )
    assert set(posted.values()) == {1}
    shown = Counter(message.text for message in office.messages())
    for number in range(4):
        assert [count for text, count in shown.items() if f"step {number}" in text and text.startswith("Did")] == [1]


def test_a_reaction_delivered_after_its_removal_puts_nothing_on_the_timeline(
    sqlite: Database, clock: SetClock, transport: str
) -> None:
    with replicas(sqlite, clock, transport, 1) as (office, bots), repeating(office, bots, transport) as repeat:
        office.say("/detected disk full")
        message = office.slack.say(office.bob, office.channel, "pool exhausted")
        before = len(office.slack.answers)
        with office.slack.failing_deliveries():
            office.slack.react(office.carol, message, "pushpin")
            office.slack.unreact(office.carol, message, "pushpin")
        added, removed = office.slack.answers[before:]
        for answer in (removed, added, removed, added):
            repeat(answer)
            office.deliver()
        assert [text for _, text in standing(office)] == ["disk full"]
        office.slack.react(office.carol, message, "pushpin")
        office.deliver()
        assert [text for _, text in standing(office)] == ["disk full", "pool exhausted"]


def test_equal_deliveries_to_two_bots_at_once_are_stored_once(database: Database, clock: SetClock) -> None:
    with replicas(database, clock, HTTP, 2) as (office, bots), serve(bots[1], bots[0].context.settings) as second:
        payload = office.ask("/incident help").delivery.payload
        for number in range(5):
            form = {**payload, "command": "/detected", "text": f"seen {number}", "trigger_id": f"{number}.t"}
            answers = at_once(office, [(url, form) for url in (office.url, second) * 2])
            assert len(set(answers)) == 1
            assert f"seen {number}" in answers[0]
        assert [entry.text for entry in entries(office)] == [f"seen {number}" for number in range(5)]
        assert counts(office)["incidents"] == 1


def test_detections_at_once_declare_one_incident(database: Database, clock: SetClock) -> None:
    with replicas(database, clock, HTTP, 2) as (office, bots), serve(bots[1], bots[0].context.settings) as second:
        payload = {**office.ask("/incident help").delivery.payload, "command": "/detected"}
        at_once(
            office,
            [
                (url, {**payload, "text": f"seen {number}", "trigger_id": f"{number}.t"})
                for number, url in enumerate((office.url, second) * 4)
            ],
        )
        assert counts(office)["incidents"] == 1
        assert {entry.text for entry in entries(office)} == {f"seen {number}" for number in range(8)}
