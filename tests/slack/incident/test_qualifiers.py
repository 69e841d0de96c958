"""A missing qualifier is asked for after saving; a press is a revision. A title follows the entry it came from."""

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from bot.handlers.request import Button
from bot.slack.outbound import blocks
from storage import outbox
from tests.support.buttons import labels
from tests.support.ledger import counts, entries, incident
from tests.support.workplace import Workplace, at


def qualifiers(office: Workplace) -> list[str | None]:
    return [entry.qualifier for entry in entries(office)]


@pytest.fixture
def declared(office: Workplace) -> Workplace:
    office.say("/detected by monitoring: disk full")
    return office


@pytest.mark.parametrize(
    ("typed", "asked", "action", "qualifier"),
    [
        ("/lesson the rollback was quick", ["Went well", "Went badly", "Luck"], "qualify_well", "well"),
        ("/cause nobody reviewed it", ["Technical", "Process", "Human"], "qualify_process", "process"),
        ("/lesson lucky it was a thursday", ["Went well", "Went badly"], "qualify_badly", "badly"),
    ],
)
def test_a_qualifier_is_asked_for_and_the_receipt_with_the_answer_takes_the_place_of_the_question(
    declared: Workplace, typed: str, asked: list[str], action: str, qualifier: str
) -> None:
    office = declared
    answer = office.ask(typed)
    assert labels(answer.message) == asked
    seen = len(office.messages())
    office.slack.click(office.bob, answer, action)
    message = office.messages()[-1]
    assert (len(office.messages()), message.edited, labels(message)) == (seen, True, [])
    assert qualifier in message.text.partition("\n")[0]
    assert message.text.partition("\n")[2] == answer.text.partition("\n")[2]
    assert qualifiers(office)[-1] == qualifier
    assert entries(office)[-1].revisions == 1


def test_a_first_detection_is_asked_for_who_noticed(office: Workplace) -> None:
    answer = office.ask("/detected errors")
    assert labels(answer.message) == ["By monitoring", "By a customer", "By an engineer"]
    office.slack.click(office.alice, answer, "qualify_customer")
    assert office.messages()[-1].text.startswith("Detected · 12:00 UTC · INC-1 #1 · by customer")
    assert "INC-1 is declared" in office.messages()[-1].text


def test_a_qualifier_that_was_typed_is_not_asked_for(declared: Workplace) -> None:
    for typed in ("/lesson well: quick", "/cause human: both looked the same", "/detected by engineer: slow", "/did x"):
        assert "qualify_" not in str(declared.ask(typed).body), typed


def test_the_same_press_twice_or_by_two_people_is_one_revision(declared: Workplace) -> None:
    office = declared
    answer = office.ask("/lesson the pager was muted")
    for user in (office.alice, office.bob):
        assert answer.message
        office.slack.workspace.put_message(answer.message)
        office.slack.click(user, answer, "qualify_badly")
    office.slack.repeat(office.slack.answers[-1])
    office.deliver()
    assert entries(office)[-1].revisions == 1


def test_the_other_questions_of_a_receipt_stay_when_one_is_answered(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/resolved freed")
    clock.set(at("2026-03-12T13:00:00Z"))
    answer = office.ask("/detected full again")
    assert labels(answer.message) == [
        "It is the same one: reopen INC-1",
        "By monitoring",
        "By a customer",
        "By an engineer",
    ]
    office.slack.click(office.bob, answer, "qualify_monitoring")
    message = next(each for each in office.messages() if each.ts == answer.message.ts)  # type: ignore[union-attr]
    assert labels(message) == ["It is the same one: reopen INC-1"]
    assert "INC-2 is declared" in message.text
    office.slack.click(office.bob, message, "reopen")
    assert office.messages()[-1].text.startswith("INC-1 is open again")


def test_an_entry_that_was_taken_back_or_is_not_of_this_channel_cannot_be_sorted(declared: Workplace) -> None:
    office = declared
    answer = office.ask("/lesson the pager was muted")
    office.say("/incident undo")
    office.say("/incident private")
    elsewhere = office.slack.add_channel("elsewhere")
    before = counts(office)["entry_revisions"]
    office.slack.click(office.alice, answer, "qualify_badly")
    assert office.messages(user=office.alice)[-1].text.startswith("Entry 2 was taken back.")
    for value in ("INC-1 1", "INC-9 1", "INC-1 9", "INC-1 x", "1", "x", "INC-1"):
        old = posted(office, elsewhere, Button(label="Customer", action="qualify_customer", value=value))
        office.slack.click(office.bob, old, "qualify_customer")
        message = office.messages(elsewhere, office.bob)[-1]
        assert message.ephemeral_for == office.bob, value
        assert "INC-1 #" not in message.text
    wrong = posted(office, office.channel, Button(label="Went well", action="qualify_well", value="INC-1 1"))
    office.slack.click(office.bob, wrong, "qualify_well")
    assert office.messages(user=office.bob)[-1].text.startswith("Entry 1 is another kind of entry")
    assert counts(office)["entry_revisions"] == before


def posted(office: Workplace, channel: str, button: Button) -> Message:
    """A message with the button, as one of another time or version."""
    message = {"text": "old", "blocks": blocks.controls((button,))}
    with office.database.write() as connection:
        outbox.post(connection, office.slack.team_id, channel, message, at=office.bot.context.clock())
    return office.messages(channel)[-1]


def test_a_lesson_without_its_side_is_in_every_template_and_the_check_names_it(declared: Workplace) -> None:
    office = declared
    office.say("/lesson the pager was muted")
    office.say("/cause nobody reviewed it")
    for template in ("classic", "devops", "full", "learning", "response", "sysadmin"):
        office.say(f"/postmortem template {template}")
        office.deliver()
        draft = office.drafts[-1].content.decode()
        assert "he pager was muted" in draft, template
        assert "Not sorted yet" in draft, template
        assert "obody reviewed it" in draft, template
    check = office.private("/postmortem check")
    assert "#2 Lesson" in check
    assert "/incident edit 2 badly:" in check
    office.say("/incident edit 2 badly:")
    assert (entries(office)[1].qualifier, entries(office)[1].text) == ("badly", "the pager was muted")
    assert "#2 Lesson" not in office.private("/postmortem check")


def test_a_title_follows_the_words_of_the_detection_it_came_from(office: Workplace) -> None:
    assert "INC-1 is declared" in office.say("/detected disk ful on db1")
    assert office.say("/incident edit 1 disk full on db1").endswith(
        "Title, as it followed these words: disk full on db1"
    )
    assert incident(office).title == "disk full on db1"
    assert "Title" not in office.say("/incident edit 1 at 11:58")
    assert "Title" not in office.say("/incident edit 1 by customer: disk full on db1")
    office.say("/detected errors too")
    assert "Title" not in office.say("/incident edit 2 errors everywhere")
    assert incident(office).title == "disk full on db1"
    assert "disk full on db1" in office.private("/incident list")


def test_a_title_set_by_hand_or_with_the_incident_follows_nothing(office: Workplace) -> None:
    office.say("/detected disk ful")
    office.say("/incident title Carts are empty")
    assert "Title" not in office.say("/incident edit 1 disk full")
    assert incident(office).title == "Carts are empty"
    other = office.slack.add_channel("other")
    office.say("/incident open SEV2 slow", channel=other)
    office.say("/detected it is slow", channel=other)
    assert "Title" not in office.say("/incident edit 1 it was slow", channel=other)
    assert incident(office, 2).title == "slow"


def test_a_detection_without_words_gives_its_incident_a_title_once_it_has_some(office: Workplace) -> None:
    office.say("/detected")
    assert incident(office).title == "Incident in #incident"
    assert "Title, as it followed" in office.say("/incident edit 1 disk full")
    assert incident(office).title == "disk full"


def test_an_unknown_source_keeps_its_words_and_its_time_and_is_asked_about(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T12:30:00Z"))
    answer = office.ask("/detected by pagerduty at 12:05 disk full")
    assert answer.text.startswith("Detected · 12:05 UTC · INC-1 #1 · late entry\nby pagerduty disk full")
    office.slack.click(office.alice, answer, "qualify_monitoring")
    assert "INC-1 #1 · by monitoring · late entry\nby pagerduty disk full" in office.messages()[-1].text


def test_a_title_follows_a_mention_that_is_edited(office: Workplace) -> None:
    message = office.slack.say(office.bob, office.channel, "@scribe detected disk ful")
    office.deliver()
    assert incident(office).title == "disk ful"
    office.slack.edit(message, "@scribe detected disk full")
    assert "Title, as it followed these words: disk full" in office.messages()[-1].text
    assert incident(office).title == "disk full"
