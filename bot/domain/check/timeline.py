"""The rules on the timeline: milestones and their order, times in the future, silences, escalations."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.check.finding import Advice, Material, at_entry
from bot.domain.incident.lifecycle import OPEN, gaps
from bot.domain.time.format import clock, duration, short_day, zone_name
from bot.vocabulary import (
    ACKNOWLEDGED,
    CAUSE,
    DETECTED,
    ESCALATED,
    IMPACT,
    KINDS,
    LESSON,
    MITIGATED,
    REOPENED,
    RESOLVED,
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
    (STARTED, DETECTED), (STARTED, MITIGATED), (STARTED, RESOLVED),
    (DETECTED, ACKNOWLEDGED), (DETECTED, ESCALATED), (DETECTED, MITIGATED), (DETECTED, RESOLVED),
    (ACKNOWLEDGED, MITIGATED), (ACKNOWLEDGED, RESOLVED), (MITIGATED, RESOLVED), (RESOLVED, REOPENED),
)  # fmt: skip
"""Pairs of milestones, the earlier one first. The first entry of each kind counts, but as the later one the last
resolution."""

_NO_ANSWER = frozenset({CAUSE, IMPACT, LESSON})
"""Kinds that sum up, and so do not show that anyone responded."""


def milestones(material: Material) -> Advice:
    """Milestones that are not recorded. A mitigation is not asked for while the incident is open."""
    still_open = material.document.lifecycle.status == OPEN
    for kind, reason in _MISSING.items():
        if material.unknown(kind) and not (still_open and kind == MITIGATED):
            yield KINDS[kind].label, reason, material.answer(kind)


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
        yield at_entry(entry), reason, material.slash(f"incident edit {entry.number} at TIME")
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
        yield at_entry(entry), reason, material.slash(f"incident edit {entry.number} at TIME")


def detection(material: Material) -> Advice:
    """A detection without its source."""
    if material.unknown("detected_by"):
        entry = next(each for each in material.entries if each.kind == DETECTED)
        yield (
            at_entry(entry),
            "It does not say whether monitoring, a customer or an engineer noticed",
            material.answer("detected_by"),
        )


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
            yield at_entry(entry), reason, material.slash("note at TIME who joined, or that nobody did")


def silences(material: Material) -> Advice:
    """Periods without an entry, the longest first."""
    before = {entry.occurred_at: entry.number for entry in material.entries}
    after = {entry.occurred_at: entry.number for entry in reversed(material.entries)}
    for gap in sorted(gaps(material.entries), key=lambda gap: -gap.seconds):
        reason = (
            f"Nothing for {duration(gap.seconds)}, from {_at(gap.start_at, material)} to {_at(gap.end_at, material)}"
        )
        yield (
            f"#{before[gap.start_at]} to #{after[gap.end_at]}",
            reason,
            material.slash("note at TIME what was tried or waited for"),
        )


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
    return f"{KINDS[entry.kind].label} (#{entry.number})"


def _at(at: datetime, material: Material) -> str:
    """The instant in the document's zone, with its date if the timeline has several."""
    local = at.astimezone(ZoneInfo(material.document.zone))
    date = "" if material.document.only_day == local.date() else f"{short_day(local)} "
    return f"{date}{clock(local)} {zone_name(local)}"
