"""Said once, stored once: whatever Slack delivers again is answered with the first receipt and changes nothing."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlencode

from bot.clock import SetClock
from bot.slack.bot import build
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from tests.support.ledger import counts, entries, items, standing
from tests.support.workplace import HTTP, Workplace, at, serve, workplace


def test_every_delivery_may_come_again_at_any_time(sqlite: Database, clock: SetClock, transport: str) -> None:
    with workplace(sqlite, clock=clock, transport=transport, SCRIBE_REACTIONS="pushpin") as office:
        office.slack.scopes |= {"reactions:read", "channels:history"}
        first = [
            office.ask("/detected disk full"),
            office.ask("/did freed"),
            office.ask("/incident edit 2 freed a lot"),
            office.ask("/actionitem watch it"),
            office.ask("/resolved it holds"),
            office.ask("/incident undo"),
            office.ask("/incident severity SEV1"),
        ]
        office.slack.say(office.bob, office.channel, "@scribe note in a message")
        office.slack.say(office.bob, office.channel, "@scribe lesson without its side")
        message = office.slack.say(office.bob, office.channel, "pool exhausted")
        office.slack.shortcut(office.carol, message, ADD_TO_TIMELINE)
        assert office.slack.modal(office.carol)
        office.slack.submit(office.carol)
        other = office.slack.say(office.bob, office.channel, "pool refilled")
        office.slack.react(office.carol, other, "pushpin")
        office.messages()
        office.slack.unreact(office.carol, other, "pushpin")
        office.messages(user=office.bob)
        shown, told, kept = office.messages(user=office.bob), standing(office), counts(office)
        assert kept["incidents"] == kept["action_items"] == 1
        clock.set(at("2026-03-12T15:00:00Z"))
        for answer in office.slack.answers:
            if answer.delivery.payload.get("type") != "message_action":
                again = office.slack.repeat(answer)
                assert again.status == 200
                assert again.text == answer.text
        assert standing(office) == told
        repeated = {answer.text for answer in first}
        assert [each for each in office.messages(user=office.bob) if each.text not in repeated] == [
            each for each in shown if each.text not in repeated
        ]
        assert counts(office) == kept


def test_a_click_that_comes_again_is_one_click(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    office.say("/resolved freed")
    answer = office.ask("/detected again")
    clicked = office.slack.click(office.bob, answer, "reopen")
    shown, kept = office.messages(user=office.bob), counts(office)
    clock.set(at("2026-03-12T15:00:00Z"))
    assert office.slack.repeat(clicked).ok
    assert office.messages(user=office.bob) == shown
    assert counts(office) == kept


def test_a_refused_form_may_be_sent_again_corrected(office: Workplace) -> None:
    office.say("/detected disk full")
    office.ask("/actionitem")
    assert office.slack.modal(office.alice)
    refused = office.slack.submit(office.alice, {"words": "a\0b"})
    assert refused.body["response_action"] == "errors"
    assert office.slack.repeat(refused).body == refused.body
    sent = office.slack.submit(office.alice, {"words": "watch it"})
    office.slack.repeat(sent)
    assert [item.text for item in items(office)] == ["watch it"]


@contextmanager
def two_bots(database: Database, clock: SetClock) -> Iterator[tuple[Workplace, str]]:
    """A workplace, and the address of a second bot with a connection pool of its own over the same database."""
    url = database.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        office = stack.enter_context(workplace(database, clock=clock, transport=HTTP))
        second = Database(url)
        bot = build(office.bot.context.settings, second, clock=clock)
        bot.refresh()
        stack.callback(second.close)
        stack.callback(bot.stop)
        yield office, stack.enter_context(serve(bot, office.bot.context.settings))


def at_once(office: Workplace, posts: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Send the forms to their addresses at one instant; the texts of the answers."""

    def send(post: tuple[str, dict[str, Any]]) -> str:
        status, body = office.slack.post_signed(post[0], urlencode(post[1]))
        assert status == 200, body
        return str(json.loads(body)["text"])

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(send, posts))


def test_two_bots_over_one_database_keep_one_of_two_equal_deliveries(database: Database, clock: SetClock) -> None:
    with two_bots(database, clock) as (office, second):
        payload = office.ask("/incident help").delivery.payload
        for number in range(5):
            form = {**payload, "command": "/detected", "text": f"seen {number}", "trigger_id": f"{number}.t"}
            answers = at_once(office, [(url, form) for url in (office.url, second) * 2])
            assert len(set(answers)) == 1
            assert f"seen {number}" in answers[0]
        assert [entry.text for entry in entries(office)] == [f"seen {number}" for number in range(5)]
        assert counts(office)["incidents"] == 1


def test_people_who_detect_at_once_are_in_one_incident(database: Database, clock: SetClock) -> None:
    with two_bots(database, clock) as (office, second):
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
