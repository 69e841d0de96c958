"""Slack fails and limits: each message is delivered once and in order, and no call is made too early."""

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


def enqueue(office: Workplace, channels: list[str], each: int, clock: SetClock) -> None:
    """Put `each` messages for each channel into the outbox, in turn."""
    with office.database.write() as connection:
        for number in range(each):
            for channel in channels:
                content = {"channel": channel, "text": f"{channel} {number}"}
                outbox.add(
                    connection, office.slack.team_id, lane=channel, action="post", content=content, at=clock()
                )  # fmt: skip


def deliver_until_empty(bot: Bot, database: Database, clock: SetClock) -> None:
    """Deliver, and advance the clock by half a second, until the outbox is empty."""
    give_up_at = clock() + LONGEST_STORM
    while clock() < give_up_at:
        bot.context.delivery.deliver_due()
        with database.read() as connection:
            if not set(outbox.count_by_state(connection)) & {"waiting", "sending"}:
                return
        clock.set(clock() + timedelta(seconds=0.5))
    pytest.fail("still not delivered")


def texts(slack: Slack, channel: str) -> list[str]:
    return [message.text for message in slack.messages(channel)]


def test_with_random_faults_each_message_comes_once_and_in_order(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock) as office:
        channels = [office.slack.add_channel(f"c{number}") for number in range(CHANNELS)]
        enqueue(office, channels, EACH, clock)
        faults = RandomFaults(clock)
        office.slack.fail_randomly(faults)
        deliver_until_empty(office.bot, database, clock)
        for channel in channels:
            assert texts(office.slack, channel) == [f"{channel} {number}" for number in range(EACH)]
        assert outbox_states(office) == {"sent": CHANNELS * EACH}
        errors = {call.error for call in office.slack.calls if call.method == "chat.postMessage"}
        assert {"ratelimited", "internal_error", "service_unavailable", "fatal_error", "request_timeout"} < errors
        assert faults.too_early == 0


def test_a_limited_channel_delays_no_other(office: Workplace, clock: SetClock) -> None:
    slow, quick = office.slack.add_channel("slow"), office.slack.add_channel("quick")
    office.slack.fail_next("chat.postMessage", retry_after_s=30)
    enqueue(office, [slow, quick], 3, clock)
    office.deliver()
    assert texts(office.slack, slow) == []
    assert len(texts(office.slack, quick)) == 3
    assert office.say("/detected disk full").startswith("Detected")
    clock.set(clock() + timedelta(seconds=29))
    office.deliver()
    assert texts(office.slack, slow) == []
    clock.set(clock() + timedelta(seconds=1))
    office.deliver()
    assert texts(office.slack, slow) == [f"{slow} {number}" for number in range(3)]


def test_a_limit_of_the_whole_workspace_pauses_every_channel(office: Workplace, clock: SetClock) -> None:
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


def test_a_permanent_error_of_slack_is_shown_in_the_status(office: Workplace) -> None:
    office.say("/detected disk full")
    assert "could not be delivered" not in office.private("/incident status")
    office.slack.fail_next("chat.postMessage", error="is_archived")
    office.slack.say(office.bob, office.channel, "@scribe did restarted db1")
    office.deliver()
    assert "1 message to this channel could not be delivered; Slack says: is_archived" in office.private(
        "/incident status"
    )


def test_messages_that_failed_for_the_token_are_sent_once_it_is_right_if_younger_than_a_day(
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
    (texts,) = office.messages()[before:]
    assert "restarted db1" in texts.text


def test_sent_jobs_and_receipts_are_deleted_after_a_month(office: Workplace, clock: SetClock) -> None:
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
