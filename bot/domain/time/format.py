"""Instants, days, zones and lengths of time as people read them, in English whatever the machine's locale is."""

from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def stamp(at: datetime, zone: ZoneInfo | None, today: date, *, seconds: bool = False) -> str:
    """`at` as `14:02 UTC (09:02 in New York)`.

    The day is written where it is not `today` (a UTC date), and again for the local time where that falls on
    another day. Without a zone, or with one whose clock shows UTC, the bracket is left out.
    """
    clock_format = "%H:%M:%S" if seconds else "%H:%M"
    in_utc = at.astimezone(UTC)
    text = f"{_day_before_clock(in_utc.date(), today)}{in_utc:{clock_format}} UTC"
    local_at = in_utc if zone is None else at.astimezone(zone)
    if zone is None or local_at.utcoffset() == in_utc.utcoffset():
        return text
    local_day = _day_before_clock(local_at.date(), in_utc.date())
    return f"{text} ({local_day}{local_at:{clock_format}} in {zone_label(zone)})"


def _day_before_clock(on: date, today: date) -> str:
    """The day with a space after it, without its year where that is the same; empty for `today`."""
    if on == today:
        return ""
    month = MONTHS[on.month - 1][:3]
    return f"{on.day} {month} " if on.year == today.year else f"{on.day} {month} {on.year} "


def day(on: date) -> str:
    """`Tuesday 2 July 2019`, of a date or a local datetime."""
    return f"{WEEKDAYS[on.weekday()]} {on.day} {MONTHS[on.month - 1]} {on.year}"


def short_day(on: date) -> str:
    """`2 July`, of a date or a local datetime."""
    return f"{on.day} {MONTHS[on.month - 1]}"


def clock(moment: datetime) -> str:
    """`14:02`: the hour and minute `moment` shows in its own zone."""
    return f"{moment.hour:02}:{moment.minute:02}"


def local(at: datetime, zone: ZoneInfo) -> str:
    """`09:02`: the hour and minute of the aware `at` in the zone."""
    return clock(at.astimezone(zone))


def clock_text(shown: time) -> str:
    """`14:02`, `14:02:30`, `14:02:30.250`: seconds and milliseconds only where they are not zero."""
    if shown.microsecond:
        return shown.isoformat(timespec="milliseconds")
    return shown.isoformat(timespec="seconds" if shown.second else "minutes")


def offset(moment: datetime) -> str:
    """How far the zone of the aware `moment` is from UTC then: `UTC-7`, `UTC+5:30`, `UTC`."""
    distance = moment.utcoffset()
    minutes = round(distance.total_seconds() / 60) if distance else 0
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def zone_name(moment: datetime) -> str:
    """The abbreviation of the aware `moment`'s zone then: `PDT`; its offset where it has none of letters alone."""
    name = moment.tzname() or ""
    return name if name.isalpha() else offset(moment)


def zone_label(zone: ZoneInfo) -> str:
    """The zone's city: `America/New_York` is New York. A zone without a city keeps its key: `Etc/GMT+5`."""
    area, _, city = zone.key.partition("/")
    return city.rpartition("/")[2].replace("_", " ") if city and area != "Etc" else zone.key


def zone_text(zone: tzinfo) -> str:
    """A zone as typed or set, for an error message: its city, or the name of a fixed offset (`UTC+05:30`, `CET`)."""
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key.rpartition("/")[2].replace("_", " ")
    return str(zone)


def duration(seconds: float | None) -> str:
    """A length of time in its one or two largest units: `45 s`, `3 min 20 s`, `1 h 32 min`, `9 d 3 h`.

    Smaller units are cut off, never rounded up; seconds appear only below ten minutes. None is `unknown`. Raises
    ValueError when it is negative or not finite.
    """
    if seconds is None:
        return "unknown"
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"a length of time cannot be {seconds} s")
    whole = int(seconds)
    units: tuple[tuple[int, str], ...]
    if whole >= _DAY:
        units = (whole // _DAY, "d"), (whole % _DAY // _HOUR, "h")
    elif whole >= _HOUR:
        units = (whole // _HOUR, "h"), (whole % _HOUR // _MINUTE, "min")
    elif whole >= 10 * _MINUTE:
        units = ((whole // _MINUTE, "min"),)
    else:
        units = (whole // _MINUTE, "min"), (whole % _MINUTE, "s")
    return " ".join(f"{number} {unit}" for number, unit in units if number) or "0 s"
