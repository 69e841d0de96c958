"""Assembles the document that the templates print from an incident, its entries and its action items."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from bot.domain.incident import impact
from bot.domain.incident.impact import ASPECTS
from bot.domain.incident.lifecycle import DURATIONS, Phases, gaps, lifecycle, phases
from bot.domain.incident.topics import TOPICS, is_private, topic
from bot.domain.items.item import DROPPED
from bot.domain.postmortem.document import Day, Document, Item, Line, Measured, Phase, Silence, Stamp
from bot.domain.postmortem.layout import Names, parse_words
from bot.domain.postmortem.questions import Question, questions
from bot.vocabulary import (
    CAUSE,
    DETECTED,
    FACTORS,
    IMPACT,
    ITEM_KINDS,
    KINDS,
    LESSON,
    MITIGATED,
    RESOLVED,
    SIDES,
    STARTED,
)
from storage.values import PENDING, ActionItem, Incident, Review, TimelineEntry

Lines = dict[str, tuple[Line, ...]]
LayOut = Callable[[TimelineEntry], Line]

UNSORTED = "unsorted"
"""The group of action items without a term, and of causes and lessons without a qualifier."""

_INSTANTS = ("started_at", "detected_at", "acknowledged_at", "mitigated_at", "resolved_at")
_NO_NAMES: Names = {}


def assemble(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    items: Iterable[ActionItem],
    *,
    zone: ZoneInfo,
    names: Names = _NO_NAMES,
    prefix: str = "",
    review: Review | None = None,
) -> Document:
    """The document of `incident`, with local times in `zone`.

    `entries` may come in any order; retracted ones are left out. `names` are display names by Slack user id, for
    mentions in texts. `prefix` is the workspace's prefix of command names. `review` is the planned review, if any.
    """
    entries = [entry for entry in entries if not entry.retracted]
    life, split = lifecycle(entries), phases(entries)
    ordered = (*split.lead_up, *split.during, *split.aftermath)

    def line(entry: TimelineEntry) -> Line:
        return _line(entry, zone, names)

    lines, timeline = _lines_and_timeline(split, zone, names)
    days = {day.on for phase in timeline for day in phase.days}
    impacts = _of_kind(lines, IMPACT)
    instants = {name: getattr(life, name) for name in _INSTANTS}
    document = Document(
        incident=incident,
        lifecycle=life,
        zone=zone.key,
        in_utc=all(line.time.local.tzname() == "UTC" for line in lines),
        only_day=days.pop() if len(days) == 1 else None,
        times={name: stamp(at, zone) if at else None for name, at in instants.items()},
        measured=tuple(Measured(rule=rule, seconds=getattr(life, f"{rule.key}_s")) for rule in DURATIONS),
        timeline=timeline,
        impact=impacts,
        share=share(impacts),
        aspects=_by_aspect(ordered, line),
        topics=_by_topic(ordered, line),
        told=_grouped((line.kind, line) for line in lines),
        causes=_by_qualifier(_of_kind(lines, CAUSE)),
        mitigation=next(iter(_of_kind(lines, MITIGATED)), None),
        resolution=next(reversed(_of_kind(lines, RESOLVED)), None) if life.resolved_at else None,
        items=_items(items, names),
        lessons=_by_qualifier(_of_kind(lines, LESSON)),
        gaps=tuple(
            Silence(start=stamp(gap.start_at, zone), end=stamp(gap.end_at, zone), seconds=gap.seconds)
            for gap in gaps(entries)
        ),
        entries=len(lines),
        late=tuple(line for line in lines if line.late_s is not None),
        people=tuple(dict.fromkeys(entry.author for entry in ordered if entry.author)),
        review=stamp(review.starts_at, zone) if review else None,
        questions={},
    )
    return replace(document, questions=_open_questions(document, split, prefix))


def on_timeline(entry: TimelineEntry, phase: str) -> bool:
    """Whether the timeline lists the entry: not a lesson, nor an impact or a cause of the aftermath, which sums up."""
    return entry.kind != LESSON and not (phase == "aftermath" and entry.kind in {IMPACT, CAUSE})


def stamp(at: datetime, zone: ZoneInfo) -> Stamp:
    """The aware instant `at` in UTC and in `zone`."""
    return Stamp(at=at.astimezone(UTC), local=at.astimezone(zone))


def _line(entry: TimelineEntry, zone: ZoneInfo, names: Names, before: Stamp | None = None) -> Line:
    """The entry as a line; `before` is the time of the previous line on the timeline."""
    kind = KINDS[entry.kind]
    time = stamp(entry.occurred_at, zone)
    same_days = before and (before.at.date(), before.local.date()) == (time.at.date(), time.local.date())
    figures = impact.spans if entry.kind == IMPACT else None
    return Line(
        number=entry.number,
        kind=kind.name,
        label=kind.label,
        mark=kind.mark,
        qualifier=entry.qualifier,
        words=parse_words(entry.text, names, figures=figures),
        author=entry.author,
        permalink=entry.permalink,
        time=time,
        new_utc_day=time.other_day and not same_days,
        late_s=(entry.recorded_at - entry.occurred_at).total_seconds() if entry.late else None,
        private=is_private(entry.text),
    )


def _lines_and_timeline(split: Phases, zone: ZoneInfo, names: Names) -> tuple[list[Line], tuple[Phase, ...]]:
    """Every entry as a line, and the lines of the timeline by phase and day."""
    every: list[Line] = []
    timeline: list[Phase] = []
    before: Stamp | None = None
    for key, part in (("lead_up", split.lead_up), ("during", split.during), ("aftermath", split.aftermath)):
        lines: list[Line] = []
        for entry in part:
            every.append(_line(entry, zone, names, before))
            if on_timeline(entry, key):
                lines.append(every[-1])
                before = every[-1].time
        by_date = groupby(lines, lambda line: line.time.local.date())
        days = tuple(Day(on=on, lines=tuple(of_day)) for on, of_day in by_date)
        if days:
            timeline.append(Phase(key=key, days=days))
    return every, tuple(timeline)


def _items(items: Iterable[ActionItem], names: Names) -> dict[str, tuple[Item, ...]]:
    by_term: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: item.number):
        shown = Item(
            number=item.number,
            words=parse_words(item.text, names),
            owner=item.owner,
            due_on=item.due_on,
            state=item.state,
            reason=item.reason,
        )
        term = DROPPED if item.state == DROPPED else item.kind if item.kind in ITEM_KINDS else UNSORTED
        by_term.setdefault(term, []).append(shown)
    terms = (*ITEM_KINDS, UNSORTED, DROPPED)
    return {term: tuple(by_term[term]) for term in terms if term in by_term}


def _of_kind(lines: Iterable[Line], kind: str) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.kind == kind)


def _grouped(lines: Iterable[tuple[str, Line]]) -> Lines:
    """The lines of each key, in order; the keys in the order of their first lines."""
    groups: dict[str, list[Line]] = {}
    for key, line in lines:
        groups.setdefault(key, []).append(line)
    return {key: tuple(group) for key, group in groups.items()}


def _by_qualifier(lines: Iterable[Line]) -> Lines:
    return _grouped((line.qualifier or UNSORTED, line) for line in lines)


def _by_topic(entries: Iterable[TimelineEntry], lay_out: LayOut) -> Lines:
    """The lines with a topic label by topic, in the order of TOPICS, without their labels."""
    labelled = ((entry, *topic(entry.text)) for entry in entries)
    found = _grouped((about, lay_out(replace(entry, text=text))) for entry, about, text in labelled if about)
    return {key: found[key] for key in TOPICS if key in found}


def _by_aspect(entries: Iterable[TimelineEntry], lay_out: LayOut) -> Lines:
    """The impact by what it hurt, without labels; an entry about two aspects stands under both."""
    impacts = [entry for entry in entries if entry.kind == IMPACT]
    lines = [(impact.aspects(each.text), lay_out(replace(each, text=impact.unlabelled(each.text)))) for each in impacts]
    return _grouped((aspect, line) for aspect in ASPECTS for named, line in lines if aspect in named)


def share(impacts: Sequence[Line]) -> str | None:
    """The share of users or traffic affected, as stated by the latest impact that states one."""
    stated = (impact.share(line.words.first) for line in reversed(impacts))
    return next((share for share in stated if share), None)


def _agreed_items(document: Document) -> list[Item]:
    return [item for term, items in document.items.items() if term != DROPPED for item in items]


def _known(document: Document, split: Phases) -> dict[str, bool]:
    """Which of the facts that a question can ask about are known; a fact that is not listed is not asked about."""
    life = document.lifecycle
    kinds = {entry.kind for entry in (*split.lead_up, *split.during)}
    agreed = _agreed_items(document)
    figures = any(part.figure for line in document.impact for part in line.words.parts)
    return {
        "started": bool(kinds & {STARTED, IMPACT}),
        "detected": life.detected_at is not None,
        "detected_by": life.detected_at is None or life.detected_by is not None,
        "acknowledged": life.acknowledged_at is not None,
        "escalated": life.escalations > 0,
        "mitigated": life.mitigated_at is not None,
        "resolved": life.resolved_at is not None,
        "impact": bool(document.impact),
        "figures": figures or not document.impact,
        "share": bool(document.share) or not figures,
        "cause": bool(document.causes),
        "measures": bool(agreed),
        "owner": all(item.owner or item.state not in PENDING for item in agreed),
        "due": all(item.due_on or item.state not in PENDING for item in agreed),
        **{side: side in document.lessons for side in SIDES},
        **{factor: factor in document.causes for factor in FACTORS},
        **{aspect: aspect in document.aspects for aspect in ASPECTS},
        **{topic: topic in document.topics for topic in TOPICS},
        "review": document.review is not None or "review" in document.topics,
    }


def _open_questions(document: Document, split: Phases, prefix: str) -> dict[str, Question]:
    """The questions that `document` leaves open, by fact; a template prints those that its form has a place for."""
    known = _known(document, split)
    entries = (*split.lead_up, *split.during, *split.aftermath)
    pending = [item for item in _agreed_items(document) if item.state in PENDING]
    examples = {
        "detection": next((entry.number for entry in entries if entry.kind == DETECTED), 1),
        "unowned": next((item.number for item in pending if not item.owner), 1),
        "undated": next((item.number for item in pending if not item.due_on), 1),
    }
    return questions(frozenset(fact for fact in known if not known[fact]), prefix=prefix, examples=examples)
