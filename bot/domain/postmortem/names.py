"""Replaces names of people in free text by their roles in the incident.

Names are matched as whole words, in any case and however they are joined (`alice-dba`, `Alice Dba`, `@alice_dba`), and
so is each part of a participant's name, unless that part names a job.
"""

import re
from dataclasses import dataclass, field

_ORDINALS = ("another", "a third", "a fourth", "a fifth", "a sixth", "a seventh", "an eighth", "a ninth", "a tenth")

_JOB_WORDS = (
    "admin api app bot call comms communications cto data database dba dbops dev devops duty eng engineer "
    "engineering frontend backend fw group head here channel everyone infra infrastructure it lead leadership "
    "management manager mobile net network noc on oncall ops owner payments platform primary product qa "
    "release scribe secondary security service site squad sre staff storage subteam support sys sysadmin "
    "system team test the waf web www datadog github gitlab grafana jenkins jira opsgenie pagerduty prometheus "
    "sentry slack statuspage"
)
"""Words within handles that name a job, a team or a service, and no person."""
_EVERYDAY_WORDS = (
    "able april art august bill brook chase chance chip dale dawn dean drew faith frank gene grace grant guy "
    "hope hunt iris jack joy june kit lance long mark mason max may miles miss nick norm page pat penny pierce "
    "ray rich rob rose rusty sky skip sterling stone sue summer trace van victor wade ward will young"
)
"""Names that are also English words: such a word counts as a name only with an @ or a capital."""
_JOBS, _EVERYDAY = frozenset(_JOB_WORDS.split()), frozenset(_EVERYDAY_WORDS.split())
_SHORTEST_PART = 3
_LONGEST_NAME = 5
"""How many words of a name are matched."""

_MENTION = re.compile(r"<@([UW][A-Z0-9]{1,20})(?:\|[^<>]{0,80})?>")
_ADDRESS = re.compile(r"(?:mailto:)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_WORD = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"[ ._-]?|\\_")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts without spaces between words (Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean).

A name in one of them is matched anywhere in the text.
"""
_HANDLE = re.compile(r"(?<![\w@])@([^\W_](?:[\w.-]*\w)?)")

Words = tuple[str, ...]


def words_of(name: str) -> Words:
    """The words of a name, case-folded."""
    return tuple(word.casefold() for word in _WORD.findall(name))


def _is_job(name: str) -> bool:
    """Whether a handle consists of job words alone, as `@sre-team` does."""
    return all(word in _JOBS for word in words_of(name))


@dataclass(slots=True)
class Pseudonymizer:
    """Maps names to people, and people to roles.

    `known` holds a person by the words of each of their names, `unspaced` by a name in a script without spaces.
    `roles` holds the role of each person met so far; with `shared_role` everyone has that one instead.
    """

    shared_role: str | None = None
    known: dict[Words, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    unspaced: dict[str, str] = field(default_factory=dict)
    others: int = 0

    def learn(self, person: str, name: str) -> None:
        """Add a name of `person`. A name already known stays with its first person, and the two become one."""
        words = words_of(name)[:_LONGEST_NAME]
        if not words or _is_job(name):
            return
        same = self.known.setdefault(words, person)
        self.known.setdefault(("".join(words),), same)
        self.known.setdefault(words_of(person), same)
        if len(name) > 1 and _UNSPACED.search(name):
            self.unspaced.setdefault(name, same)

    def learn_parts(self, name: str) -> None:
        """Add the parts of a known name, each unless another person has it as a name."""
        words = words_of(name)
        person = self.known.get(words[:_LONGEST_NAME])
        for word in words:
            if person and len(word) >= _SHORTEST_PART and word not in _JOBS:
                self.known.setdefault((word,), person)

    def find(self, who: str) -> str:
        """The person with this id or name; an unknown one stands for themselves."""
        return self.known.get(words_of(who), who)

    def role(self, person: str) -> str:
        """The role of `person`, assigned at the first call."""
        if self.shared_role:
            return self.shared_role
        if person not in self.roles:
            number = self.others
            self.others += 1
            self.roles[person] = (
                f"{_ORDINALS[number]} engineer" if number < len(_ORDINALS) else f"engineer {number + 2}"
            )
        return self.roles[person]

    def pseudonymize(self, text: str) -> str:
        """`text` with roles for names and handles, and `(address)` for e-mail addresses."""
        text = _ADDRESS.sub("(address)", _MENTION.sub(lambda match: f"@{match[1]}", text))
        for name, person in self.unspaced.items():
            if name in text:
                text = text.replace(f"@{name}", self.role(person)).replace(name, self.role(person))
        return _HANDLE.sub(self._handle_role, self._replace_names(text))

    def _handle_role(self, match: re.Match[str]) -> str:
        if _is_job(match[1]):
            return "a team" if self.shared_role else match[0]
        return self.role(match[1].casefold())

    def _replace_names(self, text: str) -> str:
        words = list(_WORD.finditer(text))
        if not words or not self.known:
            return text
        parts: list[str] = []
        done = at = 0
        while at < len(words):
            count, person = self._longest_name(text, words, at)
            if person:
                start = words[at].start()
                parts += [text[done : start - (text[start - 1 : start] == "@")], self.role(person)]
                done = words[at + count - 1].end()
            at += count
        return "".join([*parts, text[done:]])

    def _longest_name(self, text: str, words: list[re.Match[str]], at: int) -> tuple[int, str | None]:
        """The longest name that begins at word `at`: its number of words, and the person; (1, None) without one."""
        joined = [words[at]]
        for word in words[at + 1 : at + _LONGEST_NAME]:
            if not _JOINED.fullmatch(text, joined[-1].end(), word.start()):
                break
            joined.append(word)
        for count in range(len(joined), 0, -1):
            person = self.known.get(tuple(word[0].casefold() for word in joined[:count]))
            if person and (count > 1 or self._is_name(text, joined[0])):
                return count, person
        return 1, None

    @staticmethod
    def _is_name(text: str, word: re.Match[str]) -> bool:
        """Whether a known name of one word is meant as a name here; see _EVERYDAY_WORDS."""
        at_sign = text[word.start() - 1 : word.start()] == "@"
        return at_sign or word[0].casefold() not in _EVERYDAY or word[0][0].isupper()
