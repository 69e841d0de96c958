from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.clock import SetClock
from bot.fakeslack.faults import RateTiers
from bot.fakeslack.slack import Slack
from storage.database import Database
from tests.support.workplace import workplace


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


def test_each_method_has_its_tiers_calls_a_minute_and_each_channel_a_message_a_second() -> None:
    clock = SetClock(datetime(2026, 3, 12, tzinfo=UTC))
    tiers = RateTiers(clock)

    def take(method: str, channel: str = "C1") -> int | None:
        """The Retry-After in seconds, None for a call that passes."""
        fault = tiers.next_fault(method, {"channel": channel})
        assert fault is None or (fault.status, fault.error) == (429, "ratelimited")
        return fault.retry_after_s if fault else None

    for method, most in (("users.list", 20), ("chat.update", 50), ("users.info", 100)):
        assert [take(method, str(number)) for number in range(most)] == [None] * most
        assert take(method) == 60
    assert [take("auth.test") for _ in range(300)] == [None] * 300
    assert (take("chat.postMessage"), take("chat.postMessage"), take("chat.postMessage", "C2")) == (None, 1, None)
    assert tiers.too_early == 0
    clock.set(clock() + timedelta(seconds=59))
    assert (take("users.list"), take("chat.postMessage")) == (1, None)
    assert tiers.too_early == 1
    clock.set(clock() + timedelta(seconds=1))
    assert take("users.list") is None


def test_a_workspace_that_limits_rates_answers_with_retry_after(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock) as office:
        tiers = office.slack.limit_rates()
        for words in ("/detected disk full", "/note one", "/resolved"):
            office.say(words)
        for _ in range(40):
            office.deliver()
            clock.set(clock() + timedelta(seconds=2))
        assert office.drafts
        assert tiers.too_early == 0
