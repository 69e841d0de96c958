"""Words that blame a person or judge with hindsight, and what to write instead.

What a text only quotes is left out, and most rows of the table hold for people only: a backup that *failed to start*
is told as it is, an engineer who *failed to check* is judged. English only; irony, and blame in words the table does
not have, go unnoticed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.check.phrases import ROWS, PhraseRow, Wording
from bot.domain.check.quoting import unquoted
from bot.domain.check.subject import People, names_person, subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """One finding: the `phrase` as it stands, the `sentence` around it, and what is wrong with it."""

    phrase: str
    sentence: str
    fault: Wording


_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n")
_FARTHEST = 300
_LONGEST_PHRASE = 80
_WORD_BEFORE = re.compile(r"[@\w.-]+(?:['\u2019]s)?$")


def worth_trying(text: str) -> tuple[PhraseRow, ...]:
    """The rows that could hold somewhere in `text`: the rest need not be tried on any part of it."""
    lowered = text.lower()
    return tuple(row for row in ROWS if any(stem in lowered for stem in row.stems))


def blaming(
    text: str, *, people: People = frozenset(), cause: bool = False, rows: tuple[PhraseRow, ...] = ROWS
) -> list[Blame]:
    """What in `text` blames somebody, in order, at most once a place.

    `people` are the names known; `cause` says that the text tells what led to the incident, where a person as the
    one who acted is a finding too. `rows` are those to be tried.
    """
    lowered = text.lower()
    tried = [row for row in rows if (cause or not row.causes) and any(stem in lowered for stem in row.stems)]
    # Reading what is quoted costs far more than looking whether there is anything to find.
    if not any(row.pattern.search(text) for row in tried):
        return []
    plain = unquoted(text)
    found = sorted(((*match.span(), row) for row in tried for match in _matches(row, plain, people)), key=_place)
    return [_blame(text, start, end, row) for start, end, row in _apart(found)]


def _place(found: tuple[int, int, PhraseRow]) -> tuple[int, int]:
    return found[0], -found[1]


def _apart(found: list[tuple[int, int, PhraseRow]]) -> Iterator[tuple[int, int, PhraseRow]]:
    """Of those that overlap, the first: one phrase is one finding."""
    done = -1
    for start, end, row in found:
        if start >= done:
            yield start, end, row
            done = end


def _matches(row: PhraseRow, text: str, people: People) -> Iterator[re.Match[str]]:
    for match in row.pattern.finditer(text):
        if (
            row.about is not None
            and subject(text[_start(text, match.start()) : match.start()], people) not in row.about
        ):
            continue
        if row.person_follows and not names_person(text[match.end() : match.end() + _FARTHEST], people):
            continue
        yield match


def _start(text: str, position: int) -> int:
    """Where the sentence around `position` begins, as far as one looks back."""
    earliest = max(0, position - _FARTHEST)
    ends = [end.end() for end in _SENTENCE_END.finditer(text, earliest, position)]
    return ends[-1] if ends else earliest


def _blame(text: str, start: int, end: int, row: PhraseRow) -> Blame:
    begin = _start(text, start)
    stop = _SENTENCE_END.search(text, end, end + _FARTHEST)
    finish = stop.start() if stop else min(len(text), end + _FARTHEST)
    return Blame(
        phrase=_phrase(text[begin:start], text[start:end], text[end:finish]),
        sentence=" ".join(text[begin:finish].split()),
        fault=row.fault,
    )


def _phrase(before: str, words: str, after: str) -> str:
    """The words with the one before them, and the rest of the clause as far as it is short."""
    lead = _WORD_BEFORE.search(before.rstrip())
    gap = " " if before.endswith((" ", "\t")) else ""
    rest = re.match(r"[^.;:,!?\n]{0,60}(?![\w'])", after)
    whole = f"{lead[0] + gap if lead else ''}{words}{rest[0] if rest else ''}"
    whole = " ".join(whole.split())
    return whole if len(whole) <= _LONGEST_PHRASE else f"{whole[:_LONGEST_PHRASE].rsplit(' ', 1)[0]} …"
