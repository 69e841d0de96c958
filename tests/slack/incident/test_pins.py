"""What is pinned in an incident's channel is on its timeline, until its pin is taken away."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from bot.handlers.events import PINS_TAKEN
from storage.database import Database
from storage.values import MESSAGE_EDITED, MESSAGE_UNPINNED
from tests.support.ledger import counts, entries, outbox_states, problems, revisions, standing
from tests.support.workplace import Workplace, at, workplace


@pytest.fixture
def pinning(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    """A workplace with an incident, where pins are taken: with one scope, and none for history."""
    with workplace(sqlite, clock=clock, SCRIBE_PINS="on") as office:
        office.slack.scopes |= {"pins:read"}
        office.say("/detected disk full")
        yield office


def post(office: Workplace, words: str = "14:02 the pool is exhausted", thread_ts: str | None = None) -> Message:
    return office.slack.say(office.bob, office.channel, words, thread_ts=thread_ts)


def alone(office: Workplace, user: str) -> list[str]:
    return [message.text for message in office.messages(user=user) if message.ephemeral_for == user]


def test_without_the_setting_pins_do_nothing(office: Workplace) -> None:
    office.slack.scopes |= {"pins:read"}
    office.say("/detected disk full")
    before = counts(office)
    office.slack.pin(office.carol, post(office))
    office.deliver()
    assert counts(office) == before
    assert not office.slack.undelivered


def test_a_pin_records_words_time_author_and_permalink_and_calls_slack_for_nothing(
    pinning: Workplace, clock: SetClock
) -> None:
    clock.set(at("2026-03-12T12:10:00Z"))
    message = post(pinning)
    clock.set(at("2026-03-12T12:20:00Z"))
    pinning.deliver()
    calls = len(pinning.slack.calls)
    pinning.slack.pin(pinning.carol, message)
    answer = pinning.messages()[-1]
    assert answer.text.startswith("Note · 12:10 UTC (21:10 in Tokyo) · INC-1 #2 · late entry · words of bob\n14:02 the")
    assert answer.thread_ts == message.ts
    entry = entries(pinning)[1]
    assert (entry.kind, entry.text, entry.author) == ("note", "14:02 the pool is exhausted", "bob")
    assert (entry.source, entry.recorded_by_id) == ("pin", pinning.carol)
    assert (entry.permalink or "").endswith(message.ts.replace(".", ""))
    assert [each.method for each in pinning.slack.calls[calls:]] == ["chat.postMessage"]


def test_words_of_blocks_and_attachments_are_taken_and_the_thread_is_answered(pinning: Workplace) -> None:
    root = post(pinning, "what do we know?")
    attachment = {"color": "#f00", "title": "p99 over 5 s", "text": "on checkout", "fallback": "no"}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "*Firing*"}}
    message = pinning.slack.say_by_app(
        pinning.channel, "summary", name="grafana", thread_ts=root.ts, blocks=[section], attachments=[attachment]
    )
    pinning.slack.pin(pinning.carol, message)
    assert pinning.messages()[-1].thread_ts == root.ts
    entry = entries(pinning)[-1]
    assert (entry.text, entry.author) == ("*Firing*\np99 over 5 s\non checkout", "grafana")
    assert (entry.permalink or "").endswith(f"?thread_ts={root.ts}&cid={pinning.channel}")


def test_unpinning_retracts_the_entry_with_a_note_whoever_pinned_it_and_it_can_be_pinned_again(
    pinning: Workplace,
) -> None:
    message = post(pinning)
    for round_ in range(2):
        pinning.slack.pin(pinning.carol, message)
        pinning.deliver()
        assert len(standing(pinning)) == 2
        pinning.slack.unpin(pinning.alice, message)
        pinning.deliver()
        assert len(standing(pinning)) == 1
        last = revisions(pinning)[-1]
        assert (last.retracted, last.message_state, last.revised_by_id) == (True, MESSAGE_UNPINNED, pinning.alice)
        assert last.number == 1, round_
    assert pinning.messages()[-1].text == "Taken back: Note · 12:00 UTC · INC-1 #3 · unpinned in Slack"
    assert alone(pinning, pinning.carol) == []


def test_who_may_not_take_back_what_others_recorded_does_not_by_unpinning(pinning: Workplace) -> None:
    message = post(pinning)
    pinning.slack.pin(pinning.carol, message)
    pinning.deliver()
    dora = pinning.slack.add_user("dora", zone="UTC")
    pinning.slack.unpin(dora, message)
    assert "is for its responders to do" in alone(pinning, dora)[0]
    assert len(standing(pinning)) == 2


def test_a_pin_delivered_after_its_removal_puts_nothing_on_the_timeline(pinning: Workplace) -> None:
    message = post(pinning)
    with pinning.slack.failing_deliveries():
        pinning.slack.pin(pinning.carol, message)
    (late,) = pinning.slack.undelivered
    pinning.slack.unpin(pinning.carol, message)
    pinning.deliver()
    pinning.slack.repeat(late)
    pinning.deliver()
    assert len(standing(pinning)) == 1
    pinning.slack.pin(pinning.carol, message)
    pinning.deliver()
    assert len(standing(pinning)) == 2


def test_a_pin_delivered_twice_is_one_entry(pinning: Workplace) -> None:
    pinning.slack.pin(pinning.carol, post(pinning))
    pinning.slack.repeat(pinning.slack.answers[-1])
    pinning.deliver()
    assert len(standing(pinning)) == 2
    assert outbox_states(pinning).keys() == {"sent"}


def test_pins_of_what_scribe_wrote_or_pinned_are_not_heard(pinning: Workplace) -> None:
    pinning.slack.say(pinning.alice, pinning.channel, "@scribe note the pool is exhausted")
    before = standing(pinning)
    assert before[-1] == ("note", "the pool is exhausted")
    own = next(each for each in pinning.messages() if each.user == pinning.slack.bot_user_id)
    pinning.slack.pin(pinning.carol, own)
    pinning.slack.pin(pinning.slack.bot_user_id, post(pinning))
    pinning.deliver()
    assert standing(pinning) == before


def test_only_an_incident_that_is_open_or_ended_lately_takes_pins(pinning: Workplace, clock: SetClock) -> None:
    quiet = pinning.slack.add_channel("random")
    pinning.slack.pin(pinning.carol, pinning.slack.say(pinning.bob, quiet, "lunch at noon"))
    pinning.deliver()
    assert pinning.slack.messages(quiet, pinning.carol)[-1].text == "lunch at noon"
    pinning.say("/resolved freed space")
    clock.set(clock() + timedelta(hours=1))
    pinning.slack.pin(pinning.carol, post(pinning, "found the cause"))
    pinning.deliver()
    assert standing(pinning)[-1] == ("note", "found the cause")
    clock.set(clock() + PINS_TAKEN)
    pinning.slack.pin(pinning.carol, post(pinning, "a new printer"))
    pinning.deliver()
    assert standing(pinning)[-1] == ("note", "found the cause")
    assert problems(pinning) == []


def test_a_pinned_message_that_is_edited_or_deleted_is_followed(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_PINS="on", SCRIBE_FOLLOW_EDITS="on") as office:
        office.slack.scopes |= {"pins:read", "channels:history"}
        office.say("/detected disk full")
        message = post(office)
        office.slack.pin(office.carol, message)
        office.deliver()
        office.slack.edit(message, "14:03 the pool is exhausted")
        edited = entries(office)[-1]
        assert (edited.text, edited.message_state) == ("14:03 the pool is exhausted", MESSAGE_EDITED)
        office.slack.delete(message)
        assert entries(office)[-1].message_state == "deleted"
        assert standing(office)[-1] == ("note", "14:03 the pool is exhausted")
