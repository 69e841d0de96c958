"""Instants, days, zones and lengths of time as people read them, in English whatever the machine's locale is."""

from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
EXACT_UP_TO = 72 * _HOUR
"""Below so many seconds a length of time is written in hours and minutes alone."""


def stamp(
    at: datetime,
    zone: ZoneInfo | None,
    today: date,
    *,
    seconds: bool = False,
    named: bool = False,
    approximate: bool = False,
    until_at: datetime | None = None,
) -> str:
    """`at` as `14:02 UTC (09:02 in New York)`.

    The day is written where it is not `today` (a UTC date), and again for the local time where that falls on
    another day. Without a zone, or with one whose clock shows UTC, the bracket is left out. In the hour that clocks
    show twice, or if `named`, the local time has its abbreviation: `(01:30 PDT in Los Angeles)`.
    An `approximate` time is `about 14:02 UTC`, one that lasted until `until_at` is `14:02 to 14:10 UTC`.
    """
    in_utc = at.astimezone(UTC)
    about = "about " if approximate else ""
    text = f"{about}{_day_before_clock(in_utc.date(), today)}{span(in_utc, until_at, seconds=seconds)} UTC"
    local_at = in_utc if zone is None else at.astimezone(zone)
    if zone is None or local_at.utcoffset() == in_utc.utcoffset():
        return text
    local_day = _day_before_clock(local_at.date(), in_utc.date())
    twice = local_at.replace(fold=0).utcoffset() != local_at.replace(fold=1).utcoffset()
    abbreviation = f" {zone_name(local_at)}" if named or twice else ""
    return f"{text} ({local_day}{span(local_at, until_at, seconds=seconds)}{abbreviation} in {zone_label(zone)})"


def span(start: datetime, until_at: datetime | None, *, seconds: bool = False) -> str:
    """`14:02`, or `14:02 to 14:10` with an end, in the zone of `start`; the end with its day where that is another."""

    def shown(at: datetime) -> str:
        return f"{clock(at)}:{at.second:02}" if seconds else clock(at)

    if until_at is None:
        return shown(start)
    end = until_at.astimezone(start.tzinfo)
    return f"{shown(start)} to {_day_before_clock(end.date(), start.date())}{shown(end)}"


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


def dated_clock(moment: datetime) -> str:
    """The aware `moment` as it can be typed anywhere: `2026-03-12 14:02 UTC-7`, exact, in its own zone."""
    return f"{moment:%F} {clock_text(moment.time())} {offset(moment)}"


def offset(moment: datetime) -> str:
    """How far the zone of the aware `moment` is from UTC then: `UTC-7`, `UTC+5:30`, `UTC`."""
    distance = moment.utcoffset()
    minutes = round(distance.total_seconds() / 60) if distance else 0
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def zone_name(moment: datetime) -> str:
    """The abbreviation of the aware `moment`'s zone then: `PDT`; its offset where it has none of letters alone.

    A clock that equals UTC is `UTC`, whatever its zone calls it: readers are shown one clock.
    """
    name = moment.tzname() or ""
    return name if name.isalpha() and moment.utcoffset() else offset(moment)


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
    """A length of time as it is quoted: `45 s`, `3 min 20 s`, `24 h 11 min`, `3 d 2 h (74 h 5 min)`; None is `unknown`.

    From EXACT_UP_TO on it stands in days and hours, with all of it in hours and minutes in brackets. Smaller units are
    cut off, never rounded up; seconds appear only below ten minutes, and less than one is `under a minute`: most times
    are typed to the minute. Raises ValueError when it is negative or not finite.
    """
    if seconds is None:
        return "unknown"
    whole = _whole(seconds)
    if whole == 0:
        return "under a minute"
    exact = _units(whole, (_HOUR, "h"), (_MINUTE, "min"), *([(1, "s")] if whole < 10 * _MINUTE else []))
    return f"{rough_duration(seconds)} ({exact})" if whole >= EXACT_UP_TO else exact


def rough_duration(seconds: float) -> str:
    """A length of time in its one or two largest units, where there is little room: `45 s`, `1 h 32 min`, `9 d 3 h`.

    Cut off as `duration` does, and with its errors.
    """
    whole = _whole(seconds)
    if whole >= _DAY:
        return _units(whole, (_DAY, "d"), (_HOUR, "h"))
    return _units(whole, (_HOUR, "h"), (_MINUTE, "min"), *([(1, "s")] if whole < 10 * _MINUTE else [])) or "0 s"


def _whole(seconds: float) -> int:
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"a length of time cannot be {seconds} s")
    return int(seconds)


def _units(whole: int, *units: tuple[int, str]) -> str:
    """The seconds in the units, from the largest; those that are zero are left out."""
    said = []
    for size, unit in units:
        number, whole = divmod(whole, size)
        if number:
            said.append(f"{number} {unit}")
    return " ".join(said)
