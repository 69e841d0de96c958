"""The facts of an incident that change while it goes on: how bad it is, who leads it and has a role, what it is called.

Each change is an entry of the timeline, whose words are the new value.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.incident.erasure import is_erased
from bot.domain.incident.grammar import Utterance, entry_needs_zone, parse_entry
from bot.domain.incident.lifecycle import in_order
from bot.domain.incident.roles import read_role
from bot.domain.time.typed import take_time
from bot.domain.time.zones import abbreviations_of
from bot.errors import UsageError
from bot.vocabulary import FACTS, LEAD, RESOLVED, ROLE, SEVERITIES, SEVERITY
from storage.values import Incident, TimelineEntry

TIME_LAST = frozenset({SEVERITY, LEAD, ROLE})
"""The facts whose value is a word or two, so that a time may follow it."""
NOBODY_NAMED = "nobody"
"""The value of a role that nobody has any more."""
SHOWN = {True: "in its own channel only", False: "everywhere"}
"""The words of an entry of the kind PRIVATE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A value that a fact had from `from_at` until `until_at`, None for the last one."""

    value: str
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRole:
    """Who had the role `role` from `from_at` until `until_at`, None while they have it; `user_id` if it is a person."""

    role: str
    name: str
    user_id: str | None
    from_at: datetime
    until_at: datetime | None

    @property
    def called(self) -> str:
        """The name to be shown; a person whose name is not known yet is somebody."""
        return "somebody" if self.name == self.user_id else self.name


def time_first(words: str, own: frozenset[str], *, now: datetime | None = None) -> str:
    """`SEV1 at 12:31` as `at 12:31 SEV1`, as other commands have their time; other words as they are.

    `own` are the abbreviations of the zone that it was typed in.
    """
    if take_time(words, own, now=now)[0] is not None:
        return words
    typed = words.split()
    for place in range(1, len(typed)):
        last = " ".join(typed[place:])
        time, rest = take_time(last, own, now=now)
        if time is not None and not rest.strip():
            return f"{last} {' '.join(typed[:place])}"
    return words


def parse_fact(kind: str, words: str, *, now: datetime, zone: ZoneInfo) -> Utterance:
    """The value as typed, and the time from which on it holds. Raises UsageError for a time that is none."""
    if kind in TIME_LAST:
        words = time_first(words, abbreviations_of(zone, now), now=now)
    # Whether the value may be missing, its own parser says better.
    return parse_entry(replace(FACTS[kind], milestone=True), words, now=now, zone=zone)


def parse_handover(words: str, *, now: datetime, zone: ZoneInfo) -> Utterance:
    """The time, and as text who takes over with the words for them: a time in these is no time of the change."""
    return parse_entry(replace(FACTS[LEAD], milestone=True), words, now=now, zone=zone)


def handover_needs_zone(words: str) -> bool:
    """Whether the time before the words depends on the typist's zone."""
    return entry_needs_zone(FACTS[LEAD], words)


def fact_needs_zone(kind: str, words: str) -> bool:
    """Whether the time in the words depends on the typist's zone."""
    with suppress(UsageError):
        words = time_first(words, frozenset()) if kind in TIME_LAST else words
    return entry_needs_zone(FACTS[kind], words)


def value_of(entry: TimelineEntry) -> tuple[str, str | None]:
    """The value that the entry gives its fact, and a person's user id; see `value_in`."""
    return value_in(entry.kind, entry.text, entry.people)


def value_in(kind: str, text: str, people: Mapping[str, str]) -> tuple[str, str | None]:
    """The value in the words of a change, and for a person their user id; a name without its @.

    A role that is taken from somebody has the value NOBODY_NAMED.
    """
    if kind not in {LEAD, ROLE}:
        return text, None
    name = read_lead(text, people)[0] if kind == LEAD else read_role(text)[1]
    return name or NOBODY_NAMED, people.get(name or "")


def read_lead(text: str, people: Mapping[str, str]) -> tuple[str, str]:
    """Who leads from then on, without the @, and what they were told: `@dave: the rollback runs`."""
    told = text.removeprefix("@")
    known = max((name for name in people if f"{told}: ".startswith(f"{name}: ")), key=len, default=None)
    if known is None:
        name, _, words = told.partition(": ")
        return name, words
    return known, told[len(known) :].removeprefix(": ")


def changes(entries: Iterable[TimelineEntry], kind: str) -> list[TimelineEntry]:
    """The standing changes of the fact, in order of time; without those whose value was erased."""
    found = (each for each in entries if each.kind == kind and not each.retracted and not is_erased([each.text]))
    return in_order(found)


def last_change(entries: Iterable[TimelineEntry], kind: str, *, at: datetime | None = None) -> TimelineEntry | None:
    """The change that is in effect at the instant, or at the end; None where none is."""
    return next((each for each in reversed(changes(entries, kind)) if at is None or each.occurred_at <= at), None)


def severities(incident: Incident, entries: Sequence[TimelineEntry]) -> tuple[Held, ...]:
    """The severities that the incident had, from that of its declaration on, if it had one."""
    told = [(entry.occurred_at, entry.text) for entry in changes(entries, SEVERITY)]
    first = incident.first_severity or (None if told else incident.severity)
    return _held([*([(_since(incident, entries), first)] if first else []), *told])


def highest(incident: Incident, entries: Iterable[TimelineEntry]) -> str | None:
    """The highest severity that it had."""
    told = {incident.first_severity, *(entry.text for entry in changes(entries, SEVERITY))}
    return next((severity for severity in SEVERITIES if severity in told), None)


def leads(entries: Iterable[TimelineEntry]) -> tuple[Held, ...]:
    """Who led the incident, by name."""
    return _held([(entry.occurred_at, value_of(entry)[0]) for entry in changes(entries, LEAD)])


def roles(entries: Iterable[TimelineEntry]) -> tuple[HeldRole, ...]:
    """Who had which role and when: by role, in the order in which the roles were first given."""
    told: dict[str, list[TimelineEntry]] = {}
    for entry in changes(entries, ROLE):
        told.setdefault(read_role(entry.text)[0], []).append(entry)
    return tuple(each for role, given in told.items() for each in _holders(role, given))


def _holders(role: str, given: Sequence[TimelineEntry]) -> Iterable[HeldRole]:
    """Who had the role, of the same person twice in a row once; a time without anybody has no row."""
    names = [read_role(entry.text)[1] for entry in given]
    kept = [number for number, name in enumerate(names) if not number or names[number - 1] != name]
    for number, after in zip(kept, [*kept[1:], None], strict=True):
        name = names[number]
        if name is not None:
            yield HeldRole(
                role=role,
                name=name,
                user_id=given[number].people.get(name),
                from_at=given[number].occurred_at,
                until_at=None if after is None else given[after].occurred_at,
            )


def current_roles(entries: Iterable[TimelineEntry]) -> tuple[HeldRole, ...]:
    """Who has a role now, beside the lead."""
    return tuple(each for each in roles(entries) if each.until_at is None)


def _since(incident: Incident, entries: Sequence[TimelineEntry]) -> datetime:
    """From when on the facts of the declaration held: of an incident entered afterwards, from its beginning on."""
    then = [entry.occurred_at for entry in entries if entry.kind in {SEVERITY, RESOLVED} and not entry.retracted]
    declared_at = incident.declared_at
    return declared_at if not then or declared_at <= min(then) else min(incident.began_at, *then)


def _held(told: Sequence[tuple[datetime, str]]) -> tuple[Held, ...]:
    """The values with the ends of their times; of the same value twice in a row, the first one."""
    kept = [each for number, each in enumerate(told) if not number or told[number - 1][1] != each[1]]
    ends = [*(at for at, _ in kept[1:]), None]
    return tuple(
        Held(value=value, from_at=at, until_at=until_at) for (at, value), until_at in zip(kept, ends, strict=False)
    )
