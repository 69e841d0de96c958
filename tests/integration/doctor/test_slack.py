"""What the doctor says of tokens, scopes and the clock, asked of a small Slack."""

from datetime import timedelta

import pytest

from bot.clock import now
from bot.doctor.slack import FEATURES
from bot.fakeslack.slack import Slack
from bot.server.threaded import base_url, listen
from bot.slack.manifest import manifest
from tests.integration.doctor.visiting import about, environment, one, visit


def test_a_sound_installation_is_all_well_and_nothing_is_left_behind(slack: Slack, url: str) -> None:
    told = visit(environment(slack, url))
    assert {each.level for each in told if each.about != "disk"} == {"ok"}, told
    subjects = [each.about for each in told]
    assert subjects == ["bot token", "app token", "scopes", "clock", "database", "schema", "disk", "spool", "outbox"]
    assert slack.team_id in one(told, "bot token").says
    assert [call.method for call in slack.calls] == ["auth.test", "apps.connections.open"]


def test_a_setting_that_cannot_be_read_is_named(slack: Slack, url: str) -> None:
    (told,) = visit(environment(slack, url, SCRIBE_TIMEZONE="Berlin"))
    assert (told.level, told.about) == ("fail", "settings")
    assert "SCRIBE_TIMEZONE" in told.says


def test_tokens_that_are_not_set_are_asked_for(url: str) -> None:
    told = visit({"DATABASE_URL": url})
    assert one(told, "bot token").level == one(told, "app token").level == "fail"
    assert "SLACK_SIGNING_SECRET" in one(told, "app token").fix
    assert about(told, "scopes") == about(told, "clock") == []


@pytest.mark.parametrize("odd", ["{}\n{}", "{} {}", "{}…{}"])
def test_a_token_that_was_copied_badly_is_no_matter_of_the_network(slack: Slack, url: str, odd: str) -> None:
    bot, app = (odd.format(token[:8], token[8:]) for token in (slack.bot_token, slack.app_token))
    told = visit(environment(slack, url, SLACK_BOT_TOKEN=bot, SLACK_APP_TOKEN=app))
    for subject in ("bot token", "app token"):
        assert one(told, subject).level == "fail"
        assert "in one line" in one(told, subject).fix


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "account_inactive"])
def test_tokens_slack_does_not_take_are_to_be_made_anew(slack: Slack, url: str, error: str) -> None:
    slack.fail_next("auth.test", error=error)
    slack.fail_next("apps.connections.open", error=error)
    told = visit(environment(slack, url))
    for subject, variable in (("bot token", "SLACK_BOT_TOKEN"), ("app token", "SLACK_APP_TOKEN")):
        found = one(told, subject)
        assert found.level == "fail"
        assert error in found.says
        assert variable in found.fix


def test_a_wrong_token_is_told_from_the_right_one(slack: Slack, url: str) -> None:
    wrong = {"SLACK_BOT_TOKEN": "xoxb-wrong", "SLACK_APP_TOKEN": "xapp-1-wrong"}
    told = visit(environment(slack, url, **wrong))
    assert "invalid_auth" in one(told, "bot token").says
    assert "invalid_auth" in one(told, "app token").says
    assert about(told, "scopes") == []


def test_an_app_token_without_its_scope_is_told(slack: Slack, url: str) -> None:
    slack.fail_next("apps.connections.open", error="missing_scope")
    assert "connections:write" in one(visit(environment(slack, url)), "app token").says


@pytest.mark.parametrize(("error", "status"), [("internal_error", 503), ("ratelimited", 429), ("fatal_error", 200)])
def test_slack_in_trouble_is_no_fault_of_the_token(slack: Slack, url: str, error: str, status: int) -> None:
    slack.fail_next("auth.test", error=error, status=status)
    found = one(visit(environment(slack, url)), "bot token")
    assert found.level == "fail"
    assert "status.slack.com" in found.fix


def test_slack_that_is_not_reached_is_a_matter_of_the_network(slack: Slack, url: str) -> None:
    listener = listen(0)
    nowhere = f"{base_url(listener)}/api/"
    listener.close()
    told = visit(environment(slack, url, SLACK_API_URL=nowhere))
    assert "not reached ([Errno 111] Connection refused)" in one(told, "bot token").says
    assert "HTTPS_PROXY" in one(told, "app token").fix
    assert about(told, "clock") == []
    assert one(told, "database").level == "ok"


def test_what_takes_too_long_is_left_alone(slack: Slack, url: str) -> None:
    slack.delay("auth.test", 2)
    told = visit(environment(slack, url), limit_s=0.5)
    assert "no answer within 0.5 s" in one(told, "bot token").says
    assert one(told, "database").level == "ok"


def test_http_mode_wants_a_signing_secret_that_looks_like_one(slack: Slack, url: str) -> None:
    sound = visit(environment(slack, url, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=slack.signing_secret))
    assert one(sound, "signing secret").level == "ok"
    odd = visit(environment(slack, url, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=slack.signing_secret[1:]))
    assert one(odd, "signing secret").level == "warn"


@pytest.mark.parametrize(
    ("scope", "level", "loss"),
    [
        ("commands", "fail", "Scribe does not work"),
        ("chat:write", "fail", "Scribe does not work"),
        ("files:write", "warn", "it comes as messages"),
        ("users:read", "warn", "SCRIBE_TIMEZONE"),
        ("app_mentions:read", "warn", "@scribe in threads"),
    ],
)
def test_a_missing_scope_is_told_with_what_is_lost(slack: Slack, url: str, scope: str, level: str, loss: str) -> None:
    slack.scopes = slack.scopes - {scope}
    found = one(visit(environment(slack, url)), "scopes")
    assert found.level == level
    assert found.says.startswith(f"{scope} missing")
    assert loss in found.says
    assert scope in found.fix


def test_the_scopes_for_reactions_are_wanted_when_reactions_are_on(slack: Slack, url: str) -> None:
    found = one(visit(environment(slack, url, SCRIBE_REACTIONS="pushpin=note")), "scopes")
    assert found.level == "fail"
    assert "channels:history, groups:history, reactions:read missing, for SCRIBE_REACTIONS" in found.says


def test_every_scope_the_manifest_asks_for_belongs_to_a_feature() -> None:
    asked = set(manifest(reactions=True, canvas=True)["oauth_config"]["scopes"]["bot"])
    assert {scope for feature in FEATURES for scope in feature.scopes} == asked


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, "ok"), (50, "ok"), (75, "warn"), (-75, "warn"), (320, "fail"), (-320, "fail")]
)
def test_a_clock_that_is_off_is_told(slack: Slack, url: str, seconds: int, level: str) -> None:
    off = timedelta(seconds=seconds)
    found = one(visit(environment(slack, url), clock=lambda: now() + off), "clock")
    assert found.level == level
    if level != "ok":
        assert ("ahead of" if seconds > 0 else "behind") in found.says
