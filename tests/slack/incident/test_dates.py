"""Lists and reports go by when an incident happened, not by when it was typed in."""

from zoneinfo import ZoneInfo

from bot.clock import SetClock
from bot.domain.report.period import parse_period
from bot.handlers.report.reports import ReportScope, load_report
from tests.support.ledger import incident
from tests.support.workplace import Workplace, at


def happened(office: Workplace, number: int = 1) -> str:
    return f"{incident(office, number).began_at:%m-%d %H:%M}"


def counted(office: Workplace, words: str, now: str) -> list[str]:
    """The days on which the incidents of the report happened."""
    period = parse_period(words, now=at(now), zone=ZoneInfo("UTC"))
    with office.database.read() as connection:
        scope = ReportScope(workspace_id=office.slack.team_id)
        report = load_report(connection, scope, period, now=at(now))
    return [f"{each.happened_at:%m-%d %H:%M}" for each in report.declared]


def test_an_incident_entered_two_months_later_counts_in_its_own_month(office: Workplace) -> None:
    for name, typed in (
        ("one", "2026-01-31 23:59 UTC"), ("two", "2025-12-31 23:59 UTC"), ("three", "2026-01-01 00:00 UTC"),
        ("four", "2026-02-01 00:00 UTC"),
    ):  # fmt: skip
        office.say(f"/detected at {typed} {name}", channel=office.slack.add_channel(name))
    office.say("/detected five", channel=office.slack.add_channel("five"))
    now = "2026-03-12T12:00:00Z"
    assert counted(office, "2026-01-01..2026-01-31", now) == ["01-01 00:00", "01-31 23:59"]
    assert counted(office, "30d", now) == ["03-12 12:00"]
    listed = office.private("/incident list").splitlines()
    assert [line.split(" · ")[2] for line in listed] == ["five", "four", "one", "three", "two"]
    assert listed[2].endswith("31 Jan 23:59 UTC")


def test_what_is_recorded_moves_the_date(office: Workplace) -> None:
    office.say("/incident open SEV2 disk full")
    assert happened(office) == "03-12 12:00"
    office.say("/note at 2026-01-10 09:00 UTC a config was changed")
    assert happened(office) == "01-10 09:00"
    office.say("/detected at 2026-01-15 10:00 UTC disk full")
    assert happened(office) == "01-15 10:00", "what came before is lead-up"
    office.say("/impact at 2026-01-15 09:30 UTC uploads fail")
    assert happened(office) == "01-15 09:30"
    office.say("/started at 2026-01-15 09:45 UTC the disk filled")
    assert happened(office) == "01-15 09:45"
    office.say("/incident edit 4 at 2026-01-14 09:45 UTC")
    assert happened(office) == "01-14 09:45"
    office.say("/incident undo 4")
    assert happened(office) == "01-15 09:30"
    office.say("/incident severity SEV1 at 2026-01-01 09:00 UTC")
    assert happened(office) == "01-15 09:30", "a change of severity is no sign of it"
    office.say("/incident undo 3")
    office.say("/incident undo 2")
    assert happened(office) == "01-10 09:00"
    office.say("/incident undo 1")
    assert happened(office) == "03-12 12:00"


def test_an_impact_told_after_the_resolution_is_no_beginning(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open SEV2 disk full")
    office.say("/resolved at 11:00 freed")
    clock.set(at("2026-03-12T15:00:00Z"))
    office.say("/impact about 40 uploads were lost")
    assert happened(office) == "03-12 11:00"


def test_merging_and_splitting_move_the_date(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    mails = office.slack.add_channel("mails")
    office.say("/detected at 2026-01-15 10:00 UTC mails are late", channel=mails)
    clock.set(at("2026-03-12T12:10:00Z"))
    office.say("/incident merge INC-2")
    assert happened(office) == "01-15 10:00"


def test_the_report_counts_the_highest_severity(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open SEV3 disk full")
    office.say("/incident severity SEV1")
    office.say("/incident severity SEV4")
    period = parse_period("30d", now=clock(), zone=ZoneInfo("UTC"))
    with office.database.read() as connection:
        report = load_report(connection, ReportScope(workspace_id=office.slack.team_id), period, now=clock())
    assert dict(report.severities) == {"SEV1": 1, "SEV2": 0, "SEV3": 0, "SEV4": 0, None: 0}
