"""What people are told of their action items: once, as things stand when it is sent, to who can act on it."""

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
    """An incident led by Alice, an item of Bob's due on Friday the 13th."""
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    office.say("/actionitem @bob short-term by 2026-03-13: buy disks <now>")
    office.deliver()
    return office


def tell(office: Workplace, when: str) -> None:
    """Set the clock, let the reminders look, and deliver."""
    clock: SetClock = office.bot.context.clock  # type: ignore[assignment]
    clock.set(at(when))
    office.bot.remind()
    office.deliver()


def digests(office: Workplace, place: str) -> list[Message]:
    return [each for each in office.slack.messages(place) if re.search("Your action items|need a decision", each.text)]


def test_a_digest_reads_like_this(planned: Workplace) -> None:
    planned.say("/actionitem @bob long-term by 2026-03-16: count disks, see https://tickets.example/OPS-1?a=1&b=2")
    planned.say("/actionitem @bob by 2026-04-01: sell disks")
    tell(planned, "2026-03-13T16:00:00Z")
    (told,) = digests(planned, planned.bob)
    channel = f"<#{planned.channel}>"
    ticket = "https://tickets.example/OPS-1?a=1&amp;b=2"
    assert told.text.split("\n\n") == [
        "Your action items: 1 due today · 1 due soon",
        f"*INC-1 #1* · buy disks &lt;now&gt;\nDue today · {channel}",
        f"*INC-1 #2* · count disks, see {ticket}\nDue Monday 16 March 2026 · <{ticket}|ticket> · {channel}",
        "All of yours: /actionitem list mine",
    ]
    assert [block["type"] for block in told.blocks] == ["section", *("section", "actions") * 2, "context"]
    assert told.metadata is not None
    assert told.metadata["event_payload"]["key"].startswith(f"{planned.slack.team_id}:")


def test_once_told_it_is_not_told_again_that_day_or_the_next(planned: Workplace) -> None:
    for hour in range(16, 24):
        tell(planned, f"2026-03-13T{hour}:00:00Z")
        tell(planned, f"2026-03-14T{hour}:00:00Z")
    assert len(digests(planned, planned.bob)) == 1


def test_what_is_done_snoozed_dropped_or_handed_over_is_not_told_even_when_the_digest_waits(
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
    (told,) = digests(planned, planned.bob)
    assert re.findall(r"#(\d)\*", told.text) == ["1"]
    tell(planned, "2026-03-16T00:00:00Z")
    (carols,) = digests(planned, planned.carol)
    assert "Overdue for 3 days" in carols.text
    assert re.findall(r"#(\d)\*", carols.text) == ["5"]


def test_a_digest_with_nothing_left_to_say_is_not_sent(planned: Workplace, clock: SetClock) -> None:
    clock.set(FRIDAY_IN_LOS_ANGELES)
    planned.bot.remind()
    planned.say("/actionitem done 1")
    planned.deliver()
    assert digests(planned, planned.bob) == []
    assert "waiting" not in outbox_states(planned)


def test_a_digest_that_could_not_be_sent_before_the_evening_waits_for_the_next_morning(planned: Workplace) -> None:
    planned.slack.fail_next("chat.postMessage", error="service_unavailable", status=503)
    tell(planned, "2026-03-13T23:30:00Z")
    assert digests(planned, planned.bob) == []
    tell(planned, "2026-03-14T03:00:00Z")
    tell(planned, "2026-03-15T17:00:00Z")
    assert digests(planned, planned.bob) == []
    tell(planned, "2026-03-16T16:00:00Z")
    (told,) = digests(planned, planned.bob)
    assert "1 overdue" in told.text


def test_a_digest_whose_fate_is_unknown_is_said_once_more_and_is_known_by_its_key(
    planned: Workplace, clock: SetClock
) -> None:
    """Slack takes the message, and the process is gone before it can note that."""
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


def test_the_lead_hears_of_what_nobody_has_and_of_what_a_role_has(planned: Workplace) -> None:
    planned.say("/actionitem @dba by 2026-03-13: tune it")
    planned.say("/actionitem by 2026-03-13: add an alert")
    tell(planned, "2026-03-13T09:00:00Z")
    (told,) = digests(planned, planned.alice)
    assert "*INC-1 #2* · tune it\n" in told.text
    assert "dba is no Slack user, and you lead INC-1." in told.text
    assert "It is a proposal that nobody has taken, and you lead INC-1: confirm it" in told.text
    # The list of her own would be empty.
    assert "list mine" not in told.text


def test_without_a_lead_the_channel_hears_of_it_once_a_week(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem by 2026-03-16: add an alert")
    office.say("/actionitem confirm 1")
    for day in range(13, 32):
        tell(office, f"2026-03-{day}T09:00:00Z")
    days = [at("1970-01-01T00:00:00Z") + timedelta(seconds=float(each.ts)) for each in digests(office, office.channel)]
    # The 23rd is the escalation's, seven days after the due date.
    assert [day.day for day in days] == [13, 23, 30]
    assert digests(office, office.alice) == []


def test_without_a_lead_too_a_proposal_asks_after_two_workdays_and_a_change_brings_no_message_forward(
    office: Workplace,
) -> None:
    office.say("/detected disk full")
    office.say("/actionitem count disks")
    tell(office, "2026-03-16T09:00:00Z")
    (told,) = digests(office, office.channel)
    assert "It is a proposal that nobody has taken: confirm it, hand it to somebody, or drop it." in told.text
    office.say("/actionitem due 1 2026-03-19")
    days = [17, 18, 19, 20, 23, 24]
    for day in days:
        tell(office, f"2026-03-{day}T09:00:00Z")
    _, again = digests(office, office.channel)
    assert again.ts.startswith(str(int(at("2026-03-23T09:00:00Z").timestamp())))


def test_done_by_mistake_and_reopened_an_item_is_not_escalated_again_but_for_a_new_date(planned: Workplace) -> None:
    tell(planned, "2026-03-20T09:00:00Z")
    planned.say("/actionitem done 1")
    planned.say("/actionitem reopen 1")
    tell(planned, "2026-03-20T09:01:00Z")
    tell(planned, "2026-03-23T09:00:00Z")
    assert len(digests(planned, planned.channel)) == 1
    planned.say("/actionitem due 1 2026-03-24")
    tell(planned, "2026-03-31T09:00:00Z")
    assert len(digests(planned, planned.channel)) == 2


def test_when_the_owner_leaves_the_lead_hears_of_it(planned: Workplace) -> None:
    planned.slack.change_user(planned.bob, deleted=True)
    planned.slack.wait_for(lambda: planned.bot.context.members.find(planned.slack.team_id, planned.bob).barred)  # type: ignore[union-attr]
    tell(planned, "2026-03-13T16:00:00Z")
    assert digests(planned, planned.bob) == []
    (told,) = digests(planned, planned.alice)
    assert "bob has left, and you lead INC-1: hand it to somebody, or drop it." in told.text


def test_when_slack_knows_the_owner_no_more_the_lead_hears_of_it(planned: Workplace) -> None:
    planned.slack.fail_next("chat.postMessage", error="user_not_found")
    tell(planned, "2026-03-13T16:00:00Z")
    assert digests(planned, planned.bob) == []
    assert problems(planned) == [("digest", "user_not_found")]
    tell(planned, "2026-03-13T16:01:00Z")
    (told,) = digests(planned, planned.alice)
    assert "bob has left, and you lead INC-1" in told.text
    tell(planned, "2026-03-16T16:01:00Z")
    assert digests(planned, planned.bob) == []


def test_a_new_lead_hears_what_the_old_one_would_have(planned: Workplace) -> None:
    planned.say("/actionitem by 2026-03-13: add an alert")
    planned.say("/incident lead @carol")
    tell(planned, "2026-03-13T09:00:00Z")
    assert digests(planned, planned.alice) == []
    tell(planned, "2026-03-16T00:00:00Z")
    assert len(digests(planned, planned.carol)) == 1


def test_an_item_without_a_date_that_somebody_has_is_never_told(planned: Workplace) -> None:
    planned.say("/actionitem done 1")
    planned.say("/actionitem @bob: count disks")
    for day in range(13, 31):
        tell(planned, f"2026-03-{day}T16:00:00Z")
    assert digests(planned, planned.bob) == []


def test_a_digest_of_many_shows_ten_and_counts_the_rest(planned: Workplace) -> None:
    for number in range(2, 15):
        planned.say(f"/actionitem @bob by 2026-03-13: {'buy disk ' * 50}{number}")
    tell(planned, "2026-03-13T16:00:00Z")
    (told,) = digests(planned, planned.bob)
    assert told.text.startswith("Your action items: 14 due today")
    assert len(re.findall(r"#\d+\*", told.text)) == 10
    assert told.text.endswith("And 4 more.\nAll of yours: /actionitem list mine")


def test_a_postmortem_not_published_is_said_to_the_lead_once(planned: Workplace) -> None:
    planned.say("/actionitem done 1")
    planned.say("/resolved over")
    for day in range(13, 31):
        tell(planned, f"2026-03-{day}T09:00:00Z")
    (told,) = digests(planned, planned.alice)
    assert told.text.splitlines()[0] == "Your action items: 1 postmortem to publish"
    assert told.ts.startswith(str(int(at("2026-03-19T09:00:00Z").timestamp())))


def test_an_incident_that_came_back_owes_no_postmortem_yet(planned: Workplace) -> None:
    planned.say("/actionitem done 1")
    planned.say("/resolved over")
    planned.say("/reopened again")
    for day in range(13, 31):
        tell(planned, f"2026-03-{day}T09:00:00Z")
    assert digests(planned, planned.alice) == []


def test_items_that_move_to_the_incident_before_are_told_under_its_name(planned: Workplace) -> None:
    planned.say("/resolved over")
    second = planned.ask("/detected it is back")
    planned.say("/actionitem @carol by 2026-03-13: look again")
    planned.slack.click(planned.alice, second, "reopen")
    assert incident(planned, 2).open is False
    tell(planned, "2026-03-13T00:00:00Z")
    (told,) = digests(planned, planned.carol)
    assert re.findall(r"INC-\d #\d", told.text) == ["INC-1 #2"]


def test_a_channel_that_is_archived_parks_what_it_was_to_be_told(planned: Workplace) -> None:
    planned.slack.change_channel(planned.channel, archived=True)
    tell(planned, "2026-03-20T09:00:00Z")
    assert problems(planned) == [("digest", "is_archived")]
    tell(planned, "2026-03-20T16:00:00Z")
    assert len(digests(planned, planned.bob)) == 1


def test_switched_off_nobody_is_told_anything(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock, SCRIBE_REMINDERS="off") as office:
        office.say("/detected disk full")
        office.say("/actionitem @bob by 2026-03-13: buy disks")
        tell(office, "2026-03-13T16:00:00Z")
        assert digests(office, office.bob) == []
        assert counts(office)["reminders"] == 2


def test_another_policy_is_written_in_one_variable(sqlite: Database, clock: SetClock) -> None:
    cadence = "due-1d,due+1d,hours=7-8,escalate=off,confirm=off,publish=off"
    with workplace(sqlite, clock=clock, SCRIBE_REMINDERS=cadence) as office:
        office.say("/detected disk full")
        office.say("/incident lead @alice")
        office.say("/actionitem @alice by 2026-03-18: buy disks")
        office.say("/actionitem count disks")
        office.say("/resolved over")
        for day in range(13, 32):
            for hour in range(24):
                tell(office, f"2026-03-{day}T{hour:02}:00:00Z")
        assert digests(office, office.channel) == []
        told = [int(each.ts.partition(".")[0]) for each in digests(office, office.alice)]
        assert told == [at(f"2026-03-{day}T07:00:00Z").timestamp() for day in (17, 19)]


def test_the_week_is_summed_up_in_the_chosen_channel_on_mondays(sqlite: Database, clock: SetClock) -> None:
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
                tell(office, f"2026-03-{day}T{hour:02}:00:00Z")
        first, second = office.slack.messages("C000000009")
        assert first.ts.startswith(str(int(at("2026-03-16T09:00:00Z").timestamp())))
        assert first.text.splitlines() == [
            "Action items in the last 7 days: 5 opened · 1 done · 3 to do, 2 of them overdue",
            "Done in time: 1 of the 3 that fell due (33 %)",
            "Waiting longest: INC-1 #1 buy &lt;disks&gt; · bob · since 12 March 2026",
            "What is overdue: /actionitem list overdue",
        ]
        assert second.text.splitlines()[1] == "None fell due."


def test_what_is_done_in_the_evening_of_its_day_is_in_time_though_utc_is_a_day_ahead(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_SUMMARY_CHANNEL="C000000009") as office:
        while office.slack.add_channel("operations") != "C000000009":
            pass
        office.say("/detected disk full", user=office.bob)
        office.say("/actionitem @bob by 2026-03-13: buy disks", user=office.bob)
        clock.set(at("2026-03-14T01:00:00Z"))
        office.say("/actionitem done 1", user=office.bob)
        tell(office, "2026-03-16T09:00:00Z")
        (told,) = office.slack.messages("C000000009")
        assert "Done in time: 1 of the 1 that fell due (100 %)" in told.text


def test_a_refused_token_is_nobodys_leaving(planned: Workplace) -> None:
    planned.slack.fail_next("chat.postMessage", error="account_inactive")
    tell(planned, "2026-03-13T16:00:00Z")
    assert problems(planned) == [("digest", "account_inactive")]
    planned.bot.refresh()
    planned.deliver()
    assert len(digests(planned, planned.bob)) == 1
    assert digests(planned, planned.alice) == []


def test_an_owner_outside_the_private_channel_hears_that_there_is_something_and_can_settle_it(
    office: Workplace,
) -> None:
    hidden = office.slack.add_channel("acquisition", private=True)
    office.say("/incident open the zebra is out", channel=hidden)
    office.say("/actionitem @bob by 2026-03-13: feed the zebra, see https://zebra.example/1", channel=hidden)
    tell(office, "2026-03-13T16:00:00Z")
    (told,) = digests(office, office.bob)
    assert "*INC-1 #1* · an action item of a private incident; its words stand in its channel" in told.text
    for place in (told.channel, office.channel):
        listed = office.private("/actionitem list mine", user=office.bob, channel=place)
        assert listed == (
            "INC-1 1. an action item of a private incident; its words stand in its channel · bob · term unknown"
            " · due 2026-03-13"
        )
    pressed = office.slack.click(office.bob, told, "item_done")
    office.deliver()
    said = [each.text for each in office.slack.messages(office.bob)]
    assert pressed.ok
    assert "Action item 1 of INC-1 is done" in said[-1]
    assert "zebra" not in "".join(said)
    assert "feed the zebra" in office.private("/actionitem list", channel=hidden)
