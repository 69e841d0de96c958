"""The grammar of the timeline's commands: `[at TIME] [by WHO] [:] words`."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.time.moment import Moment, needs_zone, parse_moment
from bot.domain.words import INVISIBLE, after_separator, quoted, storable, trimmed, visible
from bot.errors import UsageError
from bot.vocabulary import (
    CAUSE,
    DETECTORS,
    DID,
    FACTORS,
    IMPACT,
    INVESTIGATING,
    KINDS,
    LESSON,
    NOTE,
    RULED_OUT,
    SIDES,
    Kind,
)
from storage.values import whole_milliseconds

_SYNONYMS: dict[tuple[str, ...], dict[str, str]] = {
    DETECTORS: {
        "monitor": "monitoring", "alert": "monitoring", "alerts": "monitoring", "alerting": "monitoring",
        "pager": "monitoring", "customers": "customer", "user": "customer", "users": "customer",
        "engineers": "engineer",
    },
    FACTORS: {"tech": "technical"},
    SIDES: {"good": "well", "bad": "badly", "luck": "lucky"},
}  # fmt: skip
_QUALIFIERS: dict[str, dict[str, str]] = {
    kind.name: {name: name for name in kind.qualifiers} | _SYNONYMS.get(kind.qualifiers, {}) for kind in KINDS.values()
}

_GAP = rf"[\s{INVISIBLE}]"
_BY = re.compile(rf"{_GAP}*by{_GAP}+(?:(?:an?|the|our){_GAP}+)?(?P<word>[a-z]+)(?![\w'\u2019/-])", re.IGNORECASE)
_PREFIX = re.compile(rf"{_GAP}*(?P<word>[a-z]+){_GAP}*:", re.IGNORECASE)
_PATTERNS: dict[tuple[str, ...], re.Pattern[str]] = {DETECTORS: _BY, FACTORS: _PREFIX, SIDES: _PREFIX}

_TIMED_DETECTOR = re.compile(r"\s*by\s+(?P<who>\S+)\s+at\s+(?P<clock>[0-9]{1,2}:[0-9]{2})", re.IGNORECASE)
_EXAMPLES = {
    INVESTIGATING: "at 14:02 the connection pool of db1",
    RULED_OUT: "at 14:02 not the deploy: it was rolled back, errors stayed",
    DID: "at 14:02 restarted db1",
    IMPACT: "at 14:02 5% of checkouts fail",
    CAUSE: "process: the change skipped staging",
    NOTE: "at 14:02 disk full on db1",
    LESSON: "well: the rollback took a minute",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A new entry as typed. `occurred_at` is aware UTC in whole milliseconds.

    `timed`: a time was typed; without one `occurred_at` is now. `zone_assumed`: it was read in the typist's own
    zone. `seconds`: seconds were typed. `qualifier` is one of the kind's.
    """

    occurred_at: datetime
    timed: bool
    zone_assumed: bool
    seconds: bool
    qualifier: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What to change in an entry: None leaves it as it is. Times as in an Utterance."""

    occurred_at: datetime | None
    qualifier: str | None
    text: str | None
    zone_assumed: bool
    seconds: bool


def parse_entry(kind: Kind, words: str, *, now: datetime, zone: ZoneInfo) -> Utterance:
    """A new entry of that kind. `now` is aware UTC, `zone` the typist's.

    Raises UsageError for a time that is none, no words where the kind needs some, a lesson without its side,
    and words that cannot be stored.
    """
    moment, qualifier, text = _split(kind, words, now=now, zone=zone)
    if kind.qualifiers == SIDES and qualifier is None:
        raise UsageError(f"Say first which kind of lesson: well, badly or lucky. Try: {_EXAMPLES[LESSON]}")
    if not text and not kind.milestone:
        raise UsageError(f"There are no words to record. Try: {_EXAMPLES.get(kind.name, _EXAMPLES[NOTE])}")
    return Utterance(
        occurred_at=moment.at if moment else whole_milliseconds(now),
        timed=moment is not None,
        zone_assumed=moment is not None and moment.zone_assumed,
        seconds=moment is not None and moment.seconds,
        qualifier=qualifier,
        text=text,
    )


def parse_correction(kind: Kind, words: str, *, now: datetime, zone: ZoneInfo, reference: datetime) -> Correction:
    """A new time, new words or both for an entry of that kind which happened at `reference` (aware).

    A clock time without a date is the one closest to `reference` that is not after now; `-10m` still counts
    from now. Raises UsageError when nothing is to change, and as `parse_entry` does.
    """
    moment, qualifier, text = _split(kind, words, now=now, zone=zone, reference=reference)
    if moment is None and qualifier is None and not text:
        raise UsageError("Say what to change: the time, the words or both. Try: at 14:05 disk full on db1")
    return Correction(
        occurred_at=moment.at if moment else None,
        qualifier=qualifier,
        text=text or None,
        zone_assumed=moment is not None and moment.zone_assumed,
        seconds=moment is not None and moment.seconds,
    )


def entry_needs_zone(kind: Kind, words: str) -> bool:
    """Whether the time in the words of a new entry of that kind depends on the typist's zone."""
    return needs_zone(words) or needs_zone(take_qualifier(kind, words)[1])


def correction_needs_zone(words: str) -> bool:
    """The same for `3 at 14:05`, the words of a correction: which kind entry 3 is, only the store knows."""
    _, _, after_number = words.strip().partition(" ")
    return any(entry_needs_zone(kind, after_number) for kind in KINDS.values())


def take_qualifier(kind: Kind, words: str) -> tuple[str | None, str]:
    """The kind's qualifier that the words begin with, and what follows it; None and all words without one."""
    qualifiers = _QUALIFIERS[kind.name]
    match = _PATTERNS[kind.qualifiers].match(words) if qualifiers else None
    qualifier = qualifiers.get(match["word"].lower()) if match else None
    if match is None or qualifier is None:
        return None, words
    # The colon that makes a prefix belongs to it: a second one, of an emoji, is left to the words.
    tail = words[match.end() :]
    return qualifier, tail if match[0].endswith(":") else after_separator(tail)


def _split(
    kind: Kind, words: str, *, now: datetime, zone: ZoneInfo, reference: datetime | None = None
) -> tuple[Moment | None, str | None, str]:
    """Time, qualifier and text. The qualifier may stand before the time or after it."""
    qualifier, rest = take_qualifier(kind, storable(words))
    moment = parse_moment(rest, now=now, zone=zone, reference=reference)
    rest = moment.rest if moment else rest
    if qualifier is None:
        qualifier, rest = take_qualifier(kind, rest)
    # `by pagerduty at 12:05`: taken for words, the time would be lost and the entry recorded as now.
    only_words = moment is None and qualifier is None
    if only_words and kind.qualifiers == DETECTORS and (match := _TIMED_DETECTOR.match(visible(rest))):
        raise UsageError(
            f"{quoted(match['who'])} is no source I know: monitoring, customer or engineer. "
            f"Try: at {match['clock']} by monitoring: {quoted(match['who'])} …"
        )
    return moment, qualifier, trimmed(rest)
