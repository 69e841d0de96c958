"""Instants, days, zones and lengths of time as people read them, whatever the machine's locale is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SECONDS_BELOW = 10 * _MINUTE


def duration(seconds: float | None) -> str:
    """The length of time in its one or two largest units: `45 s`, `3 min 20 s`, `1 h 32 min`, `9 d 3 h`.

    What is left below them is dropped, never rounded up; seconds stand only below ten minutes. None is
    `unknown`. Raises ValueError when it is negative or no finite number.
    """
    if seconds is None:
        return "unknown"
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"a length of time cannot be {seconds} s")
    whole = int(seconds)
    days, hours, minutes, rest = (
        whole // _DAY,
        whole % _DAY // _HOUR,
        whole % _HOUR // _MINUTE,
        whole % _MINUTE,
    )
    if days:
        return _joined((days, "d"), (hours, "h"))
    if hours:
        return _joined((hours, "h"), (minutes, "min"))
    return _joined((minutes, "min"), (rest if whole < _SECONDS_BELOW else 0, "s"))


def _joined(*parts: tuple[int, str]) -> str:
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def day(on: date) -> str:
    """`Tuesday 2 July 2019`, of a date or a local datetime."""
    return f"{WEEKDAYS[on.weekday()]} {on.day} {MONTHS[on.month - 1]} {on.year}"


def short_day(on: date) -> str:
    """`2 July`, of a date or a local datetime."""
    return f"{on.day} {MONTHS[on.month - 1]}"


def clock(moment: datetime) -> str:
    """`14:02`: the hour and minute `moment` shows in its own zone."""
    return f"{moment.hour:02}:{moment.minute:02}"


def offset(moment: datetime) -> str:
    """How far the zone of the aware `moment` is from UTC then: `UTC-7`, `UTC+5:30`, `UTC`."""
    away = moment.utcoffset()
    minutes = round(away.total_seconds() / 60) if away else 0
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def zone_name(moment: datetime) -> str:
    """The short name of the zone of the aware `moment`: `PDT`; its offset where the zone has no letters."""
    name = moment.tzname() or ""
    return name if name.isalpha() else offset(moment)


def zone_label(zone: ZoneInfo) -> str:
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
    return f"{text} ({_clock(local_at, in_utc.date(), seconds=seconds)} in {zone_label(zone)})"


def _clock(at: datetime, today: date, *, seconds: bool) -> str:
    return f"{_day(at.date(), today)}{at:%H:%M:%S}" if seconds else f"{_day(at.date(), today)}{at:%H:%M}"


def _day(day: date, today: date) -> str:
    if day == today:
        return ""
    month = MONTHS[day.month - 1][:3]
    return f"{day.day} {month} " if day.year == today.year else f"{day.day} {month} {day.year} "
