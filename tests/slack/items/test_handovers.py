"""Hand-overs: who gets an item, loses it, or has it changed by others is told once, at a time when they work."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SetClock
from bot.documents.export import FORMATS
from bot.domain.items.cadence import Cadence
from bot.fakeslack.objects import Message
from bot.handlers.items import handovers
from bot.handlers.postmortem.exports import read_by_name
from bot.handlers.postmortem.json_import import ImportTarget, import_json
from storage.database import Database
from tests.slack.items.test_buttons import labels, press
from tests.support.ledger import items, problems
from tests.support.workplace import Workplace, at, workplace

THURSDAY = at("2026-03-12T18:00:00Z")
"""11:00 in Los Angeles, where Bob works; 03:00 on Friday in Tokyo, Carol's night; Alice has stopped working."""
SUMMARY = "C000000005"
"""The id that the stand-in gives the second channel."""


@pytest.fixture
def led(office: Workplace, clock: SetClock) -> Workplace:
    """An incident that Alice leads, when Bob works and Carol sleeps; nobody but Alice has recorded anything."""
    office.say("/detected disk full")
    office.say("/incident title Carts are empty")
    office.say("/incident lead @alice")
    office.deliver()
    clock.set(THURSDAY)
    return office


def pass_time(office: Workplace, minutes: int = 0, *, until: str | None = None) -> None:
    """Let time pass, run the tick that `scribe run` runs, and deliver."""
    clock: SetClock = office.bot.context.clock  # type: ignore[assignment]
    clock.set(at(until) if until else clock() + timedelta(minutes=minutes))
    office.bot.remind()
    office.deliver()


def told(office: Workplace, place: str) -> list[Message]:
    """The hand-overs in the place: neither digests nor receipts."""
    heads = re.compile(
        r"(An action item|[0-9]+ action items) (is|are|was|were) |What others did|Nothing here waits|.* left, with "
    )
    return [each for each in office.slack.messages(place) if heads.match(each.text)]


def test_the_text_and_buttons_of_a_hand_over(led: Workplace) -> None:
    led.say("/actionitem @bob by 2026-03-20: raise the <pool> limit")
    pass_time(led)
    (message,) = told(led, led.bob)
    assert message.text.split("\n\n") == [
        "An action item is yours now. Do you take it?",
        (
            "*INC-1 #1* · raise the &lt;pool&gt; limit\n"
            f"From alice · due Friday 20 March 2026 · Carts are empty · <#{led.channel}>"
        ),
    ]
    assert labels(message) == ["Accept", "Other date", "Not me"]
    for _ in range(3):
        pass_time(led, 10)
    assert len(told(led, led.bob)) == 1


def test_what_follows_within_ten_minutes_is_put_into_the_message_and_a_later_one_is_another(led: Workplace) -> None:
    for minute in range(4):
        led.say(f"/actionitem @bob by 2026-03-2{minute}: item {minute}")
        pass_time(led)
        (message,) = told(led, led.bob)
        assert labels(message) == ["Accept", "Other date", "Not me"] * (minute + 1)
        pass_time(led, 3)
    assert message.text.startswith("4 action items are yours now. Do you take them?")
    led.say("/actionitem @bob: one more")
    pass_time(led)
    assert [each.text.partition(".")[0] for each in told(led, led.bob)] == [
        "4 action items are yours now",
        "An action item is yours now",
    ]


def test_a_message_that_was_deleted_is_followed_by_another(led: Workplace) -> None:
    led.say("/actionitem @bob by 2026-03-20: item 1")
    pass_time(led)
    (deleted,) = told(led, led.bob)
    led.slack.delete(deleted)
    led.say("/actionitem @bob by 2026-03-20: item 2")
    pass_time(led, 1)
    (message,) = told(led, led.bob)
    assert "item 2" in message.text
    press(led, led.bob, message, "item_accept")
    pass_time(led, 1)
    assert problems(led) == []


def test_an_answer_is_shown_in_the_message_and_leaves_no_button_that_does_nothing(led: Workplace) -> None:
    for number in range(1, 6):
        led.say(f"/actionitem @bob by 2026-03-20: item {number}")
    pass_time(led)
    (message,) = told(led, led.bob)
    led.slack.click(led.bob, message, "item_accept", "INC-1 1")
    led.slack.click(led.bob, message, "item_decline", "INC-1 2")
    led.slack.click(led.bob, message, "item_date", "INC-1 3")
    assert led.slack.modal(led.bob)
    led.slack.submit(led.bob, {"due": "2026-03-27"})
    led.say("/actionitem done 4")
    pass_time(led, 1)
    (message,) = told(led, led.bob)
    about = f"Carts are empty · <#{led.channel}>"
    assert message.text.split("\n\n") == [
        "3 action items are yours now. Do you take the other?",
        f"*INC-1 #1* · item 1\nAccepted · due Friday 20 March 2026 · {about}",
        f"*INC-1 #3* · item 3\nAccepted · due Friday 27 March 2026 · {about}",
        f"*INC-1 #5* · item 5\nFrom alice · due Friday 20 March 2026 · {about}",
        "• *INC-1 #2* · item 2 · nobody has it\n• *INC-1 #4* · item 4 · done",
    ]
    assert labels(message) == ["Other date", "Not me"] * 2 + ["Accept", "Other date", "Not me"]
    # Days later, by whatever way.
    pass_time(led, until="2026-03-16T18:00:00Z")
    for number in (1, 3, 5):
        led.say(f"/actionitem assign {number} @carol")
    pass_time(led, 1)
    (message,) = (each for each in led.slack.messages(led.bob) if each.ts == message.ts)
    assert message.text.startswith("Nothing here waits for you any more.\n\n• *INC-1 #1* · item 1 · carol has it\n")
    assert labels(message) == []


def test_outside_of_working_hours_the_next_working_morning_tells(led: Workplace) -> None:
    led.say("/actionitem @carol by 2026-03-20: count disks")
    for hour in (19, 20, 21, 22, 23):
        pass_time(led, until=f"2026-03-12T{hour}:30:00Z")
    assert told(led, led.carol) == []
    pass_time(led, until="2026-03-13T00:00:00Z")
    assert len(told(led, led.carol)) == 1
    # Friday evening in Los Angeles, before a weekend.
    pass_time(led, until="2026-03-14T00:30:00Z")
    led.say("/actionitem @bob by 2026-03-20: buy disks")
    pass_time(led, until="2026-03-15T18:00:00Z")
    assert told(led, led.bob) == []
    pass_time(led, until="2026-03-16T16:00:00Z")
    assert len(told(led, led.bob)) == 1


def test_what_follows_in_the_evening_waits_for_the_morning(led: Workplace) -> None:
    pass_time(led, until="2026-03-12T23:58:00Z")
    led.say("/actionitem @bob by 2026-03-20: buy disks")
    pass_time(led)
    led.say("/actionitem @bob by 2026-03-20: sell disks")
    pass_time(led, 1)
    for _ in range(12):
        pass_time(led, 1)
    led.say("/actionitem @bob by 2026-03-20: move disks")
    (message,) = told(led, led.bob)
    assert message.text.startswith("2 action items are yours now.")
    pass_time(led, until="2026-03-13T16:00:00Z")
    (_, morning) = told(led, led.bob)
    assert "move disks" in morning.text


def test_a_message_that_slack_took_only_in_the_evening_comes_the_next_morning(led: Workplace, clock: SetClock) -> None:
    led.say("/actionitem @bob by 2026-03-20: buy disks")
    clock.set(THURSDAY + timedelta(minutes=11))
    led.bot.remind()
    pass_time(led, until="2026-03-13T03:00:00Z")
    assert told(led, led.bob) == []
    pass_time(led, until="2026-03-13T16:00:00Z")
    assert len(told(led, led.bob)) == 1


def test_whoever_takes_an_item_or_is_active_in_the_channel_at_night_gets_no_message(led: Workplace) -> None:
    led.say("/actionitem @me by 2026-03-20: buy disks", user=led.bob)
    led.say("/actionitem count disks")
    led.say("/actionitem assign 2 @me", user=led.bob)
    led.say("/note I am on it", user=led.carol)
    # It is night in Tokyo, but she has just been here.
    assert f"Owner: <@{led.carol}> ·" in led.say("/actionitem @carol by 2026-03-20: sell disks")
    pass_time(led, 16)
    # Now she may sleep.
    assert "Owner: carol ·" in led.say("/actionitem @carol by 2026-03-20: move disks")
    pass_time(led, until="2026-03-13T00:10:00Z")
    (message,) = told(led, led.carol)
    assert "move disks" in message.text
    assert "sell disks" not in message.text
    assert told(led, led.bob) == []


def test_in_working_hours_the_message_comes_though_one_is_in_the_channel(led: Workplace) -> None:
    led.say("/note I am on it", user=led.bob)
    assert "Owner: bob ·" in led.say("/actionitem @bob by 2026-03-20: buy disks")
    pass_time(led, 10)
    assert len(told(led, led.bob)) == 1


def test_what_is_typed_elsewhere_mentions_nobody(led: Workplace) -> None:
    led.say("/note I am on it", user=led.carol)
    elsewhere = led.slack.add_channel("elsewhere")
    assert "Owner: carol" in led.ask("/actionitem INC-1 @carol by 2026-03-20: sell disks", channel=elsewhere).text
    pass_time(led, until="2026-03-13T00:10:00Z")
    assert len(told(led, led.carol)) == 1


def test_the_old_owner_is_told_in_a_line_by_every_way_to_reassign(led: Workplace) -> None:
    for number in range(1, 4):
        led.say(f"/actionitem @bob by 2026-03-20: item {number}")
    pass_time(led, 10)
    led.say("/actionitem assign 1 @alice")
    receipt = led.ask("/actionitem due 2 2026-03-23")
    press(led, led.alice, receipt, "item_assign")
    assert led.slack.modal(led.alice)
    led.slack.submit(led.alice, {"owner": led.carol})
    pass_time(led, 10)
    _, message = told(led, led.bob)
    assert message.text.split("\n\n") == [
        "What others did with your action items:",
        "*INC-1 #1* · item 1 · alice has it now\n*INC-1 #2* · item 2 · carol has it now, by alice",
    ]
    assert labels(message) == []
    assert told(led, led.alice) == []


def test_what_was_taken_back_within_the_ten_minutes_is_not_told(led: Workplace) -> None:
    for number, typed in enumerate(("assign {} @alice", "done {}", "drop {} moot"), start=1):
        led.say(f"/actionitem @bob by 2026-03-20: item {number}")
        led.say(f"/actionitem {typed.format(number)}")
    pass_time(led, 20)
    assert told(led, led.bob) == []
    led.say("/actionitem @bob by 2026-03-20: item 4")
    pass_time(led, 10)
    led.say("/actionitem assign 4 @carol")
    led.say("/actionitem assign 4 @bob")
    led.say("/actionitem done 4")
    led.say("/actionitem reopen 4")
    led.say("/actionitem due 4 2026-03-27")
    led.say("/actionitem due 4 2026-03-20")
    pass_time(led, until="2026-03-13T16:00:00Z")
    assert len(told(led, led.bob)) == 1
    assert told(led, led.carol) == []


def test_nothing_is_told_of_a_cancelled_incident(led: Workplace) -> None:
    led.say("/actionitem @bob by 2026-03-20: buy disks")
    led.say("/incident cancel a drill")
    pass_time(led, 20)
    assert told(led, led.bob) == []


def test_an_owner_is_told_what_another_did_and_nothing_of_their_own_deeds(led: Workplace) -> None:
    for number in range(1, 6):
        led.say(f"/actionitem @bob by 2026-03-20: item {number}")
    pass_time(led, 10)
    for typed in ("done 1", "drop 2 done upstream", "due 3 2026-03-23", "done 5"):
        led.say(f"/actionitem {typed}")
    led.say("/actionitem done 4", user=led.bob)
    pass_time(led, 10)
    _, message = told(led, led.bob)
    assert message.text.split("\n\n")[1].splitlines() == [
        "*INC-1 #1* · item 1 · done by alice",
        "*INC-1 #2* · item 2 · dropped by alice: done upstream",
        "*INC-1 #3* · item 3 · due Monday 23 March 2026 now, not Friday 20 March 2026, by alice",
        "*INC-1 #5* · item 5 · done by alice",
    ]
    led.say("/actionitem reopen 5")
    led.say("/actionitem reopen 4")
    led.say("/actionitem due 4 2026-03-24", user=led.bob)
    pass_time(led, 10)
    *_, last = told(led, led.bob)
    assert last.text.split("\n\n")[1] == "*INC-1 #5* · item 5 · open again, by alice · due Friday 20 March 2026"


def test_accepting_is_recorded_and_shown_until_the_owner_changes(led: Workplace) -> None:
    led.say("/actionitem @bob by 2026-03-20: buy disks")
    pass_time(led, 10)
    (message,) = told(led, led.bob)
    accepted = press(led, led.bob, message, "item_accept")
    assert accepted.text.startswith("Action item 1 of INC-1 is accepted: buy disks")
    assert items(led)[0].accepted_at == THURSDAY + timedelta(minutes=10)
    assert "bob (accepted)" in led.private("/actionitem list")
    again = press(led, led.bob, message, "item_accept")
    assert again.text.startswith("You have accepted action item 1 already")
    led.say("/actionitem assign 1 @carol")
    assert items(led)[0].accepted_at is None
    late = press(led, led.bob, message, "item_decline")
    assert late.text.startswith("Action item 1 is not yours now, carol has it, so nothing was changed")


def test_not_me_gives_it_back_and_tells_who_gave_it_and_the_lead(led: Workplace) -> None:
    led.say("/incident lead @carol")
    pass_time(led, until="2026-03-16T16:30:00Z")
    led.say("/actionitem @bob by 2026-03-20: buy disks")
    pass_time(led, 10)
    receipt = press(led, led.bob, told(led, led.bob)[0], "item_decline")
    assert receipt.text.startswith("Action item 1 of INC-1 is given back: buy disks")
    (item,) = items(led)
    assert (item.owner, item.owner_id, item.state) == (None, None, "open")
    pass_time(led, 10)
    (to_giver,) = told(led, led.alice)
    assert to_giver.text.startswith("An action item was given back, and nobody has it now.")
    assert "bob does not take it · due Friday 20 March 2026" in to_giver.text
    assert labels(to_giver) == ["Reassign", "Other date", "Drop"]
    pass_time(led, until="2026-03-16T23:50:00Z")
    assert told(led, led.carol) == []
    pass_time(led, until="2026-03-17T00:00:00Z")
    (to_lead,) = told(led, led.carol)
    assert len(told(led, led.bob)) == 1
    press(led, led.carol, to_lead, "item_assign")
    assert led.slack.modal(led.carol)
    led.slack.submit(led.carol, {"owner": led.carol})
    assert items(led)[0].owner == "carol"


def test_an_item_given_back_and_taken_by_another_meanwhile_is_no_news_for_the_lead(led: Workplace) -> None:
    led.say("/incident lead @carol")
    pass_time(led, until="2026-03-16T16:30:00Z")
    led.say("/actionitem @bob by 2026-03-20: buy disks")
    pass_time(led, 10)
    press(led, led.bob, told(led, led.bob)[0], "item_decline")
    led.say("/actionitem assign 1 @alice")
    pass_time(led, 10)
    pass_time(led, until="2026-03-17T00:00:00Z")
    assert told(led, led.carol) == told(led, led.alice) == []


def test_other_date_opens_a_form_and_tells_nobody_who_knows(led: Workplace) -> None:
    led.say("/actionitem @bob by 2026-03-20: buy disks")
    pass_time(led, 10)
    press(led, led.bob, told(led, led.bob)[0], "item_date")
    view = led.slack.modal(led.bob)
    assert view is not None
    assert view.blocks[-1]["element"]["initial_date"] == "2026-03-20"
    led.slack.submit(led.bob, {"due": "2026-03-27"})
    pass_time(led, 10)
    assert str(items(led)[0].due_on) == "2026-03-27"
    assert len(told(led, led.bob)) == 1


def test_a_member_who_leaves_is_noticed_and_the_lead_gets_all_their_items_in_one_message(led: Workplace) -> None:
    for number in range(1, 4):
        led.say(f"/actionitem @bob by 2026-03-2{number}: item {number}")
    led.say("/actionitem @bob: item 4")
    led.say("/actionitem done 4")
    led.say("/actionitem @carol: not his")
    pass_time(led, until="2026-03-13T09:00:00Z")
    leave(led, led.bob)
    pass_time(led, 1)
    (message,) = told(led, led.alice)
    assert message.text.startswith("bob has left, with 3 open action items: who takes them?")
    assert "*INC-1 #2* · item 2\nbob had it · due Sunday 22 March 2026" in message.text
    assert labels(message) == ["Reassign", "Other date", "Drop"] * 3
    led.bot.refresh()
    pass_time(led, 60)
    assert len(told(led, led.alice)) == 1
    # He comes back, gets another item, and leaves again.
    led.slack.change_user(led.bob, deleted=False)
    led.slack.wait_for(lambda: not led.bot.context.members.find(led.slack.team_id, led.bob).barred)  # type: ignore[union-attr]
    led.say("/actionitem assign 5 @bob")
    leave(led, led.bob)
    pass_time(led, 30)
    assert len(told(led, led.alice)) == 2


def leave(office: Workplace, user: str) -> None:
    office.slack.change_user(user, deleted=True)
    office.slack.wait_for(lambda: office.bot.context.members.find(office.slack.team_id, user).barred)  # type: ignore[union-attr]


def test_a_member_who_left_unnoticed_is_noticed_at_the_next_look(led: Workplace) -> None:
    led.slack.scopes -= {"users:read"}
    led.say("/actionitem @bob by 2026-03-20: buy disks")
    led.slack.change_user(led.bob, deleted=True)
    led.slack.scopes |= {"users:read"}
    # Before Bob is written to, Slack is asked for him.
    pass_time(led, 10)
    assert told(led, led.bob) == []
    pass_time(led, until="2026-03-13T09:00:00Z")
    (message,) = told(led, led.alice)
    assert message.text.startswith("bob has left, with 1 open action item: who takes it?")


@pytest.mark.parametrize(
    ("settings", "declared_by", "place"),
    [({"SCRIBE_SUMMARY_CHANNEL": SUMMARY}, "bob", "#sum"), ({}, "bob", "bob"), ({}, "alice", "#incident")],
)
def test_without_a_lead_the_next_in_line_is_told(
    sqlite: Database, clock: SetClock, settings: dict[str, Any], declared_by: str, place: str
) -> None:
    clock.set(THURSDAY)
    with workplace(sqlite, clock=clock, **settings) as office:
        channels = {"#sum": office.slack.add_channel("sum"), "#incident": office.channel, "bob": office.bob}
        assert channels["#sum"] == SUMMARY
        office.say("/detected disk full", user=office.people[declared_by])
        office.say("/incident lead @alice")
        office.say("/actionitem @alice by 2026-03-20: buy disks")
        leave(office, office.alice)
        pass_time(office, 11)
        pass_time(office, until="2026-03-13T16:00:00Z")
        found = {name: len(told(office, each)) for name, each in channels.items()}
        assert found == {name: int(name == place) for name in channels}


def test_a_guest_and_a_private_incidents_owner_get_no_words_they_may_not_see(led: Workplace) -> None:
    guest = led.slack.add_user("gus", zone="UTC", restricted=True)
    led.bot.refresh()
    led.say("/actionitem @gus by 2026-03-20: buy disks")
    led.say("/actionitem @bob by 2026-03-20: sell disks")
    led.say("/incident private")
    pass_time(led, 10)
    (message,) = told(led, led.bob)
    assert "sell disks" not in message.text
    assert "Carts are empty" not in message.text
    assert "an action item of a private incident; its words stand in its channel" in message.text
    led.say("/incident private off")
    pass_time(led, until="2026-03-13T09:00:00Z")
    (to_guest,) = told(led, guest)
    assert "buy disks" in to_guest.text
    assert "INC-1" not in to_guest.text
    assert "Carts are empty" not in to_guest.text


@pytest.fixture
def reminded(led: Workplace) -> Message:
    """Bob's digest with three items."""
    for number in range(1, 4):
        led.say(f"/actionitem @bob by 2026-03-18: item {number}")
    pass_time(led, 10)
    pass_time(led, until="2026-03-16T17:00:00Z")
    return next(each for each in led.slack.messages(led.bob) if "item_done" in str(each.blocks))


def test_done_alone_on_a_sev1_is_a_line_in_its_channel(led: Workplace, reminded: Message) -> None:
    before = len(led.messages())
    led.slack.click(led.bob, reminded, "item_done", "INC-1 1")
    assert len(led.messages()) == before
    led.say("/incident severity SEV1")
    led.slack.click(led.bob, reminded, "item_done", "INC-1 2")
    (_, line) = led.messages()[before:]
    assert line.text == "Action item 2 of INC-1 is done: item 2 · bob"
    # Typed in the channel or with the number, the receipt is that line.
    led.say("/actionitem done 3")
    led.say("/actionitem reopen 3")
    led.ask("/actionitem done INC-1 3", channel=led.slack.add_channel("elsewhere"))
    assert [each.text.count("done: item 3") for each in led.messages()[before + 2 :]] == [1, 0, 1]


def test_an_archived_channel_is_told_nothing_and_nobody_that_it_was_not(led: Workplace, reminded: Message) -> None:
    led.say("/incident severity SEV1")
    led.deliver()
    led.slack.change_channel(led.channel, archived=True)
    led.slack.click(led.bob, reminded, "item_done", "INC-1 2")
    led.deliver()
    assert problems(led) == []
    assert items(led)[1].state == "done"


def test_two_replicas_and_a_repeated_tick_tell_once(led: Workplace, clock: SetClock) -> None:
    for number in range(3):
        led.say(f"/actionitem @bob by 2026-03-20: item {number}")
    clock.set(THURSDAY + timedelta(minutes=10))
    cadence = Cadence()
    assert handovers.tick(led.database, cadence, at=clock()) == 1
    assert handovers.tick(led.database, cadence, at=clock()) == 0
    led.deliver()
    assert len(told(led, led.bob)) == 1


def test_what_a_hand_over_tells_is_on_no_digest_of_that_day(led: Workplace) -> None:
    led.say("/actionitem @bob by 2026-03-13: item 1")
    pass_time(led, 10)
    # Bob's evening.
    pass_time(led, until="2026-03-13T01:00:00Z")
    led.say("/actionitem @bob by 2026-03-13: item 2")
    before = len(led.slack.messages(led.bob))
    pass_time(led, until="2026-03-13T16:10:00Z")
    handed, digest = (message.text for message in led.slack.messages(led.bob)[before:])
    assert "item 2" in handed
    assert "item 1" not in handed
    assert "1 open · 1 due today" in digest
    assert "item 1" in digest
    assert "item 2" not in digest


def test_an_import_tells_each_owner_once_of_what_is_open(led: Workplace, tmp_path: Path, clock: SetClock) -> None:
    for number in range(1, 13):
        led.say(f"/actionitem @{'carol' if number > 9 else 'bob'} by 2026-03-20: old item {number}")
    led.say("/actionitem @dba: tune it")
    for number in (1, 2, 10):
        led.say(f"/actionitem done {number}")
    led.say("/actionitem drop 3 moot")
    pass_time(led, until="2026-03-13T18:00:00Z")
    before = {name: len(told(led, user)) for name, user in led.people.items()}
    written = FORMATS["json"](read_by_name(led.database, "INC-1"))
    # One that all may see; one whose items are all closed; a private one, whose words nobody could read anywhere.
    for number, public, is_open in ((7, True, True), (8, True, False), (9, False, True)):
        file = json.loads(written)
        file["incident"]["id"] = f"INC-{number}"
        for item in file["action_items"]:
            item["state"] = item["state"] if is_open else "dropped"
        path = tmp_path / f"INC-{number}.json"
        path.write_text(json.dumps(file), encoding="utf-8")
        place = ImportTarget(workspace_id=led.slack.team_id, timezone="UTC", public=public)
        import_json(led.database, path, place, at=clock(), cadence=Cadence())
        assert json.loads(FORMATS["json"](read_by_name(led.database, f"INC-{number}"))) == file
    pass_time(led, 10)
    pass_time(led, until="2026-03-17T00:00:00Z")
    after = {name: len(told(led, user)) for name, user in led.people.items()}
    assert after == before | {"bob": before["bob"] + 1, "carol": before["carol"] + 1}
    assert told(led, led.bob)[-1].text.startswith("6 action items are yours now.")
    assert "From" not in told(led, led.bob)[-1].text


def test_an_item_that_is_done_while_its_message_is_posted_is_so_in_the_message(led: Workplace) -> None:
    done: list[str] = []

    def meanwhile(method: str, args: dict[str, object]) -> None:
        if method == "chat.postMessage" and "is yours now" in str(args.get("text")) and not done:
            done.append(led.say("/actionitem done 1"))

    led.slack.refuse_by(meanwhile)
    led.say("/actionitem @bob by 2026-03-20: item 1")
    pass_time(led)
    pass_time(led, 1)
    (message,) = told(led, led.bob)
    assert message.text == "Nothing here waits for you any more.\n\n• *INC-1 #1* · item 1 · done"
    assert done
