"""A time as somebody typed it: read from the head of words, or further on in them, by the table of `forms`."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from bot.domain.time.forms import (
    ANNOUNCEMENTS,
    BARE,
    EXACT,
    FIRST_HOUR,
    FORMS,
    LENGTH_PART,
    OF_A_DAY,
    SET_OFF,
    TOWARDS,
    YEAR,
    Form,
)
from bot.domain.time.names import (
    DAYPARTS,
    DAYS_BACK,
    HOURS,
    MONTHS,
    NUMBERS,
    SHARES,
    UNITS,
    VAGUE,
    WEEKDAYS,
    any_case,
    one_of,
)
from bot.domain.time.zones import TypedZone, read_zone
from bot.domain.words import after_separator, after_visible, quoted, visible
from bot.errors import UsageError

LONGEST = timedelta(days=400)
"""The furthest back a time counted from now may lie; a longer one is taken for a typing error."""

LEAP_YEAR = 2000
"""The year of a date that was typed without one, so that 29 February has one too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeTime:
    """A time `distance` before now; its words end at `end`. `seconds`: seconds were typed.

    `approximate`: it was called so (`about 10 minutes ago`).
    """

    distance: timedelta
    seconds: bool
    end: int
    approximate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTime:
    """A clock time with what was typed of its day and zone; its words end at `end`.

    `days_back` counts from today, `weekday` from Monday; `last` excludes today, and `tonight` may have begun yesterday.
    `yearless`: no year was typed, and `day` has LEAP_YEAR. `other_day` is the other date that figures may mean.
    `half_unknown`: an hour alone that may be of the morning or of the afternoon. `until` is the end of a range,
    `offered` a word of the words after it that may be its zone, as one of `Eastern region` may.
    """

    clock: time
    seconds: bool
    day: date | None
    days_back: int | None
    zone: TypedZone | None
    end: int
    weekday: int | None = None
    last: bool = False
    tonight: bool = False
    yearless: bool = False
    other_day: date | None = None
    half_unknown: bool = False
    approximate: bool = False
    until: "ClockTime | None" = None
    offered: TypedZone | None = None


TypedTime = RelativeTime | ClockTime


def take_time(words: str, own: frozenset[str], *, now: datetime | None = None) -> tuple[TypedTime | None, str]:
    """The time the words begin with, announced or not, and the words after it; None and all words without one.

    `own` are the abbreviations of the typist's zone. With `now` (aware) a bare number is no Unix time unless it lies
    within LONGEST before that. Raises UsageError for what is announced as a time and is none.
    """
    typed = _read_head(visible(words), own, now)
    return typed, words if typed is None else after_separator(after_visible(words, typed.end))


def needs_zone(words: str) -> bool:
    """Whether the time the words begin with depends on the typist's zone; False where no time can be read.

    An abbreviation depends on it (`CST` is one thing in Chicago, another in Shanghai), and so does
    `yesterday`, whose date is not the same everywhere.
    """
    try:
        typed = _read_head(visible(words), frozenset(), None)
    except UsageError:
        return False
    if not isinstance(typed, ClockTime):
        return False
    relative = typed.days_back is not None or typed.tonight
    zones = [each.zone for each in (typed, typed.until) if each]
    return relative or any(zone is None or zone.zone is None or zone.doubtful for zone in zones)


def mentioned_time(words: str, own: frozenset[str]) -> tuple[TypedTime, str] | None:
    """The first unmistakable clock time further on in the words (`restarted db1 at 06:40 UTC`), and how it is typed.

    Figures that only look like one are passed over: lengths of time, ratios, addresses, code, what recurs, is to come.
    """
    words = visible(words)
    without_code = _CODE.sub(lambda code: " " * len(code[0]), words)
    for candidate in _FURTHER_ON.finditer(without_code):
        start = candidate.start("time")
        if _NO_EVENT.search(without_code, max(0, candidate.start() - _LOOK_BACK), candidate.start()):
            continue
        lead = _Lead(
            start=start,
            firmness=EXACT if candidate["at"] or candidate["about"] else BARE,
            between=candidate["between"] is not None,
            further=True,
        )
        try:
            typed = _read_clock_time(without_code, lead, own, None)
        except UsageError:
            continue
        if typed is not None and not _NO_MOMENT.match(without_code, typed.end) and not _is_schedule(typed):
            typed = replace(typed, approximate=typed.approximate or candidate["about"] is not None)
            return typed, without_code[start : typed.end].strip()
    return None


# How a match of a form is read.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A clock time as its figures were typed. `half` is `a` or `p`; `half_open`: an hour that may be of either half."""

    hour: int
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    seconds: bool = False
    half: str | None = None
    half_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A day as it was typed, in the fields of ClockTime.

    `part` is the part of the day, `problem` a date that is none, `iso` a date with dashes.
    """

    day: date | None = None
    days_back: int | None = None
    weekday: int | None = None
    last: bool = False
    tonight: bool = False
    yearless: bool = False
    other_day: date | None = None
    part: str | None = None
    problem: str | None = None
    iso: bool = False

    @property
    def named(self) -> bool:
        """Whether a day is said, and not only a part of one."""
        return bool(self.problem or self.day or self.tonight or self.days_back is not None or self.weekday is not None)

    def moved(self, days: int) -> "_Day":
        """The day so many days later."""
        return replace(
            self,
            day=self.day and min(self.day, date.max - timedelta(days=days)) + timedelta(days=days),
            other_day=self.other_day and min(self.other_day, date.max - timedelta(days=days)) + timedelta(days=days),
            days_back=None if self.days_back is None else self.days_back - days,
            weekday=None if self.weekday is None else (self.weekday + days) % len(_WEEK),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """A distance back from now."""

    distance: timedelta
    seconds: bool = False
    approximate: bool = False


_Part = _Shown | _Day | _Counted | tuple[_Day, _Shown, TypedZone | None]

_NOON, _MIDNIGHT, _DAWN = 12, 24, 6
_LATER_HALF = {"afternoon": range(1, 10), "evening": range(3, 12), "night": range(6, 13)}
"""The hours that are of the later half of the day in this part of it; 12 at night is 24:00."""
_WEEK = range(7)


def _shown(match: re.Match[str]) -> _Shown:
    """A clock time from the groups hour, minute, second, fraction and half; any but the first may be missing."""
    figures = match.groupdict(default="")
    fraction = figures.get("fraction", "").lstrip(".,")
    return _Shown(
        hour=int(figures["hour"]),
        minute=int(figures.get("minute") or 0),
        second=int(figures.get("second") or 0),
        microsecond=int(f"{fraction:0<3}"[:3]) * 1000,
        seconds=bool(figures.get("second")),
        half=figures.get("half", "").lower() or None,
    )


def _hour_alone(match: re.Match[str]) -> _Shown:
    word = match["hour"].lower()
    shown = _Shown(hour=HOURS[word]) if word in HOURS else _shown(match)
    return replace(shown, half_open=1 <= shown.hour <= _NOON)


def _spoken(match: re.Match[str]) -> _Shown | None:
    """`half past three`, `ten past 3`, `quarter to 4`, `halb drei` (half an hour before three)."""
    hour, share = int(_amount(match["hour"])), match["share"].lower().removeprefix("a ")
    if not 1 <= hour <= _NOON:
        return None
    minutes = {"half": 30, "halb": -30, "quarter": 15, "viertel": 15}.get(share) or int(_amount(share))
    side = (match.groupdict().get("side") or "").lower()
    at = (hour * 60 + (-minutes if side in {"to", "vor"} else minutes)) % (_NOON * 60)
    return _Shown(hour=at // 60 or _NOON, minute=at % 60, half_open=True)


def _uhr(match: re.Match[str]) -> _Shown:
    """`14 Uhr`, `14.30 Uhr`, `14 Uhr 30`."""
    return _Shown(hour=int(match["hour"]), minute=int(match["minute"] or match["minutes"] or 0))


def _named_clock(match: re.Match[str]) -> _Shown:
    return _Shown(hour=_NOON, half="p" if match["noon"] else "a")


def _date(year: int | None, month: int, day: int, typed: str, *, iso: bool = False) -> _Day:
    try:
        return _Day(day=date(LEAP_YEAR if year is None else year, month, day), yearless=year is None, iso=iso)
    except ValueError:
        return _Day(problem=typed)


def _century(year: str | None) -> int | None:
    return None if not year else int(year) if len(year) > len("26") else 2000 + int(year)


def _iso_date(match: re.Match[str]) -> _Day:
    return _date(int(match["year"]), int(match["month"]), int(match["day"]), match[0].strip(), iso=match["dash"] == "-")


def _named_date(match: re.Match[str]) -> _Day:
    month = MONTHS[match["month"].lower()]
    return _date(_century(match["year"]), month, int(match["day"]), match[0].strip())


def _numeric_date(match: re.Match[str]) -> _Day:
    """Day and month in figures: the day first with dots, else either, unless only one of them is a date."""
    first, second, year = int(match["first"]), int(match["second"]), _century(match["year"])
    day_first = _date(year, second, first, match[0].strip())
    if match["dash"] == ".":
        return day_first
    month_first = _date(year, first, second, match[0].strip())
    if day_first.problem or month_first.problem or first == second:
        return month_first if day_first.problem else day_first
    return replace(day_first, other_day=month_first.day)


def _day_word(match: re.Match[str]) -> _Day:
    part = DAYPARTS[match["part"].lower()] if match["part"] else None
    return _Day(days_back=DAYS_BACK[match["word"].lower()], part=part)


_EARLY = re.compile(r"^(?:earlier|early|late) ")


def _part_word(match: re.Match[str]) -> _Day:
    """`this morning`, `tonight`, `last night`, `ce soir`: a part of today, or the night that has begun or ended."""
    word = _EARLY.sub("", " ".join(match[0].lower().split()))
    if word == "tonight":
        return _Day(tonight=True, part="night")
    if word == "last night":
        return _Day(days_back=1, part="night", last=True)
    part = DAYPARTS.get(word.split()[-1]) or DAYPARTS[word.split()[-1].removesuffix("s")]
    return _Day(days_back=0 if word.startswith(("this", "ce ", "cet ")) else None, part=part)


def _weekday(match: re.Match[str]) -> _Day:
    return _Day(
        weekday=WEEKDAYS[match["weekday"].lower()],
        last=bool(match["last"] or match["passed"]),
        part=DAYPARTS[match["part"].lower()] if match["part"] else None,
    )


def _days_ago(match: re.Match[str]) -> _Day | None:
    number = _amount(match["number"] or match["vor"] or match["ilya"])
    return _Day(days_back=int(number)) if number == int(number) and number <= LONGEST.days else None


def _stamped(match: re.Match[str]) -> tuple[_Day, _Shown, TypedZone | None]:
    """Date and clock time in one run of figures; without a year it is the latest such day."""
    figures = match.groupdict()
    year = int(figures["year"]) if figures.get("year") else None
    return _date(year, int(match["month"]), int(match["day"]), match[0], iso=True), _shown(match), None


def _unix_time(match: re.Match[str]) -> tuple[_Day, _Shown, TypedZone | None]:
    """Seconds since 1970, or their thousandths, millionths or billionths."""
    figures = match["figures"]
    milliseconds = int(f"{figures}{match['fraction'] or '':0<3}"[: len("1795675212") + 3])
    at = datetime.fromtimestamp(milliseconds // 1000, UTC) + timedelta(milliseconds=milliseconds % 1000)
    shown = _Shown(
        hour=at.hour, minute=at.minute, second=at.second, microsecond=at.microsecond, seconds=True,
    )  # fmt: skip
    return _Day(day=at.date()), shown, TypedZone(name="UTC", zone=UTC, end=match.end())


def _amount(typed: str) -> float:
    """The number that figures or words stand for."""
    word = " ".join(typed.lower().split())
    return (
        float(word.replace(",", ".").replace("\u00bd", ".5")) if word[0].isdigit() else VAGUE.get(word) or NUMBERS[word]
    )


def _counted(match: re.Match[str]) -> _Counted | None:
    """The sum of the lengths; None where a unit comes again, as in `-10m 5m rows`.

    Raises UsageError when it is more than LONGEST.
    """
    parts = list(LENGTH_PART.finditer(match["length"]))
    units_s = [UNITS[part["unit"].lower()] for part in parts]
    if len(set(units_s)) < len(units_s) or not parts:
        return None
    length_s = sum(_length_s(part, unit_s) for part, unit_s in zip(parts, units_s, strict=True))
    if length_s > LONGEST.total_seconds() or _MANY_DIGITS.search(match["length"]):
        raise UsageError(f"{quoted(match[0])} is more than {LONGEST.days} days ago. Type the date in its place.")
    vague = bool(match.groupdict().get("roughly")) or any(
        part["most"] or " ".join((part["number"] or "").lower().split()) in VAGUE for part in parts
    )
    return _Counted(distance=timedelta(seconds=round(length_s)), seconds=1 in units_s, approximate=vague)


def _length_s(part: re.Match[str], unit_s: int) -> float:
    """One part of a length in seconds; of `10-15 minutes` the middle."""
    if part["share"]:
        words = part["share"].lower()
        amount = next(share for name, share in SHARES.items() if name in words)
    else:
        amount = _amount(part["number"])
    if part["most"]:
        amount = (amount + int(part["most"])) / 2
    amount += 0.5 * (bool(part["more"]) + bool(part["plus"]))
    return amount * unit_s + int(part["last"] or 0) * UNITS["min"]


_MANY_DIGITS = re.compile("[0-9]{10}")


def _now(_: re.Match[str]) -> _Counted:
    return _Counted(distance=timedelta())


READERS: dict[str, Callable[[re.Match[str]], _Part | None]] = {
    "counted": _counted,
    "day_word": _day_word,
    "days_ago": _days_ago,
    "hour_alone": _hour_alone,
    "iso_date": _iso_date,
    "named_clock": _named_clock,
    "named_date": _named_date,
    "now": _now,
    "numeric_date": _numeric_date,
    "part_word": _part_word,
    "shown": _shown,
    "spoken": _spoken,
    "stamped": _stamped,
    "uhr": _uhr,
    "unix_time": _unix_time,
    "weekday": _weekday,
}
"""What makes a value of a match, by the name in the table of forms; it gives None for what is something else."""
_DAYS = tuple(form for form in FORMS if form.part == "day")


# What may come before a time, and how the whole is put together.

_BRACKETS = {"(": ")", "[": "]", "*": "*", "`": "`"}
_MOST_BEFORE = 4
_JOIN = any_case(
    r"(?:T(?=[0-9])|[:_](?=[0-9])|,\s{0,9}|:\s{1,9}|\s{1,9}[-\u2013\u2014]\s{1,9}|\s{1,9})",
)
"""Between a day and its clock time."""
_ROUGHLY = any_case(r"\s?-?ish(?!\w)|\s(?:or\sso|oder\sso|approx(?:imately|\.)?)(?![\w'\u2019])|\?(?=[\s:,;)\]]|$)")
_TO = any_case(
    r"\s?(?:->|\u2192)\s?|\s?[\u2013\u2014]\s?|\s-\s|-|\s?\.\.\.?\s?|\s{1,9}(?:to|until|till?|through|thru|bis|à|jusqu'à)\s{1,9}(?:um\s|at\s)?"
)
_ISO_LENGTH = any_case(
    r"(?:/|--)PT(?:(?P<hours>[0-9]{1,2})H)?(?:(?P<minutes>[0-9]{1,3})M)?(?:(?P<seconds>[0-9]{1,5})S)?(?<!T)(?!\w)"
)
_ISO_TO = any_case(r"/(?=[0-9]{2})|--(?=[0-9]{2})")
"""Between the ends of an interval as programs write it."""
_AND = any_case(r"\s{1,9}(?:and|und|et)\s{1,9}")
_BETWEEN = any_case(r"(?:between|zwischen|entre)\s")
_OFFSET = any_case(r"-(?:0[0-9]|1[0-2])(?::?(?:00|15|30|45))(?![0-9:])")
_UTC_BEFORE_END = any_case(
    r"\s?(UTC|GMT|Z)(?=\s?[-\u2013]\s?[0-9]{1,2}:(?:[0-9]{2}\s?(?:UTC|GMT|Z)(?!\w)|(?!00|15|30|45)[0-9]{2}(?![0-9:])))"
)
"""UTC before the end of a range: `09:00 UTC-09:15 UTC` is no zone of nine hours and a quarter."""
_DAY_GAP = any_case(r"[\s,]{1,9}")
_DAY_CLOSED = any_case(r"(?![\w'\u2019/-])")
_CLOSED = any_case(SET_OFF)
_YEAR_LAST = any_case(rf"\s{{1,3}}{YEAR}(?=[\s\]:,]|$)")
_FUSED = re.compile(r"[\w/~?%*=]+|\.[0-9]+")
_ZONED = re.compile(r"Z|UTC|GMT", re.IGNORECASE)
_MAC_ADDRESS = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}", re.IGNORECASE)
_SHORT_MINUTE = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3]):(?P<digit>[0-9])(?![\w:.%'\u2019])")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lead:
    """What was read before a time: it ends at `start`; `closers` are the brackets to be closed after the time."""

    start: int
    firmness: int = BARE
    approximate: bool = False
    between: bool = False
    closers: str = ""
    further: bool = False

    def forms(self, part: str) -> tuple[Form, ...]:
        """The forms of that part of a time that may stand here."""
        return _forms(part, self.firmness, further=self.further)


@cache
def _forms(part: str, firmness: int, *, further: bool) -> tuple[Form, ...]:
    least = [(form, form.further if further else form.least) for form in FORMS if form.part == part]
    return tuple(form for form, needed in least if needed is not None and needed <= firmness)


def _read_head(words: str, own: frozenset[str], now: datetime | None) -> TypedTime | None:
    start = len(words) - len(words.lstrip())
    lead = _read_lead(words, start)
    # `2 days ago at 14:00` is a clock time, `15h02 ago` is none.
    clock = _read_clock_time(words, lead, own, now)
    of_a_day = clock is not None and (clock.day or clock.days_back is not None or clock.weekday is not None)
    typed = clock if of_a_day else _read_counted(words, lead) or clock
    if typed is None:
        _refuse_short_minute(words, lead)
        return None
    end = typed.end
    for closer in reversed(lead.closers):
        end += len(words[end:]) - len(words[end:].lstrip(" "))
        if words[end : end + 1] == closer:
            end += 1
        elif closer != "]" or not isinstance(typed, ClockTime) or typed.day is None:
            # A log may have more in the bracket than its stamp; people put the time alone there.
            return None
    return replace(typed, end=end, approximate=typed.approximate or lead.approximate)


def _read_lead(words: str, start: int) -> _Lead:
    """The announcements and opening brackets at `start`."""
    lead = _Lead(start=start)
    for _ in range(_MOST_BEFORE):
        at = lead.start
        closer = _BRACKETS.get(words[at : at + 1])
        inside = at + 1 + (words[at + 1 : at + 2] == " " and closer in {")", "]"})
        if closer and not words[inside : inside + 1].isspace():
            lead = replace(lead, start=inside, closers=lead.closers + closer, firmness=max(lead.firmness, EXACT))
            continue
        for pattern, firmness, approximate in ANNOUNCEMENTS:
            if match := pattern.match(words, at):
                lead = replace(
                    lead,
                    start=match.end(),
                    firmness=max(lead.firmness, firmness),
                    approximate=lead.approximate or approximate,
                    between=lead.between or _BETWEEN.match(words, at) is not None,
                )
                break
        else:
            break
    return lead


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A clock time that stands in the words from `start` to `end`, with all that was read of it so far.

    `iso`: it is written as programs write it. `last` is the clock time that ends a range, `until` the same as a time.
    """

    form: Form
    shown: _Shown
    start: int
    end: int
    day: _Day = _Day()
    zone: TypedZone | None = None
    iso: bool = False
    approximate: bool = False
    last: _Shown | None = None
    until: ClockTime | None = None
    offered: TypedZone | None = None


def _find_clock(words: str, lead: _Lead) -> _Found | None:
    """The stamp, or the clock time with or without a day before it, at the end of the lead."""
    for form in lead.forms("stamp"):
        match = form.pattern.match(words, lead.start)
        stamp = READERS[form.reads](match) if match else None
        if match and isinstance(stamp, tuple):
            on, shown, zone = stamp
            return _Found(form=form, shown=shown, start=lead.start, end=match.end(), day=on, zone=zone, iso=True)
    for form in _DAYS:
        match = form.pattern.match(words, lead.start)
        day = READERS[form.reads](match) if match else None
        joint = _JOIN.match(words, match.end()) if match else None
        if joint is None or not isinstance(day, _Day):
            continue
        inner = _read_lead(words, joint.end())
        firmness = OF_A_DAY if inner.firmness else max(lead.firmness, TOWARDS)
        found = _find_plain_clock(words, replace(lead, start=inner.start, firmness=firmness))
        if found is not None and not inner.closers:
            iso = day.iso and (found.shown.seconds or joint[0] in "Tt")
            return replace(found, day=day, start=lead.start, iso=iso, approximate=inner.approximate)
    return _find_plain_clock(words, lead)


def _find_plain_clock(words: str, lead: _Lead) -> _Found | None:
    for form in lead.forms("clock"):
        match = form.pattern.match(words, lead.start)
        shown = READERS[form.reads](match) if match else None
        if match and isinstance(shown, _Shown):
            return _Found(form=form, shown=shown, start=lead.start, end=match.end())
    return None


def _read_clock_time(words: str, lead: _Lead, own: frozenset[str], now: datetime | None) -> ClockTime | None:
    """The clock time at the end of the lead, None when other words stand there.

    Raises UsageError for what is announced as a time, or has a day, and is none.
    """
    found = None if _MAC_ADDRESS.match(words, lead.start) else _find_clock(words, lead)
    if found is None or (found.form.reads == "unix_time" and not _is_recent(found, lead, now)):
        return None
    announced = lead.firmness > BARE or found.day.named
    while longer := next((more for read in _TAILS if (more := read(words, found, lead, own))), None):
        found = longer
    if found.form.name == FIRST_HOUR and found.until is None:
        return None
    if found.zone is None and (fused := _FUSED.match(words, found.end)) and words[found.end] not in lead.closers:
        if not announced:
            return None
        typed = quoted(words[found.start : found.end])
        # An example without the zone would be another time.
        advice = "Put a space after its zone." if _ZONED.match(fused[0]) else f"Try a space: at {typed} …"
        raise UsageError(f"I cannot read {quoted(typed + fused[0])} as a time. {advice}")
    if found.last is not None:
        found = replace(found, shown=_in_half_of(found.shown, found.last))
    return _clock_time(words, found, announced=announced)


def _with_roughly(words: str, found: _Found, _lead: _Lead, _own: frozenset[str]) -> _Found | None:
    """With `ish` or `or so`."""
    match = _ROUGHLY.match(words, found.end)
    return replace(found, end=match.end(), approximate=True) if match else None


def _with_end(words: str, found: _Found, lead: _Lead, own: frozenset[str]) -> _Found | None:
    """With the end of the range that it begins: `-12:45`, `to 12:45 UTC`."""
    iso_to = _ISO_TO.match(words, found.end) if found.iso else None
    to = iso_to or _TO.match(words, found.end) or (_AND.match(words, found.end) if lead.between else None)
    if to is None or found.until is not None or (found.iso and to[0] == "-"):
        return None
    inner = _read_lead(words, to.end())
    firmness = max(found.form.least, inner.firmness, EXACT if found.form.least else TOWARDS if lead.between else BARE)
    last = None if inner.closers else _find_clock(words, replace(lead, start=inner.start, firmness=firmness))
    if last is None or (last.form.part == "stamp" and iso_to is None) or last.form.name == FIRST_HOUR:
        return None
    if _is_offset_of_a_date(words, found) and last.shown.hour < found.shown.hour:
        return None
    zone = last.zone or read_zone(words, last.end, iso=last.iso, own=own)
    zone = None if zone and zone.offered else zone
    last = replace(last, zone=zone, end=zone.end if zone else last.end)
    until = _clock_time(words, last, announced=False)
    if until is None or (_FUSED.match(words, last.end) and words[last.end] not in lead.closers):
        return None
    return replace(found, end=last.end, last=last.shown, until=until, zone=found.zone or zone)


def _with_length(words: str, found: _Found, _lead: _Lead, _own: frozenset[str]) -> _Found | None:
    """With the length that programs write after the beginning: `2026-11-26T06:40:12Z/PT15M`."""
    match = _ISO_LENGTH.match(words, found.end) if found.iso and found.until is None else None
    start = _clock_time(words, found, announced=False) if match else None
    if match is None or start is None or start.day is None or start.day.year == date.max.year:
        return None
    length = timedelta(**{unit: int(figures or 0) for unit, figures in match.groupdict().items()})
    at = datetime.combine(start.day, start.clock) + min(length, LONGEST)
    return replace(found, end=match.end(), until=replace(start, clock=at.time(), day=at.date(), end=match.end()))


def _with_zone(words: str, found: _Found, _lead: _Lead, own: frozenset[str]) -> _Found | None:
    if found.zone is not None or found.until is not None:
        return None
    if utc := _UTC_BEFORE_END.match(words, found.end):
        return replace(found, zone=TypedZone(name=utc[1], zone=UTC, end=utc.end()), end=utc.end())
    zone = read_zone(words, found.end, iso=found.iso or _is_offset_of_a_date(words, found), own=own)
    if zone is not None and zone.offered:
        return None if found.offered else replace(found, offered=zone)
    return replace(found, zone=zone, end=zone.end) if zone else None


def _with_year(words: str, found: _Found, _lead: _Lead, _own: frozenset[str]) -> _Found | None:
    """With the year that programs put last: `Nov 26 06:40:12 UTC 2026`."""
    day = found.day.day
    match = _YEAR_LAST.match(words, found.end) if found.day.yearless and found.shown.seconds else None
    if match is None or day is None:
        return None
    dated = _date(int(match["year"]), day.month, day.day, words[found.start : match.end()])
    return replace(found, day=dated, end=match.end())


def _with_day(words: str, found: _Found, _lead: _Lead, _own: frozenset[str]) -> _Found | None:
    """With a day after it. One that may belong to the words needs an `on`, or nothing after it."""
    gap = None if found.day.named else _DAY_GAP.match(words, found.end)
    if gap is None:
        return None
    for form in _DAYS:
        match = form.pattern.match(words, gap.end())
        day = READERS[form.reads](match) if match else None
        if match is None or not isinstance(day, _Day) or not _DAY_CLOSED.match(words, match.end()):
            continue
        said = match[0].lower().startswith(("on ", "am ", "le ")) or (day.day is not None and not day.yearless)
        word = day.day is None and day.weekday is None and day.days_back != -1 and match[0].lower() != "hier"
        if said or word or _CLOSED.match(words, match.end()):
            return replace(found, day=replace(day, part=day.part or found.day.part), end=match.end())
    return None


_TAILS = (_with_roughly, _with_end, _with_length, _with_zone, _with_year, _with_day)
"""What may follow a clock time, in any order."""


def _is_offset_of_a_date(words: str, found: _Found) -> bool:
    """Whether `-03:00` follows a date and its time, as programs write them."""
    return found.day.iso and found.zone is None and _OFFSET.match(words, found.end) is not None


def _is_recent(found: _Found, lead: _Lead, now: datetime | None) -> bool:
    """Whether the Unix time may be one: it is announced, or lies in the time before now."""
    if lead.firmness > BARE or now is None or found.day.day is None:
        return True
    shown = found.shown
    at = datetime.combine(found.day.day, time(shown.hour, shown.minute, shown.second), UTC)
    return now - LONGEST <= at <= now


def _in_half_of(shown: _Shown, last: _Shown) -> _Shown:
    """The first hour of a range in the half of the day that the last one names: `3-4pm`, and `11-1pm` in the other."""
    if shown.half or not last.half or not 1 <= shown.hour <= _NOON:
        return shown
    same = twenty_four_hour(shown.hour, last.half), shown.minute
    later = twenty_four_hour(last.hour, last.half), last.minute
    return replace(shown, half=last.half if same <= later else {"a": "p", "p": "a"}[last.half], half_open=False)


def _clock_time(words: str, found: _Found, *, announced: bool) -> ClockTime | None:
    """What was found as a ClockTime; None for no time of day or no date.

    Raises UsageError instead where it was announced.
    """
    day, shown = found.day, found.shown
    read = _time_of_day(shown, day.part)
    if read is None or day.problem:
        if not announced:
            return None
        if day.problem:
            raise UsageError(f"{quoted(day.problem)} is no date. Check the day and the month.")
        typed = quoted(words[found.start : found.end])
        raise UsageError(f"{typed} is no time of day. Hours go up to 23, minutes and seconds up to 59.")
    clock, days_later = read
    day = day.moved(days_later) if days_later else day
    return ClockTime(
        clock=clock,
        seconds=shown.seconds,
        day=day.day,
        days_back=day.days_back,
        zone=found.zone,
        end=found.end,
        weekday=day.weekday,
        last=day.last,
        tonight=day.tonight,
        yearless=day.yearless,
        other_day=day.other_day,
        half_unknown=shown.half_open and shown.half is None and day.part is None,
        approximate=found.approximate,
        offered=None if found.zone else found.offered,
        until=found.until and replace(found.until, zone=found.until.zone or found.zone),
    )


def _time_of_day(shown: _Shown, part: str | None) -> tuple[time, int] | None:
    """The clock time, and how many days after the named one it falls: 24:00, and the small hours of a night."""
    hour = shown.hour
    if shown.half and hour <= _NOON:
        hour = twenty_four_hour(hour or _NOON, shown.half)
    elif shown.half == "a" and hour > _NOON:
        return None
    elif part in _LATER_HALF and shown.half is None and hour in _LATER_HALF[part]:
        hour += _NOON
    days_later = int(hour == _MIDNIGHT or (part == "night" and hour < _DAWN))
    if hour == _MIDNIGHT and shown.minute == shown.second == 0:
        hour = 0
    try:
        return time(hour, shown.minute, shown.second, shown.microsecond), days_later
    except ValueError:
        return None


def twenty_four_hour(hour: int, half: str) -> int:
    """The hour of the day of `hour` in the half `a` (am) or `p` (pm); -1, which no clock has, outside of 1 to 12."""
    if not 1 <= hour <= _NOON:
        return -1
    return hour % _NOON + (_NOON if half == "p" else 0)


def _read_counted(words: str, lead: _Lead) -> RelativeTime | None:
    """The time counted back from now at the end of the lead. Raises UsageError when it is further back than LONGEST."""
    for form in lead.forms("counted"):
        match = form.pattern.match(words, lead.start)
        counted = READERS[form.reads](match) if match else None
        if match and isinstance(counted, _Counted):
            return RelativeTime(
                distance=counted.distance,
                seconds=counted.seconds,
                end=match.end(),
                approximate=counted.approximate,
            )
    return None


def _refuse_short_minute(words: str, lead: _Lead) -> None:
    """Refuse `at 14:2`, which is announced and no whole time."""
    if lead.firmness >= EXACT and (short := _SHORT_MINUTE.match(words, lead.start)):
        typed, whole = quoted(short[0]), f"{short['hour']}:0{short['digit']}"
        raise UsageError(f"{typed} may be a time or not. If it is, type: at {whole} …")


# What is mentioned further on.

_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_FURTHER_ON = any_case(
    r"(?<![\w:./,+#~$\u20ac\u00a3-])(?:(?P<about>[~\u2248]|around|about|circa|ca\.|gegen|vers)\s{0,3}|(?P<between>between|zwischen|entre)\s)?"
    r"(?P<at>(?:at|um|à)\s{1,3}|@\s?)?"
    r"(?P<time>(?=[0-9]|yesterday|today|last\s|this\s|tonight|noon|midnight|half\s|quarter\s|on\s|heute|gestern|hier|midi|minuit|"
    rf"mittag|mitternacht|{one_of(MONTHS)}\b|{one_of(WEEKDAYS)}\b))"
)
_LOOK_BACK = 60
_NO_EVENT = any_case(
    r"(?:\b(?:took|takes?|taking|lasted|lasts?|lasting|for|in|within|over|by|until|till?|before|after|ports?|version|ratio|scored?"
    r"|aspect|every|each|than|bis|dauerte|pendant|avant|the|our|an?|der|die|das|le|la)\s{1,3}(?:at\s|about\s|around\s|~)?"
    r"|\b(?:next|every|each|daily|nightly|weekly|hourly|tomorrow|morgen|demain|weekdays|eta|deadline|due|scheduled?|planned"
    r"|hours|open|opens|closes|runs|cron|will|expected)\b[^.;!?\n]{0,30})$"
)
"""What stands before a time that is no event's: a length, a limit, what recurs or is to come."""
_NO_MOMENT = any_case(
    r"\s{0,3}(?:(?:min(?:ute)?s?|secs?|seconds|hours?|ratio|sla|daily|every|each|weekdays|tomorrow|meeting|standup|deadline)(?!\w)"
    r"|[-/\u2013][0-9])"
)
_SCHEDULE = timedelta(hours=4)
"""A range at least this long is one of business hours or of a shift."""


def _is_schedule(typed: ClockTime) -> bool:
    if typed.until is None:
        return False
    start, end = (datetime.combine(date(LEAP_YEAR, 1, 1), each) for each in (typed.clock, typed.until.clock))
    return (end - start) % timedelta(days=1) >= _SCHEDULE
