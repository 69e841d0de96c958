import httpx
import pytest
from slack_sdk import WebhookClient

from bot.clock import now
from bot.fakeslack.slack import Slack
from tests.integration.fakeslack.conftest import Stage


def response_url(stage: Stage) -> str:
    return str(stage.echo.heard[-1]["response_url"])


def test_answers_go_to_the_person_or_to_all_even_where_the_bot_is_no_member(stage: Stage) -> None:
    away = stage.slack.add_channel("away", bot_is_member=False)
    stage.slack.command(stage.alice, away, "/quiet")
    hook = WebhookClient(response_url(stage))
    assert hook.send(text="later").body == "ok"
    hook.send(text="for all", response_type="in_channel")
    assert [message.text for message in stage.slack.messages(away)] == ["for all"]
    assert [message.text for message in stage.slack.messages(away, stage.alice)] == ["later", "for all"]


def test_five_answers_and_no_more(stage: Stage) -> None:
    stage.slack.command(stage.alice, stage.channel, "/quiet")
    hook = WebhookClient(response_url(stage))
    statuses = [hook.send(text=str(index)).status_code for index in range(6)]
    assert statuses == [200] * 5 + [404]
    assert len(stage.slack.messages(stage.channel, stage.alice)) == 5
    assert stage.slack.calls[-1].method == "response_url"


def test_the_message_of_a_pressed_button_is_replaced_or_deleted(stage: Stage) -> None:
    answer = stage.slack.command(stage.alice, stage.channel, "/secret")
    stage.slack.click(stage.alice, answer, "done", "1")
    hook = WebhookClient(response_url(stage))
    hook.send(text="pressed", replace_original=True)
    (message,) = stage.slack.messages(stage.channel, stage.alice)
    assert (message.text, message.blocks, message.ephemeral_for) == ("pressed", [], stage.alice)
    hook.send(delete_original=True)
    assert stage.slack.messages(stage.channel, stage.alice) == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x", "blocks": [{"type": "header"}]}, "invalid_blocks"),
        ({"text": "x", "response_type": "everywhere"}, "invalid_arguments"),
        ({"text": "x", "colour": "red"}, "invalid_arguments"),
    ],
)
def test_an_answer_slack_would_not_take_is_refused(stage: Stage, body: dict[str, object], error: str) -> None:
    stage.slack.command(stage.alice, stage.channel, "/quiet")
    refused = httpx.post(response_url(stage), json=body, trust_env=False)
    assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert stage.slack.messages(stage.channel, stage.alice) == []


def test_an_url_expires_after_half_an_hour() -> None:
    seconds = [0.0]
    slack = Slack(clock=now, monotonic=lambda: seconds[0])
    alice, channel = slack.add_user("alice"), slack.add_channel("inc-1")
    with slack.serving():
        url = slack.command(alice, channel, "/x").delivery.payload["response_url"]
        seconds[0] = 1799.0
        assert httpx.post(url, json={"text": "x"}, trust_env=False).status_code == 200
        seconds[0] = 1801.0
        expired = httpx.post(url, json={"text": "x"}, trust_env=False)
    assert (expired.status_code, expired.json()["error"]) == (404, "expired_url")
