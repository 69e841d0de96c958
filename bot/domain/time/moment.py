"""The time some words begin with, as an instant, and the words after it: `at 14:02 disk full`.

Two forms are read: times counted back from now (`-10m`, `-1h30m`, `-2 days`), and times as a clock shows them
(`14:02`, `2:02 pm`, `yesterday 23:50`, `2026-11-21T14:02:30Z`). Words that only look like a time are refused: taken
for words, the entry would be recorded as now.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.time.format import clock_text, zone_text
from bot.domain.time.wallclock import FIRST_YEAR, LocalClock, twenty_four_hour
from bot.domain.time.zones import TypedZone, abbreviations_of, common_meaning, local_meaning, read_zone
from bot.domain.words import after_separator, after_visible, quoted, visible
from bot.errors import UsageError
from storage.values import whole_milliseconds

LONGEST = timedelta(days=400)
"""The furthest back a time counted from now may lie; a longer one is taken for a typing error."""

MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
"""A regular expression for a month's name, in lower case."""

_AT = re.compile(r"at(?:\s+|(?=[-\u2212\u2013]?[0-9]))", re.IGNORECASE)

_MINUS = r"[-\u2212\u2013]"
_UNIT = r"days?|hours?|hrs?|minutes?|mins?|seconds?|secs?"
_END = r"(?![\w%/])"
_RELATIVE = re.compile(
    rf"{_MINUS}(?:(?P<number>[0-9]+)\s?(?P<unit>{_UNIT})|(?P<parts>(?:[0-9]+[dhms])+|[0-9]+h[0-9]{{2}})){_END}",
    re.IGNORECASE,
)
_FRACTION = re.compile(rf"{_MINUS}[0-9]+[.,][0-9]+\s?(?:[dh]|{_UNIT}){_END}", re.IGNORECASE)
_SECOND_PART = re.compile(rf"\s+[0-9]+\s?(?:[hms]|{_UNIT}){_END}", re.IGNORECASE)
_PART = re.compile(r"([0-9]+)([dhms])")
_DESCENDING = re.compile(r"(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?")
_UNIT_S = {"d": 24 * 60 * 60, "h": 60 * 60, "m": 60, "s": 1}
_MAX_DIGITS = 9

_ISO_DATE = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_DAY_BEFORE = re.compile(
    r"(?:(?P<word>yesterday|today)(?:,\s*|\s+)"
    rf"|(?:on\s+)?(?P<date>{_ISO_DATE})(?:(?P<iso>T)|,\s*|\s+))(?:at\s+)?(?=[0-9])",
    re.IGNORECASE,
)
_DAY_AFTER = re.compile(
    rf"[\s,]+(?:(?P<word>yesterday|today)|on\s+(?P<date>{_ISO_DATE})|(?P<last>{_ISO_DATE})(?=\s*(?:[:,;]|$)))"
    r"(?![\w'\u2019/-])",
    re.IGNORECASE,
)
_DAYS_BACK = {"today": 0, "yesterday": 1}
_CLOCK = re.compile(
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+)|,(?P<thousandths>[0-9]{3}))?)?"
    r"(?![0-9]|::?[0-9]|['\u2019%*=])"
)
_HALF = r"(?P<half>[ap])\.?m(?:\.(?![0-9])|(?![\w'\u2019]))"
_AM_PM = re.compile(rf"\s?{_HALF}", re.IGNORECASE)
_BARE_HOUR = re.compile(rf"(?P<hour>[0-9]{{1,2}})(?=\s?{_HALF})", re.IGNORECASE)
_NOON, _MIDNIGHT, _HOUR_MINUTES = 12, 24, 60

_MAC_ADDRESS = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}", re.IGNORECASE)
_ONE_DIGIT_SECOND = re.compile(r"[0-9]{1,2}:[0-5][0-9]:[0-9](?![\w:.])")
_UNUSUAL = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3])(?:[h.](?P<minute>[0-5][0-9])|:(?P<digit>[0-9]))(?![\w:.%'\u2019])")
_FUSED = re.compile(r"[\w/~?]+|\.[0-9]+")
_WEEKDAY = r"(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?"
_OTHER_DAY = re.compile(
    rf"(?:on\s+)?(?P<day>tomorrow|{_WEEKDAY}|[0-9]{{1,2}}[./-][0-9]{{1,2}}(?:[./-](?:[0-9]{{4}}|[0-9]{{2}})?)?"
    rf"|[0-9]{{1,2}}\.?\s?{MONTH}|{MONTH}\s?[0-9]{{1,2}})(?:[\s,]+[0-9]{{4}})?"
    r"[\s,]+(?:at\s+)?(?P<clock>[0-9]{1,2}:[0-9]{2})(?![0-9]|::?[0-9])",
    re.IGNORECASE,
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeTime:
    """A time `distance` before now; its words end at `end`. `seconds`: seconds were typed."""

    distance: timedelta
    seconds: bool
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTime:
    """A clock time with what was typed of its day and zone; its words end at `end`.

    `days_back` counts from today. `seconds`: seconds were typed.
    """

    clock: time
    seconds: bool
    day: date | None
    days_back: int | None
    zone: TypedZone | None
    end: int


def parse_moment(words: str, *, now: datetime, zone: ZoneInfo, reference: datetime | None = None) -> Moment | None:
    """The moment the words begin with, None when they begin with no time.

    `now` is aware UTC, `zone` the typist's. A clock time without a date is the latest such moment not after
    now, or with a `reference` (aware) the one closest to that. Raises UsageError for what looks like a time
    and is none, may be meant in two ways, lies ahead of now or too far back.
    """
    typed = _read_time(visible(words), abbreviations_of(zone, reference or now))
    if typed is None:
        return None
    rest = after_separator(after_visible(words, typed.end))
    if isinstance(typed, RelativeTime):
        at, assumed = now - typed.distance, False
    else:
        at, assumed = _instant(typed, LocalClock(zone=zone, now=now), reference), typed.zone is None
    return Moment(at=whole_milliseconds(at), rest=rest, zone_assumed=assumed, seconds=typed.seconds)


def needs_zone(words: str) -> bool:
    """Whether the time the words begin with depends on the typist's zone; False where no time can be read.

    An abbreviation depends on it (`CST` is one thing in Chicago, another in Shanghai), and so does
    `yesterday`, whose date is not the same everywhere.
    """
    try:
        typed = _read_time(visible(words), frozenset())
    except UsageError:
        return False
    if not isinstance(typed, ClockTime):
        return False
    return typed.zone is None or typed.zone.zone is None or typed.days_back is not None


def _read_time(words: str, own: frozenset[str]) -> RelativeTime | ClockTime | None:
    start = len(words) - len(words.lstrip())
    at = _AT.match(words, start)
    start = at.end() if at else start
    return _read_relative_time(words, start) or _read_clock_time(words, start, announced=at is not None, own=own)


def _read_relative_time(words: str, start: int) -> RelativeTime | None:
    """The time counted back from now at `start` of the words, None when other words stand there.

    Raises UsageError when it is further back than LONGEST, or may be meant in two ways.
    """
    if fraction := _FRACTION.match(words, start):
        raise UsageError(f"{quoted(fraction[0])} has a fraction. Type whole units: -1h30m …")
    match = _RELATIVE.match(words, start)
    if match is None:
        return None
    typed = quoted(match[0])
    if match["unit"]:
        compact = match["number"] + match["unit"][0].lower()
    else:
        compact = match["parts"].lower() + ("m" if match["parts"][-1].isdigit() else "")
        if "M" in match["parts"]:
            raise UsageError(f"{typed} may be minutes or millions. For minutes type {typed.lower()} …")
    if not _DESCENDING.fullmatch(compact):
        raise UsageError(f"{typed} is no length of time. Try: -1h30m …")
    if more := _SECOND_PART.match(words, match.end()):
        doubt = quoted(more[0])
        joined = "".join((typed + doubt).split())
        raise UsageError(f"Does {doubt} belong to the time? If so, type {joined} …; if not, {typed}: {doubt} …")
    parts = _PART.findall(compact)
    # Python refuses to convert thousands of digits, and timedelta overflows on fewer: the limits come before both.
    too_long = any(len(number) > _MAX_DIGITS for number, _ in parts)
    distance_s = 0 if too_long else sum(int(number) * _UNIT_S[unit] for number, unit in parts)
    if too_long or distance_s > LONGEST.total_seconds():
        raise UsageError(f"{typed} is more than {LONGEST.days} days ago. Type the date: 2026-11-21 14:02 …")
    seconds = any(unit == "s" for _, unit in parts)
    return RelativeTime(distance=timedelta(seconds=distance_s), seconds=seconds, end=match.end())


def _read_clock_time(words: str, start: int, *, announced: bool, own: frozenset[str]) -> ClockTime | None:
    """The clock time at `start` of the words, None when other words stand there.

    `announced`: an `at` precedes, so that `3pm` is a time too. `own` are the abbreviations of the typist's
    zone. Raises UsageError for what looks like a time and is none.
    """
    if _MAC_ADDRESS.match(words, start):
        return None
    if other := _OTHER_DAY.match(words, start):
        raise UsageError(
            f"{quoted(other['day'])} is no day I can read here. Type the date: 2026-11-21 {other['clock']} …"
        )
    day = _DAY_BEFORE.match(words, start)
    start = day.end() if day else start
    shown = _CLOCK.match(words, start) or (_BARE_HOUR.match(words, start) if announced or day else None)
    if shown is None:
        _refuse_near_miss(words, start, announced=announced)
        return None
    half = _AM_PM.match(words, shown.end())
    clock = _time_of_day(shown, half)
    seconds = bool(shown.groupdict().get("second"))
    end = half.end() if half else shown.end()
    iso = day is not None and (bool(day["iso"]) or (bool(day["date"]) and seconds))
    zone = read_zone(words, end, iso=iso, own=own)
    if zone is None and (fused := _FUSED.match(words, end)):
        typed = quoted(words[start:end])
        raise UsageError(f"I cannot read {quoted(typed + fused[0])} as a time. Try a space: at {typed} …")
    end = zone.end if zone else end
    if day is None and (day := _DAY_AFTER.match(words, end)):
        end = day.end()
        zone = zone or read_zone(words, end, own=own)
        end = max(end, zone.end if zone else 0)
    days_back = _DAYS_BACK[day["word"].lower()] if day and day["word"] else None
    return ClockTime(clock=clock, seconds=seconds, day=_date(day), days_back=days_back, zone=zone, end=end)


def _refuse_near_miss(words: str, start: int, *, announced: bool) -> None:
    """Refuse `14:02:5`, and after an `at` also `14h02`, `14.02` and `14:2`."""
    if short := _ONE_DIGIT_SECOND.match(words, start):
        whole, _, second = short[0].rpartition(":")
        raise UsageError(f"{short[0]} may hold seconds or not. Type {whole}:0{second} …, or a space after {whole}")
    if announced and (unusual := _UNUSUAL.match(words, start)):
        minute = unusual["minute"] or f"0{unusual['digit']}"
        raise UsageError(f"{quoted(unusual[0])} may be a time or not. If it is, type: at {unusual['hour']}:{minute} …")


def _time_of_day(shown: re.Match[str], half: re.Match[str] | None) -> time:
    figures = shown.groupdict(default="")
    hour, minute, second = (int(figures.get(name) or 0) for name in ("hour", "minute", "second"))
    fraction = figures.get("fraction") or figures.get("thousandths") or ""
    milliseconds = int(f"{fraction:0<3}"[:3])
    hour_of_day = twenty_four_hour(hour, half["half"].lower()) if half else hour
    try:
        return time(hour_of_day, minute, second, milliseconds * 1000)
    except ValueError:
        typed = shown[0] + (half[0] if half else "")
        example = time(hour % (_NOON if half else _MIDNIGHT), minute if minute < _HOUR_MINUTES else minute % 10)
        raise UsageError(f"{quoted(typed)} is no time of day. Try: at {example:%H:%M} …") from None


def _date(day: re.Match[str] | None) -> date | None:
    figures = day.groupdict() if day else {}
    typed = figures.get("date") or figures.get("last")
    if not typed:
        return None
    try:
        return date(*(int(part) for part in typed.split("-")))
    except ValueError:
        raise UsageError(f"{typed} is no date. Try: 2026-11-21 14:02 …") from None


def _instant(typed: ClockTime, own: LocalClock, reference: datetime | None) -> datetime:
    """The instant meant; `own` is the clock of the typist's zone.

    An abbreviation means what it means in the typist's zone where its clocks go by it then, else what it means
    everywhere.
    """
    if typed.zone is None:
        return _on_clock(typed, own, reference)
    name, zone = typed.zone.name, typed.zone.zone
    if zone is None:
        near = reference or own.now
        if typed.day and FIRST_YEAR <= typed.day.year <= own.now.year:
            near = datetime.combine(typed.day, time(12), UTC)
        meant = local_meaning(own.zone, name, near)
        if meant is not None:
            at = _on_clock(typed, LocalClock(zone=meant, now=own.now, typed=name), reference)
            if at.astimezone(own.zone).tzname() == name.upper():
                return at
        zone = common_meaning(name, own.zone, near)
    clock = LocalClock(zone=zone, now=own.now, typed=name)
    if typed.days_back is not None and own.today != clock.today:
        day = clock.today - timedelta(days=typed.days_back)
        raise UsageError(
            f"Today is {own.today} in {zone_text(own.zone)} and {clock.today} in {zone_text(clock.zone)}. "
            f"Type the date: {day} {clock_text(typed.clock)} {name} …"
        )
    return _on_clock(typed, clock, reference)


def _on_clock(typed: ClockTime, clock: LocalClock, reference: datetime | None) -> datetime:
    if typed.day is not None:
        return clock.on(typed.day, typed.clock)
    if typed.days_back is not None:
        return clock.on(clock.today - timedelta(days=typed.days_back), typed.clock)
    return clock.nearest(typed.clock, reference) if reference else clock.latest(typed.clock)
