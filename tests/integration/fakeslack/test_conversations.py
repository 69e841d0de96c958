import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.fakeslack.slack import Slack
from tests.integration.fakeslack.conftest import error_of


def test_history_needs_its_scope_and_membership(slack: Slack, client: WebClient, channel: str) -> None:
    away = slack.add_channel("away", bot_is_member=False)
    hidden = slack.add_channel("hidden", private=True)
    with pytest.raises(SlackApiError, match="channels:history"):
        client.conversations_history(channel=channel)
    slack.scopes = {*slack.scopes, "channels:history"}
    with pytest.raises(SlackApiError, match="not_in_channel"):
        client.conversations_history(channel=away)
    with pytest.raises(SlackApiError, match="groups:history"):
        client.conversations_history(channel=hidden)


def test_history_is_newest_first_by_pages_and_threads_are_apart(
    slack: Slack, client: WebClient, channel: str, alice: str
) -> None:
    slack.scopes = {*slack.scopes, "channels:history"}
    roots = [slack.say(alice, channel, f"root {index}") for index in range(3)]
    slack.say(alice, channel, "reply", thread_ts=roots[0].ts)
    first = client.conversations_history(channel=channel, limit=2)
    second = client.conversations_history(channel=channel, cursor=first["response_metadata"]["next_cursor"])
    texts = [message["text"] for page in (first, second) for message in page["messages"]]
    assert texts == ["root 2", "root 1", "root 0"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert second["messages"][0]["reply_count"] == 1
    thread = client.conversations_replies(channel=channel, ts=roots[0].ts)["messages"]
    assert [message["text"] for message in thread] == ["root 0", "reply"]
    since = client.conversations_history(channel=channel, oldest=roots[1].ts)["messages"]
    assert [message["text"] for message in since] == ["root 2"]
    assert error_of(client, "conversations.history", channel=channel, cursor="?") == "invalid_cursor"
    assert error_of(client, "conversations.history", channel=channel, oldest="soon") == "invalid_ts_oldest"


def test_a_channel_tells_what_it_is_and_who_is_in_it(slack: Slack, client: WebClient, alice: str) -> None:
    slack.scopes = {*slack.scopes, "channels:read"}
    place = slack.add_channel("some-people", members=[alice])
    info = client.conversations_info(channel=place, include_num_members=True)["channel"]
    assert (info["name"], info["is_private"], info["num_members"]) == ("some-people", False, 2)
    assert client.conversations_members(channel=place)["members"] == [alice, slack.bot_user_id]
