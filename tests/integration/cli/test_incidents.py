"""`scribe log`, `scribe erase` and `scribe remind`."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from freezegun import freeze_time

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
    assert "recorded as afterwards" in scribe("log", "INC-1", "investigating afterwards", DATABASE_URL=url).stdout
    assert "recorded as afterwards" in scribe("log", "INC-1", "detected again", DATABASE_URL=url).stdout
    assert [len(entries(sqlite, number)) for number in (1, 2, 3)] == [5, 1, 1]


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
        office.say("/actionitem snooze 5 30d", user=office.carol)
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
        office.say("/actionitem @alice: paint disks")
        office.say("/actionitem done 6")
        silent, told = (remind("--dry-run", "--at", f"2026-{day}T12:00+00:00").stdout for day in ("04-10", "04-13"))
        # The 11th is a Saturday.
        assert "  INC-1 #6 paint disks (whether it worked) · alice: next Monday 13 April 2026" in silent
        assert "  INC-1 #6 paint disks (whether it worked)\n" in told.partition("Silent:")[0]
        before = counts(office)
        remind("--dry-run", "--at", "2026-04-13T12:00+00:00")
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


def test_remind_until_a_time_is_a_forecast_without_the_words_of_private_incidents(sqlite: Database) -> None:
    with workplace(sqlite, clock=SetClock(at("2026-03-12T12:00:00Z"))) as office:
        office.say("/detected disk full")
        office.say("/incident lead @alice")
        office.say("/actionitem @bob by 2026-03-13: buy \x1b[31mdisks")
        vault = office.slack.add_channel("vault", private=True, members=[office.alice, office.bob])
        office.say("/detected keys leaked", channel=vault)
        office.say("/incident lead @alice", channel=vault)
        office.say("/actionitem @bob by 2026-03-13: rotate Tr0ub4dor", channel=vault)
        before = counts(office)
    environment = {"DATABASE_URL": sqlite.url.render_as_string()}

    def remind(*options: str) -> Result:
        with freeze_time("2026-03-12T12:00:00Z"):
            return CliRunner(env=environment).invoke(main, ["remind", "--dry-run", *options])

    foreseen, said = remind("--at", "2026-03-20T10:00").stdout, "if nobody does anything"
    asked = "New date, new owner, or drop?"
    assert foreseen.splitlines() == [
        f"From Thursday 12 March 2026 12:00 to Friday 20 March 2026 10:00 UTC, {said}: 5 messages to 3 recipients",
        "",
        "Thursday 12 March 2026",
        "  16:00 (09:00 PDT) · bob: 2 action items are yours now. Do you take them?",
        "    INC-1 #1 buy ␛[31mdisks",
        "    INC-2 #1, of a private channel",
        "",
        "Friday 13 March 2026",
        "  16:00 (09:00 PDT) · bob: Your action items: 2 open · 2 due today",
        "    INC-1 #1 buy ␛[31mdisks",
        "    INC-2 #1, of a private channel",
        "",
        "Monday 16 March 2026",
        "  16:00 (09:00 PDT) · bob: Your action items: 2 open · 2 overdue, the oldest 3 days",
        "    INC-1 #1 buy ␛[31mdisks",
        "    INC-2 #1, of a private channel",
        "",
        "Friday 20 March 2026",
        f"  09:00 · #incident: alice, buy ␛[31mdisks is 7 days late; bob has been told twice. {asked}",
        "    INC-1 #1 buy ␛[31mdisks",
        "  09:00 · a private channel: An action item is late.",
        "    INC-2 #1, of a private channel",
    ]
    with_words = remind("--at", "2026-03-20T10:00", "--private").stdout
    assert "    INC-2 #1 rotate Tr0ub4dor" in with_words
    assert "  09:00 · a private channel: alice, rotate Tr0ub4dor is 7 days late; bob has been told twice." in with_words
    silent = remind("--at", "2026-03-12T12:00")
    assert ("of a private channel" in silent.stdout, "Tr0ub4dor" in silent.stdout) == (True, False)
    assert "Tr0ub4dor" in remind("--private").stdout
    assert counts(office) == before
    assert "nobody would be told anything" in remind("--at", "2026-03-12T12:30").stdout
    refused = remind("--at", "2026-06-13T12:00")
    assert (refused.exit_code, "so at 2026-06-12 at the latest" in refused.stderr) == (2, True)
    environment["SCRIBE_REMINDERS"] = "off"
    assert "reminders are off" in remind("--at", "2026-03-17T10:00").stdout


def test_erase_takes_the_words_out_of_the_database_and_its_file(at_work: Workplace) -> None:
    at_work.say("/detected disk full")
    at_work.say("/note the login is Tr0ub4dor-and-3")
    at_work.ask("/actionitem change Tr0ub4dor-and-3 at the vendor")
    file = Path(str(at_work.database.url.database))
    url = at_work.database.url.render_as_string()

    def held() -> bool:
        return any(b"Tr0ub4dor" in each.read_bytes() for each in file.parent.glob(f"{file.name}*"))

    assert held()
    output = scribe("erase", "INC-1", "2", "it held", "a password", "--as", "bob", DATABASE_URL=url).stdout
    assert output.startswith("Erased · INC-1, entry 2 · it held a password\n")
    assert "The same words stand in action item 1, which is to be erased, too." in output
    assert output.endswith("The database's file is rewritten, so that its free pages hold none of it.\n")
    assert "[erased by bob on " in entries(at_work.database)[1].text
    scribe("erase", "INC-1", "1 it held a password", "--item", "--as", "bob", DATABASE_URL=url)
    assert not held()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("7", "why"), "INC-1 has no entry 7."),
        (("1",), "Say why: it stands in place of the words."),
        (("x",), "Which entry? Type its number first."),
        (("1", "disk full"), "The reason repeats what is to go"),
    ],
)
def test_erase_refuses_what_it_cannot_do(url: str, sqlite: Database, words: tuple[str, ...], problem: str) -> None:
    ask(sqlite, "/detected disk full")
    assert problem in refused("erase", "INC-1", *words, "--as", "bob", DATABASE_URL=url)


def test_log_does_not_repeat_a_secret_in_the_channel(at_work: Workplace) -> None:
    at_work.say("/detected disk full")
    url = at_work.database.url.render_as_string()
    assert (
        "looks like a secret" in scribe("log", "INC-1", "note password=hunter2", "--as", "bob", DATABASE_URL=url).stdout
    )
    assert at_work.messages()[-1].text.startswith("From a terminal, by bob: Note · ")
    assert "hunter2" not in at_work.messages()[-1].text
