"""A delivery that Slack repeats is answered with the first receipt and changes nothing."""

from bot.clock import SetClock
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from tests.support.ledger import counts, items, standing
from tests.support.workplace import Workplace, at, workplace


def test_every_delivery_can_be_repeated_later(sqlite: Database, clock: SetClock, transport: str) -> None:
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
        shown, recorded, rows = office.messages(user=office.bob), standing(office), counts(office)
        assert rows["incidents"] == rows["action_items"] == 1
        clock.set(at("2026-03-12T15:00:00Z"))
        for answer in office.slack.answers:
            if answer.delivery.payload.get("type") != "message_action":
                again = office.slack.repeat(answer)
                assert again.status == 200
                assert again.text == answer.text
        assert standing(office) == recorded
        repeated = {answer.text for answer in first}
        assert [each for each in office.messages(user=office.bob) if each.text not in repeated] == [
            each for each in shown if each.text not in repeated
        ]
        assert counts(office) == rows


def test_a_repeated_click_is_one_click(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    office.say("/resolved freed")
    answer = office.ask("/detected again")
    clicked = office.slack.click(office.bob, answer, "reopen")
    shown, rows = office.messages(user=office.bob), counts(office)
    clock.set(at("2026-03-12T15:00:00Z"))
    assert office.slack.repeat(clicked).ok
    assert office.messages(user=office.bob) == shown
    assert counts(office) == rows


def test_a_refused_form_can_be_corrected_and_submitted_again(office: Workplace) -> None:
    office.say("/detected disk full")
    office.ask("/actionitem")
    assert office.slack.modal(office.alice)
    refused = office.slack.submit(office.alice, {"words": "a\0b"})
    assert refused.body["response_action"] == "errors"
    assert office.slack.repeat(refused).body == refused.body
    sent = office.slack.submit(office.alice, {"words": "watch it"})
    office.slack.repeat(sent)
    assert [item.text for item in items(office)] == ["watch it"]
