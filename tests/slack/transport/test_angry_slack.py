"""Slack fails, limits and forgets: what is to be said is said once, in order, and nobody is asked too early."""

from datetime import timedelta

import pytest

from bot.clock import SetClock
from bot.fakeslack.faults import RandomFaults
from bot.fakeslack.slack import Slack
from bot.slack.bot import Bot
from storage import outbox
from storage.database import Database
from tests.support.ledger import counts, outbox_states
from tests.support.workplace import Workplace, workplace

CHANNELS, EACH = 20, 12
LONGEST_STORM = timedelta(days=2)


def fill(office: Workplace, channels: list[str], each: int, clock: SetClock) -> None:
    """Put so many messages for each channel into the outbox, in turn."""
    with office.database.write() as connection:
        for number in range(each):
            for channel in channels:
                content = {"channel": channel, "text": f"{channel} {number}"}
                outbox.add(
                    connection, office.slack.team_id, lane=channel, action="post", content=content, at=clock()
                )  # fmt: skip


def sit_out(bot: Bot, database: Database, clock: SetClock) -> None:
    """Let the time pass, half a second at a time, until the outbox is empty."""
    give_up_at = clock() + LONGEST_STORM
    while clock() < give_up_at:
        bot.context.delivery.deliver_due()
        with database.read() as connection:
            if not set(outbox.count_by_state(connection)) & {"waiting", "sending"}:
                return
        clock.set(clock() + timedelta(seconds=0.5))
    pytest.fail("still not delivered")


def said(slack: Slack, channel: str) -> list[str]:
    return [message.text for message in slack.messages(channel)]


def test_in_any_weather_every_message_comes_once_and_in_order(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock) as office:
        channels = [office.slack.add_channel(f"c{number}") for number in range(CHANNELS)]
        fill(office, channels, EACH, clock)
        faults = RandomFaults(clock)
        office.slack.fail_randomly(faults)
        sit_out(office.bot, database, clock)
        for channel in channels:
            assert said(office.slack, channel) == [f"{channel} {number}" for number in range(EACH)]
        assert outbox_states(office) == {"sent": CHANNELS * EACH}
        errors = {call.error for call in office.slack.calls if call.method == "chat.postMessage"}
        assert {"ratelimited", "internal_error", "service_unavailable", "fatal_error", "request_timeout"} < errors
        assert faults.too_early == 0


def test_a_channel_that_is_limited_keeps_no_other_waiting(office: Workplace, clock: SetClock) -> None:
    slow, quick = office.slack.add_channel("slow"), office.slack.add_channel("quick")
    office.slack.fail_next("chat.postMessage", retry_after_s=30)
    fill(office, [slow, quick], 3, clock)
    office.deliver()
    assert said(office.slack, slow) == []
    assert len(said(office.slack, quick)) == 3
    assert office.say("/detected disk full").startswith("Detected")
    clock.set(clock() + timedelta(seconds=29))
    office.deliver()
    assert said(office.slack, slow) == []
    clock.set(clock() + timedelta(seconds=1))
    office.deliver()
    assert said(office.slack, slow) == [f"{slow} {number}" for number in range(3)]


def test_what_slack_limits_for_the_whole_workspace_is_left_alone_for_every_channel(
    office: Workplace, clock: SetClock
) -> None:
    method = "files.getUploadURLExternal"
    office.slack.fail_next(method, retry_after_s=60)
    for name in ("one", "two"):
        channel = office.slack.add_channel(name)
        office.say("/detected disk full", channel=channel)
        office.say("/resolved freed space", channel=channel)
    office.deliver()
    assert [call.method for call in office.slack.calls].count(method) == 1
    clock.set(clock() + timedelta(seconds=61))
    office.deliver()
    assert len(office.drafts) == 2


def test_what_slack_refuses_for_good_is_seen_in_the_status(office: Workplace) -> None:
    office.say("/detected disk full")
    assert "could not be delivered" not in office.private("/incident status")
    office.slack.fail_next("chat.postMessage", error="is_archived")
    office.slack.say(office.bob, office.channel, "@scribe did restarted db1")
    office.deliver()
    assert "1 message to this channel could not be delivered; Slack says: is_archived" in office.private(
        "/incident status"
    )


def test_what_slack_did_not_take_for_the_token_is_said_once_it_is_right_unless_it_is_old_news(
    office: Workplace, clock: SetClock
) -> None:
    office.say("/detected disk full")
    for words in ("@scribe did looked", "@scribe did restarted db1"):
        office.slack.fail_next("chat.postMessage", error="token_revoked")
        office.slack.say(office.bob, office.channel, words)
        office.deliver()
        clock.set(clock() + timedelta(hours=13))
    before = len(office.messages())
    office.bot.refresh()
    office.deliver()
    (said,) = office.messages()[before:]
    assert "restarted db1" in said.text


def test_what_was_sent_and_answered_a_month_ago_is_forgotten(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    office.slack.say(office.bob, office.channel, "@scribe did restarted db1")
    office.slack.fail_next("chat.postMessage", error="is_archived")
    office.slack.say(office.bob, office.channel, "@scribe did restarted db2")
    office.deliver()
    before = counts(office)
    clock.set(clock() + timedelta(days=29))
    office.bot.prune()
    assert counts(office) == before
    clock.set(clock() + timedelta(days=2))
    office.bot.prune()
    after = counts(office)
    assert (after["outbox"], after["receipts"]) == (1, 0)
    assert {name: count for name, count in before.items() if name not in {"outbox", "receipts"}} == {
        name: count for name, count in after.items() if name not in {"outbox", "receipts"}
    }
