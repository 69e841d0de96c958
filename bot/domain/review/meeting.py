"""A planned review on people's clocks: its zone as text, its stretch of time, when it is reminded of."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from bot.domain.time.dates import clock, day, offset, short_day, zone_name
from storage.values import Review

_FIXED = re.compile(r"(?:(?P<name>[A-Z]+) )?UTC(?P<sign>[+-])(?P<hours>[0-9]{1,2})(?::(?P<minutes>[0-9]{2}))?")


def zone_key(zone: tzinfo) -> str:
    """The zone in one line that `zone_of` reads back: `Europe/Berlin`, `UTC`, `CET UTC+1`, `UTC+5:30`."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    distance = offset(datetime(2000, 1, 1, tzinfo=zone))
    name = zone.tzname(None) or ""
    return f"{name} {distance}" if name.isalpha() and distance != "UTC" else distance


def zone_of(text: str) -> tzinfo:
    """The zone that `zone_key` wrote down."""
    fixed = _FIXED.fullmatch(text)
    if fixed is None:
        return UTC if text == "UTC" else ZoneInfo(text)
    distance = timedelta(hours=int(fixed["hours"]), minutes=int(fixed["minutes"] or 0))
    distance = -distance if fixed["sign"] == "-" else distance
    return timezone(distance, fixed["name"]) if fixed["name"] else timezone(distance)


def local(review: Review) -> datetime:
    """When it starts, on the clocks it was planned by."""
    return review.starts_at.astimezone(zone_of(review.timezone))


def reminds_at(review: Review) -> datetime | None:
    """The instant of the reminder, UTC: the same clock time the day before; None where it was past when planned."""
    # Where the clocks skip that time, it is the time they show instead, an hour on.
    before = (local(review) - timedelta(days=1)).astimezone(UTC)
    return before if before > review.planned_at else None


def span(review: Review) -> str:
    """From when to when: `Tuesday 1 December 2026, 10:00 to 10:45 CET (09:00 UTC)`."""
    start = local(review)
    end = review.ends_at.astimezone(start.tzinfo)
    text = f"{day(start)}, {clock(start)} to {clock(end)} {zone_name(start)}"
    return text if zone_name(start) == "UTC" else f"{text} ({in_utc(start)})"


def instant(at: datetime) -> str:
    """One aware moment on its own clocks: `Monday 30 November 2026, 10:00 CET`."""
    return f"{day(at)}, {clock(at)} {zone_name(at)}"


def in_utc(at: datetime) -> str:
    """The aware moment in UTC, with its date where that is another one there: `30 November, 23:00 UTC`."""
    utc = at.astimezone(UTC)
    return f"{clock(utc)} UTC" if utc.date() == at.date() else f"{short_day(utc)}, {clock(utc)} UTC"
