"""Guesses the subject of an English sentence: a person, "we", or a thing.

There is no parser: the last noun before the verb and the words around it decide. The guess is sometimes wrong, so it
is used for advice only.
"""

import re
from collections.abc import Iterable, Sequence
from enum import Enum

from bot.domain.check.quoting import FILLER

People = frozenset[str]
"""Names in lower case, as they occur in the incident."""


class Subject(Enum):
    """`WE` includes "everybody" and "nobody"; `UNKNOWN` is a single word that may be a name; `NONE` is no subject."""

    PERSON = "person"
    WE = "we"
    THING = "thing"
    UNKNOWN = "unknown"
    NONE = "none"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ROLES = _words(
    "i he she you who whoever somebody someone person people guy guys colleague colleagues teammate teammates staff"
    " employee employees engineer engineers developer developers dev devs programmer programmers dba dbas sysadmin"
    " sysadmins admin admins administrator administrators sre sres on-call oncall on-caller responder responders"
    " reviewer reviewers approver approvers tester testers qa author deployer committer maintainer maintainers intern"
    " interns contractor contractors technician technicians team teams crew commander lead leads leadership architect"
    " architects analyst newcomer trainee boss"
)
_WE = _words("we us everybody everyone anybody anyone nobody noone no-one")
_ONLY_WITH = {
    "manager": _words("incident engineering product release duty team project line"),
    "managers": _words("incident engineering product release duty team project line"),
    "operator": _words("our human duty night shift on-call"),
    "operators": _words("the our human duty night shift on-call"),
    "one": _words("no"),
}
"""Words for people that are as often words for programs, and the words of which one must precede them."""

_WE_AFTER_NO = _words("one engineer person responder")
_THINGS = _words("it its this that these those which there what here")
_DETERMINERS = _words("the a an our its their his her my your this that these those each every all some any no both")
_PREPOSITIONS = _words("by from of for with to at in on behind after near")
_ANY_OF = _words("one some many most none members member any each half two three")
_TRAILING = _words(
    "had has have having also then again simply just never ever still even all both initially first later twice"
    " apparently probably often once was were is are been being did do does not too only so in fact"
    " responsible involved concerned"
)
_AFTER_NOUN = _PREPOSITIONS | _TRAILING | {"who"}
_CONTRACTED = re.compile(r"(?<=\w)['\u2019](?:d|ve|s been|s)$")
_WORD = re.compile(rf"[@\w{FILLER}][\w{FILLER}.'\u2019/-]*")
_BREAK = re.compile(
    r"([;:!?,()\[\]|*\u2013\u2014\n]+|\.(?=\s|$)|\s-+\s"
    r"|\b(?:and|but|or|because|since|when|while|whereas|after|before|so|that|if|until|although|though|as|then|where"
    r"|which|than|how|why)\b)",
    re.IGNORECASE,
)
_LOOK_BACK = 200
_FIRST_WORDS = 3
_LONGEST_NOUN = 6
_SHORTEST_NAME = 3
_NO_PERSON = _words("bot team service ci monitoring alerts alert pager pagerduty grafana scribe group rotation system")
_NO_NAME = _words(
    "api app web database data dbs net infra platform release deploy ops dev sec prod staging network cloud core edge"
    " support lead manager will mark the comms oncall primary secondary root host server"
)


def people(names: Iterable[str]) -> People:
    """The forms in which a text may name the people `names`: the whole name, its first part, its last word.

    A team or a bot, such as `release-team`, has no such parts.
    """
    found: set[str] = set()
    for name in names:
        whole = name.strip().lstrip("@").lower()
        parts = [part for part in re.split(r"[\s._-]+", whole) if part]
        if parts and not _NO_PERSON & set(parts):
            short = {parts[0], whole.split()[-1]} - _NO_NAME
            found |= {whole, *(part for part in short if len(part) >= _SHORTEST_NAME)}
        elif parts and parts[-1] in _ROLES:
            found.add(whole)
    return frozenset(found)


def subject(before: str, names: People) -> Subject:
    """The subject of a verb that follows `before`; `names` are the forms of the known people's names."""
    clause, *earlier = reversed(_BREAK.split(before[-_LOOK_BACK:]))
    noun = _without_auxiliaries(_WORD.findall(clause), names)
    if noun:
        return _of_noun(noun, names)
    for joint, clause in zip(earlier[::2], earlier[1::2], strict=False):
        if not (joint == "," or joint.isalpha()):
            break
        words = _WORD.findall(clause)
        if words:
            return _of_clause(words, names)
    return Subject.NONE


def names_person(words: str, names: People) -> bool:
    """Whether `words` begin with a noun that is a person or belongs to one, such as `alice's change`."""
    found = _WORD.findall(_BREAK.split(words[:_LOOK_BACK], maxsplit=1)[0])[:_LONGEST_NOUN]
    for index, word in enumerate(found):
        if word.lower() in _PREPOSITIONS:
            return False
        owner = re.sub(r"['\u2019]s?$", "", word)
        following = found[index + 1].lower() if index + 1 < len(found) else "who"
        last = following in _AFTER_NOUN or following.endswith("ing")
        if _of_word(owner, found[:index], names) is Subject.PERSON and (owner != word or last or _is_name(word, names)):
            return True
    return False


def _is_name(word: str, names: People) -> bool:
    return word.startswith("@") or word.lower() in names


def _without_auxiliaries(words: Sequence[str], names: People) -> list[str]:
    """The words without the auxiliaries, negations and adverbs at their end."""
    left = [*words[:-1], *(_CONTRACTED.sub("", word) for word in words[-1:])]
    while left and not _is_name(left[-1], names):
        word = left[-1].lower()
        adverb = word.endswith("ly") and word != "only"
        if not (adverb or word in _TRAILING or word.endswith(("n't", "n\u2019t"))):
            break
        left.pop()
    return left


def _of_noun(words: Sequence[str], names: People) -> Subject:
    """The subject that ends with the last of `words`. For `members of the team` it is the members, not the team."""
    lowered = [word.lower() for word in words]
    if "who" in lowered[:-1]:
        return _of_noun(words[: lowered.index("who")], names) if lowered.index("who") else Subject.PERSON
    if len(lowered) > 1 and lowered[-2] == "on" and lowered[-1] in {"call", "duty", "shift"}:
        return Subject.PERSON
    found = _of_word(words[-1], words[:-1], names)
    placed = next((index for index in range(len(words) - 2, 0, -1) if lowered[index] in _PREPOSITIONS), None)
    if placed is None:
        return found
    owner = _of_word(words[placed - 1], words[: placed - 1], names)
    if owner is Subject.PERSON or (owner is Subject.WE and found is not Subject.PERSON):
        return owner
    if found in {Subject.PERSON, Subject.WE} and lowered[placed - 1] not in _ANY_OF:
        return Subject.THING
    return found


def _of_clause(words: Sequence[str], names: People) -> Subject:
    """The subject that a clause begins with, for a later clause without one."""
    for index, word in enumerate(words[:_FIRST_WORDS]):
        found = _of_word(word, words[:index], names)
        if found in {Subject.PERSON, Subject.WE}:
            return found
        if word.lower() not in _DETERMINERS and not word.lower().startswith("on-"):
            break
    return Subject.THING


def _of_word(word: str, before: Sequence[str], names: People) -> Subject:
    """The kind of subject that the noun `word` is, after the words `before`."""
    lowered = word.lower()
    previous = before[-1].lower() if before else ""
    if lowered in _WE or (previous == "no" and lowered in _WE_AFTER_NO):
        return Subject.WE
    if word.startswith("@") or lowered in names or lowered in _ROLES or lowered.endswith(("-team", "-lead")):
        return Subject.PERSON
    if lowered in _ONLY_WITH:
        return Subject.PERSON if previous in _ONLY_WITH[lowered] else Subject.THING
    alone = not before and lowered not in _THINGS | _DETERMINERS
    named = alone and lowered.isalpha() and not lowered.endswith(("s", "ing", "ion", "ment", "ness"))
    return Subject.UNKNOWN if named else Subject.THING
