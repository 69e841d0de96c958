"""Erasing an entry's words wherever they stand: find them in any other text, and put a mark in their place.

The words come back in many shapes: escaped for Slack or Markdown, clipped, wrapped, with a figure in bold, quoted in a
section that a person wrote. So texts are compared by their letters and digits alone, and a part of the words counts as
they do: any PIECE of them, and each word of them that no language has, such as a token.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from html import escape

from bot.domain.incident.secrets import secrets_in
from bot.domain.incident.topics import is_private
from bot.domain.words import visible

PIECE = 24
"""Letters and digits of the words that count as a quotation of them; a cut of twice that length holds such a piece."""
LONG, SHORT, BARE = 12, 6, 3
"""With fewer letters and digits than LONG words count only between spaces or signs, and never with fewer than BARE. A
word of them must have SHORT ones to count alone."""
MAX_REASON = 200

_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|#39);")
_SIGNS = re.compile(r"[\s\"'`<>(),;=|]+")
_NAMED = re.compile(r"@[\w.-]+")
_MARKUP = re.compile(r"[<>&*`~\[\]|\\#\x00-\x1f\x7f]|\b_|_\b")
_MARK = re.compile(r"(?:private: )?\[erased by .+ on [0-9]{4}-[0-9]{2}-[0-9]{2}: .*\]")
_BEFORE, _AFTER = re.compile(r"[^\w\s]*$"), re.compile(r"[^\w\s]*")
_CALENDAR = re.compile(
    r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}(?:T?[0-9:.]*Z?)|[0-9]{1,2}:[0-9]{2}(?::[0-9.]+)?|inc-?[0-9]+", re.IGNORECASE
)
_COMMON = frozenset(
    {
        "password", "passwd", "passphrase", "passwort", "token", "tokens", "secret", "secrets", "key", "keys",
        "credential", "credentials", "login", "user", "name", "customer", "customers", "private", "mistake",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Letters:
    """A text's letters and digits, case-folded, each with its place in the text."""

    folded: str
    places: tuple[int, ...]


def mark_of(text: str, *, by: str, on: date, why: str) -> str:
    """What stands in place of the words: who erased them, when and why. A `private:` entry stays one.

    It stands as it is in texts that are escaped already, so it has no character that is markup anywhere.
    """
    who, why = (" ".join(_MARKUP.sub(" ", visible(part)).split()) for part in (by, why))
    mark = f"[erased by {who} on {on:%Y-%m-%d}: {why}]"
    return f"private: {mark}" if is_private(text) else mark


def is_erased(texts: Iterable[str]) -> bool:
    """Whether all of an entry's texts are marks, or empty."""
    return all(not text or _MARK.fullmatch(text) for text in texts)


def repeats(why: str, texts: Iterable[str]) -> bool:
    """Whether the reason holds a secret, a word that no language has, a piece of the words, or is one of them."""
    texts = tuple(texts)
    words = {_letters(word).folded for text in texts for word in _SIGNS.split(text)}
    alone = _letters(why).folded
    return bool(secrets_in(why)) or Eraser(texts, mark="").holds(why) or (alone in words - _COMMON - {""})


class Eraser:
    """Erases `texts`, the words of one entry and of its revisions, from other texts.

    `kept` are the words of the incident's other entries and items: what they share with the erased ones stays where
    they stand.
    """

    def __init__(self, texts: Iterable[str], *, mark: str, kept: Iterable[str] = ()) -> None:
        self.mark = mark
        texts = [text for text in texts if text and not _MARK.fullmatch(text)]
        lines = {line for text in texts for line in text.splitlines()}
        parts = {_letters(part).folded: part for text in texts for part in _phrases(text)}
        words = {_letters(word).folded: word for line in lines for word in _distinctive(line)}
        # Words of signs alone are compared as they are.
        self._signs = {
            shape
            for line in lines
            if len(_letters(line).folded) < BARE
            for shape in _shapes(line)
            if len(shape) >= SHORT
        }
        self._words = words.keys()
        self._pieces = [
            (folded, start)
            for folded in sorted(parts | words, key=lambda each: (-len(each), each))
            for start in _starts(folded)
        ]
        # A short line between others is too common to count but as a line of its own.
        self._lines = {folded for line in lines if (folded := _letters(line).folded)}
        self._runs = {_longest_run(_letters((parts | words)[folded]), start) for folded, start in self._pieces}
        self._runs |= {_longest_run(_letters(line), 0) for line in lines if _letters(line).folded}
        self._kept = {
            letters
            for text in kept
            for line in text.splitlines()
            if (letters := _letters(line).folded)
            and (letters in self._lines or any(part in letters for part in self._needles()))
        }

    def _needles(self) -> Iterator[str]:
        for phrase, start in self._pieces:
            yield phrase[start : start + PIECE]

    def holds(self, text: str) -> bool:
        """Whether the words, or a part of them that counts, stand in the text."""
        return self._may_hold(text) and any(next(self._spans(line), None) for line in text.split("\n"))

    def _may_hold(self, text: str) -> bool:
        """A fast test that every text with the words passes: most texts are without, and there are many."""
        folded = text.casefold()
        return any(run in folded for run in self._runs) or any(signs in text for signs in self._signs)

    def erased(self, text: str) -> str:
        """The text with the mark in place of the words; the text itself where they are not in it.

        A line of nothing but the words becomes the mark; of several such lines one after the other, one stays.
        """
        if not self._may_hold(text):
            return text
        result: list[str] = []
        for line in text.split("\n"):
            shown = self._line(line)
            if shown != line and shown.strip() == self.mark and result and result[-1].strip().endswith(self.mark):
                continue
            result.append(shown)
        return "\n".join(result)

    def _line(self, line: str) -> str:
        shown, end = "", 0
        for start, stop in _joined(line, sorted(self._spans(line))):
            before = line[end:start]
            shown += before if before.strip() or not shown else ""
            shown += "" if shown.endswith(self.mark) else self.mark
            end = stop
        return shown + line[end:] if end else line

    def _spans(self, line: str) -> Iterator[tuple[int, int]]:
        """The places of the words in one line, as (start, end)."""
        for signs in self._signs:
            yield from ((found.start(), found.end()) for found in re.finditer(re.escape(signs), line))
        letters = _letters(line)
        if letters.folded in self._lines - self._kept:
            yield letters.places[0], letters.places[-1] + 1
            return
        protected = [
            (found.start(), found.end())
            for kept in self._kept
            for found in re.finditer(re.escape(kept), letters.folded)
        ]
        for phrase, offset in self._pieces:
            needle = phrase[offset : offset + PIECE]
            at = letters.folded.find(needle)
            while at >= 0:
                start, end = _grown(letters.folded, at, phrase, offset, len(needle))
                inside = any(first <= start and end <= last for first, last in protected)
                anywhere = phrase in self._words or len(phrase) >= LONG
                if not inside and (anywhere or _stands_alone(line, letters, start, end)):
                    yield letters.places[start], letters.places[end - 1] + 1
                at = letters.folded.find(needle, at + 1)


def _letters(text: str) -> _Letters:
    """The text's letters and digits without entities, which escaping adds."""
    pairs = [
        (folded, place) for place, each in enumerate(_blanked(text)) if each.isalnum() for folded in each.casefold()
    ]
    return _Letters("".join(folded for folded, _ in pairs), tuple(place for _, place in pairs))


def _blanked(text: str) -> str:
    """The text with a sign for each character of an entity."""
    return _ENTITY.sub(lambda entity: "&" * len(entity[0]), text)


def _shapes(line: str) -> tuple[str, str]:
    """The line as it was typed, and as Slack escapes it."""
    return line.strip(), escape(line.strip(), quote=False)


def _phrases(text: str) -> Iterator[str]:
    """What counts as the text: all of it, as on one line; its lines; what stands between the people named in it.

    The latter names change, and a part of many is too common to count when it is short.
    """
    yield text
    first, *rest = text.splitlines()
    yield from (line for line in (first,) if len(_letters(line).folded) >= SHORT)
    parts = (*rest, *(part for line in (first, *rest) for part in _NAMED.split(line)))
    yield from (part for part in parts if len(_letters(part).folded) >= LONG)


def _distinctive(line: str) -> Iterator[str]:
    """The secrets in the line, and its words that no language has: letters and digits in one, or a long number."""
    for secret in secrets_in(line):
        yield from secret.splitlines()
    for word in _SIGNS.split(line):
        folded = _letters(word).folded
        has_digit = any(each.isdigit() for each in folded)
        if len(folded) >= SHORT and has_digit and not _CALENDAR.fullmatch(word.strip("[].:")):
            yield word


def _starts(phrase: str) -> list[int]:
    """Where its pieces begin; the last one ends where it ends."""
    if len(phrase) < BARE:
        return []
    last = max(0, len(phrase) - PIECE)
    return sorted({*range(0, last, PIECE), last})


def _longest_run(letters: _Letters, start: int) -> str:
    """The longest part of a piece whose letters touch each other in the text: no way to show it parts these."""
    runs, places = [""], letters.places
    for index in range(start, min(start + PIECE, len(places))):
        touches = index > start and places[index] - places[index - 1] <= 1
        runs[-1:] = [runs[-1] + letters.folded[index]] if touches else [runs[-1], letters.folded[index]]
    return max(runs, key=len)


def _grown(line: str, at: int, phrase: str, offset: int, length: int) -> tuple[int, int]:
    """The piece found at `at` with what of the phrase stands before and after it: a clipped text ends within one."""
    start, end = at, at + length
    while start and start - at + offset > 0 and line[start - 1] == phrase[start - at + offset - 1]:
        start -= 1
    while end < len(line) and (after := end - at + offset) < len(phrase) and line[end] == phrase[after]:
        end += 1
    return start, end


def _stands_alone(line: str, letters: _Letters, start: int, end: int) -> bool:
    first, last = letters.places[start], letters.places[end - 1] + 1
    return not line[max(0, first - 1) : first].isalnum() and not line[last : last + 1].isalnum()


def _joined(line: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans, those that overlap or have only signs between them as one, each with the signs that touch it."""
    text = _blanked(line)
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and not any(each.isalnum() for each in text[merged[-1][1] : start]):
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    for start, end in merged:
        yield start - len(_BEFORE.search(text[:start])[0]), end + len(_AFTER.match(text, end)[0])  # type: ignore[index]
