"""An instant as people read it in a conversation: UTC first, then the clock on their own wall."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from bot.domain.time.dates import MONTHS


def place(zone: ZoneInfo) -> str:
    """How a zone is called in a sentence: `America/New_York` is New York; a zone without a city keeps its key."""
    area, _, city = zone.key.partition("/")
    return city.rpartition("/")[2].replace("_", " ") if city and area != "Etc" else zone.key


def local(at: datetime, zone: ZoneInfo) -> str:
    """The clock time of the aware `at` in the zone: `09:02`."""
    return f"{at.astimezone(zone):%H:%M}"


def stamp(at: datetime, zone: ZoneInfo | None, today: date, *, seconds: bool = False) -> str:
    """`at` as `14:02 UTC (09:02 in New York)`.

    The day is written where it is not `today` (a UTC date), and again for the local time where that falls on
    another day. Without a zone, or with one whose clock shows UTC, the bracket is left out.
    """
    in_utc = at.astimezone(UTC)
    text = f"{_clock(in_utc, today, seconds=seconds)} UTC"
    local_at = in_utc if zone is None else at.astimezone(zone)
    if zone is None or local_at.utcoffset() == in_utc.utcoffset():
        return text
    return f"{text} ({_clock(local_at, in_utc.date(), seconds=seconds)} in {place(zone)})"


def _clock(at: datetime, today: date, *, seconds: bool) -> str:
    return f"{_day(at.date(), today)}{at:%H:%M:%S}" if seconds else f"{_day(at.date(), today)}{at:%H:%M}"


def _day(day: date, today: date) -> str:
    if day == today:
        return ""
    month = MONTHS[day.month - 1][:3]
    return f"{day.day} {month} " if day.year == today.year else f"{day.day} {month} {day.year} "
