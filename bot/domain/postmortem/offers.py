"""Lessons that the facts of the timeline suggest. Each is offered to be confirmed or struck, and none is asserted.

An offer is gone once somebody told it as a lesson, in its words or naming the same entries, or struck it. Where luck
helped no fact tells, so that is only asked.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.domain.incident.dead_ends import dead_ends
from bot.domain.incident.lifecycle import Lifecycle, in_order, timeline_position
from bot.domain.incident.topics import is_private
from bot.domain.time.format import clock, dated_clock, duration, short_day, zone_name
from bot.domain.words import clipped, without_code_marks
from bot.vocabulary import (
    ACKNOWLEDGED,
    DETECTED,
    DID,
    ESCALATED,
    LESSON,
    MITIGATED,
    REOPENED,
    RESOLVED,
    RULED_OUT,
)
from storage.values import TimelineEntry

WELL, BADLY = "well", "badly"
SOON, LATE, LONG = timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30)
DEAD_END = timedelta(minutes=10)
"""A lead that was ruled out is offered as a lesson once that much went into it."""
HELD = "held"
"""The first part of the key of an offer about a mitigation that did not hold; of a dead end it is that of its kind."""
MOST = 3
"""Offers of one sort: the ones that took longest."""

_QUOTED, _MINUTE_S = 80, 60
_REFERENCE = re.compile(r"#(\d{1,9})")
_REFERENCES = re.compile(r"\s*\((?:#\d+(?: to |, | and )?)+\)")
_MARKS = re.compile(r"[`<>&]")
"""What no command in code repeats: marks of code and of mentions."""
_NOT_WORD = re.compile(r"[\W_]+")
_FAILED = re.compile(
    r"\b(?:tried|attempted) to\b|\bin vain\b|\bno (?:effect|luck|success|change)\b|\bwithout (?:effect|success)\b"
    r"|\b(?:did|does)(?: not|n['\u2019]t) (?:work|help|take|stick|change anything)\b|\bmade (?:it|things) worse\b"
    r"|\b(?:rejected|refused|denied|blocked) (?:it|this|that|us)\b|\bhad to (?:undo|revert)\b"
    r"|(?:\b(?:it|that|this|which|and|but|rollback|restart|deploy)|[,;:\u2013-]) failed\b(?! over)",
    re.IGNORECASE,
)
"""What an action says that did not do what it was for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A lesson to confirm or to strike: `side` is well or badly, `entries` are the numbers it rests on.

    `key` names it in the command that strikes it. `command` records it, `strike` strikes it, both with their slash.
    The recorded words name no entries: a postmortem prints no numbers of entries, but those of action items.
    """

    key: str
    side: str
    text: str
    entries: tuple[int, ...]
    command: str = ""
    strike: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the rules read: the entries that stand, in order, up to the last resolution."""

    entries: tuple[TimelineEntry, ...]
    life: Lifecycle
    zone: ZoneInfo

    def first(self, *kinds: str) -> TimelineEntry | None:
        """The first entry of these kinds that is not before the detection."""
        since = self.life.detected_at
        return next((e for e in self.entries if e.kind in kinds and (since is None or e.occurred_at >= since)), None)

    def at(self, entry: TimelineEntry) -> str:
        """When it happened, with its date where the incident has several."""
        local = entry.occurred_at.astimezone(self.zone)
        days = {each.occurred_at.astimezone(self.zone).date() for each in self.entries}
        return f"{clock(local)} {zone_name(local)}{f' on {short_day(local)}' if len(days) > 1 else ''}"


Suggested = Iterator[tuple[str, str, str, tuple[TimelineEntry, ...]]]
"""The key, side and words of each offer, and the entries it rests on; the last one is named in its key."""


def offers(
    entries: Iterable[TimelineEntry], life: Lifecycle, *, zone: ZoneInfo, prefix: str = "", about: str = ""
) -> tuple[Offer, ...]:
    """The offers that are neither told nor struck. `entries` may come in any order, retracted ones among them.

    `prefix` is the workspace's prefix of command names, `about` the incident's name where commands need it.
    """
    every = in_order(entries)
    standing = [entry for entry in every if not entry.retracted]
    end = next((each for each in reversed(standing) if each.kind == RESOLVED), None) if life.resolved_at else None
    within = [e for e in standing if end is None or timeline_position(e) <= timeline_position(end)]
    told = _Told(entries=tuple(within), life=life, zone=zone)
    lessons = [entry for entry in every if entry.kind == LESSON]
    found = (
        Offer(
            key=f"{key}-{rests_on[-1].number}",
            side=side,
            text=f"{words} ({_references(rests_on)})",
            entries=tuple(entry.number for entry in rests_on),
        )
        for rule in _RULES
        for key, side, words, rests_on in rule(told)
    )
    last_at = life.resolved_at or max((entry.occurred_at for entry in standing), default=None)
    head = f"{f' {about}' if about else ''}{f' at {dated_clock(last_at.astimezone(zone))}' if last_at else ''}"
    return tuple(
        Offer(
            key=offer.key, side=offer.side, text=offer.text, entries=offer.entries,
            command=f"/{prefix}lesson{head} {offer.side}: {_REFERENCES.sub('', offer.text)}",
            strike=f"/{prefix}postmortem strike{f' {about}' if about else ''} {offer.key}",
        )
        for offer in found
        if not any(tells(lesson, offer.side, offer.entries, offer.text) for lesson in lessons)
    )  # fmt: skip


def tells(lesson: TimelineEntry, side: str, entries: Iterable[int], text: str) -> bool:
    """Whether a lesson, of that side or not sorted, names these entries, or says the same words."""
    if lesson.qualifier not in {side, None}:
        return False
    named = {int(number) for number in _REFERENCE.findall(lesson.text)}
    words = _normalized(_REFERENCES.sub("", text))
    return named >= set(entries) or words in _normalized(lesson.text)


def _noticed(told: _Told) -> Suggested:
    """How soon, and by whom."""
    life, detection = told.life, told.first(DETECTED)
    took, before = life.time_to_detect_s, life.detected_before_impact_s
    if detection is None:
        return
    after = f" {duration(took)} after the impact began" if took and took >= LATE.total_seconds() else ""
    if life.detected_by == "customer":
        yield "noticed", BADLY, f"a customer noticed before monitoring did{',' if after else ''}{after}", (detection,)
    elif after:
        yield "noticed", BADLY, f"it was noticed{after}", (detection,)
    elif life.detected_by == "monitoring" and before:
        yield "noticed", WELL, f"monitoring noticed {duration(before)} before users were hurt", (detection,)
    elif life.detected_by == "monitoring" and took is not None and took <= SOON.total_seconds():
        yield "noticed", WELL, f"monitoring noticed {_after(took)}", (detection,)


def _acknowledged(told: _Told) -> Suggested:
    detection, answer, took = told.first(DETECTED), told.first(ACKNOWLEDGED), told.life.time_to_acknowledge_s
    if detection is None or answer is None or took is None:
        return
    if took >= LATE.total_seconds():
        yield "acknowledged", BADLY, f"nobody acknowledged it for {duration(took)}", (detection, answer)
    elif took <= SOON.total_seconds():
        yield "acknowledged", WELL, f"somebody took it on {_after(took)}", (detection, answer)


def _escalated(told: _Told) -> Suggested:
    detection, call = told.first(DETECTED), told.first(ESCALATED)
    if detection is None or call is None:
        return
    took = (call.occurred_at - detection.occurred_at).total_seconds()
    if took >= LONG.total_seconds():
        yield "escalated", BADLY, f"help was called {duration(took)} after it was noticed", (detection, call)
    elif took <= SOON.total_seconds():
        yield "escalated", WELL, f"help was called {_after(took)}", (detection, call)


def _first_action(told: _Told) -> Suggested:
    detection, step = told.first(DETECTED), told.first(DID, MITIGATED, RESOLVED)
    if detection is None or step is None or step.kind == RESOLVED:
        return
    took = (step.occurred_at - detection.occurred_at).total_seconds()
    if took >= LONG.total_seconds():
        yield (
            "action",
            BADLY,
            f"the first action on record came {duration(took)} after it was noticed",
            (detection, step),
        )


def _ruled_out(told: _Told) -> Suggested:
    took = [
        (ended.occurred_at - began.occurred_at, began, ended) for began, ended in dead_ends(told.entries, _first_line)
    ]
    longest = sorted((each for each in took if each[0] >= DEAD_END), key=lambda each: each[0], reverse=True)
    for cost, began, ended in longest[:MOST]:
        yield RULED_OUT, BADLY, f"{duration(cost.total_seconds())} went into a lead that was ruled out", (began, ended)


def _failed_actions(told: _Told) -> Suggested:
    failed = [
        entry for entry in told.entries
        if entry.kind == DID and told.life.started_at and entry.occurred_at >= told.life.started_at
        and not is_private(entry.text) and _FAILED.search(_first_line(entry))
    ]  # fmt: skip
    for entry in failed[:MOST]:
        words = clipped(_first_line(entry), _QUOTED)
        told_so = "" if _MARKS.search(words) else f": {words}"
        yield "failed", BADLY, f"a step did not work at once{told_so}", (entry,)


def _undone(told: _Told) -> Suggested:
    by_number = {entry.number: entry for entry in told.entries}
    for mitigation in told.life.mitigations:
        entry, sign = by_number.get(mitigation.number), by_number.get(mitigation.undone_by or 0)
        if entry and sign and sign.kind != REOPENED:
            yield HELD, BADLY, f"the mitigation at {told.at(entry)} did not hold", (entry,)


def _came_back(told: _Told) -> Suggested:
    resolved: TimelineEntry | None = None
    for entry in told.entries:
        if entry.kind == REOPENED and resolved is not None:
            took = duration((entry.occurred_at - resolved.occurred_at).total_seconds())
            yield "reopened", BADLY, f"it came back {took} after it was resolved", (resolved, entry)
            resolved = None
        elif entry.kind == RESOLVED:
            resolved = entry


_RULES: tuple[Callable[[_Told], Suggested], ...] = (
    _noticed, _acknowledged, _escalated, _first_action, _ruled_out, _failed_actions, _undone, _came_back,
)  # fmt: skip


def _after(took: float) -> str:
    return f"after {duration(took)}" if took >= _MINUTE_S else "within the minute"


def _references(entries: Sequence[TimelineEntry]) -> str:
    return " to ".join(dict.fromkeys(f"#{entry.number}" for entry in entries))


def _first_line(entry: TimelineEntry) -> str:
    return without_code_marks(entry.text).strip().partition("\n")[0]


def _normalized(text: str) -> str:
    return _NOT_WORD.sub(" ", text.lower()).strip()
