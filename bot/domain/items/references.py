"""The action items that words name: `3`, `#3`, `INC-1 3`, `inc1 #3`, `1, 3 and 4`, `INC-1 3, INC-2 1`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from bot.domain.items.due import parse_snooze, read_dates
from bot.domain.items.item import without_announcement
from bot.domain.words import after_separator, after_visible, visible
from bot.errors import UsageError

MOST = 50
"""Items that one command may name."""
_JOINER = r"(?:\s*(?:[,;&+]|\b(?:and|und|et)\b)[\s,;&+]*)"
_REFERENCE = re.compile(
    rf"(?P<joiner>{_JOINER})?\s*"
    r"(?:[\[(*_`]*#?inc[-_#\u2010-\u2015\u2212 ]?(?P<incident>[0-9]{1,9})(?![0-9])"
    r"[\])*_`]*[\s:,;#/.\u2014-]*)?"
    r"(?:(?:action\s+)?items?\s+)?(?P<mark>#)?(?P<number>[0-9]{1,9})(?=[\s,;:&+]|[.)](?:\s|$)|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An item by its number, and its incident's where the words name that.

    `tail` are the words from the number on, `rest` what follows it. `marked`: that it is one more item is plain, by a
    comma, an `and`, a `#` or the name of an incident before it.
    """

    incident: int | None
    number: int
    marked: bool
    tail: str
    rest: str


def references(words: str) -> list[Reference]:
    """The items that the words begin with, in their order, at most MOST. An incident holds for the numbers after it."""
    plain, found = visible(words), list[Reference]()
    incident, position = None, 0
    while len(found) < MOST and (match := _REFERENCE.match(plain, position)):
        marked = bool(match["joiner"] or match["mark"] or match["incident"])
        incident, position = int(match["incident"]) if match["incident"] else incident, match.end()
        tail, rest = after_visible(words, match.start("number")), after_visible(words, position)
        ends = rest[:1] in {".", ")", ":"}
        rest = rest[1:].strip() if ends else after_separator(rest)
        found.append(Reference(incident=incident, number=int(match["number"]), marked=marked, tail=tail, rest=rest))
        if ends:
            break
    return found


def all_named(found: list[Reference], _today: date) -> int:
    """How many of the numbers are items, where no number can follow them: all."""
    return len(found)


def plainly_named(found: list[Reference], _today: date) -> int:
    """How many are, where any words may follow them: the first, and those that are marked."""
    return next((index for index, each in enumerate(found) if index and not each.marked), len(found))


def before_date(found: list[Reference], today: date) -> int:
    """How many are, where a date follows them: `1 3 friday` has two, `3 12 december` has one."""
    return _as_many_as(found, lambda rest: bool(read_dates(without_announcement(rest), today=today)))


def before_days(found: list[Reference], today: date) -> int:
    """How many are, where a number of days follows them: `1 3 3d` has two, `1 3 days` has one."""

    def follows(rest: str) -> bool:
        try:
            parse_snooze(rest, today=today)
        except UsageError:
            return False
        return True

    return _as_many_as(found, follows)


def _as_many_as(found: list[Reference], follows: Callable[[str], bool]) -> int:
    """The most that leave words which may follow; as `plainly_named` where none do."""
    fitting = (count for count in range(len(found), 0, -1) if follows(found[count - 1].rest))
    return next(fitting, plainly_named(found, date.min))
