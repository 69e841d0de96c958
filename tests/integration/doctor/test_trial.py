"""`scribe doctor --try`: what Scribe does in Slack, tried for real and taken away."""

import pytest

from bot.config import Settings
from bot.doctor.installation import Diagnosis
from bot.doctor.trial import trial
from bot.errors import UsageError
from bot.fakeslack.slack import Slack
from tests.integration.cli.terminal import scribe
from tests.support.slackschemas.check import problems_of


@pytest.fixture
def channel(slack: Slack) -> str:
    return slack.add_channel("incident")


@pytest.fixture
def alice(slack: Slack) -> str:
    return slack.add_user("alice")


def tried(slack: Slack, channel: str, user: str = "") -> dict[str, list[Diagnosis]]:
    settings = Settings.from_env({"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url})
    found: dict[str, list[Diagnosis]] = {}
    for each in trial(settings, channel, user):
        assert bool(each.fix) == (each.level != "ok")
        found.setdefault(each.subject, []).append(each)
    return found


def levels(found: dict[str, list[Diagnosis]]) -> dict[str, str]:
    return {subject: " ".join(each.level for each in several) for subject, several in found.items()}


def test_all_is_tried_and_nothing_is_left(slack: Slack, channel: str, alice: str) -> None:
    found = tried(slack, channel, alice)
    assert levels(found) == dict.fromkeys(("post", "whisper", "upload", "open", "home"), "ok") | {"delete": "ok ok"}
    assert slack.messages(channel) == []
    assert slack.files == []
    assert [message.ephemeral_for for message in slack.messages(channel, alice)] == [alice]
    assert slack.home(alice) is not None
    assert list(problems_of(slack)) == []


def test_without_a_person_what_needs_one_is_not_tried(slack: Slack, channel: str) -> None:
    found = tried(slack, channel)
    assert levels(found) == {
        "post": "ok", "whisper": "warn", "upload": "ok", "open": "ok", "home": "warn", "delete": "ok ok"
    }  # fmt: skip
    assert "--user" in found["whisper"][0].fix
    assert slack.home(slack.add_user("bob")) is None


def test_a_missing_scope_is_named_and_what_it_was_for_is_not_undone(slack: Slack, channel: str, alice: str) -> None:
    slack.scopes = slack.scopes - {"files:write"}
    found = tried(slack, channel, alice)
    assert levels(found)["upload"] == "warn"
    assert levels(found)["delete"] == "ok"
    assert found["upload"][0].message == "Slack refused: missing_scope, files:write"
    assert "add files:write under Bot Token Scopes" in found["upload"][0].fix


def test_a_channel_that_the_bot_is_not_in_asks_for_an_invitation(slack: Slack, alice: str) -> None:
    absent, hidden = (
        slack.add_channel("a", bot_is_member=False),
        slack.add_channel("b", private=True, bot_is_member=False),
    )
    for channel, word in (
        (absent, "not_in_channel"),
        (hidden, "channel_not_found"),
        ("C0NOWHERE", "channel_not_found"),
    ):
        found = tried(slack, channel, alice)
        assert levels(found) == {"post": "fail", "whisper": "fail", "upload": "warn", "open": "ok", "home": "ok"}
        assert found["post"][0].message == f"Slack refused: {word}"
        assert "/invite @scribe" in found["post"][0].fix


@pytest.mark.parametrize(
    ("method", "subject", "level"),
    [
        ("chat.postMessage", "post", "fail"),
        ("chat.postEphemeral", "whisper", "fail"),
        ("files.completeUploadExternal", "upload", "warn"),
        ("views.open", "open", "fail"),
        ("views.publish", "home", "warn"),
        ("chat.delete", "delete", "warn ok"),
        ("files.delete", "delete", "ok warn"),
    ],
)
def test_a_refusal_of_one_step_leaves_the_others(
    slack: Slack, channel: str, alice: str, method: str, subject: str, level: str
) -> None:
    slack.fail_next(method, error="something_new")
    found = tried(slack, channel, alice)
    wrong = {each: words for each, words in levels(found).items() if set(words.split()) != {"ok"}}
    assert wrong == {subject: level}
    assert any("something_new" in each.message for each in found[subject])
    if subject == "delete":
        assert any("is left there" in each.message for each in found[subject])


def test_what_is_no_id_is_refused_before_anything_is_sent(slack: Slack, channel: str) -> None:
    for bad in ("#incident", "incident", "https://x.slack.com/archives/C1", ""):
        with pytest.raises(UsageError, match="no channel's id"):
            tried(slack, bad)
    with pytest.raises(UsageError, match="nobody's id"):
        tried(slack, channel, "@alice")
    assert slack.calls == []


def test_the_command_exits_with_1_where_something_needed_fails(slack: Slack, channel: str) -> None:
    environment = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
    sound = scribe("doctor", "--try", channel, **environment)
    assert sound.exit_code == 0
    assert "post: a message is posted" in sound.stdout
    slack.fail_next("chat.postMessage", error="restricted_action")
    assert scribe("doctor", "--try", channel, **environment).exit_code == 1
    assert "--user goes with --try" in scribe("doctor", "--user", "U0A", **environment).stderr
    assert "SLACK_BOT_TOKEN is not set" in scribe("doctor", "--try", channel, SLACK_BOT_TOKEN="").stderr
