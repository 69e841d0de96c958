"""`scribe migrate`, `manifest` and `run`."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.vocabulary import COMMANDS
from storage import schema
from storage.database import Database
from tests.integration.cli.terminal import refused, scribe
from tests.support.asking import ask


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
        ("nonsense", "DATABASE_URL: that names no database; write sqlite:"),
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
        (
            {"SLACK_BOT_TOKEN": "xoxb-…", "SLACK_APP_TOKEN": "xapp-1"},
            "SLACK_BOT_TOKEN holds a blank, the end of a line",
        ),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-1"}, "xapp-"),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SCRIBE_TIMEZONE": "CET+1"}, "SCRIBE_TIMEZONE"),
    ],
)
def test_run_says_which_setting_is_missing_or_wrong(url: str, environment: dict[str, str], told: str) -> None:
    none = {"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": ""}
    assert told in refused("run", DATABASE_URL=url, **{**none, **environment})


def test_run_takes_only_a_port_there_is() -> None:
    assert "65535" in refused("run", "--port", "70000")
