"""`scribe migrate`, `manifest`, `run` and `doctor`."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.vocabulary import COMMANDS
from storage import schema
from storage.database import Database
from tests.integration.cli.terminal import refused, scribe
from tests.support.asking import ask
from tests.support.workplace import Workplace


def test_migrate_prints_the_schema_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    assert scribe("migrate", DATABASE_URL=url).stdout == f"{url}: schema {schema.newest()}\n"
    assert scribe("migrate", DATABASE_URL=url).stdout.endswith(", as before\n")


def test_the_commands_work_on_postgresql(postgres: Database) -> None:
    url = postgres.url.render_as_string(hide_password=False)
    assert scribe("migrate", DATABASE_URL=url).stdout.endswith(", as before\n")
    ask(postgres, "/detected disk full")
    assert "Note" in scribe("log", "INC-1", "note x", DATABASE_URL=url).stdout
    assert len(json.loads(scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout)["entries"]) == 2


@pytest.mark.parametrize("command", [("migrate",), ("export", "INC-1"), ("log", "INC-1", "note x")])
@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nonsense", "DATABASE_URL: that names no database; write sqlite:"),
        ("mysql://root:secret@db/scribe", "DATABASE_URL: mysql is no database"),
        ("sqlite://", "DATABASE_URL: "),
        ("sqlite:////dev/null/below/a.db", "/dev/null/below"),
        ("sqlite:////", "The database: unable to open"),
        ("postgresql://scribe:secret@127.0.0.1:1/scribe", "The database: connection failed"),
    ],
)
def test_an_unusable_database_is_reported_in_one_line_without_its_password(
    command: tuple[str, ...], url: str, problem: str
) -> None:
    output = refused(*command, DATABASE_URL=url)
    assert problem in output
    assert "secret" not in output


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("This is a letter to a friend, and no database at all. " * 20)
    assert "file is not a database" in refused("export", "INC-1", DATABASE_URL=f"sqlite:///{tmp_path}/a.db")


def test_the_schema_of_a_newer_scribe_is_reported(url: str, sqlite: Database) -> None:
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
    following = json.loads(scribe("manifest", SCRIBE_REACTIONS="pushpin=note", SCRIBE_FOLLOW_EDITS="on").stdout)
    scopes = following["oauth_config"]["scopes"]["bot"]
    assert scopes.count("channels:history") == scopes.count("groups:history") == 1
    assert "message.channels" in following["settings"]["event_subscriptions"]["bot_events"]
    assert "message.channels" not in reacting["settings"]["event_subscriptions"]["bot_events"]


def test_a_prefix_for_the_manifest_says_what_to_set_and_must_agree_with_the_settings() -> None:
    printed = scribe("manifest", "--prefix", "inc-")
    assert json.loads(printed.stdout)["features"]["slash_commands"][0]["command"].startswith("/inc-")
    assert "SCRIBE_PREFIX=inc-" in printed.stderr
    assert scribe("manifest", "--prefix", "inc-", SCRIBE_PREFIX="inc-").stderr == ""
    assert "SCRIBE_PREFIX is 'ops-'" in refused("manifest", "--prefix", "inc-", SCRIBE_PREFIX="ops-")
    assert "is no prefix" in refused("manifest", "--prefix", "Inc ")


@pytest.mark.parametrize("tail", ["", "/", "/slack/events", "/slack/events/"])
def test_the_manifest_for_http_has_the_endpoints_path_once(tail: str) -> None:
    described = json.loads(scribe("manifest", "--mode", "http", "--url", f"https://scribe.example.org{tail}").stdout)
    endpoint = "https://scribe.example.org/slack/events"
    assert described["settings"]["event_subscriptions"]["request_url"] == endpoint
    assert {each["url"] for each in described["features"]["slash_commands"]} == {endpoint}
    assert not described["settings"]["socket_mode_enabled"]


@pytest.mark.parametrize(
    ("args", "environment", "problem"),
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
def test_a_manifest_that_slack_would_refuse_is_not_printed(
    args: tuple[str, ...], environment: dict[str, str], problem: str
) -> None:
    assert problem in refused("manifest", *args, **environment)


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xapp-1"}, "xoxb-"),
        (
            {"SLACK_BOT_TOKEN": "xoxb-…", "SLACK_APP_TOKEN": "xapp-1"},
            "SLACK_BOT_TOKEN holds a blank, the end of a line",
        ),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-1"}, "xapp-"),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SCRIBE_TIMEZONE": "CET+1"}, "SCRIBE_TIMEZONE"),
    ],
)
def test_run_names_the_missing_or_invalid_setting(url: str, environment: dict[str, str], problem: str) -> None:
    none = {"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": ""}
    assert problem in refused("run", DATABASE_URL=url, **{**none, **environment})


def test_run_takes_only_a_valid_port() -> None:
    assert "65535" in refused("run", "--port", "70000")


def test_the_doctor_prints_a_line_per_subject_with_its_fix_and_exits_with_1(tmp_path: Path) -> None:
    result = scribe("doctor", DATABASE_URL=f"sqlite:///{tmp_path}/scribe.db", SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="")
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0] == "fail  bot token: SLACK_BOT_TOKEN is not set"
    assert lines[1].startswith("      -> On the app's page")
    assert any(line.startswith("ok    database: ") for line in lines)


def test_the_doctor_exits_with_0_when_nothing_fails(office: Workplace, tmp_path: Path) -> None:
    office.slack.scopes.add("pins:write")
    environment = {
        "SLACK_BOT_TOKEN": office.slack.bot_token, "SLACK_SIGNING_SECRET": office.slack.signing_secret,
        "SLACK_API_URL": office.slack.api_url, "SLACK_APP_TOKEN": "", "SCRIBE_SPOOL": str(tmp_path / "spool"),
    }  # fmt: skip
    result = scribe("doctor", DATABASE_URL=f"sqlite:///{tmp_path}/new.db", **environment)
    assert result.exit_code == 0, result.stdout
    assert "\n" not in result.stdout.replace("\nok ", " ").strip()
