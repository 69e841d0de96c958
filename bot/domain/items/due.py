"""The date an action item is due on, or snoozed until."""

import calendar
import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta

from bot.domain.time.format import day
from bot.domain.time.names import MONTH
from bot.domain.words import quoted, visible
from bot.errors import ExampleError, UsageError

LONGEST_SNOOZE_DAYS = 365
FARTHEST_YEARS = 10
"""A due date further ahead must be a typing error."""

_DAYS = {"d": 1, "w": 7}
_MAX_DIGITS = 9
_FRIDAY = 4
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_COUNT = r"(?:an?|one|two|three|four|[0-9]{1,3})"
_ISO = re.compile(r"(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})")
_NUMERIC = re.compile(r"(?P<first>[0-9]{1,2})[./-](?P<second>[0-9]{1,2})(?:[./-](?P<year>[0-9]{4}|[0-9]{2})?)?")
_SHORT = re.compile(r"(?:in )?(?P<count>[0-9]{1,3}) ?(?P<unit>[dw])")
_DAY_END = r"(?:eod|cob|close of business|(?:the )?end of (?:the )?(?:business |working )?day)"
_AT_DAY_END = re.compile(rf"{_DAY_END}(?:,? (?:on |of )?(?P<after>.+))?|(?P<before>[^,]+),? {_DAY_END}")
_PERIOD_END = re.compile(
    rf"(?:the )?end of (?:(?P<next>next) |the |this )?(?:(?P<period>week|month|quarter|year)|(?P<named>{MONTH}))"
    r"|eo(?P<letter>[wmqy])"
)
_QUARTER = re.compile(r"q(?P<quarter>[1-4])(?:[ /-]?(?P<year>20[0-9]{2}))?")
_PERIODS = {"w": "week", "m": "month", "q": "quarter", "y": "year"}
# dateparser makes a date of nearly anything (`1`, `may`, `3pm`): only these phrases are passed to it.
_PHRASE = re.compile(
    rf"today|tomorrow|(?:on )?(?:next )?{_WEEKDAY}|next (?:week|month)|(?:in )?{_COUNT} (?:day|week|month)s?"
    rf"|(?:the )?[0-9]{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?{MONTH}(?:,? [0-9]{{4}})?"
    rf"|{MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?(?:,? [0-9]{{4}})?"
)
_GUESS = re.compile(rf"(?:on )?next (?:{_WEEKDAY}|week)")
_SAME_DAY = re.compile(rf"(?:on |{_DAY_END},? (?:on )?)?{_WEEKDAY}(?:,? {_DAY_END})?")
_LENGTH = re.compile(r"(?:for )?(?P<count>-?[0-9]+|an?) ?(?P<unit>d|w)(?:ays?|eeks?)?")

_ENGLISH: dict[str, str] = {
    other: english
    for line in (
        "mon montag lundi", "tue dienstag mardi", "wed mittwoch mercredi", "thu donnerstag jeudi",
        "fri freitag vendredi", "sat samstag sonnabend samedi", "sun sonntag dimanche",
        "jan januar jänner janvier", "feb februar février fevrier", "mar märz mars", "apr avril", "may mai",
        "jun juni juin", "jul juli juillet", "aug août aout", "sep septembre", "oct oktober octobre okt",
        "nov novembre", "dec dezember décembre decembre dez",
        "today heute aujourd'hui", "tomorrow morgen demain", "day tag jour", "days tage tagen jours",
        "week woche semaine", "weeks wochen semaines", "month monat monats mois", "months monate monaten",
        "year jahr jahres année", "next nächste nächsten nächster kommenden prochain prochaine",
        "in dans", "a ein einem einer une", "two zwei deux", "three drei trois", "four vier quatre",
        "eom monatsende", "end ende fin",
    )
    for english, *others in [line.split()]
    for other in others
}  # fmt: skip
"""German and French words in dates, with the English word for each."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_REPHRASED = (
    (re.compile(r"(?:the )?day after tomorrow|übermorgen|après-tomorrow"), "in 2 days"),
    (re.compile(r"end (?:der|des|dieser|dieses|de|du|de la|de ce|de cette) (?=week|month|year)"), "end of "),
    (re.compile(rf"(?P<what>{_WEEKDAY}|week|month) next"), r"next \g<what>"),
    (re.compile(r"(?:1er|le 1er) (?=[a-z])"), "1 "),
    (re.compile(r"(?:am|zum|den|dem|le|ce|this) (?=.)"), ""),
)
"""What the words of other languages leave to be said in English, at the start of the phrase."""


def read_dates(words: str, *, today: date) -> tuple[date, ...]:
    """The days that the words may stand for; several for figures that differ from place to place, none for no date.

    They may lie in the past. A date without a year is the next such one; a weekday is the next one after `today`.
    """
    plain = _in_english(words)
    if numeric := _NUMERIC.fullmatch(plain):
        # `03/04/2026` is March to some and April to others.
        year, first, second = numeric["year"], int(numeric["first"]), int(numeric["second"])
        both = (_month_and_day(year, first, second, today), _month_and_day(year, second, first, today))
        return tuple(sorted({each for each in both if each}))
    found: date | None = None
    if iso := _ISO.fullmatch(plain):
        found = _date(int(iso["year"]), int(iso["month"]), int(iso["day"]))
    elif short := _SHORT.fullmatch(plain):
        found = today + timedelta(days=_DAYS[short["unit"]] * int(short["count"]))
    elif at_end := _AT_DAY_END.fullmatch(plain):
        rest = at_end["after"] or at_end["before"]
        return read_dates(rest, today=today) if rest else (today,)
    elif period := _PERIOD_END.fullmatch(plain):
        found = _period_end(period, today)
    elif _PHRASE.fullmatch(plain):
        found = _phrase(plain, today)
    return (found,) if found else ()


def vague_dates(words: str, *, today: date) -> tuple[date, ...]:
    """The first and the last day, none of them past, of a month or quarter named alone: `april`, `Q2`, `Q2 2027`."""
    plain = _in_english(words)
    if quarter := _QUARTER.fullmatch(plain):
        year, months = int(quarter["year"] or today.year), 3
        month = 3 * int(quarter["quarter"]) - 2
        if not quarter["year"] and month + 2 < today.month:
            year += 1
    elif re.fullmatch(MONTH, plain) and (first := _phrase(f"1 {plain}", today)):
        year, month, months = first.year - (first.month == today.month and first > today), first.month, 1
    else:
        return ()
    last = month + months - 1
    days = (_date(year, month, 1), _date(year, last, calendar.monthrange(year, last)[1]))
    return tuple(each for each in days if each and refused_date(each, today) is None)


def parse_due(words: str, *, today: date) -> date | None:
    """The date the words stand for, which may lie in the past; None when there are no words.

    Raises UsageError for what is no date and for figures that may be read in two ways. As `read_dates` otherwise.
    """
    typed = " ".join(visible(words).split())
    if not typed.rstrip("."):
        return None
    found = read_dates(words, today=today)
    if len(found) > 1:
        offer = " or ".join(str(each) for each in found)
        raise UsageError(f"{typed} is read differently in different places. Type {offer}")
    if not found:
        raise ExampleError(
            f"{quoted(typed)} is no date I know. Dates are 2026-12-01, in 2 weeks, 1 December.", "friday"
        )
    return found[0]


def refused_date(due_on: date, today: date) -> str | None:
    """Why nothing can be due on that date: it is past, or so far ahead that it must be a typing error; else None."""
    if due_on < today:
        return f"{due_on} is in the past; today is {day(today)}."
    if due_on.year > today.year + FARTHEST_YEARS:
        return f"{due_on} is more than {FARTHEST_YEARS} years ahead."
    return None


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
        raise ExampleError(problem, "3d")
    count = match["count"]
    days = _DAYS[match["unit"]] * (1 if count[0] == "a" else int(count[:_MAX_DIGITS]))
    if not 1 <= days <= LONGEST_SNOOZE_DAYS:
        raise ExampleError(f"From 1 to {LONGEST_SNOOZE_DAYS} days is possible, not {quoted(typed)}.", "3d")
    return today + timedelta(days=days)


def other_reading(words: str, *, today: date) -> date | None:
    """The other day that people may mean by the words of one: of `next friday` and `next week` that of the week after,
    of `friday` said on a Friday the day itself; else None.
    """
    plain = _in_english(words)
    found = read_dates(words, today=today)
    if len(found) == 1 and _GUESS.fullmatch(plain):
        return found[0] + timedelta(days=7)
    if len(found) == 1 and _SAME_DAY.fullmatch(plain) and found[0].weekday() == today.weekday():
        return today
    return None


def _in_english(words: str) -> str:
    """The words in lower case, with one space between them and no stop at the end."""
    plain = " ".join(visible(words).lower().replace("\u2019", "'").split()).rstrip(".")
    plain = _WORD.sub(lambda word: _ENGLISH.get(word[0], word[0]), plain)
    for pattern, instead in _REPHRASED:
        if match := pattern.match(plain):
            plain = match.expand(instead) + plain[match.end() :]
    return plain


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


def _period_end(match: re.Match[str], today: date) -> date | None:
    """The last day of the period: a week ends on its Friday, or the next one's from Saturday on."""
    period, ahead = match["period"] or _PERIODS.get(match["letter"] or ""), int(bool(match["next"]))
    if period == "week":
        return today + timedelta(days=(_FRIDAY - today.weekday()) % 7 + 7 * ahead)
    if period is None:
        first = _phrase(f"1 {match['named']}", today)
        if first is None:
            return None
        # In the month itself, its first day is over and the next one a year ahead.
        last = today if first.month == today.month else first
        month = 12 * last.year + last.month - 1
    else:
        months = {"month": 1, "quarter": 3, "year": 12}[period]
        month = (12 * today.year + today.month - 1) // months * months + months - 1 + ahead * months
    year, month = month // 12, month % 12 + 1
    return _date(year, month, calendar.monthrange(min(year, date.max.year), month)[1])


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
