"""When people are reminded: the cadence as data, with its defaults, and how another one is written."""

import re
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.errors import UsageError

DAY = timedelta(days=1)
_SATURDAY = 5


def is_workday(on: date, holidays: Container[date]) -> bool:
    """Whether people work on that day."""
    return on.weekday() < _SATURDAY and on not in holidays


def workday_from(on: date, holidays: Container[date]) -> date:
    """The day itself, or the first workday after it."""
    while not is_workday(on, holidays):
        on += DAY
    return on


def after_workdays(on: date, count: int, holidays: Container[date]) -> date:
    """The workday that is `count` workdays after the day; one weekend is no time at all."""
    for _ in range(count):
        on = workday_from(on + DAY, holidays)
    return on


_SLOT = re.compile(r"due(?:(?P<sign>[+-])(?P<days>[0-9]{1,3})d?)?")
_NUMBER = re.compile(r"(?P<name>escalate|confirm|publish)=(?:(?P<days>[0-9]{1,3})d?|off)")
_HOURS = re.compile(r"hours=(?P<opens>[0-9]{1,2})-(?P<closes>[0-9]{1,2})")
_LAST_HOUR = 23
_UTC = ZoneInfo("UTC")
_EXAMPLE = "due-3d,due,due+1d,due+3d,due+7d,weekly,escalate=7d,confirm=2,publish=5,hours=9-17"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """The slots of reminders, and the hours in which one may come.

    `slots` are days after the due date, in order; after the last one follows another every `every` days (0: none).
    The lead is told in the incident's channel `escalate` days after the due date. `confirm` workdays after it was
    proposed an item asks to be confirmed; `publish` workdays after the resolution a postmortem asks to be published.
    None switches each of the three off. `zone` is that of people whose own is not known.
    """

    slots: tuple[int, ...] = (-3, 0, 1, 3, 7)
    every: int = 7
    escalate: int | None = 7
    confirm: int | None = 2
    publish: int | None = 5
    opens: time = time(9)
    closes: time = time(17)
    holidays: frozenset[date] = frozenset()
    zone: ZoneInfo = _UTC
    on: bool = True

    def opening(self, on: date, zone: ZoneInfo) -> datetime:
        """The instant at which the working day begins: of that day, or of the first workday after it. In UTC."""
        return datetime.combine(workday_from(on, self.holidays), self.opens, zone).astimezone(UTC)

    def is_working(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether the aware `at` lies in the working hours of the zone."""
        local = at.astimezone(zone)
        return is_workday(local.date(), self.holidays) and self.opens <= local.time() < self.closes

    def next_opening(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The next beginning of a working day after the aware `at`. In UTC."""
        local = at.astimezone(zone)
        today = self.opening(local.date(), zone)
        return today if today > at else self.opening(local.date() + DAY, zone)

    def next_week(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The beginning of the first working day of the week after the aware `at`. In UTC."""
        local = at.astimezone(zone).date()
        return self.opening(local + timedelta(days=7 - local.weekday()), zone)


def parse_cadence(words: str) -> Cadence:
    """The cadence that `due-3d,due,due+1d,weekly,escalate=7d,confirm=2,publish=5,hours=9-17` asks for, or `off`.

    What is not mentioned stays as it is by default; of the slots, all are given or none. Raises UsageError.
    """
    if words.strip().lower() == "off":
        return Cadence(on=False)
    cadence, slots, weekly = Cadence(), set[int](), False
    for part in filter(None, (part.strip().lower() for part in words.split(","))):
        slot = _SLOT.fullmatch(part)
        if slot:
            slots.add(int(f"{slot['sign'] or '+'}{slot['days'] or 0}"))
        elif part == "weekly":
            weekly = True
        else:
            cadence = _changed(cadence, part)
    return replace(cadence, slots=tuple(sorted(slots)), every=7 if weekly else 0) if slots or weekly else cadence


def _changed(cadence: Cadence, part: str) -> Cadence:
    for pattern, read in _PARTS:
        match = pattern.fullmatch(part)
        changes = read(match) if match else None
        if changes:
            return replace(cadence, **changes)
    raise UsageError(f"{part!r} is no part of a cadence; the default is {_EXAMPLE}")


def _number(match: re.Match[str]) -> dict[str, Any]:
    return {match["name"]: int(match["days"]) if match["days"] else None}


def _hours(match: re.Match[str]) -> dict[str, Any] | None:
    opens, closes = int(match["opens"]), int(match["closes"])
    return {"opens": time(opens), "closes": time(closes)} if opens < closes <= _LAST_HOUR else None


_PARTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any] | None]], ...] = (
    (_NUMBER, _number),
    (_HOURS, _hours),
)


def parse_holidays(words: str) -> frozenset[date]:
    """The dates in the words, one after another, `2026-12-25`; what follows a `#` on a line is left out.

    Raises UsageError for anything else.
    """
    typed = " ".join(line.partition("#")[0] for line in words.splitlines()).replace(",", " ").split()
    try:
        return frozenset(date.fromisoformat(each) for each in typed)
    except ValueError:
        raise UsageError("holidays are dates such as 2026-12-25, or a file of them") from None
