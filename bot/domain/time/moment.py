"""Words to the instant they begin with, and the words after it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.time.ago import Ago, read_ago
from bot.domain.time.wallclock import FIRST_YEAR, WallClock, clock_text, zone_text
from bot.domain.time.walltime import WallTime, read_wall_time
from bot.domain.time.zones import TypedZone, abbreviations_of, by_table, used_by
from bot.domain.words import after_separator, after_visible, visible
from bot.errors import UsageError
from storage.values import whole_milliseconds

_AT = re.compile(r"at(?:\s+|(?=[-\u2212\u2013]?[0-9]))", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The instant some words begin with: `at` is aware UTC in whole milliseconds, `rest` the words after it.

    `zone_assumed`: it was read off the clocks of the typist's zone, because no zone was typed.
    `seconds`: seconds were typed.
    """

    at: datetime
    rest: str
    zone_assumed: bool
    seconds: bool


def parse_moment(words: str, *, now: datetime, zone: ZoneInfo, reference: datetime | None = None) -> Moment | None:
    """The moment the words begin with, None when they begin with no time.

    `now` is aware UTC, `zone` the typist's. A clock time without a date is the latest such moment not after
    now, or with a `reference` (aware) the one closest to that. Raises UsageError for what looks like a time
    and is none, may be meant in two ways, lies ahead of now or too far back.
    """
    typed = _read(visible(words), abbreviations_of(zone, reference or now))
    if typed is None:
        return None
    rest = after_separator(after_visible(words, typed.end))
    if isinstance(typed, Ago):
        at, assumed = now - typed.distance, False
    else:
        at, assumed = _instant(typed, now=now, zone=zone, reference=reference), typed.zone is None
    return Moment(at=whole_milliseconds(at), rest=rest, zone_assumed=assumed, seconds=typed.seconds)


def needs_zone(words: str) -> bool:
    """Whether the time the words begin with depends on the typist's zone. False when there is none to read.

    An abbreviation depends on it (`CST` is one thing in Chicago, another in Shanghai), and so does
    `yesterday`, whose date is not the same everywhere.
    """
    try:
        typed = _read(visible(words), frozenset())
    except UsageError:
        return False
    if not isinstance(typed, WallTime):
        return False
    return typed.zone is None or typed.zone.zone is None or typed.days_back is not None


def _read(words: str, own: frozenset[str]) -> Ago | WallTime | None:
    start = len(words) - len(words.lstrip())
    at = _AT.match(words, start)
    start = at.end() if at else start
    return read_ago(words, start) or read_wall_time(words, start, announced=at is not None, own=own)


def _instant(typed: WallTime, *, now: datetime, zone: ZoneInfo, reference: datetime | None) -> datetime:
    if typed.zone is None:
        return _on_clock(typed, WallClock(zone=zone, now=now), reference)
    if typed.zone.zone is None:
        return _by_abbreviation(typed, typed.zone, WallClock(zone=zone, now=now), reference)
    clocks = WallClock(zone=typed.zone.zone, now=now, typed=typed.zone.name)
    _refuse_two_days(typed, own=WallClock(zone=zone, now=now), other=clocks)
    return _on_clock(typed, clocks, reference)


def _by_abbreviation(typed: WallTime, name: TypedZone, own: WallClock, reference: datetime | None) -> datetime:
    """The typist's own meaning of the abbreviation where their clocks go by it then, else everybody's."""
    near = _near(typed, own.now, reference)
    meant = used_by(own.zone, name.name, near)
    if meant is not None:
        at = _on_clock(typed, WallClock(zone=meant, now=own.now, typed=name.name), reference)
        if at.astimezone(own.zone).tzname() == name.name.upper():
            return at
    clocks = WallClock(zone=by_table(name.name, own.zone, near), now=own.now, typed=name.name)
    _refuse_two_days(typed, own=own, other=clocks)
    return _on_clock(typed, clocks, reference)


def _near(typed: WallTime, now: datetime, reference: datetime | None) -> datetime:
    if typed.day and FIRST_YEAR <= typed.day.year <= now.year:
        return datetime.combine(typed.day, time(12), UTC)
    return reference or now


def _on_clock(typed: WallTime, clocks: WallClock, reference: datetime | None) -> datetime:
    if typed.day is not None:
        return clocks.on(typed.day, typed.clock)
    if typed.days_back is not None:
        return clocks.on(clocks.today - timedelta(days=typed.days_back), typed.clock)
    return clocks.nearest(typed.clock, reference) if reference else clocks.latest(typed.clock)


def _refuse_two_days(typed: WallTime, *, own: WallClock, other: WallClock) -> None:
    """`yesterday` with somebody else's zone, while the two disagree about today's date."""
    if typed.days_back is None or own.today == other.today:
        return
    day = other.today - timedelta(days=typed.days_back)
    raise UsageError(
        f"Today is {own.today} in {zone_text(own.zone)} and {other.today} in {zone_text(other.zone)}. "
        f"Type the date: {day} {clock_text(typed.clock)} {other.typed} …"
    )
