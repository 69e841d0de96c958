import pytest
from slack_sdk.errors import SlackApiError

from bot.fakeslack.dispatcher import Answer
from tests.integration.fakeslack.conftest import Stage
from tests.integration.fakeslack.echo import FORM


def opened(stage: Stage) -> Answer:
    answer = stage.slack.command(stage.alice, stage.channel, "/buttons")
    assert stage.slack.click(stage.alice, answer, "form").ok
    assert stage.slack.modal(stage.alice)
    return answer


def test_a_button_sends_its_block_its_value_and_the_message(stage: Stage) -> None:
    answer = stage.slack.command(stage.alice, stage.channel, "/buttons")
    stage.slack.click(stage.bob, answer, "done", "2")
    body = stage.echo.heard[-1]
    assert body["type"] == "block_actions"
    assert body["user"] == {"id": stage.bob, "username": "bob", "name": "bob", "team_id": stage.slack.team_id}
    assert body["actions"][0]["value"] == "2"
    assert body["message"]["text"] == "press"
    assert answer.message is not None
    assert body["container"] == {
        "type": "message",
        "message_ts": answer.message.ts,
        "channel_id": stage.channel,
        "is_ephemeral": False,
    }


def test_a_button_of_an_ephemeral_message_comes_without_the_message(stage: Stage) -> None:
    answer = stage.slack.command(stage.alice, stage.channel, "/secret")
    stage.slack.click(stage.alice, answer, "done", "1")
    assert "message" not in stage.echo.heard[-1]
    assert stage.echo.heard[-1]["container"]["is_ephemeral"] is True


@pytest.mark.parametrize(("action", "value"), [("done", None), ("done", "3"), ("undone", None)])
def test_a_button_that_is_not_there_cannot_be_pressed(stage: Stage, action: str, value: str | None) -> None:
    answer = stage.slack.command(stage.alice, stage.channel, "/buttons")
    with pytest.raises(LookupError):
        stage.slack.click(stage.alice, answer, action, value)


def test_only_the_person_who_sees_an_ephemeral_message_can_click_in_it(stage: Stage) -> None:
    answer = stage.slack.command(stage.alice, stage.channel, "/secret")
    with pytest.raises(LookupError):
        stage.slack.click(stage.bob, answer, "done", "1")


def test_the_body_of_a_buttons_ack_is_not_shown(stage: Stage) -> None:
    answer = stage.slack.command(stage.alice, stage.channel, "/buttons")
    pressed = stage.slack.click(stage.alice, answer, "done", "1")
    assert (pressed.error, pressed.text, pressed.message) == (None, "", None)
    assert len(stage.slack.messages(stage.channel, stage.alice)) == 1


def test_a_form_opens_and_closes_when_sent(stage: Stage) -> None:
    opened(stage)
    view = stage.slack.modal(stage.alice)
    assert view is not None
    assert (view.title, view.callback_id) == ("A form", "form")
    assert stage.slack.submit(stage.alice, {"words": "hello"}).ok
    assert stage.slack.modal(stage.alice, within_s=0) is None


def test_a_form_sends_every_input_by_its_kind(stage: Stage) -> None:
    opened(stage)
    stage.slack.submit(
        stage.alice,
        {
            "words": "hello",
            "owner": stage.bob,
            "moment": 1_700_000_000,
            "shade": "green",
            "day": "2026-03-04",
        },
    )
    view = stage.echo.heard[-1]["view"]
    values = {action: state for block in view["state"]["values"].values() for action, state in block.items()}
    assert view["private_metadata"] == "kept"
    assert values["words"] == {"type": "plain_text_input", "value": "hello"}
    assert values["owner"] == {"type": "users_select", "selected_user": stage.bob}
    assert values["moment"] == {"type": "datetimepicker", "selected_date_time": 1_700_000_000}
    assert values["shade"]["selected_option"]["value"] == "green"
    assert values["colour"]["selected_option"]["value"] == "red"
    assert values["day"] == {"type": "datepicker", "selected_date": "2026-03-04"}


def test_inputs_left_alone_keep_what_they_began_with_or_are_none(stage: Stage) -> None:
    opened(stage)
    stage.slack.submit(stage.alice, {"words": "hello"})
    values = stage.echo.heard[-1]["view"]["state"]["values"]
    assert values["block-day"]["day"]["selected_date"] == "2026-01-02"
    assert values["block-owner"]["owner"]["selected_user"] is None


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, ValueError),
        ({"words": "x" * 21}, ValueError),
        ({"words": "two\nlines"}, ValueError),
        ({"words": "x", "colour": "blue"}, ValueError),
        ({"words": "x", "owner": "U404"}, ValueError),
        ({"words": "x", "day": "tomorrow"}, ValueError),
        ({"words": "x", "moment": "14:02"}, ValueError),
        ({"words": "x", "no such": "y"}, LookupError),
    ],
)
def test_a_form_takes_only_what_a_person_could_fill_in(
    stage: Stage, values: dict[str, str], error: type[Exception]
) -> None:
    opened(stage)
    with pytest.raises(error):
        stage.slack.submit(stage.alice, values)


def test_errors_keep_a_form_open(stage: Stage) -> None:
    opened(stage)
    stage.echo.form_errors = {"response_action": "errors", "errors": {"block-words": "no such time"}}
    answer = stage.slack.submit(stage.alice, {"words": "hello"})
    assert answer.body["errors"] == {"block-words": "no such time"}
    assert answer.ok
    assert stage.slack.modal(stage.alice, within_s=0)


@pytest.mark.parametrize(
    "body",
    [
        {"response_action": "errors", "errors": {"words": "an action_id is no block_id"}},
        {"response_action": "errors"},
        {"response_action": "celebrate"},
        {"response_action": "update"},
    ],
)
def test_an_answer_to_a_form_that_slack_does_not_know_is_an_error(stage: Stage, body: dict[str, object]) -> None:
    opened(stage)
    stage.echo.form_errors = body
    assert stage.slack.submit(stage.alice, {"words": "hello"}).error == "invalid_response_action"


def test_a_form_may_be_answered_by_another_view(stage: Stage) -> None:
    opened(stage)
    stage.echo.form_errors = {
        "response_action": "push",
        "view": {**FORM, "title": {"type": "plain_text", "text": "2"}},
    }
    stage.slack.submit(stage.alice, {"words": "hello"})
    top = stage.slack.modal(stage.alice)
    assert top is not None
    assert top.title == "2"
    assert len(stage.slack.workspace.views[stage.alice]) == 2
    stage.echo.form_errors = {"response_action": "clear"}
    stage.slack.submit(stage.alice, {"words": "hello"})
    assert stage.slack.modal(stage.alice, within_s=0) is None


def test_a_form_dismissed_is_told_where_asked_for(stage: Stage) -> None:
    opened(stage)
    assert stage.slack.dismiss(stage.alice)
    assert stage.echo.heard[-1]["type"] == "view_closed"
    with pytest.raises(LookupError):
        stage.slack.submit(stage.alice, {})


def test_a_button_in_a_form_sends_the_view(stage: Stage) -> None:
    opened(stage)
    view = stage.slack.modal(stage.alice)
    assert view is not None
    stage.slack.click(stage.alice, view, "in_form")
    assert stage.echo.heard[-1]["container"] == {"type": "view", "view_id": view.id}


def test_a_shortcut_carries_the_message_with_its_author_and_time(stage: Stage) -> None:
    message = stage.slack.say(stage.bob, stage.channel, "p99 is up")
    answer = stage.slack.shortcut(stage.alice, message, "add_to_timeline")
    body = stage.echo.heard[-1]
    assert answer.ok
    assert body["type"] == "message_action"
    assert (body["message"]["user"], body["message"]["ts"]) == (stage.bob, message.ts)
    assert (body["message_ts"], body["user"]["id"]) == (message.ts, stage.alice)
    assert "api_app_id" not in body


def test_a_trigger_opens_one_modal(stage: Stage) -> None:
    opened(stage)
    trigger = stage.echo.heard[-1]["trigger_id"]
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        stage.echo.client.views_open(trigger_id=trigger, view=FORM)
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        stage.echo.client.views_open(trigger_id="never", view=FORM)
