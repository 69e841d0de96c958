"""The date an action item is due on, or snoozed until."""

import calendar
import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta

from bot.domain.time.moment import MONTH
from bot.domain.words import quoted, visible
from bot.errors import UsageError

LONGEST_SNOOZE_DAYS = 365

_DAYS = {"d": 1, "w": 7}
_MAX_DIGITS = 9
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_COUNT = r"(?:an?|one|two|three|four|[0-9]{1,3})"
_ISO = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})")
_NUMERIC = re.compile(r"(?P<first>[0-9]{1,2})[./-](?P<second>[0-9]{1,2})(?:[./-](?P<year>[0-9]{4}|[0-9]{2})?)?")
_END_OF_MONTH = re.compile(r"(?:the )?end of (?:the |this )?month|eom")
# dateparser makes a date of nearly anything (`1`, `may`, `3pm`): only these phrases are passed to it.
_PHRASE = re.compile(
    rf"today|tomorrow|(?:on )?(?:next )?{_WEEKDAY}|next (?:week|month)|(?:in )?{_COUNT} (?:day|week|month)s?"
    rf"|(?:the )?[0-9]{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?{MONTH}(?:,? [0-9]{{4}})?"
    rf"|{MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?(?:,? [0-9]{{4}})?"
)
_GUESS = re.compile(rf"(?:on )?next (?:{_WEEKDAY}|week|month)")
_LENGTH = re.compile(r"(?:for )?(?P<count>-?[0-9]+|an?) ?(?P<unit>d|w)(?:ays?|eeks?)?")


def parse_due(words: str, *, today: date) -> date | None:
    """The date the words stand for, which may lie in the past; None when there are no words.

    A date without a year is the next such one; a weekday is the next one after `today`. Raises UsageError for
    what is no date and for figures that may be read in two ways.
    """
    typed = " ".join(visible(words).split())
    plain = typed.lower().rstrip(".")
    if not plain:
        return None
    if numeric := _NUMERIC.fullmatch(plain):
        # `03/04/2026` is March to some and April to others.
        year, first, second = numeric["year"], int(numeric["first"]), int(numeric["second"])
        both = (_month_and_day(year, first, second, today), _month_and_day(year, second, first, today))
        offer = " or ".join(sorted({str(day) for day in both if day})) or "2026-12-01"
        raise UsageError(f"{typed} is read differently in different places. Type {offer}")
    found: date | None = None
    if iso := _ISO.fullmatch(plain):
        found = _date(int(iso["year"]), int(iso["month"]), int(iso["day"]))
    elif _END_OF_MONTH.fullmatch(plain):
        found = today.replace(day=calendar.monthrange(today.year, today.month)[1])
    elif _PHRASE.fullmatch(plain):
        found = _phrase(plain, today)
    if found is None:
        raise UsageError(f"{quoted(typed)} is no date I know. Try: 2026-12-01, friday, in 2 weeks, 1 December")
    return found


def parse_snooze(words: str, *, today: date) -> date:
    """The day until which an item is snoozed: `3d`, `2w`, `3 days`, `1 week` from today, or `next week`'s Monday.

    Raises UsageError for anything else, and for less than a day or more than LONGEST_SNOOZE_DAYS.
    """
    typed = " ".join(visible(words).split())
    if typed.lower() == "next week":
        return today + timedelta(days=7 - today.weekday())
    match = _LENGTH.fullmatch(typed.lower())
    if match is None:
        problem = f"{quoted(typed)} is no number of days." if typed else "For how many days?"
        raise UsageError(f"{problem} Try: 3d, 2w")
    count = match["count"]
    days = _DAYS[match["unit"]] * (1 if count[0] == "a" else int(count[:_MAX_DIGITS]))
    if not 1 <= days <= LONGEST_SNOOZE_DAYS:
        raise UsageError(f"From 1 to {LONGEST_SNOOZE_DAYS} days is possible, not {quoted(typed)}. Try: 3d, 2w")
    return today + timedelta(days=days)


def is_guess(words: str) -> bool:
    """Whether people mean different days by these words: `next friday`, `next week`."""
    return bool(_GUESS.fullmatch(" ".join(visible(words).lower().split()).rstrip(".")))


def _date(year: int, month: int, day: int) -> date | None:
    with suppress(ValueError):
        return date(year, month, day)
    return None


def _month_and_day(year: str | None, month: int, day: int, today: date) -> date | None:
    """That day; without a year the next such one, as where the month is named."""
    if year:
        return _date(int(f"20{year}"[-4:]), month, day)  # two digits are a year of this century
    days = (_date(each, month, day) for each in (today.year, today.year + 1))
    return next((each for each in days if each and each >= today), None)


def _phrase(plain: str, today: date) -> date | None:
    # Imported here because it takes 50 ms to load, which every command would pay.
    import dateparser  # type: ignore[import-untyped]  # noqa: PLC0415 - see above; it ships no types

    # dateparser knows `thu` and `thursday`, but not every length between.
    plain = re.sub(rf"\b{_WEEKDAY}\b", lambda weekday: weekday[0][:3], plain)
    settings = {"PREFER_DATES_FROM": "future", "RELATIVE_BASE": datetime.combine(today, time())}
    with suppress(OverflowError, ValueError):
        found: datetime | None = dateparser.parse(plain, languages=["en"], settings=settings)
        return found.date() if found else None
    return None
