"""`/incident report`: the numbers and the picture follow in the channel."""

import pytest

from bot.clock import SetClock
from storage import incidents
from storage.database import Database
from tests.support.ledger import counts, overdue
from tests.support.workplace import Workplace, at, workplace

PNG = b"\x89PNG\r\n\x1a\n"


def two_incidents(office: Workplace) -> None:
    office.say("/incident open SEV2 Checkout fails")
    office.say("/started at 11:00 a deploy")
    office.say("/detected at 11:10 by customer: carts are empty")
    office.say("/resolved at 11:40 rolled back")
    office.say("/actionitem @bob by 2026-03-20: read <diffs>")
    overdue(office, "database-team", "add disks")
    second = office.slack.add_channel("second")
    office.say("/detected at 11:30 disk full", channel=second)


def test_the_report_follows_as_a_picture_with_its_numbers(office: Workplace) -> None:
    two_incidents(office)
    office.deliver()
    assert office.private("/incident report") == (
        "The report on the last 30 days is being counted; it follows in this channel."
    )
    office.deliver()
    picture = office.slack.files[-1]
    assert (picture.name, picture.content[:8]) == ("incident-report.png", PNG)
    assert office.messages()[-1].text.splitlines() == [
        "*Incidents of the last 30 days*: 2 declared, 1 still open",
        "SEV1: 0 · SEV2: 1 · SEV3: 0 · SEV4: 0 · severity unknown: 1",
        "",
        "*Time to detect*: one known: 10 min · 1 unknown",
        "*Time to acknowledge*: none known · 2 unknown",
        "*Time to mitigate*: none known · 2 unknown",
        "*Time to resolve*: one known: 40 min · 1 unknown",
        "*Time in trouble*: one known: 40 min · 1 unknown",
        "",
        "*Action items*: 2 recorded: 0 done, 2 open",
        "*Due so far*: 0 of 1 done in time, 1 overdue",
        "•  database-team: 0 of 1 done in time, 1 overdue",
        "•  people (team unknown): none yet",
    ]


def test_a_reopened_incident_is_counted_and_marked_and_its_quiet_time_is_no_trouble(office: Workplace) -> None:
    second = office.slack.add_channel("second")
    for typed, channel in (
        ("/detected at 10:00 UTC slow", None),
        ("/resolved at 10:20 UTC", None),
        ("/reopened at 11:00 UTC", None),
        ("/resolved at 11:30 UTC", None),
        ("/detected at 10:00 UTC by monitoring: disk full", second),
        ("/resolved at 10:40 UTC", second),
    ):
        office.say(typed, channel=channel)
    office.slack.scopes = {"commands", "chat:write"}
    office.deliver()
    office.private("/incident report")
    office.deliver()
    told = office.messages()[-1].text.splitlines()
    assert told[0] == "*Incidents of the last 30 days*: 2 declared, 1 reopened"
    assert told[-4:-2] == [
        "*Time to resolve*: median 1 h 5 min, from 40 min to 1 h 30 min · 2 known · 1 of reopened incidents",
        "*Time in trouble*: median 45 min, from 40 min to 50 min · 2 known · 1 of reopened incidents",
    ]
    assert "reopened" not in told[3]


def test_without_files_the_numbers_follow_as_a_message(office: Workplace) -> None:
    two_incidents(office)
    office.deliver()
    office.slack.scopes = {"commands", "chat:write"}
    before = len(office.slack.files)
    for channel in (office.channel, office.slack.add_channel("outside", bot_is_member=False)):
        office.private("/incident report 7d", channel=channel)
        assert office.messages(channel)[-1].text.startswith("*Incidents of the last 7 days*: 2 declared")
    assert len(office.slack.files) == before


def test_a_period_without_incidents_has_no_picture(office: Workplace) -> None:
    office.private("/incident report 2026-01-01..2026-01-31")
    assert office.messages()[-1].text == (
        "*Incidents of 2026-01-01 to 2026-01-31*: 0 declared\n\n*Action items*: none recorded"
    )
    assert office.slack.files == []


def test_a_repeated_request_is_one_report(office: Workplace) -> None:
    two_incidents(office)
    answer = office.ask("/incident report")
    assert office.slack.repeat(answer).text == answer.text
    office.deliver()
    assert [file.name for file in office.slack.files].count("incident-report.png") == 1


def test_the_period_ends_at_the_request_however_late_it_is_counted(office: Workplace, clock: SetClock) -> None:
    two_incidents(office)
    office.private("/incident report 1d")
    clock.set(at("2026-03-14T12:00:00Z"))
    assert any("2 declared" in message.text for message in office.messages())


@pytest.mark.parametrize("typed", ["-3d", "0d", "400y", "INC-1"])
def test_an_invalid_period_is_refused_at_once(office: Workplace, typed: str) -> None:
    before = counts(office)
    answer = office.refused(f"/incident report {typed}")
    assert "Try: /incident report 30d" in answer
    assert answer.endswith(f"\nYour words: /incident report {typed}")
    assert counts(office) == before


def test_a_private_channels_incidents_are_counted_only_there(office: Workplace) -> None:
    hidden = office.slack.add_channel("acquisition", private=True)
    office.say("/incident open SEV1 nobody knows", channel=hidden)
    overdue(office, "secret-team", "tell nobody")
    office.private("/incident report")
    assert "0 declared" in office.messages()[-1].text
    assert "secret-team" not in office.messages()[-1].text
    office.private("/incident report", channel=hidden)
    assert "1 declared" in office.messages(hidden)[-1].text
    assert "secret-team" in office.messages(hidden)[-1].text


def test_a_mention_requests_a_report(office: Workplace) -> None:
    two_incidents(office)
    office.slack.say(office.alice, office.channel, f"<@{office.slack.bot_user_id}> report 7d")
    assert any("*Incidents of the last 7 days*: 2 declared" in message.text for message in office.messages())


def test_the_days_of_a_period_are_the_typists(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock) as office:
        clock.set(at("2026-03-12T02:00:00Z"))
        office.say("/detected disk full")
        office.private("/incident report 2026-03-11..2026-03-11", user=office.bob)
        office.private("/incident report 2026-03-11..2026-03-11")
        office.deliver()
        texts = [message.text for message in office.messages() if "*Incidents of 2026-03-11*" in message.text]
        assert sorted(text.splitlines()[0].rpartition(": ")[2] for text in texts) == [
            "0 declared",
            "1 declared, 1 still open",
        ]
        with database.read() as connection:
            assert incidents.numbered(connection, office.slack.team_id, 1)


def test_kinds_of_causes_are_counted_and_incidents_of_the_channel_named(office: Workplace) -> None:
    second, hidden = office.slack.add_channel("second"), office.slack.add_channel("hidden", private=True)
    for channel, cause in (
        (office.channel, "technical: a lock; process: nobody reviewed it; technical: a second lock"),
        (second, "process: no runbook"),
        (hidden, "human: both looked alike"),
        (office.slack.add_channel("third"), "a full disk"),
    ):
        office.say("/detected at 11:00 it fails", channel=channel)
        office.say(f"/cause {cause}", channel=channel)
    office.say("/resolved")
    office.deliver()
    for channel, expected in (
        (office.channel, "process 2 (INC-1 and 1 more) · technical 1 (INC-1) · not sorted 1"),
        (second, "process 2 (INC-2 and 1 more) · technical 1 · not sorted 1"),
        (hidden, "process 2 · human 1 (INC-3) · technical 1 · not sorted 1"),
    ):
        office.private("/incident report", channel=channel)
        office.deliver()
        assert f"*Incidents by kind of cause*: {expected}\n" in office.messages(channel)[-1].text
    office.say("/incident undo 2")
    office.private("/incident report")
    office.deliver()
    assert "cause*: process 1 · not sorted 1\n" in office.messages()[-1].text
