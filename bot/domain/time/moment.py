"""Which instant a time stands for that somebody typed: on which clocks, on which day, before or after their change."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.domain.time.format import clock_text, short_day, zone_text
from bot.domain.time.typed import LEAP_YEAR, ClockTime, RelativeTime, TypedTime
from bot.domain.time.zones import abbreviations_of, local_meaning, meanings, usual_place
from bot.errors import UsageError
from storage.values import whole_milliseconds

CLOCK_SKEW = timedelta(minutes=2)
"""A clock time up to this far ahead is taken for a clock that runs fast: an error, not yesterday's time."""

FIRST_YEAR = 2000


LATEST, AS_DATED, INCIDENT_DAY, WALL_CLOCK, AS_NAMED, IN_UTC, OTHER_HOUR, OTHER_HALF, OTHER_DATE, OTHER_ZONE, NOW = (
    "latest", "as_dated", "incident_day", "wall_clock", "as_named", "in_utc", "other_hour", "other_half", "other_date",
    "other_zone", "now",
)  # fmt: skip
"""The reasons for a reading: the latest such moment that is not ahead; the day that was typed; the day on which the
incident ran; the clock on the wall, whatever the abbreviation says; the abbreviation as it is defined; a clock read in
UTC; the other of the two hours when clocks are set back; the afternoon; the other date the figures may mean; the clocks
of a word after the time that may be a zone or not, or those without it; now, because the time is still ahead."""

RECENT = timedelta(hours=2)
"""A time at most this far back is what people type while something happens."""
LONG_AGO = timedelta(hours=6)
"""From this age on, a time without an incident to belong to may well have been meant otherwise."""
_HALF_A_DAY = timedelta(hours=12)
_SOON = timedelta(hours=1)
"""A time this little ahead is now on a fast clock, where yesterday's would lie before the incident."""
_MARGIN = timedelta(hours=1)
"""What belongs to an incident may lie this much before its beginning or after its end."""
_FARTHEST_ZONES = timedelta(hours=16)
"""Zones of one abbreviation are less than this apart."""
_LONGEST_RUN = timedelta(days=31)
"""An incident longer than this tells no day."""
_MOST_DAYS = 2
"""Of an incident of several days, at most so many others are offered, the nearest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalClock:
    """The clocks of `zone`, read when it is `now` (aware UTC).

    `typed` is the zone's name as the person wrote it, empty when they wrote none: examples repeat it.
    """

    zone: tzinfo
    now: datetime
    typed: str = ""

    @property
    def today(self) -> date:
        """The date in the zone, now."""
        return self.now.astimezone(self.zone).date()

    def latest(self, clock: time) -> datetime:
        """The latest instant not after now at which the clocks showed `clock`.

        Raises UsageError when that time is at most CLOCK_SKEW ahead, or was skipped on the day it would fall on.
        """
        shown_now = self.now.astimezone(self.zone).replace(tzinfo=None)
        # Tomorrow's first minutes may be within the skew; Apia skipped a whole day in 2011.
        for days_back in (-1, 0, 1, 2, 3):
            wall = datetime.combine(self.today - timedelta(days=days_back), clock)
            instants = self.instants(wall)
            if not instants and wall <= shown_now + CLOCK_SKEW:
                raise self._skipped(wall)
            self._refuse_skewed(clock, instants)
            past = [instant for instant in instants if instant <= self.now]
            if past:
                return past[-1]
        raise self._skipped(datetime.combine(self.today, clock))

    def ahead(self, clock: time) -> bool:
        """Whether the clocks show `clock` within _SOON."""
        days = (self.today, self.today + timedelta(days=1))
        instants = [at for day in days for at in self.instants(datetime.combine(day, clock))]
        return any(self.now < at <= self.now + _SOON for at in instants)

    def nearest(self, clock: time, reference: datetime) -> datetime:
        """The instant not after now, closest to `reference`, at which the clocks showed `clock`.

        Raises UsageError as `latest` does.
        """
        reference = min(reference, self.now)
        day = reference.astimezone(self.zone).date()
        walls = [datetime.combine(day + timedelta(days=days), clock) for days in (-2, -1, 0, 1)]
        candidates = {instant: wall for wall in walls for instant in self._of_both_folds(wall)}
        ordered = sorted(candidates, key=lambda instant: (abs(instant - reference), -instant.timestamp()))
        self._refuse_skewed(clock, ordered[:1])
        chosen = next(instant for instant in ordered if instant <= self.now)
        if not self.instants(candidates[chosen]):
            raise self._skipped(candidates[chosen])
        return chosen

    def on(self, day: date, clock: time) -> datetime:
        """The instant at which the clocks showed `clock` on `day`; of two, the later one that is not ahead.

        Raises UsageError when it lies before FIRST_YEAR or ahead of now, or was skipped.
        """
        if day.year < FIRST_YEAR:
            raise UsageError(f"{day} is before the year {FIRST_YEAR}. Check the year: {self.today} {clock_text(clock)}")
        # Far years are refused before any arithmetic: near 9999 it would overflow.
        if day.year > self.now.year + 1:
            raise self._ahead(day, clock)
        wall = datetime.combine(day, clock)
        instants = self.instants(wall)
        if not instants:
            raise self._skipped(wall)
        past = [instant for instant in instants if instant <= self.now]
        if not past:
            raise self._ahead(day, clock)
        return past[-1]

    def instants(self, wall: datetime) -> list[datetime]:
        """The instants, in order, at which the clocks show `wall` (naive): two in autumn, none in spring."""
        return [at for at in self._of_both_folds(wall) if at.astimezone(self.zone).replace(tzinfo=None) == wall]

    def _of_both_folds(self, wall: datetime) -> list[datetime]:
        """The instants PEP 495 gives `wall`; where the clocks skip it, the two on either side of the jump."""
        return sorted({wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1)})

    def _refuse_skewed(self, clock: time, instants: list[datetime]) -> None:
        if any(self.now < instant <= self.now + CLOCK_SKEW for instant in instants):
            yesterday = " ".join(("yesterday", clock_text(clock), self.typed)).strip()
            raise UsageError(
                f"{clock_text(clock)} is still ahead: it is {self._now_text()}. "
                f"For now, leave the time out; for yesterday, type `{yesterday}`"
            )

    def _ahead(self, day: date, clock: time) -> UsageError:
        dated = "" if day == self.today else f"{day} "
        current = self._now_text() if day == self.today else f"{self.today} {self._now_text()}"
        return UsageError(f"{dated}{clock_text(clock)} is still ahead: it is {current}. For now, leave the time out.")

    def _skipped(self, wall: datetime) -> UsageError:
        day = f"{wall.day} {wall:%B}" + ("" if wall.year == self.now.year else f" {wall.year}")
        return UsageError(
            f"{clock_text(wall.time())} did not exist on {day} in {zone_text(self.zone)}: "
            "the clocks went forward. Type the time they showed then, or the time in UTC."
        )

    def _now_text(self) -> str:
        local, in_utc = self.now.astimezone(self.zone), self.now.astimezone(UTC)
        utc = f"{in_utc:%H:%M} UTC"
        if not local.utcoffset():
            return utc
        if in_utc.date() != local.date():
            utc += f", {short_day(in_utc)}"
        return f"{local:%H:%M} in {zone_text(self.zone)} ({utc})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When an incident ran: from `began_at` to `ended_at`, which is None while it is open."""

    began_at: datetime
    ended_at: datetime | None

    def holds(self, at: datetime, *, margin: timedelta = timedelta()) -> bool:
        """Whether the instant lies within the incident, or within `margin` of it."""
        return self.began_at - margin <= at and (self.ended_at is None or at <= self.ended_at + margin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read a typed time: the instant, as the clocks of `zone` show it, and the reason for the reading."""

    at: datetime
    zone: tzinfo
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The instant a typed time stands for: `at` is aware UTC in whole milliseconds.

    `zone_assumed`: it was read off the clocks of the typist's zone, because no zone was typed.
    `seconds`: seconds were typed. It was read on the clocks of `zone`, None for a time counted back from now, for the
    `reason`; `doubts` are other readings that may be meant. `distant`: no date was typed, and it is half a day ago or
    more: a time that was mistyped, or lies ahead, is read as one of yesterday. `approximate`: it was called so.
    `until_at` is the end of a range, and `end_problem` names one that was left out, and why.
    """

    at: datetime
    zone_assumed: bool
    seconds: bool
    zone: tzinfo | None = None
    reason: str = LATEST
    doubts: tuple[Reading, ...] = ()
    distant: bool = False
    approximate: bool = False
    until_at: datetime | None = None
    end_problem: str = ""

    @property
    def doubtful(self) -> bool:
        """Whether it is to be said how the time was read."""
        told = self.reason in {INCIDENT_DAY, WALL_CLOCK, IN_UTC}
        return self.distant or bool(self.doubts or self.end_problem) or told


def place(
    typed: TypedTime,
    *,
    now: datetime,
    zone: ZoneInfo,
    reference: datetime | None = None,
    course: Course | None = None,
) -> Moment:
    """The moment that a typed time stands for, and the other readings where it may be doubted.

    `now` is aware UTC, `zone` the typist's. A clock time without a date is the latest such moment not after now, or
    with a `reference` (aware) the one closest to that. `course` is when the incident ran that the words are about: of
    several readings, the first that lies in it is taken. Raises UsageError for what lies ahead of now, did not exist
    or lies too far back.
    """
    if isinstance(typed, RelativeTime):
        return Moment(
            at=whole_milliseconds(now - typed.distance),
            zone_assumed=False,
            seconds=typed.seconds,
            approximate=typed.approximate,
        )
    own = LocalClock(zone=zone, now=now)
    typed = dated(typed, own)
    readings = _readings(typed, own, reference, course)
    taken = next((each for each in readings if _fits(each, now, course)), readings[0])
    doubts: dict[datetime, Reading] = {}
    for each in readings:
        if each.at != taken.at and _is_plausible(each, taken, now, course):
            doubts.setdefault(each.at, each)
    days = [each for each in doubts.values() if each.reason == INCIDENT_DAY]
    for each in sorted(days, key=lambda day: abs(day.at - taken.at))[_MOST_DAYS:]:
        del doubts[each.at]
    until_at, end_problem = end_of_range(typed.until, taken, own) if typed.until else (None, "")
    return Moment(
        at=whole_milliseconds(taken.at),
        zone_assumed=typed.zone is None,
        seconds=typed.seconds,
        zone=taken.zone,
        reason=taken.reason,
        doubts=tuple(doubts.values()),
        distant=taken.reason == LATEST and now - taken.at >= _HALF_A_DAY,
        approximate=typed.approximate,
        until_at=until_at,
        end_problem=f"{clock_text(typed.until.clock)}, {end_problem}" if typed.until and end_problem else "",
    )


def _fits(reading: Reading, now: datetime, course: Course | None) -> bool:
    """Whether the reading may be taken before a likelier one that does not fit.

    UTC is offered only: it is the wall clock that people without a zone mean. So is what a word may mean or not.
    """
    if reading.reason in {IN_UTC, OTHER_ZONE}:
        return False
    return now - reading.at < LONG_AGO if course is None else course.holds(reading.at, margin=_MARGIN)


def _is_plausible(other: Reading, taken: Reading, now: datetime, course: Course | None) -> bool:
    """Whether a reading is worth a button beside the one that was taken."""
    if other.reason == IN_UTC:
        close = now - other.at <= RECENT if course is None else course.holds(other.at)
        return close and not _fits(taken, now, course)
    if other.reason in {AS_NAMED, WALL_CLOCK} and abs(other.at - taken.at) > _FARTHEST_ZONES:
        # Read in that zone it lies ahead, and the latest such moment is one of the day before.
        return False
    return other.reason != OTHER_HALF or not _fits(taken, now, course) or _fits(other, now, course)


def _readings(typed: ClockTime, own: LocalClock, reference: datetime | None, course: Course | None) -> list[Reading]:
    """The ways to read a clock time, the likeliest first, none ahead of now.

    `own` is the clock of the typist's zone. Raises UsageError where none is possible, for the likeliest.
    """
    readings: list[Reading] = []
    problems: list[UsageError] = []
    for each, clock, reason in _candidates(typed, own, reference):
        try:
            at = _on_clock(each, clock, reference)
        except UsageError as error:
            problems.append(error)
            continue
        # The clock itself prefers the later of the two hours when it was set back.
        both = reversed(clock.instants(at.astimezone(clock.zone).replace(tzinfo=None)))
        same = [Reading(at=again, zone=clock.zone, reason=OTHER_HOUR) for again in both if again != at]
        readings += [Reading(at=at, zone=clock.zone, reason=reason), *same]
        if reason == LATEST and course is not None and not course.holds(at, margin=_MARGIN) and clock.ahead(each.clock):
            readings.append(Reading(at=own.now, zone=clock.zone, reason=NOW))
        if reason in {LATEST, IN_UTC} and course is not None and course.ended_at is not None:
            of_incident = INCIDENT_DAY if reason == LATEST else IN_UTC
            readings += _within(each.clock, clock, course.began_at, course.ended_at, of_incident)
    possible = [each for each in readings if each.at <= own.now]
    if all(each.reason in {IN_UTC, OTHER_ZONE} for each in possible):
        # `today 07:10` may be of the day that has begun in UTC and not yet where the typist is.
        recent = [each for each in possible if own.now - each.at <= RECENT]
        if typed.days_back != 0 or not recent:
            raise problems[0]
        return recent
    return possible


def _candidates(
    typed: ClockTime, own: LocalClock, reference: datetime | None
) -> Iterator[tuple[ClockTime, LocalClock, str]]:
    """What may have been typed, on which clock, with the reason; the likeliest first."""
    clocks = list(_clocks(typed, own, reference))
    dated = typed.day is not None or typed.days_back is not None
    for number, (clock, reason) in enumerate(clocks):
        yield typed, clock, reason or (AS_DATED if dated else LATEST)
        if number:
            continue
        if typed.half_unknown:
            yield replace(typed, clock=typed.clock.replace(hour=(typed.clock.hour + 12) % 24)), clock, OTHER_HALF
        if typed.other_day is not None:
            yield replace(typed, day=typed.other_day), clock, OTHER_DATE
        if typed.days_back is not None and clock.today != own.today:
            day = own.today - timedelta(days=typed.days_back)
            yield replace(typed, day=day, days_back=None), clock, OTHER_DATE
    if typed.offered is not None and typed.offered.zone is not None:
        yield typed, LocalClock(zone=typed.offered.zone, now=own.now, typed=typed.offered.name), OTHER_ZONE
    if typed.zone is not None and typed.zone.doubtful:
        yield typed, own, OTHER_ZONE
    if typed.zone is None and (not dated or typed.days_back == 0) and reference is None:
        yield typed, LocalClock(zone=UTC, now=own.now, typed="UTC"), IN_UTC


def _clocks(typed: ClockTime, own: LocalClock, reference: datetime | None) -> Iterator[tuple[LocalClock, str | None]]:
    """The clocks that may have been read, the likeliest first; the reason is None for the plain one.

    An abbreviation means what it means in the typist's zone where its clocks go by it then. One that they go by at
    another time of the year was read off the wall all the same: `PST` in July in Los Angeles. Any other means what it
    is defined as, and else what the wall showed where it is used.
    """
    if typed.zone is None:
        yield own, None
        return
    name, zone = typed.zone.name, typed.zone.zone
    if zone is not None:
        yield LocalClock(zone=zone, now=own.now, typed=name), None
        return
    near = reference or own.now
    if typed.day and FIRST_YEAR <= typed.day.year <= own.now.year:
        near = datetime.combine(typed.day, time(12), UTC)
    meant = local_meaning(own.zone, name, near)
    if meant is not None and _shows(typed, LocalClock(zone=meant, now=own.now, typed=name), reference, own.zone):
        yield LocalClock(zone=meant, now=own.now, typed=name), None
        return
    if name.upper() in abbreviations_of(own.zone, near):
        yield replace(own, typed=name), WALL_CLOCK
    for each in meanings(name, own.zone, near):
        yield LocalClock(zone=each, now=own.now, typed=name), AS_NAMED
    if (usual := usual_place(name)) is not None:
        yield LocalClock(zone=usual, now=own.now, typed=name), WALL_CLOCK


def _shows(typed: ClockTime, clock: LocalClock, reference: datetime | None, zone: tzinfo) -> bool:
    """Whether the zone's clocks go by the abbreviation `clock.typed` at the typed time."""
    return _on_clock(typed, clock, reference).astimezone(zone).tzname() == clock.typed.upper()


def _within(clock: time, local: LocalClock, began_at: datetime, ended_at: datetime, reason: str) -> list[Reading]:
    """The moments of an incident at which the clocks showed `clock`, the last one first."""
    if ended_at - began_at > _LONGEST_RUN:
        return []
    first_day, last_day = (at.astimezone(local.zone).date() for at in (began_at, ended_at))
    days = [last_day - timedelta(days=back) for back in range((last_day - first_day).days + 1)]
    return [
        Reading(at=at, zone=local.zone, reason=reason)
        for day in days
        for at in reversed(local.instants(datetime.combine(day, clock)))
        if began_at <= at <= ended_at
    ]


def _on_clock(typed: ClockTime, clock: LocalClock, reference: datetime | None) -> datetime:
    if typed.day is not None:
        return clock.on(typed.day, typed.clock)
    if typed.days_back is not None:
        return clock.on(clock.today - timedelta(days=typed.days_back), typed.clock)
    return clock.nearest(typed.clock, reference) if reference else clock.latest(typed.clock)


MONTH_AHEAD = timedelta(days=31)
"""A date without a year that lies at most this far ahead is refused as such, and not taken for one of a year ago."""
_YEARS_BACK = 8
"""The longest time between two leap days."""


def dated(typed: ClockTime, own: LocalClock) -> ClockTime:
    """The typed time with the date that a weekday, a date without a year, or `tonight` means now.

    That is the latest day on which the time is not ahead. Of two dates that figures may mean the nearest one before now
    is `day`, and `other_day` is the other, if that is not ahead either. `own` is the clock of the typist's zone.
    """
    clock = own if typed.zone is None or typed.zone.zone is None else replace(own, zone=typed.zone.zone)
    shown_now = clock.now.astimezone(clock.zone).replace(tzinfo=None)
    if typed.tonight:
        begun_yesterday = typed.clock >= time(12) and shown_now.time() < time(6)
        return replace(typed, days_back=int(begun_yesterday), tonight=False)
    if typed.last and typed.days_back == 0 and typed.clock > shown_now.time():
        # `last night at 1` that is still ahead is of the night before.
        return replace(typed, days_back=1)
    if typed.weekday is not None:
        days_back = (clock.today.weekday() - typed.weekday) % 7
        is_ahead = days_back == 0 and typed.clock > (shown_now + CLOCK_SKEW).time()
        day = clock.today - timedelta(days=days_back or 7 * (typed.last or is_ahead))
        return replace(typed, day=day, weekday=None)
    if typed.day is None:
        return typed
    days = {each: _in_year(each, typed.clock, shown_now) if typed.yearless else each for each in _dates(typed)}
    past = sorted((day for day in days.values() if datetime.combine(day, typed.clock) <= shown_now), reverse=True)
    if not past:
        return replace(typed, day=days[typed.day], other_day=None, yearless=False)
    return replace(typed, day=past[0], other_day=past[1] if past[1:] else None, yearless=False)


def _dates(typed: ClockTime) -> list[date]:
    return [each for each in (typed.day, typed.other_day) if each is not None]


def _in_year(day: date, clock: time, shown_now: datetime) -> date:
    """The date of LEAP_YEAR in the latest year in which it is not ahead by more than a month."""
    for year in range(shown_now.year + 1, shown_now.year - _YEARS_BACK - 1, -1):
        try:
            found = day.replace(year=year)
        except ValueError:
            continue
        if datetime.combine(found, clock) <= shown_now + MONTH_AHEAD:
            return found
    raise AssertionError(f"there is a leap year within {_YEARS_BACK} years of {LEAP_YEAR}")


def end_of_range(until: ClockTime, start: Reading, own: LocalClock) -> tuple[datetime | None, str]:
    """The end of a range, and why there is none: a beginning is never refused for its end.

    Without a day of its own it is the first such moment after the start; None, for no reason, if it is the start.
    """
    until = dated(until, own)
    zone = until.zone.zone if until.zone and until.zone.zone else start.zone
    clock = replace(own, zone=zone)
    days = [until.day or clock.today - timedelta(days=until.days_back or 0)]
    if until.day is None and until.days_back is None:
        day = start.at.astimezone(zone).date()
        days = [day, day + timedelta(days=1)]
    walls = [datetime.combine(day, until.clock) for day in days if day.year <= own.now.year + 1]
    ends = [at for wall in walls for at in clock.instants(wall)]
    for wall in walls:
        past = [at for at in clock.instants(wall) if start.at <= at <= own.now]
        if past:
            return (whole_milliseconds(past[-1]) if past[-1] > start.at else None), ""
    if walls and not clock.instants(walls[0]):
        return None, f"did not exist in {zone_text(zone)}: the clocks went forward"
    ahead = [at for at in ends if at > start.at]
    if not ends[1:]:
        return None, "is before the beginning" if ends and not ahead else "is still ahead"
    return None, "is still ahead" if ahead[0] - start.at < _HALF_A_DAY else "is before the beginning"
