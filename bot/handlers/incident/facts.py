"""Change a fact of the incident: severity, lead, title, where it is shown. Each change is an entry of the timeline.

What the incident says now follows from these entries: one that is typed late, corrected or taken back changes it as if
it had been typed so at once. Where it is shown is no such thing: that is as it was last decided.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.facts import SHOWN, changes, highest, last_change, parse_fact, value_of
from bot.domain.incident.grammar import Utterance
from bot.domain.incident.opening import parse_severity, parse_title
from bot.domain.time.format import stamp
from bot.errors import UsageError
from bot.handlers.incident import doubts
from bot.handlers.incident.incidents import get_current
from bot.handlers.incident.timeline import append, receipt
from bot.handlers.items.reminders import plan_anew
from bot.handlers.permission import require_permission
from bot.handlers.request import Reply, Request, parse_person
from bot.vocabulary import FACTS, LEAD, PRIVATE, SEVERITY, TITLE
from storage import incidents, timeline
from storage.values import Incident, TimelineEntry

People = dict[str, str]


def parse(kind: str, request: Request) -> Utterance:
    """Parse `SEV1 at 12:31`. Raises UsageError for a time that is none, and for no severity."""
    utterance = parse_fact(kind, request.words, now=request.now, zone=request.zone)
    if kind == SEVERITY:
        parse_severity(utterance.text)
    return utterance


def severity(connection: Connection, request: Request) -> Reply:
    """`severity SEV2 [at TIME]`: set the severity."""
    return _record(connection, request, SEVERITY)


def lead(connection: Connection, request: Request) -> Reply:
    """`lead @who [at TIME]`: set the lead."""
    return _record(connection, request, LEAD)


def title(connection: Connection, request: Request) -> Reply:
    """`title [at TIME] new title`: rename the incident."""
    return _record(connection, request, TITLE)


def private(connection: Connection, request: Request) -> Reply:
    """`private`, `private off`: whether the incident is hidden outside its own channel."""
    word = request.words.strip().casefold()
    if word not in {"", "on", "off"}:
        raise UsageError(f"Try: {request.slash('incident')} private, or {request.slash('incident')} private off")
    incident = get_current(connection, request, lock=True)
    require_permission(connection, request, incident, PRIVATE)
    after = show(connection, request, incident, private=word != "off")
    return Reply(text=slack("private", incident=after), public=True)


def show(connection: Connection, request: Request, incident: Incident, *, private: bool) -> Incident:
    """Hide the incident outside its channel, or show it there again, from now on; nothing where it is so already."""
    if incident.private == private:
        return incident
    _append(connection, request, incident, PRIVATE, SHOWN[private], {}, at=request.now)
    return incidents.change(connection, incident, {PRIVATE: private}, by=request.user_id, at=request.received_at)


def read_value(connection: Connection, request: Request, kind: str, words: str) -> tuple[str, People]:
    """The words of an entry that gives the fact the value typed, and the people in them.

    Raises UsageError for what is no such value.
    """
    command = f"{request.slash('incident')} {kind}"
    if kind == SEVERITY:
        return parse_severity(words), {}
    if kind == LEAD:
        name, user_id = parse_person(connection, request, words, command)
        return f"@{name}", {name: user_id} if user_id else {}
    text = parse_title(words, example=f"{command} checkout fails")
    return text, dict(request.people_in(text) or {})


def _record(connection: Connection, request: Request, kind: str) -> Reply:
    """Record the change, and say what was before; a value that it has already is no change."""
    said: Utterance = request.parsed
    before = get_current(connection, request, lock=True)
    require_permission(connection, request, before, kind)
    text, people = read_value(connection, request, kind, said.text)
    at, doubtful = said.occurred_at, None
    if said.timed:
        at, doubtful = doubts.within(connection, request, before, kind, said, at)
    entries = timeline.of_incident(connection, before.id, kinds=tuple(FACTS))
    was = _value_at(connection, before, entries, kind, at=at)
    value, user_id = next(iter(people.items())) if kind == LEAD and people else (text.removeprefix("@"), None)
    if (was == value and (kind != LEAD or said.timed or before.lead_id == user_id)) and not _corrects(request):
        return Reply(text=slack("unchanged", incident=before, kind=FACTS[kind], value=value), public=True)
    entry = _append(connection, request, before, kind, text, people, at=at, said=said, doubtful=doubtful)
    after = refresh(connection, request, before, kind)
    stands = last_change(timeline.of_incident(connection, before.id, kinds=(kind,)), kind)
    later = stands if stands is not None and stands.id != entry.id else None
    return receipt(
        connection, request, "changed", after, entry,
        assumed=said.zone_assumed, seconds=said.seconds, timed=said.timed,
        was=was, value=value_of(entry)[0], doubts=doubtful,
        later=later and value_of(later)[0],
        since=later and stamp(later.occurred_at, request.zone if request.zone_known else None, request.now.date()),
        buttons=doubts.buttons(request, after, entry, doubtful) if doubtful else (),
    )  # fmt: skip


def _corrects(request: Request) -> bool:
    """Whether the words are those of a message that was edited after it was carried out."""
    return request.revises is not None


def _append(
    connection: Connection,
    request: Request,
    incident: Incident,
    kind: str,
    text: str,
    people: Mapping[str, str],
    *,
    at: datetime,
    said: Utterance | None = None,
    doubtful: doubts.Doubts | None = None,
) -> TimelineEntry:
    """Append the change, or revise the one that the same message made before it was edited."""
    until_at = said.until_at if said else None
    if doubtful is not None and doubtful.moment is not None:
        until_at = doubtful.moment.until_at
    approximate = said is not None and said.approximate
    earlier = None
    if _corrects(request) and request.permalink is not None:
        earlier = timeline.by_permalink(connection, incident.id, request.permalink, kind)
    if earlier is not None and not earlier.retracted:
        timed = said is not None and said.timed
        when = {"occurred_at": at, "approximate": approximate, "until_at": until_at} if timed else {}
        changed = {"text": text, "people": dict(people) or None, **when}
        return timeline.revise(connection, earlier, by=request.user_id, at=request.received_at, **changed)
    return append(
        connection,
        request,
        incident,
        kind,
        text,
        at=at,
        permalink=request.permalink,
        people=people,
        approximate=approximate,
        until_at=until_at,
    )


def _value_at(
    connection: Connection, incident: Incident, entries: Sequence[TimelineEntry], kind: str, *, at: datetime
) -> str | None:
    """What the fact was at the instant, before anything that is to be recorded now."""
    then = last_change(entries, kind, at=at)
    if then is not None:
        return value_of(then)[0]
    if kind == SEVERITY:
        return incident.first_severity
    if kind == TITLE:
        return incidents.first_title(connection, incident.id) if changes(entries, kind) else incident.title
    return None if changes(entries, kind) else incident.lead


def refresh(connection: Connection, request: Request, incident: Incident, *kinds: str) -> Incident:
    """Make the incident say of these facts what its entries say; return it as it is then."""
    entries = timeline.of_incident(connection, incident.id, kinds=tuple(FACTS))
    found: dict[str, object] = {}
    derived: dict[str, object] = {}
    for kind in kinds:
        last = last_change(entries, kind)
        value, user_id = value_of(last) if last else (None, None)
        if kind == SEVERITY:
            found[SEVERITY] = value or incident.first_severity
            derived["highest_severity"] = highest(incident, entries)
        elif kind == LEAD:
            found |= {LEAD: value, "lead_id": user_id}
        elif kind == TITLE:
            found[TITLE] = value or incidents.first_title(connection, incident.id) or incident.title
    new = {name: value for name, value in found.items() if getattr(incident, name) != value}
    if "lead_id" in new:
        new = {LEAD: found[LEAD], **new}
    derived = {name: value for name, value in derived.items() if getattr(incident, name) != value}
    if not new and not derived:
        return incident
    changed = incidents.change(connection, incident, new, by=request.user_id, at=request.received_at, **derived)
    if "lead_id" in new:
        plan_anew(connection, incident, changed, at=request.received_at, cadence=request.settings.cadence)
    return changed


def check_revisable(connection: Connection, request: Request, incident: Incident, entry: TimelineEntry) -> None:
    """Raise UsageError where the change may not be corrected or taken back by the user, or by anybody."""
    if entry.kind == PRIVATE:
        off = "" if incident.private else " off"
        back = " off" if incident.private else ""
        command = f"{request.slash('incident')} private"
        raise UsageError(
            f"Entry {entry.number} says where {incident.name} was shown, and stays. It is shown "
            f"{SHOWN[incident.private]} now ({command}{off}). To change that: {command}{back}"
        )
    require_permission(connection, request, incident, entry.kind)


def standing(connection: Connection, incident: Incident, kind: str) -> str:
    """What the fact is now, for a receipt: `Severity: SEV2`."""
    now = getattr(incidents.by_id(connection, incident.id), kind)
    return f"{FACTS[kind].label} now: {now or 'unknown'}"
