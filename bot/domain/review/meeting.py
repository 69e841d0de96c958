"""A review meeting: the words that plan it, who is invited, and when it takes place on people's clocks."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from bot.domain.incident.lifecycle import in_order
from bot.domain.items.item import DROPPED
from bot.domain.postmortem.names import words_of
from bot.domain.review.appointment import Appointment, parse_appointment
from bot.domain.time.format import clock, day, offset, short_day, zone_name
from bot.domain.words import quoted, storable, visible
from bot.errors import UsageError
from storage.values import ActionItem, Incident, Invited, Review, TimelineEntry

_FIXED = re.compile(r"(?:(?P<name>[A-Z]+) )?UTC(?P<sign>[+-])(?P<hours>[0-9]{1,2})(?::(?P<minutes>[0-9]{2}))?")


def zone_key(zone: tzinfo) -> str:
    """The zone in one line that `zone_from_key` reads back: `Europe/Berlin`, `UTC`, `CET UTC+1`, `UTC+5:30`."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    distance = offset(datetime(2000, 1, 1, tzinfo=zone))
    name = zone.tzname(None) or ""
    return f"{name} {distance}" if name.isalpha() and distance != "UTC" else distance


def zone_from_key(text: str) -> tzinfo:
    """The zone that `zone_key` wrote down."""
    fixed = _FIXED.fullmatch(text)
    if fixed is None:
        return UTC if text == "UTC" else ZoneInfo(text)
    distance = timedelta(hours=int(fixed["hours"]), minutes=int(fixed["minutes"] or 0))
    distance = -distance if fixed["sign"] == "-" else distance
    return timezone(distance, fixed["name"]) if fixed["name"] else timezone(distance)


def local_start(review: Review) -> datetime:
    """When it starts, on the clocks it was planned by."""
    return review.starts_at.astimezone(zone_from_key(review.timezone))


def reminds_at(review: Review) -> datetime | None:
    """The instant of the reminder, UTC: the same clock time the day before; None where it was past when planned."""
    # Where the clocks skip that time, it is the time they show instead, an hour on.
    before = (local_start(review) - timedelta(days=1)).astimezone(UTC)
    return before if before > review.planned_at else None


def span(review: Review) -> str:
    """From when to when: `Tuesday 1 December 2026, 10:00 to 10:45 CET (09:00 UTC)`."""
    start = local_start(review)
    end = review.ends_at.astimezone(start.tzinfo)
    text = f"{day(start)}, {clock(start)} to {clock(end)} {zone_name(start)}"
    return text if zone_name(start) == "UTC" else f"{text} ({in_utc(start)})"


def local_instant(at: datetime) -> str:
    """One aware moment on its own clocks: `Monday 30 November 2026, 10:00 CET`."""
    return f"{day(at)}, {clock(at)} {zone_name(at)}"


def in_utc(at: datetime) -> str:
    """The aware moment in UTC, with its date where that is another one there: `30 November, 23:00 UTC`."""
    utc = at.astimezone(UTC)
    return f"{clock(utc)} UTC" if utc.date() == at.date() else f"{short_day(utc)}, {clock(utc)} UTC"


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


_PERSON = re.compile(r"[UW][A-Z0-9]{2,}")
_MENTION = re.compile(r"<@(?P<id>[UW][A-Z0-9]{2,})(?:\|[^<>]*)?>|(?<![\w@.])@(?P<name>[^\W_](?:[\w.-]*\w)?)")

Named = tuple[str | None, str | None]
"""(user id, name), either of which may be unknown."""


def propose_invitees(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    items: Iterable[ActionItem],
    *,
    names: Mapping[str, str],
    bots: Collection[str],
) -> tuple[Invited, ...]:
    """The people of the incident, once each: the lead, then in the timeline's order, then the owners.

    `names` are the workspace's display names by user id. Left out are `bots`, teams and roles, and an `@name` that
    belongs to nobody known or to several.
    """
    told = [entry for entry in in_order(entries) if not entry.retracted]
    agreed = [item for item in items if item.state != DROPPED]
    met: list[Named] = [(incident.lead_id, incident.lead), *((entry.author_id, entry.author) for entry in told)]
    owners: list[Named] = [(item.owner_id, item.owner) for item in agreed]
    by_name = _by_name([*names.items(), *met, *owners])
    found = [user_id for user_id, _ in met]
    ids = {user_id for user_id, _ in (*names.items(), *met, *owners) if user_id}
    found += [user_id for entry in told for user_id in _mentioned(entry.text, by_name, ids)]
    found += [user_id for user_id, _ in owners]
    called = {user_id: name for user_id, name in (*met, *owners) if user_id and name} | dict(names)
    people = dict.fromkeys(user_id for user_id in found if user_id and _PERSON.fullmatch(user_id))
    return tuple(Invited(user_id=each, name=called.get(each, each)) for each in people if each not in bots)


def change_invitees(
    people: Iterable[Invited], *, add: Iterable[Invited], leave_out: Iterable[Invited]
) -> tuple[Invited, ...]:
    """The people with some added and some left out, each once."""
    gone = {person.user_id for person in leave_out}
    by_id: dict[str, Invited] = {}
    for person in (*people, *add):
        by_id.setdefault(person.user_id, person)
    return tuple(person for user_id, person in by_id.items() if user_id not in gone)


def _by_name(people: Iterable[Named]) -> dict[tuple[str, ...], set[str]]:
    known: dict[tuple[str, ...], set[str]] = {}
    for user_id, name in people:
        if user_id and name and words_of(name):
            known.setdefault(words_of(name), set()).add(user_id)
    return known


def _mentioned(text: str, by_name: Mapping[tuple[str, ...], set[str]], ids: Collection[str]) -> Iterator[str]:
    for match in _MENTION.finditer(text):
        # Slack's id stands in the words for somebody it gave no name of.
        who = {match["id"] or match["name"]} & set(ids) or by_name.get(words_of(match["name"] or ""), set())
        if len(who) == 1:
            yield from who
