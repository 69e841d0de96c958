"""A review meeting: the words that plan it, the people it invites, and its time on their clocks."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from bot.domain.incident.lifecycle import in_order
from bot.domain.items.cadence import DAY, Cadence, is_workday
from bot.domain.items.item import DROPPED
from bot.domain.postmortem.names import words_of
from bot.domain.review.appointment import Appointment, parse_appointment
from bot.domain.time.format import clock, day, offset, short_day, zone_name
from bot.domain.words import quoted, storable, visible
from bot.errors import ExampleError, UsageError
from storage.values import ActionItem, Incident, Invitee, Review, TimelineEntry

SHORTEST_S, LONGEST_S = 5 * 60, 8 * 60 * 60

_EXAMPLE = "friday 10:00 for 45m"
_CLAUSE = re.compile(r"(?:^|\s+)(for|with|without)(?=\s|$)", re.IGNORECASE)
_LENGTH = re.compile(
    r"(?:(?P<hours>[0-9]{1,2}(?:\.5)?)\s?h(?:ours?|rs?)?)?\s?(?:(?P<minutes>[0-9]{1,3})\s?(?:m(?:in(?:ute)?s?)?)?)?"
)
_SPELT_S = {"an hour": 3600, "one hour": 3600, "half an hour": 1800, "two hours": 7200}
_BETWEEN_NAMES = re.compile(r"[\s,&]+(?:and\s+)?")
_USER_ID = re.compile(r"[UW][A-Z0-9]{2,}")
_MENTION = re.compile(r"<@(?P<id>[UW][A-Z0-9]{2,})(?:\|[^<>]*)?>|(?<![\w@.])@(?P<name>[^\W_](?:[\w.-]*\w)?)")
_FIXED_OFFSET = re.compile(r"(?:(?P<name>[A-Z]+) )?UTC(?P<sign>[+-])(?P<hours>[0-9]{1,2})(?::(?P<minutes>[0-9]{2}))?")

Named = tuple[str | None, str | None]
"""(user id, name), either of which may be unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The parts of a plan that were typed; None or empty is what was not."""

    appointment: Appointment | None
    duration_s: int | None
    invited: tuple[Invitee, ...]
    left_out: tuple[Invitee, ...]


def parse_plan(words: str, *, people: Mapping[str, str], now: datetime, zone: ZoneInfo) -> Plan:
    """The plan of `WHEN [for 45m] [with @alice] [without @bob]`.

    `people` gives the user id behind each `@name`, `zone` is the typist's. Raises UsageError as `parse_appointment`
    does, for a length that is none, for an `@name` that is no person, and for a part given twice.
    """
    when, *clauses = _CLAUSE.split(" ".join(visible(storable(words)).split()))
    if not when.strip() and clauses[:1] == ["for"] and _seconds(clauses[1]) is None:
        # `for friday 10:00 …`
        when, clauses = clauses[1], clauses[2:]
    parts: dict[str, str] = {}
    for name, text in zip(map(str.lower, clauses[::2]), clauses[1::2], strict=True):
        if name in parts:
            raise ExampleError(f"There are two parts that begin with “{name}”.", "friday 10:00 for 45m")
        parts[name] = text.strip(" ,")
    return Plan(
        duration_s=_duration_s(parts["for"]) if "for" in parts else None,
        invited=_people(parts["with"], people) if "with" in parts else (),
        left_out=_people(parts["without"], people) if "without" in parts else (),
        appointment=parse_appointment(when, now=now, zone=zone) if when.strip(" ,") else None,
    )


def _duration_s(text: str) -> int:
    seconds = _seconds(text)
    if seconds is None:
        raise ExampleError(f"{quoted(text) or 'That'} is no length of a meeting.", _EXAMPLE)
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise ExampleError(f"A review takes from 5 minutes to 8 hours, not {quoted(text)}.", _EXAMPLE)
    return seconds


def _seconds(text: str) -> int | None:
    """The seconds of `45m`, `1h30`, `half an hour`; None where it is no length. A number without a unit is none."""
    plain = text.strip().lower().rstrip(".")
    match = _LENGTH.fullmatch(plain)
    if match is None or not plain or plain.isdigit():
        return _SPELT_S.get(plain)
    return round(float(match["hours"] or 0) * 3600) + int(match["minutes"] or 0) * 60


def _people(text: str, people: Mapping[str, str]) -> tuple[Invitee, ...]:
    invited: list[Invitee] = []
    for name in filter(None, _BETWEEN_NAMES.split(text)):
        user_id = people.get(name[1:]) if name.startswith("@") else None
        if user_id is None:
            raise UsageError(
                f"{quoted(name)} is no single person I could invite. Type an @ and pick each one: with @alice @bob"
            )
        invited.append(Invitee(user_id=user_id, name=name[1:]))
    if not invited:
        raise UsageError("With whom? Type an @ after “with” and pick each one: with @alice @bob")
    return tuple(invited)


def propose_invitees(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    items: Iterable[ActionItem],
    *,
    names: Mapping[str, str],
    bots: Collection[str],
) -> tuple[Invitee, ...]:
    """The people of the incident, once each: lead, authors and those mentioned in timeline order, item owners.

    `names` are the workspace's display names by user id. Left out are `bots`, teams and roles, and an `@name` that
    matches no known person or several.
    """
    active = [entry for entry in in_order(entries) if not entry.retracted]
    authors: list[Named] = [(incident.lead_id, incident.lead), *((entry.author_id, entry.author) for entry in active)]
    owners: list[Named] = [(item.owner_id, item.owner) for item in items if item.state != DROPPED]
    known: list[Named] = [*names.items(), *authors, *owners]
    ids = {user_id for user_id, _ in known if user_id}
    ids_by_name: dict[tuple[str, ...], set[str]] = {}
    for user_id, name in known:
        if user_id and name and words_of(name):
            ids_by_name.setdefault(words_of(name), set()).add(user_id)
    mentioned: list[str] = []
    for entry in active:
        for match in _MENTION.finditer(entry.text):
            # In old entries the user id may stand in the words.
            meant = {match["id"] or match["name"]} & ids or ids_by_name.get(words_of(match["name"] or ""), set())
            if len(meant) == 1:
                mentioned += meant
        mentioned += [user_id for user_id in entry.people.values() if user_id in ids]
    found = dict.fromkeys((*(user_id for user_id, _ in authors), *mentioned, *(user_id for user_id, _ in owners)))
    shown_names = {user_id: name for user_id, name in (*authors, *owners) if user_id and name} | dict(names)
    return tuple(
        Invitee(user_id=user_id, name=shown_names.get(user_id, user_id))
        for user_id in found
        if user_id and _USER_ID.fullmatch(user_id) and user_id not in bots
    )


def change_invitees(
    people: Iterable[Invitee], *, add: Iterable[Invitee], leave_out: Iterable[Invitee]
) -> tuple[Invitee, ...]:
    """The people with some added and some left out, each once."""
    gone = {person.user_id for person in leave_out}
    by_id: dict[str, Invitee] = {}
    for person in (*people, *add):
        by_id.setdefault(person.user_id, person)
    return tuple(person for user_id, person in by_id.items() if user_id not in gone)


def local_start(review: Review) -> datetime:
    """When the review starts, in the zone it was planned in."""
    return review.starts_at.astimezone(zone_from_key(review.timezone))


def reminds_at(review: Review, zone: ZoneInfo, cadence: Cadence) -> datetime | None:
    """When somebody in the zone is reminded, UTC: at the opening of their last workday before the day it is for them.

    None where that was past when it was planned: then the invitation is all.
    """
    on = review.starts_at.astimezone(zone).date() - DAY
    while not is_workday(on, cadence.holidays):
        on -= DAY
    at = cadence.opening(on, zone)
    return at if at > review.planned_at else None


def span(review: Review, zone: tzinfo | None = None) -> str:
    """Start and end, in the zone or that of the plan: `Tuesday 1 December 2026, 10:00 to 10:45 CET (09:00 UTC)`."""
    start = review.starts_at.astimezone(zone) if zone else local_start(review)
    end = review.ends_at.astimezone(start.tzinfo)
    text = f"{day(start)}, {clock(start)} to {clock(end)} {zone_name(start)}"
    return text if zone_name(start) == "UTC" else f"{text} ({in_utc(start)})"


def in_utc(at: datetime) -> str:
    """The aware moment in UTC, with its date where that differs from the local one: `30 November, 23:00 UTC`."""
    utc = at.astimezone(UTC)
    return f"{clock(utc)} UTC" if utc.date() == at.date() else f"{short_day(utc)}, {clock(utc)} UTC"


def zone_key(zone: tzinfo) -> str:
    """The zone in one line that `zone_from_key` reads back: `Europe/Berlin`, `UTC`, `CET UTC+1`, `UTC+5:30`."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    distance = offset(datetime(2000, 1, 1, tzinfo=zone))
    name = zone.tzname(None) or ""
    return f"{name} {distance}" if name.isalpha() and distance != "UTC" else distance


def zone_from_key(text: str) -> tzinfo:
    """The zone of a `zone_key`."""
    fixed = _FIXED_OFFSET.fullmatch(text)
    if fixed is None:
        return UTC if text == "UTC" else ZoneInfo(text)
    distance = timedelta(hours=int(fixed["hours"]), minutes=int(fixed["minutes"] or 0))
    distance = -distance if fixed["sign"] == "-" else distance
    return timezone(distance, fixed["name"]) if fixed["name"] else timezone(distance)
