"""A reaction puts a message on the timeline; its removal retracts the entry."""

from collections.abc import Iterator
from datetime import date

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from storage.database import Database
from tests.support.ledger import counts, entries, items, outbox_states, problems, standing
from tests.support.workplace import Workplace, at, workplace

SCOPES = {"reactions:read", "channels:history"}


@pytest.fixture
def pinning(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    """A workplace with an incident, where a pushpin records a note and a check mark an action taken."""
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin,white_check_mark=did") as office:
        office.slack.scopes |= SCOPES
        office.say("/detected disk full")
        yield office


def post(office: Workplace, words: str = "14:02 the pool is exhausted", thread_ts: str | None = None) -> Message:
    return office.slack.say(office.bob, office.channel, words, thread_ts=thread_ts)


def ephemerals(office: Workplace, user: str) -> list[str]:
    return [message.text for message in office.messages(user=user) if message.ephemeral_for == user]


def test_without_the_setting_reactions_do_nothing(office: Workplace) -> None:
    office.slack.scopes |= SCOPES
    office.say("/detected disk full")
    before = counts(office)
    office.slack.react(office.carol, post(office), "pushpin")
    office.deliver()
    assert counts(office) == before
    assert not office.slack.undelivered


def test_a_reaction_records_the_messages_words_time_author_and_permalink(pinning: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T12:10:00Z"))
    message = post(pinning)
    clock.set(at("2026-03-12T12:20:00Z"))
    pinning.slack.react(pinning.carol, message, "white_check_mark")
    pinning.slack.react(pinning.carol, message, "tada")
    answer = pinning.messages()[-1]
    assert answer.text.startswith("Did · 12:10 UTC (21:10 in Tokyo) · INC-1 #2 · late entry · words of bob\n14:02 the")
    assert answer.thread_ts == message.ts
    entry = entries(pinning)[1]
    assert (entry.text, entry.author, entry.source) == ("14:02 the pool is exhausted", "bob", "reaction")
    assert (entry.permalink or "").endswith(message.ts.replace(".", ""))


def test_an_emoji_may_make_an_action_item_of_a_message_once_whatever_its_first_word_is(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin,bulb=actionitem") as office:
        office.slack.scopes |= SCOPES
        office.say("/detected disk full")
        said = post(office, "@carol by 2026-03-20: add an alert at 80%")
        for user in (office.alice, office.carol):
            office.slack.react(user, said, "bulb")
        office.slack.react(office.alice, post(office, "done 1 is what we want to read"), "bulb")
        office.deliver()
        found = [(item.text, item.owner, item.due_on, item.state) for item in items(office)]
        assert found == [
            ("add an alert at 80%", "carol", date(2026, 3, 20), "open"),
            ("done 1 is what we want to read", None, None, "proposed"),
        ]
        assert [each.thread_ts for each in office.messages() if each.text.startswith("Action item 1 ")] == [said.ts]
        office.slack.unreact(office.alice, said, "bulb")
        office.deliver()
        assert items(office)[0].state == "open"
        assert len(standing(office)) == 1
        assert ephemerals(office, office.carol) == ephemerals(office, office.alice) == []


def test_removing_a_reaction_retracts_the_entry_and_it_can_be_added_again(pinning: Workplace) -> None:
    message = post(pinning)
    for _ in range(2):
        pinning.slack.react(pinning.carol, message, "pushpin")
        pinning.deliver()
        assert len(standing(pinning)) == 2
        pinning.slack.unreact(pinning.carol, message, "pushpin")
        pinning.deliver()
        assert len(standing(pinning)) == 1
    assert pinning.messages()[-1].text.startswith("Taken back: Note · 12:00 UTC")
    assert ephemerals(pinning, pinning.carol) == []


def test_two_reactions_make_one_entry_and_removing_the_second_retracts_nothing(pinning: Workplace) -> None:
    message = post(pinning)
    pinning.slack.react(pinning.carol, message, "pushpin")
    pinning.slack.react(pinning.alice, message, "pushpin")
    assert ephemerals(pinning, pinning.alice) == ["That message is on the timeline already: it is entry 2."]
    pinning.slack.unreact(pinning.alice, message, "pushpin")
    pinning.deliver()
    assert len(standing(pinning)) == 2
    assert len(ephemerals(pinning, pinning.alice)) == 1


def test_a_reaction_in_a_thread_is_answered_in_the_thread(pinning: Workplace) -> None:
    root = post(pinning, "what do we know?")
    message = post(pinning, "the pool is exhausted", root.ts)
    pinning.slack.react(pinning.carol, message, "pushpin")
    assert pinning.messages()[-1].thread_ts == root.ts
    assert standing(pinning)[-1] == ("note", "the pool is exhausted")
    pinning.slack.unreact(pinning.carol, message, "pushpin")
    assert pinning.messages()[-1].thread_ts == root.ts


def test_a_deleted_and_a_too_long_message_put_nothing_on_the_timeline(pinning: Workplace) -> None:
    message = post(pinning)
    pinning.slack.react(pinning.carol, message, "pushpin")
    pinning.slack.workspace.messages[pinning.channel].pop(message.ts)
    pinning.deliver()
    long = post(pinning, "x" * 20_000)
    pinning.slack.react(pinning.carol, long, "pushpin")
    assert "10,000 fit" in ephemerals(pinning, pinning.carol)[-1]
    assert len(standing(pinning)) == 1
    assert problems(pinning) == []


def test_a_missing_scope_parks_the_job_and_delays_no_other(pinning: Workplace) -> None:
    pinning.slack.scopes -= {"channels:history"}
    pinning.slack.react(pinning.carol, post(pinning), "pushpin")
    pinning.slack.say(pinning.bob, pinning.channel, "@scribe note all the same")
    assert pinning.messages()[-1].text.endswith("all the same")
    assert problems(pinning) == [("reaction_added", "missing_scope")]
    assert outbox_states(pinning).keys() == {"sent", "parked"}
