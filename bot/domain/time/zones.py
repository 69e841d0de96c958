"""The time zone somebody types after a time: `UTC`, `+02:00`, `UTC-3`, `Europe/Berlin`, `CET`, `PT`."""

import difflib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bot.domain.words import quoted
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
"""Used by several zones, so never guessed: what each would have to be typed as, and where it is used."""

UPPER_ONLY = frozenset({
    "WET", "WEST", "MET", "EST", "MST", "NST", "ADT", "ART", "BRT", "WAT", "CAT", "EAT", "WIT", "ICT", "TRT",
    "HST", "SGT", "PHT", "IST", "AST", "GST",
})  # fmt: skip
"""Words of their own in lower case (`14:02 est. 500 users`), so a zone only in capitals."""


_EASTMOST, _WESTMOST = timedelta(hours=14), timedelta(hours=-12)
_QUARTERS = frozenset({"", "00", "15", "30", "45"})
_HHMM = 4
_WORLD = frozenset({"UTC", "GMT"})
_REGIONS = frozenset({
    "africa", "america", "antarctica", "arctic", "asia", "atlantic", "australia", "europe", "indian",
    "pacific", "etc",
})  # fmt: skip
_LONGEST_PLACE = 50
_NUMBER = r"[0-9]+(?::[0-9]{2}(?![0-9]))?"
_TOKEN = rf"[A-Za-z]+(?:[-+\u2212\u2013]{_NUMBER}|(?:/[A-Za-z0-9_+-]+)+)?|[-+\u2212]{_NUMBER}"
_END = r"(?=[\s:,;\u2014]|\.(?:\s|$)|$)"
_AFTER_CLOCK = re.compile(rf"(?P<gap>\s*)(?:\((?P<inside>{_TOKEN})\)|(?P<bare>{_TOKEN})){_END}")
_NAMED_OFFSET = re.compile(rf"([A-Za-z]+)([-+\u2212\u2013]{_NUMBER})")
_STRAY_OFFSET = re.compile(r"\s+([-+\u2212][0-9]{1,2}(?::[0-9]{2})?)(?=[\s:,;]|$)")
_SEASONS = tuple(timedelta(days=days) for days in (-180, -90, 90, 180, -2, 1, -1, 0))
_THESE_DAYS = _SEASONS[-4:]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedZone:
    """A zone somebody typed, under the name they gave it; it ends at `end` in their words.

    `zone` is None for an abbreviation: what that means depends on who types it (`local_meaning`, `common_meaning`).
    """

    name: str
    zone: tzinfo | None
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """A token where a zone may stand. `fused`: it touches the clock. `iso`: a minus cannot mean `until`."""

    text: str
    fused: bool
    iso: bool


def read_zone(words: str, start: int, *, iso: bool = False, own: frozenset[str] = frozenset()) -> TypedZone | None:
    """The zone at `start` of the words, None when other words stand there.

    `iso` says that the time is written as logs write it, where `-03:00` is an offset and never the end of a
    stretch of time. `own` are the abbreviations of the typist's zone. Raises UsageError for a zone that does
    not exist, and for a number that may be an offset or not.
    """
    match = _AFTER_CLOCK.match(words, start)
    if match is None:
        return None
    name = match["inside"] or match["bare"]
    token = _Token(text=name, fused=match["inside"] is None and not match["gap"], iso=iso)
    zone = _literal(token)
    if zone is None and not _is_abbreviation(name, own):
        return None
    if name.upper() in _WORLD:
        _refuse_stray_offset(name, words, match.end())
    return TypedZone(name=name, zone=zone, end=match.end())


def abbreviations_of(zone: tzinfo, near: datetime) -> frozenset[str]:
    """The abbreviations the zone's clocks go by in the year around `near`."""
    return frozenset(_abbreviations(zone, near, _SEASONS))


def local_meaning(zone: tzinfo, name: str, near: datetime) -> tzinfo | None:
    """What the zone means by the abbreviation in the days around `near`, None if nothing."""
    offset = _abbreviations(zone, near, _THESE_DAYS).get(name.upper())
    return None if offset is None else timezone(offset, name.upper())


def common_meaning(name: str, zone: tzinfo, near: datetime) -> tzinfo:
    """What the abbreviation means to anybody, or else to the typist's own `zone` at other times of the year.

    Raises UsageError when several zones use it, or none did then.
    """
    name = name.upper()
    if name in AMBIGUOUS:
        choices = ", ".join(f"{typed} ({place})" for typed, place in AMBIGUOUS[name])
        example = AMBIGUOUS[name][0][0]
        raise UsageError(f"{name} is used by several zones: {choices}. Type yours: at 14:02 {example} …")
    meanings = _abbreviations(zone, near, _SEASONS) | FIXED
    offset = meanings.get(name)
    if offset is None:
        raise UsageError(f"No clock I know of went by {name} then. Type the distance from UTC: at 14:02 UTC+2 …")
    return timezone(offset, name)


def _abbreviations(zone: tzinfo, near: datetime, around: tuple[timedelta, ...]) -> dict[str, timedelta]:
    found: dict[str, timedelta] = {}
    for distance in around:
        local = (near + distance).astimezone(zone)
        name, distance_from_utc = local.tzname() or "", local.utcoffset()
        if name.isalpha() and distance_from_utc is not None:
            found[name] = distance_from_utc
    return found


def _is_abbreviation(name: str, own: frozenset[str]) -> bool:
    if name.isupper():
        return name in FIXED or name in AMBIGUOUS or name in own
    upper = name.upper()
    return name.islower() and upper not in UPPER_ONLY and (upper in FIXED or upper in AMBIGUOUS)


def _literal(token: _Token) -> tzinfo | None:
    """The zone that a name or number stands for whoever types it."""
    text = token.text
    if text.upper() in _WORLD or text == "Z" or (text == "z" and token.fused):
        return UTC
    if text in GENERIC:
        return ZoneInfo(GENERIC[text])
    if "/" in text:
        return _place(text)
    if named := _NAMED_OFFSET.fullmatch(text):
        return _named_offset(text, *named.groups())
    return _bare_offset(token) if not text[0].isalpha() else None


def _place(name: str) -> tzinfo | None:
    known = _places()
    if key := known.get(name.lower()):
        return ZoneInfo(key)
    if name.partition("/")[0].lower() not in _REGIONS:
        return None
    near = difflib.get_close_matches(name.lower()[:_LONGEST_PLACE], known, n=1)
    advice = f"Did you mean {known[near[0]]}?" if near else "If it is none, put a colon before it: at 14:02: …"
    raise UsageError(f"{quoted(name)} is no time zone I know. {advice}")


@cache
def _places() -> dict[str, str]:
    return {key.lower(): key for key in available_timezones() if "/" in key}


def _named_offset(text: str, name: str, offset: str) -> tzinfo | None:
    if name.upper() not in _WORLD:
        if name not in FIXED and name not in AMBIGUOUS:
            return None
        raise UsageError(f"{quoted(text)} is no time zone I know. Try: at 14:02 UTC{quoted(offset)} …")
    return timezone(_sound(text, _distance(offset)))


def _bare_offset(token: _Token) -> tzinfo | None:
    """An offset without a name. After a clock `-03:00` may mean `until three`, `+1000` a thousand more."""
    text, distance = token.text, _distance(token.text)
    until = token.fused and not token.iso and text[0] != "+"
    padded = ":" in text or (len(text) > _HHMM and text[1] == "0")
    if (token.fused and not until) or (padded and text[0] == "+"):
        return timezone(_sound(text, distance))
    if distance is None or (not token.fused and ":" not in text and len(text) <= _HHMM):
        return None
    if until or not padded:
        raise UsageError(
            f"{text} may be a zone or not. For the zone type UTC{text}; if not, a colon: at 14:02: {text} …"
        )
    return timezone(distance)


def _distance(offset: str) -> timedelta | None:
    """How far from UTC; None when no zone is that far."""
    hours, _, minutes = offset[1:].partition(":")
    if len(hours) == _HHMM and not minutes:
        hours, minutes = hours[:2], hours[2:]
    if len(hours) > len("14") or minutes not in _QUARTERS:
        return None
    distance = timedelta(hours=int(hours), minutes=int(minutes or 0))
    distance = distance if offset[0] == "+" else -distance
    return distance if _WESTMOST <= distance <= _EASTMOST else None


def _sound(text: str, distance: timedelta | None) -> timedelta:
    if distance is None:
        raise UsageError(f"{quoted(text)} is no time zone: they reach from UTC-12 to UTC+14. Try: at 14:02 UTC+2 …")
    return distance


def _refuse_stray_offset(name: str, words: str, end: int) -> None:
    if stray := _STRAY_OFFSET.match(words, end):
        offset = stray[1]
        raise UsageError(
            f"{name} {offset} may be one zone or not. For one type UTC{offset}; if not, a colon: "
            f"at 14:02 UTC: {offset} …"
        )
