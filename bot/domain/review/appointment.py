"""A date and a time that lie ahead: `2026-12-01 10:00`, `tomorrow 15:00`, `friday 10:00 CET`, `1 December, 3 pm`."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.domain.items.due import parse_due
from bot.domain.time.format import clock_text, short_day, zone_name, zone_text
from bot.domain.time.wallclock import LocalClock
from bot.domain.time.zones import TypedZone, abbreviations_of, common_meaning, local_meaning, read_zone
from bot.domain.words import quoted
from bot.errors import UsageError

FARTHEST = timedelta(days=366)
"""Further ahead is a slip of the finger."""

_CLOCK = re.compile(
    r"(?<![\w:./+-])(?P<hour>[0-9]{1,2})"
    r"(?::(?P<minute>[0-9]{2})(?::00(?:\.0+)?)?(?:\s?(?P<half>[ap])\.?m\b\.?)?|\s?(?P<bare>[ap])\.?m\b\.?)"
    r"(?![\d:])",
    re.IGNORECASE,
)
_ISO_T = re.compile(r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})T(?=[0-9])", re.IGNORECASE)
_UNTIL = re.compile(
    r"\s*(?:[-\u2013\u2014]|to\b|until\b|till\b)\s*[0-9]{1,2}(?::[0-9]{2}|\s?[ap]m\b)(?!:)", re.IGNORECASE
)
_BEFORE = re.compile(r"(?:[\s,@]|\bat\b)+$", re.IGNORECASE)
_ON = re.compile(r"^on\s+(?=[0-9])", re.IGNORECASE)
_NOON = 12
_NOON_OF_DAY = time(_NOON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """An instant ahead, aware UTC, and the zone whose clocks it was told by.

    `zone_assumed`: that is the typist's own, because no zone was typed.
    """

    at: datetime
    zone: tzinfo
    zone_assumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The words for the day, the clock time, and the zone where one was typed."""

    day: str
    clock: time
    zone: TypedZone | None


def parse_appointment(words: str, *, now: datetime, zone: ZoneInfo) -> Appointment:
    """The instant the words stand for; `now` is aware UTC, `zone` the typist's.

    Raises UsageError where the day or the time is missing or is none, where the clocks skip it or show it twice,
    and for what is past or more than FARTHEST ahead.
    """
    own = LocalClock(zone=zone, now=now)
    parts = _parts(words, own)
    on = parse_due(parts.day, today=own.today)
    if on is None:
        raise UsageError(f"On which day? Try: tomorrow {clock_text(parts.clock)}, or {_example(own)}")
    _refuse_far(on, own)
    clocks = _clocks(parts, on, own)
    _refuse_two_days(parts, on, own, clocks)
    at = _instant(on, parts.clock, clocks)
    if at <= now:
        shown = now.astimezone(clocks.zone)
        raise UsageError(
            f"{on} {clock_text(parts.clock)} is past: it is {shown:%F %H:%M} {zone_name(shown)} now. "
            f"Try: {_example(own)}"
        )
    return Appointment(at=at, zone=clocks.zone, zone_assumed=parts.zone is None)


def _example(own: LocalClock) -> str:
    """A week from now at ten."""
    return f"{own.today + timedelta(days=7)} 10:00"


def _parts(words: str, own: LocalClock) -> _Parts:
    iso = bool(_ISO_T.search(words))
    words = _ISO_T.sub(r"\1 ", words)
    shown = _CLOCK.search(words)
    if shown is None:
        raise _no_time(words, own)
    if not iso and _UNTIL.match(words, shown.end()):
        raise UsageError(f"How long it takes is typed after “for”. Try: {_example(own)} for 45m")
    abbreviations = abbreviations_of(own.zone, own.now)
    zone = read_zone(words, shown.end(), iso=iso, own=abbreviations)
    before = _BEFORE.sub("", words[: shown.start()]).strip()
    after = words[zone.end if zone else shown.end() :].strip(" ,.")
    if zone is None and not before:
        # `15:00 tomorrow CET`
        day, _, last = after.rpartition(" ")
        zone = read_zone(f" {last}", 0, own=abbreviations)
        after = day.rstrip(" ,") if zone else after
    if before and after:
        raise UsageError(
            f"I cannot read {quoted(after)} after the time. A zone is typed as 10:00 CET, 10:00 Europe/Berlin or "
            f"10:00 UTC+1. Try: {_example(own)}"
        )
    return _Parts(day=_ON.sub("", before or after), clock=_clock(shown, own), zone=zone)


def _no_time(words: str, own: LocalClock) -> UsageError:
    try:
        on = parse_due(words, today=own.today)
    except UsageError:
        on = None
    if on is None:
        return UsageError(f"I read no day and time in {quoted(words)}. Try: {_example(own)}, or friday 10:00 CET")
    return UsageError(f"At what time on {on}? Try: {on} 10:00")


def _clock(shown: re.Match[str], own: LocalClock) -> time:
    hour, half = int(shown["hour"]), (shown["half"] or shown["bare"] or "").lower()
    if half:
        # A thirteenth hour before or after noon is one that no clock has.
        hour = hour % _NOON + (_NOON if half == "p" else 0) if 1 <= hour <= _NOON else -1
    try:
        return time(hour, int(shown["minute"] or 0))
    except ValueError:
        raise UsageError(f"{quoted(shown[0])} is no time of day. Try: {_example(own)}") from None


def _refuse_far(on: date, own: LocalClock) -> None:
    # Compared as dates: near the year 9999 any arithmetic with zones would overflow.
    if on > own.today + FARTHEST:
        raise UsageError(f"{on} is more than a year ahead. Check the year: {_example(own)}")
    if on < own.today - timedelta(days=1):
        raise UsageError(f"{on} is past: today is {own.today}. Try: {_example(own)}")


def _clocks(parts: _Parts, on: date, own: LocalClock) -> LocalClock:
    """The clocks meant. The typist's own where they go by the abbreviation typed, else what it means to anybody."""
    typed = parts.zone
    if typed is None:
        return own
    if typed.zone is not None:
        return LocalClock(zone=typed.zone, now=own.now, typed=typed.name)
    near = datetime.combine(on, _NOON_OF_DAY, UTC)
    meant = local_meaning(own.zone, typed.name, near)
    if meant is not None:
        at = datetime.combine(on, parts.clock, meant)
        if at.astimezone(own.zone).tzname() == typed.name.upper():
            return LocalClock(zone=own.zone, now=own.now, typed=typed.name)
    return LocalClock(zone=common_meaning(typed.name, own.zone, near), now=own.now, typed=typed.name)


def _refuse_two_days(parts: _Parts, on: date, own: LocalClock, other: LocalClock) -> None:
    """`tomorrow` with somebody else's zone, while the two disagree about today's date."""
    there = parse_due(parts.day, today=other.today)
    if there is not None and there != on:
        raise UsageError(
            f"Today is {own.today} in {zone_text(own.zone)} and {other.today} in {zone_text(other.zone)}. "
            f"Type the date: {there} {clock_text(parts.clock)} {other.typed}"
        )


def _instant(on: date, clock: time, clocks: LocalClock) -> datetime:
    instants = clocks.instants(datetime.combine(on, clock))
    if clocks.typed and len(instants) > 1:
        # An abbreviation says which of the two it is: `02:30 CEST`.
        named = [at for at in instants if at.astimezone(clocks.zone).tzname() == clocks.typed.upper()]
        instants = named or instants
    if len(instants) == 1:
        return instants[0]
    where = f"{clock_text(clock)} on {short_day(on)} {on.year} in {zone_text(clocks.zone)}"
    if not instants:
        later = f"{on} {min(clock.hour + 1, 23):02}:{clock.minute:02}"
        raise UsageError(f"There is no {where}: the clocks go forward. Try: {later}")
    first, second = (zone_name(at.astimezone(clocks.zone)) for at in instants)
    typed = f"{on} {clock_text(clock)}"
    raise UsageError(f"{where} comes twice: the clocks go back. Type which: {typed} {first}, or {typed} {second}")
