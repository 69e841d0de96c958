import pytest

from tests.integration.fakeslack.conftest import Stage

COMMAND_KEYS = {
    "token", "team_id", "team_domain", "channel_id", "channel_name", "user_id", "user_name", "command",
    "text", "response_url", "trigger_id", "api_app_id", "is_enterprise_install",
}  # fmt: skip


def test_the_ack_of_a_command_is_shown_to_the_person_alone(stage: Stage) -> None:
    answer = stage.slack.command(stage.alice, stage.channel, "/echo", "hello")
    assert (answer.status, answer.error, answer.text) == (200, None, "you typed hello")
    assert answer.message is not None
    assert answer.message.ephemeral_for == stage.alice
    assert stage.slack.messages(stage.channel) == []
    assert stage.slack.messages(stage.channel, stage.bob) == []
    assert stage.slack.messages(stage.channel, stage.alice) == [answer.message]


def test_an_in_channel_ack_is_shown_to_all(stage: Stage) -> None:
    answer = stage.slack.command(stage.alice, stage.channel, "/channel")
    assert [message.text for message in stage.slack.messages(stage.channel)] == ["for all"]
    assert answer.message is not None
    assert answer.message.user == stage.slack.bot_user_id


def test_an_ack_is_shown_even_where_the_bot_is_no_member(stage: Stage) -> None:
    elsewhere = stage.slack.add_channel("elsewhere", bot_is_member=False)
    assert stage.slack.command(stage.alice, elsewhere, "/channel").text == "for all"


def test_an_empty_ack_shows_nothing(stage: Stage) -> None:
    answer = stage.slack.command(stage.alice, stage.channel, "/quiet")
    assert (answer.error, answer.body, answer.message, answer.text) == (None, {}, None, "")


def test_a_command_has_exactly_the_keys_slack_sends(stage: Stage) -> None:
    stage.slack.command(stage.alice, stage.channel, "/echo", "hello")
    body = stage.echo.heard[-1]
    # Bolt's form parser leaves out empty values only.
    assert body.keys() == COMMAND_KEYS
    assert body["is_enterprise_install"] == "false"
    assert (body["user_name"], body["channel_name"]) == (
        "alice",
        stage.slack.workspace.channels[stage.channel].name,
    )


def test_a_private_channel_is_called_privategroup(stage: Stage) -> None:
    hidden = stage.slack.add_channel("secret-inc", private=True)
    stage.slack.command(stage.alice, hidden, "/echo", "x")
    assert stage.echo.heard[-1]["channel_name"] == "privategroup"


def test_what_people_type_is_escaped_and_names_become_mentions(stage: Stage) -> None:
    stage.slack.command(stage.alice, stage.channel, "/echo", "a < b & @bob did it")
    assert stage.echo.heard[-1]["text"] == f"a &lt; b &amp; <@{stage.bob}|bob> did it"


def test_raw_text_goes_through_untouched(stage: Stage) -> None:
    stage.slack.command(stage.alice, stage.channel, "/echo", "a < b & @bob <!channel>", raw=True)
    assert stage.echo.heard[-1]["text"] == "a < b & @bob <!channel>"


def test_every_command_has_a_new_trigger_id_unless_one_is_given(stage: Stage) -> None:
    for trigger in (None, None, "my-trigger", "my-trigger"):
        stage.slack.command(stage.alice, stage.channel, "/echo", "x", trigger_id=trigger)
    first, second, third, fourth = [body["trigger_id"] for body in stage.echo.heard]
    assert first != second
    assert third == fourth == "my-trigger"


def test_a_repeat_is_the_same_delivery_marked_as_a_retry(stage: Stage) -> None:
    once = stage.slack.command(stage.alice, stage.channel, "/echo", "x")
    twice = stage.slack.repeat(once)
    stage.slack.repeat(twice)
    assert stage.echo.heard[0] == stage.echo.heard[1] == stage.echo.heard[2]
    assert stage.echo.retries == [None, "1", "2"]


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("/wide", "invalid_blocks"),
        ("/heavy", "msg_blocks_too_long"),
        ("/mute", "no_text"),
        ("/odd", "invalid_arguments"),
    ],
)
def test_an_ack_slack_would_not_show_is_an_error(stage: Stage, command: str, error: str) -> None:
    answer = stage.slack.command(stage.alice, stage.channel, command)
    assert (answer.error, answer.message, answer.text) == (error, None, "")
    assert answer.details
    assert stage.slack.messages(stage.channel, stage.alice) == []


def test_an_ack_that_comes_too_late_is_a_timeout(hasty: Stage) -> None:
    answer = hasty.slack.command(hasty.alice, hasty.channel, "/slow")
    assert (answer.error, answer.late, answer.message) == ("operation_timeout", True, None)
    assert hasty.slack.messages(hasty.channel, hasty.alice) == []


def test_a_bot_that_fails_gives_no_message(hasty: Stage) -> None:
    answer = hasty.slack.command(hasty.alice, hasty.channel, "/broken")
    # Over Socket Mode a failed bot sends no ack.
    expected = (500, "dispatch_failed") if hasty.transport == "http" else (0, "operation_timeout")
    assert (answer.status, answer.error) == expected
    assert answer.message is None


def test_an_unknown_command_fails(hasty: Stage) -> None:
    answer = hasty.slack.command(hasty.alice, hasty.channel, "/unknown")
    assert answer.error in {"dispatch_failed", "operation_timeout"}
