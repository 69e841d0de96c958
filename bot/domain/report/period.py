"""Parses the period of a report: `30d`, `12w`, `1y`, `2026-10-01..2026-10-31`."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.words import quoted, visible
from bot.errors import ExampleError, UsageError

DEFAULT = "30d"
LONGEST = timedelta(days=3660)
EXAMPLES, EXAMPLE = "30d, 12w, 1y or 2026-10-01..2026-10-31", "30d"

_INSTANT = timedelta(milliseconds=1)
_UNITS = {"d": ("day", 1), "w": ("week", 7), "y": ("year", 365)}
_LENGTH = re.compile(r"(?:the )?(?:last )?(?P<count>[0-9]{1,9}) ?(?P<unit>d|w|y)(?:ays?|eeks?|ears?)?")
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SPAN = re.compile(rf"(?P<first>{_ISO})(?: ?(?:\.{{2,3}}|…|\u2013) ?| to )(?P<last>{_ISO})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From the aware instant `since` until just before `until`, with days in `zone`.

    `words` name it within a sentence: `the last 30 days`, `2026-10-01 to 2026-10-31`.
    """

    since: datetime
    until: datetime
    zone: ZoneInfo
    words: str


def parse_period(typed: str, *, now: datetime, zone: ZoneInfo) -> Period:
    """The period typed, or the last 30 days if nothing is. Two dates are whole days in `zone`, a year is 365 days.

    Raises UsageError for text that is no period, and for one that ends before it begins, begins after `now`, or is
    longer than ten years.
    """
    words = " ".join(visible(typed).split())
    plain = words.lower() or DEFAULT
    if match := _LENGTH.fullmatch(plain):
        return _last(int(match["count"]), match["unit"], words or DEFAULT, now, zone)
    if match := _SPAN.fullmatch(plain):
        return _between(match["first"], match["last"], words, now, zone)
    raise ExampleError(f"{quoted(words)} is no period I know. Periods are {EXAMPLES}.", EXAMPLE)


def _last(count: int, unit: str, words: str, now: datetime, zone: ZoneInfo) -> Period:
    unit_name, days = _UNITS[unit]
    if count == 0:
        raise ExampleError(f"{quoted(words)} is no time at all.", EXAMPLE)
    if count * days > LONGEST.days:
        raise _too_long(words)
    one = "24 hours" if unit == "d" else unit_name
    name = f"the last {count} {unit_name}s" if count > 1 else f"the last {one}"
    # `until` is exclusive, and an incident declared in this millisecond belongs to the period.
    return Period(since=now - timedelta(days=count * days), until=now + _INSTANT, zone=zone, words=name)


def _between(first: str, last: str, words: str, now: datetime, zone: ZoneInfo) -> Period:
    begin, end = _parse_date(first), _parse_date(last)
    if begin is None or end is None:
        raise ExampleError(f"{first if begin is None else last} is no date of the calendar.", EXAMPLE)
    if end < begin:
        raise ExampleError(f"{quoted(words)} ends before it begins.", f"{end}..{begin}")
    if end - begin > LONGEST:
        raise _too_long(words)
    if begin > now.astimezone(zone).date():
        raise ExampleError(f"{begin} is still to come, so there is nothing to report.", EXAMPLE)
    # A day after the calendar's last one cannot be computed.
    until = midnight(end + timedelta(days=1), zone) if end < date.max else datetime.max.replace(tzinfo=zone)
    return Period(
        since=midnight(begin, zone),
        until=until,
        zone=zone,
        words=f"{begin} to {end}" if end > begin else str(begin),
    )


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which the day begins in the zone."""
    return datetime.combine(day, time(), tzinfo=zone)


def _parse_date(iso: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(iso)
    return None


def _too_long(words: str) -> UsageError:
    return ExampleError(f"{quoted(words)} is longer than ten years.", EXAMPLE)
