"""The course of an incident as a postmortem tells it: the clauses of its summary, and the list of what was done.

The summary says when, how long, what it did to whom, who noticed, and what ended it: each known fact in one clause, an
unknown one in none. A template words the clauses; people's words are quoted as told, never rewritten.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.incident.dead_ends import dead_ends
from bot.domain.incident.lifecycle import OPEN, SIGNS
from bot.domain.postmortem.document import Document, Line, MitigationLine, Stamp
from bot.domain.postmortem.layout import TextPart, Words
from bot.vocabulary import DID, MITIGATED, REOPENED, RESOLVED, RULED_OUT

MOST_QUOTED = 3
"""The impact lines that the paragraph quotes: the first one, and those that state figures."""
_LONGEST_QUOTE = 280
_SENTENCE_ENDS = re.compile(
    r"(?:(?<!\be\.g)(?<!\bi\.e)(?<!\bca)(?<!\bvs)(?<!\betc)(?<!\bincl)(?<!\bapprox)\.|[!?\u2026\u3002\uff01\uff1f])"
    r"['\")\]]*\s+\S|[!?\u2026:\u3002\uff01\uff1f]['\")\]]*$",
    re.IGNORECASE,
)
_STOPS = " \t.,;\u2013\u2014-"

Quote = tuple[TextPart, ...]
"""A line of somebody's words, with its figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryClause:
    """One thing the summary says; `kind` names its wording.

    `time` and `until` are when it was, `named` the time whose date the text has given before it, `seconds` how long it
    took, `quotes` what was told of it. `mark` tells variants of one wording apart.
    """

    kind: str
    time: Stamp | None = None
    until: Stamp | None = None
    named: Stamp | None = None
    seconds: float | None = None
    within_s: float | None = None
    quotes: tuple[Quote, ...] = ()
    mark: str | None = None
    count: int = 0


Sentence = tuple[SummaryClause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The sentences of the paragraph, and the impact lines that it leaves to a list."""

    sentences: tuple[Sentence, ...]
    more: tuple[Line, ...]


def summarize(document: Document) -> Summary:
    """The summary of an incident, from its document."""
    impacts = _distinct(document.impact)
    undoing = {each.undone_by.number for each in document.mitigations if each.undone_by}
    further = [line for line in impacts if line.number in undoing and _fits(line.words)]
    quoted = _most_telling([line for line in impacts if line not in further and _is_short(line.words)])
    fitting, sentences = _divided(quoted)
    noticed, mitigated = _noticed(document), _mitigated(document)
    ended = mitigated or _resolved(document)
    told = (
        *_course(document, _quotes(fitting)),
        _quoting("told", tuple(line.words.parts for line in sentences)),
        (*noticed, *ended) if len(ended) == 1 else noticed,
        ended if len(ended) > 1 else (),
        _quoting("further", _quotes(further)),
        _unfinished(document),
    )
    shown = {line.number for line in (*quoted, *further)}
    return Summary(
        sentences=tuple(sentence for sentence in told if sentence),
        more=tuple(line for line in impacts if line.number not in shown),
    )


def ending(document: Document) -> tuple[Sentence, ...]:
    """How it ended, where a list of the steps alone does not show it: in rounds, or not at the first try."""
    mitigated = tuple(replace(clause, quotes=()) for clause in _mitigated(document))
    if len(document.rounds) > 1:
        in_rounds = _in_rounds(document, document.rounds[0].began if document.only_day else None)
        return (in_rounds, mitigated) if mitigated else (in_rounds,)
    if all(each.held for each in document.mitigations) or not mitigated:
        return ()
    resolved = document.times["resolved_at"]
    end = SummaryClause(kind="resolved_at", time=resolved, named=mitigated[-1].time)
    return ((*mitigated, end) if resolved else mitigated,)


def _distinct(lines: Iterable[Line]) -> list[Line]:
    """The lines, of those with the same words the first one."""
    found: dict[tuple[str, str], Line] = {}
    for line in lines:
        found.setdefault((line.words.first.casefold(), line.words.rest), line)
    return list(found.values())


def _is_short(words: Words) -> bool:
    return bool(words.parts) and not words.rest and len(words.first) <= _LONGEST_QUOTE


def _fits(words: Words) -> bool:
    """Whether the words can stand in a list between semicolons: one line of moderate length, at most one sentence."""
    return _is_short(words) and not _SENTENCE_ENDS.search(words.first)


def _most_telling(lines: Sequence[Line]) -> list[Line]:
    """At most MOST_QUOTED lines, in order: the first one, then those with figures, then the others."""
    chosen = sorted(lines[1:], key=lambda line: not any(part.figure for part in line.words.parts))
    kept = [*lines[:1], *chosen][:MOST_QUOTED]
    return [line for line in lines if line in kept]


def _divided(lines: Iterable[Line]) -> tuple[list[Line], list[Line]]:
    """Those that fit in a list, and those that are sentences already, or a question."""
    divided: tuple[list[Line], list[Line]] = ([], [])
    for line in lines:
        divided[not _fits(line.words)].append(line)
    return divided


def _quotes(lines: Iterable[Line]) -> tuple[Quote, ...]:
    return tuple(_unstopped(line.words.parts) for line in lines)


def _unstopped(parts: Quote) -> Quote:
    """The words without the stop at their end."""
    while parts:
        text = parts[-1].text.rstrip(_STOPS)
        if text == parts[-1].text:
            break
        parts = (*parts[:-1], replace(parts[-1], text=text)) if text else parts[:-1]
        if text:
            break
    return parts


def _quoting(kind: str, quotes: tuple[Quote, ...]) -> Sentence:
    return (SummaryClause(kind=kind, quotes=quotes),) if quotes else ()


def _vague(document: Document, time: Stamp) -> Stamp:
    """The time with what is known of how exact it is."""
    known = (each for each in document.times.values() if each and each.at == time.at)
    return replace(time, approximate=any(each.approximate for each in known))


def _course(document: Document, quotes: tuple[Quote, ...]) -> tuple[Sentence, ...]:
    """When it was and for how long. The impact is in the same sentence where one round is told."""
    rounds, resolved = document.rounds, document.times["resolved_at"]
    began = _vague(document, rounds[0].began) if rounds else document.times["started_at"]
    sign = _vague(document, document.first_sign) if document.first_sign else None
    first_sign = SummaryClause(kind="first_sign", time=sign, named=sign, mark=document.lifecycle.detected_by)
    signs = (first_sign,) if sign else ()
    in_one_day = began and resolved and began.local.date() == resolved.local.date()
    day: Sentence = ()
    if sign or (len(rounds) > 1 and in_one_day):
        day = (SummaryClause(kind="day", time=sign or began, until=resolved),)
    if len(rounds) > 1:
        return day, signs, _in_rounds(document, sign or began), _quoting("impact", quotes)
    by_detection = document.impact_began is None and began is not None and began == document.times["detected_at"]
    mark = (document.lifecycle.detected_by or "detection") if by_detection else None
    seconds = rounds[0].seconds if rounds and resolved else None
    kind = _KINDS[began is not None, resolved is not None, seconds is not None]
    fact = SummaryClause(
        kind=f"hurt_{kind}" if sign and kind in {"span", "since"} else kind,
        time=began, until=resolved, named=sign, quotes=quotes, mark=mark, seconds=seconds,
    )  # fmt: skip
    return day, (*signs, fact)


_KINDS = {
    (True, True, True): "span",
    (True, True, False): "unfit",
    (True, False, False): "since",
    (False, True, False): "ended",
    (False, False, False): "unknown",
}
"""How the course is told, by whether its beginning, its end, and the time between them are known."""


def _in_rounds(document: Document, named: Stamp | None) -> Sentence:
    """Each beginning and end; of more than MOST_QUOTED rounds those of the first and the last one."""
    rounds = document.rounds
    first, last = rounds[0], rounds[-1]
    clauses: list[SummaryClause] = []
    for each in rounds if len(rounds) <= MOST_QUOTED else (first, last):
        kind = "back" if clauses else "began"
        time = each.began if clauses else _vague(document, each.began)
        skipped = len(rounds) - 2 if each is last and len(rounds) > MOST_QUOTED else 0
        mark = "for_good" if each is last else None
        clauses.append(SummaryClause(kind=kind, time=time, until=each.ended, named=named, count=skipped, mark=mark))
        named = each.ended or each.began
    if last.ended and document.trouble_s is not None:
        within_s = (last.ended.at - first.began.at).total_seconds()
        count = len(rounds)
        clauses.append(SummaryClause(kind="in_rounds", seconds=document.trouble_s, within_s=within_s, count=count))
    return tuple(clauses)


def _noticed(document: Document) -> Sentence:
    """Who noticed and how soon, unless the course says so already."""
    detected, began = document.times["detected_at"], document.times["started_at"]
    if detected is None or document.first_sign:
        return ()
    began_with_it = bool(document.rounds) and document.impact_began is None and began == detected
    if began_with_it and (len(document.rounds) == 1 or document.lifecycle.detected_by is None):
        return ()
    seconds, by = document.lifecycle.time_to_detect_s, document.lifecycle.detected_by
    if seconds is not None or began_with_it:
        return (SummaryClause(kind="noticed", seconds=seconds, mark=by),)
    return (SummaryClause(kind="noticed_at", time=detected, named=began or document.times["resolved_at"], mark=by),)


def _mitigated(document: Document) -> Sentence:
    """The mitigations up to the end, those that did not hold with what followed, and the words of the one that did."""
    resolved = document.times["resolved_at"]
    told = [each for each in document.mitigations if resolved is None or each.line.time.at <= resolved.at]
    if not told:
        return ()
    skipped = max(0, len(told) - MOST_QUOTED)
    clauses: list[SummaryClause] = []
    named = _date_of_mitigations(document, told)
    undone: Line | None = None
    for each in (told[0], *told[1 + skipped :]):
        last = each is told[-1]
        quotes = _quotes([each.line]) if last and each.held and _fits(each.line.words) else ()
        mark = "only" if len(told) == 1 else "first" if not clauses else "again" if skipped or undone else "also"
        count = skipped if clauses and each is told[1 + skipped] else 0
        clauses.append(
            SummaryClause(kind="mitigated", time=each.line.time, named=named, mark=mark, quotes=quotes, count=count)
        )
        named, before, undone = each.line.time, undone, each.undone_by
        if undone and undone.kind != REOPENED and undone is not before:
            clauses.append(SummaryClause(kind="undone", time=undone.time, named=named, mark=undone.kind))
            named = undone.time
    return tuple(clauses)


def _date_of_mitigations(document: Document, told: Sequence[MitigationLine]) -> Stamp | None:
    """The time whose date the first mitigation may leave unsaid: that of the start, unless a later date is named since.

    Where the mitigations are a tale of their own, that goes on from the start.
    """
    resolved = document.times["resolved_at"]
    began = document.rounds[0].began if document.rounds else resolved
    last = resolved or told[-1].line.time
    several_days = began is not None and began.local.date() != last.local.date()
    own_tale = len(document.rounds) == 1 and any(each.undone_by for each in told)
    return began if own_tale or not several_days else None


def _resolved(document: Document) -> Sentence:
    line = document.resolution
    return _quoting("resolved", _quotes([line])) if line and _fits(line.words) else ()


def _unfinished(document: Document) -> Sentence:
    status = document.lifecycle.status
    return (SummaryClause(kind="unfinished", mark=status),) if status in {OPEN, MITIGATED} else ()


_STEPS = frozenset({DID, MITIGATED, RULED_OUT, RESOLVED, REOPENED})
_MINUTE_S = 60

SOON = timedelta(minutes=30)
"""An action this close before the resolution may be what ended the impact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken:
    """A step. Of a lead that was ruled out, `began` is the line that began it and `cost_s` how long it was followed.

    They are None where that is not known, or was less than a minute.
    """

    line: Line
    began: Line | None
    cost_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The steps in order: before the start, from there to the last resolution, and afterwards."""

    before: tuple[StepTaken, ...]
    during: tuple[StepTaken, ...]
    afterwards: tuple[StepTaken, ...]


def steps(document: Document) -> Steps:
    """The steps that the document's timeline tells."""
    phases = {phase.key: [line for day in phase.days for line in day.lines] for phase in document.timeline}
    lines = [line for phase in phases.values() for line in phase]
    leads = {ended.number: began for began, ended in dead_ends(lines, lambda line: line.words.first)}
    taken = {
        key: tuple(_step(line, leads.get(line.number)) for line in phase if line.kind in _STEPS)
        for key, phase in phases.items()
    }
    return Steps(before=taken.get("lead_up", ()), during=taken.get("during", ()), afterwards=taken.get("aftermath", ()))


def possible_mitigation(document: Document) -> Line | None:
    """The last action before the resolution, where no mitigation is told and it may be one.

    It stands in the minutes before the resolution, and nothing after it says that there still was trouble.
    """
    resolution = document.resolution
    if resolution is None or document.mitigations:
        return None
    lines = [line for phase in document.timeline if phase.key == "during" for day in phase.days for line in day.lines]
    before = lines[: next((at for at, line in enumerate(lines) if line.number == resolution.number), 0)]
    last = next((line for line in reversed(before) if line.kind in SIGNS | {DID, RESOLVED}), None)
    if last is None or last.kind != DID or not last.words.parts:
        return None
    return last if resolution.time.at - last.time.at <= SOON else None


def _step(line: Line, began: Line | None) -> StepTaken:
    cost_s = (line.time.at - began.time.at).total_seconds() if began else 0
    known = cost_s >= _MINUTE_S
    return StepTaken(line=line, began=began if known else None, cost_s=cost_s if known else None)
