"""What a person who looks or joins is told: the status, the story so far, the help. Few lines, of what is known."""

from datetime import timedelta

import pytest

from bot.clock import SetClock
from bot.handlers.incident.incidents import HELP, HELP_MORE
from tests.support.ledger import outbox_states
from tests.support.workplace import Workplace, at

STATUS_LINES, STORY_LINES, HELP_LINES = 12, 10, 6


def told_alone(office: Workplace, user: str, channel: str | None = None) -> list[str]:
    """What the user is shown alone in the channel."""
    return [each.text for each in office.messages(channel, user) if each.ephemeral_for == user]


@pytest.fixture
def long(office: Workplace, clock: SetClock) -> Workplace:
    """An incident of which everything is known, at length, and that came back four times."""
    office.say("/detected at 10:00 by monitoring: first signs")
    office.say("/incident severity SEV1")
    for role in ("comms", "ops", "scribe"):
        office.say(f"/incident role {role} @carol")
    for kind in ("impact", "cause", "investigating", "ruledout", "did"):
        office.say(f"/{kind} " + "many words\n" * 60)
    for hour in range(4):
        clock.set(at("2026-03-12T13:00:00Z") + timedelta(hours=2 * hour))
        office.say("/mitigated turned it off")
        clock.set(clock() + timedelta(minutes=10))
        office.say("/impact 5% of carts")
        clock.set(clock() + timedelta(minutes=10))
        office.say("/resolved for now")
        clock.set(clock() + timedelta(minutes=10))
        office.say("/reopened again")
    office.say("/actionitem @bob: look")
    return office


def test_the_longest_status_and_story_are_short(long: Workplace) -> None:
    office = long
    shown, story = office.private("/incident status").splitlines(), office.private("/incident catchup").splitlines()
    assert len(shown) <= STATUS_LINES, shown
    assert len(story) <= STORY_LINES, story
    assert all(len(line) < 500 for line in (*shown, *story))
    assert "Lead: nobody yet · comms: carol · ops: carol · scribe: carol · 1 open action item" in shown[1]
    assert sum(line.startswith("• ") for line in shown) == sum(line.startswith("• ") for line in story) == 3
    assert "Round 5: 19:30 UTC on, still open" in "\n".join(shown)
    assert shown[-1] == "Next: /acknowledged I am on it"
    assert story[-1] == "All of it, 26 entries: /timeline · add what you see: /note errors are rising"


def test_the_next_step_is_what_is_missing_and_can_be_typed(office: Workplace) -> None:
    office.say("/detected disk full")
    steps: list[str] = []
    while not steps or not steps[-1].startswith("/postmortem"):
        steps.append(office.private("/incident status").splitlines()[-1].removeprefix("Next: "))
        assert office.ask(steps[-1]).ok
        office.deliver()
    assert [step.split()[0:2] for step in steps] == [
        ["/acknowledged", "I"], ["/incident", "lead"], ["/incident", "severity"], ["/impact", "who"],
        ["/mitigated", "what"], ["/resolved", "how"], ["/postmortem", "check"],
    ]  # fmt: skip
    office.say("/incident cancel a drill")
    assert "Next" not in office.private("/incident status")


def test_the_status_says_for_how_long_it_is_open(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open SEV3 disk full")
    assert "Open for under a minute · Lead: nobody yet" in office.private("/incident status")
    clock.set(at("2026-03-12T12:23:00Z"))
    assert "Open for 23 min" in office.private("/incident status")
    office.say("/started at 11:00")
    assert "Open for 1 h 23 min" in office.private("/incident status")
    office.say("/resolved")
    assert "Open for" not in office.private("/incident status")


def test_the_story_is_told_of_another_incident_as_its_status_is(office: Workplace) -> None:
    secret, elsewhere = office.slack.add_channel("secret", private=True), office.slack.add_channel("elsewhere")
    office.say("/detected disk full")
    office.say("/detected the zebra is out", channel=secret)
    assert "disk full" in office.private("/incident catchup INC-1", channel=elsewhere)
    assert "There is no INC-2 here." in office.refused("/incident catchup INC-2", channel=elsewhere)
    assert "zebra" in office.private("/incident recap", channel=secret)
    assert "Which incident? Try: /incident catchup INC-1" in office.refused("/incident catchup me up")


def test_who_joins_an_open_incidents_channel_is_told_the_story_once(office: Workplace) -> None:
    office.slack.scopes |= {"channels:read", "groups:read"}
    quiet = office.slack.add_channel("quiet")
    office.say("/detected disk full")
    office.deliver()
    assert office.slack.join(office.carol, quiet)
    joined = office.slack.join(office.carol, office.channel)
    assert joined
    assert joined.ok
    office.slack.repeat(joined)
    office.slack.join(office.carol, office.channel)
    [story] = told_alone(office, office.carol)
    assert story.startswith("INC-1 · open · disk full\nOpen for")
    assert "12:00 UTC (21:00 in Tokyo)" in story
    assert len(story.splitlines()) <= STORY_LINES
    assert told_alone(office, office.carol, quiet) == []
    assert told_alone(office, office.bob) == []
    office.say("/resolved freed")
    office.slack.join(office.bob, office.channel)
    assert told_alone(office, office.bob) == []
    office.say("/reopened")
    office.slack.join(office.bob, office.channel)
    assert len(told_alone(office, office.bob)) == 1
    assert outbox_states(office).keys() <= {"sent", "waiting"}


def test_programs_and_those_who_left_again_are_told_nothing_and_outsiders_their_channels_story(
    office: Workplace,
) -> None:
    office.slack.scopes |= {"channels:read", "groups:read", "users:read"}
    secret = office.slack.add_channel("secret", private=True)
    other = office.say("/detected the other one", channel=office.slack.add_channel("other"))
    assert other
    office.say("/detected the zebra is out, as in INC-1", channel=secret)
    robot = office.slack.add_user("robot", is_bot=True)
    guest = office.slack.add_user("guest", restricted=True)
    office.slack.join(robot, secret)
    office.slack.join(guest, secret)
    assert told_alone(office, robot, secret) == []
    [story] = told_alone(office, guest, secret)
    assert "zebra" in story
    assert "INC-1" not in story
    office.slack.fail_next("chat.postEphemeral", error="user_not_in_channel")
    office.slack.join(office.bob, secret)
    office.deliver()
    assert told_alone(office, office.bob, secret) == []
    assert outbox_states(office).keys() <= {"sent", "waiting"}


def test_the_story_is_tried_again_and_not_told_of_what_is_over(office: Workplace, clock: SetClock) -> None:
    office.slack.scopes |= {"channels:read", "groups:read"}
    office.say("/detected disk full")
    office.deliver()
    for user, closing in ((office.carol, None), (office.bob, "/incident cancel a drill")):
        office.slack.fail_next("chat.postEphemeral", error="internal_error")
        office.slack.join(user, office.channel)
        office.deliver()
        assert told_alone(office, user) == []
        if closing:
            office.say(closing)
        clock.set(clock() + timedelta(minutes=5))
        assert len(told_alone(office, user)) == (not closing)


def test_the_help_is_six_lines_with_a_button_for_each_subject(office: Workplace) -> None:
    for typed in ("/incident", "/incident help", "/incident ?"):
        answer = office.ask(typed)
        assert len(answer.text.splitlines()) == HELP_LINES, answer.text
        buttons = [each for block in answer.body["blocks"] if block["type"] == "actions" for each in block["elements"]]
        assert [each["action_id"] for each in buttons] == [f"{HELP_MORE}{group}" for group in HELP]
    for typed in ("@scribe", "@scribe help"):
        office.slack.say(office.bob, office.channel, typed)
        assert len(told_alone(office, office.bob)[-1].splitlines()) == HELP_LINES
    for group, words in (
        ("entries", "/detected [at TIME]"),
        ("incident", "/incident handover"),
        ("postmortem", "/postmortem draft"),
        ("actionitem", "/actionitem done NUMBER"),
    ):
        office.slack.click(office.alice, answer, f"{HELP_MORE}{group}")
        assert words in told_alone(office, office.alice)[-1], group
    everything = office.private("/incident help all")
    assert all(words in everything for words in ("/detected [at TIME]", "/postmortem draft", "also takes: "))
