"""Change a fact of the incident: severity, lead, roles, title, where it is shown. Each change is an entry.

What the incident says now follows from these entries: one that is typed late, corrected or taken back changes it as if
it had been typed so at once. Where it is shown is no such thing: that is as it was last decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.facts import (
    NOBODY_NAMED,
    SHOWN,
    changes,
    current_roles,
    highest,
    last_change,
    parse_fact,
    parse_handover,
    read_lead,
    value_in,
    value_of,
)
from bot.domain.incident.grammar import Utterance
from bot.domain.incident.opening import parse_severity, parse_title
from bot.domain.incident.roles import NOBODY_WORDS, read_role, write_role
from bot.domain.time.format import stamp
from bot.domain.words import after_separator, misspelt
from bot.errors import UsageError
from bot.handlers.incident import doubts
from bot.handlers.incident.incidents import get_current
from bot.handlers.incident.timeline import append, called, receipt
from bot.handlers.items.reminders import plan_anew
from bot.handlers.permission import require_permission
from bot.handlers.request import Reply, Request, first_word, parse_person
from bot.vocabulary import ALIASES, FACTS, INCIDENT, LEAD, PRIVATE, ROLE, SEVERITY, TITLE
from storage import channels, incidents, timeline
from storage.values import Incident, TimelineEntry

People = dict[str, str]


def parse(kind: str, request: Request) -> Utterance:
    """Parse `SEV1 at 12:31`. Raises UsageError for a time that is none, and for no severity."""
    utterance = parse_fact(kind, request.words, now=request.now, zone=request.zone)
    if kind == SEVERITY:
        parse_severity(utterance.text)
    return utterance


def parse_given(request: Request) -> Utterance:
    """Parse `@dave: the rollback runs`, with a time before it if need be. Raises UsageError for a time that is none."""
    return parse_handover(request.words, now=request.now, zone=request.zone)


def severity(connection: Connection, request: Request) -> Reply:
    """`severity SEV2 [at TIME]`: set the severity."""
    return _record(connection, request, SEVERITY)


def lead(connection: Connection, request: Request) -> Reply:
    """`lead @who [at TIME]`: set the lead."""
    return _record(connection, request, LEAD)


def handover(connection: Connection, request: Request) -> Reply:
    """`handover @who: what is going on`: who leads from now on, with the words for them as the entry's."""
    return _record(connection, request, LEAD, calls=True)


def role(connection: Connection, request: Request) -> Reply:
    """`role comms @who [at TIME]`, `role comms none`; bare it shows who has which role."""
    said: Utterance = request.parsed
    word, who = _split_role(request, said.text)
    if word == LEAD:
        return _record(connection, replace(request, parsed=replace(said, text=who)), LEAD)
    if not said.text.strip():
        incident = get_current(connection, request)
        held = {
            each.role: each.name for each in current_roles(timeline.of_incident(connection, incident.id, kinds=(ROLE,)))
        }
        shown = dict.fromkeys(request.settings.roles.values()) | held
        return Reply(text=slack("roles", incident=incident, roles=shown, request=request))
    return _record(connection, request, ROLE)


def title(connection: Connection, request: Request) -> Reply:
    """`title [at TIME] new title`: rename the incident."""
    return _record(connection, request, TITLE)


def private(connection: Connection, request: Request) -> Reply:
    """`private`, `private off`: whether the incident is hidden outside its own channel."""
    word = request.words.strip().casefold()
    if word not in {"", "on", "off"}:
        raise UsageError(f"Hide it or show it? Try: {request.slash('incident')} private off")
    incident = get_current(connection, request, lock=True)
    require_permission(connection, request, incident, PRIVATE)
    after = show(connection, request, incident, private=word != "off")
    unused = "" if after.private == incident.private else _forget_channel(connection, incident)
    return Reply(text=slack("private", incident=after, unused=unused, request=request), public=True)


def _forget_channel(connection: Connection, incident: Incident) -> str:
    """Forget a channel that is being made as it was shown before, which others may read; returns its name."""
    own = channels.of_incident(connection, incident.id)
    if own is None or own.moved_at is not None:
        return ""
    channels.forget(connection, incident.id)
    return own.name


def show(connection: Connection, request: Request, incident: Incident, *, private: bool) -> Incident:
    """Hide the incident outside its channel, or show it there again, from now on; nothing where it is so already."""
    if incident.private == private:
        return incident
    _append(connection, request, incident, PRIVATE, SHOWN[private], {}, at=request.now)
    return incidents.change(connection, incident, {PRIVATE: private}, by=request.user_id, at=request.received_at)


def read_value(
    connection: Connection, request: Request, kind: str, words: str, *, typed: str | None = None
) -> tuple[str, People]:
    """The words of an entry that gives the fact the value typed, and the people in them.

    `typed` is the subcommand, where it is not the fact's name. Raises UsageError for what is no such value.
    """
    command = f"{request.slash('incident')} {typed or kind}"
    if kind == SEVERITY:
        return parse_severity(words), {}
    if kind == LEAD:
        who, told = _split_handover(request, words, loose=typed is not None)
        name, user_id = parse_person(connection, request, who, command)
        people = dict(request.people_in(told) or {}) | ({name: user_id} if user_id else {})
        return f"@{name}" + (f": {told}" if told else ""), people
    if kind == ROLE:
        return _read_role(connection, request, words, command)
    text = parse_title(words)
    return text, dict(request.people_in(text) or {})


def _read_role(connection: Connection, request: Request, words: str, command: str) -> tuple[str, People]:
    role, who = _split_role(request, words)
    if not role:
        named = next(iter(request.settings.roles.values()))
        roles = ", ".join(dict.fromkeys(request.settings.roles.values()))
        raise UsageError(f"Which role? There are {roles}. Try: {command} {named} me")
    if who.casefold() in NOBODY_WORDS:
        return write_role(role, None), {}
    name, user_id = parse_person(connection, request, who, f"{command} {role}")
    return write_role(role, f"@{name}"), {name: user_id} if user_id else {}


def _split_role(request: Request, words: str) -> tuple[str, str]:
    """The role that is named first, or else last, and the other words; no role where it is none of the settings'.

    The lead is named so as well: LEAD.
    """
    leads = (LEAD, *(word for word, alias in ALIASES[INCIDENT.name].items() if alias.means == LEAD))
    known = request.settings.roles | dict.fromkeys(leads, LEAD)
    typed = " ".join(words.split())
    first, rest = first_word(typed)
    before, _, last = typed.rpartition(" ")
    for word, others in ((first, rest), (last.casefold(), before)):
        name = word.rstrip(":,")
        role = known.get(name) or known.get(misspelt(name, known) or "")
        if role is not None:
            return role, after_separator(others).strip()
    return "", typed


def _split_handover(request: Request, words: str, *, loose: bool) -> tuple[str, str]:
    """Who takes over, and the words for them after a colon; with `loose` after a name that Slack links, too."""
    typed = words.strip()
    ends = (":", " ") if loose else (":",)
    linked = [
        name for name in (*request.people, *request.groups) if typed.startswith(tuple(f"@{name}{e}" for e in ends))
    ]
    if linked:
        name = max(linked, key=len)
        return f"@{name}", after_separator(typed[len(name) + 1 :]).strip()
    who, colon, told = typed.partition(":")
    return (who.strip(), told.strip()) if colon else (typed, "")


def _record(connection: Connection, request: Request, kind: str, *, calls: bool = False) -> Reply:
    """Record the change, and say what was before; a value that it has already is no change.

    With `calls` the receipt mentions the person.
    """
    said: Utterance = request.parsed
    before = get_current(connection, request, lock=True)
    require_permission(connection, request, before, kind)
    text, people = read_value(connection, request, kind, said.text, typed="handover" if calls else None)
    at, doubtful = said.occurred_at, None
    if said.timed:
        at, doubtful = doubts.within(connection, request, before, kind, said, at)
    role = read_role(text)[0] if kind == ROLE else None
    entries = _about(role, timeline.of_incident(connection, before.id, kinds=tuple(FACTS)))
    was = _value_at(connection, before, entries, kind, at=at)
    value, user_id = value_in(kind, text, people)
    name, told = role or FACTS[kind].name, read_lead(text, people)[1] if kind == LEAD else ""
    same = was == value and (kind != LEAD or said.timed or before.lead_id == user_id)
    if same and not told and not _corrects(request):
        return Reply(text=slack("unchanged", incident=before, name=name, value=value), public=True)
    entry = _append(connection, request, before, kind, text, people, at=at, said=said, doubtful=doubtful)
    after = refresh(connection, request, before, kind)
    stands = last_change(_about(role, timeline.of_incident(connection, before.id, kinds=(kind,))), kind)
    later = stands if stands is not None and stands.id != entry.id else None
    return receipt(
        connection, request, "changed", after, entry,
        assumed=said.zone_assumed, seconds=said.seconds, timed=said.timed, name=name, words=told,
        was=None if was == NOBODY_NAMED else was, value=value, doubts=doubtful,
        called=called(request, [user_id]) if calls and later is None else (),
        later=later and value_of(later)[0],
        since=later and stamp(later.occurred_at, request.zone if request.zone_known else None, request.now.date()),
        buttons=doubts.buttons(request, after, entry, doubtful) if doubtful else (),
    )  # fmt: skip


def _about(role: str | None, entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """The entries without those about other roles than this one."""
    return [each for each in entries if each.kind != ROLE or read_role(each.text)[0] == role]


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
    if kind == ROLE:
        return NOBODY_NAMED
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
    if kind == ROLE:
        held = current_roles(timeline.of_incident(connection, incident.id, kinds=(ROLE,)))
        return f"Roles now: {', '.join(f'{each.role} {each.name}' for each in held) or 'none'}"
    now = getattr(incidents.by_id(connection, incident.id), kind)
    return f"{FACTS[kind].label} now: {now or 'unknown'}"
