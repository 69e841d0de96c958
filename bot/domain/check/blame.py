"""The rule on wording: text that blames a person or judges with hindsight, and what to write instead.

Quoted text is skipped (see `quoting`), and most phrases count only with a person as their subject (see `subject`): a
backup that *failed to start* is fine, an engineer who *failed to check* is blamed. English only; irony, and phrases
that the table does not have, are not found.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from bot.domain.check.finding import Advice, Material, at_entry, at_items
from bot.domain.check.phrases import ROWS, PhraseRow, Wording
from bot.domain.check.quoting import mask_quotations, without_fences
from bot.domain.check.subject import People, names_person, subject
from bot.domain.postmortem.causes import causes, slips
from bot.vocabulary import CAUSE

_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n")
_OF_A_SLIP = frozenset({Wording.HUMAN_ERROR, Wording.OMISSION, Wording.CAUSER})
"""What is wrong with a phrase that names a slip."""
_CONTEXT = 300
"""How many characters before and after a phrase are searched for the ends of its sentence."""
_LONGEST_PHRASE = 80
_WORD_BEFORE = re.compile(r"[@\w.-]+(?:['\u2019]s)?$")

_ENDING = re.compile(r"^#{2,6}[ \t].*\b(?:ended|end|resol|recover|mitigat|restor)", re.IGNORECASE | re.MULTILINE)
_EMPHASIS = re.compile(r"\*\*|__")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BULLET_HEAD = re.compile(r"^[-*+\d.)\s]*(?:#\d+\s+)?")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """A blaming `phrase`, the `sentence` around it, and what is wrong with it."""

    phrase: str
    sentence: str
    fault: Wording


def wording(material: Material) -> Advice:
    """Blame or hindsight in entries, action items and sections. What an entry says is reported once."""
    bodies = _without_entries(material)
    texts = (*(entry.text for entry in material.entries), *(item.text for item in material.items), *bodies)
    rows = candidate_rows("\n".join(texts))
    slipped = {entry.number for entry, _ in slips(material.entries)} if "slips" in material.on else set()
    reported: set[str] = set()

    # Alerts repeat their words.
    @cache
    def blamed(text: str, *, cause: bool) -> list[Blame]:
        return find_blame(text, people=material.people, cause=cause, rows=rows)

    for entry in material.entries:
        for blame in blamed(entry.text, cause=entry.kind == CAUSE):
            # A draft tells the causes of one entry apart.
            parts = [cause.text for cause in causes(entry)] if entry.kind == CAUSE else []
            reported |= {_normalized(each) for each in (blame.sentence, *parts)}
            # The rule `slips` already asks about the step.
            if entry.number not in slipped or blame.fault not in _OF_A_SLIP:
                yield at_entry(entry), *_reason_and_fix(blame)
    for item in material.items:
        for blame in find_blame(item.text, people=material.people, rows=rows):
            reported.add(_normalized(blame.sentence))
            # The rule `vague` already reports an item that asks for care.
            if blame.fault is not Wording.APPEAL or "vague" not in material.on:
                yield at_items([item.number]), *_reason_and_fix(blame)
    for section, body in zip(material.sections, bodies, strict=True):
        for blame in _in_section(section.key, body, material, rows):
            if not reported & {_normalized(part) for part in _possible_entries(blame.sentence)}:
                yield section.heading, *_reason_and_fix(blame)


def candidate_rows(text: str) -> tuple[PhraseRow, ...]:
    """The rows that can match somewhere in `text`, so that the others are not tried on each part of it."""
    lowered = text.lower()
    return tuple(row for row in ROWS if any(stem in lowered for stem in row.stems))


def find_blame(
    text: str, *, people: People = frozenset(), cause: bool = False, rows: tuple[PhraseRow, ...] = ROWS
) -> list[Blame]:
    """The blame in `text`, in order; of phrases that overlap, the first.

    `people` are the known names. `cause` says that the text describes what led to the incident: there also a person as
    the one who acted is a finding. `rows` are the phrases to look for.
    """
    lowered = text.lower()
    tried = [row for row in rows if (cause or not row.causes) and any(stem in lowered for stem in row.stems)]
    # Masking quotations costs far more than finding out that no phrase matches.
    if not any(row.pattern.search(text) for row in tried):
        return []
    masked = mask_quotations(text)
    matches = sorted(
        ((*match.span(), row) for row in tried for match in _matches(row, masked, people)),
        key=lambda found: (found[0], -found[1]),
    )
    blames: list[Blame] = []
    done = -1
    for start, end, row in matches:
        if start >= done:
            blames.append(_blame(text, start, end, row))
            done = end
    return blames


def _matches(row: PhraseRow, text: str, people: People) -> Iterator[re.Match[str]]:
    for match in row.pattern.finditer(text):
        if row.about is not None:
            before = text[_sentence_start(text, match.start()) : match.start()]
            if subject(before, people) not in row.about:
                continue
        if row.person_follows and not names_person(text[match.end() : match.end() + _CONTEXT], people):
            continue
        yield match


def _sentence_start(text: str, position: int) -> int:
    earliest = max(0, position - _CONTEXT)
    ends = [end.end() for end in _SENTENCE_END.finditer(text, earliest, position)]
    return ends[-1] if ends else earliest


def _blame(text: str, start: int, end: int, row: PhraseRow) -> Blame:
    begin = _sentence_start(text, start)
    stop = _SENTENCE_END.search(text, end, end + _CONTEXT)
    finish = stop.start() if stop else min(len(text), end + _CONTEXT)
    return Blame(
        phrase=_phrase(text[begin:start], text[start:end], text[end:finish]),
        sentence=" ".join(text[begin:finish].split()),
        fault=row.fault,
    )


def _phrase(before: str, words: str, after: str) -> str:
    """The matched words with the word before them and the rest of the clause, in at most _LONGEST_PHRASE characters."""
    lead = _WORD_BEFORE.search(before.rstrip())
    gap = " " if before.endswith((" ", "\t")) else ""
    rest = re.match(r"[^.;:,!?\n]{0,60}(?![\w'])", after)
    whole = f"{lead[0] + gap if lead else ''}{words}{rest[0] if rest else ''}"
    whole = " ".join(whole.split())
    return whole if len(whole) <= _LONGEST_PHRASE else f"{whole[:_LONGEST_PHRASE].rsplit(' ', 1)[0]} …"


def _reason_and_fix(blame: Blame) -> tuple[str, str]:
    return f"“{blame.phrase}” {blame.fault.reason}", blame.fault.better


def _in_section(key: str, body: str, material: Material, rows: tuple[PhraseRow, ...]) -> Iterator[Blame]:
    """The blame in a section. In a section on causes, the part on the recovery is not read as a cause."""
    text = html.unescape(_ESCAPED.sub(r"\1", _EMPHASIS.sub("", without_fences(body))))
    ending = _ENDING.search(text) if "cause" in key else None
    causes, rest = (text[: ending.start()], text[ending.start() :]) if ending else (text, "")
    yield from find_blame(causes, people=material.people, cause="cause" in key, rows=rows)
    yield from find_blame(rest, people=material.people, rows=rows)


def _without_entries(material: Material) -> list[str]:
    """The sections' bodies without the lines of the timeline, whose entries are checked themselves.

    Such a line has an entry's words between its label and its author.
    """
    texts = {entry.text for entry in material.entries if entry.text}
    return [
        "\n".join(
            line for line in section.body.split("\n") if line.partition(": ")[2].rpartition(" — ")[0] not in texts
        )
        for section in material.sections
    ]


def _possible_entries(sentence: str) -> Iterator[str]:
    """The sentence, and the parts of it that may be an entry's text: without list mark, time, label and author."""
    head = len(sentence) - len(_BULLET_HEAD.sub("", sentence))
    starts = (0, head, *(match.end() for match in re.finditer(": ", sentence)))
    dash = sentence.rfind(" — ")
    for start in starts:
        yield sentence[start:]
        if dash > start:
            yield sentence[start:dash]


def _normalized(sentence: str) -> str:
    return _SPACE.sub(" ", sentence).strip(" .:;,!?").lower()
