"""The time zone typed after a time: `UTC`, `+02:00`, `UTC-3`, `Europe/Berlin`, `CET`, `PT`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bot.domain.words import closest_match, quoted
from bot.errors import UsageError

_HOURS: dict[str, float] = {
    "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "TRT": 3,
    "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8,
    "HST": -10, "NST": -3.5, "NDT": -2.5, "ADT": -3, "BRT": -3, "ART": -3, "WAT": 1, "CAT": 2, "SAST": 2,
    "EAT": 3, "IDT": 3, "PKT": 5, "NPT": 5.75, "ICT": 7, "WIB": 7, "WITA": 8, "WIT": 9, "SGT": 8, "HKT": 8,
    "PHT": 8, "JST": 9, "KST": 9, "AWST": 8, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12,
    "NZDT": 13,
}  # fmt: skip

FIXED: dict[str, timedelta] = {name: timedelta(hours=hours) for name, hours in _HOURS.items()}
"""Taken literally: `EST` typed in July is five hours behind UTC, whatever New York's clocks show then."""

GENERIC: dict[str, str] = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
}
"""Names for a zone's wall clocks all year round."""

AMBIGUOUS: dict[str, tuple[tuple[str, str], ...]] = {
    "CST": (("UTC-6", "America/Chicago"), ("UTC+8", "Asia/Shanghai"), ("UTC-5", "America/Havana")),
    "IST": (("UTC+5:30", "Asia/Kolkata"), ("UTC+1", "Europe/Dublin"), ("UTC+2", "Asia/Jerusalem")),
    "BST": (("UTC+1", "Europe/London"), ("UTC+6", "Asia/Dhaka")),
    "AST": (("UTC-4", "America/Halifax"), ("UTC+3", "Asia/Riyadh")),
    "GST": (("UTC+4", "Asia/Dubai"), ("UTC-2", "Atlantic/South_Georgia")),
}
"""Used by several zones, so never guessed: the offset to type for each, and a place that uses it."""

UPPER_ONLY = frozenset({
    "WET", "WEST", "MET", "EST", "MST", "NST", "ADT", "ART", "BRT", "WAT", "CAT", "EAT", "WIT", "ICT", "TRT",
    "HST", "SGT", "PHT", "IST", "AST", "GST",
})  # fmt: skip
"""Ordinary words in lower case (`14:02 est. 500 users`), so a zone only in capitals."""

_UTC_NAMES = frozenset({"UTC", "GMT"})
_REGIONS = frozenset({
    "africa", "america", "antarctica", "arctic", "asia", "atlantic", "australia", "europe", "indian",
    "pacific", "etc",
})  # fmt: skip
_WESTMOST, _EASTMOST = timedelta(hours=-12), timedelta(hours=14)
_QUARTERS = frozenset({"", "00", "15", "30", "45"})
_HHMM = 4
_NEAR = tuple(timedelta(days=days) for days in (-2, 1, -1, 0))
_ALL_YEAR = (*(timedelta(days=days) for days in (-180, -90, 90, 180)), *_NEAR)

_NUMBER = r"[0-9]+(?::[0-9]{2}(?![0-9]))?"
_TOKEN = rf"[A-Za-z]+(?:[-+\u2212\u2013]{_NUMBER}|(?:/[A-Za-z0-9_+-]+)+)?|[-+\u2212]{_NUMBER}"
_END = r"(?=[\s:,;\u2014]|\.(?:\s|$)|$)"
_AFTER_CLOCK = re.compile(rf"(?P<gap>\s*)(?:\((?P<inside>{_TOKEN})\)|(?P<bare>{_TOKEN})){_END}")
_NAMED_OFFSET = re.compile(rf"(?P<name>[A-Za-z]+)(?P<offset>[-+\u2212\u2013]{_NUMBER})")
_STRAY_OFFSET = re.compile(r"\s+([-+\u2212][0-9]{1,2}(?::[0-9]{2})?)(?=[\s:,;]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedZone:
    """A zone under the name it was typed by; it ends at `end` in the words.

    `zone` is None for an abbreviation: what that means depends on who types it (`local_meaning`, `common_meaning`).
    """

    name: str
    zone: tzinfo | None
    end: int


def read_zone(words: str, start: int, *, iso: bool = False, own: frozenset[str] = frozenset()) -> TypedZone | None:
    """The zone at `start` of the words, None when other words stand there.

    `iso` says that the time is in ISO 8601, where `-03:00` is an offset and never the end of a time range. `own` are
    the abbreviations of the typist's zone. Raises UsageError for a zone that does not exist, and for a number that
    may be an offset or not.
    """
    match = _AFTER_CLOCK.match(words, start)
    if match is None:
        return None
    name = match["inside"] or match["bare"]
    zone = _unambiguous(name, fused=match["inside"] is None and not match["gap"], iso=iso)
    if zone is None and not _is_abbreviation(name, own):
        return None
    if name.upper() in _UTC_NAMES and (stray := _STRAY_OFFSET.match(words, match.end())):
        raise UsageError(
            f"{name} {stray[1]} may be one zone or not. For one type UTC{stray[1]}; if not, a colon: "
            f"at 14:02 UTC: {stray[1]} …"
        )
    return TypedZone(name=name, zone=zone, end=match.end())


def abbreviations_of(zone: tzinfo, near: datetime) -> frozenset[str]:
    """The abbreviations the zone's clocks go by in the year around `near`."""
    return frozenset(_abbreviations(zone, near, _ALL_YEAR))


def local_meaning(zone: tzinfo, name: str, near: datetime) -> tzinfo | None:
    """What the abbreviation means in the zone in the days around `near`, None if nothing."""
    offset = _abbreviations(zone, near, _NEAR).get(name.upper())
    return None if offset is None else timezone(offset, name.upper())


def common_meaning(name: str, zone: tzinfo, near: datetime) -> tzinfo:
    """What the abbreviation means everywhere, or else in the typist's own `zone` at other times of the year.

    Raises UsageError when several zones use it, or none did then.
    """
    name = name.upper()
    if name in AMBIGUOUS:
        choices = ", ".join(f"{typed} ({place})" for typed, place in AMBIGUOUS[name])
        example = AMBIGUOUS[name][0][0]
        raise UsageError(f"{name} is used by several zones: {choices}. Type yours: at 14:02 {example} …")
    offset = (_abbreviations(zone, near, _ALL_YEAR) | FIXED).get(name)
    if offset is None:
        raise UsageError(f"No clock I know of went by {name} then. Type the distance from UTC: at 14:02 UTC+2 …")
    return timezone(offset, name)


def _abbreviations(zone: tzinfo, near: datetime, around: tuple[timedelta, ...]) -> dict[str, timedelta]:
    """The offset of each abbreviation the zone uses at those distances from `near`; the last one wins."""
    offsets: dict[str, timedelta] = {}
    for distance in around:
        local = (near + distance).astimezone(zone)
        name, offset = local.tzname() or "", local.utcoffset()
        if name.isalpha() and offset is not None:
            offsets[name] = offset
    return offsets


def _is_abbreviation(name: str, own: frozenset[str]) -> bool:
    if name.isupper():
        return name in FIXED or name in AMBIGUOUS or name in own
    upper = name.upper()
    return name.islower() and upper not in UPPER_ONLY and (upper in FIXED or upper in AMBIGUOUS)


def _unambiguous(text: str, *, fused: bool, iso: bool) -> tzinfo | None:
    """The zone of a name or number that means the same for every typist; None for an abbreviation or other words.

    `fused`: nothing stands between it and the clock time.
    """
    if text.upper() in _UTC_NAMES or text == "Z" or (text == "z" and fused):
        return UTC
    if text in GENERIC:
        return ZoneInfo(GENERIC[text])
    if "/" in text:
        return _place(text)
    if named := _NAMED_OFFSET.fullmatch(text):
        if named["name"].upper() in _UTC_NAMES:
            return _fixed_offset(text, _distance(named["offset"]))
        if named["name"] in FIXED or named["name"] in AMBIGUOUS:
            raise UsageError(f"{quoted(text)} is no time zone I know. Try: at 14:02 UTC{quoted(named['offset'])} …")
        return None
    return None if text[0].isalpha() else _bare_offset(text, fused=fused, iso=iso)


def _place(name: str) -> tzinfo | None:
    known = _places()
    if key := known.get(name.lower()):
        return ZoneInfo(key)
    if name.partition("/")[0].lower() not in _REGIONS:
        return None
    guess = closest_match(name, known)
    advice = f"Did you mean {known[guess]}?" if guess else "If it is none, put a colon before it: at 14:02: …"
    raise UsageError(f"{quoted(name)} is no time zone I know. {advice}")


@cache
def _places() -> dict[str, str]:
    return {key.lower(): key for key in available_timezones() if "/" in key}


def _bare_offset(text: str, *, fused: bool, iso: bool) -> tzinfo | None:
    """An offset without a name: `+02:00`, `-0300`.

    After a clock time `-03:00` may mean `until three`, and `+1000` a thousand more: UsageError asks which.
    """
    distance = _distance(text)
    until = fused and not iso and text[0] != "+"
    padded = ":" in text or (len(text) > _HHMM and text[1] == "0")
    if (fused and not until) or (padded and text[0] == "+"):
        return _fixed_offset(text, distance)
    if distance is None or (not fused and ":" not in text and len(text) <= _HHMM):
        return None
    if until or not padded:
        raise UsageError(
            f"{text} may be a zone or not. For the zone type UTC{text}; if not, a colon: at 14:02: {text} …"
        )
    return timezone(distance)


def _distance(offset: str) -> timedelta | None:
    """How far `+2`, `+0200` or `+02:00` is from UTC; None when no zone is that far, or the minutes are no quarter."""
    hours, _, minutes = offset[1:].partition(":")
    if len(hours) == _HHMM and not minutes:
        hours, minutes = hours[:2], hours[2:]
    if len(hours) > len("14") or minutes not in _QUARTERS:
        return None
    distance = timedelta(hours=int(hours), minutes=int(minutes or 0))
    distance = distance if offset[0] == "+" else -distance
    return distance if _WESTMOST <= distance <= _EASTMOST else None


def _fixed_offset(text: str, distance: timedelta | None) -> tzinfo:
    if distance is None:
        raise UsageError(f"{quoted(text)} is no time zone: they reach from UTC-12 to UTC+14. Try: at 14:02 UTC+2 …")
    return timezone(distance)
