from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from bot.domain.items.cadence import Cadence
from bot.domain.items.rhythm import describe, is_rhythm, parse_rhythm, personal
from bot.errors import UsageError
from storage.values import Rhythm
from tests.unit.domain.time.reading import utc

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 3, 12)
MONDAYS = Rhythm(days=(0,), at=time(9, 30))


@pytest.mark.parametrize(
    ("words", "rhythm"),
    [
        ("monday 9:30", MONDAYS),
        ("Mondays at 9.30", MONDAYS),
        ("every monday, 0930", MONDAYS),
        ("montag um 9:30 uhr", MONDAYS),
        ("mon, thu 8am", Rhythm(days=(0, 3), at=time(8))),
        ("monday to wednesday 14h15", Rhythm(days=(0, 1, 2), at=time(14, 15))),
        ("fr-mo noon", Rhythm(days=(0, 4, 5, 6), at=time(12))),
        ("daily 8:00", Rhythm(days=(0, 1, 2, 3, 4), at=time(8))),
        ("8:00", Rhythm(at=time(8))),
        ("tuesday", Rhythm(days=(1,))),
        ("off until 2026-04-01", Rhythm(off_until=date(2026, 4, 1))),
        ("off for 2 weeks", Rhythm(off_until=date(2026, 3, 26))),
        ("mute", Rhythm(muted=True)),
        ("default", Rhythm()),
    ],
)
def test_a_rhythm_is_read_as_people_write_it(words: str, rhythm: Rhythm) -> None:
    assert is_rhythm(words)
    assert parse_rhythm(words, before=Rhythm(), today=TODAY) == rhythm


def test_what_is_not_named_stays_and_a_new_rhythm_ends_a_mute() -> None:
    muted = Rhythm(days=(0,), at=time(9, 30), muted=True)
    assert parse_rhythm("8:00", before=muted, today=TODAY) == Rhythm(days=(0,), at=time(8))
    assert parse_rhythm("friday", before=muted, today=TODAY) == Rhythm(days=(4,), at=time(9, 30))
    assert parse_rhythm("on", before=muted, today=TODAY) == MONDAYS
    assert parse_rhythm("off 3d", before=MONDAYS, today=TODAY) == Rhythm(
        days=(0,), at=time(9, 30), off_until=date(2026, 3, 15)
    )


@pytest.mark.parametrize("words", ["monday 24:00", "monday 9:3o", "13pm", "off", "off until 2026-03-12", "weekly"])
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(UsageError):
        parse_rhythm(words, before=Rhythm(), today=TODAY)


def test_the_opening_is_on_their_day_and_time_over_the_change_of_the_clocks() -> None:
    cadence = personal(Cadence(holidays=frozenset({date(2026, 4, 6)})), MONDAYS)
    # Monday 23 March is winter time, 30 March summer time, 6 April a holiday.
    openings = [cadence.opening(date(2026, 3, day), BERLIN) for day in (23, 24, 30, 31)]
    assert openings == [utc(f"2026-{on}") for on in ("03-23 08:30", "03-30 07:30", "03-30 07:30", "04-13 07:30")]
    assert cadence.next_opening(utc("2026-03-30 07:30"), BERLIN) == utc("2026-04-13 07:30")
    assert not cadence.is_working(utc("2026-03-30 07:29"), BERLIN)
    assert cadence.is_working(utc("2026-03-30 07:30"), BERLIN)
    assert not cadence.is_working(utc("2026-03-31 07:30"), BERLIN)


@pytest.mark.parametrize(("at", "last"), [(time(7), "16:59"), (time(16, 30), "18:29"), (time(23), "23:59")])
def test_their_hours_last_two_hours_at_least_and_end_with_the_day(at: time, last: str) -> None:
    cadence, utc_zone = personal(Cadence(), Rhythm(at=at)), ZoneInfo("UTC")
    assert cadence.is_working(utc(f"2026-03-12 {last}"), utc_zone)
    assert not cadence.is_working(utc(f"2026-03-12 {at.hour - 1:02}:59"), utc_zone)


def test_before_the_day_there_is_no_opening_and_a_mute_is_off_in_everybodys_hours() -> None:
    away = personal(Cadence(), Rhythm(off_until=date(2026, 3, 21)))
    assert away.opening(date(2026, 3, 12), BERLIN) == utc("2026-03-23 08:00"), "that day is a Saturday"
    assert not away.is_working(utc("2026-03-20 12:00"), BERLIN)
    assert away.is_working(utc("2026-03-23 12:00"), BERLIN)
    muted = personal(Cadence(), Rhythm(muted=True))
    assert not muted.on
    assert muted.opening(date(2026, 3, 12), BERLIN) == Cadence().opening(date(2026, 3, 12), BERLIN)
    assert personal(Cadence(), None) == Cadence()


def test_it_is_told_in_words() -> None:
    said = [describe(each, Cadence(), today=TODAY) for each in (Rhythm(), MONDAYS, Rhythm(days=(0, 3), at=time(8)))]
    assert said == ["every workday at 09:00", "on Monday at 09:30", "on Monday and Thursday at 08:00"]
