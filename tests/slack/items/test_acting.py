"""Items are acted on where they are read: in direct messages, other channels, lists; by `INC-1 3`, several at once."""

import re

import pytest

from bot.fakeslack.objects import Message
from bot.handlers.items import buttons
from tests.support.ledger import items
from tests.support.workplace import Workplace

NUMBERED = re.compile(r"\bINC-[0-9]+\b|(?:done|due|drop|undo|edit|erase|assign|snooze) #?[0-9]+\b")


@pytest.fixture
def office(office: Workplace) -> Workplace:
    """INC-1 in #incident, which is archived by now, INC-2 in #two; Bob owns all but the last item of each."""
    for channel in (office.channel, office.slack.add_channel("two")):
        office.say("/detected disk full", channel=channel)
        for words in ("@bob by 2026-03-13: one", "@bob by 2026-03-14: two", "@bob: three", "@carol: four"):
            office.say(f"/actionitem {words}", channel=channel)
    office.deliver()
    office.slack.change_channel(office.channel, archived=True)
    return office


def written(office: Workplace, typed: str, user: str | None = None) -> Message:
    """The one answer to what the person writes to Scribe alone."""
    user = user or office.bob
    before = {message.ts for message in office.messages(user)}
    mine = office.slack.write(user, typed)
    (answer,) = [each for each in office.messages(user) if each.ts not in before | {mine.ts}]
    return answer


def states(office: Workplace, number: int = 1) -> str:
    """The states of the incident's items: `o` open, `d` done, `x` dropped."""
    letters = {"open": "o", "done": "d", "dropped": "x"}
    return "".join(letters[item.state] for item in items(office, number))


@pytest.mark.parametrize(
    ("typed", "first", "second"),
    [
        ("done INC-1 1", "dooo", "oooo"),
        ("done inc-1 #1", "dooo", "oooo"),
        ("done INC-1#1", "dooo", "oooo"),
        ("done INC-1 1.", "dooo", "oooo"),
        ("INC-1 #1 done", "dooo", "oooo"),
        ("done INC-1 1 3", "dodo", "oooo"),
        ("done INC-1 1, 2 and 3", "dddo", "oooo"),
        ("done INC-1 2, INC-2 1", "odoo", "dooo"),
        ("done INC-1 1. one · bob · term unknown · due 2026-03-13", "dooo", "oooo"),
        ("drop INC-2 1, 2: no money", "oooo", "xxoo"),
    ],
)
def test_in_a_direct_message_whatever_became_of_the_channel(
    office: Workplace, typed: str, first: str, second: str
) -> None:
    written(office, typed)
    assert (states(office), states(office, 2)) == (first, second)
    assert [each.text for each in office.messages(office.alice)] == [], "nobody is told that the channel is archived"


@pytest.mark.parametrize(
    "typed",
    ["done", "due", "drop", "snooze", "assign", "confirm", "reopen", "worked", "link", "erase"],
)
def test_every_subcommand_takes_the_incident_in_any_channel(office: Workplace, typed: str) -> None:
    lounge = office.slack.add_channel("lounge")
    rest = {"due": "friday", "drop": "why", "snooze": "3d", "assign": "@carol", "worked": "yes", "erase": "why",
            "link": "https://tickets.example/1"}.get(typed, "")  # fmt: skip
    if typed in {"reopen", "worked"}:
        office.ask("/actionitem done INC-2 2", channel=lounge, user=office.bob)
    user = office.alice if typed == "erase" else office.bob
    answer = office.ask(f"/actionitem {typed} inc-2 #2 {rest}".strip(), channel=lounge, user=user)
    assert "ction item 2 " in answer.text, answer.text


def test_a_date_for_several_and_who_is_refused_is_told_beside_the_others(office: Workplace) -> None:
    written(office, "done INC-2 1")
    said = written(office, "due INC-2 1 2 3 2026-04-01").text
    assert "Action item 1 is done already: one" in said
    assert [str(item.due_on) for item in items(office, 2)][1:3] == ["2026-04-01", "2026-04-01"]
    assert "Action item 1 is done already" in written(office, "done INC-2 1").text


def test_several_of_two_incidents_are_each_told_in_their_own_channel_alone(office: Workplace) -> None:
    two = office.slack.add_channel("three")
    office.say("/detected other", channel=two)
    office.say("/actionitem @bob: other thing", channel=two)
    lounge = office.slack.add_channel("lounge")
    answer = office.private("/actionitem done INC-2 1, INC-3 1", channel=lounge, user=office.bob)
    assert "Action item 1 of INC-2 is done: one" in answer
    assert "Action item 1 of INC-3 is done: other thing" in answer
    told = office.messages(two)[-1].text
    assert "Action item 1 of INC-3 is done: other thing" in told
    assert "INC-2" not in told


def test_each_line_of_a_list_can_be_pasted_back_and_has_its_buttons(office: Workplace) -> None:
    listed = written(office, "mine")
    lines = listed.text.splitlines()
    assert lines[0] == "INC-1 1. one · bob · term unknown · due 2026-03-13"
    assert len(lines) == 6
    assert office.slack.click(office.bob, listed, buttons.DONE, "INC-2 3").ok
    office.deliver()
    for line in lines[:2]:
        written(office, f"done {line}")
    assert (states(office), states(office, 2)) == ("ddoo", "oodo")
    blocks = [block for block in listed.blocks if block["type"] == "actions"]
    assert len(blocks) == len(lines)


def test_a_list_in_a_channel_has_buttons_too(office: Workplace) -> None:
    (channel,) = {each.channel for each in office.answers} - {office.channel}
    answer = office.ask("/actionitem list", channel=channel, user=office.bob)
    assert answer.body["response_type"] == "ephemeral"
    assert office.slack.click(office.bob, answer, buttons.DONE, "INC-2 2").ok
    assert states(office, 2) == "odoo"


def test_a_member_types_what_is_theirs_of_a_private_incident_to_scribe_and_sees_no_words(office: Workplace) -> None:
    hidden = office.slack.add_channel("acquisition", private=True)
    office.say("/detected the zebra is out", channel=hidden)
    for owner in ("@carol", "@bob"):
        office.say(f"/actionitem {owner}: fence the zebra", channel=hidden)
    said = written(office, "done INC-3 2").text
    assert "Action item 2 of INC-3 is done" in said
    assert "zebra" not in said
    assert "There is no INC-3 here." in written(office, "done INC-3 1").text
    assert states(office, 3) == "od"


@pytest.mark.parametrize(
    "typed",
    ["what is for lunch", "done", "due", "drop x", "done INC-2", "list", "actionitem list", "erase INC-2",
     "incident delete", "note it", "actionitem delete", "snooze INC-2"],
)  # fmt: skip
def test_no_answer_has_an_example_with_a_number_that_is_not_the_readers(office: Workplace, typed: str) -> None:
    for user, own in ((office.bob, {1, 2, 3}), (office.alice, {1, 2, 3, 4})):
        said = written(office, typed, user).text.partition("\nYour words: ")[0]
        for found in NUMBERED.findall(said):
            number = int(re.findall("[0-9]+", found)[0])
            assert number in ({1, 2} if found.startswith("INC") else own), (typed, found, said)


def test_who_has_nothing_is_shown_no_number(office: Workplace) -> None:
    outsider = office.slack.add_user("gus", zone="UTC", restricted=True)
    office.bot.refresh()
    for typed in ("what is for lunch", "done", "actionitem list"):
        assert NUMBERED.findall(written(office, typed, outsider).text) == []
