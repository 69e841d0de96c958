"""Dates by which an action item is due, and how long it is left alone."""

import calendar
import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta

from bot.domain.words import quoted, visible
from bot.errors import UsageError

LONGEST_SNOOZE = 365
"""In days."""

_DAYS = {"d": 1, "w": 7}
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_COUNT = r"(?:an?|one|two|three|four|[0-9]{1,3})"
_ISO = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})")
_NUMERIC = re.compile(r"(?P<first>[0-9]{1,2})[./-](?P<second>[0-9]{1,2})(?:[./-](?P<year>[0-9]{4}|[0-9]{2})?)?")
_END_OF_MONTH = re.compile(r"(?:the )?end of (?:the |this )?month|eom")
# dateparser makes a date of nearly anything (`1`, `may`, `3pm`): it is asked only about these.
_PHRASE = re.compile(
    rf"today|tomorrow|(?:on )?(?:next )?{_WEEKDAY}|next (?:week|month)|(?:in )?{_COUNT} (?:day|week|month)s?"
    rf"|(?:the )?[0-9]{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?{_MONTH}(?:,? [0-9]{{4}})?"
    rf"|{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?(?:,? [0-9]{{4}})?"
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
    _refuse_figures(typed, plain, today)
    found = _iso(plain) or _end_of_month(plain, today) or _spoken(plain, today)
    if found is None:
        raise UsageError(f"{quoted(typed)} is no date I know. Try: 2026-12-01, friday, in 2 weeks, 1 December")
    return found


def parse_days(words: str) -> int:
    """The number of days of `3d`, `2w`, `3 days`, `1 week`; from 1 to LONGEST_SNOOZE.

    Raises UsageError for anything else.
    """
    typed = " ".join(visible(words).split())
    match = _LENGTH.fullmatch(typed.lower())
    if match is None:
        problem = f"{quoted(typed)} is no number of days." if typed else "For how many days?"
        raise UsageError(f"{problem} Try: 3d, 2w")
    count = match["count"]
    days = _DAYS[match["unit"]] * (1 if count[0] == "a" else int(count[:9]))
    if not 1 <= days <= LONGEST_SNOOZE:
        raise UsageError(f"From 1 to {LONGEST_SNOOZE} days is possible, not {quoted(typed)}. Try: 3d, 2w")
    return days


def parse_snooze(words: str, *, today: date) -> date:
    """The day until which something is left alone: after so many days, or `next week`, which begins on Monday.

    Raises UsageError as `parse_days` does.
    """
    if " ".join(visible(words).lower().split()) == "next week":
        return today + timedelta(days=7 - today.weekday())
    return today + timedelta(days=parse_days(words))


def is_guess(words: str) -> bool:
    """Whether people mean different days by these words: `next friday`, `next week`."""
    return bool(_GUESS.fullmatch(" ".join(visible(words).lower().split()).rstrip(".")))


def _iso(plain: str) -> date | None:
    match = _ISO.fullmatch(plain)
    return _date(int(match["year"]), int(match["month"]), int(match["day"])) if match else None


def _date(year: int, month: int, day: int) -> date | None:
    with suppress(ValueError):
        return date(year, month, day)
    return None


def _end_of_month(plain: str, today: date) -> date | None:
    if not _END_OF_MONTH.fullmatch(plain):
        return None
    return today.replace(day=calendar.monthrange(today.year, today.month)[1])


def _spoken(plain: str, today: date) -> date | None:
    if not _PHRASE.fullmatch(plain):
        return None
    # It takes a twentieth of a second to load, which every other command would pay.
    import dateparser  # type: ignore[import-untyped]  # noqa: PLC0415 - see above; it ships no types

    # It knows `thu` and `thursday`, but not every length between.
    plain = re.sub(rf"\b{_WEEKDAY}\b", lambda weekday: weekday[0][:3], plain)
    settings = {"PREFER_DATES_FROM": "future", "RELATIVE_BASE": datetime.combine(today, time())}
    with suppress(OverflowError, ValueError):
        found: datetime | None = dateparser.parse(plain, languages=["en"], settings=settings)
        return found.date() if found else None
    return None


def _refuse_figures(typed: str, plain: str, today: date) -> None:
    """`03/04/2026` is March to some and April to others."""
    match = _NUMERIC.fullmatch(plain)
    if match is None:
        return
    first, second = int(match["first"]), int(match["second"])
    both = (_figures(match["year"], first, second, today), _figures(match["year"], second, first, today))
    offer = " or ".join(sorted({str(day) for day in both if day})) or "2026-12-01"
    raise UsageError(f"{typed} is read differently in different places. Type {offer}")


def _figures(year: str | None, month: int, day: int, today: date) -> date | None:
    """That day; without a year the next such one, as where the month is named."""
    if year:
        return _date(int(f"20{year}"[-4:]), month, day)  # two figures are of this century
    days = (_date(each, month, day) for each in (today.year, today.year + 1))
    return next((each for each in days if each and each >= today), None)
