"""Times counted back from now: `-10m`, `-1h30m`, `-2 days`."""

import re
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.words import quoted
from bot.errors import UsageError

LONGEST = timedelta(days=400)
"""The furthest back a time counted from now may lie: beyond it is a slip of the finger."""

_MINUS = r"[-\u2212\u2013]"
_SPELT = r"days?|hours?|hrs?|minutes?|mins?|seconds?|secs?"
_END = r"(?![\w%/])"
_AGO = re.compile(
    rf"{_MINUS}(?:(?P<number>[0-9]+)\s?(?P<unit>{_SPELT})|(?P<parts>(?:[0-9]+[dhms])+|[0-9]+h[0-9]{{2}})){_END}",
    re.IGNORECASE,
)
_DECIMAL = re.compile(rf"{_MINUS}[0-9]+[.,][0-9]+\s?(?:[dh]|{_SPELT}){_END}", re.IGNORECASE)
_SECOND_PART = re.compile(rf"\s+[0-9]+\s?(?:[hms]|{_SPELT}){_END}", re.IGNORECASE)
_PART = re.compile(r"([0-9]+)([dhms])")
_FALLING = re.compile(r"(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Ago:
    """A time `distance` before now; its words end at `end`. `seconds` says whether seconds were typed."""

    distance: timedelta
    seconds: bool
    end: int


def read_ago(words: str, start: int) -> Ago | None:
    """The time counted back from now at `start` of the words, None when other words stand there.

    Raises UsageError when it is further back than LONGEST, or may be meant in two ways.
    """
    if decimal := _DECIMAL.match(words, start):
        raise UsageError(f"{quoted(decimal[0])} has a fraction. Type whole units: -1h30m …")
    match = _AGO.match(words, start)
    if match is None:
        return None
    _refuse_doubt(match, words)
    parts = _PART.findall(_compact(match))
    if any(len(number) > _DIGITS for number, _ in parts):
        raise _too_far(match[0])
    distance = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    if distance > LONGEST:
        raise _too_far(match[0])
    return Ago(distance=distance, seconds=any(unit == "s" for _, unit in parts), end=match.end())


def _compact(match: re.Match[str]) -> str:
    """One spelling for all: `10 minutes` as `10m`, `1h30` as `1h30m`."""
    if match["unit"]:
        return match["number"] + match["unit"][0].lower()
    parts = match["parts"].lower()
    return f"{parts}m" if parts[-1].isdigit() else parts


def _refuse_doubt(match: re.Match[str], words: str) -> None:
    typed = quoted(match[0])
    if match["parts"] and "M" in match["parts"]:
        raise UsageError(f"{typed} may be minutes or millions. For minutes type {typed.lower()} …")
    if not _FALLING.fullmatch(_compact(match)):
        raise UsageError(f"{typed} is no length of time. Try: -1h30m …")
    if more := _SECOND_PART.match(words, match.end()):
        doubt = quoted(more[0])
        joined = "".join((typed + doubt).split())
        raise UsageError(f"Does {doubt} belong to the time? If so, type {joined} …; if not, {typed}: {doubt} …")


def _too_far(typed: str) -> UsageError:
    return UsageError(f"{quoted(typed)} is more than {LONGEST.days} days ago. Type the date: 2026-11-21 14:02 …")
