"""Reviews of a postmortem: planned, moved, cancelled and reminded of, through Bolt."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from bot.slack.bot import build
from storage import outbox, reviews
from storage.database import Database
from storage.values import Review
from tests.support.ledger import counts, expire_leases, incident, outbox_states, problems
from tests.support.replicas import at_once, replicas
from tests.support.workplace import HTTP, Workplace, at, serve, workplace

FRIDAY = "Friday 20 March 2026, 10:00 to 11:00 UTC"
CHANGE = "To change it: /postmortem review with @who · without @who · for 45m · friday 10:00 · cancel"
REFUSED = (
    ("2026-03-20", "At what time on 2026-03-20? Try: /postmortem review 2026-03-20 10:00"),
    ("10:00", "On which day? Try: /postmortem review tomorrow 10:00"),
    (
        "2026-03-11 10:00",
        "2026-03-11 10:00 is past: it is 2026-03-12 12:00 UTC now. Try: /postmortem review 2026-03-19 10:00",
    ),
    ("2426-12-01 10:00", "2426-12-01 is more than a year ahead."),
    ("2027-02-30 10:00", "2027-02-30 is no date I know."),
    ("2026-03-29 02:30 Europe/Berlin", "There is no 02:30 on 29 March 2026 in Berlin: the clocks go forward."),
    ("2026-10-25 02:30 Europe/Berlin", "02:30 on 25 October 2026 in Berlin comes twice: the clocks go back."),
    ("friday 10:00 for ever", "ever is no length of a meeting."),
    ("friday 10:00 with @channel", "@channel is no single person I could invite."),
    ("friday 10:00 with @scribe", "@scribe is a bot, and comes to no meeting."),
    ("friday 10:00 without @alice", "That leaves nobody to invite."),
    ("with @bob", "When? Try: /postmortem review friday 10:00 with @alice"),
    ("INC-7 friday 10:00", "There is no INC-7 here."),
    ("cancel", "INC-1 has no review to cancel. To plan one: /postmortem review friday 10:00"),
    ("cancel it", "Nothing goes after cancel but the incident: /postmortem review cancel INC-1"),
)


@pytest.fixture
def declared(office: Workplace) -> Workplace:
    """A workplace with an incident that Alice declared."""
    office.say("/detected disk full")
    return office


def plans(office: Workplace) -> tuple[Review, ...]:
    with office.database.read() as connection:
        return reviews.of_incident(connection, incident(office).id)


def announcements(office: Workplace, channel: str | None = None) -> list[Message]:
    """The channel's messages about reviews other than answers, oldest first."""
    return [each for each in office.messages(channel) if "eview of INC-" in each.text]


def calendars(office: Workplace) -> list[Any]:
    office.deliver()
    return [Calendar.from_ical(file.content) for file in office.slack.files if file.name.endswith(".ics")]


def events(office: Workplace) -> list[Any]:
    return [calendar.walk("VEVENT")[0] for calendar in calendars(office)]


def test_a_refusal_repeats_the_words_and_changes_nothing(declared: Workplace) -> None:
    office = declared
    before = counts(office)
    for typed, problem in REFUSED:
        answer = office.refused(f"/postmortem review {typed}")
        assert answer.startswith(problem), answer
        assert answer.endswith(f"\nYour words: /postmortem review {typed}"), answer
    assert counts(office) == before


def test_each_person_named_is_invited_once_by_a_message_with_a_calendar_file(declared: Workplace) -> None:
    office = declared
    office.say("/incident lead @carol")
    office.say("/did @bob and @sre-team and @scribe freed space <!channel>")
    answer = office.say("/postmortem review 2026-03-20 10:00 for 45m", user=office.bob)
    assert answer.splitlines()[:3] == [
        "INC-1 · review on Friday 20 March 2026, 10:00 to 10:45 PDT (17:00 UTC)",
        "Invited: carol, alice, bob",
        f"Each of them is reminded on the workday before, at 09:00 on their own clock. {CHANGE}",
    ]
    (invitation,) = announcements(office)
    assert invitation.text.splitlines() == [
        "*Review of INC-1* · disk full",
        "Friday 20 March 2026, 10:00 to 10:45 PDT (17:00 UTC), in this channel",
        f"<@{office.carol}> <@{office.alice}> <@{office.bob}>",
        "To read before: /postmortem draft INC-1 · The file puts it into your calendar.",
    ]
    assert [file.name for file in invitation.files] == ["INC-1-review.ics"]
    (event,) = events(office)
    assert event.start.isoformat() == "2026-03-20T10:00:00-07:00"
    assert str(event["SUMMARY"]) == "Review of INC-1: disk full"
    assert str(event["LOCATION"]) == "Slack, #incident"
    description = str(event["DESCRIPTION"]).splitlines()
    assert "With: carol, alice, bob" in description
    assert "- When did the impact begin?" in description
    (plan,) = plans(office)
    assert (plan.planned_by_id, plan.planned_at) == (office.bob, at("2026-03-12T12:00:00Z"))


def test_a_moved_review_keeps_its_uid_and_what_was_not_changed(declared: Workplace) -> None:
    office = declared
    office.say("/postmortem review friday 10:00 for 45m with @bob @carol")
    office.deliver()
    assert "review moved to Monday 16 March 2026, 10:00 to 10:45 UTC (was Friday 13 March 2026" in office.say(
        "/postmortem review INC-1 monday 10:00"
    )
    office.deliver()
    assert "Invited: alice, carol\n" in office.say("/postmortem review without @bob for 1h")
    first, second, third = events(office)
    assert len({str(event["UID"]) for event in (first, second, third)}) == 1
    assert [int(event["SEQUENCE"]) for event in (first, second, third)] == [0, 1, 2]
    assert [event.start for event in (second, third)] == [at("2026-03-16T10:00:00Z")] * 2
    assert third.end == at("2026-03-16T11:00:00Z")
    assert "moved, it was Friday 13 March" in announcements(office)[1].text
    assert (
        announcements(office)[2].text.splitlines()[2] == f"<@{office.alice}> <@{office.carol}> · no longer invited: bob"
    )
    assert "in place of the earlier one" in announcements(office)[2].text
    assert [plan.sequence for plan in plans(office)] == [0, 1, 2]


def test_the_same_plan_again_invites_no_one_again(declared: Workplace) -> None:
    office = declared
    answer = office.ask("/postmortem review 2026-03-20 10:00")
    before = counts(office)
    assert office.slack.repeat(answer).text == answer.text
    assert office.refused("/postmortem review friday 2026-03-20 10:00").startswith(
        "friday 2026-03-20 is no date I know"
    )
    assert office.refused("/postmortem review 2026-03-20 10:00 for 1h").startswith(
        f"It is planned just so already: {FRIDAY}. Nobody was told again."
    )
    assert counts(office) == before
    assert len(announcements(office)) == 1


def test_a_cancelled_review_leaves_the_calendar_and_is_not_reminded_of(declared: Workplace, clock: SetClock) -> None:
    office = declared
    office.say("/postmortem review 2026-03-20 10:00")
    office.deliver()
    assert office.say("/postmortem review cancel inc-1").startswith(f"INC-1 · review cancelled; it was on {FRIDAY}.")
    assert [str(calendar["METHOD"]) for calendar in calendars(office)] == ["PUBLISH", "CANCEL"]
    assert [int(event["SEQUENCE"]) for event in events(office)] == [0, 1]
    assert announcements(office)[1].text.startswith(
        "*Review of INC-1 cancelled* · disk full\nIt was planned for Friday"
    )
    clock.set(at("2026-03-19T10:00:00Z"))
    assert len(announcements(office)) == 2
    assert office.private("/postmortem review").startswith("No review of INC-1 is planned. To plan one:")
    office.say("/postmortem review 2026-03-20 10:00")
    assert [int(event["SEQUENCE"]) for event in events(office)] == [0, 1, 2]
    assert set(outbox_states(office)) == {"sent"}


def test_the_bare_command_shows_the_plan_and_its_state(declared: Workplace, clock: SetClock) -> None:
    office = declared
    assert office.private("/postmortem review").splitlines()[0] == (
        "No review of INC-1 is planned. To plan one: /postmortem review 2026-03-19 10:00, or friday 10:00 CET for 45m "
        "with @alice"
    )
    office.say("/postmortem review 2026-03-20 10:00")
    assert office.private("/postmortem review INC-1", user=office.bob).splitlines() == [
        f"INC-1 · review on {FRIDAY}",
        "Invited: alice",
        "To move it: /postmortem review friday 10:00 · to call it off: /postmortem review cancel",
    ]
    clock.set(at("2026-03-20T11:00:00Z"))
    assert office.private("/postmortem review").startswith(f"INC-1 · review was on {FRIDAY}")
    assert office.refused("/postmortem review cancel").startswith(f"That review is over: {FRIDAY}.")
    assert office.say("/postmortem review monday 10:00").startswith("INC-1 · review on Monday 23 March 2026")
    assert "moved" not in announcements(office)[-1].text


def reminders(office: Workplace, *users: str) -> list[str]:
    """What the people were reminded of in their direct messages, and when, in UTC: `19 09:00 *review of INC-1*…`."""
    found = [each for user in users for each in office.messages(user) if each.text.startswith("Reminder: ")]
    return [
        f"{datetime.fromtimestamp(float(each.ts), UTC):%d %H:%M} {each.text.removeprefix('Reminder: ')}"
        for each in found
    ]


def test_each_person_is_reminded_once_on_the_workday_before_in_their_hours_with_two_bots(
    database: Database, clock: SetClock
) -> None:
    with workplace(database, clock=clock) as office:
        people = (office.alice, office.bob, office.carol)
        office.say("/detected disk full")
        office.say("/postmortem review 2026-03-23 10:00 with @bob @carol")
        again = build(office.bot.context.settings, database, clock=clock)
        while clock() < at("2026-03-24T00:00:00Z"):
            clock.set(clock() + timedelta(hours=1))
            with ThreadPoolExecutor(2) as pool:
                for bot in (office.bot, again):
                    pool.submit(bot.context.delivery.deliver_due)
        again.stop()
        # Monday's meeting, on Friday at nine: in UTC, in Los Angeles and in Tokyo.
        told = [reminders(office, user) for user in people]
        assert [[each[:8] for each in found] for found in told] == [["20 09:00"], ["20 16:00"], ["20 00:00"]]
        assert told[2][0].splitlines() == [
            "20 00:00 *review of INC-1* · disk full",
            f"Monday 23 March 2026, 19:00 to 20:00 JST (10:00 UTC), in <#{office.channel}>",
            "With: alice, bob, carol",
            "To read before: /postmortem draft INC-1",
        ]
        assert len(announcements(office)) == 1, "the channel is not told again"


def test_a_moved_review_is_reminded_of_only_at_its_new_time(declared: Workplace, clock: SetClock) -> None:
    office = declared
    for day in (20, 17):
        office.say(f"/postmortem review 2026-03-{day} 10:00")
        office.deliver()
    clock.set(at("2026-03-16T10:00:00Z"))
    assert [each[:8] for each in reminders(office, office.alice)] == ["16 10:00"]
    office.say("/postmortem review 2026-03-24 10:00")
    for day in (19, 23, 25):
        clock.set(at(f"2026-03-{day}T10:00:00Z"))
        office.deliver()
    assert [each[:8] for each in reminders(office, office.alice)] == ["16 10:00", "23 10:00"]
    assert len(announcements(office)) == 3, "told once of each plan"


def test_a_late_reminder_comes_in_the_persons_hours_while_the_meeting_is_ahead(
    declared: Workplace, clock: SetClock
) -> None:
    office = declared
    office.say("/postmortem review 2026-03-20 10:00")
    office.deliver()
    clock.set(at("2026-03-19T22:00:00Z"))
    assert reminders(office, office.alice) == [], "at night it waits for the morning"
    office.slack.fail_next("chat.postMessage", error="service_unavailable", status=503)
    clock.set(at("2026-03-20T09:30:00Z"))
    assert reminders(office, office.alice) == []
    clock.set(at("2026-03-20T09:31:00Z"))
    assert [each[:8] for each in reminders(office, office.alice)] == ["20 09:31"]


def test_who_has_left_is_not_reminded(declared: Workplace, clock: SetClock) -> None:
    office = declared
    office.say("/postmortem review 2026-03-23 10:00 with @bob @carol")
    office.deliver()
    office.slack.change_user(office.bob, deleted=True)
    clock.set(at("2026-03-20T16:30:00Z"))
    office.deliver()
    assert reminders(office, office.bob) == []
    assert len(reminders(office, office.alice, office.carol)) == 1, "it is night in Tokyo"
    assert set(outbox_states(office)) == {"sent", "waiting"}


def test_who_cannot_be_written_to_is_taken_for_no_channel_without_the_bot(declared: Workplace, clock: SetClock) -> None:
    office = declared
    office.say("/postmortem review 2026-03-23 10:00 with @bob")
    office.deliver()
    clock.set(at("2026-03-20T09:30:00Z"))
    office.deliver()
    office.slack.fail_next("chat.postMessage", error="channel_not_found")
    clock.set(at("2026-03-20T16:30:00Z"))
    office.deliver()
    assert reminders(office, office.bob) == []
    assert set(outbox_states(office)) == {"sent"}
    assert not any("so it could not post there" in each.text for each in office.messages(user=office.alice))
    assert "/invite" not in office.private("/incident status")


def test_a_private_incidents_title_is_not_in_the_reminder_of_who_was_not_in_its_channel(
    declared: Workplace, clock: SetClock
) -> None:
    office = declared
    hidden = office.slack.add_channel("acquisition", private=True)
    office.say("/detected the zebra is out", channel=hidden)
    office.say("/postmortem review 2026-03-20 10:00 with @carol", channel=hidden)
    for hour in (1, 10):
        clock.set(at(f"2026-03-19T{hour:02}:00:00Z"))
        office.deliver()
    assert "zebra" in reminders(office, office.alice)[0]
    (told,) = reminders(office, office.carol)
    assert "zebra" not in told
    assert "review of INC-2" in told


def test_a_reminder_after_the_meeting_is_not_sent(declared: Workplace, clock: SetClock) -> None:
    office = declared
    office.say("/postmortem review 2026-03-20 10:00")
    office.deliver()
    clock.set(at("2026-03-20T10:00:00Z"))
    assert reminders(office, office.alice) == []
    assert set(outbox_states(office)) == {"sent"}


def test_a_review_that_is_too_near_has_no_reminder_and_the_receipt_says_so(
    declared: Workplace, clock: SetClock
) -> None:
    office = declared
    answer = office.say("/postmortem review tomorrow 11:00")
    assert "so the invitation is all the reminder there is." in answer
    for _ in range(24):
        clock.set(clock() + timedelta(hours=1))
        office.deliver()
    assert reminders(office, office.alice) == []


def test_without_files_the_message_has_all_details(declared: Workplace) -> None:
    office = declared
    office.slack.scopes -= {"files:write"}
    office.say("/postmortem review 2026-03-20 10:00")
    (invitation,) = announcements(office)
    assert f"{FRIDAY}, in this channel" in invitation.text
    assert "file" not in invitation.text
    assert invitation.files == ()
    outside = office.slack.add_channel("outside", bot_is_member=False)
    office.say("/detected other", channel=outside)
    office.say("/postmortem review 2026-03-20 10:00", channel=outside)
    assert announcements(office, outside)[0].text.startswith("*Review of INC-2* · other")
    assert problems(office) == []


def test_after_an_outage_of_slack_only_the_newest_plan_is_announced(declared: Workplace, clock: SetClock) -> None:
    office = declared
    office.deliver()
    office.say("/postmortem review 2026-03-20 10:00")
    office.say("/postmortem review 2026-03-21 10:00")
    assert [int(event["SEQUENCE"]) for event in events(office)] == [1]
    office.slack.fail_next("files.getUploadURLExternal", error="service_unavailable", status=503)
    office.say("/postmortem review 2026-03-22 10:00")
    assert len(announcements(office)) == 1
    clock.set(at("2026-03-12T12:01:00Z"))
    assert "Sunday 22 March 2026" in announcements(office)[-1].text


def test_an_announcement_whose_worker_died_is_sent_once(declared: Workplace, clock: SetClock) -> None:
    office = declared
    office.deliver()
    office.say("/postmortem review 2026-03-20 10:00")
    with office.database.write() as connection:
        job = outbox.claim(connection, at=clock())
    assert job is not None
    # The announcement is sent, but its process ends before it records that; the lease expires.
    office.bot.context.delivery._actions[job.action](job)
    expire_leases(office.database)
    assert len(announcements(office)) == 1
    assert "sending" not in outbox_states(office)


def test_a_review_is_planned_by_a_mention_in_a_thread(declared: Workplace) -> None:
    office = declared
    parent = office.slack.say(office.bob, office.channel, "when do we meet?")
    office.slack.say(
        office.bob, office.channel, "@scribe postmortem review friday 10:00 with @carol", thread_ts=parent.ts
    )
    office.deliver()
    (invitation,) = announcements(office)[-1:]
    assert invitation.text.splitlines()[2] == f"<@{office.alice}> <@{office.bob}> <@{office.carol}>"
    receipt = next(each for each in office.messages() if each.text.startswith("INC-1 · review on Friday"))
    assert receipt.thread_ts == parent.ts


def test_a_review_is_planned_from_any_channel_and_a_private_incidents_only_from_its_own(office: Workplace) -> None:
    hidden = office.slack.add_channel("acquisition", private=True)
    office.say("/detected secret", channel=hidden)
    office.say("/detected disk full")
    assert "There is no INC-1 here" in office.refused("/postmortem review INC-1 friday 10:00")
    office.private("/postmortem review INC-2 friday 10:00", channel=office.slack.add_channel("elsewhere"))
    assert announcements(office)[0].text.startswith("*Review of INC-2*")
    office.say("/postmortem review friday 10:00", channel=hidden)
    announcements(office, hidden)
    assert str(events(office)[-1]["LOCATION"]) == "Slack, the incident's channel"


def test_a_title_with_a_mention_or_a_line_break_is_escaped(office: Workplace) -> None:
    office.say("/incident open <!channel> & friends; a,b")
    office.say("/incident title x <!here>\r\nATTENDEE:mailto:ceo@example.com " + "y" * 140)
    office.say("/postmortem review friday 10:00")
    (invitation,) = announcements(office)
    assert "<!" not in invitation.text
    file = office.slack.files[-1].content.decode()
    assert "\r\nATTENDEE" not in file
    assert "\n" not in file.replace("\r\n", "")
    assert len(events(office)) == 1


def test_without_a_known_zone_the_receipt_names_the_zone_used(sqlite: Database, clock: SetClock) -> None:
    zone, standing = "Europe/Berlin", "assume-members"
    with workplace(sqlite, clock=clock, known=False, SCRIBE_TIMEZONE=zone, SCRIBE_STANDING=standing) as office:
        office.slack.scopes -= {"users:read"}
        office.say("/detected disk full")
        answer = office.say("/postmortem review 2026-03-20 10:00")
        assert "10:00 to 11:00 CET (09:00 UTC)" in answer
        assert "so I took Berlin. If that is wrong, plan it again with yours: friday 10:00 UTC" in answer
        assert "so I took" not in office.say("/postmortem review 2026-03-21 10:00 UTC")


def test_an_unknown_zone_is_looked_up_before_the_time_is_read(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        office.say("/detected disk full")
        assert "10:00 to 11:00 JST (01:00 UTC)" in office.say("/postmortem review friday 10:00", user=office.carol)


def test_the_full_postmortem_has_the_date_in_place_of_its_question(declared: Workplace) -> None:
    office = declared
    office.say("/postmortem template full")
    office.deliver()
    assert "`/postmortem review INC-1 friday 10:00`" in office.drafts[-1].content.decode()
    office.say("/postmortem review 2026-03-20 10:00 with @bob")
    office.say("/postmortem draft")
    office.deliver()
    shown = office.drafts[-1].content.decode()
    assert "### Review\n\nPlanned on Friday 20 March 2026 at 10:00 UTC.\n" in shown
    assert "- ☑ The review has a date" in shown
    blameless = office.ask("/postmortem show blameless")
    assert blameless.message
    assert "Planned on Friday 20 March 2026 at 10:00 UTC." in str(blameless.message.blocks)
    office.say("/postmortem review cancel")
    office.say("/postmortem draft")
    office.deliver()
    assert "Planned on" not in office.drafts[-1].content.decode()


def test_two_bots_that_plan_at_once_make_consecutive_plans(database: Database, clock: SetClock) -> None:
    with replicas(database, clock, HTTP, 2) as (office, bots), serve(bots[1], bots[0].context.settings) as second:
        office.say("/detected disk full")
        payload = {**office.ask("/incident help").delivery.payload, "command": "/postmortem"}
        posts = [
            (url, {**payload, "text": f"review 2026-03-20 1{number}:00", "trigger_id": f"{number}.t"})
            for number, url in enumerate((office.url, second) * 3)
        ]
        answers = at_once(office, posts)
        assert all("· review" in answer for answer in answers), answers
        assert [plan.sequence for plan in plans(office)] == list(range(6))
        same = [(url, {**posts[0][1], "text": "review 2026-04-01 10:00", "trigger_id": f"{url}.s"}) for url, _ in posts]
        answers = at_once(office, [(url, {**form, "trigger_id": f"{n}.s"}) for n, (url, form) in enumerate(same)])
        assert sum("Nobody was told again" in answer for answer in answers) == 5
        assert len(plans(office)) == 7
        office.deliver()
        assert [int(event["SEQUENCE"]) for event in events(office)] == [6]
