"""A date and a time ahead of now: `2026-12-01 10:00`, `tomorrow 15:00`, `friday 10:00 CET`, `1 December, 3 pm`."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.domain.items.due import parse_due
from bot.domain.time.format import clock_text, short_day, zone_name, zone_text
from bot.domain.time.moment import LocalClock
from bot.domain.time.typed import twenty_four_hour
from bot.domain.time.zones import TypedZone, abbreviations_of, common_meaning, local_meaning, read_zone
from bot.domain.words import quoted
from bot.errors import ExampleError, UsageError

FARTHEST = timedelta(days=366)
"""The furthest ahead an appointment may lie; a later one is taken for a typing error."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """An instant ahead, aware UTC, and the zone whose clocks it was read on.

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
    example = f"{own.today + timedelta(days=7)} 10:00"
    parts = _parts(words, own, example)
    on = parse_due(parts.day, today=own.today)
    if on is None:
        raise ExampleError("On which day?", f"tomorrow {clock_text(parts.clock)}")
    # Compared as dates: near the year 9999 any arithmetic with zones would overflow.
    if on > own.today + FARTHEST:
        raise UsageError(f"{on} is more than a year ahead. Check the year: {example}")
    if on < own.today - timedelta(days=1):
        raise ExampleError(f"{on} is past: today is {own.today}.", example)
    clock = _clock_meant(parts, on, own)
    there = parse_due(parts.day, today=clock.today)
    if there is not None and there != on:
        # `tomorrow` in a zone where today has another date.
        raise UsageError(
            f"Today is {own.today} in {zone_text(own.zone)} and {clock.today} in {zone_text(clock.zone)}. "
            f"Type the date: {there} {clock_text(parts.clock)} {clock.typed}"
        )
    at = _instant(on, parts.clock, clock)
    if at <= now:
        shown = now.astimezone(clock.zone)
        raise ExampleError(
            f"{on} {clock_text(parts.clock)} is past: it is {shown:%F %H:%M} {zone_name(shown)} now.", example
        )
    return Appointment(at=at, zone=clock.zone, zone_assumed=parts.zone is None)


def _parts(words: str, own: LocalClock, example: str) -> _Parts:
    """The day may stand before the clock time or after it, the zone after either."""
    iso = bool(_ISO_T.search(words))
    words = _ISO_T.sub(r"\1 ", words)
    shown = _CLOCK.search(words)
    if shown is None:
        raise _no_time(words, own)
    if not iso and _UNTIL.match(words, shown.end()):
        raise ExampleError("How long it takes is typed after “for”.", f"{example} for 45m")
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
        raise ExampleError(
            f"I cannot read {quoted(after)} after the time. A zone is typed as 10:00 CET, 10:00 Europe/Berlin or "
            "10:00 UTC+1.",
            example,
        )
    half = (shown["half"] or shown["bare"] or "").lower()
    hour = twenty_four_hour(int(shown["hour"]), half) if half else int(shown["hour"])
    try:
        clock = time(hour, int(shown["minute"] or 0))
    except ValueError:
        raise ExampleError(f"{quoted(shown[0])} is no time of day.", example) from None
    return _Parts(day=_ON.sub("", before or after), clock=clock, zone=zone)


def _no_time(words: str, own: LocalClock) -> UsageError:
    try:
        on = parse_due(words, today=own.today)
    except UsageError:
        on = None
    if on is None:
        return ExampleError(f"I read no day and time in {quoted(words)}.", "friday 10:00 CET")
    return ExampleError(f"At what time on {on}?", f"{on} 10:00")


def _clock_meant(parts: _Parts, on: date, own: LocalClock) -> LocalClock:
    """The clock of the typed zone.

    An abbreviation means the typist's own zone where its clocks go by it then, else what it means everywhere.
    """
    typed = parts.zone
    if typed is None:
        return own
    if typed.zone is not None:
        return LocalClock(zone=typed.zone, now=own.now, typed=typed.name)
    near = datetime.combine(on, time(12), UTC)
    meant = local_meaning(own.zone, typed.name, near)
    if meant is not None:
        at = datetime.combine(on, parts.clock, meant)
        if at.astimezone(own.zone).tzname() == typed.name.upper():
            return LocalClock(zone=own.zone, now=own.now, typed=typed.name)
    return LocalClock(zone=common_meaning(typed.name, own.zone, near), now=own.now, typed=typed.name)


def _instant(on: date, shown: time, clock: LocalClock) -> datetime:
    instants = clock.instants(datetime.combine(on, shown))
    if clock.typed and len(instants) > 1:
        # An abbreviation says which of the two it is: `02:30 CEST`.
        named = [at for at in instants if at.astimezone(clock.zone).tzname() == clock.typed.upper()]
        instants = named or instants
    if len(instants) == 1:
        return instants[0]
    where = f"{clock_text(shown)} on {short_day(on)} {on.year} in {zone_text(clock.zone)}"
    if not instants:
        later = f"{on} {min(shown.hour + 1, 23):02}:{shown.minute:02}"
        raise ExampleError(f"There is no {where}: the clocks go forward.", later)
    first, second = (zone_name(at.astimezone(clock.zone)) for at in instants)
    typed = f"{on} {clock_text(shown)}"
    raise UsageError(f"{where} comes twice: the clocks go back. Type which: {typed} {first}, or {typed} {second}")
