from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.clock import SetClock, now
from bot.fakeslack.slack import Slack
from tests.integration.fakeslack.echo import FORM

BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "words"}}]


@pytest.fixture
def alice(slack: Slack) -> str:
    return slack.add_user("alice", zone="America/New_York", real_name="Alice A.")


@pytest.fixture(autouse=True)
def _scopes(slack: Slack) -> None:
    slack.scopes = {"commands", "chat:write", "files:write", "users:read"}


def error_of(client: WebClient, method: str, **args: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        client.api_call(method, json=args)
    return str(refused.value.response["error"])


def test_the_bot_learns_who_it_is(slack: Slack, client: WebClient) -> None:
    me = client.auth_test()
    assert (me["user_id"], me["bot_id"], me["team_id"]) == (slack.bot_user_id, slack.bot_id, slack.team_id)
    assert me.headers["x-oauth-scopes"] == "chat:write,commands,files:write,users:read"


def test_a_message_is_posted_and_can_be_seen(slack: Slack, client: WebClient, channel: str) -> None:
    metadata = {"event_type": "scribe", "event_payload": {"key": "1"}}
    posted = client.chat_postMessage(channel=channel, text="hello", blocks=BLOCKS, metadata=metadata)
    (message,) = slack.messages(channel)
    assert (message.ts, message.text, message.metadata) == (posted["ts"], "hello", metadata)
    assert message.blocks[0]["text"]["text"] == "words"
    assert posted["message"]["blocks"][0]["block_id"]


def test_a_form_body_does_as_well_as_json(slack: Slack, client: WebClient, channel: str) -> None:
    client.api_call("chat.postMessage", params={"channel": channel, "text": "x", "blocks": '[{"type":"divider"}]'})
    assert slack.messages(channel)[0].blocks[0]["type"] == "divider"
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        client.api_call("chat.postMessage", params={"channel": channel, "text": "x", "blocks": "[{"})


def test_a_body_of_another_kind_is_refused(slack: Slack) -> None:
    url, headers = f"{slack.api_url}auth.test", {"Authorization": f"Bearer {slack.bot_token}"}
    kinds = {"text/plain": "invalid_post_type", "application/json": "invalid_json"}
    for kind, error in kinds.items():
        answer = httpx.post(url, content="[1", headers={**headers, "Content-Type": kind}, trust_env=False)
        assert answer.json()["error"] == error


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


def test_a_person_has_a_zone_unless_deleted_or_unknown(slack: Slack, client: WebClient, alice: str) -> None:
    user = client.users_info(user=alice, include_locale=True)["user"]
    assert (user["tz"], user["real_name"], user["locale"]) == ("America/New_York", "Alice A.", "en-GB")
    assert user["tz_offset"] in {-18000, -14400}
    gone = slack.add_user("gone", zone="Europe/Paris", deleted=True)
    nowhere = slack.add_user("nowhere", zone=None)
    assert "tz" not in client.users_info(user=gone)["user"]
    assert "tz" not in client.users_info(user=nowhere)["user"]
    with pytest.raises(SlackApiError, match="user_not_found"):
        client.users_info(user="U404")


def test_people_are_listed_by_pages(slack: Slack, client: WebClient) -> None:
    for index in range(5):
        slack.add_user(f"person-{index}")
    pages = [[user["id"] for user in page["members"]] for page in client.users_list(limit=2)]
    assert [id_ for page in pages for id_ in page] == list(slack.workspace.users)
    assert all(len(page) <= 2 for page in pages)


def test_a_trigger_expires_after_three_seconds() -> None:
    seconds = [100.0]
    slack = Slack(clock=now, monotonic=lambda: seconds[0])
    alice, channel = slack.add_user("alice"), slack.add_channel("inc-1")
    with slack.serving():
        client = WebClient(token=slack.bot_token, base_url=slack.api_url)
        for trigger, age_s in (("in-time", 2.9), ("too-late", 3.1)):
            slack.command(alice, channel, "/x", trigger_id=trigger)
            seconds[0] += age_s
            answer = client.api_call("views.open", json={"trigger_id": trigger, "view": FORM}) if age_s < 3 else None
            assert answer is None or answer["ok"]
        assert error_of(client, "views.open", trigger_id="too-late", view=FORM) == "expired_trigger_id"
        assert slack.modal(alice, within_s=0)


def test_a_view_is_updated_only_in_its_latest_state(slack: Slack, client: WebClient, channel: str, alice: str) -> None:
    slack.command(alice, channel, "/x", trigger_id="t-update")
    view = client.views_open(trigger_id="t-update", view={**FORM, "external_id": "mine"})["view"]
    fresh = {**FORM, "title": {"type": "plain_text", "text": "Fresh"}}
    changed = client.views_update(view_id=view["id"], hash=view["hash"], view=fresh)["view"]
    open_ = slack.modal(alice)
    assert open_ is not None
    assert open_.title == "Fresh"
    assert changed["hash"] != view["hash"]
    assert error_of(client, "views.update", view_id=view["id"], hash=view["hash"], view=fresh) == "hash_conflict"
    assert error_of(client, "views.update", view_id="V404", view=fresh) == "not_found"
    assert error_of(client, "views.update", view=fresh) == "invalid_arguments"
    bad = {**FORM, "title": {"type": "plain_text", "text": "x" * 25}}
    assert error_of(client, "views.update", view_id=view["id"], view=bad) == "invalid_arguments"
    slack.dismiss(alice)
    assert error_of(client, "views.update", view_id=view["id"], view=fresh) == "not_found"


def test_a_home_is_no_modal_and_a_modal_no_home(client: WebClient, alice: str) -> None:
    assert error_of(client, "views.publish", user_id=alice, view=FORM) == "invalid_arguments"
    home = {"type": "home", "blocks": BLOCKS}
    assert error_of(client, "views.open", trigger_id="x", view=home) == "invalid_arguments"
    assert error_of(client, "views.publish", user_id="U404", view=home) == "user_not_found"


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


def test_calls_are_written_down_as_understood(slack: Slack, client: WebClient, alice: str) -> None:
    client.users_info(user=alice, include_locale=True)
    call = slack.calls[-1]
    assert (call.method, call.args, call.error) == (
        "users.info",
        {"user": alice, "include_locale": True},
        None,
    )


def test_messages_are_dated_by_the_given_clock_and_never_twice_alike() -> None:
    instant = datetime(2017, 1, 31, 23, 0, tzinfo=UTC)
    clock = SetClock(instant)
    slack = Slack(clock=clock)
    alice, channel = slack.add_user("alice"), slack.add_channel("inc-1")
    stamps = [slack.say(alice, channel, "x").ts for _ in range(3)]
    clock.set(instant + timedelta(seconds=5))
    stamps.append(slack.say(alice, channel, "x").ts)
    assert stamps == ["1485903600.000000", "1485903600.000001", "1485903600.000002", "1485903605.000000"]


def test_waiting_ends_with_what_was_waited_for_or_with_a_timeout(slack: Slack) -> None:
    assert slack.wait_for(lambda: [1]) == [1]
    with pytest.raises(TimeoutError):
        slack.wait_for(lambda: None, within_s=0.05)


def test_there_is_no_address_before_serving() -> None:
    with pytest.raises(RuntimeError, match="not serving"):
        print(Slack(clock=now).api_url)
