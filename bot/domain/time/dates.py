"""Days, clock times and zones as the documents write them, whatever the machine's locale is."""

from datetime import date, datetime

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
