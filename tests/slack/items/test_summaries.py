"""The weekly summary: each change in exactly one, who is late since when, and what waits longest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from bot.slack.bot import build
from storage.database import Database
from tests.support.workplace import Workplace, at, workplace

CHANNEL = "C000000009"


@contextmanager
def told(database: Database, clock: SetClock, **settings: Any) -> Iterator[Workplace]:
    """A workplace with an incident on Thursday 12 March 2026, and a channel for summaries."""
    with workplace(database, clock=clock, SCRIBE_SUMMARY_CHANNEL=CHANNEL, **settings) as office:
        while office.slack.add_channel("operations") != CHANNEL:
            pass
        office.say("/detected disk full")
        yield office


def do(office: Workplace, *typed: str, user: str | None = None) -> None:
    for each in typed:
        office.ask(f"/actionitem {each}", user=user or office.alice)


def play(office: Workplace, until: str, hours: int = 1) -> None:
    """Tick from now on until then."""
    clock = office.bot.context.clock
    assert isinstance(clock, SetClock)
    while clock() < at(until):
        clock.set(min(clock() + timedelta(hours=hours), at(until)))
        office.bot.remind()
        office.deliver()


def summaries(office: Workplace) -> list[list[str]]:
    return [each.text.splitlines() for each in posted(office)]


def posted(office: Workplace) -> list[Message]:
    """The summaries in the channel, which is also told what has neither owner nor lead."""
    return [each for each in office.messages(CHANNEL) if each.text.startswith("Action items since")]


def heads(office: Workplace) -> list[str]:
    return [lines[0] for lines in summaries(office)]


def test_it_counts_what_became_of_each_item_since_the_last_one(sqlite: Database, clock: SetClock) -> None:
    with told(sqlite, clock) as office:
        do(
            office, "@bob by 2026-03-13: buy <disks>", "@bob by 2026-03-13: two", "@bob by 2026-03-18: three",
            "@bob by 2026-04-01: four", "@bob: five", "@bob by 2026-03-13: six", "done 2", "drop 6 moot",
        )  # fmt: skip
        play(office, "2026-03-17T12:00:00Z")
        # After the first summary; two, done before it, is answered for, and six stays dropped.
        do(office, "worked 2 yes", "done 1", "done 3", "done 5", "reopen 5", "done 5", "@bob: seven", "drop 7 moot")
        do(office, "@carol by 2026-03-19: eight")
        play(office, "2026-03-31T12:00:00Z")
        first, second, third = summaries(office)
        assert first == [
            "Action items since Monday 9 March 2026: 6 new · 1 done in time · 1 dropped · 4 to do, 1 of them late",
            "Late:",
            "• INC-1 1 buy &lt;disks&gt; · bob · since Friday 13 March 2026, 3 days",
            "Waiting longest: INC-1 1 buy &lt;disks&gt; · bob · unchanged since Thursday 12 March 2026",
        ]
        assert second[:3] == [
            (
                "Action items since Monday 16 March 2026: 2 new · 1 done in time · 1 done late · "
                "1 done without a date · 1 dropped · 2 to do, 1 of them late"
            ),
            "Late:",
            "• INC-1 8 eight · carol · since Thursday 19 March 2026, 4 days",
        ]
        assert third[0] == "Action items since Monday 23 March 2026: 2 to do, 1 of them late"


def test_an_item_done_in_the_evening_of_its_day_is_in_time_although_utc_is_a_day_ahead(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_SUMMARY_CHANNEL=CHANNEL) as office:
        while office.slack.add_channel("operations") != CHANNEL:
            pass
        office.say("/detected disk full", user=office.bob)
        do(office, "@bob by 2026-03-13: buy disks", "@bob by 2026-03-13: count", user=office.bob)
        clock.set(at("2026-03-14T01:00:00Z"))
        do(office, "done 1", user=office.bob)
        clock.set(at("2026-03-14T08:00:00Z"))
        do(office, "done 2", user=office.bob)
        play(office, "2026-03-16T09:00:00Z")
        assert "1 done in time · 1 done late" in heads(office)[0]


@pytest.mark.parametrize(
    ("holidays", "zone", "expected"),
    [
        # The Monday after the clocks went back; the week of the holidays has none.
        ("", "Europe/Berlin", [(26, 8), (33, 8), (40, 8)]),
        ("2026-10-26", "Europe/Berlin", [(27, 8), (33, 8), (40, 8)]),
        ("2026-10-26 2026-10-27 2026-10-28 2026-10-29 2026-10-30", "Europe/Berlin", [(33, 8), (40, 8)]),
    ],
)
def test_each_item_is_new_in_exactly_one_over_holidays_and_the_end_of_summer_time(
    sqlite: Database, clock: SetClock, holidays: str, zone: str, expected: list[tuple[int, int]]
) -> None:
    clock.set(at("2026-10-20T10:00:00Z"))
    with told(sqlite, clock, SCRIBE_HOLIDAYS=holidays, SCRIBE_TIMEZONE=zone) as office:
        hours = 7
        for number in range(68):
            play(office, (at("2026-10-20T10:00:00Z") + timedelta(hours=hours * number)).isoformat())
            # Words twice within a minute would be asked about.
            do(office, f"@bob: thing {number}")
        last = clock()
        play(office, "2026-11-09T12:00:00Z")
        assert last > at("2026-11-08T20:00:00Z")
        new = [int(head.partition(": ")[2].partition(" new")[0]) if " new" in head else 0 for head in heads(office)]
        assert sum(new) == 68
        assert all(new)
        sent = [at("2026-10-01T00:00:00Z") + timedelta(days=day - 1, hours=hour) for day, hour in expected]
        assert [float(each.ts) for each in posted(office)] == [each.timestamp() for each in sent]


def test_what_a_process_that_was_away_missed_is_in_the_next_one(sqlite: Database, clock: SetClock) -> None:
    with told(sqlite, clock) as office:
        do(office, "@bob: one")
        play(office, "2026-03-16T12:00:00Z")
        do(office, "@bob: two")
        clock.set(at("2026-03-25T20:00:00Z"))
        do(office, "@bob: three")
        play(office, "2026-03-26T09:00:00Z")
        do(office, "@bob: four")
        play(office, "2026-03-30T12:00:00Z")
        assert [head.partition(" · ")[0] for head in heads(office)] == [
            "Action items since Monday 9 March 2026: 1 new",
            "Action items since Monday 16 March 2026: 2 new",
            "Action items since Thursday 26 March 2026: 1 new",
        ]


def test_several_replicas_post_one_and_what_is_said_at_that_instant_is_in_the_next(
    database: Database, clock: SetClock
) -> None:
    with told(database, clock) as office:
        do(office, "@bob: one")
        other = build(office.bot.context.settings, database, clock=clock)
        clock.set(at("2026-03-16T09:00:00Z"))
        for bot in (office.bot, other):
            bot.remind()
        do(office, "@bob: two")
        for bot in (office.bot, other):
            bot.context.delivery.deliver_due()
        other.stop()
        play(office, "2026-03-23T12:00:00Z")
        assert [head.partition(" · ")[0][-5:] for head in heads(office)] == ["1 new", "1 new"]


def test_what_is_late_by_more_than_30_days_is_named_in_each(sqlite: Database, clock: SetClock) -> None:
    with told(sqlite, clock) as office:
        # On Monday 27 April 2026 these are late by 31, 30 and 29 days; the last one is due that day.
        do(office, *(f"@bob by 2026-{day}: due {day}" for day in ("03-29", "03-28", "03-27", "04-27")))
        do(office, "@carol by 2026-03-26: done", "done 5")
        clock.set(at("2026-04-25T12:00:00Z"))
        play(office, "2026-04-27T12:00:00Z")
        assert summaries(office)[-1][1:6] == [
            "Late by more than 30 days:",
            "• INC-1 3 due 03-27 · bob · since Friday 27 March 2026, 31 days",
            "Late:",
            "• INC-1 2 due 03-28 · bob · since Saturday 28 March 2026, 30 days",
            "• INC-1 1 due 03-29 · bob · since Sunday 29 March 2026, 29 days",
        ]


@pytest.mark.parametrize(
    ("change", "waiting"),
    [
        ("", "INC-1 1 first · bob · unchanged since Thursday 12 March 2026"),
        ("snooze 1 2w", "INC-1 2 second · bob · unchanged since Friday 13 March 2026"),
        ("assign 1 @carol", "INC-1 2 second · bob · unchanged since Friday 13 March 2026"),
        ("due 1 2026-05-01", "INC-1 2 second · bob · unchanged since Friday 13 March 2026"),
        ("done 1", "INC-1 2 second · bob · unchanged since Friday 13 March 2026"),
        ("drop 1 moot", "INC-1 2 second · bob · unchanged since Friday 13 March 2026"),
        ("snooze 1 2d", "INC-1 2 second · bob · unchanged since Friday 13 March 2026"),
        ("snooze 2 2w", "INC-1 1 first · bob · unchanged since Thursday 12 March 2026"),
    ],
)
def test_what_waits_longest_changes_as_things_do(sqlite: Database, clock: SetClock, change: str, waiting: str) -> None:
    with told(sqlite, clock) as office:
        do(office, "@bob: first")
        clock.set(at("2026-03-13T12:00:00Z"))
        do(office, "@bob: second")
        clock.set(at("2026-03-14T12:00:00Z"))
        do(office, "@bob: third", *filter(None, [change]))
        play(office, "2026-03-16T12:00:00Z")
        assert summaries(office)[0][-1] == f"Waiting longest: {waiting}"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", ["Action items since Monday 16 March 2026: nothing new, nothing late · 1 to do"]),
        ("nothing", []),
    ],
)
def test_a_week_without_news_is_one_line_or_nothing(
    sqlite: Database, clock: SetClock, setting: str, expected: list[str]
) -> None:
    with told(sqlite, clock, SCRIBE_SUMMARY_EMPTY=setting) as office:
        do(office, "@bob by 2026-05-01: buy disks")
        play(office, "2026-03-24T12:00:00Z")
        assert [line for lines in summaries(office)[1:] for line in lines] == expected


def test_private_closed_and_other_workspaces_items_are_in_none(sqlite: Database, clock: SetClock) -> None:
    with told(sqlite, clock) as office:
        do(office, "@bob by 2026-03-13: buy disks")
        hidden, drill = office.slack.add_channel("acquisition", private=True), office.slack.add_channel("drill")
        ask: Callable[..., object] = office.ask
        for channel, words in ((hidden, "the zebra"), (drill, "a drill")):
            ask(f"/detected {words}", channel=channel)
            ask(f"/actionitem @bob by 2026-03-13: {words}", channel=channel)
        ask("/incident cancel drill", channel=drill)
        play(office, "2026-03-16T12:00:00Z")
        assert heads(office) == ["Action items since Monday 9 March 2026: 1 new · 1 to do, 1 of them late"]
        assert "zebra" not in str(summaries(office))
