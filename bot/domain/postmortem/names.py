"""Replaces names of people in free text by their roles in the incident.

Names are matched as whole words, in any case and however they are joined (`alice-dba`, `Alice Dba`, `@alice_dba`), and
so is each part of a participant's name, unless that part names a job.
"""

import re
from dataclasses import dataclass, field

_JOB_WORDS = (
    "admin api app bot call comms communications cto data database dba dbops dev devops duty eng engineer "
    "engineering frontend backend fw group head here channel everyone infra infrastructure it lead leadership "
    "management manager mobile net network noc on oncall ops owner payments platform primary product qa "
    "release scribe secondary security service site squad sre staff storage subteam support sys sysadmin "
    "system team test the waf web www datadog github gitlab grafana jenkins jira opsgenie pagerduty prometheus "
    "sentry slack statuspage"
)
"""Words within handles that name a job, a team or a service, and no person."""
_SERVICE_WORDS = (
    "ads ai analytics auth backup batch billing cache cart catalog cdn checkout chat client cloud content core "
    "customer docs edge email events feed files fraud gateway growth hardware identity image images index ingest "
    "inventory java kafka kernel kubernetes linux login logs mail media messaging metrics mysql orders partner "
    "payment postgres pricing proxy python queue redis risk router search server shipping signup store streaming "
    "video warehouse webhooks windows worker"
)
"""Words within handles that name what a person works on, and stand in texts for that."""
_EVERYDAY_WORDS = (
    "able april art august bill brook chase chance chip dale dawn dean drew faith frank gene grace grant guy "
    "hope hunt iris jack joy june kit lance long march mark mason max may miles miss nick norm page pat penny pierce "
    "ray rich rob rose rusty sky skip sterling stone sue summer trace van victor wade ward will young"
)
"""Names that are also English words: whether one is meant as a name, the words around it tell."""
_IRREGULAR_WORDS = (
    "became began bent bit bled blew bought broke brought built burnt burst came caught chose cost could cut dealt did "
    "drew drove fed fell felt fought found forgot forgave forced fled flew froze gave got grew had heard held hid hit "
    "hung hurt kept knew laid led left lent let lit lost made meant met might must paid put quit ran rang read reset "
    "rode rose said sat saw sent set shall shed should shook shot shrank shut slept slid sold sought sped spent split "
    "spoke spread spun stood stole struck stuck sank swapped swept swung taught thought threw told took tore "
    "understood undid upset was went will withdrew woke won wore would wrote rewrote overran overwrote rebuilt redid "
    "reran restrung cannot can may can't couldn't didn't hadn't mustn't shouldn't wasn't won't wouldn't"
)
_NOT_PAST_WORDS = "need feed seed speed exceed proceed succeed bleed breed heed weed embed shred wed bed"
_IRREGULAR, _NOT_PAST = frozenset(_IRREGULAR_WORDS.split()), frozenset(_NOT_PAST_WORDS.split())
_MONTHS = frozenset({"april", "august", "june", "march", "may"})
_JOBS, _EVERYDAY = frozenset(_JOB_WORDS.split()), frozenset(_EVERYDAY_WORDS.split())
_NO_PARTS = _JOBS | frozenset(_SERVICE_WORDS.split())
_SHORTEST_PART = 3
_NEAR = 60
"""How many characters before a word tell what it is."""
_LONGEST_NAME = 5
"""How many words of a name are matched."""

_CODE = r"(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
_TARGET = r"[^()\s<>]*(?:\([^()\s<>]*\)[^()\s<>]*)*"
_LINK = (
    rf"\[(?P<label>[^\[\]\n]{{0,300}})\]\((?P<target>{_TARGET})\)"
    r"|<(?P<angle>(?:https?://|mailto:)[^<>|\s]+)(?:\|(?P<shown>[^<>\n]{0,300}))?>"
    r"|(?P<bare>(?<![\w.@])(?:[a-z][a-z0-9+.-]{1,20}://|www\.|(?:[\w-]+\.)+[a-z]{2,}/)[^\s<>|`]*[^\s<>|`.,;:!?)\]'\"\u2019\u201d])"
)
_KEPT = re.compile(f"{_CODE}|{_LINK}", re.IGNORECASE | re.DOTALL)
"""Code, and links as Markdown and Slack write them: what a changed word would break."""
_MESSAGE = re.compile(r"\bslack\.com/(?:archives|team|files)/", re.IGNORECASE)
"""An address that shows who wrote or did something."""
_STARTS = r"\s|\n)[\s*_>#(\"\u201c-]*$"
_SENTENCE_STARTS = re.compile(rf"(?:^|[.!?][\"\u201d)]?{_STARTS}")
_CLAUSE_STARTS = re.compile(rf"(?:^|[.!?:;][\"\u201d)]?{_STARTS}")
_BEFORE_MONTH = re.compile(
    r"(?:\b(?:in|by|since|until|till|from|to|of|on|before|after|next|last|this|early|late|mid|through)|\d|\d(?:st|nd|rd|th))"
    r"[ -]$",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(r"(?:['\u2019]s\b| +(?P<verb>[a-z]+(?:['\u2019]t)?))", re.IGNORECASE)
_MODALS = frozenset({"can", "may", "might", "must", "shall", "should", "will", "would", "could", "have"})
_AFTER_FIRST_NAME = re.compile(r": | [\u2013\u2014-] |(?:, | and | or | & | \+ )(?=@|[A-Z][a-z])")
_ARTICLE = re.compile(r"\b(?:the|a|an|this|that|our|your|its|no|every)[ -]$", re.IGNORECASE)
_NUMBERED = re.compile(r"-[0-9]+(?![\w@])")
"""After a word, what makes it one of several machines: `search-2`."""
_OF_A_NAME = frozenset({"is", "was", "has", "had", "did", "does", "isn't", "wasn't", "hasn't", "didn't", "doesn't"})
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


_EVERYBODY = frozenset({"here", "channel", "everyone", "group"})


def is_role(name: str) -> bool:
    """Whether a handle of no person names a team or a role: `@sre-team`, `@auth-team`, `@oncall`, not `@channel`."""
    words = words_of(name)
    return bool(words) and not set(words) <= _EVERYBODY and (_is_job(name) or (len(words) > 1 and words[-1] == "team"))


def is_past(verb: str) -> bool:
    """Whether the word is a verb whose form is the same after `I` and after a name: past tense, or a modal."""
    lower = verb.lower().replace("\u2019", "'")
    return lower in _IRREGULAR or (lower.endswith("ed") and len(lower) > len("red") and lower not in _NOT_PAST)


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
            if person and len(word) >= _SHORTEST_PART and not any(map(str.isdigit, word)) and word not in _NO_PARTS:
                self.known.setdefault((word,), person)

    def find(self, who: str) -> str:
        """The person with this id or name; an unknown one stands for themselves."""
        return self.known.get(words_of(who), who)

    def role(self, person: str) -> str:
        """The role of `person`, assigned at the first call: `responder A`, `responder B` …"""
        if self.shared_role:
            return self.shared_role
        if person not in self.roles:
            self.roles[person] = f"responder {letters(self.others)}"
            self.others += 1
        return self.roles[person]

    def pseudonymize(self, text: str) -> str:
        """`text` with roles for names and handles, and `(address)` for e-mail addresses.

        In code a role is one word, `responder-B`, as is an address with a name. A link whose address has a name, or is
        one of a message in Slack, is replaced by its label and `(link)`; other links stay.
        """
        parts: list[str] = []
        done = 0
        for kept in _KEPT.finditer(text):
            parts.append(self._in_prose(text, done, kept.start()))
            parts.append(self._in_code(kept["code"]) if kept["code"] else self._in_link(kept))
            done = kept.end()
        parts.append(self._in_prose(text, done, len(text)))
        return "".join(parts)

    def _in_prose(self, text: str, start: int, end: int) -> str:
        before, prose = text[:start], text[start:end]
        prose = _ADDRESS.sub("(address)", _MENTION.sub(lambda match: f"@{match[1]}", prose))
        for name, person in self.unspaced.items():
            if name in prose:
                prose = prose.replace(f"@{name}", self.role(person)).replace(name, self.role(person))
        return _HANDLE.sub(self._handle_role, self._replace_names(prose, before))

    def _in_code(self, code: str) -> str:
        prose = _MENTION.sub(lambda match: f"@{_one_word(self.role(self.find(match[1])))}", code)
        for name, person in self.unspaced.items():
            prose = prose.replace(name, _one_word(self.role(person)))
        prose = _ADDRESS.sub(lambda match: "address" if self.has_name(match[0]) else match[0], prose)
        return self._replace_names(prose, in_code=True)

    def _in_link(self, link: re.Match[str]) -> str:
        address = link["target"] or link["angle"] or link["bare"] or ""
        group = "label" if link["label"] else "shown" if link["shown"] else None
        if group is None:
            return "(link)" if self._shows_who(address) else link[0]
        start, end = link.start(group) - link.start(), link.end(group) - link.start()
        shown = self._in_prose(link[group], 0, end - start)
        return f"{shown} (link)" if self._shows_who(address) else f"{link[0][:start]}{shown}{link[0][end:]}"

    def _shows_who(self, address: str) -> bool:
        return bool(_MESSAGE.search(address) or _ADDRESS.search(address)) or self.has_name(address)

    def has_name(self, text: str) -> bool:
        """Whether a name stands in the text, which is an address or code."""
        return self._replace_names(text, in_code=True) != text or any(name in text for name in self.unspaced)

    def _handle_role(self, match: re.Match[str]) -> str:
        if _is_job(match[1]):
            return "a team" if self.shared_role else match[0]
        return self.role(match[1].casefold())

    def _replace_names(self, text: str, before: str = "", *, in_code: bool = False) -> str:
        words = list(_WORD.finditer(text))
        if not words or not self.known:
            return text
        parts: list[str] = []
        done = at = 0
        while at < len(words):
            count, person = self._longest_name(text, words, at)
            if person:
                start = words[at].start()
                role = self.role(person)
                if in_code:
                    parts += [text[done:start], _one_word(role)]
                else:
                    start -= text[start - 1 : start] == "@"
                    capital = words[at][0][0].isupper() and _starts(_SENTENCE_STARTS, before, text, start)
                    parts += [text[done:start], role[:1].upper() + role[1:] if capital else role]
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
        """Whether a known name of one word is meant as a name here; see _EVERYDAY."""
        lower, before = word[0].casefold(), text[max(0, word.start() - _NEAR) : word.start()]
        if before.endswith("@"):
            return True
        if _NUMBERED.match(text, word.end()):
            return False
        if lower not in _EVERYDAY:
            return True
        follows = _AFTER_NAME.match(text, word.end())
        verb = (follows["verb"] or "").lower().replace("\u2019", "'") if follows else ""
        of_a_name = follows is not None and (not verb or verb in _OF_A_NAME or is_past(verb)) and verb not in _MODALS
        starts = _starts(_CLAUSE_STARTS, "", text, word.start())
        if lower in _MONTHS and not starts:
            return word[0][0].isupper() and not (_BEFORE_MONTH.search(before) or re.match(r" ?\d", text[word.end() :]))
        if starts:
            return (
                of_a_name
                or _AFTER_FIRST_NAME.match(text, word.end()) is not None
                or (word[0][0].isupper() and not text[word.end() :].strip(" .,!?"))
            )
        return word[0][0].isupper() and not _ARTICLE.search(before)


def letters(number: int) -> str:
    """`A` to `Z` for 0 to 25, then `AA`, `AB` …"""
    more, last = divmod(number, 26)
    return (letters(more - 1) if more else "") + chr(ord("A") + last)


def _starts(pattern: re.Pattern[str], before: str, text: str, position: int) -> bool:
    """Whether what the pattern finds ends at the position of `text`, which follows `before`."""
    near = text[max(0, position - _NEAR) : position]
    # A cut text does not begin here.
    near = (
        f"x{near}"
        if position > _NEAR
        else before[-_NEAR:] + near
        if len(before) <= _NEAR
        else f"x{before[-_NEAR:]}{near}"
    )
    return pattern.search(near) is not None


def _one_word(role: str) -> str:
    return role.replace(" ", "-")
