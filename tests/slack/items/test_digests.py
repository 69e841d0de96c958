"""Digests: each item is reminded of once, in its state at delivery, to a person who can act on it."""

import re
from datetime import timedelta

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from storage.database import Database
from tests.support.ledger import counts, incident, outbox_states, problems
from tests.support.workplace import Workplace, at, workplace

FRIDAY_IN_LOS_ANGELES = at("2026-03-13T16:00:00Z")
FRIDAY = at("2026-03-13T09:00:00Z")


@pytest.fixture
def planned(office: Workplace) -> Workplace:
    """An incident led by Alice, with an item of Bob's due on Friday 13 March."""
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    office.say("/actionitem @bob short-term by 2026-03-13: buy disks <now>")
    office.deliver()
    return office


def remind_at(office: Workplace, when: str) -> None:
    """Set the clock, run the reminders' tick, and deliver."""
    clock: SetClock = office.bot.context.clock  # type: ignore[assignment]
    clock.set(at(when))
    office.bot.remind()
    office.deliver()


def digests(office: Workplace, place: str) -> list[Message]:
    return [each for each in office.slack.messages(place) if re.search("Your action items|need a decision", each.text)]


def test_the_text_and_blocks_of_a_digest(planned: Workplace) -> None:
    planned.say("/actionitem @bob long-term by 2026-03-16: count disks, see https://tickets.example/OPS-1?a=1&b=2")
    planned.say("/actionitem @bob by 2026-04-01: sell disks")
    remind_at(planned, "2026-03-13T16:00:00Z")
    (message,) = digests(planned, planned.bob)
    channel = f"<#{planned.channel}>"
    ticket = "https://tickets.example/OPS-1?a=1&amp;b=2"
    assert message.text.split("\n\n") == [
        "Your action items: 1 due today · 1 due soon",
        f"*INC-1 #1* · buy disks &lt;now&gt;\nDue today · {channel}",
        f"*INC-1 #2* · count disks, see {ticket}\nDue Monday 16 March 2026 · <{ticket}|ticket> · {channel}",
        "All of yours: /actionitem list mine",
    ]
    assert [block["type"] for block in message.blocks] == ["section", *("section", "actions") * 2, "context"]
    assert message.metadata is not None
    assert message.metadata["event_payload"]["key"].startswith(f"{planned.slack.team_id}:")


def test_an_item_is_not_reminded_of_again_that_day_or_the_next(planned: Workplace) -> None:
    for hour in range(16, 24):
        remind_at(planned, f"2026-03-13T{hour}:00:00Z")
        remind_at(planned, f"2026-03-14T{hour}:00:00Z")
    assert len(digests(planned, planned.bob)) == 1


def test_a_waiting_digest_omits_items_done_snoozed_dropped_or_reassigned_meanwhile(
    planned: Workplace, clock: SetClock
) -> None:
    for number in range(2, 7):
        planned.say(f"/actionitem @bob by 2026-03-13: item {number}")
    clock.set(FRIDAY_IN_LOS_ANGELES)
    planned.bot.remind()
    assert outbox_states(planned)["waiting"] == 1
    for typed in ("done 2", "snooze 3 2d", "drop 4 moot", "assign 5 @carol", "due 6 2026-05-01"):
        planned.say(f"/actionitem {typed}")
    planned.deliver()
    (message,) = digests(planned, planned.bob)
    assert re.findall(r"#(\d)\*", message.text) == ["1"]
    remind_at(planned, "2026-03-16T00:00:00Z")
    (carols,) = digests(planned, planned.carol)
    assert "Overdue for 3 days" in carols.text
    assert re.findall(r"#(\d)\*", carols.text) == ["5"]


def test_a_digest_without_items_is_not_sent(planned: Workplace, clock: SetClock) -> None:
    clock.set(FRIDAY_IN_LOS_ANGELES)
    planned.bot.remind()
    planned.say("/actionitem done 1")
    planned.deliver()
    assert digests(planned, planned.bob) == []
    assert "waiting" not in outbox_states(planned)


def test_a_digest_that_could_not_be_sent_before_the_evening_waits_for_the_next_morning(planned: Workplace) -> None:
    planned.slack.fail_next("chat.postMessage", error="service_unavailable", status=503)
    remind_at(planned, "2026-03-13T23:30:00Z")
    assert digests(planned, planned.bob) == []
    remind_at(planned, "2026-03-14T03:00:00Z")
    remind_at(planned, "2026-03-15T17:00:00Z")
    assert digests(planned, planned.bob) == []
    remind_at(planned, "2026-03-16T16:00:00Z")
    (message,) = digests(planned, planned.bob)
    assert "1 overdue" in message.text


def test_a_digest_whose_delivery_is_unknown_is_sent_once_more_with_the_same_key(
    planned: Workplace, clock: SetClock
) -> None:
    """Slack accepts the message, and the process dies before it records that."""
    clock.set(FRIDAY_IN_LOS_ANGELES)
    planned.bot.remind()
    delivery = planned.bot.context.delivery
    send = delivery._actions["digest"]

    def killed(job: object) -> None:
        send(job)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    delivery.use({**delivery._actions, "digest": killed})
    with pytest.raises(KeyboardInterrupt):
        delivery.step()
    delivery.use({**delivery._actions, "digest": send})
    planned.deliver()
    assert len(digests(planned, planned.bob)) == 1
    clock.set(FRIDAY_IN_LOS_ANGELES + timedelta(minutes=2))
    planned.deliver()
    first, second = digests(planned, planned.bob)
    assert first.metadata == second.metadata
    clock.set(FRIDAY_IN_LOS_ANGELES + timedelta(hours=1))
    planned.deliver()
    assert len(digests(planned, planned.bob)) == 2


def test_the_lead_is_reminded_of_items_without_an_owner_and_of_a_roles(planned: Workplace) -> None:
    planned.say("/actionitem @dba by 2026-03-13: tune it")
    planned.say("/actionitem by 2026-03-13: add an alert")
    remind_at(planned, "2026-03-13T09:00:00Z")
    (message,) = digests(planned, planned.alice)
    assert "*INC-1 #2* · tune it\n" in message.text
    assert "dba is no Slack user, and you lead INC-1." in message.text
    assert "It is a proposal that nobody has taken, and you lead INC-1: confirm it" in message.text
    # Her own list is empty.
    assert "list mine" not in message.text


def test_without_a_lead_the_channel_is_reminded_once_a_week(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem by 2026-03-16: add an alert")
    office.say("/actionitem confirm 1")
    for day in range(13, 32):
        remind_at(office, f"2026-03-{day}T09:00:00Z")
    days = [at("1970-01-01T00:00:00Z") + timedelta(seconds=float(each.ts)) for each in digests(office, office.channel)]
    # The message of the 23rd is the escalation, seven days after the due date.
    assert [day.day for day in days] == [13, 23, 30]
    assert digests(office, office.alice) == []


def test_without_a_lead_a_proposal_is_reminded_of_after_two_workdays_and_a_change_does_not_advance_it(
    office: Workplace,
) -> None:
    office.say("/detected disk full")
    office.say("/actionitem count disks")
    remind_at(office, "2026-03-16T09:00:00Z")
    (message,) = digests(office, office.channel)
    assert "It is a proposal that nobody has taken: confirm it, hand it to somebody, or drop it." in message.text
    office.say("/actionitem due 1 2026-03-19")
    days = [17, 18, 19, 20, 23, 24]
    for day in days:
        remind_at(office, f"2026-03-{day}T09:00:00Z")
    _, again = digests(office, office.channel)
    assert again.ts.startswith(str(int(at("2026-03-23T09:00:00Z").timestamp())))


def test_a_reopened_item_is_escalated_again_only_for_a_new_date(planned: Workplace) -> None:
    remind_at(planned, "2026-03-20T09:00:00Z")
    planned.say("/actionitem done 1")
    planned.say("/actionitem reopen 1")
    remind_at(planned, "2026-03-20T09:01:00Z")
    remind_at(planned, "2026-03-23T09:00:00Z")
    assert len(digests(planned, planned.channel)) == 1
    planned.say("/actionitem due 1 2026-03-24")
    remind_at(planned, "2026-03-31T09:00:00Z")
    assert len(digests(planned, planned.channel)) == 2


def test_when_the_owner_leaves_the_lead_is_reminded(planned: Workplace) -> None:
    planned.slack.change_user(planned.bob, deleted=True)
    planned.slack.wait_for(lambda: planned.bot.context.members.find(planned.slack.team_id, planned.bob).barred)  # type: ignore[union-attr]
    remind_at(planned, "2026-03-13T16:00:00Z")
    assert digests(planned, planned.bob) == []
    (message,) = digests(planned, planned.alice)
    assert "bob has left, and you lead INC-1: hand it to somebody, or drop it." in message.text


def test_when_slack_no_longer_knows_the_owner_the_lead_is_reminded(planned: Workplace) -> None:
    planned.slack.fail_next("chat.postMessage", error="user_not_found")
    remind_at(planned, "2026-03-13T16:00:00Z")
    assert digests(planned, planned.bob) == []
    assert problems(planned) == [("digest", "user_not_found")]
    remind_at(planned, "2026-03-13T16:01:00Z")
    (message,) = digests(planned, planned.alice)
    assert "bob has left, and you lead INC-1" in message.text
    remind_at(planned, "2026-03-16T16:01:00Z")
    assert digests(planned, planned.bob) == []


def test_a_new_lead_gets_the_old_ones_reminders(planned: Workplace) -> None:
    planned.say("/actionitem by 2026-03-13: add an alert")
    planned.say("/incident lead @carol")
    remind_at(planned, "2026-03-13T09:00:00Z")
    assert digests(planned, planned.alice) == []
    remind_at(planned, "2026-03-16T00:00:00Z")
    assert len(digests(planned, planned.carol)) == 1


def test_an_owned_item_without_a_date_is_never_reminded_of(planned: Workplace) -> None:
    planned.say("/actionitem done 1")
    planned.say("/actionitem @bob: count disks")
    for day in range(13, 31):
        remind_at(planned, f"2026-03-{day}T16:00:00Z")
    assert digests(planned, planned.bob) == []


def test_a_digest_of_many_shows_ten_and_counts_the_rest(planned: Workplace) -> None:
    for number in range(2, 15):
        planned.say(f"/actionitem @bob by 2026-03-13: {'buy disk ' * 50}{number}")
    remind_at(planned, "2026-03-13T16:00:00Z")
    (message,) = digests(planned, planned.bob)
    assert message.text.startswith("Your action items: 14 due today")
    assert len(re.findall(r"#\d+\*", message.text)) == 10
    assert message.text.endswith("And 4 more.\nAll of yours: /actionitem list mine")


def test_the_lead_is_reminded_of_an_unpublished_postmortem_once(planned: Workplace) -> None:
    planned.say("/actionitem done 1")
    planned.say("/resolved over")
    for day in range(13, 31):
        remind_at(planned, f"2026-03-{day}T09:00:00Z")
    (message,) = digests(planned, planned.alice)
    assert message.text.splitlines()[0] == "Your action items: 1 postmortem to publish"
    assert message.ts.startswith(str(int(at("2026-03-19T09:00:00Z").timestamp())))


def test_a_reopened_incident_needs_no_postmortem_yet(planned: Workplace) -> None:
    planned.say("/actionitem done 1")
    planned.say("/resolved over")
    planned.say("/reopened again")
    for day in range(13, 31):
        remind_at(planned, f"2026-03-{day}T09:00:00Z")
    assert digests(planned, planned.alice) == []


def test_items_moved_to_the_earlier_incident_are_reminded_of_under_its_name(planned: Workplace) -> None:
    planned.say("/resolved over")
    second = planned.ask("/detected it is back")
    planned.say("/actionitem @carol by 2026-03-13: look again")
    planned.slack.click(planned.alice, second, "reopen")
    assert incident(planned, 2).open is False
    remind_at(planned, "2026-03-13T00:00:00Z")
    (message,) = digests(planned, planned.carol)
    assert re.findall(r"INC-\d #\d", message.text) == ["INC-1 #2"]


def test_an_archived_channel_parks_its_digest(planned: Workplace) -> None:
    planned.slack.change_channel(planned.channel, archived=True)
    remind_at(planned, "2026-03-20T09:00:00Z")
    assert problems(planned) == [("digest", "is_archived")]
    remind_at(planned, "2026-03-20T16:00:00Z")
    assert len(digests(planned, planned.bob)) == 1


def test_no_digest_is_sent_when_reminders_are_off(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock, SCRIBE_REMINDERS="off") as office:
        office.say("/detected disk full")
        office.say("/actionitem @bob by 2026-03-13: buy disks")
        remind_at(office, "2026-03-13T16:00:00Z")
        assert digests(office, office.bob) == []
        assert counts(office)["reminders"] == 2


def test_one_setting_changes_the_cadence(sqlite: Database, clock: SetClock) -> None:
    cadence = "due-1d,due+1d,hours=7-8,escalate=off,confirm=off,publish=off"
    with workplace(sqlite, clock=clock, SCRIBE_REMINDERS=cadence) as office:
        office.say("/detected disk full")
        office.say("/incident lead @alice")
        office.say("/actionitem @alice by 2026-03-18: buy disks")
        office.say("/actionitem count disks")
        office.say("/resolved over")
        for day in range(13, 32):
            for hour in range(24):
                remind_at(office, f"2026-03-{day}T{hour:02}:00:00Z")
        assert digests(office, office.channel) == []
        message = [int(each.ts.partition(".")[0]) for each in digests(office, office.alice)]
        assert message == [at(f"2026-03-{day}T07:00:00Z").timestamp() for day in (17, 19)]


def test_a_weekly_summary_is_posted_on_mondays(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_SUMMARY_CHANNEL="C000000009") as office:
        while office.slack.add_channel("operations") != "C000000009":
            pass
        for typed in (
            "/detected disk full", "/actionitem @bob by 2026-03-13: buy <disks>", "/actionitem @bob by 2026-03-13: two",
            "/actionitem @bob by 2026-03-15: three", "/actionitem @bob by 2026-04-01: four", "/actionitem done 2",
            "/actionitem @bob by 2026-03-13: five", "/actionitem drop 5 moot",
        ):  # fmt: skip
            office.say(typed)
        for day in range(13, 25):
            for hour in (8, 9, 10, 17):
                remind_at(office, f"2026-03-{day}T{hour:02}:00:00Z")
        first, second = office.slack.messages("C000000009")
        assert first.ts.startswith(str(int(at("2026-03-16T09:00:00Z").timestamp())))
        assert first.text.splitlines() == [
            "Action items in the last 7 days: 5 opened · 1 done · 3 to do, 2 of them overdue",
            "Done in time: 1 of the 3 that fell due (33 %)",
            "Waiting longest: INC-1 #1 buy &lt;disks&gt; · bob · since 12 March 2026",
            "What is overdue: /actionitem list overdue",
        ]
        assert second.text.splitlines()[1] == "None fell due."


def test_an_item_done_in_the_evening_of_its_day_is_in_time_although_utc_is_a_day_ahead(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_SUMMARY_CHANNEL="C000000009") as office:
        while office.slack.add_channel("operations") != "C000000009":
            pass
        office.say("/detected disk full", user=office.bob)
        office.say("/actionitem @bob by 2026-03-13: buy disks", user=office.bob)
        clock.set(at("2026-03-14T01:00:00Z"))
        office.say("/actionitem done 1", user=office.bob)
        remind_at(office, "2026-03-16T09:00:00Z")
        (message,) = office.slack.messages("C000000009")
        assert "Done in time: 1 of the 1 that fell due (100 %)" in message.text


def test_a_refused_token_does_not_mark_a_person_as_gone(planned: Workplace) -> None:
    planned.slack.fail_next("chat.postMessage", error="account_inactive")
    remind_at(planned, "2026-03-13T16:00:00Z")
    assert problems(planned) == [("digest", "account_inactive")]
    planned.bot.refresh()
    planned.deliver()
    assert len(digests(planned, planned.bob)) == 1
    assert digests(planned, planned.alice) == []


def test_an_owner_outside_the_private_channel_gets_a_redacted_item_and_can_settle_it(
    office: Workplace,
) -> None:
    hidden = office.slack.add_channel("acquisition", private=True)
    office.say("/incident open the zebra is out", channel=hidden)
    office.say("/actionitem @bob by 2026-03-13: feed the zebra, see https://zebra.example/1", channel=hidden)
    remind_at(office, "2026-03-13T16:00:00Z")
    (message,) = digests(office, office.bob)
    assert "*INC-1 #1* · an action item of a private incident; its words stand in its channel" in message.text
    for place in (message.channel, office.channel):
        listed = office.private("/actionitem list mine", user=office.bob, channel=place)
        assert listed == (
            "INC-1 1. an action item of a private incident; its words stand in its channel · bob · term unknown"
            " · due 2026-03-13"
        )
    pressed = office.slack.click(office.bob, message, "item_done")
    office.deliver()
    texts = [each.text for each in office.slack.messages(office.bob)]
    assert pressed.ok
    assert "Action item 1 of INC-1 is done" in texts[-1]
    assert "zebra" not in "".join(texts)
    assert "feed the zebra" in office.private("/actionitem list", channel=hidden)
