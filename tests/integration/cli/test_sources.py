"""`scribe sources` and `scribe change`."""

import re

from click.testing import CliRunner, Result

from bot.cli import main
from bot.sources.addresses import Address, find
from bot.sources.kinds import SOURCES
from storage.sources.signals import EVERYWHERE
from tests.support.hooks import SECRET
from tests.support.workplace import Workplace

ON = {"SCRIBE_HOOKS_SECRET": SECRET, "SCRIBE_HOOKS_SIGNED": "pagerduty=s3cret"}

SHORT = {"SCRIBE_HOOKS_SECRET": "short"}


def ran(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(main, list(words), env=environment)


def test_the_list_names_every_source_and_how_to_turn_them_on() -> None:
    off = ran("sources").output
    assert all(re.search(rf"^{name} ", off, re.MULTILINE) for name in SOURCES)
    new = re.search(r"Off: set SCRIBE_HOOKS_SECRET where Scribe runs. A new secret: ([0-9a-f]{64})", off)
    assert new is not None
    listed = ran("sources", **ON).output
    assert "scribe sources alertmanager --channel C0123ABCD" in listed
    assert re.search(r"^pagerduty .*; signed$", listed, re.MULTILINE)


def test_each_source_has_an_address_of_its_own_that_the_endpoint_knows() -> None:
    where = ("--workspace", "T0123", "--url", "https://scribe.example.org/")
    seen = set()
    for kind in SOURCES:
        said = ran("sources", kind, "--channel", "C0123ABCD", *where, **ON)
        assert said.exit_code == 0, said.output
        address = said.output.split()[0]
        token = address.removeprefix(f"https://scribe.example.org/hooks/{kind}/")
        assert find(SECRET, kind, token) == Address(source=kind, workspace_id="T0123", channel_id="C0123ABCD")
        assert "s3cret" not in said.output
        seen.add(token)
    assert len(seen) == len(SOURCES)
    everywhere = ran("sources", "github", *where, **ON).output.split()[0].rpartition("/")[2]
    assert find(SECRET, "github", everywhere) == Address(source="github", workspace_id="T0123", channel_id=EVERYWHERE)


def test_the_workspace_is_asked_of_slack(office: Workplace) -> None:
    slack = office.slack
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
    said = ran("sources", "grafana", "--channel", office.channel, **tokens, **ON).output
    assert f"/hooks/grafana/{slack.team_id}-{office.channel}-" in said
    assert "https://scribe.example.org is an example" in said
    assert "Its signature is not checked: SCRIBE_HOOKS_SIGNED has no secret for grafana." in said


def test_what_is_missing_is_said_with_an_example(office: Workplace) -> None:
    assert "Set SCRIBE_HOOKS_SECRET first" in ran("sources", "grafana", "--channel", "C0123ABCD").output
    assert "--channel C0123ABCD" in ran("sources", "grafana", **ON).output
    assert "One of: alertmanager" in ran("sources", "prometeus", **ON).output
    assert "can be guessed" in ran("sources", **SHORT).output
    url = office.database.url.render_as_string(hide_password=False)
    office.say("/detected checkout is slow")
    kept = ran("change", "release 418", "--service", "checkout", "--at", "-5m", DATABASE_URL=url)
    assert kept.output.startswith("Kept: release 418 of checkout, at "), kept.output
    assert "is no time" in ran("change", "release 418", "--at", "soon", DATABASE_URL=url).output
