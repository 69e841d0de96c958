from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import SetClock, now
from bot.fakeslack.slack import Slack


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
