"""Answers that would take longer than Slack waits: announced at once, then given by the outbox."""

import json
import re

import pytest

from bot.fakeslack.objects import Message
from bot.handlers import later
from tests.support.statements import statements
from tests.support.workplace import Workplace

LONG = ("/postmortem check", "/postmortem show")
ANNOUNCED = "One moment…"


def told(office: Workplace, user: str) -> list[Message]:
    """What delivery now tells the person alone."""
    before = {each.ts for each in office.slack.messages(office.channel, user)}
    office.deliver()
    return [
        each for each in office.messages(office.channel, user) if each.ephemeral_for == user and each.ts not in before
    ]


FEW = re.compile(r"timeline_entries\.id IN |timeline_entries\.kind = ")
"""The condition of a query for the words of some entries."""


@pytest.fixture
def long(office: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A workplace where three entries are many, and four that are not indexed."""
    monkeypatch.setattr(later, "MOST_ENTRIES", 3)
    monkeypatch.setattr(later, "MOST_UNINDEXED", 4)
    office.say("/detected disk full")
    office.say("/note first")
    office.say("/resolved freed space")
    office.deliver()
    return office


def test_the_state_and_the_list_read_no_more_however_long_the_past(long: Workplace) -> None:
    """They are answered at once, so they read no more of what was told than they show, nor each incident by itself."""

    def asked(typed: str) -> list[str]:
        with statements(long.database) as said:
            answer = long.private(typed)
        assert "INC-1" in answer
        return [" ".join(each.split()) for each in said]

    read = {typed: asked(typed) for typed in ("/incident status", "/incident catchup", "/incident list all")}
    long.say("/reopened it is back")
    long.say("/impact nobody can pay")
    for number in range(3):
        long.say("/detected disk full again", channel=long.slack.add_channel(f"other-{number}"))
    assert "5 entries" in long.private("/incident catchup")
    for typed, before in read.items():
        heard = asked(typed)
        assert len(heard) <= len(before), typed
        assert not [each for each in heard if "timeline_entries.text" in each and not FEW.search(each)], typed


@pytest.mark.parametrize("command", LONG)
def test_what_is_short_is_answered_at_once_and_one_entry_more_comes_a_moment_later(
    long: Workplace, command: str
) -> None:
    at_once = long.private(command)
    assert not at_once.startswith(ANNOUNCED)
    assert told(long, long.alice) == []
    long.say("/note second")
    assert long.private(command).startswith(ANNOUNCED)
    (answer,) = told(long, long.alice)
    assert "INC-1" in answer.text + json.dumps(answer.blocks)
    assert told(long, long.bob) == []


def test_a_search_in_much_that_is_not_indexed_comes_later_too_and_finds_the_same(long: Workplace) -> None:
    at_once = long.private("/incident search disk")
    assert "INC-1" in at_once
    long.say("/detected disk full again", channel=long.slack.add_channel("other"))
    assert long.private("/incident search disk").startswith(ANNOUNCED)
    (answer,) = told(long, long.alice)
    assert "INC-1" in answer.text
    assert "INC-2" in answer.text
    long.bot.index()
    assert "INC-2" in long.private("/incident search disk")


def test_what_is_refused_is_refused_then_with_the_words(long: Workplace) -> None:
    long.say("/note second")
    assert long.private("/postmortem show v7").startswith(ANNOUNCED)
    (answer,) = told(long, long.alice)
    assert "no version 7 of its postmortem" in answer.text
    assert "/postmortem show v7" in answer.text


def test_the_same_request_delivered_twice_is_answered_once(long: Workplace) -> None:
    long.say("/note second")
    for _ in range(2):
        assert long.ask("/postmortem check", trigger_id="once").text.startswith(ANNOUNCED)
    assert len(told(long, long.alice)) == 1


def test_what_somebody_may_not_see_is_refused_at_once_and_nothing_follows(long: Workplace) -> None:
    long.say("/note second")
    long.say("/incident private")
    elsewhere = long.slack.add_channel("elsewhere")
    for command in ("/postmortem check INC-1", "/postmortem show INC-1", "/timeline INC-1"):
        assert ANNOUNCED not in long.refused(command, user=long.carol, channel=elsewhere)
    long.deliver()
    told_there = [each.text for each in long.slack.messages(elsewhere, long.carol)]
    assert not [each for each in told_there if "disk full" in each]


def test_a_mention_is_answered_later_too(long: Workplace) -> None:
    long.say("/note second")
    long.slack.say(long.bob, long.channel, "@scribe postmortem check")
    assert told(long, long.bob)[0].text.startswith(ANNOUNCED)
    assert len([each for each in long.slack.messages(long.channel, long.bob) if each.ephemeral_for == long.bob]) == 2
