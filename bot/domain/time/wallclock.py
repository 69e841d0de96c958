"""Wall clocks: which instants a clock time stands for, where clocks are set forward and back."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bot.domain.time.format import clock_text, zone_text
from bot.errors import UsageError

CLOCK_SKEW = timedelta(minutes=2)
"""A clock time up to this far ahead is taken for a clock that runs fast: an error, not yesterday's time."""

FIRST_YEAR = 2000

_NOON = 12


def twenty_four_hour(hour: int, half: str) -> int:
    """The hour of the day of `hour` in the half `a` (am) or `p` (pm); -1, which no clock has, outside of 1 to 12."""
    if not 1 <= hour <= _NOON:
        return -1
    return hour % _NOON + (_NOON if half == "p" else 0)


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
            raise UsageError(f"{day} is before the year {FIRST_YEAR}. Check the year: {self.today} 14:02")
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
            f"the clocks went forward. Try the time they showed then, or UTC: at 14:02 UTC …"
        )

    def _now_text(self) -> str:
        local, utc = self.now.astimezone(self.zone), f"{self.now.astimezone(UTC):%H:%M} UTC"
        if not local.utcoffset():
            return utc
        return f"{local:%H:%M} in {zone_text(self.zone)} ({utc})"
