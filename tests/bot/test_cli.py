import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from bot import replay
from bot.casefile import read_case
from bot.cli import main
from bot.clock import SetClock, now
from bot.playground.slack import Slack
from bot.raster import png
from bot.replay import SAMPLE, replay_file
from bot.vocabulary import COMMANDS
from storage import schema, timeline
from storage.database import Database
from storage.values import TimelineEntry
from tests.bot.handlers.asking import ask
from tests.bot.slack.ledger import counts
from tests.workplace import Workplace, at, workplace

ROOT = Path(__file__).parents[2]
HEAVY = ("sqlalchemy", "slack_bolt", "slack_sdk", "jinja2", "pydantic", "starlette", "uvicorn", "alembic", "matplotlib",
         "prometheus_client", "structlog")  # fmt: skip


def scribe(*args: str, **environment: str) -> Result:
    """What `scribe ARGS` says; whatever it says, it never traces."""
    result = CliRunner(env={"DATABASE_URL": "sqlite:////nowhere", **environment}).invoke(main, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in {0, 2}, result.output
    assert "Traceback" not in result.output
    return result


def refused(*args: str, **environment: str) -> str:
    """The words of a refusal, on standard error alone."""
    result = scribe(*args, **environment)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


@pytest.fixture
def url(sqlite: Database) -> str:
    return sqlite.url.render_as_string()


@pytest.fixture
def at_work(sqlite: Database) -> Iterator[Workplace]:
    """A workplace whose clock is the one the command line has."""
    with workplace(sqlite, clock=now) as place:
        yield place


def entries(database: Database, incident_id: int = 1) -> list[TimelineEntry]:
    with database.read() as connection:
        return timeline.of_incident(connection, incident_id)


def case(tmp_path: Path, **other: Any) -> str:
    facts = {**json.loads(SAMPLE.read_text()), **other}
    path = tmp_path / "case.json"
    path.write_text(json.dumps(facts))
    return str(path)


@pytest.mark.parametrize("command", ["", *sorted(main.commands)])
def test_every_command_tells_what_it_does(command: str) -> None:
    said = scribe(*command.split(), "--help").stdout
    assert said.startswith("Usage: ")
    assert "--help" in said


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    ask_python = f"import bot.cli, sys; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", ask_python], cwd=ROOT, text=True) == "[]\n"  # noqa: S603 - our own words


def test_it_runs_as_a_module_from_any_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": f"sqlite:///{tmp_path}/a.db"}

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "bot", *args], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=30, check=False,
        )  # fmt: skip

    migrated = run("migrate")
    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert f"schema {schema.newest()}" in migrated.stdout
    missing = run("export", "INC-1")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "holds no incident" in missing.stderr
    replayed = run("replay")
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert replayed.stdout.startswith("# ")


def test_a_postmortem_goes_out_to_a_file_and_comes_back_edited(at_work: Workplace, url: str, tmp_path: Path) -> None:
    at_work.say("/detected disk full")
    at_work.say("/postmortem draft")
    at_work.deliver()
    text = scribe("export", "INC-1", DATABASE_URL=url).stdout
    assert text.startswith("<!-- scribe: INC-1, version 1.")
    assert "<!-- scribe" not in scribe("export", "INC-1", "--as", "blameless", DATABASE_URL=url).stdout
    file = tmp_path / "edited.md"
    file.write_bytes(text.replace("Detected: disk full", "Detected: db1 was full").replace("\n", "\r\n").encode())
    said = scribe("import", str(file), "--as", "carol", DATABASE_URL=url).stdout
    assert said == "INC-1: postmortem version 2\n  changed: Timeline\n"
    again = scribe("import", str(file), DATABASE_URL=url).stdout
    assert again == "INC-1: this very file was imported before, as version 2; the newest is version 2\n"
    file.write_text(text)
    assert scribe("import", str(file), DATABASE_URL=url).stdout == (
        "INC-1: the file changes nothing; the newest is version 2 still\n"
    )
    contract = json.loads(scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout)
    edited = [each["key"] for each in contract["postmortem"]["sections"] if each["edited"]]
    assert edited == ["timeline"]
    shown = at_work.ask("/postmortem show").text
    assert shown.startswith("INC-1 · postmortem, version 2 · imported ")
    assert shown.endswith(" by carol")
    file.write_bytes(b"\xff")
    assert "is not in UTF-8: see line 1" in refused("import", str(file), DATABASE_URL=url)
    assert "No such file" in refused("import", str(tmp_path / "none.md"), DATABASE_URL=url)


def test_replay_shows_the_sample_that_ships() -> None:
    assert scribe("replay").stdout == replay_file(SAMPLE).documents["md"]


def test_replay_writes_every_document_into_a_folder_it_makes(tmp_path: Path) -> None:
    said = scribe("replay", "--out", str(tmp_path / "new" / "out")).stdout
    written = sorted(path.name for path in (tmp_path / "new" / "out").iterdir())
    assert written == [f"{SAMPLE.stem}.{suffix}" for suffix in ("html", "json", "md", "png", "svg")]
    assert all(name in said for name in written)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file"),
        (b"{", "the file"),
        (b"\xff\xfe", "the file"),
        (b"[]", "the file"),
        (b"{}", "id: Field required"),
        (b'{"id": "../../etc/x"}', "line 1: id: "),
    ],
)
def test_replay_names_a_broken_file_and_what_is_wrong_in_it(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    said = refused("replay", str(path))
    assert f"{path}: {told}" in said


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"commands": []}, "commands"),
        ({"commands": [{"at": "2026-03-12T09:14:00", "user": "a", "command": "/note"}]}, "commands.0.at"),
        ({"commands": [{"at": "2026-03-12T09:14:00Z", "user": "", "command": "/note"}]}, "commands.0.user"),
        ({"commands": [{"at": "2026-03-12T09:14:00Z", "user": "a", "command": "note"}]}, "commands.0.command"),
        ({"title": 7}, "title"),
    ],
)
def test_replay_names_the_field_that_is_wrong(tmp_path: Path, facts: dict[str, Any], told: str) -> None:
    path = case(tmp_path, **facts)
    assert f"{path}: line 1: {told}: " in refused("replay", path)


def test_replay_names_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    assert f"{tmp_path}/none.json: No such file" in refused("replay", f"{tmp_path}/none.json")
    assert f"{tmp_path}: Is a directory" in refused("replay", str(tmp_path))


@pytest.mark.parametrize(("command", "words"), [("/reopened", "again"), ("/note", ""), ("/unknown", "x")])
def test_replay_names_the_file_and_the_command_that_scribe_refuses(tmp_path: Path, command: str, words: str) -> None:
    path = case(tmp_path, commands=[{"at": "2026-03-12T09:14:00Z", "user": "a", "command": command, "text": words}])
    said = refused("replay", path)
    assert f"{path}: {command} {words}" in said


def test_replay_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is a file" in refused("replay", "--out", str(tmp_path / "file"))
    assert f"{tmp_path}/file" in refused("replay", "--out", str(tmp_path / "file" / "below"))


@pytest.fixture(scope="module")
def documents() -> dict[str, str]:
    return replay_file(SAMPLE).documents


@pytest.fixture(scope="module")
def replayed() -> Iterator[str]:
    """The URL of the store that a replay of the sample leaves behind."""
    sample = read_case(SAMPLE)
    clock = SetClock(sample.commands[0].at)
    slack = Slack(clock=clock)
    with slack.serving(), replay._bot(slack, clock, sample) as bot:
        replay._play(sample, slack, bot, clock)
        bot.door.delivery.drain()
        yield bot.door.database.url.render_as_string()


@pytest.mark.parametrize("suffix", ["md", "html", "json", "svg"])
def test_export_writes_what_replay_wrote(replayed: str, documents: dict[str, str], suffix: str) -> None:
    written = scribe("export", "inc-1", "--format", suffix, DATABASE_URL=replayed).stdout
    without_comments = re.sub("(?m)^<!-- scribe: .*-->\n", "", written)
    assert without_comments.strip() == documents[suffix].strip()
    assert (without_comments != written) == (suffix == "md")
    assert documents[suffix] == documents[suffix].rstrip() + "\n"


def test_export_writes_a_png_as_bytes(replayed: str, documents: dict[str, str]) -> None:
    assert scribe("export", "inc-1", "--format", "png", DATABASE_URL=replayed).stdout_bytes == png(documents["svg"])


def test_export_says_which_incident_is_not_there(url: str, sqlite: Database) -> None:
    assert "holds no incident yet" in refused("export", "INC-1", DATABASE_URL=url)
    ask(sqlite, "/detected disk full")
    assert "There is no INC-2 in the store" in refused("export", "INC-2", DATABASE_URL=url)
    assert "'twelve' is no incident's name" in refused("export", "twelve", DATABASE_URL=url)
    assert "md" in refused("export", "INC-1", "--format", "pdf", DATABASE_URL=url)


def test_export_of_an_incident_without_a_draft_says_so_and_has_its_facts(url: str, sqlite: Database) -> None:
    ask(sqlite, "/detected disk full")
    for suffix in ("md", "html"):
        assert "has no draft yet" in refused("export", "INC-1", "--format", suffix, DATABASE_URL=url)
    facts = json.loads(scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout)
    assert facts["postmortem"] is None
    assert facts["entries"][0]["text"] == "disk full"
    assert scribe("export", "INC-1", "--format", "svg", DATABASE_URL=url).stdout.startswith("<svg")


def test_of_several_workspaces_one_must_be_named(url: str, sqlite: Database) -> None:
    for workspace_id in ("T1", "T2"):
        ask(sqlite, f"/detected disk of {workspace_id}", workspace_id=workspace_id)
    as_json = ("export", "INC-1", "--format", "json")
    assert "--workspace T1" in refused(*as_json, DATABASE_URL=url)
    assert "--workspace T1" in refused("log", "INC-1", "note x", DATABASE_URL=url)
    assert "no workspace T9" in refused(*as_json, "--workspace", "T9", DATABASE_URL=url)
    for workspace_id in ("T1", "T2"):
        facts = json.loads(scribe(*as_json, "--workspace", workspace_id, DATABASE_URL=url).stdout)
        assert facts["entries"][0]["text"] == f"disk of {workspace_id}"
    scribe("log", "INC-1", "--workspace", "T2", "note here", DATABASE_URL=url)
    assert [len(entries(sqlite, number)) for number in (1, 2)] == [1, 2]


def test_report_prints_the_numbers_in_every_format(url: str, sqlite: Database) -> None:
    ask(sqlite, "/detected disk full", received_at=now())
    ask(sqlite, "/resolved freed", received_at=now())
    ask(sqlite, "/detected nobody knows", received_at=now(), channel_id="C2", private=True)
    told = scribe("report", DATABASE_URL=url).stdout
    assert told.startswith("Incidents of the last 30 days: 1 declared\nSEV1: 0 ·")
    assert "Time to mitigate     none known · 1 unknown\n" in told
    assert told.endswith("Action items         none recorded\n")
    assert scribe("report", "7d", "--private", DATABASE_URL=url).stdout.startswith(
        "Incidents of the last 7 days: 2 declared, 1 still open"
    )
    numbers = json.loads(scribe("report", "--format", "json", DATABASE_URL=url).stdout)
    assert numbers["incidents"]["by_severity"]["unknown"] == 1
    assert numbers["durations"]["time_to_resolve"]["known"] == 1
    assert numbers["durations"]["time_to_mitigate"]["median_s"] is None
    assert scribe("report", "--format", "md", DATABASE_URL=url).stdout.startswith("# Incidents of the last 30 days\n")
    assert scribe("report", "--format", "svg", DATABASE_URL=url).stdout.startswith("<svg")
    assert scribe("report", "--format", "png", DATABASE_URL=url).stdout_bytes.startswith(b"\x89PNG")


@pytest.mark.parametrize("words", [("-3d",), ("0d",), ("400y",), ("last", "monday")])
def test_report_answers_what_is_no_period_with_examples(url: str, sqlite: Database, words: tuple[str, ...]) -> None:
    ask(sqlite, "/detected disk full")
    assert "Try: 30d, 12w, 1y or 2026-10-01..2026-10-31" in refused("report", *words, DATABASE_URL=url)


def test_report_of_an_empty_store_or_an_unnamed_workspace_says_so(url: str, sqlite: Database) -> None:
    assert "holds no incident yet" in refused("report", DATABASE_URL=url)
    for workspace_id in ("T1", "T2"):
        ask(sqlite, "/detected", workspace_id=workspace_id)
    assert "--workspace T1" in refused("report", DATABASE_URL=url)


def test_export_counts_revisions_and_leaves_out_what_was_taken_back(url: str, sqlite: Database) -> None:
    for typed in ("/detected disk full", "/note wrong", "/incident undo", "/incident edit 1 disk db-3 full"):
        ask(sqlite, typed)
    facts = json.loads(scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout)
    assert [(each["text"], each["revisions"]) for each in facts["entries"]] == [("disk db-3 full", 1)]


def test_log_records_prints_the_receipt_and_tells_the_channel(at_work: Workplace) -> None:
    at_work.say("/detected disk full")
    url = at_work.database.url.render_as_string()
    said = scribe("log", "INC-1", "note <b> & look", "--as", "bob & co", DATABASE_URL=url).stdout
    assert said.startswith("Note · ")
    assert "<b> & look" in said
    entry = entries(at_work.database)[-1]
    assert (entry.kind, entry.text, entry.source, entry.author) == ("note", "<b> & look", "cli", "bob & co")
    told = at_work.messages()[-1].text
    assert told.startswith("From a terminal, by bob &amp; co: Note · ")
    assert "&lt;b&gt; &amp; look" in told


def test_log_reads_times_in_the_zone_it_is_told_and_says_so(url: str, sqlite: Database) -> None:
    ask(sqlite, "/detected disk full")
    said = scribe("log", "INC-1", "did at 00:01 restarted", DATABASE_URL=url, SCRIBE_TIMEZONE="Asia/Tokyo").stdout
    assert entries(sqlite)[-1].occurred_at.strftime("%H:%M") == "15:01"
    assert "Tokyo" in said


@pytest.mark.parametrize("words", [("did", "-10m", "restarted"), ("did -10m restarted",), ("/inc-did", "-1h30m x")])
def test_log_takes_words_as_a_shell_hands_them_over(url: str, sqlite: Database, words: tuple[str, ...]) -> None:
    ask(sqlite, "/detected disk full")
    scribe("log", "INC-1", *words, "--as", "bob", DATABASE_URL=url, SCRIBE_PREFIX="inc-")
    entry = entries(sqlite)[-1]
    assert (entry.kind, entry.author, entry.late) == ("did", "bob", True)


@pytest.mark.parametrize(("prefix", "kind"), [("d", "did"), ("n", "note"), ("re", "resolved"), ("", "note")])
def test_log_knows_a_kind_with_and_without_the_prefix(url: str, sqlite: Database, prefix: str, kind: str) -> None:
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


def test_log_is_about_the_incident_named_and_no_other(url: str, sqlite: Database) -> None:
    ask(sqlite, "/detected first")
    ask(sqlite, "/resolved over")
    ask(sqlite, "/detected second")
    ask(sqlite, "/detected elsewhere", channel_id="C2")
    scribe("log", "INC-1", "note afterwards", DATABASE_URL=url)
    assert "is resolved" in refused("log", "INC-1", "investigating afterwards", DATABASE_URL=url)
    assert "is resolved" in refused("log", "INC-1", "detected again", DATABASE_URL=url)
    assert [len(entries(sqlite, number)) for number in (1, 2, 3)] == [3, 1, 1]


@pytest.mark.parametrize(
    ("words", "told"),
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
def test_log_repeats_the_words_it_cannot_record(url: str, sqlite: Database, words: str, told: str) -> None:
    ask(sqlite, "/detected disk full")
    said = refused("log", "INC-1", words, DATABASE_URL=url)
    assert told in said
    assert f"Your words: {words}".encode(errors="backslashreplace").decode() in said
    assert len(entries(sqlite)) == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "\udcff"])
def test_log_asks_whose_words_it_is_given(url: str, sqlite: Database, name: str) -> None:
    ask(sqlite, "/detected disk full")
    refused("log", "INC-1", "note x", "--as", name, DATABASE_URL=url)
    assert len(entries(sqlite)) == 1


def test_log_of_a_resolution_asks_for_the_draft_and_it_reaches_the_channel(at_work: Workplace) -> None:
    at_work.say("/detected disk full")
    scribe("log", "INC-1", "resolved over", DATABASE_URL=at_work.database.url.render_as_string())
    at_work.deliver()
    assert [each.name for each in at_work.slack.files] == ["INC-1-postmortem-v1.md", "INC-1-timeline.png"]


def test_migrate_says_what_it_found_and_shows_no_password(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    assert scribe("migrate", DATABASE_URL=url).stdout == f"{url}: schema {schema.newest()}\n"
    assert scribe("migrate", DATABASE_URL=url).stdout.endswith(", as before\n")


def test_migrate_and_the_rest_work_on_a_server(postgres: Database) -> None:
    url = postgres.url.render_as_string(hide_password=False)
    assert scribe("migrate", DATABASE_URL=url).stdout.endswith(", as before\n")
    ask(postgres, "/detected disk full")
    assert "Note" in scribe("log", "INC-1", "note x", DATABASE_URL=url).stdout
    assert len(json.loads(scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout)["entries"]) == 2


@pytest.mark.parametrize("command", [("migrate",), ("export", "INC-1"), ("log", "INC-1", "note x")])
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "DATABASE_URL: "),
        ("mysql://root:secret@db/scribe", "DATABASE_URL: mysql is no database"),
        ("sqlite://", "DATABASE_URL: "),
        ("sqlite:////dev/null/below/a.db", "/dev/null/below"),
        ("sqlite:////", "The database: unable to open"),
        ("postgresql://scribe:secret@127.0.0.1:1/scribe", "The database: connection failed"),
    ],
)
def test_a_database_that_cannot_be_used_is_said_in_one_line_without_its_password(
    command: tuple[str, ...], url: str, told: str
) -> None:
    said = refused(*command, DATABASE_URL=url)
    assert told in said
    assert "secret" not in said


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("This is a letter to a friend, and no database at all. " * 20)
    assert "file is not a database" in refused("export", "INC-1", DATABASE_URL=f"sqlite:///{tmp_path}/a.db")


def test_a_newer_scribes_database_is_said(url: str, sqlite: Database) -> None:
    with sqlite.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for command in (("migrate",), ("export", "INC-1")):
        assert "newer Scribe" in refused(*command, DATABASE_URL=url)


def test_the_manifest_is_json_with_every_command() -> None:
    described = json.loads(scribe("manifest").stdout)
    commands = [each["command"] for each in described["features"]["slash_commands"]]
    assert commands == [f"/{name}" for name in COMMANDS]
    assert described["settings"]["socket_mode_enabled"]
    prefixed = json.loads(scribe("manifest", SCRIBE_PREFIX="inc-").stdout)
    assert {each["command"][:5] for each in prefixed["features"]["slash_commands"]} == {"/inc-"}
    assert "reactions:read" not in described["oauth_config"]["scopes"]["bot"]
    reacting = json.loads(scribe("manifest", SCRIBE_REACTIONS="pushpin=note").stdout)
    assert "reactions:read" in reacting["oauth_config"]["scopes"]["bot"]


@pytest.mark.parametrize("tail", ["", "/", "/slack/events", "/slack/events/"])
def test_the_manifest_for_http_names_slacks_endpoint_once(tail: str) -> None:
    described = json.loads(scribe("manifest", "--mode", "http", "--url", f"https://scribe.example.org{tail}").stdout)
    endpoint = "https://scribe.example.org/slack/events"
    assert described["settings"]["event_subscriptions"]["request_url"] == endpoint
    assert {each["url"] for each in described["features"]["slash_commands"]} == {endpoint}
    assert not described["settings"]["socket_mode_enabled"]


@pytest.mark.parametrize(
    ("args", "environment", "told"),
    [
        (("--mode", "http"), {}, "public address"),
        (("--url", "https://x.example.org"), {}, "--mode http"),
        (("--mode", "http", "--url", "scribe.example.org"), {}, "no address"),
        (("--mode", "http", "--url", "http://scribe.example.org"), {}, "no address"),
        (("--mode", "http", "--url", "https://x.org/?a=b"), {}, "no address"),
        ((), {"SCRIBE_PREFIX": "Inc "}, "SCRIBE_PREFIX"),
        ((), {"SCRIBE_REACTIONS": "pushpin=nothing"}, "SCRIBE_REACTIONS"),
    ],
)
def test_a_manifest_that_slack_would_refuse_is_not_written(
    args: tuple[str, ...], environment: dict[str, str], told: str
) -> None:
    assert told in refused("manifest", *args, **environment)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xapp-1"}, "xoxb-"),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-1"}, "xapp-"),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SCRIBE_TIMEZONE": "CET+1"}, "SCRIBE_TIMEZONE"),
    ],
)
def test_run_says_which_setting_is_missing_or_wrong(url: str, environment: dict[str, str], told: str) -> None:
    none = {"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": ""}
    assert told in refused("run", DATABASE_URL=url, **{**none, **environment})


def test_run_takes_only_a_port_there_is() -> None:
    assert "65535" in refused("run", "--port", "70000")


def test_remind_tells_who_would_get_what_and_why_the_rest_is_silent(sqlite: Database) -> None:
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

        told = remind("--dry-run", "--at", "2026-03-13T09:30:00+00:00").stdout
        assert told.splitlines() == [
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
