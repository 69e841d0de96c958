from slack_sdk import WebClient

from bot.clock import now
from bot.fakeslack.slack import Slack
from tests.integration.fakeslack.conftest import Stage


def test_naming_the_bot_makes_an_app_mention_with_thread_and_time(stage: Stage) -> None:
    root = stage.slack.say(stage.alice, stage.channel, "p99 is up")
    message = stage.slack.say(stage.bob, stage.channel, "@scribe detected <now>", thread_ts=root.ts)
    event = stage.echo.heard[-1]["event"]
    assert event["type"] == "app_mention"
    assert event["text"] == f"<@{stage.slack.bot_user_id}> detected &lt;now&gt;"
    assert (event["ts"], event["thread_ts"], event["user"]) == (message.ts, root.ts, stage.bob)
    assert stage.slack.wait_for(
        lambda: [one.text for one in stage.slack.messages(stage.channel) if one.text.startswith("heard")]
    )


def test_a_message_is_delivered_only_if_it_mentions_the_bot_where_it_is_a_member(stage: Stage) -> None:
    elsewhere = stage.slack.add_channel("without-bot", bot_is_member=False)
    stage.slack.say(stage.alice, stage.channel, "hello all")
    stage.slack.say(stage.alice, elsewhere, "@scribe hello")
    assert stage.echo.heard == []


def test_a_mention_needs_its_scope(stage: Stage) -> None:
    stage.slack.scopes = stage.slack.scopes - {"app_mentions:read"}
    stage.slack.say(stage.alice, stage.channel, "@scribe hello")
    assert stage.echo.heard == []


def test_reactions_are_delivered_only_with_their_scope(stage: Stage) -> None:
    message = stage.slack.say(stage.alice, stage.channel, "p99 is up")
    stage.slack.react(stage.bob, message, "pushpin")
    assert stage.echo.heard == []
    stage.slack.scopes = {*stage.slack.scopes, "reactions:read"}
    assert stage.slack.react(stage.alice, message, "pushpin").reactions == {"pushpin": (stage.bob, stage.alice)}
    added = stage.echo.heard[-1]["event"]
    assert (added["type"], added["reaction"], added["item_user"]) == (
        "reaction_added",
        "pushpin",
        stage.alice,
    )
    assert added["item"] == {"type": "message", "channel": stage.channel, "ts": message.ts}
    assert stage.slack.unreact(stage.bob, message, "pushpin").reactions == {"pushpin": (stage.alice,)}
    assert stage.echo.heard[-1]["event"]["type"] == "reaction_removed"


def test_pins_are_delivered_with_their_scope_and_the_message_but_not_with_its_files(stage: Stage) -> None:
    root = stage.slack.say(stage.alice, stage.channel, "what do we know?")
    message = stage.slack.share(stage.alice, stage.channel, "p99.png", b"x", text="p99 is up", thread_ts=root.ts)
    stage.slack.pin(stage.bob, message)
    assert stage.echo.heard == []
    stage.slack.scopes = {*stage.slack.scopes, "pins:read"}
    stage.slack.unpin(stage.alice, message)
    removed = stage.echo.heard[-1]["event"]
    assert (removed["type"], removed["user"], removed["has_pins"]) == ("pin_removed", stage.alice, False)
    assert removed["pinned_info"]["pinned_by"] == stage.bob
    stage.slack.pin(stage.bob, message)
    added = stage.echo.heard[-1]["event"]
    assert (added["type"], added["channel_id"], added["pin_count"]) == ("pin_added", stage.channel, 1)
    told = added["item"]["message"]
    assert (told["text"], told["ts"], told["user"]) == ("p99 is up", message.ts, stage.alice)
    assert told["permalink"].endswith(f"?thread_ts={root.ts}&cid={stage.channel}")
    assert told.keys().isdisjoint({"files", "thread_ts"})
    (listed,) = stage.echo.client.pins_list(channel=stage.channel)["items"]
    assert listed["message"]["thread_ts"] == root.ts
    assert [each["name"] for each in listed["message"]["files"]] == ["p99.png"]


def test_a_changed_zone_sends_user_change(stage: Stage) -> None:
    carol = stage.slack.add_user("carol", zone="Europe/London")
    stage.slack.change_user(carol, zone="Asia/Tokyo")
    user = stage.echo.heard[-1]["event"]["user"]
    assert (user["tz"], user["tz_offset"]) == ("Asia/Tokyo", 9 * 3600)


def test_opening_the_home_tab_sends_an_event_and_shows_what_was_published(stage: Stage) -> None:
    stage.slack.open_home(stage.alice)
    assert stage.echo.heard[-1]["event"]["tab"] == "home"
    stage.echo.client.views_publish(user_id=stage.alice, view={"type": "home", "blocks": [{"type": "divider"}]})
    home = stage.slack.home(stage.alice)
    assert home is not None
    assert home.blocks[0]["type"] == "divider"


def test_an_event_repeated_keeps_its_id_and_is_marked_as_a_retry(stage: Stage) -> None:
    stage.slack.say(stage.alice, stage.channel, "@scribe hello")
    stage.slack.repeat(stage.slack.answers[-1])
    first, second = stage.echo.heard
    assert first["event_id"] == second["event_id"]
    assert first["event_id"].startswith("Ev")
    assert stage.echo.retries[1] == "1"


def test_events_have_unique_ids_and_name_the_authorized_bot(stage: Stage) -> None:
    stage.slack.say(stage.alice, stage.channel, "@scribe hello")
    stage.slack.say(stage.alice, stage.channel, "@scribe hello")
    first, second = stage.echo.heard
    assert first["event_id"] != second["event_id"]
    assert first["authorizations"][0]["user_id"] == stage.slack.bot_user_id
    assert isinstance(first["event_time"], int)


def test_an_event_without_an_ack_is_recorded_as_undelivered() -> None:
    slack = Slack(clock=now)
    alice, channel = slack.add_user("alice"), slack.add_channel("inc-1")
    with slack.serving():
        slack.say(alice, channel, "@scribe are you there")
        slack.deliver_to("http://127.0.0.1:9/slack/events")
        slack.say(alice, channel, "@scribe and now")
    assert [answer.error for answer in slack.undelivered] == ["dispatch_failed", "dispatch_failed"]


def test_the_bots_own_message_sends_no_event(stage: Stage) -> None:
    client: WebClient = stage.echo.client
    client.chat_postMessage(channel=stage.channel, text=f"<@{stage.slack.bot_user_id}> says so itself")
    assert stage.echo.heard == []
