"""Words to the instant they begin with, and the words after it.

Two forms are read: times counted back from now (`-10m`, `-1h30m`, `-2 days`), and times as a clock shows them
(`14:02`, `2:02 pm`, `yesterday 23:50`, `2026-11-21T14:02:30Z`).
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.time.wallclock import FIRST_YEAR, LocalClock, clock_text, zone_text
from bot.domain.time.zones import TypedZone, abbreviations_of, common_meaning, local_meaning, read_zone
from bot.domain.words import after_separator, after_visible, quoted, visible
from bot.errors import UsageError
from storage.values import whole_milliseconds

LONGEST = timedelta(days=400)
"""The furthest back a time counted from now may lie: beyond it is a slip of the finger."""

_MINUS = r"[-\u2212\u2013]"
_SPELT = r"days?|hours?|hrs?|minutes?|mins?|seconds?|secs?"
_END = r"(?![\w%/])"
_AGO = re.compile(
    rf"{_MINUS}(?:(?P<number>[0-9]+)\s?(?P<unit>{_SPELT})|(?P<parts>(?:[0-9]+[dhms])+|[0-9]+h[0-9]{{2}})){_END}",
    re.IGNORECASE,
)
_DECIMAL = re.compile(rf"{_MINUS}[0-9]+[.,][0-9]+\s?(?:[dh]|{_SPELT}){_END}", re.IGNORECASE)
_SECOND_PART = re.compile(rf"\s+[0-9]+\s?(?:[hms]|{_SPELT}){_END}", re.IGNORECASE)
_PART = re.compile(r"([0-9]+)([dhms])")
_FALLING = re.compile(r"(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeTime:
    """A time `distance` before now; its words end at `end`. `seconds` says whether seconds were typed."""

    distance: timedelta
    seconds: bool
    end: int


def read_relative_time(words: str, start: int) -> RelativeTime | None:
    """The time counted back from now at `start` of the words, None when other words stand there.

    Raises UsageError when it is further back than LONGEST, or may be meant in two ways.
    """
    if decimal := _DECIMAL.match(words, start):
        raise UsageError(f"{quoted(decimal[0])} has a fraction. Type whole units: -1h30m …")
    match = _AGO.match(words, start)
    if match is None:
        return None
    _refuse_doubt(match, words)
    parts = _PART.findall(_compact(match))
    if any(len(number) > _DIGITS for number, _ in parts):
        raise _too_far(match[0])
    distance = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    if distance > LONGEST:
        raise _too_far(match[0])
    return RelativeTime(distance=distance, seconds=any(unit == "s" for _, unit in parts), end=match.end())


def _compact(match: re.Match[str]) -> str:
    """One spelling for all: `10 minutes` as `10m`, `1h30` as `1h30m`."""
    if match["unit"]:
        return match["number"] + match["unit"][0].lower()
    parts = match["parts"].lower()
    return f"{parts}m" if parts[-1].isdigit() else parts


def _refuse_doubt(match: re.Match[str], words: str) -> None:
    typed = quoted(match[0])
    if match["parts"] and "M" in match["parts"]:
        raise UsageError(f"{typed} may be minutes or millions. For minutes type {typed.lower()} …")
    if not _FALLING.fullmatch(_compact(match)):
        raise UsageError(f"{typed} is no length of time. Try: -1h30m …")
    if more := _SECOND_PART.match(words, match.end()):
        doubt = quoted(more[0])
        joined = "".join((typed + doubt).split())
        raise UsageError(f"Does {doubt} belong to the time? If so, type {joined} …; if not, {typed}: {doubt} …")


def _too_far(typed: str) -> UsageError:
    return UsageError(f"{quoted(typed)} is more than {LONGEST.days} days ago. Type the date: 2026-11-21 14:02 …")


_NOON, _MIDNIGHT, _MINUTES = 12, 24, 60
_DAYS_BACK = {"today": 0, "yesterday": 1}
_ISO = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_DAY = re.compile(
    r"(?:(?P<word>yesterday|today)(?:,\s*|\s+)"
    rf"|(?:on\s+)?(?P<date>{_ISO})(?:(?P<iso>T)|,\s*|\s+))(?:at\s+)?(?=[0-9])",
    re.IGNORECASE,
)
_DAY_AFTER = re.compile(
    rf"[\s,]+(?:(?P<word>yesterday|today)|on\s+(?P<date>{_ISO})|(?P<last>{_ISO})(?=\s*(?:[:,;]|$)))"
    r"(?![\w'\u2019/-])",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+)|,(?P<thousandths>[0-9]{3}))?)?"
    r"(?![0-9]|::?[0-9]|['\u2019%*=])"
)
_HALF = r"(?P<half>[ap])\.?m(?:\.(?![0-9])|(?![\w'\u2019]))"
_AFTERNOON = re.compile(rf"\s?{_HALF}", re.IGNORECASE)
_HOUR = re.compile(rf"(?P<hour>[0-9]{{1,2}})(?=\s?{_HALF})", re.IGNORECASE)
_HARDWARE = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}", re.IGNORECASE)
_ONE_DIGIT_SECOND = re.compile(r"[0-9]{1,2}:[0-5][0-9]:[0-9](?![\w:.])")
_UNUSUAL = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3])(?:[h.](?P<minute>[0-5][0-9])|:(?P<digit>[0-9]))(?![\w:.%'\u2019])")
_FUSED = re.compile(r"[\w/~?]+|\.[0-9]+")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?"
_OTHER_DAY = re.compile(
    rf"(?:on\s+)?(?P<day>tomorrow|{_WEEKDAY}|[0-9]{{1,2}}[./-][0-9]{{1,2}}(?:[./-](?:[0-9]{{4}}|[0-9]{{2}})?)?"
    rf"|[0-9]{{1,2}}\.?\s?{_MONTH}|{_MONTH}\s?[0-9]{{1,2}})(?:[\s,]+[0-9]{{4}})?"
    r"[\s,]+(?:at\s+)?(?P<clock>[0-9]{1,2}:[0-9]{2})(?![0-9]|::?[0-9])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTime:
    """A clock time with what was typed of its day and zone; its words end at `end`.

    `days_back` counts from today. `seconds` says whether seconds were typed.
    """

    clock: time
    seconds: bool
    day: date | None
    days_back: int | None
    zone: TypedZone | None
    end: int


def read_clock_time(words: str, start: int, *, announced: bool, own: frozenset[str]) -> ClockTime | None:
    """The clock time at `start` of the words, None when other words stand there.

    `announced`: an `at` precedes, so that `3pm` is a time too. `own` are the abbreviations of the typist's
    zone. Raises UsageError for what looks like a time and is none.
    """
    if _HARDWARE.match(words, start):
        return None
    _refuse_other_day(words, start)
    day = _DAY.match(words, start)
    start = day.end() if day else start
    shown = _CLOCK.match(words, start) or (_HOUR.match(words, start) if announced or day else None)
    if shown is None:
        _refuse_one_digit_second(words, start)
        if announced:
            _refuse_unusual(words, start)
        return None
    half = _AFTERNOON.match(words, shown.end())
    clock = _clock(shown, half)
    seconds = bool(_figures(shown).get("second"))
    end = half.end() if half else shown.end()
    iso = day is not None and (bool(day["iso"]) or (bool(day["date"]) and seconds))
    zone = read_zone(words, end, iso=iso, own=own)
    if zone is None:
        _refuse_fused(words, start, end)
    end = zone.end if zone else end
    if day is None and (day := _DAY_AFTER.match(words, end)):
        end = day.end()
        zone = zone or read_zone(words, end, own=own)
        end = max(end, zone.end if zone else 0)
    return ClockTime(clock=clock, seconds=seconds, day=_date(day), days_back=_days_back(day), zone=zone, end=end)


def _clock(shown: re.Match[str], half: re.Match[str] | None) -> time:
    figures = _figures(shown)
    hour, minute, second = (int(figures.get(name) or 0) for name in ("hour", "minute", "second"))
    fraction = figures.get("fraction") or figures.get("thousandths") or ""
    if half:
        hour = _of_twenty_four(hour, half["half"].lower())
    try:
        return time(hour, minute, second, int(f"{fraction:0<3}"[:3]) * 1000)
    except ValueError:
        typed = shown[0] + (half[0] if half else "")
        example = time(
            int(figures["hour"]) % (_NOON if half else _MIDNIGHT),
            minute if minute < _MINUTES else minute % 10,
        )
        raise UsageError(f"{quoted(typed)} is no time of day. Try: at {example:%H:%M} …") from None


def _of_twenty_four(hour: int, half: str) -> int:
    """The hour of the day; one that no clock has where there is no such hour before or after noon."""
    if not 1 <= hour <= _NOON:
        return -1
    return hour % _NOON + (_NOON if half == "p" else 0)


def _figures(match: re.Match[str]) -> dict[str, str]:
    return match.groupdict(default="")


def _date(day: re.Match[str] | None) -> date | None:
    figures = _figures(day) if day else {}
    typed = figures.get("date") or figures.get("last")
    if not typed:
        return None
    try:
        return date(*(int(part) for part in typed.split("-")))
    except ValueError:
        raise UsageError(f"{typed} is no date. Try: 2026-11-21 14:02 …") from None


def _days_back(day: re.Match[str] | None) -> int | None:
    return _DAYS_BACK[day["word"].lower()] if day and day["word"] else None


def _refuse_other_day(words: str, start: int) -> None:
    if other := _OTHER_DAY.match(words, start):
        raise UsageError(
            f"{quoted(other['day'])} is no day I can read here. Type the date: 2026-11-21 {other['clock']} …"
        )


def _refuse_one_digit_second(words: str, start: int) -> None:
    if short := _ONE_DIGIT_SECOND.match(words, start):
        whole, _, second = short[0].rpartition(":")
        raise UsageError(f"{short[0]} may hold seconds or not. Type {whole}:0{second} …, or a space after {whole}")


def _refuse_unusual(words: str, start: int) -> None:
    """`at 14h02`, `at 14.02`, `at 14:2`: taken for words, it would be recorded as now."""
    if unusual := _UNUSUAL.match(words, start):
        minute = unusual["minute"] or f"0{unusual['digit']}"
        raise UsageError(f"{quoted(unusual[0])} may be a time or not. If it is, type: at {unusual['hour']}:{minute} …")


def _refuse_fused(words: str, start: int, end: int) -> None:
    if fused := _FUSED.match(words, end):
        clock = quoted(words[start:end])
        raise UsageError(f"I cannot read {quoted(clock + fused[0])} as a time. Try a space: at {clock} …")


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
    if isinstance(typed, RelativeTime):
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
    if not isinstance(typed, ClockTime):
        return False
    return typed.zone is None or typed.zone.zone is None or typed.days_back is not None


def _read(words: str, own: frozenset[str]) -> RelativeTime | ClockTime | None:
    start = len(words) - len(words.lstrip())
    at = _AT.match(words, start)
    start = at.end() if at else start
    return read_relative_time(words, start) or read_clock_time(words, start, announced=at is not None, own=own)


def _instant(typed: ClockTime, *, now: datetime, zone: ZoneInfo, reference: datetime | None) -> datetime:
    if typed.zone is None:
        return _on_clock(typed, LocalClock(zone=zone, now=now), reference)
    if typed.zone.zone is None:
        return _by_abbreviation(typed, typed.zone, LocalClock(zone=zone, now=now), reference)
    clocks = LocalClock(zone=typed.zone.zone, now=now, typed=typed.zone.name)
    _refuse_two_days(typed, own=LocalClock(zone=zone, now=now), other=clocks)
    return _on_clock(typed, clocks, reference)


def _by_abbreviation(typed: ClockTime, name: TypedZone, own: LocalClock, reference: datetime | None) -> datetime:
    """The typist's own meaning of the abbreviation where their clocks go by it then, else everybody's."""
    near = _near(typed, own.now, reference)
    meant = local_meaning(own.zone, name.name, near)
    if meant is not None:
        at = _on_clock(typed, LocalClock(zone=meant, now=own.now, typed=name.name), reference)
        if at.astimezone(own.zone).tzname() == name.name.upper():
            return at
    clocks = LocalClock(zone=common_meaning(name.name, own.zone, near), now=own.now, typed=name.name)
    _refuse_two_days(typed, own=own, other=clocks)
    return _on_clock(typed, clocks, reference)


def _near(typed: ClockTime, now: datetime, reference: datetime | None) -> datetime:
    if typed.day and FIRST_YEAR <= typed.day.year <= now.year:
        return datetime.combine(typed.day, time(12), UTC)
    return reference or now


def _on_clock(typed: ClockTime, clocks: LocalClock, reference: datetime | None) -> datetime:
    if typed.day is not None:
        return clocks.on(typed.day, typed.clock)
    if typed.days_back is not None:
        return clocks.on(clocks.today - timedelta(days=typed.days_back), typed.clock)
    return clocks.nearest(typed.clock, reference) if reference else clocks.latest(typed.clock)


def _refuse_two_days(typed: ClockTime, *, own: LocalClock, other: LocalClock) -> None:
    """`yesterday` with somebody else's zone, while the two disagree about today's date."""
    if typed.days_back is None or own.today == other.today:
        return
    day = other.today - timedelta(days=typed.days_back)
    raise UsageError(
        f"Today is {own.today} in {zone_text(own.zone)} and {other.today} in {zone_text(other.zone)}. "
        f"Type the date: {day} {clock_text(typed.clock)} {other.typed} …"
    )
