"""Where a person is named in free text, and the role that stands there instead.

Names are looked for as whole words, in any case and however they are joined (`alice-dba`, `Alice Dba`, `@alice_dba`),
and so is every part of a name of somebody who took part, unless that part names a job.
"""

import re
from dataclasses import dataclass, field

_OTHERS = ("another", "a third", "a fourth", "a fifth", "a sixth", "a seventh", "an eighth", "a ninth", "a tenth")

_JOB_WORDS = (
    "admin api app bot call comms communications cto data database dba dbops dev devops duty eng engineer "
    "engineering frontend backend fw group head here channel everyone infra infrastructure it lead leadership "
    "management manager mobile net network noc on oncall ops owner payments platform primary product qa "
    "release scribe secondary security service site squad sre staff storage subteam support sys sysadmin "
    "system team test the waf web www datadog github gitlab grafana jenkins jira opsgenie pagerduty prometheus "
    "sentry slack statuspage"
)
"""Words within handles that name a job, a team or a service, and nobody."""
_EVERYDAY_WORDS = (
    "able april art august bill brook chase chance chip dale dawn dean drew faith frank gene grace grant guy "
    "hope hunt iris jack joy june kit lance long mark mason max may miles miss nick norm page pat penny pierce "
    "ray rich rob rose rusty sky skip sterling stone sue summer trace van victor wade ward will young"
)
"""Names that are words too: one is a name only with an @ or a capital."""
_JOBS, _EVERYDAY = frozenset(_JOB_WORDS.split()), frozenset(_EVERYDAY_WORDS.split())
_SHORTEST_PART = 3
_LONGEST_NAME = 5
"""Words of a name that are looked for together."""

_MENTION = re.compile(r"<@([UW][A-Z0-9]{1,20})(?:\|[^<>]{0,80})?>")
_ADDRESS = re.compile(r"(?:mailto:)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_WORD = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"[ ._-]?|\\_")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that put no space between words, so that a name in them is looked for anywhere."""
_HANDLE = re.compile(r"(?<![\w@])@([^\W_](?:[\w.-]*\w)?)")

Words = tuple[str, ...]


def words_of(name: str) -> Words:
    """The words a name is made of, in small letters."""
    return tuple(word.casefold() for word in _WORD.findall(name))


def _is_job(name: str) -> bool:
    """Whether a handle is made of jobs alone: `@sre-team` is nobody's name."""
    return all(word in _JOBS for word in words_of(name))


@dataclass(slots=True)
class Pseudonymizer:
    """Who is who: `known` maps the words of a name to a person, `roles` a person to a role given on first sight."""

    everybody: str | None = None
    known: dict[Words, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    unspaced: dict[str, str] = field(default_factory=dict)
    others: int = 0

    def learn(self, person: str, name: str) -> None:
        """Know `person` by this name; who has a name that is known already is the person it belongs to."""
        words = words_of(name)[:_LONGEST_NAME]
        if not words or _is_job(name):
            return
        same = self.known.setdefault(words, person)
        self.known.setdefault(("".join(words),), same)
        self.known.setdefault(words_of(person), same)
        if len(name) > 1 and _UNSPACED.search(name):
            self.unspaced.setdefault(name, same)

    def learn_parts(self, name: str) -> None:
        """Know the person of this name by its parts too, where no other name is one of them."""
        words = words_of(name)
        person = self.known.get(words[:_LONGEST_NAME])
        for word in words:
            if person and len(word) >= _SHORTEST_PART and word not in _JOBS:
                self.known.setdefault((word,), person)

    def find(self, who: str) -> str:
        """The person behind an id or a name; one nobody knows is a person all the same."""
        return self.known.get(words_of(who), who)

    def role(self, person: str) -> str:
        """What `person` is called from now on."""
        if self.everybody:
            return self.everybody
        if person not in self.roles:
            number = self.others
            self.others += 1
            self.roles[person] = f"{_OTHERS[number]} engineer" if number < len(_OTHERS) else f"engineer {number + 2}"
        return self.roles[person]

    def hide(self, text: str) -> str:
        """`text` with a role wherever it names somebody."""
        text = _ADDRESS.sub("(address)", _MENTION.sub(lambda match: f"@{match[1]}", text))
        for name, person in self.unspaced.items():
            text = (
                text.replace(f"@{name}", self.role(person)).replace(name, self.role(person)) if name in text else text
            )
        return _HANDLE.sub(self._mentioned, self._without_names(text))

    def _mentioned(self, match: re.Match[str]) -> str:
        if _is_job(match[1]):
            return "a team" if self.everybody else match[0]
        return self.role(match[1].casefold())

    def _without_names(self, text: str) -> str:
        words = list(_WORD.finditer(text))
        if not words or not self.known:
            return text
        kept: list[str] = []
        done = at = 0
        while at < len(words):
            count, person = self._named(text, words, at)
            if person:
                start = words[at].start()
                kept += [text[done : start - (text[start - 1 : start] == "@")], self.role(person)]
                done = words[at + count - 1].end()
            at += count
        return "".join([*kept, text[done:]])

    def _named(self, text: str, words: list[re.Match[str]], at: int) -> tuple[int, str | None]:
        """How many words from `at` on are the longest name there, and whose; one word of nobody otherwise."""
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
        at_sign = text[word.start() - 1 : word.start()] == "@"
        return at_sign or word[0].casefold() not in _EVERYDAY or word[0][0].isupper()
