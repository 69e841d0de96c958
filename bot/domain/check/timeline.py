"""The rules on the timeline: milestones and their order, times in the future, silences, escalations."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.check.finding import Advice, Material, at_entry
from bot.domain.incident.lifecycle import OPEN
from bot.domain.incident.phases import gaps
from bot.domain.postmortem.causes import slips
from bot.domain.postmortem.offers import HELD, LONG
from bot.domain.time.format import clock, duration, short_day, zone_name
from bot.domain.time.moment import place
from bot.domain.time.typed import mentioned_time
from bot.domain.time.zones import abbreviations_of
from bot.domain.words import clipped
from bot.errors import UsageError
from bot.vocabulary import (
    ACKNOWLEDGED,
    CAUSE,
    DETECTED,
    DID,
    ENTRY_KINDS,
    ESCALATED,
    IMPACT,
    KINDS,
    LESSON,
    MITIGATED,
    NOTE,
    REOPENED,
    RESOLVED,
    RULED_OUT,
    STARTED,
)
from storage.values import LATE_AFTER, TimelineEntry

ANSWER_WITHIN = timedelta(minutes=30)
"""An escalation without an entry by another person within this time counts as not answered."""

_MISSING = {
    STARTED: "No start is recorded, neither a start nor an impact, so the time to detect is unknown",
    DETECTED: "No detection is recorded, so the time to detect is unknown",
    ACKNOWLEDGED: "No acknowledgement is recorded, so the time to acknowledge is unknown",
    MITIGATED: "No mitigation is recorded, so the time to mitigate is unknown",
    RESOLVED: "No resolution stands, so the incident is still open",
}
_BEFORE = (
    (STARTED, MITIGATED), (STARTED, RESOLVED),
    (DETECTED, ACKNOWLEDGED), (DETECTED, ESCALATED), (DETECTED, MITIGATED), (DETECTED, RESOLVED),
    (ACKNOWLEDGED, MITIGATED), (ACKNOWLEDGED, RESOLVED), (MITIGATED, RESOLVED),
)  # fmt: skip
"""Pairs of milestones, the earlier one first. The first entry of each kind counts, but as the later one the last
resolution. A detection before the start is a first sign."""

MOST_GAPS, MOST_OFFERED = 3, 3
"""Findings of one sort that are told apart; of the others there is a count."""

_SUBJECT_WORDS = 2
"""A participle after more words than these belongs to a thing that was acted on: `restored the backup taken at …`."""
_A_MOMENT_AGO, _LONG_AGO = timedelta(minutes=5), timedelta(hours=12)
_HAPPENED = frozenset({NOTE, DID, DETECTED, ACKNOWLEDGED, ESCALATED, MITIGATED, RESOLVED, REOPENED, STARTED})
"""Kinds whose words tell one thing that happened; the others look at a stretch of time, or back."""
_OF_SOMETHING_ELSE = re.compile(
    r"\b(?:since|from|of|as of|until|till|than|the|last|next|dated|between|again|scheduled|planned|due|backup|snapshot"
    r"|maybe|will|would|should|may|might|if|when|why|whether)\s+(?:[\w-]+\s+)?(?:at\s+|around\s+|about\s+|~)?$",
    re.IGNORECASE,
)
"""What stands before a time that is another thing's."""
_BEGAN = re.compile(r"\b(?:start|started|starting|began|begin|beginning|onset)\b[^.;,]{0,20}$", re.IGNORECASE)
_PARTICIPLE = re.compile(
    r"\b(?:\w+ed|taken|made|sent|written|run|built|begun)\s+(?:at\s+|around\s+|about\s+|~)?$", re.IGNORECASE
)

_NO_ANSWER = frozenset({CAUSE, IMPACT, LESSON})
"""Kinds that sum up, and so do not show that anyone responded."""


def milestones(material: Material) -> Advice:
    """Milestones that are not recorded. A mitigation is not asked for while the incident is open."""
    still_open = material.document.lifecycle.status == OPEN
    for kind, reason in _MISSING.items():
        fact = "mitigated_by" if kind == MITIGATED and material.unknown("mitigated_by") else kind
        if material.unknown(fact) and not (still_open and kind == MITIGATED):
            maybe = "; the last action before the resolution may be one" if fact == "mitigated_by" else ""
            yield KINDS[kind].label, f"{reason}{maybe}", material.answer(fact)


def order(material: Material) -> Advice:
    """Milestones whose order is impossible; as few entries as explain every contradiction."""
    wrong = [pair for pair in _pairs(material.entries) if pair[1].occurred_at < pair[0].occurred_at]
    while wrong:
        concerned = [entry for pair in wrong for entry in pair]
        # One mistyped time contradicts several milestones, so the entry in most pairs is reported; of several such
        # entries, the one that is later in the lifecycle.
        entry = max(reversed(concerned), key=lambda each: sum(each in pair for pair in wrong))
        before, after = next(pair for pair in wrong if entry in pair)
        reason = (
            f"{_named(after)} happened at {_at(after.occurred_at, material)}, before {_named(before)}"
            f" at {_at(before.occurred_at, material)}"
        )
        if entry is after:
            bound = max(each.occurred_at for each, other in _pairs(material.entries) if other is entry)
        else:
            bound = min(other.occurred_at for each, other in _pairs(material.entries) if each is entry)
        yield at_entry(entry), reason, material.retiming(entry, bound)
        wrong = [pair for pair in wrong if entry not in pair]


def future(material: Material) -> Advice:
    """Entries dated later than now, or later than they were recorded."""
    for entry in material.entries:
        ahead = entry.occurred_at - entry.recorded_at
        if entry.occurred_at > material.now:
            reason = f"It is dated {_at(entry.occurred_at, material)}, which is still to come"
        elif ahead >= LATE_AFTER:
            reason = f"It was recorded {duration(ahead.total_seconds())} before it happened"
        else:
            continue
        yield at_entry(entry), reason, material.retiming(entry, entry.recorded_at)


def named_times(material: Material) -> Advice:
    """Entries recorded as now whose words name an earlier time, such as `restarted db1 at 06:40`."""
    for entry in material.entries:
        earlier = _named_time(entry, material)
        if earlier is not None:
            typed, at = earlier
            reason = f"It names {typed} and stands at {_at(entry.occurred_at, material)}, when it was recorded"
            yield at_entry(entry), reason, material.retiming(entry, at)


def detection(material: Material) -> Advice:
    """A detection without its source."""
    if material.unknown("detected_by"):
        entry = next(each for each in material.entries if each.kind == DETECTED)
        yield (
            at_entry(entry),
            "It does not say whether monitoring, a customer or an engineer noticed",
            material.answer("detected_by"),
        )


def slips_alone(material: Material) -> Advice:
    """Causes that name a person's slip and nothing that made it possible."""
    for entry, cause in slips(material.entries):
        words = clipped(" ".join(cause.text.split()), 80)
        yield at_entry(entry), f"“{words}” names a slip: what made it look right at the time?", material.answer("slip")


def unsorted(material: Material) -> Advice:
    """Lessons that do not say whether it went well, badly or was luck."""
    for entry in material.entries:
        if entry.kind == LESSON and entry.qualifier is None:
            fix = material.slash(f"incident edit {entry.number} badly:")
            yield at_entry(entry), "It does not say whether that went well or badly, or was lucky", fix


def escalation(material: Material) -> Advice:
    """Escalations without an answer.

    An answer is an entry by another person at most ANSWER_WITHIN later, unless it only sums up; or an acknowledgement
    or a resolution by anyone.
    """
    within = int(ANSWER_WITHIN.total_seconds()) // 60
    for entry, answers in _with_answers(material.entries):
        waited = [answer.occurred_at - entry.occurred_at for answer in answers]
        if min(waited, default=ANSWER_WITHIN * 2) > ANSWER_WITHIN:
            reason = f"Nothing by anybody else follows within {within} minutes, so it reads as if nobody came"
            at = material.time(min(entry.occurred_at + ANSWER_WITHIN, material.now))
            yield at_entry(entry), reason, material.slash(f"note at {at} who joined, or that nobody did")


def mitigations(material: Material) -> Advice:
    """Mitigations that a further impact followed, unless a lesson says so or the question was struck."""
    by_number = {entry.number: entry for entry in material.entries}
    undone_by = {each.number: each.undone_by for each in material.document.lifecycle.mitigations}
    for offer in material.document.offers:
        if offer.key.startswith(HELD):
            entry = by_number[offer.entries[-1]]
            sign = by_number[undone_by[entry.number] or entry.number]
            reason = (
                f"{_named(sign)} followed at {_at(sign.occurred_at, material)}: did it hold? "
                f"If it did, {material.about(offer.strike)}"
            )
            yield at_entry(entry), reason, material.about(offer.command)


def dead_end_lessons(material: Material) -> Advice:
    """Leads that took over LONG before they were ruled out, without a lesson about it."""
    by_number = {entry.number: entry for entry in material.entries}
    for offer in material.document.offers:
        began, ended = by_number[offer.entries[0]], by_number[offer.entries[-1]]
        took = ended.occurred_at - began.occurred_at
        if offer.key.startswith(RULED_OUT) and took > LONG:
            reason = f"{duration(took.total_seconds())} went into it; no lesson says what would have shown it sooner"
            yield f"#{began.number} to #{ended.number}", reason, material.about(offer.command)


def lessons_offered(material: Material) -> Advice:
    """Further lessons that the facts suggest, in a few lines, of a side that nobody told any of."""
    said = {place for rule, find in _SAY_OFFERS.items() if rule in material.on for _, _, place in find(material)}
    offered = [offer for offer in material.document.offers if material.about(offer.command) not in said]
    offered = [offer for offer in offered if offer.side not in material.document.lessons]
    for offer in offered[:MOST_OFFERED]:
        reason = f"{offer.text[0].upper()}{offer.text[1:]}: a lesson? If not, {material.about(offer.strike)}"
        yield f"What went {offer.side}", reason, material.about(offer.command)
    if len(offered) > MOST_OFFERED:
        more = len(offered) - MOST_OFFERED
        yield f"{more} more", "They stand in the list of what is still open", material.slash("postmortem draft")


_SAY_OFFERS: dict[str, Callable[[Material], Advice]] = {"held": mitigations, "deadends": dead_end_lessons}
"""The rules that report an offer as something else."""


def silences(material: Material) -> Advice:
    """Periods without an entry, the longest first, three at most and then how many more."""
    before = {entry.occurred_at: entry.number for entry in material.entries}
    after = {entry.occurred_at: entry.number for entry in reversed(material.entries)}
    found = sorted(gaps(material.entries), key=lambda gap: -gap.seconds)
    for gap in found[:MOST_GAPS]:
        reason = (
            f"Nothing for {duration(gap.seconds)}, from {_at(gap.start_at, material)} to {_at(gap.end_at, material)}"
        )
        within = material.time((gap.start_at + (gap.end_at - gap.start_at) / 2).replace(second=0))
        fix = material.slash(f"note at {within} what was tried or waited for")
        yield f"#{before[gap.start_at]} to #{after[gap.end_at]}", reason, fix
    rest = found[MOST_GAPS:]
    if rest:
        longest, shortest = duration(rest[0].seconds), duration(rest[-1].seconds)
        lengths = longest if longest == shortest else f"{shortest} to {longest}"
        times = "gap" if len(rest) == 1 else "gaps"
        yield f"{len(rest)} more", f"{len(rest)} more {times} of {lengths}", material.slash("timeline")


def _named_time(entry: TimelineEntry, material: Material) -> tuple[str, datetime] | None:
    """The time that the words of an entry recorded as now name for it, as typed, and the instant; None without one."""
    if entry.kind not in _HAPPENED or entry.revisions or abs(entry.occurred_at - entry.recorded_at) >= LATE_AFTER:
        return None
    zone = ZoneInfo(material.document.zone)
    found = mentioned_time(entry.text, abbreviations_of(zone, entry.recorded_at))
    if found is None:
        return None
    time, typed = found
    before = entry.text[: entry.text.find(typed)] if typed in entry.text else ""
    if _OF_SOMETHING_ELSE.search(before) or (entry.kind == DETECTED and _BEGAN.search(before)):
        return None
    participle = _PARTICIPLE.search(before)
    if entry.kind == DID and participle and len(before[: participle.start()].split()) > _SUBJECT_WORDS:
        return None
    try:
        moment = place(time, now=entry.recorded_at, zone=zone)
    except UsageError:
        return None
    ago = entry.occurred_at - moment.at
    return (typed, moment.at) if _A_MOMENT_AGO <= ago <= _LONG_AGO and not moment.distant else None


def _pairs(entries: Sequence[TimelineEntry]) -> Iterator[tuple[TimelineEntry, TimelineEntry]]:
    first = {entry.kind: entry for entry in reversed(entries)}
    last = {entry.kind: entry for entry in entries}
    for before, after in _BEFORE:
        if before in first and after in first:
            yield first[before], (last if after == RESOLVED else first)[after]


def _with_answers(entries: Sequence[TimelineEntry]) -> list[tuple[TimelineEntry, list[TimelineEntry]]]:
    """Each escalation with the next entries that could answer it. Reads from the end, which takes linear time."""
    found: list[tuple[TimelineEntry, list[TimelineEntry]]] = []
    following: TimelineEntry | None = None
    by_another: TimelineEntry | None = None
    settled: TimelineEntry | None = None
    for entry in reversed(entries):
        if entry.kind == ESCALATED:
            other = following if following is None or following.author_id != entry.author_id else by_another
            found.append((entry, [answer for answer in (other, settled) if answer is not None]))
        if entry.kind in {ACKNOWLEDGED, RESOLVED}:
            settled = entry
        if entry.kind not in _NO_ANSWER:
            if following is not None and following.author_id != entry.author_id:
                by_another = following
            following = entry
    return found[::-1]


def _named(entry: TimelineEntry) -> str:
    return f"{ENTRY_KINDS[entry.kind].label} (#{entry.number})"


def _at(at: datetime, material: Material) -> str:
    """The instant in the document's zone, with its date if the timeline has several."""
    local = at.astimezone(ZoneInfo(material.document.zone))
    date = "" if material.document.only_day == local.date() else f"{short_day(local)} "
    return f"{date}{clock(local)} {zone_name(local)}"
