from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.fakeslack.slack import Slack
from tests.integration.fakeslack.conftest import error_of

BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "words"}}]


def test_a_message_is_posted_and_can_be_seen(slack: Slack, client: WebClient, channel: str) -> None:
    metadata = {"event_type": "scribe", "event_payload": {"key": "1"}}
    posted = client.chat_postMessage(channel=channel, text="hello", blocks=BLOCKS, metadata=metadata)
    (message,) = slack.messages(channel)
    assert (message.ts, message.text, message.metadata) == (posted["ts"], "hello", metadata)
    assert message.blocks[0]["text"]["text"] == "words"
    assert posted["message"]["blocks"][0]["block_id"]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"blocks": BLOCKS}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "x", "blocks": [{"type": "header"}]}, "invalid_blocks"),
        ({"text": "x", "blocks": BLOCKS * 51}, "invalid_blocks"),
        (
            {
                "text": "x",
                "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2700}}] * 5,
            },
            "msg_blocks_too_long",
        ),
        ({"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"text": "x", "username": "somebody"}, "missing_scope"),
        ({"text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"text": 5}, "invalid_arguments"),
        ({"text": "x", "unfurl_links": "maybe"}, "invalid_arguments"),
    ],
)
def test_a_message_slack_would_not_take_is_refused(
    slack: Slack, client: WebClient, channel: str, args: dict[str, Any], error: str
) -> None:
    assert error_of(client, "chat.postMessage", channel=channel, **args) == error
    assert slack.messages(channel) == []
    assert slack.calls[-1].error == error


def test_a_message_goes_only_where_the_bot_may_write(slack: Slack, client: WebClient) -> None:
    away = slack.add_channel("away", bot_is_member=False)
    hidden = slack.add_channel("hidden", private=True, bot_is_member=False)
    closed = slack.add_channel("closed")
    slack.change_channel(closed, archived=True)
    assert error_of(client, "chat.postMessage", channel="C404", text="x") == "channel_not_found"
    assert error_of(client, "chat.postMessage", channel=hidden, text="x") == "channel_not_found"
    assert error_of(client, "chat.postMessage", channel=closed, text="x") == "is_archived"
    assert error_of(client, "chat.postMessage", channel=away, text="x") == "not_in_channel"
    slack.scopes = {*slack.scopes, "chat:write.public"}
    assert client.chat_postMessage(channel=away, text="x")["ok"]


def test_a_users_id_as_channel_is_their_direct_message(slack: Slack, client: WebClient, alice: str) -> None:
    posted = client.chat_postMessage(channel=alice, text="for you")
    assert posted["channel"].startswith("D")
    assert [message.text for message in slack.messages(alice)] == ["for you"]
    slack.scopes = {*slack.scopes, "im:write"}
    assert client.conversations_open(users=alice)["channel"]["id"] == posted["channel"]


def test_an_ephemeral_message_is_seen_by_one_who_is_there(slack: Slack, client: WebClient, alice: str) -> None:
    bob = slack.add_user("bob")
    place = slack.add_channel("some-people", members=[alice])
    client.chat_postEphemeral(channel=place, user=alice, text="psst")
    assert [message.text for message in slack.messages(place, alice)] == ["psst"]
    assert slack.messages(place) == slack.messages(place, bob) == []
    assert error_of(client, "chat.postEphemeral", channel=place, user=bob, text="x") == "user_not_in_channel"
    assert error_of(client, "chat.postEphemeral", channel=place, user="U404", text="x") == "user_not_found"


def test_updating_with_text_alone_takes_the_blocks_away(slack: Slack, client: WebClient, channel: str) -> None:
    ts = client.chat_postMessage(channel=channel, text="one", blocks=BLOCKS)["ts"]
    client.chat_update(channel=channel, ts=ts, text="two")
    (message,) = slack.messages(channel)
    assert (message.text, message.blocks, message.edited) == ("two", [], True)


def test_only_the_bots_own_messages_can_be_changed(slack: Slack, client: WebClient, channel: str, alice: str) -> None:
    hers = slack.say(alice, channel, "mine").ts
    whispered = client.chat_postEphemeral(channel=channel, user=alice, text="x")["message_ts"]
    assert error_of(client, "chat.update", channel=channel, ts=hers, text="x") == "cant_update_message"
    assert error_of(client, "chat.delete", channel=channel, ts=hers) == "cant_delete_message"
    for ts in ("1.000001", whispered):
        assert error_of(client, "chat.update", channel=channel, ts=ts, text="x") == "message_not_found"
        assert error_of(client, "chat.delete", channel=channel, ts=ts) == "message_not_found"


def test_a_deleted_message_is_gone(slack: Slack, client: WebClient, channel: str) -> None:
    ts = client.chat_postMessage(channel=channel, text="oops")["ts"]
    client.chat_delete(channel=channel, ts=ts)
    assert slack.messages(channel) == []
    assert error_of(client, "chat.delete", channel=channel, ts=ts) == "message_not_found"


def test_a_permalink_points_at_a_message_that_exists(client: WebClient, channel: str) -> None:
    ts = client.chat_postMessage(channel=channel, text="x")["ts"]
    link = client.chat_getPermalink(channel=channel, message_ts=ts)["permalink"]
    assert link == f"https://playground.slack.com/archives/{channel}/p{ts.replace('.', '')}"
    with pytest.raises(SlackApiError, match="message_not_found"):
        client.chat_getPermalink(channel=channel, message_ts="1.000001")
