"""The grammar of the timeline's commands: `[at TIME] [by WHO] [:] words`."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.incident.secrets import is_suspect, secrets_in
from bot.domain.time.format import clock
from bot.domain.time.moment import Moment, place
from bot.domain.time.typed import TypedTime, mentioned_time, needs_zone, take_time
from bot.domain.time.zones import abbreviations_of
from bot.domain.words import INVISIBLE, after_separator, storable, trimmed
from bot.errors import UsageError
from bot.vocabulary import (
    CAUSE,
    DETECTORS,
    DID,
    ENTRY_KINDS,
    FACTORS,
    FACTS,
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
    kind.name: {name: name for name in kind.qualifiers} | _SYNONYMS.get(kind.qualifiers, {})
    for kind in ENTRY_KINDS.values()
}

MOST_QUERY = 1000
"""Characters of the query of a graph."""
GRAPH_AROUND = timedelta(minutes=30)
"""How long before an incident's start and after its end its graphs have."""
_TYPED_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "\u2018": "'", "\u2019": "'", "\u00a0": " "})
"""What keyboards make of quotes, which no query has."""
_GAP = rf"[\s{INVISIBLE}]"
_BY = re.compile(rf"{_GAP}*by{_GAP}+(?:(?:an?|the|our){_GAP}+)?(?P<word>[a-z]+)(?![\w'\u2019/-])", re.IGNORECASE)
_PREFIX = re.compile(rf"{_GAP}*(?P<word>[a-z]+){_GAP}*:", re.IGNORECASE)
_WENT = re.compile(
    rf"{_GAP}*(?:(?:what|where|it|that|this|we){_GAP}+)*(?:(?:went|got|was|were){_GAP}+)?(?P<word>[a-z]+){_GAP}*:",
    re.IGNORECASE,
)
_PATTERNS: dict[tuple[str, ...], re.Pattern[str]] = {DETECTORS: _BY, FACTORS: _PREFIX, SIDES: _WENT}

# Without a colon, `well documented runbooks help` and `process crashed on db1` begin a sentence of their own.
_CLAUSE = (
    r"(?:at [0-9]|(?:a|all|an|because|both|each|every|everybody|everyone|few|he|her|his|how|i|it|its|many|most|my"
    r"|neither|no|nobody|none|nothing|one|only|our|she|since|some|somebody|someone|that|the|their|there|these|they|this"
    r"|those|three|two|we|what|when|which|who|you)(?![\w'\u2019/-]))"
)
_LOOSE_PREFIX = re.compile(
    rf"{_GAP}*(?P<word>[a-z]+){_GAP}+(?:[-\u2013\u2014]{_GAP}+|(?=(?P<clause>{_CLAUSE})))", re.IGNORECASE
)
"""A qualifier before the start of a clause (or a dash)."""
_SOURCE_BEFORE_TIME = re.compile(rf"{_GAP}*by(?:{_GAP}+[^\s:,;]+){{1,3}}?{_GAP}+(?=at{_GAP}+[0-9])", re.IGNORECASE)
_EXAMPLES = {
    INVESTIGATING: "the connection pool of db1",
    RULED_OUT: "not the deploy: it was rolled back, errors stayed",
    DID: "restarted db1",
    IMPACT: "5% of checkouts fail",
    CAUSE: "process: the change skipped staging",
    NOTE: "disk full on db1",
    LESSON: "well: the rollback took a minute",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A new entry as typed. `occurred_at` is aware UTC in whole milliseconds.

    `timed`: a time was typed; without one `occurred_at` is now. `zone_assumed`: it was read in the typist's own
    zone. `seconds`: seconds were typed. `qualifier` is one of the kind's; `asks` says that it is missing or was read
    without a colon, so that the receipt asks for it. `typed` is the time as typed, to be placed again once the incident
    is known, and `moment` where it lies without one. `approximate`: the time was called so. `until_at` is the end of a
    range, in the same form. `mentioned` is a time further on in words without one at their head, and how it is typed.
    """

    occurred_at: datetime
    timed: bool
    zone_assumed: bool
    seconds: bool
    qualifier: str | None
    text: str
    asks: bool = False
    typed: TypedTime | None = field(default=None, compare=False)
    moment: Moment | None = field(default=None, compare=False)
    approximate: bool = False
    until_at: datetime | None = None
    mentioned: tuple[TypedTime, str] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What to change in an entry: None leaves it as it is. Times as in an Utterance.

    `approximate` and `until_at` belong to `occurred_at`: with a new one they are changed too.
    """

    occurred_at: datetime | None
    qualifier: str | None
    text: str | None
    zone_assumed: bool
    seconds: bool
    typed: TypedTime | None = field(default=None, compare=False)
    moment: Moment | None = field(default=None, compare=False)
    approximate: bool = False
    until_at: datetime | None = None


def parse_entry(kind: Kind, words: str, *, now: datetime, zone: ZoneInfo, typed: str = "") -> Utterance:
    """A new entry of that kind. `now` is aware UTC, `zone` the typist's, `typed` the command and its words.

    Raises UsageError for a time that is none, no words where the kind needs some, and words that cannot be stored.
    """
    time, moment, qualifier, text, sure = _split(kind, words, now=now, zone=zone)
    if not text and not kind.milestone:
        example = _EXAMPLES.get(kind.name, _EXAMPLES[NOTE])
        example = example if qualifier is None else take_qualifier(kind, example)[1].strip()
        raise UsageError(f"There are no words to record. Try: {f'{typed} {example}'.strip()}")
    return Utterance(
        occurred_at=moment.at if moment else whole_milliseconds(now),
        timed=moment is not None,
        zone_assumed=moment is not None and moment.zone_assumed,
        seconds=moment is not None and moment.seconds,
        qualifier=qualifier,
        text=text,
        asks=bool(kind.qualifiers) and not sure,
        typed=time,
        moment=moment,
        approximate=moment is not None and moment.approximate,
        until_at=moment.until_at if moment else None,
        mentioned=mentioned_time(text, abbreviations_of(zone, now)) if moment is None else None,
    )


def parse_correction(
    kind: Kind, words: str, *, now: datetime, zone: ZoneInfo, reference: datetime, typed: str = ""
) -> Correction:
    """A new time, new words or both for an entry of that kind which happened at `reference` (aware).

    A clock time without a date is the one closest to `reference` that is not after now; `-10m` still counts
    from now. Raises UsageError when nothing is to change, and as `parse_entry` does.
    """
    time, moment, qualifier, text, _ = _split(kind, words, now=now, zone=zone, reference=reference)
    if moment is None and qualifier is None and not text:
        # The words of a fact are its value, of which there are few; its time can be corrected to any.
        example = f"at {clock(now.astimezone(zone))}" if kind.name in FACTS else "disk full on db1"
        raise UsageError(f"Say what to change: the time, the words or both. Try: {f'{typed} {example}'.strip()}")
    return Correction(
        occurred_at=moment.at if moment else None,
        qualifier=qualifier,
        text=text or None,
        zone_assumed=moment is not None and moment.zone_assumed,
        seconds=moment is not None and moment.seconds,
        typed=time,
        moment=moment,
        approximate=moment is not None and moment.approximate,
        until_at=moment.until_at if moment else None,
    )


def graph_query(kind: str, text: str) -> str | None:
    """The query of a note that asks for a graph, `graph sum(rate(errors_total[5m]))`; None for other words."""
    word, _, query = text.strip().partition(" ")
    query = " ".join(query.translate(_TYPED_QUOTES).strip("` ").split())
    return query if kind == NOTE and word.lower() == "graph" and 0 < len(query) <= MOST_QUERY else None


def looks_secret(text: str) -> bool:
    """Whether the words seem to hold a token, a key or a password."""
    return is_suspect(text) and bool(secrets_in(text))


def entry_needs_zone(kind: Kind, words: str) -> bool:
    """Whether the time in the words of a new entry of that kind depends on the typist's zone."""
    after_qualifier, source = take_qualifier(kind, words)[1], _SOURCE_BEFORE_TIME.match(words)
    return any(map(needs_zone, (words, after_qualifier, words[source.end() :] if source else "")))


def correction_needs_zone(words: str) -> bool:
    """The same for `3 at 14:05`, the words of a correction: which kind entry 3 is, only the store knows."""
    _, _, after_number = words.strip().partition(" ")
    return any(entry_needs_zone(kind, after_number) for kind in KINDS.values())


def take_qualifier(kind: Kind, words: str) -> tuple[str | None, str, bool]:
    """The kind's qualifier that the words begin with, what follows it, and whether it was certainly meant as one.

    None, all words and False without one.
    """
    qualifiers = _QUALIFIERS[kind.name]
    pattern = _PATTERNS[kind.qualifiers] if qualifiers else _PREFIX
    match = pattern.match(words) or (_LOOSE_PREFIX.match(words) if pattern is not _BY else None)
    qualifier = qualifiers.get(match["word"].lower()) if match else None
    if match is None or qualifier is None:
        return None, words, False
    loose = match.re is _LOOSE_PREFIX
    # The colon that makes a prefix belongs to it: a second one, of an emoji, is left to the words.
    tail = words[match.end() :]
    return (
        qualifier,
        tail if loose or match[0].endswith(":") else after_separator(tail),
        not (loose and match["clause"]),
    )


def _split(
    kind: Kind, words: str, *, now: datetime, zone: ZoneInfo, reference: datetime | None = None
) -> tuple[TypedTime | None, Moment | None, str | None, str, bool]:
    """The time as typed and as placed, qualifier, text, and whether the qualifier is certain.

    The qualifier may stand before the time or after it.
    """
    own = abbreviations_of(zone, reference or now)
    qualifier, rest, sure = take_qualifier(kind, storable(words))
    typed, rest = take_time(rest, own, now=now)
    if qualifier is None:
        qualifier, rest, sure = take_qualifier(kind, rest)
    unknown = typed is None and qualifier is None and kind.qualifiers == DETECTORS
    if unknown and (source := _SOURCE_BEFORE_TIME.match(rest)):
        # `by pagerduty at 12:05`: the words keep the source, and the receipt asks which of the known ones it is.
        typed, after = take_time(rest[source.end() :], own, now=now)
        rest = f"{source[0].strip()} {after}" if typed else rest
    moment = place(typed, now=now, zone=zone, reference=reference) if typed else None
    return typed, moment, qualifier, trimmed(rest), sure
