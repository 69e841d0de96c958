"""What the world may read of an incident: no names, no links, nothing marked private, four short sections."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.domain.incident.sorting import DROPPED, UNSORTED
from bot.domain.incident.topics import is_private, topic
from bot.domain.postmortem.assemble import share
from bot.domain.postmortem.audiences import Story, nameless
from bot.domain.postmortem.document import Day, Document, Line, Phase
from bot.domain.postmortem.layout import Names
from bot.vocabulary import CAUSE, DETECTED, DID, IMPACT, MITIGATED, REOPENED, RESOLVED, STARTED
from storage.values import TimelineEntry

KINDS = frozenset({STARTED, DETECTED, IMPACT, CAUSE, DID, MITIGATED, RESOLVED, REOPENED})
"""What happened and what was done; what was suspected, discussed or learned stays inside."""

LINK = "(link)"
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://\S+|\bwww\.\S+|(?<![\w.])(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?/\S*", re.IGNORECASE
)
_CHANNEL = re.compile(r"(?<![\w&#])#[^\W\d_][\w-]+")


def _unlinked(text: str) -> str:
    return _CHANNEL.sub("a channel", _LINK.sub(LINK, text))


def story(told: Story, names: Names) -> Story:
    """The story without names, links and channels; what is left out altogether is left out of the document."""
    # Links go first: a name within an address would leave half of it standing.
    incident = replace(told.incident, title=_unlinked(told.incident.title), channel_name="")
    entries = tuple(replace(entry, text=_unlinked(entry.text)) for entry in told.entries)
    items = tuple(
        replace(item, text=_unlinked(item.text), reason=None)
        for item in told.items
        if item.state != DROPPED and not is_private(item.text)
    )
    return nameless(Story(incident=incident, entries=entries, items=items), names)


def shows(entry: TimelineEntry) -> bool:
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


def document(whole: Document) -> Document:
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
