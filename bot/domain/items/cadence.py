"""The cadence of reminders: its defaults, its spelling in a setting, and the workdays it counts in."""

import re
from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.items.outcome import LOOK_AGAIN_DAYS
from bot.errors import UsageError

DAY = timedelta(days=1)

_SATURDAY = 5
_LAST_HOUR = 23
_UTC = ZoneInfo("UTC")
_STEP = re.compile(r"due(?:(?P<sign>[+-])(?P<days>[0-9]{1,3})d?)?")
_COUNT = re.compile(r"(?P<name>escalate|confirm|drop|publish|worked)=(?:(?P<days>[0-9]{1,3})d?|off)")
_HOURS = re.compile(r"hours=(?P<opens>[0-9]{1,2})-(?P<closes>[0-9]{1,2})")
_EXAMPLE = "due-3d,due,due+1d,due+3d,due+7d,weekly,escalate=7d,confirm=2,drop=30d,publish=5,worked=30d,hours=9-17"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """The days on which reminders are sent, and the working hours they are sent in.

    `steps` are days after the due date, in order; after the last one follows another every `every` days (0: none).
    `escalate` days after the due date the incident's lead is told. `confirm` workdays after it was proposed, an item is
    to be confirmed, and `drop` days after it was, it is dropped; `publish` workdays after the resolution, a postmortem
    is to be published; `worked` days after an item was done its owner is asked whether it worked. None switches each of
    the five off. `zone` is for people whose own is not known, and `summary_channel` the id of the channel that is told
    what has neither owner nor lead; empty for none.
    """

    steps: tuple[int, ...] = (-3, 0, 1, 3, 7)
    every: int = 7
    escalate: int | None = 7
    confirm: int | None = 2
    drop: int | None = 30
    publish: int | None = 5
    worked: int | None = LOOK_AGAIN_DAYS
    opens: time = time(9)
    closes: time = time(17)
    holidays: frozenset[date] = frozenset()
    zone: ZoneInfo = _UTC
    summary_channel: str = ""
    on: bool = True

    def workday_from(self, on: date) -> date:
        """The day itself, or the first workday after it."""
        return workday_from(on, self.holidays)

    def workday_until(self, on: date) -> date:
        """The day itself, or the last workday before it."""
        while not is_workday(on, self.holidays):
            on -= DAY
        return on

    def opening(self, on: date, zone: ZoneInfo) -> datetime:
        """The start of the working day, in UTC: that day's, or that of the first workday after it."""
        return datetime.combine(self.workday_from(on), self.opens, zone).astimezone(UTC)

    def is_working(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether the aware `at` lies in the working hours of the zone."""
        local = at.astimezone(zone)
        return is_workday(local.date(), self.holidays) and self.opens <= local.time() < self.closes

    def next_opening(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The next start of a working day after the aware `at`, in UTC."""
        local = at.astimezone(zone)
        today = self.opening(local.date(), zone)
        return today if today > at else self.opening(local.date() + DAY, zone)

    def next_week(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The start of the first working day of the week after the aware `at`, in UTC."""
        local = at.astimezone(zone).date()
        return self.opening(local + timedelta(days=7 - local.weekday()), zone)


def parse_cadence(words: str) -> Cadence:
    """The cadence that `due-3d,due,due+1d,weekly,escalate=7d,confirm=2,drop=30d,hours=9-17` asks for, or
    `off`.

    Parts left out keep their defaults; of the steps, all are given or none. Raises UsageError.
    """
    if words.strip().lower() == "off":
        return Cadence(on=False)
    cadence, steps, weekly = Cadence(), set[int](), False
    for part in filter(None, (part.strip().lower() for part in words.split(","))):
        if step := _STEP.fullmatch(part):
            steps.add(int(f"{step['sign'] or '+'}{step['days'] or 0}"))
        elif part == "weekly":
            weekly = True
        elif count := _COUNT.fullmatch(part):
            field: dict[str, Any] = {count["name"]: int(count["days"]) if count["days"] else None}
            cadence = replace(cadence, **field)
        elif (hours := _HOURS.fullmatch(part)) and int(hours["opens"]) < int(hours["closes"]) <= _LAST_HOUR:
            cadence = replace(cadence, opens=time(int(hours["opens"])), closes=time(int(hours["closes"])))
        else:
            raise UsageError(f"{part!r} is no part of a cadence; the default is {_EXAMPLE}")
    return replace(cadence, steps=tuple(sorted(steps)), every=7 if weekly else 0) if steps or weekly else cadence


def parse_holidays(words: str) -> frozenset[date]:
    """The dates in the words (`2026-12-25`), separated by spaces, commas or lines; a `#` begins a comment.

    Raises UsageError for anything else.
    """
    typed = " ".join(line.partition("#")[0] for line in words.splitlines()).replace(",", " ").split()
    try:
        return frozenset(date.fromisoformat(each) for each in typed)
    except ValueError:
        raise UsageError("holidays are dates such as 2026-12-25, or a file of them") from None


def is_workday(on: date, holidays: Container[date]) -> bool:
    """Whether people work on that day."""
    return on.weekday() < _SATURDAY and on not in holidays


def workday_from(on: date, holidays: Container[date]) -> date:
    """The day itself, or the first workday after it."""
    while not is_workday(on, holidays):
        on += DAY
    return on


def after_workdays(on: date, count: int, holidays: Container[date]) -> date:
    """The workday that is `count` workdays after the day; weekends and holidays count as no time."""
    for _ in range(count):
        on = workday_from(on + DAY, holidays)
    return on
