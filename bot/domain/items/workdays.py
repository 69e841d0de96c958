"""Workdays: Monday to Friday, less the holidays."""

from collections.abc import Container
from datetime import date, timedelta

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
