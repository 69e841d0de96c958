"""An action item's buttons: clicked once, twice, by two people, too late, and from another version."""

from typing import Any

import pytest

from bot.clock import SetClock
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import Message, View
from bot.slack.members import SlackUser
from storage import outbox
from tests.support.ledger import counts, items
from tests.support.workplace import Workplace, at


@pytest.fixture
def receipt(office: Workplace) -> Answer:
    """The receipt of an item of Bob's, due tomorrow."""
    office.say("/detected disk full")
    return office.ask("/actionitem @bob by 2026-03-13: buy disks")


def newest(office: Workplace, place: str | None = None, user: str | None = None) -> Message:
    return office.messages(place, user)[-1]


def press(office: Workplace, user: str, where: Answer | Message, action: str, value: str | None = None) -> Message:
    """Click a button; returns the newest message that the person sees there afterwards."""
    assert office.slack.click(user, where, action, value).status == 200
    message = where.message if isinstance(where, Answer) else where
    assert message is not None
    return newest(office, message.channel, user)


def form(office: Workplace, user: str) -> View:
    view = office.slack.modal(user)
    assert view is not None
    return view


def controls(message: Message | None) -> list[Any]:
    assert message is not None
    return [
        element["action_id"]
        for block in message.blocks
        for element in block.get("elements", ())
        if "action_id" in element
    ]


def labels(message: Message | None) -> list[str]:
    assert message is not None
    return [
        element["text"]["text"]
        for block in message.blocks
        for element in block.get("elements", ())
        if element.get("type") == "button"
    ]


def test_each_receipt_has_its_buttons_and_that_of_a_finished_item_one(office: Workplace, receipt: Answer) -> None:
    assert controls(receipt.message) == ["item_done", "item_date", "item_snooze", "item_assign", "item_drop"]
    proposal = office.ask("/actionitem count disks")
    assert controls(proposal.message)[0] == "item_confirm"
    # A proposal is reminded of until it is confirmed, so the receipt has no warning.
    assert "Without a date" not in proposal.text
    assert "Without a date nobody is reminded" in office.say("/actionitem confirm 2")
    assert controls(office.ask("/actionitem done 1").message) == ["item_reopen"]


def test_done_by_two_people_and_twice_is_done_once(office: Workplace, receipt: Answer) -> None:
    assert press(office, office.bob, receipt, "item_done").text.startswith("Action item 1 of INC-1 is done: buy disks")
    before = counts(office)
    for user in (office.alice, office.bob):
        message = press(office, user, receipt, "item_done")
        assert (message.text, message.ephemeral_for) == ("Action item 1 is done already: buy disks", user)
    after = counts(office)
    assert {table for table in after if after[table] != before[table]} == {"outbox", "receipts"}
    assert items(office)[0].state == "done"


def test_a_click_delivered_twice_counts_once(office: Workplace, receipt: Answer) -> None:
    office.slack.click(office.bob, receipt, "item_done")
    before = counts(office)
    office.slack.repeat(office.slack.answers[-1])
    assert counts(office) == before


def test_snooze_postpones_by_days_or_to_monday_and_a_second_one_to_the_same_day_changes_nothing(
    office: Workplace, receipt: Answer
) -> None:
    for value, until in (("1d", "2026-03-13"), ("3d", "2026-03-15"), ("next week", "2026-03-16")):
        message = press(office, office.alice, receipt, "item_snooze", f"INC-1 1 {value}")
        assert message.text.startswith(f"Action item 1 of INC-1 is snoozed until {until}: buy disks")
    before = counts(office)["action_item_revisions"]
    message = press(office, office.alice, receipt, "item_snooze", "INC-1 1 next week")
    assert message.text == "Action item 1 is snoozed until 2026-03-16 already: buy disks"
    assert counts(office)["action_item_revisions"] == before


def test_reassign_opens_a_form_for_the_owner(office: Workplace, receipt: Answer) -> None:
    office.slack.click(office.alice, receipt, "item_assign")
    assert form(office, office.alice).title == "Reassign action item"
    assert office.slack.submit(office.alice, {"owner": office.carol}).body == {}
    assert newest(office).text.startswith("Action item 1 of INC-1 has a new owner: buy disks\nOwner: carol")
    assert items(office)[0].owner_id == office.carol


def test_a_person_who_cannot_be_reminded_is_refused_as_owner(office: Workplace, receipt: Answer) -> None:
    left = office.slack.add_user("left", deleted=True)
    robot = office.slack.add_user("robot", is_bot=True)
    office.slack.click(office.alice, receipt, "item_assign")
    form(office, office.alice)
    for owner, problem in ((left, "@left has left this workspace"), (robot, "@robot is a bot")):
        answer = office.slack.submit(office.alice, {"owner": owner})
        assert answer.body["errors"]["owner"].startswith(problem)
    assert items(office)[0].owner == "bob"


@pytest.mark.usefixtures("receipt")
def test_an_item_for_one_who_can_own_nothing_is_saved_as_a_proposal(office: Workplace) -> None:
    left = office.slack.add_user("left", deleted=True)
    robot = office.slack.add_user("robot", is_bot=True)
    office.bot.context.members.save(office.slack.team_id, SlackUser(id="U0GUEST", name="guest", team_id="T0OTHER"))
    cases = (
        (f"<@{left}|left>: buy disks by tomorrow", "@left: buy disks", "@left has left this workspace, so nobody"),
        (
            f"ask <@{office.bob}|bob> for disks <@{robot}|robot>",
            "ask @bob for disks @robot",
            "@robot is a bot, and an action",
        ),
        (
            "<@U0GUEST|guest> buy disks",
            "@guest (another organisation) buy disks",
            "@guest_another_organisation belongs to another workspace, where no reminder",
        ),
        ("<@U0GHOST|ghost> buy disks", "@ghost buy disks", "Slack knows nobody behind @ghost."),
    )
    for number, (typed, text, problem) in enumerate(cases, 2):
        message = office.say(f"/actionitem {typed}", raw=True)
        assert f"\n{problem}" in message
        assert message.endswith(f"Nobody has it, so it is a proposal for now: /actionitem assign {number} @alice")
        item = items(office)[-1]
        assert (item.text, item.owner, item.owner_id, item.state) == (text, None, None, "proposed")
    assert str(items(office)[1].due_on) == "2026-03-13"
    before = counts(office)
    refused = office.refused("/actionitem assign 1 @robot")
    assert refused.startswith("@robot is a bot, and an action item needs a person. Try: /actionitem assign 1 @alice")
    assert counts(office) == before


def test_drop_opens_a_form_for_the_reason(office: Workplace, receipt: Answer) -> None:
    office.slack.click(office.alice, receipt, "item_drop")
    assert form(office, office.alice).title == "Drop action item"
    assert office.slack.submit(office.alice, {"words": "no money <sic>"}).body == {}
    assert newest(office).text.endswith("Why: no money &lt;sic&gt;")
    assert items(office)[0].state == "dropped"


def test_a_change_while_the_form_was_open_is_reported_in_the_form(office: Workplace, receipt: Answer) -> None:
    for action, filled, name in (
        ("item_assign", {"owner": office.carol}, "owner"),
        ("item_drop", {"words": "x"}, "words"),
    ):
        office.slack.click(office.alice, receipt, action)
        form(office, office.alice)
        office.say("/actionitem done 1")
        answer = office.slack.submit(office.alice, filled)
        assert answer.body["errors"] == {name: "Action item 1 is done already: buy disks"}
        office.slack.dismiss(office.alice)
        office.say("/actionitem reopen 1")
    office.say("/actionitem done 1")
    message = press(office, office.alice, receipt, "item_drop")
    assert (message.text, message.ephemeral_for) == ("Action item 1 is done already: buy disks", office.alice)


@pytest.mark.usefixtures("receipt")
def test_confirm_and_reopen(office: Workplace) -> None:
    proposal = office.ask("/actionitem count disks")
    assert items(office)[1].state == "proposed"
    assert press(office, office.bob, proposal, "item_confirm").text.startswith("Action item 2 of INC-1 is agreed")
    assert press(office, office.bob, proposal, "item_confirm").text == "Action item 2 is agreed already: count disks"
    done = office.ask("/actionitem done 2")
    assert press(office, office.bob, done, "item_reopen").text.startswith("Action item 2 of INC-1 is open again")
    assert press(office, office.bob, done, "item_reopen").text == (
        "Action item 2 is open, so there is nothing to reopen: count disks"
    )


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("item_done", "7"),
        ("item_done", "INC-1 1 🦆" * 9),
        ("item_explode", "INC-1 1"),
        ("item_done", ""),
        ("note", "x"),
    ],
)
@pytest.mark.usefixtures("receipt")
def test_a_button_of_another_version_is_refused_and_changes_nothing(office: Workplace, action: str, value: str) -> None:
    old = _posted(office, action, value)
    before = counts(office)["action_item_revisions"]
    message = press(office, office.bob, old, action)
    assert (
        message.text == "That button is of another version of Scribe, so nothing was changed. Please type the command."
    )
    assert message.ephemeral_for == office.bob
    assert counts(office)["action_item_revisions"] == before


@pytest.mark.usefixtures("receipt")
def test_a_button_of_an_unknown_incident_is_refused(office: Workplace) -> None:
    message = press(office, office.bob, _posted(office, "item_done", "INC-9 1"), "item_done")
    assert message.text == "There is no INC-9 here, so nothing was changed."
    message = press(office, office.bob, _posted(office, "item_done", "INC-1 9"), "item_done")
    assert message.text.startswith("INC-1 has no action item 9.")


def _posted(office: Workplace, action: str, value: str) -> Message:
    """A message with a button that this version does not create."""
    button = {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": "Old"}}
    with office.database.write() as connection:
        outbox.add(
            connection, office.slack.team_id, lane=office.channel, action="post", at=office.bot.context.clock(),
            content={
                "channel": office.channel, "text": "old",
                "blocks": [{"type": "actions", "elements": [button | ({"value": value} if value else {})]}],
            },
        )  # fmt: skip
    return newest(office)


@pytest.mark.usefixtures("receipt")
def test_the_digest_has_the_same_buttons_and_they_work_there(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-13T16:00:00Z"))
    office.bot.remind()
    digest = newest(office, office.bob)
    assert controls(digest)[:5] == ["item_done", "item_date", "item_snooze", "item_assign", "item_drop"]
    snoozed = press(office, office.bob, digest, "item_snooze", "INC-1 1 3d")
    assert snoozed.text.startswith("Action item 1 of INC-1 is snoozed until 2026-03-16: buy disks")
    office.slack.click(office.bob, digest, "item_assign")
    form(office, office.bob)
    assert office.slack.submit(office.bob, {"owner": office.carol}).body == {}
    assert items(office)[0].owner == "carol"
    assert press(office, office.bob, digest, "item_done").text.startswith("Action item 1 of INC-1 is done")
    late = press(office, office.bob, digest, "item_done")
    assert (late.text, late.ephemeral_for) == ("Action item 1 is done already: buy disks", office.bob)


def test_the_form_has_priority_and_done_when_and_reports_a_wrong_date_at_its_field(office: Workplace) -> None:
    office.say("/detected disk full")
    office.ask("/actionitem")
    form(office, office.alice)
    filled = {
        "words": "buy disks",
        "owner": office.bob,
        "due": "2026-03-01",
        "priority": "high",
        "done_when": "they spin",
    }
    wrong = office.slack.submit(office.alice, filled)
    assert wrong.body["errors"]["due"].startswith("2026-03-01 is in the past; today is Thursday 12 March 2026.")
    assert office.slack.submit(office.alice, filled | {"due": "2026-04-01"}).body == {}
    assert newest(office).text == (
        "Action item 1 of INC-1: buy disks\n"
        "Owner: bob · term unknown · high priority · due Wednesday 1 April 2026\n"
        "Done when: they spin"
    )
    item = items(office)[0]
    assert (item.priority, item.done_when) == ("high", "they spin")


def test_a_ticket_is_stored_and_shown(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem @bob: buy disks, see https://tickets.example/OPS-1?a=1&b=2.")
    assert items(office)[0].ticket == "https://tickets.example/OPS-1?a=1&b=2"
    message = office.say("/actionitem link 1 https://tickets.example/OPS-7")
    assert "· no due date · https://tickets.example/OPS-7" in message
    assert office.private("/actionitem list").endswith("· no due date · https://tickets.example/OPS-7")


def test_the_day_that_was_not_taken_is_one_press_away_and_the_question_goes_with_the_press(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask("/actionitem @bob by next friday: buy disks")
    assert "due Friday 13 March 2026\nPeople mean different days by that; the button takes the other." in answer.text
    assert labels(answer.message)[0] == "Due Friday 20 March 2026"
    seen = len(office.messages())
    message = press(office, office.carol, answer, "item_due")
    assert message.text.startswith("Action item 1 of INC-1 has a new date: buy disks")
    assert (message.edited, len(office.messages())) == (True, seen)
    assert controls(message) == ["item_done", "item_date", "item_snooze", "item_assign", "item_drop"]
    assert str(items(office)[0].due_on) == "2026-03-20"
    assert office.refused("/actionitem due 1 2026-03-20").startswith("Action item 1 is due on 2026-03-20 already")
    assert "mean" not in office.say("/actionitem @bob by 2026-04-01: sell disks")


def test_figures_that_are_two_days_are_asked_about_after_saving(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask("/actionitem buy disks @bob by 03/04")
    assert answer.text == (
        "Action item 1 of INC-1: buy disks by 03/04\n"
        "Owner: bob · term unknown · no due date\n"
        "03/04 is read differently in different places. Which day is meant?"
    )
    assert labels(answer.message)[:2] == ["Due Friday 3 April 2026", "Due Thursday 4 March 2027"]
    assert "Done" not in labels(answer.message)
    message = press(office, office.alice, answer, "item_due_other")
    assert "Done" in labels(message)
    assert "· due Thursday 4 March 2027" in message.text
    asked = office.ask("/actionitem due 1 5.6.")
    assert asked.text == "5.6. is read differently in different places. Which day is meant?"
    assert labels(asked.message) == ["Due Wednesday 6 May 2026", "Due Friday 5 June 2026"]
    assert "· due Friday 5 June 2026" in press(office, office.alice, asked, "item_due_other").text
    assert len(items(office)) == 1


def test_what_is_typed_without_a_date_that_can_be_taken_is_saved_with_the_reason(office: Workplace) -> None:
    office.say("/detected disk full")
    for typed, text, problem in (
        ("by someday: buy disks", "by someday: buy disks", "someday is no date I know."),
        ("buy disks by 2026-02-30", "buy disks by 2026-02-30", "2026-02-30 is no date I know."),
        ("by 2020-01-01: x", "by 2020-01-01: x", "2020-01-01 is in the past; today is Thursday 12 March 2026."),
        ("by 2426-01-01: x", "by 2426-01-01: x", "2426-01-01 is more than 10 years ahead."),
    ):
        message = office.say(f"/actionitem @bob {typed}")
        item = items(office)[-1]
        assert f"\n{problem} The words keep it; to give another: /actionitem due {item.number} friday" in message
        assert (item.text, item.due_on, item.owner) == (text, None, "bob")
    mistyped = office.ask("/actionitem @bob by 2026-01-15: buy disks")
    assert labels(mistyped.message)[0] == "Due Friday 15 January 2027"


def test_somebody_named_in_the_words_is_offered_as_the_owner(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask("/actionitem ask @bob for disks")
    assert labels(answer.message)[0] == "Owner: @bob"
    message = press(office, office.alice, answer, "item_owner")
    assert message.text.startswith("Action item 1 of INC-1 has a new owner: ask @bob for disks\nOwner: bob ·")
    assert message.edited
    assert items(office)[0].owner_id == office.bob
    assert "Owner: @team" not in labels(office.ask("/actionitem ask @team for disks").message)


def test_due_begins_a_new_item_where_no_number_follows_and_me_is_the_typist(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem due tomorrow: buy disks @me P1", user=office.bob)
    item = items(office)[0]
    assert (item.text, item.owner, item.owner_id, item.priority) == ("buy disks", "bob", office.bob, "high")
    assert str(item.due_on) == "2026-03-13"
    assert "due Friday 20 March" in office.say("/actionitem due 1 by eod 2026-03-20")


def test_the_list_of_what_is_overdue(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    office.say("/actionitem @bob by tomorrow: buy disks")
    office.say("/actionitem @bob by 2026-04-01: sell disks")
    assert office.private("/actionitem list overdue").startswith("No action item is overdue.")
    clock.set(at("2026-03-20T12:00:00Z"))
    assert office.private("/actionitem list overdue") == (
        "INC-1 1. buy disks · bob · term unknown · overdue since 2026-03-13"
    )
