"""The doctor's checks of tokens, scopes and the clock, against the stand-in Slack."""

from datetime import timedelta

import pytest

from bot.clock import now
from bot.doctor.slack import FEATURES
from bot.fakeslack.slack import Slack
from bot.server.threaded import base_url, listen
from bot.slack.manifest import manifest
from tests.integration.doctor.diagnosing import about, diagnose, environment, only


def test_a_sound_installation_is_ok_in_every_subject(slack: Slack, url: str) -> None:
    diagnoses = diagnose(environment(slack, url))
    assert {each.level for each in diagnoses if each.subject != "disk"} == {"ok"}, diagnoses
    subjects = [each.subject for each in diagnoses]
    assert subjects == [
        "bot token", "app token", "scopes", "off", "clock",
        "database", "schema", "disk", "spool", "outbox", "channels", "font",
    ]  # fmt: skip
    for each in ("SCRIBE_PINS", "SCRIBE_FILES", "SCRIBE_REACTIONS"):
        assert each in only(diagnoses, "off").message
    assert slack.team_id in only(diagnoses, "bot token").message
    assert [call.method for call in slack.calls] == ["auth.test", "apps.connections.open"]


def test_an_invalid_setting_is_named(slack: Slack, url: str) -> None:
    (found,) = diagnose(environment(slack, url, SCRIBE_TIMEZONE="Berlin"))
    assert (found.level, found.subject) == ("fail", "settings")
    assert "SCRIBE_TIMEZONE" in found.message


def test_missing_tokens_are_failures(url: str) -> None:
    diagnoses = diagnose({"DATABASE_URL": url})
    assert only(diagnoses, "bot token").level == only(diagnoses, "app token").level == "fail"
    assert "SLACK_SIGNING_SECRET" in only(diagnoses, "app token").fix
    assert about(diagnoses, "scopes") == about(diagnoses, "clock") == []


@pytest.mark.parametrize("odd", ["{}\n{}", "{} {}", "{}…{}"])
def test_a_malformed_token_is_to_be_copied_again(slack: Slack, url: str, odd: str) -> None:
    bot, app = (odd.format(token[:8], token[8:]) for token in (slack.bot_token, slack.app_token))
    diagnoses = diagnose(environment(slack, url, SLACK_BOT_TOKEN=bot, SLACK_APP_TOKEN=app))
    for subject in ("bot token", "app token"):
        assert only(diagnoses, subject).level == "fail"
        assert "in one line" in only(diagnoses, subject).fix


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "account_inactive"])
def test_tokens_that_slack_refuses_are_to_be_replaced(slack: Slack, url: str, error: str) -> None:
    slack.fail_next("auth.test", error=error)
    slack.fail_next("apps.connections.open", error=error)
    diagnoses = diagnose(environment(slack, url))
    for subject, variable in (("bot token", "SLACK_BOT_TOKEN"), ("app token", "SLACK_APP_TOKEN")):
        found = only(diagnoses, subject)
        assert found.level == "fail"
        assert error in found.message
        assert variable in found.fix


def test_unknown_tokens_are_refused(slack: Slack, url: str) -> None:
    wrong = {"SLACK_BOT_TOKEN": "xoxb-wrong", "SLACK_APP_TOKEN": "xapp-1-wrong"}
    diagnoses = diagnose(environment(slack, url, **wrong))
    assert "invalid_auth" in only(diagnoses, "bot token").message
    assert "invalid_auth" in only(diagnoses, "app token").message
    assert about(diagnoses, "scopes") == []


def test_an_app_token_without_its_scope_is_reported(slack: Slack, url: str) -> None:
    slack.fail_next("apps.connections.open", error="missing_scope")
    assert "connections:write" in only(diagnose(environment(slack, url)), "app token").message


@pytest.mark.parametrize(("error", "status"), [("internal_error", 503), ("ratelimited", 429), ("fatal_error", 200)])
def test_an_outage_of_slack_is_not_blamed_on_the_token(slack: Slack, url: str, error: str, status: int) -> None:
    slack.fail_next("auth.test", error=error, status=status)
    found = only(diagnose(environment(slack, url)), "bot token")
    assert found.level == "fail"
    assert "status.slack.com" in found.fix


def test_an_unreachable_slack_is_blamed_on_the_network(slack: Slack, url: str) -> None:
    listener = listen(0)
    nowhere = f"{base_url(listener)}/api/"
    listener.close()
    diagnoses = diagnose(environment(slack, url, SLACK_API_URL=nowhere))
    assert "not reached ([Errno 111] Connection refused)" in only(diagnoses, "bot token").message
    assert "HTTPS_PROXY" in only(diagnoses, "app token").fix
    assert about(diagnoses, "clock") == []
    assert only(diagnoses, "database").level == "ok"


def test_a_check_that_takes_too_long_does_not_stop_the_others(slack: Slack, url: str) -> None:
    slack.delay("auth.test", 2)
    diagnoses = diagnose(environment(slack, url), limit_s=0.5)
    assert "no answer within 0.5 s" in only(diagnoses, "bot token").message
    assert only(diagnoses, "database").level == "ok"


def test_http_mode_needs_a_well_formed_signing_secret(slack: Slack, url: str) -> None:
    sound = diagnose(environment(slack, url, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=slack.signing_secret))
    assert only(sound, "signing secret").level == "ok"
    odd = diagnose(environment(slack, url, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=slack.signing_secret[1:]))
    assert only(odd, "signing secret").level == "warn"


@pytest.mark.parametrize(
    ("scope", "level", "effect"),
    [
        ("commands", "fail", "Scribe does not work"),
        ("chat:write", "fail", "Scribe does not work"),
        ("files:write", "warn", "it comes as messages"),
        ("users:read", "warn", "SCRIBE_TIMEZONE"),
        ("app_mentions:read", "warn", "@scribe in threads"),
        ("pins:write", "warn", "the card is not pinned"),
    ],
)
def test_a_missing_scope_is_reported_with_its_effect(
    slack: Slack, url: str, scope: str, level: str, effect: str
) -> None:
    slack.scopes = slack.scopes - {scope}
    found = only(diagnose(environment(slack, url)), "scopes")
    assert found.level == level
    assert found.message.startswith(f"{scope} missing")
    assert effect in found.message
    assert scope in found.fix


def test_the_scopes_for_reactions_are_needed_when_reactions_are_on(slack: Slack, url: str) -> None:
    found = only(diagnose(environment(slack, url, SCRIBE_REACTIONS="pushpin=note")), "scopes")
    assert found.level == "fail"
    assert "channels:history, groups:history, reactions:read missing, for SCRIBE_REACTIONS" in found.message


def test_the_scopes_for_pins_and_files_are_needed_when_these_are_on(slack: Slack, url: str) -> None:
    diagnoses = diagnose(environment(slack, url, SCRIBE_PINS="on", SCRIBE_FILES="images"))
    found = [each.message for each in about(diagnoses, "scopes")]
    assert found == [
        "pins:read missing, for SCRIBE_PINS: pins put nothing on the timeline",
        "files:read missing, for SCRIBE_FILES: no pictures and files of messages are kept",
    ]
    assert "SCRIBE_PINS" not in only(diagnoses, "off").message


def test_every_scope_in_the_manifest_belongs_to_a_feature() -> None:
    requested = set(
        manifest(reactions=True, canvas=True, channels=True, pins=True, files=True)["oauth_config"]["scopes"]["bot"]
    )
    assert {scope for feature in FEATURES for scope in feature.scopes} == requested


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, "ok"), (50, "ok"), (75, "warn"), (-75, "warn"), (320, "fail"), (-320, "fail")]
)
def test_a_clock_that_is_off_is_reported(slack: Slack, url: str, seconds: int, level: str) -> None:
    off = timedelta(seconds=seconds)
    found = only(diagnose(environment(slack, url), clock=lambda: now() + off), "clock")
    assert found.level == level
    if level != "ok":
        assert ("ahead of" if seconds > 0 else "behind") in found.message
