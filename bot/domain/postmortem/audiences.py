"""The same incident for other readers: blameless, with roles for names; public, as the world may read it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain

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
ANYBODY = "an engineer"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """What a document is assembled from."""

    incident: Incident
    entries: tuple[TimelineEntry, ...]
    items: tuple[ActionItem, ...]


def _on_call(entries: Iterable[TimelineEntry]) -> str | None:
    """Who acknowledged first, else who told of the detection, else who wrote first."""
    ordered = in_order(entries)
    kinds = (ACKNOWLEDGED, DETECTED)
    found = (entry for kind in kinds for entry in ordered if entry.kind == kind)
    first = next(chain(found, ordered), None)
    return first.author_id if first else None


def _people(story: IncidentRecord, names: Names) -> list[tuple[str, str]]:
    """Everybody who took part: (who, a name of theirs), in order of appearance; those without an id come last."""
    told = in_order(story.entries)
    incident = story.incident
    pairs: list[tuple[str | None, str | None]] = [
        *((entry.author_id, entry.author) for entry in told),
        *((entry.recorded_by_id, names.get(entry.recorded_by_id)) for entry in told),
        *((item.owner_id, item.owner) for item in story.items if item.owner_id),
        (incident.lead_id or incident.lead, incident.lead),
        (incident.declared_by, names.get(incident.declared_by, incident.declared_by)),
    ]
    seen = dict.fromkeys((who, name) for who, name in pairs if who and name)
    return [*seen, *((who, names[who]) for who in dict.fromkeys(who for who, _ in seen) if who in names)]


def _pseudonymizer(story: IncidentRecord, names: Names, everybody: str | None) -> Pseudonymizer:
    pseudonymizer = Pseudonymizer(everybody=everybody)
    people = _people(story, names)
    for who, name in (*people, *names.items()):
        pseudonymizer.learn(who, name)
    for _, name in people:
        pseudonymizer.learn_parts(name)
    lead = story.incident.lead_id or story.incident.lead
    for special, role in ((lead, LEAD), (_on_call(story.entries), ON_CALL)):
        if special:
            pseudonymizer.roles.setdefault(pseudonymizer.find(special), role)
    for who, _ in people:
        pseudonymizer.role(pseudonymizer.find(who))
    return pseudonymizer


def _retold(story: IncidentRecord, pseudonymizer: Pseudonymizer) -> IncidentRecord:
    incident = replace(
        story.incident, title=pseudonymizer.hide(story.incident.title), lead=None, lead_id=None, declared_by=""
    )
    entries = (
        replace(
            entry,
            author=pseudonymizer.role(pseudonymizer.find(entry.author_id or entry.author)),
            author_id="",
            recorded_by_id="",
            text=pseudonymizer.hide(entry.text),
            permalink=None,
        )
        for entry in in_order(story.entries)
    )
    items = (
        replace(
            item,
            text=pseudonymizer.hide(item.text),
            owner=_owner(item, pseudonymizer),
            owner_id=None,
            reason=pseudonymizer.hide(item.reason) if item.reason else None,
        )
        for item in story.items
    )
    return IncidentRecord(incident=incident, entries=tuple(entries), items=tuple(items))


def _owner(item: ActionItem, pseudonymizer: Pseudonymizer) -> str | None:
    """Somebody's name becomes their role; a team's stays."""
    if item.owner and (item.owner_id or words_of(item.owner) in pseudonymizer.known):
        return pseudonymizer.role(pseudonymizer.find(item.owner_id or item.owner))
    return item.owner


def blameless(story: IncidentRecord, names: Names) -> IncidentRecord:
    """The story with a role for every person, the same one throughout; teams that own action items stay.

    `names` are the workspace's display names by user id. Links to messages go: they show who wrote them.
    """
    return _retold(story, _pseudonymizer(story, names, None))


def nameless(story: IncidentRecord, names: Names) -> IncidentRecord:
    """The story with one word for everybody, and no team as an owner."""
    retold = _retold(story, _pseudonymizer(story, names, ANYBODY))
    return replace(retold, items=tuple(replace(item, owner=None) for item in retold.items))


def pseudonymizer_for(story: IncidentRecord, names: Names) -> Callable[[str], str]:
    """What tells other words about the same story, such as a section somebody edited, with the roles of `blameless`."""
    pseudonymizer = _pseudonymizer(story, names, None)
    _retold(story, pseudonymizer)
    return pseudonymizer.hide


KINDS = frozenset({STARTED, DETECTED, IMPACT, CAUSE, DID, MITIGATED, RESOLVED, REOPENED})
"""What happened and what was done; what was suspected, discussed or learned stays inside."""

LINK = "(link)"
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://\S+|\bwww\.\S+|(?<![\w.])(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?/\S*", re.IGNORECASE
)
_CHANNEL = re.compile(r"(?<![\w&#])#[^\W\d_][\w-]+")


def _unlinked(text: str) -> str:
    return _CHANNEL.sub("a channel", _LINK.sub(LINK, text))


def public_record(told: IncidentRecord, names: Names) -> IncidentRecord:
    """The story without names, links and channels; what is left out altogether is left out of the document."""
    # Links go first: a name within an address would leave half of it standing.
    incident = replace(told.incident, title=_unlinked(told.incident.title), channel_name="")
    entries = tuple(replace(entry, text=_unlinked(entry.text)) for entry in told.entries)
    items = tuple(
        replace(item, text=_unlinked(item.text), reason=None)
        for item in told.items
        if item.state != DROPPED and not is_private(item.text)
    )
    return nameless(IncidentRecord(incident=incident, entries=entries, items=items), names)


def is_public(entry: TimelineEntry) -> bool:
    """Whether the entry itself may be read by the world."""
    return entry.kind in KINDS and not is_private(entry.text) and topic(entry.text)[0] is None


def _shown(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.kind in KINDS and not line.private)


def _by_key(lines: Mapping[str, tuple[Line, ...]]) -> dict[str, tuple[Line, ...]]:
    shown = {key: _shown(of_it) for key, of_it in lines.items()}
    return {key: of_it for key, of_it in shown.items() if of_it}


def _phase(phase: Phase) -> Phase:
    days = (Day(on=day.on, lines=_shown(day.lines)) for day in phase.days)
    return replace(phase, days=tuple(day for day in days if day.lines))


def public_document(whole: Document) -> Document:
    """The document of such a story, less what stays inside. Its times stay true: they come from all entries."""
    impact = _shown(whole.impact)
    phases = (_phase(phase) for phase in whole.timeline)
    timeline = tuple(phase for phase in phases if phase.days)
    days = {day.on for phase in timeline for day in phase.days}
    ends = {"mitigation": whole.mitigation, "resolution": whole.resolution}
    return replace(
        whole,
        timeline=timeline,
        only_day=next(iter(days)) if len(days) == 1 else None,
        impact=impact,
        share=share(impact),
        aspects=_by_key(whole.aspects),
        topics={},
        told=_by_key({kind: lines for kind, lines in whole.told.items() if kind in KINDS}),
        causes={UNSORTED: causes} if (causes := _shown(sum(whole.causes.values(), start=()))) else {},
        items={term: items for term, items in whole.items.items() if term != DROPPED},
        lessons={},
        gaps=(),
        late=(),
        people=(),
        review=None,
        questions={},
        mitigation=next(iter(_shown(filter(None, [ends["mitigation"]]))), None),
        resolution=next(iter(_shown(filter(None, [ends["resolution"]]))), None),
    )
