"""The record of an incident for other readers: blameless, with roles for names; public, for readers outside."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from bot.domain.incident.facts import current_roles, read_lead, value_of
from bot.domain.incident.impact import unlabelled
from bot.domain.incident.lifecycle import in_order
from bot.domain.incident.roles import named_after, read_role, write_role
from bot.domain.incident.topics import is_private, topic
from bot.domain.items.item import DROPPED
from bot.domain.postmortem.assemble import UNSORTED, share
from bot.domain.postmortem.document import Day, Document, Line, Phase
from bot.domain.postmortem.layout import Names
from bot.domain.postmortem.names import Pseudonymizer, words_of
from bot.domain.postmortem.redaction import HostNames, without_links, without_money
from bot.domain.postmortem.third_person import PERSON, TEAM, third_person
from bot.vocabulary import CAUSE, DETECTED, DID, IMPACT, MITIGATED, NOTE, REOPENED, RESOLVED, ROLE, STARTED
from bot.vocabulary import LEAD as LEAD_KIND
from storage.values import ActionItem, Incident, TimelineEntry

LEAD = "the lead"
ANNOUNCEMENT = "Told customers"
"""The label of a public line that was published before."""

PUBLIC_KINDS = frozenset({STARTED, DETECTED, IMPACT, CAUSE, DID, MITIGATED, RESOLVED, REOPENED})
"""What happened and what was done. What was suspected, discussed or learned is not published."""

_TOLD = "told_customers"
_ANNOUNCED = re.compile(
    rf"\s*(?:(?:we|i|{TEAM}|{PERSON})(?:['\u2019]ve| have| has)? )?(?:announced|tweeted|(?:told|informed"
    r"|notified|e-?mailed) (?:the |our |all )?(?:customers|users|clients|public)|(?:posted|published|put)\b.{0,40}"
    r"\bstatus ?page|status ?page\b.{0,40}"
    r"\b(?:posted|updated|published|says|set))\b(?!.{0,40}\b(?:internally|staff|team|company|employees)\b)",
    re.IGNORECASE,
)
"""How a note begins that was told to the public already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """What a document is assembled from. `former` are (user id, name) of its people, names they had before included."""

    incident: Incident
    entries: tuple[TimelineEntry, ...]
    items: tuple[ActionItem, ...]
    former: tuple[tuple[str, str], ...] = ()


def blameless(record: IncidentRecord, names: Names) -> IncidentRecord:
    """The record with a role for each person, the same one throughout; teams stay owners of their action items.

    `names` are the workspace's display names by user id. Links to messages are removed: they show who wrote them.
    """
    return _replace_people(record, _pseudonymizer(record, names))


def pseudonymizer_for(record: IncidentRecord, names: Names) -> Callable[[str], str]:
    """A function that gives other text about the record, such as an edited section, the roles of `blameless`."""
    pseudonymizer = _pseudonymizer(record, names)
    _replace_people(record, pseudonymizer)
    return pseudonymizer.pseudonymize


def public_record(record: IncidentRecord, names: Names, *, money: bool = False) -> IncidentRecord:
    """The record with one role for everyone, in the third person, without owners, tickets, links, channels and hosts.

    Sums of money are left out, unless `money` is to be shown. Entries that are not public stay in the record, as times
    are computed from them: `public_document` leaves them out.
    """
    pseudonymizer = _pseudonymizer(record, names, shared_role=PERSON)
    hosts = HostNames(is_name=lambda word: words_of(word) in pseudonymizer.known)

    def told(text: str) -> str:
        # Links are removed before names: a name replaced within an address would leave half of the address readable.
        return hosts.replace(without_links(text))

    open_words = IncidentRecord(
        incident=replace(record.incident, title=told(record.incident.title), channel_name=""),
        entries=tuple(
            replace(entry, text=told(entry.text if money else _without_money(entry)))
            for entry in in_order(record.entries)
        ),
        items=tuple(
            replace(item, text=told(text), reason=None, done_when=None, ticket=None, worked_why=None, worked_by=None)
            for item in record.items
            if item.state != DROPPED and not is_private(item.text)
            for text in [item.text if money else without_money(item.text, impact_line=False)]
            if text
        ),
        former=record.former,
    )
    nameless = _replace_people(open_words, pseudonymizer)
    return IncidentRecord(
        incident=replace(nameless.incident, title=third_person(nameless.incident.title)),
        entries=tuple(replace(entry, text=_labelled_third_person(entry.text)) for entry in nameless.entries),
        items=tuple(replace(item, text=third_person(item.text), owner=None) for item in nameless.items),
    )


def _labelled_third_person(text: str) -> str:
    rest = unlabelled(topic(text)[1])
    return f"{text[: len(text) - len(rest)]}{third_person(rest)}"


def _without_money(entry: TimelineEntry) -> str:
    """The words without sums of money, `private:` where nothing else is said; what customers were told stays."""
    if is_private(entry.text) or _is_announcement(entry):
        return entry.text
    left = without_money(entry.text, impact_line=entry.kind == IMPACT)
    return left or (f"private: {entry.text}" if entry.text else "")


def is_public(entry: TimelineEntry) -> bool:
    """Whether the words of the entry may be published."""
    if is_private(entry.text):
        return False
    return _is_announcement(entry) or (entry.kind in PUBLIC_KINDS and topic(entry.text)[0] is None)


def _is_announcement(entry: TimelineEntry) -> bool:
    about, text = topic(entry.text)
    return about == _TOLD or (about is None and entry.kind == NOTE and _ANNOUNCED.match(text) is not None)


def public_document(document: Document) -> Document:
    """The part of a public record's document that may be published. Its times are still those of all entries."""
    impact = _public_lines(document.impact)
    told = {line.number: line for line in document.topics.get(_TOLD, ()) if not line.private}
    timeline = tuple(phase for phase in (_public_phase(each, told) for each in document.timeline) if phase.days)
    days = {day.on for phase in timeline for day in phase.days}
    causes = _public_lines(sum(document.causes.values(), start=()))
    return replace(
        document,
        timeline=timeline,
        only_day=next(iter(days)) if len(days) == 1 else None,
        impact=impact,
        share=share(impact),
        aspects=_public_groups(document.aspects),
        topics={},
        told=_public_groups(document.told),
        causes={UNSORTED: causes} if causes else {},
        items={term: items for term, items in document.items.items() if term != DROPPED},
        lessons={},
        gaps=(),
        late=(),
        people=(),
        leads=(),
        roles=(),
        review=None,
        questions={},
        names={},
        mitigations=tuple(
            replace(each, undone_by=next(iter(_public_lines(filter(None, [each.undone_by]))), None))
            for each in document.mitigations
            if _public_lines([each.line])
        ),
        mitigation=next(iter(_public_lines(filter(None, [document.mitigation]))), None),
        resolution=next(iter(_public_lines(filter(None, [document.resolution]))), None),
    )


def _public_lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.kind in PUBLIC_KINDS and not line.private)


def _public_groups(groups: Mapping[str, tuple[Line, ...]]) -> dict[str, tuple[Line, ...]]:
    public = {key: _public_lines(lines) for key, lines in groups.items()}
    return {key: lines for key, lines in public.items() if lines}


def _public_phase(phase: Phase, told: Mapping[int, Line]) -> Phase:
    """The phase's public lines, with what customers were told; `told` are lines of that topic, without its label."""
    days = (Day(on=day.on, lines=tuple(_with_announcements(day.lines, told))) for day in phase.days)
    return replace(phase, days=tuple(day for day in days if day.lines))


def _with_announcements(lines: Iterable[Line], told: Mapping[int, Line]) -> Iterable[Line]:
    for line in lines:
        if line.number in told:
            yield replace(told[line.number], label=ANNOUNCEMENT)
        elif line.kind == NOTE and not line.private and _ANNOUNCED.match(line.words.first):
            yield replace(line, label=ANNOUNCEMENT)
        else:
            yield from _public_lines([line])


def _pseudonymizer(record: IncidentRecord, names: Names, *, shared_role: str | None = None) -> Pseudonymizer:
    """A pseudonymizer that knows the workspace's names, with roles for the lead and the rest."""
    pseudonymizer = Pseudonymizer(shared_role=shared_role)
    people = _people(record, names)
    for who, name in (*people, *names.items()):
        pseudonymizer.learn(who, name)
    for _, name in people:
        pseudonymizer.learn_parts(name)
    lead = record.incident.lead_id or record.incident.lead
    if lead:
        pseudonymizer.roles.setdefault(pseudonymizer.find(lead), LEAD)
    for held in current_roles(record.entries):
        # A group that has a role is no person, and keeps its name.
        if held.user_id is not None or words_of(held.name) in pseudonymizer.known:
            pseudonymizer.roles.setdefault(pseudonymizer.find(held.user_id or held.name), named_after(held.role))
    for who, _ in people:
        pseudonymizer.role(pseudonymizer.find(who))
    return pseudonymizer


def _people(record: IncidentRecord, names: Names) -> list[tuple[str, str]]:
    """The participants as (id, name), in order of appearance; a name stands for the id of one without an id.

    A second name of a person, such as the workspace's display name or a former one, comes after all first ones.
    """
    entries, incident = in_order(record.entries), record.incident
    pairs: list[tuple[str | None, str | None]] = [
        *((entry.author_id, entry.author) for entry in entries),
        *((entry.recorded_by_id, names.get(entry.recorded_by_id)) for entry in entries),
        *((item.owner_id, item.owner) for item in record.items if item.owner_id),
        *((item.worked_by_id or item.worked_by, item.worked_by) for item in record.items),
        (incident.lead_id or incident.lead, incident.lead),
        (incident.declared_by_id or incident.declared_by, incident.declared_by),
        *(
            (user_id or name, name)
            for entry in entries
            if entry.kind in {LEAD_KIND, ROLE}
            for name, user_id in [value_of(entry)]
            if entry.kind == LEAD_KIND or read_role(entry.text)[1] is not None
        ),
        # Named by others, and known by id.
        *((who, name) for entry in entries for name, who in entry.people.items()),
        *((who, name) for item in record.items for name, who in item.people.items()),
    ]
    people = dict.fromkeys((who, name) for who, name in pairs if who and name)
    now = ((who, names[who]) for who in dict.fromkeys(who for who, _ in people) if who in names)
    return list(dict.fromkeys((*people, *now, *record.former)))


def _replace_people(record: IncidentRecord, pseudonymizer: Pseudonymizer) -> IncidentRecord:
    incident = record.incident
    entries = (
        replace(
            entry,
            author=pseudonymizer.role(pseudonymizer.find(entry.author_id or entry.author)),
            author_id="",
            recorded_by_id="",
            text=_words(entry, pseudonymizer),
            permalink=None,
            people={},
        )
        for entry in in_order(record.entries)
    )
    items = (
        replace(
            item,
            text=pseudonymizer.pseudonymize(item.text),
            owner=_owner_role(item, pseudonymizer),
            owner_id=None,
            people={},
            reason=pseudonymizer.pseudonymize(item.reason) if item.reason else None,
            done_when=pseudonymizer.pseudonymize(item.done_when) if item.done_when else None,
            ticket=None if item.ticket and pseudonymizer.has_name(item.ticket) else item.ticket,
            worked_why=pseudonymizer.pseudonymize(item.worked_why) if item.worked_why else None,
            worked_by=pseudonymizer.role(pseudonymizer.find(item.worked_by_id or item.worked_by))
            if item.worked_by
            else None,
            worked_by_id=None,
        )
        for item in record.items
    )
    return IncidentRecord(
        # The title comes first: roles are numbered in the order in which people are met.
        incident=replace(
            incident,
            title=pseudonymizer.pseudonymize(incident.title),
            lead=None,
            lead_id=None,
            declared_by="",
            declared_by_id=None,
        ),
        entries=tuple(entries),
        items=tuple(items),
    )


def _words(entry: TimelineEntry, pseudonymizer: Pseudonymizer) -> str:
    """The words with roles for names; those of a change of lead or role begin with what is a name and nothing else."""
    if entry.kind == LEAD_KIND and entry.text:
        name, user_id = value_of(entry)
        told = read_lead(entry.text, entry.people)[1]
        led = pseudonymizer.role(pseudonymizer.find(user_id or name))
        return f"{led}: {pseudonymizer.pseudonymize(told)}" if told else led
    role, who = read_role(entry.text) if entry.kind == ROLE else ("", None)
    if who is not None:
        user_id = entry.people.get(who)
        if user_id is None and words_of(who) not in pseudonymizer.known:
            return write_role(role, pseudonymizer.pseudonymize(f"@{who}"))
        return write_role(role, pseudonymizer.role(pseudonymizer.find(user_id or who)))
    return pseudonymizer.pseudonymize(entry.text)


def _owner_role(item: ActionItem, pseudonymizer: Pseudonymizer) -> str | None:
    """The role of a person who owns the item; a team's name stays."""
    if item.owner and (item.owner_id or words_of(item.owner) in pseudonymizer.known):
        return pseudonymizer.role(pseudonymizer.find(item.owner_id or item.owner))
    return item.owner
