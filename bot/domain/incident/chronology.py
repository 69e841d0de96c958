"""A pasted chronology: lines that each begin with a time, as so many entries of the timeline."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.incident.grammar import take_qualifier
from bot.domain.time.moment import Course, Moment, place
from bot.domain.time.typed import ClockTime, TypedTime, take_time
from bot.domain.time.zones import TypedZone, abbreviations_of, read_zone
from bot.domain.words import after_separator, storable, trimmed
from bot.errors import UsageError
from bot.vocabulary import KINDS, NOTE, Kind

MOST_LINES = 100
"""The most entries one chronology makes; the rest is left for the next."""
_ROLLED_OVER = timedelta(hours=6)
"""A clock time this much before the one above is of the next day; a smaller step back is only out of order."""
_BULLET = re.compile(r"\s*(?:[-*+\u2022\u2013\u2014]\s+|[0-9]{1,3}[.)]\s+|\|\s*|>\s*)?")
_CELLS = re.compile(r"\s*\|\s*")
_KINDS = {name: kind for kind in KINDS.values() for name in (kind.name, kind.label.lower())}
_KIND = re.compile(
    rf"(?:/(?P<command>{'|'.join(KINDS)})(?!\w)|(?P<label>{'|'.join(_KINDS)})(?=\s*(?:[:\u2013\u2014]|-\s|$|(?:at|by)\s)))",
    re.IGNORECASE,
)
_MIDNIGHT = " 00:00"
_LONGEST_HEADING = 80
_WEEKDAY_BEHIND = re.compile(r"\s*\([a-zäöü]{2,10}\.?\)", re.IGNORECASE)
_HEADING_ZONE = re.compile(r"(?:\btimes?\b(?:\s+(?:are|is|in|all))*\s+|\()(?P<zone>[A-Za-z][\w/+:-]*)\W*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChronologyLine:
    """One entry of a chronology: its kind, when it happened, its words, and `typed`, the lines it was made of.

    `problem` says why it cannot be recorded; then `moment` is None.
    """

    kind: Kind
    moment: Moment | None
    qualifier: str | None
    text: str
    typed: str
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesAbove:
    """What holds for the next line: the day and zone of those above it, and when the last of them happened."""

    day: date | None = None
    at: datetime | None = None
    zone: TypedZone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReader:
    """Who reads when: `now` is aware UTC, `zone` the typist's, `course` when the incident ran."""

    now: datetime
    zone: ZoneInfo
    course: Course | None

    def heading(self, line: str) -> date | None:
        """The date that is all the line says: `26 November 2026`, `## 2026-11-26`, `Monday:`."""
        try:
            day = _WEEKDAY_BEHIND.sub("", line).strip("-#*_=:() ")
            typed, rest = take_time(day + _MIDNIGHT, frozenset(), now=self.now)
            if not isinstance(typed, ClockTime) or rest or not _has_day(typed):
                return None
            return place(typed, now=self.now, zone=self.zone).at.astimezone(self.zone).date()
        except UsageError:
            return None

    def zone_of(self, line: str) -> TypedZone | None:
        """The zone that a heading says its times are in: `All times UTC`, `*Timeline (PST)*`."""
        named = _HEADING_ZONE.search(line)
        if named is None:
            return None
        try:
            return read_zone(_MIDNIGHT + f" {named['zone']}", len(_MIDNIGHT), own=abbreviations_of(self.zone, self.now))
        except UsageError:
            return None

    def read(self, line: str, typed: str, above: LinesAbove) -> tuple[ChronologyLine, LinesAbove]:
        """One line as an entry, and what holds below it; moment and problem are None where it begins with no time."""
        kind, rest = _take_kind(line)
        problem, moment = None, None
        try:
            time, rest = take_time(rest, abbreviations_of(self.zone, self.now), now=self.now)
            if kind is None:
                kind, rest = _take_kind(rest)
            if time is not None:
                moment, above = self.place(time, above)
        except UsageError as error:
            problem = str(error)
        kind = kind or KINDS[NOTE]
        qualifier, rest, _ = take_qualifier(kind, rest)
        text = trimmed(rest)
        if moment is not None and not text and not kind.milestone:
            problem, moment = "It has no words.", None
        line_read = ChronologyLine(
            kind=kind, moment=moment, qualifier=qualifier, text=text, typed=typed, problem=problem
        )
        return line_read, above

    def place(self, time: TypedTime, above: LinesAbove) -> tuple[Moment, LinesAbove]:
        """Where a line's time lies: on the day of the line above, or on the next one once the clock has gone round."""
        if isinstance(time, ClockTime):
            time = replace(time, zone=time.zone or above.zone)
        if not isinstance(time, ClockTime) or _has_day(time) or above.day is None:
            moment = place(time, now=self.now, zone=self.zone, course=self.course)
        else:
            moment = place(replace(time, day=above.day), now=self.now, zone=self.zone)
            if above.at is not None and above.at - moment.at > _ROLLED_OVER:
                next_day = above.day + timedelta(days=1)
                moment = place(replace(time, day=next_day), now=self.now, zone=self.zone)
        day = moment.at.astimezone(moment.zone or self.zone).date()
        return moment, LinesAbove(day=day, at=moment.at, zone=time.zone if isinstance(time, ClockTime) else above.zone)


def is_chronology(words: str) -> bool:
    """Whether the words are two lines or more that begin with a time, the first one or all below a date among them."""
    lines = [line for line in words.splitlines() if line.strip()][: MOST_LINES + 1]
    timed = [_begins_with_time(_BULLET.sub("", line, count=1)) for line in lines]
    return sum(timed) > 1 and any(timed[:2]) and (timed[0] or len(lines[0]) <= _LONGEST_HEADING)


def parse_chronology(
    words: str, *, now: datetime, zone: ZoneInfo, course: Course | None = None
) -> list[ChronologyLine]:
    """The entries of a chronology, in the order of its lines, at most MOST_LINES.

    A date and a zone hold for the lines below them; a date may stand on a line of its own. A line without a time goes
    on with the entry above. `now` is aware UTC, `zone` the typist's; `course` is when the incident ran. Raises
    UsageError for words that cannot be stored.
    """
    reader = LineReader(now=now, zone=zone, course=course)
    lines: list[ChronologyLine] = []
    above = LinesAbove()
    for typed in storable(words).splitlines():
        line = _CELLS.sub(" ", _BULLET.sub("", typed, count=1)).strip()
        if not line:
            continue
        day = reader.heading(line) or reader.heading(typed)
        if day is not None:
            above = replace(above, day=day, at=None)
            continue
        read, above = reader.read(line, typed, above)
        if read.moment is None and read.problem is None and lines:
            last = lines[-1]
            lines[-1] = replace(last, text=f"{last.text}\n{typed.rstrip()}".strip(), typed=f"{last.typed}\n{typed}")
        elif read.moment is None and read.problem is None and (zone_typed := reader.zone_of(line)) is not None:
            above = replace(above, zone=zone_typed)
        elif len(lines) == MOST_LINES:
            break
        else:
            lines.append(read if read.moment else replace(read, problem=read.problem or "It begins with no time."))
    return lines


def _has_day(time: ClockTime) -> bool:
    return time.day is not None or time.weekday is not None or time.days_back is not None or time.tonight


def _begins_with_time(line: str) -> bool:
    """Whether a time stands first, or right after the kind of entry."""
    match = _KIND.match(line)
    heads = [line, after_separator(line[match.end() :])] if match else [line]
    try:
        return any(take_time(head, frozenset())[0] is not None for head in heads)
    except UsageError:
        return True


def _take_kind(line: str) -> tuple[Kind | None, str]:
    match = _KIND.match(line)
    if match is None:
        return None, line
    return _KINDS[(match["command"] or match["label"]).lower()], after_separator(line[match.end() :])
