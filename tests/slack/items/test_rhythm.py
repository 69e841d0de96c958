"""A person's own rhythm of reminders: days and time, time off, mute; typed, shown and changed on the Home tab."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from bot.slack.bot import build
from bot.slack.outbound import home
from storage.database import Database
from tests.support.workplace import Workplace, at, workplace


@pytest.fixture
def busy(office: Workplace) -> Workplace:
    """Alice (UTC) leads; Bob (Los Angeles) owns an item due on Friday 13 March, Carol (Tokyo) one of the same day."""
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    office.say("/actionitem @bob by 2026-03-13: buy disks")
    office.say("/actionitem @carol by 2026-03-13: count disks")
    office.deliver()
    return office


def play(office: Workplace, until: str) -> None:
    """Tick every half hour from now on."""
    clock = office.bot.context.clock
    assert isinstance(clock, SetClock)
    while clock() < at(until):
        clock.set(clock() + timedelta(minutes=30))
        office.bot.remind()
        office.deliver()


def told(office: Workplace, user: str, words: str = "Your action items") -> list[str]:
    """When the person was sent a message with the words, in UTC."""
    found = [float(each.ts) for each in office.messages(user) if words in each.text]
    return [f"{datetime.fromtimestamp(ts, UTC):%a %d %H:%M}" for ts in found]


def remind(office: Workplace, words: str, user: str | None = None) -> str:
    return office.private(f"/actionitem remind {words}".strip(), user=user or office.bob)


def test_bare_it_shows_the_rhythm_in_the_persons_zone_and_changes_nothing(busy: Workplace) -> None:
    assert remind(busy, "").startswith("Your reminders come every workday at 09:00, Los Angeles time. To change it: ")
    assert remind(busy, "mondays and thursdays at 9:30").startswith(
        "Your reminders come on Monday and Thursday at 09:30, Los Angeles time."
    )
    assert remind(busy, "").startswith("Your reminders come on Monday and Thursday at 09:30, Los Angeles time.")
    assert remind(busy, "", busy.carol).startswith("Your reminders come every workday at 09:00, Tokyo time.")


def test_reminders_come_on_the_chosen_day_and_time_only(busy: Workplace) -> None:
    remind(busy, "tuesday 14:00")
    play(busy, "2026-03-27T23:30:00Z")
    tuesdays = told(busy, busy.bob)
    assert tuesdays
    assert {each[:3] for each in tuesdays} == {"Tue"}
    assert {each[-5:] for each in tuesdays} == {"21:00"}, "14:00 in Los Angeles"
    assert any(not each.startswith("Tue") for each in told(busy, busy.carol)), "others' rhythm is as before"


def test_a_time_before_the_working_hours_is_kept(busy: Workplace) -> None:
    remind(busy, "daily 7:00")
    play(busy, "2026-03-13T23:30:00Z")
    assert told(busy, busy.bob)[-1] == "Fri 13 14:00", "07:00 in Los Angeles"


def test_none_comes_before_the_day_until_which_they_are_off(busy: Workplace) -> None:
    assert "none before Tuesday 24 March 2026" in remind(busy, "off until 2026-03-24")
    play(busy, "2026-03-24T23:30:00Z")
    assert told(busy, busy.bob) == ["Tue 24 16:00"]
    assert "none before" not in remind(busy, "")


def test_who_comes_back_early_is_reminded_that_day(busy: Workplace) -> None:
    remind(busy, "off until 2026-03-31")
    play(busy, "2026-03-18T17:00:00Z")
    assert told(busy, busy.bob) == []
    remind(busy, "on")
    play(busy, "2026-03-18T17:30:00Z")
    assert told(busy, busy.bob) == ["Wed 18 17:30"]


def test_who_mutes_gets_none_and_the_lead_is_told_once_by_whatever_replica(busy: Workplace) -> None:
    assert remind(busy, "mute").startswith("You have muted your reminders")
    assert remind(busy, "mute").startswith("You have muted your reminders")
    busy.deliver()
    other = build(busy.bot.context.settings, busy.database, clock=busy.bot.context.clock)
    try:
        other.context.delivery.deliver_due()
        other.remind()
    finally:
        other.stop()
    play(busy, "2026-03-18T23:30:00Z")
    assert told(busy, busy.bob) == []
    (message,) = muted(busy, busy.alice)
    assert message.text == (
        "bob has muted the reminders of action items. Open, and of incidents you lead:\n"
        "• INC-1 1 · buy disks · due Friday 13 March 2026"
    )
    remind(busy, "on")
    play(busy, "2026-03-19T23:30:00Z")
    assert told(busy, busy.bob) == ["Thu 19 16:00"]


def muted(office: Workplace, user: str) -> list[Message]:
    return [each for each in office.messages(user) if "has muted" in each.text]


def test_a_lead_is_told_of_it_in_their_own_hours_and_not_if_it_is_undone_before(busy: Workplace) -> None:
    busy.say("/incident lead @carol")
    remind(busy, "mute")
    assert muted(busy, busy.carol) == [], "it is 21:00 in Tokyo"
    remind(busy, "on")
    play(busy, "2026-03-13T01:00:00Z")
    assert muted(busy, busy.carol) == []
    remind(busy, "mute")
    play(busy, "2026-03-13T02:00:00Z")
    assert len(muted(busy, busy.carol)) == 1


def test_a_private_incidents_words_are_not_in_what_its_lead_is_told_elsewhere(busy: Workplace) -> None:
    hidden = busy.slack.add_channel("acquisition", private=True)
    busy.say("/detected the zebra is out", channel=hidden)
    busy.say("/actionitem @bob: fence the zebra", channel=hidden)
    busy.say("/incident lead @carol", channel=hidden)
    remind(busy, "mute", busy.bob)
    play(busy, "2026-03-13T01:00:00Z")
    (message,) = muted(busy, busy.carol)
    assert "INC-2 1" in message.text
    assert "zebra" not in message.text


def test_nobody_is_told_of_a_mute_by_who_leads_or_has_nothing_open(busy: Workplace) -> None:
    busy.say("/actionitem @alice: look")
    remind(busy, "mute", busy.alice)
    busy.say("/actionitem done 2")
    remind(busy, "mute", busy.carol)
    play(busy, "2026-03-13T23:30:00Z")
    assert [muted(busy, user) for user in (busy.alice, busy.bob, busy.carol)] == [[], [], []]


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        (
            "monday 25:00",
            "25:00 is no rhythm I know. Others are daily 8:00, off until 2026-03-26, mute, default. Try: /actionitem",
        ),
        ("monday 9 friday 10", "One time for all days, please. Try: /actionitem remind monday, thursday 9:30"),
        ("INC-1 1", "Your reminders have one rhythm, whatever the incident, so none is named. Try: /actionitem remind"),
        ("INC-7 mute", "Your reminders have one rhythm, whatever the incident, so none is named."),
        ("off", "Until when? For good it is: mute. Try: /actionitem remind off until 2026-03-26"),
        ("off until 2026-03-12", "2026-03-12 is not a day of the year that begins tomorrow."),
        ("off until 2027-03-13", "2027-03-13 is not a day of the year that begins tomorrow."),
    ],
)
def test_other_words_are_refused_with_an_example(busy: Workplace, typed: str, problem: str) -> None:
    assert remind(busy, typed).startswith(problem)
    assert remind(busy, "").startswith("Your reminders come every workday at 09:00")


@pytest.mark.parametrize("words", ["the customers by friday", "5 customers of the renewal", "@bob of monday's call"])
def test_other_words_after_it_are_a_new_items(busy: Workplace, words: str) -> None:
    assert busy.say(f"/actionitem remind {words}").startswith("Action item 3 of INC-1: remind")


def test_it_is_shown_and_changed_on_the_home_tab(busy: Workplace) -> None:
    def shown() -> str:
        tab = busy.slack.home(busy.bob)
        assert tab
        return next(str(block) for block in tab.blocks if block["type"] == "context")

    busy.slack.open_home(busy.bob)
    busy.deliver()
    assert "Your reminders come every workday at 09:00, Los Angeles time" in shown()
    for value, words in (
        ("monday 09:00", "come on Monday at 09:00"), ("off 1w", "none before Thursday 19 March 2026"),
        ("mute", "You have muted your reminders"), ("on", "come on Monday at 09:00"), ("default", "every workday"),
    ):  # fmt: skip
        tab = busy.slack.home(busy.bob)
        assert tab
        assert busy.slack.click(busy.bob, tab, home.RHYTHM, value).ok
        busy.deliver()
        assert words in shown()


def test_it_works_in_a_direct_message_and_for_who_owns_nothing(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock) as office:
        office.slack.write(office.carol, "remind monday 9:30")
        assert office.messages(office.carol)[-1].text.startswith("Your reminders come on Monday at 09:30, Tokyo time.")
