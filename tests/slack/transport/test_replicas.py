"""Slack says everything several times, in any order, to one bot or to two over one database: it is kept once."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from bot.clock import SetClock
from bot.fakeslack.delivery import HttpTransport
from bot.fakeslack.dispatcher import Answer
from bot.slack.bot import Bot, build
from bot.slack.inbound.socket import connect
from bot.slack.outbound import home
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from tests.support.ledger import counts, items, outbox_states, standing
from tests.support.workplace import HTTP, Workplace, serve, workplace

COPIES = 4
CHANNELS = 2
Say = Callable[[Answer], str]
"""Says one delivery once more, to the bot whose turn it is; its answer."""


@contextmanager
def replicas(database: Database, clock: SetClock, transport: str, bots: int) -> Iterator[tuple[Workplace, list[Bot]]]:
    """A workplace with so many bots over one database, each with a connection pool of its own."""
    url = database.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        office = stack.enter_context(workplace(database, clock=clock, transport=transport, SCRIBE_REACTIONS="pushpin"))
        office.slack.scopes |= {"reactions:read", "channels:history"}
        settings, running = office.bot.context.settings, [office.bot]
        for _ in range(1, bots):
            own = Database(url)
            stack.callback(own.close)
            bot = build(settings, own, clock=clock)
            bot.refresh()
            stack.callback(bot.stop)
            running.append(bot)
            if transport != HTTP:
                stack.callback(connect(bot, settings).close)
                office.slack.wait_connected(bots)
        yield office, running


@contextmanager
def saying(office: Workplace, bots: list[Bot], transport: str) -> Iterator[Say]:
    """The way to say a delivery once more."""
    if transport != HTTP:
        # The stand-in delivers to its connections in turn.
        yield lambda answer: _kept(office.slack.repeat(answer))
        return
    with ExitStack() as stack:
        urls = [stack.enter_context(serve(bot, office.bot.context.settings)) for bot in bots]
        posts = [HttpTransport(url=url, wait_s=10, secret=office.slack.signing_secret) for url in urls]
        turns = iter(range(10_000))

        def say(answer: Answer) -> str:
            ack = posts[next(turns) % len(posts)].deliver(replace(answer.delivery, retries=1))
            assert (ack.status, ack.error) == (200, None)
            return json.dumps(ack.body, sort_keys=True)

        yield say
        for each in posts:
            each.close()


def _kept(answer: Answer) -> str:
    assert answer.ok, answer
    return json.dumps(answer.body, sort_keys=True)


def begun(office: Workplace) -> list[Answer]:
    """Prepare what can be clicked and sent, then do all that people do while deliveries fail."""
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
def test_whatever_comes_several_times_and_in_any_order_is_kept_once_and_answered_the_same(
    request: pytest.FixtureRequest, clock: SetClock, transport: str, store: str, bots: int
) -> None:
    database: Database = request.getfixturevalue(store)
    seed = random.randrange(1_000_000)  # noqa: S311 - no secret
    print("seed", seed)  # pytest shows it with a failure
    with replicas(database, clock, transport, bots) as (office, running):
        done = begun(office)
        copies = done * COPIES
        random.Random(seed).shuffle(copies)  # noqa: S311 - no secret
        answers = defaultdict(set)
        with saying(office, running, transport) as say, ThreadPoolExecutor(8) as pool:
            for answer, told in zip(copies, pool.map(say, copies), strict=True):
                answers[done.index(answer)].add(told)
        assert {len(each) for each in answers.values()} == {1}
        _said_once(office, running)
        _stored_once(office)


def _stored_once(office: Workplace) -> None:
    expected = ["disk full", "the pool is exhausted", "the pool is refilled"]
    expected += [f"seen {number}" for number in range(4)] + [f"step {number}" for number in range(4)]
    assert sorted(text for _, text in standing(office)) == sorted(expected)
    assert sorted((item.text, item.state) for item in items(office)) == [
        ("alert before it is full", "proposed"),
        ("watch it", "done"),
    ]
    for number in range(CHANNELS):
        # Opened again, with what had declared another incident moved over to it.
        assert [text for _, text in standing(office, 2 + 2 * number)].count("down again") == 1
    assert counts(office)["incidents"] == 1 + 2 * CHANNELS


def _said_once(office: Workplace, bots: list[Bot]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda bot: bot.context.delivery.deliver_due(), bots))
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


def test_a_reaction_taken_away_before_it_is_told_of_puts_nothing_on_the_timeline(
    sqlite: Database, clock: SetClock, transport: str
) -> None:
    with replicas(sqlite, clock, transport, 1) as (office, bots), saying(office, bots, transport) as say:
        office.say("/detected disk full")
        message = office.slack.say(office.bob, office.channel, "pool exhausted")
        before = len(office.slack.answers)
        with office.slack.failing_deliveries():
            office.slack.react(office.carol, message, "pushpin")
            office.slack.unreact(office.carol, message, "pushpin")
        added, removed = office.slack.answers[before:]
        for answer in (removed, added, removed, added):
            say(answer)
            office.deliver()
        assert [text for _, text in standing(office)] == ["disk full"]
        office.slack.react(office.carol, message, "pushpin")
        office.deliver()
        assert [text for _, text in standing(office)] == ["disk full", "pool exhausted"]
