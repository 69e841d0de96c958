from datetime import date
from pathlib import Path

import pytest

from bot.config import SLACK_API, Settings, default_database_url
from bot.domain.items.cadence import Cadence
from bot.errors import UsageError
from tests.support.paths import ROOT


def test_nothing_set_is_a_bot_with_a_file_of_its_own_in_utc() -> None:
    settings = Settings.from_env({})
    assert settings.database_url == default_database_url()
    assert settings.database_url.startswith("sqlite:////")
    assert (settings.api_url, settings.timezone.key, settings.prefix, settings.reactions) == (SLACK_API, "UTC", "", {})
    assert (settings.template, settings.log_level) == ("classic", "INFO")


def test_every_variable_has_its_setting() -> None:
    settings = Settings.from_env(
        {
            "DATABASE_URL": "postgres://x/y", "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1",
            "SLACK_SIGNING_SECRET": "s", "SLACK_API_URL": "http://127.0.0.1:1/api", "SCRIBE_TIMEZONE": "Europe/Berlin",
            "SCRIBE_PREFIX": "inc-", "SCRIBE_REACTIONS": ":pushpin:=note, eyes = investigating ,memo",
            "SCRIBE_TEMPLATE": "learning", "SCRIBE_LOG_LEVEL": "debug", "HOME": "/somewhere",
        }
    )  # fmt: skip
    assert settings.database_url == "postgres://x/y"
    assert settings.bot_token.get_secret_value() == "xoxb-1"
    assert settings.app_token.get_secret_value() == "xapp-1"
    assert settings.signing_secret.get_secret_value() == "s"
    assert settings.api_url == "http://127.0.0.1:1/api/"
    assert settings.timezone.key == "Europe/Berlin"
    assert settings.reactions == {"pushpin": "note", "eyes": "investigating", "memo": "note"}
    assert (settings.prefix, settings.template, settings.log_level) == ("inc-", "learning", "DEBUG")


def test_the_cadence_of_reminders_has_its_days_its_hours_and_its_zone(tmp_path: Path) -> None:
    named = tmp_path / "holidays.txt"
    named.write_text("# Berlin\n2026-12-25\n2027-01-01\n")
    days = frozenset({date(2026, 12, 25), date(2027, 1, 1)})
    for holidays in (str(named), "2026-12-25,2027-01-01"):
        cadence = Settings.from_env(
            {"SCRIBE_REMINDERS": "due,hours=8-16", "SCRIBE_HOLIDAYS": holidays, "SCRIBE_TIMEZONE": "Europe/Berlin"}
        ).cadence
        assert (cadence.steps, cadence.opens.hour, cadence.holidays, cadence.zone.key) == (
            (0,),
            8,
            days,
            "Europe/Berlin",
        )
    assert Settings.from_env({}).cadence == Cadence()


def test_an_empty_variable_is_one_not_set() -> None:
    names = [field.alias or "" for field in Settings.model_fields.values()]
    assert Settings.from_env(dict.fromkeys(names, "")) == Settings.from_env({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCRIBE_TIMEZONE", "Berlin"), ("SCRIBE_TIMEZONE", "../../etc/passwd"), ("SCRIBE_TIMEZONE", "CET+1\0"),
        ("SCRIBE_PREFIX", "Inc-"), ("SCRIBE_PREFIX", "inc "), ("SCRIBE_PREFIX", "x" * 17), ("SCRIBE_PREFIX", "inc-\n"),
        ("SCRIBE_REACTIONS", "pushpin=nothing"), ("SLACK_API_URL", "slack.com/api"), ("SCRIBE_LOG_LEVEL", "LOUD"),
        ("SCRIBE_REMINDERS", "sometimes"), ("SCRIBE_HOLIDAYS", "Christmas"), ("SCRIBE_HOLIDAYS", "2026-02-30"),
        ("SCRIBE_SUMMARY_CHANNEL", "#ops"), ("SCRIBE_SUMMARY_CHANNEL", "U0123"),
        ("SCRIBE_PROMETHEUS", "prometheus:9090"), ("SCRIBE_PROMETHEUS", "http://u:secret@prometheus:9090"),
        ("SCRIBE_PROMETHEUS", "file:///etc/passwd"), ("SCRIBE_PROMETHEUS", "http://prometheus:9090/?a=b"),
        ("SLACK_BOT_TOKEN", "xapp-1-secret"), ("SLACK_APP_TOKEN", "xoxb-secret"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said_by_the_variables_name(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name) as told:
        Settings.from_env({name: value})
    assert "secret" not in str(told.value)


def test_the_places_to_publish_to_are_those_that_are_set() -> None:
    assert Settings.from_env({}).targets == ()
    assert Settings.from_env({"SCRIBE_PUBLISH_DIR": "/nowhere", "SCRIBE_CANVAS": "On"}).targets == ("folder", "canvas")
    assert Settings.from_env({"SCRIBE_CANVAS": "off"}).targets == ()
    assert Settings.from_env({"SCRIBE_FOLLOW_EDITS": "on"}).follow_edits
    assert Settings.from_env({"SCRIBE_PUBLISH_DIR": "here"}).publish_dir == Path.cwd() / "here"
    assert Settings.from_env({"SCRIBE_PUBLISH_URL": "https://x.example/p/"}).publish_url == "https://x.example/p"
    with pytest.raises(UsageError, match="SCRIBE_PUBLISH_URL: 'javascript:x' is no web address"):
        Settings.from_env({"SCRIBE_PUBLISH_URL": "javascript:x"})
    with pytest.raises(UsageError, match="SCRIBE_CANVAS: 'perhaps' is neither on nor off"):
        Settings.from_env({"SCRIBE_CANVAS": "perhaps"})


def test_no_token_is_ever_printed() -> None:
    settings = Settings.from_env(
        {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": "shh"}
    )
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert not any(secret in text for secret in ("xoxb-1", "xapp-1", "shh"))


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    for name, value in {
        "bot": "xoxb-1\n",
        "app": " xapp-1 \n",
        "shared": "s",
        "database": "postgresql://u:p@h/d\n",
    }.items():
        (tmp_path / name).write_text(value)
    settings = Settings.from_env(
        {
            "SLACK_BOT_TOKEN_FILE": f"{tmp_path}/bot", "SLACK_APP_TOKEN_FILE": f"{tmp_path}/app",
            "SLACK_SIGNING_SECRET_FILE": f"{tmp_path}/shared", "DATABASE_URL_FILE": f"{tmp_path}/database",
            "SLACK_BOT_TOKEN": "",
        }
    )  # fmt: skip
    tokens = (settings.bot_token, settings.app_token, settings.signing_secret)
    assert [token.get_secret_value() for token in tokens] == ["xoxb-1", "xapp-1", "s"]
    assert settings.database_url == "postgresql://u:p@h/d"


def test_a_secrets_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "picture").write_bytes(b"\x89PNG\xff")
    (tmp_path / "secret").write_text("xoxb-secret")
    for name, problem in {
        "nowhere": "cannot be read: No such file", "": "cannot be read: Is a directory", "empty": "is empty",
        "picture": "cannot be read: no text",
    }.items():  # fmt: skip
        with pytest.raises(UsageError, match=f"^SLACK_BOT_TOKEN_FILE: .*{problem}"):
            Settings.from_env({"SLACK_BOT_TOKEN_FILE": f"{tmp_path}/{name}"})
    with pytest.raises(UsageError, match="SLACK_BOT_TOKEN_FILE and SLACK_BOT_TOKEN are both set") as told:
        Settings.from_env({"SLACK_BOT_TOKEN_FILE": f"{tmp_path}/secret", "SLACK_BOT_TOKEN": "xoxb-other"})
    assert "xoxb" not in str(told.value)


def test_the_log_tells_what_is_set_but_no_secret() -> None:
    settings = Settings.from_env(
        {
            "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": "shh",
            "DATABASE_URL": "postgresql://u:hidden@h/d", "SCRIBE_PUBLISH_URL": "https://u:hidden@x.example",
            "SCRIBE_HOOKS_SECRET": "hidden" * 6, "SCRIBE_HOOKS_SIGNED": "pagerduty=hidden",
            "SCRIBE_PREFIX": "inc-", "SCRIBE_TIMEZONE": "Europe/Berlin",
        }
    )  # fmt: skip
    assert settings.summary() == {"SCRIBE_PREFIX": "inc-", "SCRIBE_TIMEZONE": "Europe/Berlin"}
    assert Settings.from_env({}).summary() == {}


def test_settings_are_not_changed() -> None:
    settings = Settings.from_env({})
    with pytest.raises(ValueError, match="frozen"):
        settings.prefix = "x"


@pytest.mark.parametrize("document", ["env.example", "OPERATING.md"])
def test_every_variable_is_explained_to_operators(document: str) -> None:
    text = (ROOT / "deploy" / document).read_text(encoding="utf-8")
    inner = {"SLACK_API_URL"}
    names = {field.alias or "" for field in Settings.model_fields.values()} - inner
    assert {name for name in names if name not in text} == set()
