"""`scribe log` and `scribe remind`."""

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.clock import SetClock
from storage import timeline
from storage.database import Database
from storage.values import TimelineEntry
from tests.integration.cli.terminal import refused, scribe
from tests.support.asking import ask
from tests.support.ledger import counts
from tests.support.workplace import Workplace, at, workplace


def entries(database: Database, incident_id: int = 1) -> list[TimelineEntry]:
    with database.read() as connection:
        return timeline.of_incident(connection, incident_id)


def test_log_records_an_entry_prints_its_receipt_and_posts_to_the_channel(at_work: Workplace) -> None:
    at_work.say("/detected disk full")
    url = at_work.database.url.render_as_string()
    output = scribe("log", "INC-1", "note <b> & look", "--as", "bob & co", DATABASE_URL=url).stdout
    assert output.startswith("Note · ")
    assert "<b> & look" in output
    entry = entries(at_work.database)[-1]
    assert (entry.kind, entry.text, entry.source, entry.author) == ("note", "<b> & look", "cli", "bob & co")
    posted = at_work.messages()[-1].text
    assert posted.startswith("From a terminal, by bob &amp; co: Note · ")
    assert "&lt;b&gt; &amp; look" in posted


def test_log_reads_times_in_the_configured_zone_and_names_it(url: str, sqlite: Database) -> None:
    ask(sqlite, "/detected disk full")
    output = scribe("log", "INC-1", "did at 00:01 restarted", DATABASE_URL=url, SCRIBE_TIMEZONE="Asia/Tokyo").stdout
    assert entries(sqlite)[-1].occurred_at.strftime("%H:%M") == "15:01"
    assert "Tokyo" in output


@pytest.mark.parametrize("words", [("did", "-10m", "restarted"), ("did -10m restarted",), ("/inc-did", "-1h30m x")])
def test_log_takes_words_quoted_or_as_separate_arguments(url: str, sqlite: Database, words: tuple[str, ...]) -> None:
    ask(sqlite, "/detected disk full")
    scribe("log", "INC-1", *words, "--as", "bob", DATABASE_URL=url, SCRIBE_PREFIX="inc-")
    entry = entries(sqlite)[-1]
    assert (entry.kind, entry.author, entry.late) == ("did", "bob", True)


@pytest.mark.parametrize(("prefix", "kind"), [("d", "did"), ("n", "note"), ("re", "resolved"), ("", "note")])
def test_log_takes_a_kind_with_and_without_the_prefix(url: str, sqlite: Database, prefix: str, kind: str) -> None:
    ask(sqlite, "/detected disk full")
    for typed in (kind, f"/{prefix}{kind}", f"{prefix}{kind.upper()}"):
        scribe(
            "log",
            "INC-1",
            f"{typed} x" if kind != "resolved" else f"{prefix}note x",
            DATABASE_URL=url,
            SCRIBE_PREFIX=prefix,
        )
    assert len(entries(sqlite)) == 4


def test_log_records_for_the_named_incident_only(url: str, sqlite: Database) -> None:
    ask(sqlite, "/detected first")
    ask(sqlite, "/resolved over")
    ask(sqlite, "/detected second")
    ask(sqlite, "/detected elsewhere", channel_id="C2")
    scribe("log", "INC-1", "note afterwards", DATABASE_URL=url)
    assert "is resolved" in refused("log", "INC-1", "investigating afterwards", DATABASE_URL=url)
    assert "is resolved" in refused("log", "INC-1", "detected again", DATABASE_URL=url)
    assert [len(entries(sqlite, number)) for number in (1, 2, 3)] == [3, 1, 1]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("disk full", "Begin with the kind of entry"),
        ("resolve it", "Begin with the kind of entry"),
        ("note", "note"),
        ("note at 14:99 x", "14:99"),
        ("incident undo", "Begin with the kind of entry"),
        ("did in\udcff the dark", "surrogate"),
        ("did " + "x" * 10_001, "10,000"),
    ],
)
def test_log_repeats_the_words_that_it_cannot_record(url: str, sqlite: Database, words: str, problem: str) -> None:
    ask(sqlite, "/detected disk full")
    output = refused("log", "INC-1", words, DATABASE_URL=url)
    assert problem in output
    assert f"Your words: {words}".encode(errors="backslashreplace").decode() in output
    assert len(entries(sqlite)) == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "\udcff"])
def test_log_refuses_an_invalid_author(url: str, sqlite: Database, name: str) -> None:
    ask(sqlite, "/detected disk full")
    refused("log", "INC-1", "note x", "--as", name, DATABASE_URL=url)
    assert len(entries(sqlite)) == 1


def test_log_repeats_the_words_when_the_database_is_away() -> None:
    output = refused("log", "INC-1", "did freed space", DATABASE_URL="postgresql://scribe@127.0.0.1:1/scribe")
    assert "The database: connection failed" in output
    assert output.endswith("Your words: did freed space\n")


def test_log_of_a_resolution_drafts_the_postmortem_into_the_channel(at_work: Workplace) -> None:
    at_work.say("/detected disk full")
    scribe("log", "INC-1", "resolved over", DATABASE_URL=at_work.database.url.render_as_string())
    at_work.deliver()
    assert [each.name for each in at_work.slack.files] == ["INC-1-postmortem-v1.md", "INC-1-timeline.png"]


def test_remind_lists_who_would_be_reminded_of_what_and_why_the_rest_is_silent(sqlite: Database) -> None:
    clock = SetClock(at("2026-03-12T12:00:00Z"))
    with workplace(sqlite, clock=clock) as office:
        office.say("/detected disk full")
        office.say("/incident lead @alice")
        for typed in (
            "@bob by 2026-03-13: buy \x1b[31mdisks", "@alice by 2026-03-13: sell disks", "@carol: count disks",
            "@carol by 2026-05-01: wipe disks", "@carol by 2026-03-13: burn disks",
        ):  # fmt: skip
            office.say(f"/actionitem {typed}")
        office.say("/actionitem snooze 5 30d")
        before = counts(office)
        environment = {"DATABASE_URL": sqlite.url.render_as_string()}

        def remind(*options: str) -> Result:
            return CliRunner(env=environment).invoke(main, ["remind", *options])

        listed = remind("--dry-run", "--at", "2026-03-13T09:30:00+00:00").stdout
        assert listed.splitlines() == [
            "At Friday 13 March 2026 09:30 UTC",
            "",
            "alice would be told, at 09:30 UTC:",
            "  INC-1 #2 sell disks",
            "",
            "Silent:",
            "  INC-1 #1 buy ␛[31mdisks · bob: next Friday 13 March 2026 09:00 America/Los_Angeles",
            "  INC-1 #3 count disks · carol: no due date",
            "  INC-1 #4 wipe disks · carol: next Tuesday 28 April 2026 09:00 Asia/Tokyo",
            "  INC-1 #5 burn disks · carol: snoozed; next Monday 13 April 2026 09:00 Asia/Tokyo",
        ]
        assert (
            "bob: not in working hours; then Monday 16 March" in remind("--dry-run", "--at", "2026-03-14T12:00").stdout
        )
        assert "Nobody would be told anything." in remind("--dry-run", "--at", "2026-03-12T12:00").stdout
        assert counts(office) == before
        clock.set(at("2026-03-13T09:00:00Z"))
        office.bot.remind()
        assert "alice: next Monday 16 March 2026" in remind("--dry-run", "--at", "2026-03-13T09:30").stdout
        environment["SCRIBE_REMINDERS"] = "off"
        assert "reminders are off" in remind("--dry-run").stdout
    assert (remind().exit_code, "scribe remind --dry-run" in remind().stderr) == (2, True)
    assert "noon is no time" in remind("--dry-run", "--at", "noon").stderr
    for far in ("9999-12-31T23:59Z", "0001-01-01"):
        assert f"{far} is too far away. Write it as" in remind("--dry-run", "--at", far).stderr
