"""Whether what was done worked: asked once in the digest, once more a week later, and answered with a reason."""

import re
from datetime import UTC, date, datetime

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from storage.database import Database
from tests.support.as_posted import as_posted
from tests.support.ledger import counts, items
from tests.support.workplace import Workplace, at, workplace

ASKED_ON, ONCE_MORE_ON = "2026-04-13", "2026-04-20"
"""Bob's zone is Los Angeles; thirty days after 12 March is a Saturday, so Monday is the day."""


@pytest.fixture
def finished(office: Workplace) -> Workplace:
    """An incident led by Alice, and three items: one of Bob's done on 12 March, one open, and one dropped."""
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    office.say("/actionitem @bob by 2026-03-13: alert at 80% full")
    office.say("/actionitem @bob: buy disks")
    office.say("/actionitem @bob: sell disks")
    office.say("/actionitem drop 3 none are left")
    office.say("/actionitem done 1")
    office.deliver()
    return office


def remind_at(office: Workplace, when: str) -> None:
    clock: SetClock = office.bot.context.clock  # type: ignore[assignment]
    clock.set(at(when))
    office.bot.remind()
    office.deliver()


def questions(office: Workplace, place: str) -> list[Message]:
    return [each for each in as_posted(office.slack, place) if "Did it work" in each.text]


def days(office: Workplace, place: str) -> list[str]:
    """Run a tick on each noon of March to May in Los Angeles; the days on which it was asked there."""
    for month in (3, 4, 5):
        for day in range(13 if month == 3 else 1, 31):
            remind_at(office, f"2026-{month:02}-{day:02}T19:00:00Z")
    return [asked_on(each) for each in questions(office, place)]


def asked_on(question: Message) -> str:
    return f"{datetime.fromtimestamp(float(question.ts), tz=UTC):%F}"


def test_the_receipt_says_when_it_is_asked(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem @bob: buy disks")
    assert "Whether it worked is asked on Saturday 11 April 2026." in office.say("/actionitem done 1")


def test_the_owner_is_asked_in_the_digest_and_once_more_after_a_week(finished: Workplace) -> None:
    assert days(finished, finished.bob) == [ASKED_ON, ONCE_MORE_ON]
    for place in (finished.alice, finished.channel, finished.carol):
        assert questions(finished, place) == []


def test_the_question_stands_in_the_digest_of_the_day_with_its_two_buttons(finished: Workplace) -> None:
    finished.say("/actionitem due 2 2026-04-13")
    remind_at(finished, f"{ASKED_ON}T17:00:00Z")
    (message,) = [each for each in finished.slack.messages(finished.bob) if "Your action items" in each.text]
    head, one, two, foot = message.text.split("\n\n")
    assert head == "Your action items: 1 open · 1 due today · 1 to look at again"
    assert one.startswith("*INC-1 #2* · buy disks\ndisk full\nDue today")
    assert two == (
        "*INC-1 #1* · alert at 80% full\ndisk full\nIt is done. Did it work? With the reason: /actionitem worked "
        f"INC-1 1 yes the alert came in the drill · <#{finished.channel}>"
    )
    assert foot == "All of yours: /actionitem list mine"
    buttons = [each["text"]["text"] for each in message.blocks[4]["elements"]]
    assert buttons == ["It worked", "It did not"]


def test_an_answer_ends_the_asking(finished: Workplace) -> None:
    remind_at(finished, f"{ASKED_ON}T17:00:00Z")
    (asked,) = questions(finished, finished.bob)
    assert finished.slack.click(finished.bob, asked, "item_failed").ok
    said = finished.messages(asked.channel, finished.bob)[-1].text
    assert said.startswith("Action item 1 of INC-1 did not work: alert at 80% full")
    assert "Why you think so: /actionitem worked INC-1 1 no the alert never came" in said
    (item, *_) = items(finished)
    assert (item.worked, item.worked_by, item.worked_by_id, item.worked_why) == (False, "bob", finished.bob, None)
    assert item.worked_at == at(f"{ASKED_ON}T17:00:00Z")
    remind_at(finished, f"{ONCE_MORE_ON}T17:00:00Z")
    assert len(questions(finished, finished.bob)) == 1


def test_an_old_button_overrides_no_answer_and_a_command_does(finished: Workplace) -> None:
    remind_at(finished, f"{ASKED_ON}T17:00:00Z")
    (asked,) = questions(finished, finished.bob)
    finished.say("/actionitem worked 1 yes it came at 80%")
    before = counts(finished)["action_item_revisions"]
    finished.slack.click(finished.bob, asked, "item_failed")
    refused = "Action item 1 worked, alice said, so nothing was changed now."
    assert finished.messages(asked.channel, finished.bob)[-1].text == refused
    assert counts(finished)["action_item_revisions"] == before
    assert "did not work" in finished.say("/actionitem worked 1 no it came at 95%")
    assert "already" in finished.refused("/actionitem worked 1 no it came at 95%")
    assert counts(finished)["action_item_revisions"] == before + 1


def test_the_lead_is_asked_for_an_owner_who_is_no_user(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    office.say("/actionitem @dba: buy disks")
    office.say("/actionitem done 1")
    remind_at(office, f"{ASKED_ON}T12:00:00Z")
    (asked,) = questions(office, office.alice)
    assert "Did it work (you lead INC-1)?" in asked.text


def test_a_question_first_asked_late_is_asked_once_more_a_week_after_that(finished: Workplace) -> None:
    remind_at(finished, "2026-04-15T17:00:00Z")
    for day in range(16, 30):
        remind_at(finished, f"2026-04-{day}T17:00:00Z")
    assert [asked_on(each) for each in questions(finished, finished.bob)] == ["2026-04-15", "2026-04-22"]


def test_what_is_reopened_is_asked_about_after_it_is_done_again(finished: Workplace) -> None:
    finished.say("/actionitem worked 1 no")
    finished.say("/actionitem reopen 1")
    (item, *_) = items(finished)
    assert (item.worked, item.worked_by, item.look_again_on) == (None, None, None)
    remind_at(finished, f"{ASKED_ON}T17:00:00Z")
    assert questions(finished, finished.bob) == []
    finished.say("/actionitem done 1")
    (item, *_) = items(finished)
    assert item.look_again_on == date(2026, 5, 13)
    remind_at(finished, "2026-05-13T17:00:00Z")
    assert len(questions(finished, finished.bob)) == 1


@pytest.mark.parametrize("setting", ["worked=off", "off"])
def test_it_can_be_switched_off(database: Database, clock: SetClock, setting: str) -> None:
    with workplace(database, clock=clock, SCRIBE_REMINDERS=setting) as office:
        office.say("/detected disk full")
        office.say("/actionitem @bob: buy disks")
        assert "Whether it worked" not in office.say("/actionitem done 1")
        for day in range(1, 31):
            remind_at(office, f"2026-04-{day:02}T17:00:00Z")
        assert questions(office, office.bob) == []


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("worked 1 yes", "Action item 1 of INC-1 worked: alert"),
        ("worked 1: yes, it came in the drill", "It worked: it came in the drill"),
        ("worked 1 no - it never came", "It did not work: it never came"),
        ("1 worked yes", "Action item 1 of INC-1 worked: alert"),
        ("worked #1 No. Nobody saw it", "It did not work: Nobody saw it"),
        ("worked INC-1 1 yes it rang", "It worked: it rang"),
        ("INC-1 worked 1 yes it rang", "It worked: it rang"),
        ("worked 1 it did not", "Action item 1 of INC-1 did not work"),
        ("worked 1 didn't help", "Action item 1 of INC-1 did not work"),
        ("worked 1 it did", "Action item 1 of INC-1 worked"),
    ],
)  # fmt: skip
def test_the_ways_to_say_it(finished: Workplace, typed: str, answer: str) -> None:
    assert answer in finished.say(f"/actionitem {typed}")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("worked 1", "Did it work, yes or no? Try: /actionitem worked 1 yes the alert came in the drill"),
        ("worked 1 nobody knows", "Did it work, yes or no?"),
        ("worked 1 yesterday it did", "Did it work, yes or no?"),
        ("worked 2 yes", "Action item 2 is open and not done: buy disks Once it is: /actionitem done 2"),
        ("worked 3 yes", "Action item 3 is dropped and not done: sell disks"),
        ("worked 9 yes", "INC-1 has no action item 9."),
        ("worked", "Which action item?"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused_with_an_example(finished: Workplace, typed: str, answer: str) -> None:
    assert answer in finished.refused(f"/actionitem {typed}")


def test_words_that_begin_like_it_are_a_new_item(finished: Workplace) -> None:
    said = finished.say("/actionitem worked examples for the runbook")
    assert said.startswith("Action item 4 of INC-1: worked examples for the runbook")


def test_the_list_tells_what_worked(finished: Workplace) -> None:
    finished.say("/actionitem worked 1 no it never came")
    assert re.search(r"^1\. .* · done, it did not work$", finished.private("/actionitem list"), re.MULTILINE)
