"""Tells in the third person what responders wrote in the first: `I noticed` becomes `An engineer noticed`.

A pronoun is replaced where the form of the verb after it stays right. Otherwise the words are told as what somebody
reported, unchanged and between quotation marks, so that no sentence says more than was said.
"""

import re

from bot.domain.postmortem.names import is_past
from bot.domain.words import CODE

PERSON, TEAM = "an engineer", "the team"

_AGREEMENT = {
    "am": "is", "are": "is", "aren't": "isn't", "were": "was", "weren't": "wasn't", "have": "has", "haven't": "hasn't",
    "do": "does", "don't": "doesn't", "'m": " is", "'re": " is", "'ve": " has", "'ll": " will",
}  # fmt: skip
_PLURAL = {"am": "are", "was": "were", "wasn't": "weren't", "'m": " are", "'ve": " have", "'ll": " will"}
_PRESENT_WORDS = (
    "see need know think believe expect suspect see want get run use rely depend keep plan say assume recommend agree "
    "add check hope intend look make page pay restart roll send serve start stop test try wait work "
    "apologise apologize regret track store host own operate offer ask call find fix follow investigate monitor"
)
_PRESENT = frozenset(_PRESENT_WORDS.split())
_ADVERB = (
    r"(?:also|then|just|now|only|first|finally|still|immediately|quickly|already|again|later|initially|soon|eventually"
    r"|manually|never|always|accidentally|mistakenly|wrongly|[a-z]{3,12}ly)"
)
_NEAR = 60
_CURLY, _STRAIGHT = "\u2019", "'"
_QUOTED = re.compile(r"\u201c[^\u201c\u201d]*\u201d|\"[^\"\n]*\"|\u00ab[^\u00ab\u00bb]*\u00bb")
_SUBJECT = re.compile(
    r"(?<![\w/.@#'\u2019-])(?P<who>I|[Ww]e|WE|i)(?P<short>['\u2019](?:m|re|ve|ll))?(?![\w/.@'\u2019-])"
    rf"(?P<adverbs>(?: +{_ADVERB}\b)*)(?: +(?P<verb>[a-z]+(?:['\u2019]t)?)(?![\w-]))?"
)
_AND_I = re.compile(r"(?<=\band )(?:I|i|me|myself)(?![\w/.'\u2019-])|(?<=\bor )(?:me)(?![\w/.'\u2019-])")
_OTHERS = re.compile(
    r"(?<![\w/.@#'\u2019-])(?P<word>(?:[Mm]y|[Oo]ur)(?: own)?|[Mm]ine|[Oo]urs|me|[Mm]yself|[Oo]urselves|(?<!\bthe )us)"
    r"(?![\w/@'\u2019-]|\.\w)"
)
_ASKING = re.compile(
    r"\b(?:do|does|did|can|could|should|shall|will|would|may|might|must|are|were|was|am|have|had|has)"
    r"(?:n['\u2019]t)? +$",
    re.IGNORECASE,
)
"""Before a pronoun, what turns the sentence into a question."""
_LETTER = re.compile(
    r"\b(?:phase|option|part|type|class|step|stage|tier|level|figure|table|vol\.?|war|zone|plan) $", re.IGNORECASE
)
_FIRST = re.compile(
    r"(?<![\w/.@#-])(?:I|i(?=['\u2019](?:m|ve|ll|d)\b| (?:am|was|have|had|did|do|[a-z]+ed)\b)|[Ww]e|WE|[Mm]y"
    r"|[Oo]urs?|[Mm]ine|[Mm]e|(?<!\bthe )us|Us|[Mm]yself|[Oo]urselves"
    r"|[Ll]et['\u2019]s)(?![\w/@-]|\.\w)"
)
_STOP = re.compile(r"[.!?\n](?=\s|$)")
_TEAM_FORMS = {"our": f"{TEAM}'s", "our own": f"{TEAM}'s own", "ours": f"{TEAM}'s", "us": TEAM, "ourselves": "itself"}
_PERSON_FORMS = {"my": "{}'s", "my own": "{}'s own", "mine": "{}'s", "me": "{}", "myself": "themselves"}
_THEY_FORMS = {"my": "their", "my own": "their own", "mine": "theirs", "me": "them", "myself": "themselves"}


def first_person(text: str) -> tuple[str, ...]:
    """The words of the first person in `text`, outside code and quotations, in order."""
    return tuple(match[0] for match in _found(text))


def _found(text: str) -> list[re.Match[str]]:
    hidden = _hidden(text)
    return [
        match
        for match in _FIRST.finditer(text)
        if not _inside(match.start(), hidden) and not (match[0] == "I" and _LETTER.search(_before(text, match.start())))
    ]


def third_person(text: str) -> str:
    """`text` without the first person; what cannot be told otherwise becomes a quotation of somebody's report."""
    if not first_person(text):
        return text
    told = _Teller(text).tell()
    left = {told.count("\n", 0, match.start()) for match in _found(told)}
    lines = zip(text.split("\n"), told.split("\n"), strict=True)
    return "\n".join(_reported(before) if line in left else after for line, (before, after) in enumerate(lines))


def _reported(line: str) -> str:
    quoted = line.strip().replace("\u201c", "\u2018").replace("\u201d", "\u2019")
    return f"{_capital(PERSON)} reported: \u201c{quoted}\u201d"


def _hidden(text: str) -> list[tuple[int, int]]:
    return [match.span() for pattern in (CODE, _QUOTED) for match in pattern.finditer(text)]


def _before(text: str, position: int) -> str:
    """The nearest words before the position; the whole of a long text would be read again for each pronoun."""
    return text[max(0, position - _NEAR) : position]


def _inside(position: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


class _Teller:
    """Replaces the pronouns of one text from left to right.

    `known_until` is the end of the sentence in which the engineer was named last, where `they` is understood.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.hidden = _hidden(text)
        self.named = False
        self.known_until = -1

    def tell(self) -> str:
        """The text with every pronoun that can be replaced replaced."""
        found = [*_SUBJECT.finditer(self.text), *_OTHERS.finditer(self.text), *_AND_I.finditer(self.text)]
        parts: list[str] = []
        done = 0
        for match in sorted(found, key=lambda match: (match.start(), -len(match.re.pattern))):
            if match.start() < done or _inside(match.start(), self.hidden):
                continue
            replaced = self._replacement(match)
            if replaced is not None:
                parts += [self.text[done : match.start()], replaced]
                done = match.end()
        return "".join([*parts, self.text[done:]])

    def _replacement(self, match: re.Match[str]) -> str | None:
        if match.re is _AND_I:
            return f"another {PERSON.partition(' ')[2]}"
        told = self._subject(match) if match.re is _SUBJECT else self._other(match["word"], match.start())
        if told is None:
            return None
        before = _before(self.text, match.start()).rstrip(" ")
        starts = not before or before.endswith((".", "!", "?", "\n"))
        return _capital(told) if starts else told

    def _subject(self, match: re.Match[str]) -> str | None:
        who, short = match["who"], (match["short"] or "").replace("\u2019", "'")
        verb = match["verb"] or ""
        before = _before(self.text, match.start())
        if self._and_before(match.start()) or _ASKING.search(before) or (who == "I" and _LETTER.search(before)):
            return None
        if who == "i" and not (short or is_past(verb) or verb in _AGREEMENT):
            return None
        ahead = match[0][len(who) + len(short) : match.start("verb") - match.start() if verb else None]
        if who in "Ii" and match.start() < self.known_until:
            return f"they{_PLURAL.get(short, short)}{ahead}{_PLURAL.get(verb.replace(_CURLY, _STRAIGHT), verb)}"
        form = verb if short else _singular(verb)
        if form is None:
            return None
        subject = self._person(match.start()) if who in "Ii" else TEAM
        return f"{subject}{_AGREEMENT.get(short, short)}{ahead}{form}"

    def _and_before(self, position: int) -> bool:
        return re.search(r"(?:\b[A-Z][\w-]*|engineer) (?:and|or) $", _before(self.text, position)) is not None

    def _other(self, word: str, position: int) -> str | None:
        key = " ".join(word.lower().split())
        if word in {"Myself", "Ourselves"} or (key == "myself" and position == 0):
            return None
        if key in _TEAM_FORMS:
            return _TEAM_FORMS[key]
        if position < self.known_until:
            return _THEY_FORMS[key]
        return _PERSON_FORMS[key].format(self._person(position))

    def _person(self, position: int) -> str:
        """`an engineer` at first, `the engineer` in a later sentence; from here on `they` is understood."""
        name = f"the {PERSON.partition(' ')[2]}" if self.named else PERSON
        stop = _STOP.search(self.text, position)
        self.named, self.known_until = True, stop.start() if stop else len(self.text)
        return name


def _singular(verb: str) -> str | None:
    """The form of the verb after a name: `was`, `has`, `sees`, `tries`, `pushes`; None for a word that may be none."""
    lower = verb.replace(_CURLY, _STRAIGHT)
    if lower in _AGREEMENT or is_past(lower):
        return _AGREEMENT.get(lower, verb)
    if lower not in _PRESENT:
        return None
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ies"
    return f"{verb}es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else f"{verb}s"
