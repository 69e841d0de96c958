"""Times as a clock shows them: `14:02`, `2:02 pm`, `yesterday 23:50`, `2026-11-21T14:02:30Z`."""

import re
from dataclasses import dataclass
from datetime import date, time

from bot.domain.time.zones import TypedZone, read_zone
from bot.domain.words import quoted
from bot.errors import UsageError

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
class WallTime:
    """A clock time with what was typed of its day and zone; its words end at `end`.

    `days_back` counts from today. `seconds` says whether seconds were typed.
    """

    clock: time
    seconds: bool
    day: date | None
    days_back: int | None
    zone: TypedZone | None
    end: int


def read_wall_time(words: str, start: int, *, announced: bool, own: frozenset[str]) -> WallTime | None:
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
    return WallTime(clock=clock, seconds=seconds, day=_date(day), days_back=_days_back(day), zone=zone, end=end)


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
