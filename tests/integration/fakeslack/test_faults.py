import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.fakeslack.slack import Slack


def test_failures_come_as_ordered_and_then_no_more(slack: Slack, client: WebClient, channel: str) -> None:
    slack.fail_next("chat.postMessage", retry_after_s=7, times=2)
    slack.fail_next("chat.postMessage", error="internal_error", status=500)
    seen = []
    for _ in range(3):
        with pytest.raises(SlackApiError) as refused:
            client.chat_postMessage(channel=channel, text="x")
        answer = refused.value.response
        seen.append((answer.status_code, answer["error"], answer.headers.get("retry-after")))
    assert seen == [(429, "ratelimited", "7")] * 2 + [(500, "internal_error", None)]
    assert client.chat_postMessage(channel=channel, text="x")["ok"]
    assert slack.faults == []


def test_a_delayed_method_takes_that_long(slack: Slack, channel: str) -> None:
    slack.delay("chat.postMessage", 0.5)
    try:
        hasty = WebClient(token=slack.bot_token, base_url=slack.api_url, timeout=0, retry_handlers=[])
        hasty.timeout = 0.1  # type: ignore[assignment]  # urllib takes parts of a second
        with pytest.raises(TimeoutError):
            hasty.chat_postMessage(channel=channel, text="x")
    finally:
        slack.delay("chat.postMessage", 0)
