"""A person's own rhythm of reminders: the words that set it, and the cadence that it makes of everybody's."""

import re
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.items.cadence import DAY, Cadence
from bot.domain.items.due import LONGEST_SNOOZE_DAYS, parse_due, parse_snooze
from bot.domain.time.format import clock_text, day
from bot.domain.time.names import WEEKDAYS
from bot.domain.time.typed import twenty_four_hour
from bot.domain.words import quoted, visible
from bot.errors import ExampleError, UsageError
from storage.values import Rhythm

_SHORTEST = timedelta(hours=2)
"""How long a person's hours last at least, from the time they chose: a process that comes back late has that long."""
_WORKDAYS = 5
_DAILY = frozenset({"daily", "day", "days", "everyday", "weekdays", "workday", "workdays", "täglich", "werktags"})
_SHORT_DAYS = {"mo": 0, "di": 1, "mi": 2, "do": 3, "fr": 4, "sa": 5, "so": 6}
"""As they are shortened in German."""
_FILLERS = frozenset(
    {
        "every",
        "each",
        "weekly",
        "at",
        "on",
        "and",
        "und",
        "et",
        "um",
        "le",
        "am",
        "à",
        "jeden",
        "uhr",
        "please",
        "always",
    }
)
_AGAIN = frozenset({"on", "unmute", "back", "again", "resume"})
_MUTE = frozenset({"mute", "never", "stop", "silence"})
_DEFAULT = frozenset({"default", "defaults", "reset", "normal", "standard"})
_OFF = re.compile(r"(?:off|pause|paused|away)\b[\s,:]*(?:(?:until|till?|bis|for|für|to)\b\s*)?(?P<rest>.*)", re.DOTALL)
_CLOCK = re.compile(
    r"(?<![\w:.])(?:(?P<hour>[0-9]{1,2})(?:[:.h](?P<minute>[0-9]{2}))?"
    r"\s?(?:(?P<half>[ap])\.?m\b\.?|(?:uhr|h|o'clock)\b)?"
    r"|(?P<four>[0-9]{4})|(?P<noon>noon|midday))(?![\w:])"
)
_SEPARATORS = re.compile(r"[\s,;&+/]+")
_RANGE = re.compile(r"(?P<first>[^\W\d_]+)\s*(?:[-\u2013]|\bto\b|\bbis\b)\s*(?P<last>[^\W\d_]+)")
_NAMED_DAY = rf"(?:{'|'.join(sorted((*WEEKDAYS, *_DAILY), key=len, reverse=True))})s?"
_BEGINS = re.compile(
    rf"(?:{'|'.join(sorted(_MUTE | _DEFAULT | _AGAIN | {'off', 'pause', 'paused', 'away'}))})[\s.!]*$"
    r"|(?:off|pause|paused|away)[\s,:]+(?:until|till?|bis|for|für|to\b|[0-9])"
    r"|(?:mo|di|mi|do|fr|sa|so)\s?[-\u2013]\s?(?:mo|di|mi|do|fr|sa|so)\b"
    rf"|(?:(?:every|each|weekly|on|at|um|am)\s+)?(?:{_NAMED_DAY}|noon|[0-9]{{1,2}}(?:[:.h][0-9]{{2}}|\s?[ap]\.?m|\s?uhr|h))"
    r"(?=[\s,;:&+/.-]|$)"
    r"|(?:at|um)\s+[0-9]|[0-9]{1,4}$"
)
"""How words about the rhythm begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalCadence(Cadence):
    """The cadence of one person: its days and hours are theirs. With `on` False they get no digest at all."""

    rhythm: Rhythm

    def opening(self, on: date, zone: ZoneInfo) -> datetime:
        """The start of the person's hours, in UTC: on that day, or the first after it that is one of theirs."""
        on = max(on, self.rhythm.off_until or on)
        while not self._is_theirs(on):
            on += DAY
        return datetime.combine(on, self.opens, zone).astimezone(UTC)

    def is_working(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether the aware `at` lies in the person's hours in the zone."""
        local = at.astimezone(zone)
        return self._is_theirs(local.date()) and self.opens <= local.time() < self.closes

    def next_opening(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The next start of the person's hours after the aware `at`, in UTC."""
        local = at.astimezone(zone)
        today = self.opening(local.date(), zone)
        return today if today > at else self.opening(local.date() + DAY, zone)

    def _is_theirs(self, on: date) -> bool:
        chosen = on.weekday() in (self.rhythm.days or range(_WORKDAYS)) and on not in self.holidays
        return chosen and (self.rhythm.off_until is None or on >= self.rhythm.off_until)


def personal(cadence: Cadence, rhythm: Rhythm | None) -> Cadence:
    """The cadence as the person wants it; who has muted it gets no digest, and it is off for them."""
    if rhythm is None or rhythm == Rhythm():
        return cadence
    if rhythm.muted:
        return replace(cadence, on=False)
    opens, closes = rhythm.at or cadence.opens, cadence.closes
    latest = datetime.combine(date.min, opens) + _SHORTEST
    closes = max(closes, latest.time()) if latest.date() == date.min else time.max
    kept = {each.name: getattr(cadence, each.name) for each in fields(Cadence)}
    return PersonalCadence(**kept | {"opens": opens, "closes": closes}, rhythm=rhythm)


def is_rhythm(words: str) -> bool:
    """Whether the words after `remind` are about the rhythm, right or wrong: others are those of a new item."""
    return not words.strip() or _BEGINS.match(_plain(words)) is not None


def parse_rhythm(words: str, *, before: Rhythm, today: date) -> Rhythm:
    """The rhythm that the words make of the one `before`.

    `monday 9:30`, `mon, thu at 8`, `daily 9:30`, `8:00`; `off until 2026-12-24`, `off for 2 weeks`; `mute`; `on` that
    ends both; `default`. Days or a time that are not named stay. Raises UsageError for other words.
    """
    plain = _plain(words)
    bare = plain.rstrip(" .!")
    if bare in _DEFAULT:
        return Rhythm()
    if bare in _MUTE:
        return replace(before, muted=True)
    if bare in _AGAIN:
        return replace(before, muted=False, off_until=None)
    if off := _OFF.fullmatch(plain):
        return replace(before, muted=False, off_until=_off_until(off["rest"], today))
    at, rest = _take_clock(plain, today)
    days = _days(rest)
    if days is None or not (days or at):
        raise _unknown(words, today)
    return replace(before, muted=False, at=at or before.at, days=days or before.days)


def _plain(words: str) -> str:
    return " ".join(visible(words).lower().replace("\u2019", "'").split())


def _unknown(words: str, today: date) -> UsageError:
    others = f"daily 8:00, off until {today + timedelta(days=14)}, mute, default"
    return ExampleError(f"{quoted(words)} is no rhythm I know. Others are {others}.", "monday 9:30")


def _off_until(words: str, today: date) -> date:
    """The first day on which reminders come again."""
    example = f"off until {today + timedelta(days=14)}"
    if not words.strip():
        raise ExampleError("Until when? For good it is: mute.", example)
    until: date | None
    try:
        until = parse_snooze(words, today=today)
    except UsageError:
        until = parse_due(words, today=today)
    if until is None or not today < until <= today + timedelta(days=LONGEST_SNOOZE_DAYS):
        raise ExampleError(f"{quoted(words)} is not a day of the year that begins tomorrow.", example)
    return until


def _take_clock(plain: str, today: date) -> tuple[time | None, str]:
    """The one time of day in the words, None without one, and the words without it."""
    found = list(_CLOCK.finditer(plain))
    if not found:
        return None, plain
    if len(found) > 1:
        raise ExampleError("One time for all days, please.", "monday, thursday 9:30")
    match = found[0]
    hour, minute = int(match["hour"] or 12), int(match["minute"] or 0)
    if match["four"]:
        hour, minute = int(match["four"][:2]), int(match["four"][2:])
    if match["half"]:
        hour = twenty_four_hour(hour, match["half"])
    try:
        at = time(hour, minute)
    except ValueError:
        raise _unknown(match[0], today) from None
    return at, f"{plain[: match.start()]} {plain[match.end() :]}"


def _days(words: str) -> tuple[int, ...] | None:
    """The weekdays that the words name, Monday 0, empty where they name none; None where they say something else."""
    days = set[int]()
    for word in filter(None, _SEPARATORS.split(_RANGE.sub(_between, words))):
        named = _weekday(word)
        if named is not None:
            days.add(named)
        elif word in _DAILY:
            days |= set(range(_WORKDAYS))
        elif word not in _FILLERS:
            return None
    return tuple(sorted(days))


def _weekday(word: str) -> int | None:
    word = word.rstrip(".")
    return (WEEKDAYS | _SHORT_DAYS).get(word, WEEKDAYS.get(word.removesuffix("s")))


def _between(match: re.Match[str]) -> str:
    """The weekdays from the first to the last; the words themselves where they name none."""
    first, last = _weekday(match["first"]), _weekday(match["last"])
    if first is None or last is None:
        return match[0]
    names = {number: name for name, number in reversed(WEEKDAYS.items())}
    return " ".join(names[(first + step) % len(names)] for step in range((last - first) % len(names) + 1))


def describe(rhythm: Rhythm, cadence: Cadence, *, today: date) -> str:
    """The rhythm in words: `every workday at 09:00`, `on Monday and Thursday at 09:30, none before 24 December`."""
    if rhythm.muted:
        return "never"
    names = [day(date(2024, 1, 1 + each)).partition(" ")[0] for each in rhythm.days]
    daily = rhythm.days in {(), tuple(range(_WORKDAYS))}
    days = "every workday" if daily else f"on {' and '.join(filter(None, (', '.join(names[:-1]), *names[-1:])))}"
    begins = f", none before {day(rhythm.off_until)}" if rhythm.off_until and rhythm.off_until > today else ""
    return f"{days} at {clock_text(rhythm.at or cadence.opens)}{begins}"
