"""Which incident: a number at the head of the words names it; where there is none, the person is asked."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.clock import SetClock
from bot.fakeslack.delivery import PayloadDelivery
from bot.fakeslack.dispatcher import Answer
from bot.vocabulary import ADD_TO_TIMELINE, KINDS
from storage.database import Database
from tests.support.ledger import counts, entries, incident, incident_count, items, standing
from tests.support.workplace import Workplace, at, workplace


@dataclass
class Two:
    """INC-1 in #incident and INC-2 in #mails, both open; `lobby` never had an incident."""

    office: Workplace
    mails: str
    lobby: str


@pytest.fixture
def two(office: Workplace) -> Two:
    office.say("/detected disk full")
    mails = office.slack.add_channel("mails")
    office.say("/incident open SEV3 mails are late", channel=mails)
    office.say("/detected mails are late", channel=mails)
    office.messages(mails)
    return Two(office, mails, office.slack.add_channel("lobby"))


def options(asked: Answer) -> list[tuple[str, str]]:
    """(label, value) of the menu's options."""
    assert asked.message
    menu = asked.message.blocks[-1]["elements"][0]
    return [(each["text"]["text"], each["value"]) for each in menu["options"]]


def choose(two: Two, asked: Answer, name: str, *, user: str | None = None) -> Answer:
    value = next(value for label, value in options(asked) if label.startswith(name))
    return two.office.slack.click(user or two.office.alice, asked, "choose_incident", value)


@pytest.mark.parametrize("head", ["INC-1 ", "inc-1: ", "inc1 ", "INC 1: ", "#INC-1 \u2014 ", "[INC-1] "])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_to_the_incident_that_its_words_begin_with(two: Two, kind: str, head: str) -> None:
    words = "well: the words" if kind == "lesson" else "the words"
    told = two.office.say(f"/{kind} {head}at 11:50 {words}", channel=two.mails)
    assert told.startswith(f"{KINDS[kind].label} · 11:50 UTC · INC-1 #2")
    assert told.endswith(f"Recorded on INC-1, in <#{two.office.channel}>.")
    assert standing(two.office)[-1] == (kind, "the words")
    assert len(standing(two.office, 2)) == 1
    there = next(each.text for each in two.office.messages() if each.text.startswith("From "))
    assert there.startswith(f"From <#{two.mails}>, by alice: {KINDS[kind].label} · 11:50 UTC · INC-1 #2")
    assert "Recorded on" not in there


NAMED: dict[str, Callable[[Workplace], bool]] = {
    "/incident severity INC-1 SEV1": lambda office: incident(office).severity == "SEV1",
    "/incident INC-1 severity SEV1": lambda office: incident(office).severity == "SEV1",
    "/incident lead INC-1 @carol": lambda office: incident(office).lead_id == office.carol,
    "/incident title INC-1: Carts are empty": lambda office: incident(office).title == "Carts are empty",
    "/incident private INC-1": lambda office: incident(office).private,
    "/incident edit INC-1 1 at 11:40 disk very full": lambda office: entries(office)[0].text == "disk very full",
    "/incident undo INC-1": lambda office: standing(office) == [],
    "/incident INC-1 undo": lambda office: standing(office) == [],
    "/incident note INC-1 we look": lambda office: standing(office)[-1] == ("note", "we look"),
    "/incident INC-1 note we look": lambda office: standing(office)[-1] == ("note", "we look"),
    "/actionitem INC-1 @bob by friday: buy disks": lambda office: items(office)[-1].owner_id == office.bob,
    "/actionitem done INC-1 1": lambda office: items(office)[0].state == "done",
    "/actionitem INC-1 drop 1 done upstream": lambda office: items(office)[0].state == "dropped",
}


@pytest.mark.parametrize("typed", NAMED)
def test_every_writing_command_takes_a_number(two: Two, typed: str) -> None:
    two.office.say("/actionitem @alice: watch the disk")
    two.office.deliver()
    answer = two.office.ask(typed, channel=two.mails)
    assert answer.text.endswith(f"Recorded on INC-1, in <#{two.office.channel}>.")
    # What the incident holds is for its own channel; new words are their author's.
    assert answer.body["response_type"] == ("in_channel" if " note " in typed or "@bob by" in typed else "ephemeral")
    assert NAMED[typed](two.office)
    assert two.office.messages()[-1].text.startswith(f"From <#{two.mails}>, by alice: ")
    assert len(standing(two.office, 2)) == 1
    assert incident(two.office, 2).title == "mails are late"


def test_a_name_that_was_one_of_the_words_is_put_back_by_a_button(two: Two) -> None:
    office = two.office
    answer = office.ask("/note INC-2 may have the same cause")
    assert answer.text.startswith("Note · 12:00 UTC · INC-2 #2\nmay have the same cause\nRecorded on INC-2, in ")
    for _ in range(2):
        office.slack.click(office.alice, answer, "move_here")
    moved, again = (each.text for each in office.messages(user=office.alice)[-2:])
    assert moved.startswith("Note · 12:00 UTC · INC-1 #2\nINC-2 may have the same cause\n")
    assert moved.endswith("It was moved from INC-2, where entry 2 is taken back.")
    assert again == "Entry 2 of INC-2 was moved or taken back already. /timeline INC-2 shows what stands."
    assert office.messages(two.mails)[-1].text.endswith("It was moved from INC-2, where entry 2 is taken back.")
    assert standing(office) == [("detected", "disk full"), ("note", "INC-2 may have the same cause")]
    assert standing(office, 2) == [("detected", "mails are late")]


def test_a_resolution_of_the_wrong_incident_is_put_right_by_the_button(two: Two) -> None:
    answer = two.office.ask("/resolved INC-2 was not the cause, disk is free")
    two.office.slack.click(two.office.alice, answer, "move_here")
    told = two.office.messages()
    assert incident(two.office, 2).open
    assert not incident(two.office).open
    moved = next(each.text for each in told if "It was moved from INC-2" in each.text)
    assert "INC-2 is open again." in moved
    assert "INC-1 is resolved. Its postmortem is being drafted." in moved
    assert [each.name for each in two.office.drafts] == ["INC-1-postmortem-v1.md"]


def test_a_question_which_incident_to_read_keeps_no_words(two: Two) -> None:
    asked = two.office.ask("/timeline", channel=two.lobby)
    assert "Or choose the incident below." in asked.text
    assert "kept" not in asked.text
    assert choose(two, asked, "INC-1").ok


def test_in_its_own_channel_a_number_changes_nothing_else(two: Two) -> None:
    before = len(two.office.messages())
    assert two.office.say("/note INC-1 we look") == "Note · 12:00 UTC · INC-1 #2\nwe look"
    assert len(two.office.messages()) == before + 1
    assert "INC-2 ·" in two.office.private("/incident INC-2")
    assert two.office.say("/incident open INC-3 is what it will be", channel=two.lobby).startswith("INC-3 is declared")


def test_a_detection_with_a_number_declares_nothing(two: Two) -> None:
    two.office.say("/resolved INC-2 they arrive")
    assert "INC-2 was resolved at 12:00 UTC; this is recorded as afterwards." in two.office.say(
        "/detected INC-2 they are late again"
    )
    assert incident_count(two.office) == 2


def test_a_mention_and_a_form_take_a_number(two: Two) -> None:
    two.office.slack.say(two.office.bob, two.lobby, "@scribe resolved INC-2 they arrive")
    assert two.office.messages(two.lobby, two.office.alice)[-1].text.endswith(f"Recorded on INC-2, in <#{two.mails}>.")
    told, drafted, version = two.office.messages(two.mails)[-3:]
    assert told.text.startswith("From another conversation, by bob: Resolved")
    assert drafted.text.startswith("INC-2 · postmortem, version 1")
    assert version.thread_ts == drafted.ts
    assert not incident(two.office, 2).open
    two.office.ask("/actionitem INC-2", channel=two.lobby)
    assert two.office.slack.modal(two.office.alice)
    two.office.slack.submit(two.office.alice, {"words": "INC-1 had it too"})
    assert items(two.office, 2)[0].text == "INC-1 had it too"
    assert two.office.messages(two.lobby, two.office.alice)[-1].text.endswith(f"Recorded on INC-2, in <#{two.mails}>.")


def test_what_one_cannot_see_is_refused_like_what_does_not_exist(two: Two) -> None:
    two.office.say("/incident private", channel=two.mails)
    before = counts(two.office)
    for typed in (*NAMED, *(f"/{kind} INC-1 well: words" for kind in KINDS)):
        unseen, missing = (
            two.office.refused(typed.replace("INC-1", name), user=two.office.bob, channel=two.lobby)
            for name in ("INC-2", "INC-9")
        )
        assert unseen == missing.replace("INC-9", "INC-2")
        assert unseen.startswith("There is no INC-2 here.")
    assert counts(two.office) == before


@pytest.mark.parametrize("place", ["channel", "direct message"])
def test_words_without_an_incident_are_kept_and_recorded_as_typed(two: Two, clock: SetClock, place: str) -> None:
    office = two.office
    channel = two.lobby if place == "channel" else office.slack.workspace.direct(office.alice).id
    asked = office.ask("/note -10m: we look at the disk", channel=channel)
    assert asked.body["response_type"] == "ephemeral"
    assert "Your words: /note -10m: we look at the disk" in asked.text
    here = ["A new incident in this channel"] if place == "channel" else []
    assert [label for label, _ in options(asked)] == ["INC-2 · mails are late", "INC-1 · disk full", *here]
    assert ("This channel" if place == "channel" else "There is no incident here.") in asked.text
    clock.set(at("2026-03-12T12:30:00Z"))
    assert choose(two, asked, "INC-1").ok
    entry = entries(office)[-1]
    assert (entry.kind, entry.text, entry.author) == ("note", "we look at the disk", "alice")
    assert (entry.occurred_at, entry.recorded_at) == (at("2026-03-12T11:50:00Z"), at("2026-03-12T12:00:00Z"))
    told = office.messages(channel)[-1].text
    assert told.startswith("Note · 11:50 UTC · INC-1 #2 · late entry")
    assert told.endswith(f"Recorded on INC-1, in <#{office.channel}>.")
    assert office.messages()[-1].text.startswith(
        f"From <#{channel}>, by alice: Note" if place == "channel" else "From another conversation, by alice: Note"
    )


def test_words_are_recorded_once_whatever_is_chosen_afterwards(two: Two) -> None:
    asked = two.office.ask("/did freed space", channel=two.lobby)
    two.office.slack.repeat(asked)
    two.office.slack.repeat(choose(two, asked, "INC-1"))
    before = counts(two.office)["timeline_entries"]
    for name in ("INC-1", "INC-2", "A new"):
        choose(two, asked, name)
        refusal = two.office.messages(two.lobby, two.office.alice)[-1]
        assert refusal.text == "Those words are done with already: you chose INC-1."
    assert counts(two.office)["timeline_entries"] == before
    assert standing(two.office)[-1] == ("did", "freed space")
    assert incident_count(two.office) == 2


def test_a_menu_is_for_who_typed_the_words(two: Two) -> None:
    asked = two.office.ask("/did freed space", channel=two.lobby)
    value = options(asked)[0][1]
    other = two.office.ask("/did freed space", channel=two.lobby, user=two.office.bob)
    payload = two.office.slack.click(two.office.bob, other, "choose_incident", options(other)[0][1]).delivery.payload
    forged = [
        {**payload["actions"][0], "selected_option": {"text": {"type": "plain_text", "text": "x"}, "value": value}}
    ]
    before = counts(two.office)["timeline_entries"]
    sent = {**payload, "actions": forged, "trigger_id": "forged"}
    assert two.office.slack.transport.deliver(PayloadDelivery(kind="interactive", payload=sent)).status == 200
    assert "Those words are kept no longer" in two.office.messages(two.lobby, two.office.bob)[-1].text
    assert counts(two.office)["timeline_entries"] == before


ASKED: dict[str, Callable[[Workplace], bool]] = {
    "/incident severity SEV1": lambda office: incident(office).severity == "SEV1",
    "/incident lead @carol": lambda office: incident(office).lead_id == office.carol,
    "/incident edit 1 disk very full": lambda office: standing(office)[0] == ("detected", "disk very full"),
    "/incident undo": lambda office: standing(office) == [],
    "/actionitem @bob: buy disks": lambda office: items(office)[-1].owner_id == office.bob,
    "/actionitem done 1": lambda office: items(office)[0].state == "done",
    "/resolved": lambda office: not incident(office).open,
    "/incident note we look": lambda office: standing(office)[-1] == ("note", "we look"),
}


@pytest.mark.parametrize("typed", ASKED)
def test_every_writing_command_is_kept_where_there_is_no_incident(two: Two, typed: str) -> None:
    two.office.say("/actionitem @alice: watch the disk")
    asked = two.office.ask(typed, channel=two.lobby)
    choose(two, asked, "INC-1")
    assert ASKED[typed](two.office)
    assert two.office.messages(two.lobby, two.office.alice)[-1].text.endswith(
        f"Recorded on INC-1, in <#{two.office.channel}>."
    )


def test_a_reading_command_is_answered_by_choice_to_the_person_alone(two: Two) -> None:
    asked = two.office.ask("/timeline", channel=two.lobby)
    assert [label for label, _ in options(asked)] == ["INC-2 · mails are late", "INC-1 · disk full"]
    choose(two, asked, "INC-1")
    shown = two.office.messages(two.lobby, two.office.alice)[-1]
    assert shown.ephemeral_for == two.office.alice
    assert "1. 12:00 UTC · Detected: disk full (alice)" in shown.text


def test_a_mention_a_form_and_a_reaction_are_kept_too(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin") as office:
        office.slack.scopes |= {"reactions:read", "channels:history"}
        office.say("/detected disk full")
        lobby = office.slack.add_channel("lobby")
        root = office.slack.say(office.carol, lobby, "I freed space")
        office.slack.say(office.bob, lobby, "@scribe did freed space", thread_ts=root.ts)
        office.slack.react(office.bob, root, "pushpin")
        office.slack.shortcut(office.bob, office.slack.say(office.carol, lobby, "again"), ADD_TO_TIMELINE)
        assert office.slack.modal(office.bob)
        assert office.slack.submit(office.bob, {"words": "freed space"}).body == {}
        asked = [each for each in office.messages(lobby, office.bob) if "Your words:" in each.text]
        assert len(asked) == 3
        for each in asked:
            value = each.blocks[-1]["elements"][0]["options"][0]["value"]
            office.slack.click(office.bob, each, "choose_incident", value)
            office.deliver()
        recorded = [(each.kind, each.text, each.author, each.source) for each in entries(office)[1:]]
        assert sorted(recorded) == [
            ("did", "freed space", "bob", "mention"),
            ("note", "I freed space", "carol", "reaction"),
            ("note", "freed space", "carol", "shortcut"),
        ]


def test_resolved_and_private_incidents_in_the_menu(two: Two) -> None:
    two.office.say("/resolved they arrive", channel=two.mails)
    two.office.say("/incident private")
    asked = two.office.ask("/lesson well: quick", channel=two.lobby)
    assert [label for label, _ in options(asked)] == [
        "INC-2 · resolved · mails are late", "A new incident in this channel",
    ]  # fmt: skip
    two.office.say("/incident private off")
    asked = two.office.ask("/lesson well: quick", channel=two.lobby)
    two.office.say("/incident private")
    choose(two, asked, "INC-1")
    assert two.office.messages(two.lobby, two.office.alice)[-1].text.startswith("There is no INC-1 here.")
    choose(two, asked, "INC-2")
    assert standing(two.office, 2)[-1] == ("lesson", "quick")


def test_the_words_may_declare_an_incident_in_their_channel(two: Two) -> None:
    asked = two.office.ask("/impact 5% of logins fail", channel=two.lobby)
    choose(two, asked, "A new")
    told = two.office.messages(two.lobby)[-1].text
    assert told.startswith("Impact · 12:00 UTC · INC-3 #1\n5% of logins fail\nINC-3 is declared.")
    assert (incident(two.office, 3).channel_id, incident(two.office, 3).title) == (two.lobby, "5% of logins fail")


def test_the_first_words_of_a_workspace_declare_its_first_incident_at_a_click(office: Workplace) -> None:
    asked = office.ask("/did restarted db1")
    assert asked.text.startswith("This channel has no incident yet. Declare one: /detected what was seen")
    assert asked.text.endswith("Your words: /did restarted db1")
    office.slack.click(office.alice, asked, "choose_incident")
    assert office.messages()[-1].text.startswith("Did · 12:00 UTC · INC-1 #1\nrestarted db1\nINC-1 is declared.")


def test_long_titles_and_many_incidents_fit_into_the_menu(office: Workplace) -> None:
    for number in range(60):
        office.say(f"/detected {number} {'x' * 150}", channel=office.slack.add_channel(f"c{number}"))
    asked = office.ask("/note we look", channel=office.slack.add_channel("lobby"))
    assert len(options(asked)) == 51
    assert all(len(label) <= 75 and len(value) <= 75 for label, value in options(asked))


def test_a_mention_edited_while_it_is_asked_about_is_asked_about_again(two: Two) -> None:
    said = two.office.slack.say(two.office.bob, two.lobby, "@scribe did fred space")
    two.office.deliver()
    two.office.slack.edit(said, "@scribe did freed space")
    asked = two.office.messages(two.lobby, two.office.bob)[-1]
    assert asked.text.endswith("Your words: @scribe did freed space")
    value = asked.blocks[-1]["elements"][0]["options"][1]["value"]
    two.office.slack.click(two.office.bob, asked, "choose_incident", value)
    assert standing(two.office)[-1] == ("did", "freed space")
    two.office.deliver()
    two.office.slack.edit(said, "@scribe did freed more space")
    two.office.deliver()
    assert standing(two.office)[-1] == ("did", "freed more space")
