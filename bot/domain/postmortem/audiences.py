"""The record of an incident for other readers: blameless, with roles for names; public, for readers outside."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from bot.domain.incident.lifecycle import in_order
from bot.domain.incident.topics import is_private, topic
from bot.domain.items.item import DROPPED
from bot.domain.postmortem.assemble import UNSORTED, share
from bot.domain.postmortem.document import Day, Document, Line, Phase
from bot.domain.postmortem.layout import Names
from bot.domain.postmortem.names import Pseudonymizer, words_of
from bot.vocabulary import ACKNOWLEDGED, CAUSE, DETECTED, DID, IMPACT, MITIGATED, REOPENED, RESOLVED, STARTED
from storage.values import ActionItem, Incident, TimelineEntry

LEAD = "the incident lead"
ON_CALL = "the on-call engineer"
ENGINEER = "an engineer"

PUBLIC_KINDS = frozenset({STARTED, DETECTED, IMPACT, CAUSE, DID, MITIGATED, RESOLVED, REOPENED})
"""What happened and what was done. What was suspected, discussed or learned is not published."""

LINK = "(link)"
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://\S+|\bwww\.\S+|(?<![\w.])(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?/\S*", re.IGNORECASE
)
_CHANNEL = re.compile(r"(?<![\w&#])#[^\W\d_][\w-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """What a document is assembled from."""

    incident: Incident
    entries: tuple[TimelineEntry, ...]
    items: tuple[ActionItem, ...]


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


def public_record(record: IncidentRecord, names: Names) -> IncidentRecord:
    """The record with one role for everyone, and without owners, links and channel names.

    Entries that are not public stay in it, as times are computed from them: `public_document` leaves them out.
    """
    # Links are removed before names: a name replaced within an address would leave half of the address readable.
    without_links = IncidentRecord(
        incident=replace(record.incident, title=_without_links(record.incident.title), channel_name=""),
        entries=tuple(replace(entry, text=_without_links(entry.text)) for entry in record.entries),
        items=tuple(
            replace(item, text=_without_links(item.text), reason=None)
            for item in record.items
            if item.state != DROPPED and not is_private(item.text)
        ),
    )
    nameless = _replace_people(without_links, _pseudonymizer(without_links, names, shared_role=ENGINEER))
    return replace(nameless, items=tuple(replace(item, owner=None) for item in nameless.items))


def is_public(entry: TimelineEntry) -> bool:
    """Whether the words of the entry may be published."""
    return entry.kind in PUBLIC_KINDS and not is_private(entry.text) and topic(entry.text)[0] is None


def public_document(document: Document) -> Document:
    """The part of a public record's document that may be published. Its times are still those of all entries."""
    impact = _public_lines(document.impact)
    timeline = tuple(phase for phase in map(_public_phase, document.timeline) if phase.days)
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
        review=None,
        questions={},
        mitigation=next(iter(_public_lines(filter(None, [document.mitigation]))), None),
        resolution=next(iter(_public_lines(filter(None, [document.resolution]))), None),
    )


def _public_lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.kind in PUBLIC_KINDS and not line.private)


def _public_groups(groups: Mapping[str, tuple[Line, ...]]) -> dict[str, tuple[Line, ...]]:
    public = {key: _public_lines(lines) for key, lines in groups.items()}
    return {key: lines for key, lines in public.items() if lines}


def _public_phase(phase: Phase) -> Phase:
    days = (Day(on=day.on, lines=_public_lines(day.lines)) for day in phase.days)
    return replace(phase, days=tuple(day for day in days if day.lines))


def _without_links(text: str) -> str:
    return _CHANNEL.sub("a channel", _LINK.sub(LINK, text))


def _pseudonymizer(record: IncidentRecord, names: Names, *, shared_role: str | None = None) -> Pseudonymizer:
    """A pseudonymizer that knows the workspace's names, with roles for the lead, the on-call engineer and the rest."""
    pseudonymizer = Pseudonymizer(shared_role=shared_role)
    people = _people(record, names)
    for who, name in (*people, *names.items()):
        pseudonymizer.learn(who, name)
    for _, name in people:
        pseudonymizer.learn_parts(name)
    lead = record.incident.lead_id or record.incident.lead
    for special, role in ((lead, LEAD), (_on_call(record.entries), ON_CALL)):
        if special:
            pseudonymizer.roles.setdefault(pseudonymizer.find(special), role)
    for who, _ in people:
        pseudonymizer.role(pseudonymizer.find(who))
    return pseudonymizer


def _people(record: IncidentRecord, names: Names) -> list[tuple[str, str]]:
    """The participants as (id, name), in order of appearance; a name stands for the id of one without an id.

    A second name of a person, such as the workspace's display name, comes after all first ones.
    """
    entries, incident = in_order(record.entries), record.incident
    pairs: list[tuple[str | None, str | None]] = [
        *((entry.author_id, entry.author) for entry in entries),
        *((entry.recorded_by_id, names.get(entry.recorded_by_id)) for entry in entries),
        *((item.owner_id, item.owner) for item in record.items if item.owner_id),
        (incident.lead_id or incident.lead, incident.lead),
        (incident.declared_by, names.get(incident.declared_by, incident.declared_by)),
    ]
    people = dict.fromkeys((who, name) for who, name in pairs if who and name)
    return [*people, *((who, names[who]) for who in dict.fromkeys(who for who, _ in people) if who in names)]


def _on_call(entries: Iterable[TimelineEntry]) -> str | None:
    """The id of the first to acknowledge, else of the first to record the detection, else of the first to write."""
    ordered = in_order(entries)
    for kind in (ACKNOWLEDGED, DETECTED):
        for entry in ordered:
            if entry.kind == kind:
                return entry.author_id
    return ordered[0].author_id if ordered else None


def _replace_people(record: IncidentRecord, pseudonymizer: Pseudonymizer) -> IncidentRecord:
    incident = record.incident
    entries = (
        replace(
            entry,
            author=pseudonymizer.role(pseudonymizer.find(entry.author_id or entry.author)),
            author_id="",
            recorded_by_id="",
            text=pseudonymizer.pseudonymize(entry.text),
            permalink=None,
        )
        for entry in in_order(record.entries)
    )
    items = (
        replace(
            item,
            text=pseudonymizer.pseudonymize(item.text),
            owner=_owner_role(item, pseudonymizer),
            owner_id=None,
            reason=pseudonymizer.pseudonymize(item.reason) if item.reason else None,
        )
        for item in record.items
    )
    return IncidentRecord(
        # The title comes first: roles are numbered in the order in which people are met.
        incident=replace(
            incident, title=pseudonymizer.pseudonymize(incident.title), lead=None, lead_id=None, declared_by=""
        ),
        entries=tuple(entries),
        items=tuple(items),
    )


def _owner_role(item: ActionItem, pseudonymizer: Pseudonymizer) -> str | None:
    """The role of a person who owns the item; a team's name stays."""
    if item.owner and (item.owner_id or words_of(item.owner) in pseudonymizer.known):
        return pseudonymizer.role(pseudonymizer.find(item.owner_id or item.owner))
    return item.owner
