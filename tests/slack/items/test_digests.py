"""Digests: each item is reminded of once, in its state at delivery, to a person who can act on it."""

import re
from datetime import timedelta

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from storage.database import Database
from tests.conftest import NOON
from tests.support.as_posted import as_posted
from tests.support.ledger import counts, expire_leases, incident, outbox_states, problems
from tests.support.workplace import Workplace, at, workplace

_HEAD = re.compile("Your action items|need a decision|New date, new owner, or drop")
FRIDAY_IN_LOS_ANGELES = at("2026-03-13T16:00:00Z")
FRIDAY = at("2026-03-13T09:00:00Z")


@pytest.fixture
def planned(office: Workplace, clock: SetClock) -> Workplace:
    """An incident led by Alice, with an item of Bob's due on Friday 13 March, which was handed to him on Thursday."""
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    office.say("/actionitem @bob short-term by 2026-03-13: buy disks <now>")
    remind_at(office, "2026-03-12T16:30:00Z")
    clock.set(NOON)
    return office


def remind_at(office: Workplace, when: str) -> None:
    """Set the clock, run the reminders' tick, and deliver."""
    clock: SetClock = office.bot.context.clock  # type: ignore[assignment]
    clock.set(at(when))
    office.bot.remind()
    office.deliver()


def digests(office: Workplace, place: str) -> list[Message]:
    return [each for each in as_posted(office.slack, place) if _HEAD.search(each.text)]


def test_the_text_and_blocks_of_a_digest(planned: Workplace) -> None:
    planned.say("/actionitem @bob long-term by 2026-03-16: count disks, see https://tickets.example/OPS-1?a=1&b=2")
    planned.say("/actionitem @bob by 2026-04-01: sell disks")
    for typed in (
        "/impact no checkouts",
        "/cause first guess",
        "/cause nobody <looked> at it",
        "/cause wrong",
        "/incident undo",
    ):
        planned.say(typed)
    remind_at(planned, "2026-03-13T16:00:00Z")
    (message,) = digests(planned, planned.bob)
    channel = f"<#{planned.channel}>"
    ticket = "https://tickets.example/OPS-1?a=1&amp;b=2"
    monday = f"<!date^{int(at('2026-03-16T19:00:00Z').timestamp())}^{{date_long_pretty}}|Monday 16 March 2026>"
    assert message.text.split("\n\n") == [
        "Your action items: 2 open · 1 due today",
        f"*INC-1 #1* · buy disks &lt;now&gt;\ndisk full: nobody &lt;looked&gt; at it\nDue today · {channel}",
        (
            f"*INC-1 #2* · count disks, see {ticket}\ndisk full: nobody &lt;looked&gt; at it\n"
            f"Due {monday} · <{ticket}|ticket> · {channel}"
        ),
        "All of yours: /actionitem list mine",
    ]
    types = [block["type"] for block in message.blocks]
    assert types == ["section", *("section", "actions") * 2, "actions", "context"]
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
    # The hand-over of the new ones, and the digest.
    assert outbox_states(planned)["waiting"] == 2
    for typed in ("done 2", "drop 4 moot", "assign 5 @carol", "due 6 2026-05-01"):
        planned.say(f"/actionitem {typed}")
    planned.say("/actionitem snooze 3 2d", user=planned.bob)
    planned.deliver()
    (message,) = digests(planned, planned.bob)
    assert re.findall(r"#(\d)\*", message.text) == ["1"]
    # Carol hears of it by the hand-over on Monday in Tokyo.
    remind_at(planned, "2026-03-16T00:00:00Z")
    assert digests(planned, planned.carol) == []


def test_a_digest_without_items_is_not_sent(planned: Workplace, clock: SetClock) -> None:
    clock.set(FRIDAY_IN_LOS_ANGELES)
    planned.bot.remind()
    planned.say("/actionitem done 1")
    planned.deliver()
    assert digests(planned, planned.bob) == []
    # What was handed over is edited to say so.
    clock.set(FRIDAY_IN_LOS_ANGELES + timedelta(seconds=6))
    planned.deliver()
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
    delivery, client = planned.bot.context.delivery, planned.bot.context.client
    send = client.chat_postMessage

    def killed(**message: object) -> None:
        send(**message)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    client.chat_postMessage = killed  # type: ignore[assignment,method-assign]
    with pytest.raises(KeyboardInterrupt):
        delivery.step()
    client.chat_postMessage = send  # type: ignore[method-assign]
    planned.deliver()
    assert len(digests(planned, planned.bob)) == 1
    expire_leases(planned.database)
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


def days(office: Workplace, place: str) -> list[str]:
    """The days on which a digest was sent there, in UTC."""
    return [
        f"{at('1970-01-01T00:00:00Z') + timedelta(seconds=float(each.ts)):%m-%d}" for each in digests(office, place)
    ]


def remind_daily(office: Workplace, first: str, last: str, hour: int = 9) -> None:
    """A tick at that hour of each day of 2026, and one a minute later."""
    day, end = at(f"2026-{first}T00:00:00Z"), at(f"2026-{last}T00:00:00Z")
    while day <= end:
        remind_at(office, f"{day:%Y-%m-%d}T{hour:02}:00:00Z")
        remind_at(office, f"{day:%Y-%m-%d}T{hour:02}:01:00Z")
        day += timedelta(days=1)


def test_without_owner_and_lead_who_declared_is_reminded(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem by 2026-03-16: add an alert")
    office.say("/actionitem confirm 1")
    remind_daily(office, "03-13", "03-31")
    assert days(office, office.alice) == ["03-13", "03-16", "03-17", "03-19", "03-26"]
    assert digests(office, office.channel) == []


def test_without_owner_and_lead_the_channel_of_the_summary_is_told_once_a_week(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_SUMMARY_CHANNEL="C000000009") as office:
        while office.slack.add_channel("operations") != "C000000009":
            pass
        office.say("/detected disk full")
        office.say("/actionitem by 2026-03-16: add an alert")
        office.say("/actionitem confirm 1")
        hidden = office.slack.add_channel("acquisition", private=True)
        office.say("/incident open the zebra is out", channel=hidden)
        office.say("/actionitem by 2026-03-16: feed the zebra", channel=hidden)
        remind_daily(office, "03-13", "03-31")
        assert days(office, "C000000009") == ["03-13", "03-20", "03-27"]
        text = digests(office, "C000000009")[-1].text
        assert text.startswith(
            "These need a decision: 1 open · 1 overdue, the oldest 11 days · 1 to decide\n\n*INC-1 #1*"
        )
        assert all("zebra" not in each.text for each in office.slack.messages("C000000009"))
        assert "feed the zebra" in digests(office, office.alice)[0].text


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


def test_the_lead_who_has_just_reopened_a_late_item_is_not_told_of_it(planned: Workplace, clock: SetClock) -> None:
    planned.say("/actionitem done 1")
    clock.set(at("2026-03-24T09:00:00Z"))
    planned.say("/actionitem reopen 1")
    remind_daily(planned, "03-24", "04-10")
    assert digests(planned, planned.channel) == []
    remind_daily(planned, "04-11", "04-14")
    assert days(planned, planned.channel) == ["04-13"]


def test_the_lead_who_has_just_handed_a_late_item_over_is_not_told_of_it(planned: Workplace, clock: SetClock) -> None:
    # Before the working hours in which the escalation was due.
    clock.set(at("2026-03-20T08:00:00Z"))
    planned.say("/actionitem assign 1 @carol")
    remind_daily(planned, "03-20", "04-10")
    assert digests(planned, planned.channel) == []


def test_the_lead_is_told_in_the_channel_what_is_late_and_how_often_its_owner_was_told(planned: Workplace) -> None:
    for day in range(13, 21):
        remind_at(planned, f"2026-03-{day}T09:00:00Z")
        remind_at(planned, f"2026-03-{day}T16:00:00Z")
    (message,) = digests(planned, planned.channel)
    head, part, foot = message.text.split("\n\n")
    assert head == (
        f"<@{planned.alice}>, *buy disks &lt;now&gt;* is 7 days late; bob has been told twice. "
        "New date, new owner, or drop?"
    )
    assert part.startswith("*INC-1 #1* · buy disks &lt;now&gt;\ndisk full\nOverdue for 7 days, since <!date^")
    assert part.endswith("|Friday 13 March 2026> · bob has been told twice")
    assert foot == "Who has an item is reminded of it as before, whatever you snooze here."
    assert message.ts.startswith(str(int(at("2026-03-20T09:00:00Z").timestamp())))
    assert digests(planned, planned.alice) == []
    assert days(planned, planned.bob) == ["03-13", "03-16", "03-20"]


def test_the_lead_is_told_in_the_channel_in_their_own_hours_and_zone(planned: Workplace) -> None:
    planned.say("/incident lead @carol")
    for hours in range(72):
        moment = at("2026-03-19T00:00:00Z") + timedelta(hours=hours)
        remind_at(planned, moment.isoformat())
    (message,) = digests(planned, planned.channel)
    assert message.text.startswith(f"<@{planned.carol}>, ")
    assert message.ts.startswith(str(int(at("2026-03-20T00:00:00Z").timestamp())))


def test_of_their_own_items_the_lead_hears_in_their_own_digest_alone(planned: Workplace) -> None:
    planned.say("/actionitem assign 1 @alice")
    remind_daily(planned, "03-13", "04-20")
    assert digests(planned, planned.channel) == []
    assert "03-20" in days(planned, planned.alice)


def test_the_leads_snooze_leaves_the_owner_alone_and_the_owners_the_lead(planned: Workplace) -> None:
    remind_at(planned, "2026-03-20T09:00:00Z")
    said = planned.say("/actionitem snooze 1 5d")
    assert said.startswith(
        "Action item 1 of INC-1 is not escalated before 2026-03-25; bob is reminded as before: buy disks"
    )
    planned.say("/actionitem snooze 1 90d", user=planned.bob)
    remind_daily(planned, "03-20", "04-20", hour=16)
    assert days(planned, planned.channel) == ["03-20", "03-25", "04-13"]
    assert "bob has not been told yet and has snoozed it until <!date^" in digests(planned, planned.channel)[-1].text
    assert digests(planned, planned.bob) == []


def test_a_snooze_of_the_lead_that_would_change_nothing_says_so(planned: Workplace) -> None:
    assert planned.refused("/actionitem snooze 1 2d").startswith(
        "Only @bob is reminded of action item 1 before 2026-03-14, and the lead's snooze is not theirs: buy disks"
    )


@pytest.mark.parametrize("closed", [{"archived": True}, {"bot_is_member": False}])
def test_where_the_channel_is_closed_the_lead_is_told_in_a_direct_message(
    planned: Workplace, closed: dict[str, bool]
) -> None:
    planned.slack.change_channel(planned.channel, **closed)
    remind_at(planned, "2026-03-20T09:00:00Z")
    remind_at(planned, "2026-03-20T09:01:00Z")
    (message,) = digests(planned, planned.alice)
    assert message.text.startswith("*buy disks &lt;now&gt;* is 7 days late; bob has not been told yet. New date")
    assert problems(planned) == []
    remind_at(planned, "2026-03-20T16:00:00Z")
    assert len(digests(planned, planned.bob)) == 1
    remind_daily(planned, "03-21", "04-20")
    assert days(planned, planned.alice) == ["03-20", "04-13"]


def test_without_a_lead_what_is_late_reaches_who_declared_unless_it_is_theirs(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem @bob by 2026-03-13: buy disks")
    office.say("/actionitem @alice by 2026-03-13: count disks")
    remind_at(office, "2026-03-20T09:00:00Z")
    (message,) = digests(office, office.alice)
    assert re.findall(r"#(\d)\*", message.text) == ["1", "2"]
    (other,) = digests(office, office.channel)
    assert other.text.startswith("*count disks* is 7 days late; alice has been told")


def test_a_proposal_is_asked_about_twice_and_dropped_with_a_word_to_who_proposed_it(planned: Workplace) -> None:
    planned.say("/actionitem add an alert", user=planned.carol)
    planned.say("/actionitem count disks", user=planned.carol)
    planned.say("/actionitem sell disks", user=planned.bob)
    planned.say("/actionitem done 1")
    for hours in range(24 * 40):
        moment = at("2026-03-13T00:30:00Z") + timedelta(hours=hours)
        if moment == at("2026-03-20T12:30:00Z"):
            planned.say("/actionitem assign 3 @bob")
        remind_at(planned, moment.isoformat())
    assert days(planned, planned.alice)[:2] == ["03-16", "03-23"]
    (carols,) = [each for each in planned.slack.messages(planned.carol) if "of yours" in each.text]
    assert carols.text.startswith("Nobody took this proposal of yours in 30 days")
    assert [each for each in planned.slack.messages(planned.bob) if "of yours" in each.text]


def leavers(office: Workplace) -> list[str]:
    """What the lead was told of people who left, without their items."""
    told = office.slack.messages(office.alice)
    return [each.text.partition("\n")[0] for each in told if " left, with " in each.text]


def test_when_the_owner_leaves_the_lead_is_reminded(planned: Workplace) -> None:
    planned.slack.change_user(planned.bob, deleted=True)
    planned.slack.wait_for(lambda: planned.bot.context.members.find(planned.slack.team_id, planned.bob).barred)  # type: ignore[union-attr]
    remind_at(planned, "2026-03-13T16:00:00Z")
    assert digests(planned, planned.bob) == []
    # All that was theirs in one message, and on no digest of that day.
    assert leavers(planned) == ["bob has left, with 1 open action item: who takes it?"]
    assert digests(planned, planned.alice) == []
    remind_at(planned, "2026-03-23T16:00:00Z")
    (message,) = digests(planned, planned.alice)
    assert "bob has left, and you lead INC-1: hand it to somebody, or drop it." in message.text


def test_when_slack_no_longer_knows_the_owner_the_lead_is_reminded(planned: Workplace) -> None:
    planned.slack.fail_next("chat.postMessage", error="user_not_found")
    remind_at(planned, "2026-03-13T16:00:00Z")
    assert digests(planned, planned.bob) == []
    assert problems(planned) == [("digest", "user_not_found")]
    remind_at(planned, "2026-03-13T16:01:00Z")
    assert leavers(planned) == ["bob has left, with 1 open action item: who takes it?"]
    remind_at(planned, "2026-03-16T16:01:00Z")
    assert digests(planned, planned.bob) == []


def test_a_new_lead_gets_the_old_ones_reminders(planned: Workplace) -> None:
    planned.say("/actionitem by 2026-03-13: add an alert")
    planned.say("/incident lead @carol")
    remind_at(planned, "2026-03-13T09:00:00Z")
    assert digests(planned, planned.alice) == []
    remind_at(planned, "2026-03-16T00:00:00Z")
    assert len(digests(planned, planned.carol)) == 1


def test_of_an_owned_item_without_a_date_the_lead_is_told_weekly_and_its_owner_never(planned: Workplace) -> None:
    planned.say("/actionitem done 1")
    planned.say("/actionitem @bob: count disks")
    remind_daily(planned, "03-13", "04-10", hour=16)
    assert digests(planned, planned.bob) == []
    assert days(planned, planned.alice) == ["03-19", "03-26", "04-02", "04-09"]
    text = digests(planned, planned.alice)[0].text
    assert text.startswith("Your action items: 1 open · 1 to decide\n\n*INC-1 #2* · count disks\n")
    assert "bob has it, and you lead INC-1: give it a date, or drop it." in text


def test_a_digest_of_many_has_buttons_for_ten_and_a_line_for_each_other(planned: Workplace) -> None:
    for number in range(2, 15):
        planned.say(f"/actionitem @bob by 2026-03-13: {'buy disk ' * 50}{number}")
    remind_at(planned, "2026-03-13T16:00:00Z")
    (message,) = digests(planned, planned.bob)
    assert message.text.startswith("Your action items: 14 open · 14 due today\n")
    assert [int(each) for each in re.findall(r"#(\d+)\*", message.text)] == list(range(1, 15))
    assert [block["type"] for block in message.blocks].count("actions") == 11
    assert message.text.endswith("\n\nAll of yours: /actionitem list mine")


def test_a_digest_of_very_many_counts_them_all(planned: Workplace) -> None:
    for number in range(2, 48):
        planned.say(f"/actionitem @bob by 2026-03-13: buy disk {number}")
    remind_at(planned, "2026-03-13T16:00:00Z")
    (message,) = digests(planned, planned.bob)
    assert message.text.startswith("Your action items: 47 open · 47 due today\n")
    assert len(re.findall(r"#\d+\*", message.text)) == 40
    assert message.text.endswith("And 7 more.\nAll of yours: /actionitem list mine")


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


def test_who_moves_to_another_zone_is_told_on_the_day_there(planned: Workplace) -> None:
    planned.say("/actionitem due 1 2026-03-18")
    # At nine of Los Angeles it is past midnight in Tokyo.
    planned.slack.change_user(planned.bob, zone="Asia/Tokyo")
    workspace_id = planned.slack.team_id
    planned.slack.wait_for(lambda: planned.bot.context.members.find(workspace_id, planned.bob).timezone == "Asia/Tokyo")  # type: ignore[union-attr]
    for hours in range(24 * 7):
        remind_at(planned, (at("2026-03-13T00:00:00Z") + timedelta(hours=hours)).isoformat())
    # The 16th (of Sunday) and the 18th and the 19th, at nine in Tokyo.
    assert [each.ts.partition(".")[0] for each in digests(planned, planned.bob)] == [
        str(int(at(f"2026-03-{day}T00:00:00Z").timestamp())) for day in (16, 18, 19)
    ]


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
