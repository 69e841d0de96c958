"""Assembles the document that the templates print from an incident, its entries and its action items."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from bot.domain.incident import facts, figures, impact
from bot.domain.incident.impact import ASPECTS
from bot.domain.incident.lifecycle import DURATIONS, SIGNS, Lifecycle, approximate_instants, known_about, lifecycle
from bot.domain.incident.phases import Phases, gaps, phases
from bot.domain.incident.topics import TOPICS, is_private, without_labels, without_private
from bot.domain.items.item import DROPPED
from bot.domain.items.labels import read_labels
from bot.domain.items.outcome import LOOK_AGAIN_DAYS
from bot.domain.postmortem.causes import HUMAN, causes, is_unsorted, slips, sorting
from bot.domain.postmortem.course import possible_mitigation
from bot.domain.postmortem.document import (
    Day,
    Document,
    Item,
    Lead,
    Line,
    Measured,
    MitigationLine,
    Phase,
    RoleHolder,
    Severity,
    Silence,
    SimilarLine,
    Stamp,
    Trouble,
)
from bot.domain.postmortem.layout import Names, parse_words
from bot.domain.postmortem.offers import offers
from bot.domain.postmortem.questions import questions
from bot.domain.postmortem.similar import Similar
from bot.domain.time.format import dated_clock, duration
from bot.domain.words import without_code_marks
from bot.vocabulary import (
    CAUSE,
    DETECTED,
    ENTRY_KINDS,
    FACTORS,
    IMPACT,
    ITEM_KINDS,
    LESSON,
    MITIGATED,
    RESOLVED,
    SIDES,
    STARTED,
)
from storage.values import FROM_SOURCE, PENDING, ActionItem, Incident, Review, TimelineEntry

Lines = dict[str, tuple[Line, ...]]

UNSORTED = "unsorted"
"""The group of action items without a term, and of causes and lessons without a qualifier."""

_INSTANTS = (
    "started_at",
    "detected_at",
    "acknowledged_at",
    "mitigated_at",
    "resolved_at",
    "impact_began_at",
    "first_sign_at",
)
_NO_NAMES: Names = {}
_LAST_YEAR = 9000
"""Counting days from a later due date would overflow."""


def assemble(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    items: Iterable[ActionItem],
    *,
    zone: ZoneInfo,
    names: Names = _NO_NAMES,
    prefix: str = "",
    review: Review | None = None,
    named: bool = False,
    look_again_days: int | None = LOOK_AGAIN_DAYS,
    similar: Iterable[Similar] = (),
) -> Document:
    """The document of `incident`, with local times in `zone`.

    `entries` may come in any order; retracted ones are left out, but a lesson that was taken back is not offered again.
    `names` are display names by Slack user id, for mentions in texts. `prefix` is the workspace's prefix of command
    names. `review` is the planned review, if any. `named` questions name the incident in their commands, for a text
    that is read for longer than it is current. `look_again_days` after an item is done it is asked whether it worked;
    None for never. `similar` are similar incidents that all readers of the document may see.
    """
    every, items = list(entries), list(items)
    entries = [entry for entry in every if not entry.retracted]
    life, split = lifecycle(entries), phases(entries)
    ordered = (*split.lead_up, *split.during, *split.aftermath)

    lines, timeline = _lines_and_timeline(split, zone, names)
    days = {day.on for phase in timeline for day in phase.days}
    impacts = _in_words(lines, IMPACT)
    mitigated = _of_kind(lines, MITIGATED)
    instants = {name: getattr(life, name) for name in _INSTANTS}
    vague = approximate_instants(entries, life)
    times = {name: stamp(at, zone, approximate=name in vague) if at else None for name, at in instants.items()}
    document = Document(
        incident=incident,
        lifecycle=life,
        zone=zone.key,
        in_utc=all(line.time.in_utc for line in lines),
        only_day=days.pop() if len(days) == 1 else None,
        times=times,
        measured=tuple(Measured(rule=rule, seconds=getattr(life, f"{rule.key}_s")) for rule in DURATIONS),
        timeline=timeline,
        impact=impacts,
        share=share(impacts),
        aspects=_by_aspect(ordered, lines),
        topics=_by_topic(lines),
        told=_grouped((line.kind, line) for line in lines),
        causes=_by_factor(ordered, _in_words(lines, CAUSE), names),
        rounds=_rounds(life, entries, zone),
        trouble_s=life.time_in_rounds_s,
        impact_began=times["impact_began_at"],
        first_sign=times["first_sign_at"],
        detected_before_s=life.detected_before_impact_s,
        mitigations=_mitigations(life, lines),
        mitigation=next((each for each in mitigated if each.time.at == life.mitigated_at), None),
        resolution=next(reversed(_of_kind(lines, RESOLVED)), None) if life.resolved_at else None,
        items=_items(items, names, zone, look_again_days),
        lessons=_by_qualifier(_in_words(lines, LESSON)),
        gaps=tuple(
            Silence(start=stamp(gap.start_at, zone), end=stamp(gap.end_at, zone), seconds=gap.seconds)
            for gap in gaps(entries)
        ),
        entries=len(lines),
        late=tuple(line for line in _before_aftermath(lines, split) if line.late_s is not None),
        people=tuple(
            dict.fromkeys(entry.author for entry in ordered if entry.author and entry.author_id != FROM_SOURCE)
        ),
        severities=tuple(
            Severity(value=each.value, since=stamp(each.from_at, zone)) for each in facts.severities(incident, entries)
        ),
        leads=tuple(
            Lead(
                name=each.value,
                since=stamp(each.from_at, zone),
                until=stamp(each.until_at, zone) if each.until_at else None,
            )
            for each in facts.leads(entries)
        ),
        roles=tuple(
            RoleHolder(
                role=each.role,
                name=each.name,
                since=stamp(each.from_at, zone),
                until=stamp(each.until_at, zone) if each.until_at else None,
            )
            for each in facts.roles(entries)
        ),
        review=stamp(review.starts_at, zone) if review else None,
        questions={},
        names=_names_by_id(incident, ordered, items),
        offers=offers(every, life, zone=zone, prefix=prefix, about=incident.name if named else ""),
        similar=tuple(
            SimilarLine(name=each.incident.name, on=each.incident.began_at.astimezone(zone).date(), why=each.why)
            for each in similar
        ),
    )
    examples = _examples(document, split)
    unknown = frozenset(fact for fact, known in _known(document, split).items() if not known)
    about = incident.name if named else ""
    return replace(
        document, examples=examples, questions=questions(unknown, prefix=prefix, examples=examples, name=about)
    )


def _before_aftermath(lines: Sequence[Line], split: Phases) -> Iterator[Line]:
    """The lines that tell of the incident while it ran; what sums it up is always recorded later."""
    within = lines[: len(split.lead_up) + len(split.during)]
    return (line for line in within if line.kind not in {LESSON, CAUSE})


def _names_by_id(incident: Incident, entries: Iterable[TimelineEntry], items: Iterable[ActionItem]) -> Names:
    people: list[tuple[str | None, str | None]] = [(incident.lead_id, incident.lead)]
    for entry in entries:
        people += [*((user_id, name) for name, user_id in entry.people.items()), (entry.author_id, entry.author)]
    for item in items:
        people += [*((user_id, name) for name, user_id in item.people.items()), (item.owner_id, item.owner)]
        people.append((item.worked_by_id, item.worked_by))
    return {user_id: name for user_id, name in people if user_id and name}


def on_timeline(entry: TimelineEntry, phase: str) -> bool:
    """Whether the timeline lists the entry: not a lesson, nor an impact or a cause of the aftermath, which sums up."""
    return entry.kind != LESSON and not (phase == "aftermath" and entry.kind in {IMPACT, CAUSE})


def stamp(at: datetime, zone: ZoneInfo, *, approximate: bool = False, until_at: datetime | None = None) -> Stamp:
    """The aware instant `at` in UTC and in `zone`."""
    return Stamp(at=at.astimezone(UTC), local=at.astimezone(zone), approximate=approximate, until_at=until_at)


def _rounds(life: Lifecycle, entries: Sequence[TimelineEntry], zone: ZoneInfo) -> tuple[Trouble, ...]:
    def told(at: datetime, kinds: Collection[str]) -> Stamp:
        return stamp(at, zone, approximate=known_about(entries, at, kinds))

    return tuple(
        Trouble(
            began=told(each.began_at, SIGNS),
            ended=told(each.ended_at, {RESOLVED}) if each.ended_at else None,
            seconds=each.seconds,
        )
        for each in life.rounds
    )


def _mitigations(life: Lifecycle, lines: Iterable[Line]) -> tuple[MitigationLine, ...]:
    by_number = {line.number: line for line in lines}
    return tuple(
        MitigationLine(
            line=by_number[each.number],
            held=each.held,
            undone_by=by_number[each.undone_by] if each.undone_by is not None else None,
        )
        for each in life.mitigations
    )


def _line(entry: TimelineEntry, zone: ZoneInfo, names: Names) -> Line:
    kind = ENTRY_KINDS[entry.kind]
    time = stamp(entry.occurred_at, zone, approximate=entry.approximate, until_at=entry.until_at)
    found = figures.spans if entry.kind == IMPACT else None
    about, text = without_labels(entry.kind, entry.text)
    return Line(
        number=entry.number,
        kind=kind.name,
        label=kind.label,
        mark=kind.mark,
        qualifier=entry.qualifier,
        words=parse_words(text, names, figures=found),
        author=entry.author,
        permalink=entry.permalink,
        time=time,
        late_s=(entry.recorded_at - entry.occurred_at).total_seconds() if entry.late else None,
        private=is_private(entry.text),
        message_state=entry.message_state,
        backfilled=entry.backfilled,
        topic=about,
    )


def _lines_and_timeline(split: Phases, zone: ZoneInfo, names: Names) -> tuple[list[Line], tuple[Phase, ...]]:
    """Every entry as a line, and the lines of the timeline by phase and day."""
    every: list[Line] = []
    timeline: list[Phase] = []
    for key, part in (("lead_up", split.lead_up), ("during", split.during), ("aftermath", split.aftermath)):
        lines: list[Line] = []
        for entry in part:
            every.append(_line(entry, zone, names))
            if on_timeline(entry, key):
                lines.append(every[-1])
        by_date = groupby(lines, lambda line: line.time.local.date())
        days = tuple(Day(on=on, lines=tuple(of_day)) for on, of_day in by_date)
        if days:
            timeline.append(Phase(key=key, days=days))
    return every, tuple(timeline)


def _items(
    items: Iterable[ActionItem], names: Names, zone: ZoneInfo, look_again_days: int | None
) -> dict[str, tuple[Item, ...]]:
    by_term: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: item.number):
        labels = read_labels(item.text)
        done_when = item.done_when or labels.done_when
        planned = None
        if item.due_on is not None and look_again_days is not None and item.due_on.year < _LAST_YEAR:
            planned = item.due_on + timedelta(days=look_again_days)
        shown = Item(
            number=item.number,
            words=parse_words(labels.text, names),
            owner=item.owner,
            due_on=item.due_on,
            state=item.state,
            reason=item.reason,
            priority=item.priority,
            ticket=item.ticket if item.ticket and item.ticket not in item.text else None,
            done_when=parse_words(done_when, names) if done_when else None,
            purpose=labels.purpose,
            look_again_on=item.look_again_on or planned,
            worked=item.worked,
            worked_why=parse_words(item.worked_why, names) if item.worked_why else None,
            worked_by=item.worked_by,
            worked_on=item.worked_at.astimezone(zone).date() if item.worked_at else None,
        )
        term = DROPPED if item.state == DROPPED else item.kind if item.kind in ITEM_KINDS else UNSORTED
        by_term.setdefault(term, []).append(shown)
    terms = (*ITEM_KINDS, UNSORTED, DROPPED)
    return {term: tuple(by_term[term]) for term in terms if term in by_term}


def _of_kind(lines: Iterable[Line], kind: str) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.kind == kind)


def _in_words(lines: Iterable[Line], kind: str) -> tuple[Line, ...]:
    """The lines of a kind that is told in words alone: without any, they tell nothing."""
    return tuple(line for line in lines if line.kind == kind and (line.words.parts or line.words.rest))


def _grouped(lines: Iterable[tuple[str, Line]]) -> Lines:
    """The lines of each key, in order; the keys in the order of their first lines."""
    groups: dict[str, list[Line]] = {}
    for key, line in lines:
        groups.setdefault(key, []).append(line)
    return {key: tuple(group) for key, group in groups.items()}


def _by_qualifier(lines: Iterable[Line]) -> Lines:
    return _grouped((line.qualifier or UNSORTED, line) for line in lines)


def _by_factor(entries: Iterable[TimelineEntry], lines: Iterable[Line], names: Names) -> Lines:
    """The causes by factor; several that one entry names stand apart, and are as private as it is."""
    told = {line.number: line for line in lines}
    found: list[tuple[str, Line]] = []
    for entry in entries:
        named = causes(entry) if entry.kind == CAUSE and entry.number in told else ()
        for cause in named:
            line = told[entry.number]
            if len(named) > 1:
                line = replace(line, words=parse_words(without_private(cause.text)[1], names))
            found.append((cause.factor or UNSORTED, line))
    return _grouped(found)


def _by_topic(lines: Iterable[Line]) -> Lines:
    """The lines with a topic label by topic, in the order of TOPICS."""
    found = _grouped((line.topic, line) for line in lines if line.topic and (line.words.parts or line.words.rest))
    return {key: found[key] for key in TOPICS if key in found}


def _by_aspect(entries: Iterable[TimelineEntry], lines: Iterable[Line]) -> Lines:
    """The impact by what it hurt; an entry about two aspects stands under both."""
    named = [
        (impact.aspects(without_private(entry.text)[1]), line)
        for entry, line in zip(entries, lines, strict=True)
        if entry.kind == IMPACT
    ]
    return _grouped((aspect, line) for aspect in ASPECTS for found, line in named if aspect in found)


def share(impacts: Sequence[Line]) -> str | None:
    """The share of users or traffic affected, as stated by the latest impact that states one."""
    stated = (impact.share(line.words.first) for line in reversed(impacts))
    return next((share for share in stated if share), None)


def _known(document: Document, split: Phases) -> dict[str, bool]:
    """Which of the facts that a question can ask about are known; a fact that is not listed is not asked about."""
    life = document.lifecycle
    kinds = {entry.kind for entry in (*split.lead_up, *split.during)}
    agreed = document.agreed
    offered = {offer.side for offer in document.offers}
    slipped = bool(slips((*split.lead_up, *split.during, *split.aftermath)))
    fix = possible_mitigation(document)
    counted = any(part.figure for line in document.impact for part in line.words.parts)
    shared = any(impact.says_how_many(line.words.first) for line in document.impact)
    return {
        "started": bool(kinds & {STARTED, IMPACT}),
        "detected": life.detected_at is not None,
        "detected_by": life.detected_at is None or life.detected_by is not None,
        "acknowledged": life.acknowledged_at is not None,
        "escalated": life.escalations > 0,
        "mitigated": life.mitigated_at is not None or fix is not None,
        "mitigated_by": fix is None,
        "resolved": life.resolved_at is not None,
        "impact": bool(document.impact),
        "figures": counted or not document.impact,
        "share": shared or not counted,
        "cause": bool(document.causes),
        "measures": bool(agreed),
        "owner": all(item.owner or item.state not in PENDING for item in agreed),
        "due": all(item.due_on or item.state not in PENDING for item in agreed),
        **{side: side in document.lessons or side in offered for side in SIDES},
        **{factor: factor in document.causes or UNSORTED in document.causes for factor in FACTORS},
        **({HUMAN: True} if slipped else {}),
        "factors": UNSORTED not in document.causes,
        "slip": not slipped,
        **{aspect: aspect in document.aspects for aspect in ASPECTS},
        **{topic: topic in document.topics for topic in TOPICS},
        "review": document.review is not None or "review" in document.topics,
    }


def _examples(document: Document, split: Phases) -> dict[str, object]:
    """What the commands of the questions name: times of the incident, and numbers of entries and action items."""
    life = document.lifecycle
    entries = (*split.lead_up, *split.during, *split.aftermath)
    fix = possible_mitigation(document)
    pending = [item for item in document.agreed if item.state in PENDING]
    began_at = entries[0].occurred_at if entries else document.incident.declared_at
    hurt_at = life.impact_began_at or life.started_at or began_at
    noticed_at = life.detected_at or hurt_at
    last_at = max((entry.occurred_at for entry in entries), default=began_at)
    ended_at = max(noticed_at, life.resolved_at or last_at)
    instants = {"began": began_at, "hurt": hurt_at, "noticed": noticed_at, "ended": ended_at}
    zone = ZoneInfo(document.zone)
    return {
        **{name: dated_clock(at.astimezone(zone)) for name, at in instants.items()},
        "lasted": duration(max(60, (ended_at - hurt_at).total_seconds())),
        "detection": next((entry.number for entry in entries if entry.kind == DETECTED), 1),
        "unowned": next((item.number for item in pending if not item.owner), 1),
        "fixed": dated_clock(fix.time.local) if fix else None,
        "fix": " ".join(without_code_marks(fix.words.first).split()) if fix else None,
        "undated": next((item.number for item in pending if not item.due_on), 1),
        "sorting": next((sorting(entry) for entry in entries if is_unsorted(entry)), "1"),
    }
