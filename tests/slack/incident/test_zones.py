"""Time zones: a typed clock time is read in the typist's zone, and a doubtful zone is named in the receipt."""

from dataclasses import replace
from statistics import median

from bot.clock import SetClock
from storage.database import Database
from tests.support.ledger import entries
from tests.support.workplace import Workplace, workplace

ASSUMED = "You typed no time zone and Slack has not told me yours, so I took"


def hour(office: Workplace) -> str:
    """The day and time of the newest entry in UTC."""
    return f"{entries(office)[-1].occurred_at:%d %H:%M}"


def test_a_command_is_answered_without_a_call_to_slack(office: Workplace) -> None:
    before = office.slack.calls
    office.say("/detected at 4:50 disk full", user=office.bob)
    office.say("/did at 20:50 freed", user=office.carol)
    office.refused("/did at 25:00")
    office.private("/timeline")
    assert office.slack.calls == before
    assert hour(office) == "12 11:50"


def test_an_unknown_zone_is_looked_up_once_before_the_answer(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        assert office.say("/detected at 4:50 disk full", user=office.bob).startswith(
            "Detected · 11:50 UTC (04:50 in Los Angeles)"
        )
        office.say("/did at 4:51 freed", user=office.bob)
        assert [call.method for call in office.slack.calls] == ["users.info"]


def test_the_look_up_is_made_for_every_command_with_a_clock_time(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        office.say("/detected disk full")
        for typed in (
            "/detected by monitoring at 4:50 slow",
            "/cause process: at 4:50 nobody looked",
            "/incident did at 4:50 freed",
            "/incident detected by customer 4:50 slow",
            "/incident edit 1 at 4:50",
            "/incident edit 1 by customer at 4:50",
        ):
            newcomer = office.slack.add_user(f"new{len(office.slack.calls)}", zone="America/Los_Angeles")
            assert "11:50 UTC (04:50 in Los Angeles)" in office.say(typed, user=newcomer), typed


def test_while_slack_is_slow_the_default_zone_is_used_with_a_correction(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        # Longer than the three seconds Slack waits for an ack; the look-up ends after one.
        office.slack.delay("users.info", 3.5)
        answer = office.ask("/detected at 11:50 disk full", user=office.bob)
        assert answer.text.startswith("Detected · 11:50 UTC · INC-1 #1 · late entry\n")
        correction = "/incident edit 1 at 11:50 Europe/Berlin"
        assert answer.text.endswith(f"{ASSUMED} UTC. If that is wrong: {correction}")
        assert "Corrected: Detected · 10:50 UTC" in office.say(correction, user=office.bob)


def test_without_the_scope_the_default_zone_is_used_and_named(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False, SCRIBE_TIMEZONE="Asia/Kolkata") as office:
        office.slack.scopes -= {"users:read"}
        office.bot.refresh()
        text = office.say("/detected at 17:00 disk full")
        assert text.startswith("Detected · 11:30 UTC · INC-1 #1")
        assert text.endswith(f"{ASSUMED} Kolkata. If that is wrong: /incident edit 1 at 17:00 UTC")
        # At noon 17:00 UTC is in the future, so it is the day before.
        assert "Corrected: Detected · 11 Mar 17:00 UTC" in office.say("/incident edit 1 at 17:00 UTC")
        assert ASSUMED in office.say("/incident edit 1 at 17:01")
        assert ASSUMED not in office.say("/did freed")
        assert ASSUMED not in office.say("/did -10m freed")


def test_a_member_whose_description_is_not_as_documented_does_not_stop_the_others(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        odd = replace(office.slack.workspace.users[office.alice], id="U" * 65)
        office.slack.workspace.users = {odd.id: odd, **office.slack.workspace.users}
        office.bot.refresh()
        assert "11:50 UTC (04:50 in Los Angeles)" in office.say("/detected at 4:50 disk full", user=office.bob)
        assert "users.info" not in [call.method for call in office.slack.calls]


def test_a_typed_zone_always_wins_and_needs_no_look_up(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False, SCRIBE_TIMEZONE="Asia/Kolkata") as office:
        # Longer than the three seconds Slack waits for an ack; the look-up ends after one.
        office.slack.delay("users.info", 3.5)
        took_s = []
        for typed in (
            "12:50 Europe/Berlin",
            "11:50 UTC",
            "11:50Z",
            "12:50 Europe/Berlin",
            "2026-03-12T13:50+02:00",
            "7:50 UTC-4",
        ):
            answer = office.ask(f"/detected at {typed} disk full", user=office.bob)
            assert "Detected · 11:50 UTC · INC-1" in answer.text, typed
            assert ASSUMED not in answer.text
            took_s.append(answer.elapsed_s)
        # A look-up would hold every answer up for a second.
        assert median(took_s) < 1


def test_a_member_without_a_zone_gets_the_default_one_and_the_correction(office: Workplace) -> None:
    nomad = office.slack.add_user("nomad", zone=None)
    assert f"{ASSUMED} UTC" in office.say("/detected at 11:50 disk full", user=nomad)


def test_a_changed_zone_is_used_at_once(office: Workplace) -> None:
    office.say("/detected at 4:50 disk full", user=office.bob)
    office.slack.change_user(office.bob, zone="Asia/Tokyo")
    assert "Did · 11:50 UTC (20:50 in Tokyo)" in office.say("/did at 20:50 freed", user=office.bob)
    office.slack.change_user(office.bob, name="robert")
    assert office.say("/did at 20:51 freed", user=office.bob).startswith("Did · 11:51 UTC (20:51 in Tokyo)")


def test_a_clock_time_is_the_latest_such_moment_in_the_typists_zone(office: Workplace) -> None:
    office.say("/detected at 13:00 disk full", user=office.alice)
    assert hour(office) == "11 13:00"
    office.say("/did at 5:30 freed", user=office.bob)
    assert hour(office) == "11 12:30"
    office.say("/did yesterday 23:50 freed", user=office.carol)
    assert hour(office) == "11 14:50"


def test_a_clock_time_later_today_is_yesterdays_and_the_receipt_says_so(office: Workplace) -> None:
    text = office.say("/detected at 12:30 disk full")
    assert text.startswith("Detected · 11 Mar 12:30 UTC · INC-1 #1 · late entry")
    assert "Mind the day: that is Wednesday 11 March 2026." in text
    assert "Mind the day" not in office.say("/did at 11:30 freed space")
