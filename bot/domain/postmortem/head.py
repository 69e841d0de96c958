"""The head of a postmortem: what a reader wants to know first, made at rendering time from the record and the version.

It is no section, so that nobody edits it and its status and version are always those of what is read.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.incident import facts, figures, impact
from bot.domain.incident.lifecycle import DURATIONS, Lifecycle, in_order
from bot.domain.incident.topics import topic
from bot.domain.postmortem.third_person import PERSON
from bot.domain.time.format import clock, day, duration, short_day, zone_name
from bot.domain.words import clipped
from bot.vocabulary import ACKNOWLEDGED, ESCALATED, IMPACT, NOTE
from storage.values import Incident, Postmortem, Review, TimelineEntry

INCIDENT = "Incident"
"""The first row, by which a file's head is recognised."""

_DETECTORS = {"monitoring": "monitoring", "customer": "a customer", "engineer": "an engineer"}
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}
_BOT = re.compile(r"B[A-Z0-9]{7,}")
_LONGEST = 200
_ROLES = {
    "incident commander": r"(?:incident )?commander|IC",
    "communications": r"comm(?:unication)?s?(?: lead)?",
    "operations": r"op(?:eration)?s(?: lead)?",
    "scribe": r"scribe",
    "customer liaison": r"(?:customer|internal|external) liaison",
    "deputy": r"deputy",
    "subject matter expert": r"SME|subject matter expert",
    "on call": r"on[ -]?call(?: engineer| primary)?",
}
_ROLE = "|".join(_ROLES.values())
_ANY_ROLE = re.compile(rf"(?<![\w-])(?:{_ROLE})(?![\w-])", re.IGNORECASE)
_HAS = r"(?:is|takes|took|has|does|as|will be)(?: over)?(?: the| our)?"
_PEOPLE_MARK = re.compile(
    r"\b(?:customers?|users?|clients?|accounts?|visitors?|people|subscribers?|tenants?|members?|merchants?|shops?|projects?"
    r"|teams?|workspaces?|sites?|orders?)\b",
    re.IGNORECASE,
)


_Turn = tuple[str, datetime, datetime | None]
"""Who did something, from when, and until when; None for who still does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A label and what is known; plain text, to be escaped for its surface."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """`rows` are those of the table, the incident's name first; `figures` the few numbers that tell most.

    `brief` is the whole in one line. What is not known has no row.
    """

    rows: tuple[Fact, ...]
    figures: tuple[Fact, ...]
    brief: str


def head(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    life: Lifecycle,
    *,
    postmortem: Postmortem | None = None,
    published: int | None = None,
    review: Review | None = None,
) -> Head:
    """The head of the version `postmortem`. `entries` are those that the reader may see, `life` that of all of them.

    `published` is the newest version that is published, and `review` the planned one.
    """
    zone = ZoneInfo(incident.timezone)
    told = [entry for entry in in_order(entries) if not entry.retracted]
    lasted, severity = _lasted(life), _severity(incident, told, zone)
    rows = {
        INCIDENT: incident.name,
        "Date": _dates(incident, life, zone),
        "Duration": lasted,
        "Severity": severity,
        "Status": _status(incident, postmortem, published, review),
        "Lead": _leads(incident, told, life, zone),
        "Roles": "; ".join(_roles_held(told, life, zone)),
        "Responders": _responders(told),
        "Escalated": _joined(entry.text for entry in told if entry.kind == ESCALATED),
        "Affected systems": _joined(text for about, text in map(topic, _texts(told)) if about == "systems"),
        "Detected by": _DETECTORS.get(life.detected_by or ""),
        "Channel": f"#{incident.channel_name}" if incident.channel_name else None,
    }
    known = tuple(Fact(label=label, text=text) for label, text in rows.items() if text)
    first = incident.severity_told or ""
    brief = (first, lasted, rows["Date"], rows["Status"])
    return Head(rows=known, figures=_figures(told, life), brief=" · ".join(filter(None, brief)))


def _texts(entries: Iterable[TimelineEntry]) -> Iterable[str]:
    return (entry.text for entry in entries)


def _joined(texts: Iterable[str]) -> str | None:
    first_lines = (" ".join(text.strip().partition("\n")[0].split()) for text in texts)
    return clipped("; ".join(dict.fromkeys(line for line in first_lines if line)), _LONGEST) or None


def _dates(incident: Incident, life: Lifecycle, zone: ZoneInfo) -> str:
    began_at = life.rounds[0].began_at if life.rounds else life.started_at
    if began_at is None:
        return day(incident.began_at.astimezone(zone))
    began = began_at.astimezone(zone)
    if life.resolved_at is None or life.resolved_at < began_at:
        return f"{day(began)}, from {clock(began)} {zone_name(began)}"
    ended = life.resolved_at.astimezone(zone)
    if began.date() == ended.date():
        return f"{day(began)}, {clock(began)} to {clock(ended)} {zone_name(ended)}"
    return f"{day(began)}, {clock(began)} {zone_name(began)} to {day(ended)}, {clock(ended)} {zone_name(ended)}"


def _lasted(life: Lifecycle) -> str | None:
    """How long there was trouble; the quiet time between two rounds is none."""
    rounds = life.rounds
    if life.time_in_rounds_s is None:
        return "not over yet" if rounds and life.resolved_at is None else None
    if len(rounds) == 1:
        return duration(life.time_in_rounds_s)
    each = ", ".join(duration(one.seconds) for one in rounds)
    return f"{duration(life.time_in_rounds_s)} of trouble in {_COUNTS.get(len(rounds), len(rounds))} rounds ({each})"


def _severity(incident: Incident, entries: Sequence[TimelineEntry], zone: ZoneInfo) -> str | None:
    held = facts.severities(incident, entries)
    if len(held) < 2 or held[-1].value != incident.severity:  # noqa: PLR2004 - a change
        return incident.severity_told
    return f"{incident.severity_told} ({_hours(held, zone, entries, first='at')})"


def _leads(incident: Incident, entries: Sequence[TimelineEntry], life: Lifecycle, zone: ZoneInfo) -> str | None:
    """`Ann 09:33\u201311:00 UTC, then Dave`: who led, with their hours where there were several."""
    held = facts.leads(entries)
    if not held:
        return incident.lead
    return _turns([(each.value, each.from_at, each.until_at) for each in held], life, zone, entries)


def _roles_held(entries: Sequence[TimelineEntry], life: Lifecycle, zone: ZoneInfo) -> Iterable[str]:
    """`comms: Carol, from 09:40 UTC`, for each role that somebody had."""
    by_role: dict[str, list[_Turn]] = {}
    for each in facts.roles(entries):
        by_role.setdefault(each.role, []).append((each.name, each.from_at, each.until_at))
    return [f"{role}: {_turns(turns, life, zone, entries)}" for role, turns in by_role.items()]


def _turns(turns: Sequence[_Turn], life: Lifecycle, zone: ZoneInfo, entries: Sequence[TimelineEntry]) -> str:
    """Who did something from when to when; of one who did it all the time only the name."""
    last, from_at, until_at = turns[-1]
    ended = [f"{name} {_at(began, zone, entries, bare=True)}\u2013{_at(end, zone, entries, bare=True)}"
             for name, began, end in turns if end is not None]  # fmt: skip
    if ended:
        last_end = max(end for _, _, end in turns if end is not None)
        listed = f"{', '.join(ended)} {zone_name(last_end.astimezone(zone))}"
        return listed if until_at is not None else f"{listed}, then {last}"
    began_at = life.started_at or from_at
    return last if from_at <= began_at else f"{last}, from {_at(from_at, zone, entries)}"


def _hours(held: Sequence[facts.Held], zone: ZoneInfo, entries: Sequence[TimelineEntry], *, first: str) -> str:
    """`SEV3 at 12:04, SEV1 from 12:31 UTC`."""
    words = [f"{each.value} {'from' if number else first} {_at(each.from_at, zone, entries, bare=True)}"
             for number, each in enumerate(held)]  # fmt: skip
    return f"{', '.join(words)} {zone_name(held[-1].from_at.astimezone(zone))}"


def _at(at: datetime, zone: ZoneInfo, entries: Sequence[TimelineEntry], *, bare: bool = False) -> str:
    """The clock time, with its date where the timeline has several."""
    local = at.astimezone(zone)
    several = len({entry.occurred_at.astimezone(zone).date() for entry in entries}) > 1
    words = f"{short_day(local)}, {clock(local)}" if several else clock(local)
    return words if bare else f"{words} {zone_name(local)}"


def _status(
    incident: Incident, postmortem: Postmortem | None, published: int | None, review: Review | None
) -> str | None:
    if postmortem is None:
        return incident.standing if incident.closed_as else None
    held = review is not None and not review.cancelled and review.ends_at <= postmortem.drafted_at
    state = "published" if published == postmortem.version else "reviewed" if held else "draft"
    closed = f"; the incident is closed, {incident.standing}" if incident.closed_as else ""
    return f"{state}, version {postmortem.version}{closed}"


def _responders(entries: Sequence[TimelineEntry]) -> str | None:
    """Who wrote, each with the role that somebody said they had. Without names, as for the public, nobody."""
    people = dict.fromkeys(entry.author for entry in entries if entry.author and not _BOT.fullmatch(entry.author_id))
    if not people or set(people) == {PERSON}:
        return None
    roles = _roles(entries, tuple(people))
    people |= dict.fromkeys(roles)
    acknowledged = next((entry for entry in entries if entry.kind == ACKNOWLEDGED), None)
    shown = []
    for name in people:
        said = list(roles.get(name, ()))
        if acknowledged and acknowledged.author == name and not _others(people, name, acknowledged.text):
            said.append("acknowledged it")
        shown.append(f"{name} ({', '.join(said)})" if said else name)
    return ", ".join(shown)


def _others(people: Iterable[str], name: str, text: str) -> bool:
    return any(each != name and re.search(rf"(?<!\w){re.escape(each)}(?!\w)", text, re.IGNORECASE) for each in people)


def _roles(entries: Sequence[TimelineEntry], people: Sequence[str]) -> dict[str, dict[str, None]]:
    """The roles that notes give to people: `comms: @carol`, `carol is incident commander`, `I'm the scribe`."""
    named = sorted({*people, *(name for entry in entries for name in entry.people)}, key=len, reverse=True)
    who = "|".join(map(re.escape, named))
    given = re.compile(
        rf"(?<![\w-])(?P<role1>{_ROLE})\s*(?:(?::|=|->|\bis)\s*@?|@)(?P<whom>{who})(?![\w@-])"
        rf"|(?<![\w@-])@?(?P<who>{who}) {_HAS} (?P<role2>{_ROLE})\b"
        rf"|^(?:I(?:['\u2019]m| am| take| took)(?: over)?|taking(?: over)?)(?: the)? (?P<role3>{_ROLE})\b",
        re.IGNORECASE,
    )
    roles: dict[str, dict[str, None]] = {}
    spelt = {name.casefold(): name for name in named}
    for entry in entries:
        if entry.kind not in {NOTE, ESCALATED, ACKNOWLEDGED} or not _ANY_ROLE.search(entry.text):
            continue
        for match in given.finditer(entry.text):
            said = match["whom"] or match["who"]
            typed = match["role1"] or match["role2"] or match["role3"]
            role = next(name for name, pattern in _ROLES.items() if re.fullmatch(pattern, typed, re.IGNORECASE))
            roles.setdefault(spelt[said.casefold()] if said else entry.author, {})[role] = None
    return roles


def _figures(entries: Sequence[TimelineEntry], life: Lifecycle) -> tuple[Fact, ...]:
    found: list[Fact] = []
    for rule in DURATIONS:
        seconds = getattr(life, f"{rule.key}_s")
        if rule.key == "time_to_detect" and life.detected_before_impact_s:
            found.append(Fact(label=rule.label, text=f"{duration(life.detected_before_impact_s)} before the impact"))
        elif seconds is not None:
            found.append(Fact(label=rule.label, text=duration(seconds)))
    impacts = [impact.unlabelled(entry.text) for entry in entries if entry.kind == IMPACT]
    share = next((stated for text in reversed(impacts) if (stated := impact.share(text))), None)
    if share:
        found.append(Fact(label="Share affected", text=share))
    counted = (figure for text in impacts for figure in figures.figures(text) if _PEOPLE_MARK.search(figure))
    customers = next((figure for figure in counted if figure not in (share or "") and "%" not in figure), None)
    if customers:
        found.append(Fact(label="Customers", text=customers))
    return tuple(found)
