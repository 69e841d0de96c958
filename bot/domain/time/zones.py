"""The time zone typed after a time: `UTC`, `+02:00`, `UTC-3`, `Europe/Berlin`, `CET`, `PT`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
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

_USUAL_PLACES: dict[str, str] = {
    "WET": "Europe/Lisbon", "WEST": "Europe/Lisbon", "CET": "Europe/Berlin", "CEST": "Europe/Berlin",
    "MET": "Europe/Berlin", "MEST": "Europe/Berlin", "EET": "Europe/Athens", "EEST": "Europe/Athens",
    "EST": "America/New_York", "EDT": "America/New_York", "CDT": "America/Chicago", "MST": "America/Denver",
    "MDT": "America/Denver", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles",
    "AKST": "America/Anchorage", "AKDT": "America/Anchorage", "NST": "America/St_Johns", "NDT": "America/St_Johns",
    "ADT": "America/Halifax", "IDT": "Asia/Jerusalem", "ACST": "Australia/Adelaide", "ACDT": "Australia/Adelaide",
    "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "NZST": "Pacific/Auckland", "NZDT": "Pacific/Auckland",
}  # fmt: skip

UPPER_ONLY = frozenset({
    "WET", "WEST", "MET", "EST", "MST", "NST", "ADT", "ART", "BRT", "WAT", "CAT", "EAT", "WIT", "ICT", "TRT",
    "HST", "SGT", "PHT", "IST", "AST", "GST",
})  # fmt: skip
"""Ordinary words in lower case (`14:02 est. 500 users`), so a zone only in capitals."""

_ALIASES = {"MEZ": "CET", "MESZ": "CEST", "WEZ": "WET", "WESZ": "WEST", "OEZ": "EET", "OESZ": "EEST"}
_WALL_CLOCKS: dict[str, tuple[str, str, str]] = {
    "pacific": ("America/Los_Angeles", "PST", "PDT"), "mountain": ("America/Denver", "MST", "MDT"),
    "central": ("America/Chicago", "", "CDT"), "eastern": ("America/New_York", "EST", "EDT"),
    "central european": ("Europe/Berlin", "CET", "CEST"), "central europe": ("Europe/Berlin", "CET", "CEST"),
    "w. europe": ("Europe/Berlin", "", ""), "eastern european": ("Europe/Athens", "EET", "EEST"),
    "western european": ("Europe/Lisbon", "WET", "WEST"), "british": ("Europe/London", "", ""),
    "india": ("Asia/Kolkata", "", ""), "japan": ("Asia/Tokyo", "", ""), "china": ("Asia/Shanghai", "", ""),
    "alaska": ("America/Anchorage", "AKST", "AKDT"), "alaskan": ("America/Anchorage", "AKST", "AKDT"),
    "hawaii": ("Pacific/Honolulu", "", ""), "hawaiian": ("Pacific/Honolulu", "", ""),
}  # fmt: skip
"""A zone that is written out: its wall clocks, and its abbreviations in winter and in summer where they are unique."""
_ALONE = frozenset({"pacific", "mountain", "central", "eastern"})
"""Those that are said without `time`."""
_PLAIN = frozenset({"mountain", "central"})
"""Ordinary words in lower case."""
_NEARBY: dict[str, str] = {
    name: key
    for key, names in {
        "Europe/London": "uk,britain,england", "Europe/Berlin": "germany,german,munich,hamburg,frankfurt,cologne",
        "Europe/Paris": "france,french,lyon", "Europe/Dublin": "ireland,irish", "Europe/Madrid": "spain,barcelona",
        "Asia/Kolkata": "india,indian,bangalore,bengaluru,mumbai,delhi,new delhi,hyderabad,chennai,pune",
        "Asia/Tokyo": "japan,japanese", "Asia/Shanghai": "china,beijing", "Asia/Jerusalem": "israel,tel aviv",
        "America/Los_Angeles": "san francisco,sf,seattle,california,west coast",
        "America/New_York": "nyc,boston,washington,atlanta,miami,east coast",
        "America/Chicago": "dallas,austin,houston,texas",
    }.items()
    for name in names.split(",")
}  # fmt: skip
"""Places that the list of zones does not name, and the zone whose clocks they go by."""

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
_TOKEN = rf"[A-Za-z]+(?:[-+\u2212\u2013]{_NUMBER}|(?:/(?!PT[0-9])[A-Za-z][A-Za-z0-9_+-]*)+)?|[-+\u2212]{_NUMBER}"
_END = r"(?=[\s:,;\u2014)\]*`]|(?:/|--)(?:PT)?[0-9]|\.(?:\s|$)|$)"
_AFTER_CLOCK = re.compile(rf"(?P<gap>\s*)(?:\((?P<inside>{_TOKEN})\)|(?P<bare>{_TOKEN})){_END}")
_NAMED_OFFSET = re.compile(rf"(?P<name>[A-Za-z]+)(?P<offset>[-+\u2212\u2013]{_NUMBER})")
_SPELLED = re.compile(
    r"\s{0,9}(?P<bracket>\()?(?P<name>"
    r"(?P<utc>zulu(?:\s{1,3}time)?|(?:coordinated\s{1,3})?universal\s{1,3}time|greenwich\s{1,3}(?:mean\s{1,3})?time)"
    r"|(?P<rule>PST8PDT|MST7MDT|CST6CDT|EST5EDT)"
    r"|(?:u\.?s\.?\s{1,3})?(?P<region>pacific|mountain|central\s{1,3}european?|central|eastern\s{1,3}european|eastern"
    r"|western\s{1,3}european|w\.\s{1,3}europe|british|india|japan|china|alaskan?|hawaii(?:an)?)"
    r"(?:\s{1,3}(?P<season>standard|daylight|summer|winter))?(?P<time>\s{1,3}time)?"
    r"|(?P<place>[a-z]{2,20}(?:[\s_-][a-z]{2,20}){0,2}?)\s{1,3}(?:time|zeit)"
    rf")(?(bracket)\))(?:{_END}|(?=[-\u2013]\s?[0-9]))",
    re.IGNORECASE,
)
_NO_CLOCK = re.compile(
    r"\s{1,3}(?:servers?|sync|series|outs?|limits?|windows?|lines?|budget|skew|drift|to|is|was|of)(?!\w)", re.IGNORECASE
)
"""After `time`: it is a thing (`Berlin time server`) and no zone."""
_ZONE_OVER = re.compile(r"\s{0,9}(?:[:,;)\]*`\u2014]|/[0-9]|[-\u2013]\s?[0-9]|[-\u2013.](?:\s|$)|$)")
_REGION_OF = re.compile(
    r"\s{1,3}(?:regions?|europe(?:an)?|asia|africa|us|usa|eu|data\s?cent(?:er|re)s?|dc|zones?|clusters?|sites?|offices?|branch"
    r"|banks?|rim|ocean|cable|team|teams|division|coast|db|database|databases|services?|servers?|hosts?|gateways?|auth|log"
    r"|logging|logs|config|configuration|store|cache|repository|repo|registry|nodes?|systems?|storage)(?!\w)",
    re.IGNORECASE,
)
"""What a word such as `Eastern` describes where it is no zone: `Eastern region`."""
_STRAY_OFFSET = re.compile(r"\s+([-+\u2212][0-9]{1,2}(?::[0-9]{2})?)(?=[\s:,;]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedZone:
    """A zone under the name it was typed by; it ends at `end` in the words.

    `zone` is None for an abbreviation: what that means depends on who types it (`local_meaning`, `common_meaning`).
    `doubtful`: the word may as well belong to the words after it; `offered`: it likely does.
    """

    name: str
    zone: tzinfo | None
    end: int
    doubtful: bool = False
    offered: bool = False


def read_zone(words: str, start: int, *, iso: bool = False, own: frozenset[str] = frozenset()) -> TypedZone | None:
    """The zone at `start` of the words, None when other words stand there.

    `iso` says that the time is in ISO 8601, where `-03:00` is an offset and never the end of a time range. `own` are
    the abbreviations of the typist's zone. Raises UsageError for a zone that does not exist, and for a number that
    may be an offset or not.
    """
    match = _AFTER_CLOCK.match(words, start)
    if match is None:
        return _spelled(words, start)
    name = match["inside"] or match["bare"]
    named = _NAMED_OFFSET.fullmatch(name)
    if named and ":" in named["offset"] and named["name"] in {*FIXED, *AMBIGUOUS, *GENERIC} and not match["inside"]:
        # `4:30 PST-4:45 PST` is a range.
        key = GENERIC.get(named["name"])
        end = match.end() - len(named["offset"])
        return TypedZone(name=named["name"], zone=ZoneInfo(key) if key else None, end=end)
    zone = _unambiguous(name, fused=match["inside"] is None and not match["gap"], iso=iso)
    if name.upper() in _ALIASES and (name.isupper() or name.islower()):
        return TypedZone(name=_ALIASES[name.upper()], zone=None, end=match.end())
    if zone is None and not _is_abbreviation(name, own):
        return _spelled(words, start)
    if name.upper() in _UTC_NAMES and (stray := _STRAY_OFFSET.match(words, match.end())):
        raise UsageError(
            f"{name} {stray[1]} may be one zone or not. For one type UTC{stray[1]}; if not, a colon: "
            f"{name}: {stray[1]} …"
        )
    return TypedZone(name=name, zone=zone, end=match.end())


def _spelled(words: str, start: int) -> TypedZone | None:
    """The zone that is written out at `start`: `zulu`, `Pacific`, `Central European Time`, `New York time`."""
    match = _SPELLED.match(words, start)
    if match is None or (_NO_CLOCK.match(words, match.end()) and not match["bracket"]):
        return None
    name, end = match["name"], match.end()
    if match["utc"]:
        return TypedZone(name="UTC", zone=UTC, end=end)
    if match["rule"]:
        return TypedZone(name=name, zone=ZoneInfo(name.upper()), end=end)
    if match["place"]:
        place = " ".join(re.split(r"[\s_-]+", match["place"].lower()))
        # `Berliner Zeit` is Berlin's.
        key = next((key for each in (place, place.removesuffix("er")) if (key := _city(each))), None)
        return TypedZone(name=name, zone=ZoneInfo(key), end=end) if key else None
    region = " ".join(match["region"].lower().split())
    key, winter, summer = _WALL_CLOCKS[region]
    if match["season"]:
        abbreviation = summer if match["season"].lower() in {"daylight", "summer"} else winter
        return TypedZone(name=abbreviation or name, zone=None if abbreviation else ZoneInfo(key), end=end)
    if region not in _ALONE and not match["time"]:
        return None
    sure = bool(match["time"] or match["bracket"])
    over, plain = sure or _ZONE_OVER.match(words, end) is not None, region in _PLAIN and match["region"].islower()
    offered = not over and (plain or _REGION_OF.match(words, end) is not None)
    return TypedZone(name=name, zone=ZoneInfo(key), end=end, doubtful=not over or (plain and not sure), offered=offered)


def _city(name: str) -> str | None:
    return _NEARBY.get(name) or _cities().get(name)


@cache
def _cities() -> dict[str, str]:
    """The zone of each city that a zone is named after, in lower case."""
    named = (key for key in sorted(_places().values()) if key.partition("/")[0].lower() in _REGIONS - {"etc"})
    return {key.rpartition("/")[2].replace("_", " ").lower(): key for key in named}


def abbreviations_of(zone: tzinfo, near: datetime) -> frozenset[str]:
    """The abbreviations the zone's clocks go by in the year around the hour of `near`."""
    return _names_of_year(zone, near.replace(minute=0, second=0, microsecond=0))


@lru_cache(maxsize=256)
def _names_of_year(zone: tzinfo, near: datetime) -> frozenset[str]:
    return frozenset(_abbreviations(zone, near, _ALL_YEAR))


def local_meaning(zone: tzinfo, name: str, near: datetime) -> tzinfo | None:
    """What the abbreviation means in the zone in the days around `near`, None if nothing."""
    offset = _abbreviations(zone, near, _NEAR).get(name.upper())
    return None if offset is None else timezone(offset, name.upper())


def common_meaning(name: str, zone: tzinfo, near: datetime) -> tzinfo:
    """What the abbreviation means everywhere, or else in the typist's own `zone` at other times of the year.

    Raises UsageError when several zones use it, or none did then.
    """
    found = meanings(name, zone, near)
    if len(found) > 1:
        choices = ", ".join(f"{typed} ({place})" for typed, place in AMBIGUOUS[name.upper()])
        example = AMBIGUOUS[name.upper()][0][0]
        raise UsageError(f"{name.upper()} is used by several zones: {choices}. Type yours, such as {example}.")
    return found[0]


def meanings(name: str, zone: tzinfo, near: datetime) -> list[tzinfo]:
    """What the abbreviation is defined as, for several zones in some cases; else its meaning in the typist's `zone`.

    Raises UsageError when none is known.
    """
    name = name.upper()
    if name in AMBIGUOUS:
        offsets = [_distance(typed.removeprefix("UTC")) for typed, _ in AMBIGUOUS[name]]
        return [timezone(offset, name) for offset in offsets if offset is not None]
    offset = (_abbreviations(zone, near, _ALL_YEAR) | FIXED).get(name)
    if offset is None:
        raise UsageError(f"No clock I know of went by {name} then. Type the distance from UTC, such as UTC+2.")
    return [timezone(offset, name)]


def usual_place(name: str) -> tzinfo | None:
    """The zone whose wall clocks people mean by an abbreviation all year round; None for one that has no summer."""
    key = _USUAL_PLACES.get(name.upper())
    return None if key is None else ZoneInfo(key)


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
            raise UsageError(f"{quoted(text)} is no time zone I know; it is written UTC{quoted(named['offset'])}.")
        return None
    return None if text[0].isalpha() else _bare_offset(text, fused=fused, iso=iso)


def _place(name: str) -> tzinfo | None:
    known = _places()
    if key := known.get(name.lower()):
        return ZoneInfo(key)
    if name.partition("/")[0].lower() not in _REGIONS:
        return None
    guess = closest_match(name, known)
    advice = f"Did you mean {known[guess]}?" if guess else "If it is none, put a colon before it."
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
        raise UsageError(f"{text} may be a zone or not. For the zone type UTC{text}; if not, put a colon before it.")
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
        raise UsageError(f"{quoted(text)} is no time zone: they reach from UTC-12 to UTC+14.")
    return timezone(distance)
