"""What is generated from the code is what stands on disk."""

import importlib.util
import itertools
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft7Validator

from bot.slack.manifest import manifest
from bot.vocabulary import COMMANDS
from tests.support.paths import ROOT


def _generate() -> ModuleType:
    """`deploy/generate.py`, which is a script and no package's module."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "deploy" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = _generate()


@pytest.mark.parametrize("name", generate.GENERATED)
def test_a_generated_file_is_current(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == generate.GENERATED[name](ROOT)


def test_a_stale_file_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "COMMANDS.md").write_text("<!-- commands -->\n<!-- end of commands -->\n", encoding="utf-8")
    assert generate.stale(tmp_path) == list(generate.GENERATED)


def test_the_manifest_declares_exactly_the_vocabulary() -> None:
    declared = [each["command"] for each in manifest()["features"]["slash_commands"]]
    assert declared == [f"/{name}" for name in COMMANDS]
    prefixed = manifest(prefix="inc-")["features"]["slash_commands"]
    assert [each["command"] for each in prefixed] == [f"/inc-{name}" for name in COMMANDS]


def test_the_manifest_keeps_slacks_limits() -> None:
    """Slack, app manifest reference: 50 commands, 32 characters with the slash, description 2,000, hint 1,000."""
    commands = manifest(prefix="x" * 16)["features"]["slash_commands"]
    assert len(commands) <= 50
    assert all(len(each["command"]) <= 32 for each in commands)
    assert all(len(each["description"]) <= 2000 and len(each["usage_hint"]) <= 1000 for each in commands)
    assert all(each["should_escape"] for each in commands)


def test_the_manifest_asks_for_reaction_scopes_only_when_reactions_are_on() -> None:
    least = set(manifest()["oauth_config"]["scopes"]["bot"])
    assert least == {
        "app_mentions:read",
        "chat:write",
        "commands",
        "files:write",
        "im:history",
        "pins:write",
        "users:read",
    }
    more = set(manifest(reactions=True)["oauth_config"]["scopes"]["bot"])
    assert more - least == {"channels:history", "groups:history", "reactions:read"}
    history = {"channels:history", "groups:history"}
    assert set(manifest(history=True)["oauth_config"]["scopes"]["bot"]) == least | history
    assert manifest(history=True)["settings"] == manifest()["settings"]
    assert "reaction_added" not in manifest()["settings"]["event_subscriptions"]["bot_events"]


def test_scopes_that_scribe_does_without_are_optional() -> None:
    scopes = manifest(reactions=True, canvas=True, edits=True, channels=True, pins=True, files=True)["oauth_config"][
        "scopes"
    ]
    assert set(scopes["bot"]) - set(scopes["bot_optional"]) == {"chat:write", "commands"}
    assert set(scopes["bot_optional"]) < set(scopes["bot"])


def test_what_is_written_to_scribe_alone_is_heard_or_cannot_be_written() -> None:
    for direct in (True, False):
        described = manifest(direct=direct)
        assert ("im:history" in described["oauth_config"]["scopes"]["bot"]) is direct
        assert ("message.im" in described["settings"]["event_subscriptions"]["bot_events"]) is direct
        assert described["features"]["app_home"]["messages_tab_read_only_enabled"] is not direct


def test_the_manifest_asks_to_write_canvases_only_when_they_are_published_to() -> None:
    least = set(manifest()["oauth_config"]["scopes"]["bot"])
    assert set(manifest(canvas=True)["oauth_config"]["scopes"]["bot"]) - least == {"canvases:write"}


def test_the_manifest_asks_for_pins_only_when_they_are_taken() -> None:
    least, more = manifest(), manifest(pins=True)
    asked = set(more["oauth_config"]["scopes"]["bot"]) - set(least["oauth_config"]["scopes"]["bot"])
    heard = [each["settings"]["event_subscriptions"]["bot_events"] for each in (least, more)]
    assert (asked, set(heard[1]) - set(heard[0])) == ({"pins:read"}, {"pin_added", "pin_removed"})


def test_the_manifest_asks_for_files_only_when_they_are_kept() -> None:
    least = set(manifest()["oauth_config"]["scopes"]["bot"])
    assert set(manifest(files=True)["oauth_config"]["scopes"]["bot"]) - least == {"files:read"}


def test_the_manifest_asks_to_make_channels_only_when_incidents_get_their_own() -> None:
    least = set(manifest()["oauth_config"]["scopes"]["bot"])
    assert set(manifest(channels=True)["oauth_config"]["scopes"]["bot"]) - least == {
        "channels:manage", "channels:read", "groups:read", "groups:write", "usergroups:read",
    }  # fmt: skip


MODES: list[dict[str, Any]] = [
    dict(zip(("url", "prefix", "reactions", "canvas", "edits", "channels", "pins", "files"), chosen, strict=True))
    for chosen in itertools.product((None, "https://scribe.example.org"), ("", "inc-"), *[(False, True)] * 6)
]


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_the_manifest_is_one_by_slacks_own_schema_in_every_mode(version: str) -> None:
    schema = json.loads((ROOT / f"tests/support/slackschemas/manifest.schema.{version}.json").read_text("utf-8"))
    validator = Draft7Validator(schema)
    for mode in MODES:
        assert [error.message for error in validator.iter_errors(manifest(**mode))] == [], mode
    broken = manifest()
    broken["oauth_config"]["scopes"]["bot_maybe"] = []
    broken["features"]["slash_commands"][0]["usage"] = "x"
    assert len(list(validator.iter_errors(broken))) == 2


def test_two_scopes_are_required_and_the_others_optional_in_every_mode() -> None:
    for mode in MODES:
        scopes = manifest(**mode)["oauth_config"]["scopes"]
        assert set(scopes["bot"]) - set(scopes["bot_optional"]) == {"chat:write", "commands"}
        assert set(scopes["bot_optional"]) < set(scopes["bot"])


def test_the_manifest_for_http_names_the_endpoint_everywhere() -> None:
    described = manifest(url="https://scribe.example.org/")
    endpoint = "https://scribe.example.org/slack/events"
    assert {each["url"] for each in described["features"]["slash_commands"]} == {endpoint}
    assert described["settings"]["interactivity"]["request_url"] == endpoint
    assert described["settings"]["event_subscriptions"]["request_url"] == endpoint
    assert described["settings"]["socket_mode_enabled"] is False
