"""Updates to stakeholders: the words, and the promise of when they hear more: `…, next in 30m`, `…, next at 15:30`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.incident.grammar import Utterance, entry_needs_zone, parse_entry
from bot.domain.review.appointment import parse_appointment
from bot.domain.time.format import clock_text
from bot.domain.time.moment import LocalClock
from bot.domain.time.typed import ClockTime, RelativeTime, take_time
from bot.domain.time.typed import needs_zone as time_needs_zone
from bot.domain.time.zones import abbreviations_of
from bot.errors import ExampleError, UsageError
from bot.vocabulary import RESOLVED, TOLD, UPDATE
from storage.values import Incident, TimelineEntry, whole_milliseconds

FARTHEST = timedelta(days=7)
"""The furthest ahead a next update is promised; a later one is taken for a typing error."""
NEVER = frozenset({"none", "no", "never", "off", "-"})
"""What is typed in place of a time to take a promise back."""
_NEXT = re.compile(
    r"(?:^|(?P<mark>\s*[,.;:()\u2013\u2014]\s*|\s+-\s+|\n)|\s)(?:the\s+)?next(?:\s+(?:update|one|news))?(?:\s+(?:is|comes))?"
    r"\s*:?\s+(?P<firm>in\s+|at\s+|by\s+)?(?P<when>[^\n]{1,60}?)[\s.)]*$",
    re.IGNORECASE,
)
_HALF_A_DAY = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An update as typed: the entry, and when the next one is promised (aware UTC), None where none is.

    `unread` are words that look like a promise whose time is none; they stay among the entry's. `revoked`: the words
    say that no next one comes.
    """

    said: Utterance
    next_at: datetime | None
    unread: str = ""
    revoked: bool = field(default=False)


def parse_update(words: str, *, now: datetime, zone: ZoneInfo, typed: str = "") -> Update:
    """`[at TIME] words[, next in 30m]`; `now` is aware UTC, `zone` the typist's, `typed` the command for an example.

    Raises UsageError for no words, and for a next time that is past or further ahead than FARTHEST.
    """
    rest, promise = take_promise(words, now=now, zone=zone)
    if not rest.strip():
        raise UsageError(f"There are no words to tell. Try: {typed} customers see errors at checkout, next in 30m")
    return replace(promise, said=parse_entry(TOLD[UPDATE], rest, now=now, zone=zone, typed=typed))


def take_promise(words: str, *, now: datetime, zone: ZoneInfo) -> tuple[str, Update]:
    """The words without the promise at their end, and the promise, in an Update whose entry is yet to be parsed."""
    blank = Utterance(occurred_at=now, timed=False, zone_assumed=False, seconds=False, qualifier=None, text="")
    none = Update(said=blank, next_at=None)
    match = _NEXT.search(words.rstrip())
    if match is None:
        return words, none
    rest, when = words[: match.start()].rstrip(" ,;(:-\u2013\u2014"), match["when"].strip()
    if when.casefold() in NEVER:
        return rest, replace(none, revoked=True)
    at = _instant(when, counted=(match["firm"] or "").strip().casefold() == "in", now=now, zone=zone)
    if at is None:
        announced = match["firm"] is not None and match["mark"] is not None
        return words, replace(none, unread=f"{match['firm']}{when}" if announced else "")
    if at <= now:
        told = f"{rest or 'customers see errors at checkout'}, next in 30m"
        raise ExampleError(f"The next update is promised for a time ahead, and {when} is not.", told)
    if at - now > FARTHEST:
        raise UsageError(f"{when} is more than {FARTHEST.days} days ahead. Check the time: next in 30m, next at 15:30")
    return rest, replace(none, next_at=whole_milliseconds(at))


def needs_zone(words: str) -> bool:
    """Whether a time in the words depends on the typist's zone: the entry's, or the promised one."""
    match = _NEXT.search(words.rstrip())
    ahead = match is not None and time_needs_zone(f"at {match['when']}")
    return ahead or entry_needs_zone(TOLD[UPDATE], words)


def _instant(when: str, *, counted: bool, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant ahead that the words stand for; None where they are no time, or more than one."""
    own = abbreviations_of(zone, now)
    distance = next(_distances(when, own), None)
    if distance is not None:
        return now + distance
    if counted:
        return None
    typed, rest = _take(f"at {when}", own)
    dated = isinstance(typed, ClockTime) and (
        typed.day is not None or typed.weekday is not None or typed.days_back is not None
    )
    if not isinstance(typed, ClockTime) or dated or rest.strip():
        return _appointed([when], now, zone)
    if typed.until is not None:
        return None
    clocks = [typed.clock]
    if typed.half_unknown and typed.clock.hour < _HALF_A_DAY:
        clocks.append(time(typed.clock.hour + _HALF_A_DAY, typed.clock.minute))
    today, name = LocalClock(zone=zone, now=now).today, typed.zone.name if typed.zone else ""
    days = [today + timedelta(days=each) for each in (-1, 0, 1)]
    found = [_appointed([f"{day} {clock_text(clock)} {name}" for day in days], now, zone) for clock in clocks]
    return min((at for at in found if at is not None), default=None)


def _distances(when: str, own: frozenset[str]) -> Iterator[timedelta]:
    for words in (f"-{when.removeprefix('+')}", f"{when} ago"):
        typed, rest = _take(words, own)
        if isinstance(typed, RelativeTime) and not rest.strip():
            yield typed.distance


def _take(words: str, own: frozenset[str]) -> tuple[ClockTime | RelativeTime | None, str]:
    try:
        return take_time(words, own)
    except UsageError:
        return None, words


def _appointed(ways: Iterable[str], now: datetime, zone: ZoneInfo) -> datetime | None:
    """The first of the dates and times that lies ahead."""
    for words in ways:
        try:
            return parse_appointment(words.strip(), now=now, zone=zone).at
        except UsageError:
            continue
    return None


def open_promise(incident: Incident, entries: Iterable[TimelineEntry]) -> datetime | None:
    """When the next update of an open incident is due; None where the last one promised none, or it was resolved since.

    `entries` are all of the kinds UPDATE and RESOLVED, in any order. What was recorded last counts, whenever it
    happened.
    """
    if not incident.open or incident.closed_as is not None:
        return None
    standing = [each for each in entries if each.kind in {UPDATE, RESOLVED} and not each.retracted]
    last = max(standing, key=lambda each: each.number, default=None)
    return last.next_at if last is not None and last.kind == UPDATE else None
