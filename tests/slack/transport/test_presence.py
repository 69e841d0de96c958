"""The bot is not in the channel, or the channel is archived: that is said, and what could not be posted is not lost."""

from datetime import timedelta

import pytest

from bot.clock import SetClock
from bot.handlers.terminal import record_entry
from storage import outbox
from tests.support.ledger import outbox_states
from tests.support.workplace import Workplace, at

INVITE = "/invite @scribe"
NEXT_DAY = at("2026-03-13T09:00:00Z")
FROM_A_TERMINAL = "From a terminal, by nightly: Note · "


def told(office: Workplace, channel: str, user: str) -> list[str]:
    """What the person alone was told in the channel about inviting the bot."""
    return [each.text for each in office.messages(channel, user) if each.ephemeral_for == user and INVITE in each.text]


def direct(office: Workplace, user: str) -> list[str]:
    """The direct messages to the person."""
    return [each.text for each in office.messages(user)]


def posted(office: Workplace, channel: str) -> list[str]:
    return [each.text for each in office.messages(channel)]


def log(office: Workplace, words: str) -> None:
    """Record the words from a terminal: the receipt is for the channel, and nobody in Slack has asked for it."""
    context = office.bot.context
    record_entry(
        office.database, context.settings, "INC-1", words, at=context.clock(), author="nightly", workspace_id=None
    )


@pytest.fixture(params=[False, True], ids=["public", "private"])
def outside(office: Workplace, request: pytest.FixtureRequest) -> str:
    """A channel that the bot was not invited to."""
    return office.slack.add_channel("outside", private=request.param, bot_is_member=False)


@pytest.fixture
def waiting(office: Workplace, outside: str, clock: SetClock) -> str:
    """The same, with a receipt from a terminal that could not be posted there."""
    office.say("/detected disk full", channel=outside)
    office.deliver()
    clock.set(NEXT_DAY)
    log(office, "note the backup has run")
    office.deliver()
    assert outbox_states(office)["parked"] == 1
    return outside


def test_the_first_receipt_is_followed_by_how_to_invite_the_bot_once(office: Workplace, outside: str) -> None:
    office.say("/detected disk full", channel=outside)
    (hint,) = told(office, outside, office.alice)
    assert "not in this channel" in hint
    office.say("/note we look", channel=outside)
    office.say("/did restarted db1", channel=outside, user=office.bob)
    assert len(told(office, outside, office.alice)) == 1
    assert told(office, outside, office.bob) == []
    status = office.private("/incident status", channel=outside)
    assert status.endswith(f"Scribe is not in the incident's channel. Type there: {INVITE}")


def test_where_the_bot_is_a_member_nothing_is_said_and_slack_is_asked_once(office: Workplace) -> None:
    for words in ("/detected disk full", "/note we look", "/did restarted db1"):
        office.say(words)
        assert told(office, office.channel, office.alice) == []
    assert [call.method for call in office.slack.calls].count("chat.postEphemeral") == 1
    assert INVITE not in office.private("/incident status")


def test_only_to_look_needs_no_invitation(office: Workplace, outside: str) -> None:
    office.private("/incident help", channel=outside)
    office.refused("/incident status", channel=outside)
    assert told(office, outside, office.alice) == []


def test_a_look_right_after_the_first_receipt_does_not_hide_the_hint(office: Workplace, outside: str) -> None:
    office.say("/detected disk full", channel=outside)
    office.private("/incident status", channel=outside)
    assert len(told(office, outside, office.alice)) == 1


def test_a_hint_that_could_not_be_delivered_is_given_with_the_next_receipt(office: Workplace, outside: str) -> None:
    office.slack.fail_next("chat.postEphemeral", error="internal_error")
    office.say("/detected disk full", channel=outside)
    assert told(office, outside, office.alice) == []
    office.say("/note we look", channel=outside)
    assert len(told(office, outside, office.alice)) == 1


def test_what_waits_is_posted_at_the_next_words_after_the_invitation(office: Workplace, waiting: str) -> None:
    assert f"{INVITE} · 1 message waits for that" in office.private("/incident status", channel=waiting)
    office.slack.change_channel(waiting, bot_is_member=True)
    office.private("/incident status", channel=waiting)
    assert sum(text.startswith(FROM_A_TERMINAL) for text in posted(office, waiting)) == 1
    assert set(outbox_states(office)) == {"sent"}
    assert INVITE not in office.private("/incident status", channel=waiting)


@pytest.mark.parametrize("repeats", [1, 2])
def test_what_waits_is_posted_at_once_where_slack_tells_of_the_invitation(
    office: Workplace, waiting: str, repeats: int
) -> None:
    office.slack.scopes |= {"channels:read", "groups:read"}
    office.slack.change_channel(waiting, bot_is_member=True)
    for _ in range(1, repeats):
        office.slack.repeat(office.slack.answers[-1])
    before = [call.method for call in office.slack.calls].count("chat.postEphemeral")
    office.slack.wait_for(lambda: "parked" not in outbox_states(office))
    assert sum(text.startswith(FROM_A_TERMINAL) for text in posted(office, waiting)) == 1
    assert set(outbox_states(office)) == {"sent"}
    assert [call.method for call in office.slack.calls].count("chat.postEphemeral") == before


def test_what_waits_is_posted_within_the_hour_without_a_word(office: Workplace, waiting: str) -> None:
    office.bot.presence.look_again()
    office.deliver()
    assert outbox_states(office)["parked"] == 1
    office.slack.change_channel(waiting, bot_is_member=True)
    office.bot.presence.look_again()
    office.deliver()
    assert set(outbox_states(office)) == {"sent"}


def test_what_is_a_month_old_is_not_posted_any_more(office: Workplace, waiting: str, clock: SetClock) -> None:
    clock.set(clock() + timedelta(days=31))
    office.slack.change_channel(waiting, bot_is_member=True)
    office.bot.presence.look_again()
    office.say("/note late", channel=waiting)
    office.deliver()
    assert outbox_states(office)["parked"] == 1


def test_the_lead_is_told_once_what_could_not_be_posted_for_want_of_an_invitation(
    office: Workplace, outside: str, clock: SetClock
) -> None:
    office.say("/detected disk full", channel=outside)
    office.say("/incident lead @carol", channel=outside)
    log(office, "note the backup has run")
    log(office, "did freed <50 GB")
    for days in range(4):
        office.deliver()
        clock.set(NEXT_DAY + timedelta(days=days))
        log(office, f"note day {days}")
    office.deliver()
    assert outbox_states(office)["parked"] == 6
    # Carol is in no private channel, so she is not told what was said there.
    private = office.slack.workspace.channels[outside].private
    receipts = ("Note · 12:00 UTC · INC-1 #3", "Did · 12:00 UTC · INC-1 #4")
    words = ["a message"] * 2 if private else [f"From a terminal, by nightly: {each}" for each in receipts]
    (message,) = direct(office, office.carol)
    assert message.splitlines() == [
        f"INC-1: Scribe is not in its channel <#{outside}>, so it could not post there:",
        *(f"• {each}" for each in words),
        f"To have it posted after all, type in that channel: {INVITE}",
    ]


def test_a_bot_that_was_removed_is_missed_by_the_next_receipt(office: Workplace) -> None:
    office.say("/detected disk full")
    office.deliver()
    office.slack.change_channel(office.channel, bot_is_member=False)
    office.say("/resolved freed space")
    office.deliver()
    assert len(told(office, office.channel, office.alice)) == 1


def test_the_lead_is_told_once_what_an_archived_channel_did_not_take(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident lead @carol")
    office.slack.change_channel(office.channel, archived=True)
    with office.database.write() as connection:
        for words in ("A &lt;b&gt; &amp; c", "second\nand more"):
            outbox.post(
                connection, office.slack.team_id, office.channel, {"text": words}, at=office.bot.context.clock()
            )
    (message,) = direct(office, office.carol)
    assert message.splitlines() == [
        f"INC-1: its channel <#{office.channel}> is archived, so Scribe could not post there:",
        "• A &lt;b&gt; &amp; c",
        "• second",
        "What was recorded is recorded all the same. For news to arrive, unarchive the channel.",
    ]
    with office.database.write() as connection:
        outbox.post(connection, office.slack.team_id, office.channel, {"text": "third"}, at=office.bot.context.clock())
    assert len(direct(office, office.carol)) == 1


def test_without_a_lead_the_one_who_recorded_first_is_told(office: Workplace) -> None:
    office.say("/detected disk full", user=office.bob)
    office.say("/note seen")
    office.slack.change_channel(office.channel, archived=True)
    with office.database.write() as connection:
        outbox.post(connection, office.slack.team_id, office.channel, {"text": "x"}, at=office.bot.context.clock())
    assert len(direct(office, office.bob)) == 1
    assert direct(office, office.alice) == []


def test_a_lead_who_never_was_in_a_private_channel_is_not_told_its_words(office: Workplace) -> None:
    place = office.slack.add_channel("secret", private=True, members=[office.alice])
    office.say("/detected the merger leaked", channel=place)
    office.say("/incident private", channel=place)
    office.say("/incident lead @carol", channel=place)
    office.slack.change_channel(place, archived=True)
    with office.database.write() as connection:
        content = {"text": "the merger leaked"}
        outbox.post(connection, office.slack.team_id, place, content, at=office.bot.context.clock())
    (message,) = direct(office, office.carol)
    assert "• a message\n" in message
    assert "merger" not in message
