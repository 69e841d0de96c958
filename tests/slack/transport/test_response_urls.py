"""Where the bot is in no channel of its own: four of five uses of a response_url, and nobody is left without a word."""

from datetime import timedelta

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Call
from bot.slack.outbound.presence import UNDELIVERED
from bot.slack.outbound.reply_urls import MOST_USES
from bot.slack.refusals import MOST_UNKNOWN
from storage import outbox, timeline
from tests.support.ledger import incident, outbox_states, problems
from tests.support.workplace import Workplace

LAST_WORDS = "For the rest, type /invite @scribe: then it comes by itself, or with /postmortem show INC-1."


@pytest.fixture
def outside(office: Workplace) -> str:
    """A channel without the bot, with an incident whose draft takes many messages."""
    channel = office.slack.add_channel("outside", bot_is_member=False)
    office.say("/detected disk full", channel=channel)
    with office.database.read() as connection:
        (first,) = timeline.of_incident(connection, incident(office).id)
    facts = {
        name: getattr(first, name)
        for name in ("occurred_at", "recorded_at", "author", "author_id", "recorded_by_id", "source", "permalink")
    }
    with office.database.write() as connection:
        for number in range(700):
            text = f"looked at host {number} and wrote down what was seen there, at some length"
            timeline.append(connection, incident(office).id, **facts, kind="investigating", text=text, qualifier=None)
    office.deliver()
    return channel


def uses(office: Workplace) -> list[Call]:
    return [call for call in office.slack.calls if call.method == "response_url"]


def direct(office: Workplace, user: str) -> list[str]:
    return [each.text for each in office.messages(user)]


def test_four_uses_and_the_last_tells_how_to_get_the_rest(office: Workplace, outside: str) -> None:
    before = len(uses(office))
    office.say("/resolved freed", channel=outside)
    office.deliver()
    used = uses(office)[before:]
    assert len(used) == MOST_USES
    assert [LAST_WORDS in call.args["text"] for call in used] == [False, False, False, True]
    assert LAST_WORDS in str(used[-1].args["blocks"])
    assert all(call.error is None for call in used)
    assert outbox_states(office)["parked"] > 2
    assert direct(office, office.alice) == []


def test_the_rest_comes_by_itself_after_the_invitation(office: Workplace, outside: str) -> None:
    office.say("/resolved freed", channel=outside)
    office.deliver()
    office.slack.change_channel(outside, bot_is_member=True)
    office.private("/incident status", channel=outside)
    office.deliver()
    whole = "".join(
        block["text"] for each in office.messages(outside) for block in each.blocks if block["type"] == "markdown"
    )
    assert all(whole.count(f"looked at host {number} and") == 1 for number in range(700))
    assert problems(office) == []


def test_uses_are_counted_over_a_restart_and_over_all_messages(office: Workplace, outside: str) -> None:
    payload = office.ask("/note we look", channel=outside).delivery.payload
    before = len(uses(office))
    for number in range(7):
        with office.database.write() as connection:
            outbox.post(
                connection, office.slack.team_id, outside, {"text": f"message {number}"},
                reply_url=payload["response_url"], at=office.bot.context.clock(),
            )  # fmt: skip
        office.deliver()
    assert [call.args["text"].partition("\n")[0] for call in uses(office)[before:]] == [
        f"message {number}" for number in range(MOST_USES)
    ]


def test_a_use_that_came_to_nothing_does_not_count(office: Workplace, outside: str, clock: SetClock) -> None:
    with office.database.write() as connection:
        outbox.post(
            connection, office.slack.team_id, outside, {"text": "kept"}, reply_url="http://127.0.0.1:9/x", at=clock()
        )
    for _ in range(MOST_USES + 2):
        office.deliver()
        clock.set(clock() + timedelta(minutes=6))
    assert outbox_states(office)["waiting"] == 1


@pytest.mark.parametrize("word", ["msg_too_long", "invalid_blocks", "restricted_action"])
def test_who_asked_is_told_once_what_slack_does_not_take(office: Workplace, word: str) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("chat.postMessage", error=word)
    office.slack.say(office.bob, office.channel, "@scribe did restarted db1")
    (message,) = direct(office, office.bob)
    assert message.startswith(f"INC-1: Slack does not take what was asked for in <#{office.channel}> ({word}):\n• ")
    assert direct(office, office.alice) == []
    assert len(direct(office, office.bob)) == 1


def test_an_unknown_word_is_tried_a_few_times_then_told(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("chat.postMessage", error="a_new_word", times=MOST_UNKNOWN)
    office.slack.say(office.bob, office.channel, "@scribe did restarted db1")
    for _ in range(MOST_UNKNOWN - 1):
        office.deliver()
        assert problems(office) == []
        clock.set(clock() + timedelta(minutes=1))
    office.deliver()
    assert problems(office) == [("post", "a_new_word")]
    assert len(direct(office, office.bob)) == 1


def test_without_direct_messages_it_is_told_in_the_channel_to_them_alone(office: Workplace) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("chat.postMessage", error="msg_too_long")
    office.slack.fail_next("chat.postMessage", error="messages_tab_disabled")
    office.slack.say(office.bob, office.channel, "@scribe did restarted db1")
    assert direct(office, office.bob) == []
    told = [each for each in office.messages(user=office.bob) if "msg_too_long" in each.text]
    assert [each.ephemeral_for for each in told] == [office.bob]


def test_what_can_be_told_nowhere_is_not_tried_for_ever(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("chat.postMessage", error="missing_scope", times=9)
    office.slack.fail_next("chat.postEphemeral", error="missing_scope", times=9)
    office.slack.say(office.bob, office.channel, "@scribe did restarted db1")
    for _ in range(5):
        office.deliver()
        clock.set(clock() + timedelta(minutes=10))
    assert outbox_states(office)["parked"] == 1
    assert "waiting" not in outbox_states(office)


def test_a_refused_token_is_told_nobody_and_sent_when_it_is_right(office: Workplace) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("chat.postMessage", error="token_revoked")
    office.slack.say(office.bob, office.channel, "@scribe did restarted db1")
    assert direct(office, office.bob) == []
    with office.database.read() as connection:
        assert [each.action for each in outbox.parked_in(
            connection, office.slack.team_id, office.bob, problems=["token_revoked"]
        )] == []  # fmt: skip
    office.bot.refresh()
    assert any("restarted db1" in each.text for each in office.messages())
    assert UNDELIVERED not in dict(problems(office))
