"""The words that plan a review: `WHEN [for 45m] [with @alice @bob] [without @carol]`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.review.appointment import Appointment, parse_appointment
from bot.domain.words import quoted, storable, visible
from bot.errors import UsageError
from storage.values import Invited

SHORTEST_S, LONGEST_S = 5 * 60, 8 * 60 * 60

_CLAUSE = re.compile(r"(?:^|\s+)(for|with|without)(?=\s|$)", re.IGNORECASE)
_LENGTH = re.compile(
    r"(?:(?P<hours>[0-9]{1,2}(?:\.5)?)\s?h(?:ours?|rs?)?)?\s?(?:(?P<minutes>[0-9]{1,3})\s?(?:m(?:in(?:ute)?s?)?)?)?"
)
_SPELT = {"an hour": 3600, "one hour": 3600, "half an hour": 1800, "two hours": 7200}
_BETWEEN = re.compile(r"[\s,&]+(?:and\s+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was typed of a review; None or empty is what was not."""

    appointment: Appointment | None
    duration_s: int | None
    invited: tuple[Invited, ...]
    left_out: tuple[Invited, ...]


def parse_plan(words: str, *, people: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Plan:
    """The plan the words tell; `people` gives the user id behind each `@name`, `zone` is the typist's.

    Raises UsageError as `parse_appointment` does, for a length that is none, for an `@name` that is no person,
    and for a part given twice.
    """
    when, *clauses = _CLAUSE.split(" ".join(visible(storable(words)).split()))
    if not when.strip() and clauses[:1] == ["for"] and _seconds(clauses[1]) is None:
        # `for friday 10:00 …`
        when, clauses = clauses[1], clauses[2:]
    told: dict[str, str] = {}
    for name, text in zip(map(str.lower, clauses[::2]), clauses[1::2], strict=True):
        if name in told:
            raise UsageError(
                f"There are two parts that begin with “{name}”. Try: friday 10:00 for 45m with @alice @bob"
            )
        told[name] = text.strip(" ,")
    return Plan(
        duration_s=_duration(told["for"]) if "for" in told else None,
        invited=_people(told["with"], people) if "with" in told else (),
        left_out=_people(told["without"], people) if "without" in told else (),
        appointment=parse_appointment(when, now=now, zone=zone) if when.strip(" ,") else None,
    )


def _duration(text: str) -> int:
    seconds = _seconds(text)
    if seconds is None:
        raise UsageError(f"{quoted(text) or 'That'} is no length of a meeting. Try: for 45m, for 1h30m")
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise UsageError(f"A review takes from 5 minutes to 8 hours, not {quoted(text)}. Try: for 45m")
    return seconds


def _seconds(text: str) -> int | None:
    """How long the text says, None where it is no length; a number alone is none."""
    plain = text.strip().lower().rstrip(".")
    match = _LENGTH.fullmatch(plain)
    if match is None or not plain or plain.isdigit():
        return _SPELT.get(plain)
    return round(float(match["hours"] or 0) * 3600) + int(match["minutes"] or 0) * 60


def _people(text: str, people: Mapping[str, str]) -> tuple[Invited, ...]:
    names = [name for name in _BETWEEN.split(text) if name]
    if not names:
        raise UsageError("With whom? Try: with @alice @bob")
    return tuple(_person(name, people) for name in names)


def _person(name: str, people: Mapping[str, str]) -> Invited:
    user_id = people.get(name[1:]) if name.startswith("@") else None
    if user_id is None:
        raise UsageError(
            f"{quoted(name)} is no single person I could invite. Type an @ and pick each one: with @alice @bob"
        )
    return Invited(user_id=user_id, name=name[1:])
