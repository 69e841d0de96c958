"""What customers may be told of an incident: what they could not do, what was lost and what was not, what is done."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.incident import impact
from bot.domain.incident.topics import is_private
from bot.domain.items.item import DROPPED
from bot.domain.postmortem.document import Document, Line, Trouble
from bot.domain.postmortem.names import Pseudonymizer, is_role, words_of
from bot.domain.postmortem.redaction import HostNames, without_links, without_money
from bot.domain.postmortem.third_person import PERSON, third_person
from bot.domain.words import capitalized

_SPARED = re.compile(
    r"\b(?:unaffected|not affected|intact|unharmed|surviv(?:ed|e|es)|(?:kept|keeps|still|continued to)"
    r" (?:work|serv|runn?)(?:s|es|ed|ing|e)?"
    r"|still works?|untouched|never at risk|not at risk|safe|no\b.{0,30}\b(?:lost|leaked|exposed|deleted|affected)"
    r"|not (?:lost|leaked|exposed|deleted)|none (?:was|were) lost|(?:was|were) never (?:lost|exposed|affected))\b",
    re.IGNORECASE,
)
_LOST = re.compile(
    r"\b(?:lost|deleted|gone|destroyed|corrupted|overwritten|leaked|exposed|unrecoverable)\b", re.IGNORECASE
)
_NOT_DATA = re.compile(
    r"\b(?:traffic|requests?|packets?|connections?|connectivity|sessions?|capacity|quorum|revenue|time|power|calls?|contact"
    r"|access|visibility|redundancy|leader)\b",
    re.IGNORECASE,
)
_INTERNAL = re.compile(
    r"\bon-?call\b|\bstaff\b|\bemployees?\b|\bsupport (?:team|queue|agents?)\b|\b(?:our|internal) (?:own )?"
    r"(?:tools?|tooling"
    r"|dashboards?|wiki|chat|vpn|monitoring|ci)\b|\bdeploy(?:s|ments?)?\b|\bbackups?\b|\breplicas?\b|\breplication\b"
    r"|\bpag(?:er|ing)\b|\bbuilds?\b|\bpipelines?\b",
    re.IGNORECASE,
)
_OUTSIDE = re.compile(
    r"\b(?:users?|customers?|clients?|visitors?|people|accounts?|subscribers?|merchants?|shops?|sites?|services?|apps?|api|apis"
    r"|pages?|log-?ins?|sign-?ins?|checkouts?|orders?|payments?|\w+\.com)\b",
    re.IGNORECASE,
)
_METRIC = re.compile(
    r",\s*(?:the )?(?:CPU|memory|RAM|load|disks?|I/O|heap|threads?|queues?|p9\d|error budget)\b[^,;]*(?=[,;]|$)",
    re.IGNORECASE,
)
_CAUSE_FIRST = re.compile(
    r"(?:the )?(?:\w+ ){0,2}(?:databases?|clusters?|servers?|hosts?|nodes?|CPU|memory|disks?|queues?)\b[^,;]*,\s*",
    re.IGNORECASE,
)
"""A first clause about what failed inside; the second may say what customers felt."""
_SENTENCES = re.compile(r";\s+|(?<=[.!?])\s+|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerNotice:
    """The facts of a notice, each a sentence without its stop; `rounds` are the times of the impact alone."""

    rounds: tuple[Trouble, ...]
    felt: tuple[str, ...]
    lost: tuple[str, ...]
    spared: tuple[str, ...]
    done: tuple[str, ...]
    planned: tuple[str, ...]


def for_customers(document: Document) -> CustomerNotice:
    """The notice that the facts allow: in the third person, without names, hosts, links, sums of money.

    A private line leaves out itself alone, and so does one about what only the company felt.
    """
    tell = _redactor(document)
    felt: list[str] = []
    lost: list[str] = []
    spared: list[str] = []
    for part in _parts(document):
        group = spared if _SPARED.search(part) else lost if _is_loss(part) else felt
        group.append(capitalized(tell(part)))
    items = [
        (item.state, capitalized(tell(words)))
        for term, items in document.items.items()
        if term != DROPPED
        for item in items
        for words in [without_money(item.words.first, impact_line=False)]
        if words and not is_private(item.words.first)
    ]
    return CustomerNotice(
        rounds=document.rounds,
        felt=_once(felt),
        lost=_once(lost),
        spared=_once(spared),
        done=_once([words for state, words in items if state == "done"]),
        planned=_once([words for state, words in items if state != "done"]),
    )


def _parts(document: Document) -> Iterator[str]:
    """The sentences and clauses of the impact that may be told."""
    aspects: dict[int, set[str]] = {}
    unlabelled: dict[int, Line] = {}
    for aspect, lines in document.aspects.items():
        for line in lines:
            aspects.setdefault(line.number, set()).add(aspect)
            unlabelled[line.number] = line
    for line in document.impact:
        if line.private or aspects.get(line.number) == {"money"}:
            continue
        words = impact.unlabelled(unlabelled.get(line.number, line).words.first)
        for part in _SENTENCES.split(without_money(words, impact_line=True)):
            outside = _METRIC.sub("", part).strip(" .")
            inner = _CAUSE_FIRST.match(outside)
            if inner and not _OUTSIDE.search(inner[0]) and _OUTSIDE.search(outside, inner.end()):
                outside = outside[inner.end() :]
            if outside and not (_INTERNAL.search(outside) and not _OUTSIDE.search(outside)):
                yield outside


def _is_loss(part: str) -> bool:
    return _LOST.search(part) is not None and _NOT_DATA.search(part) is None


def _redactor(document: Document) -> "_Redactor":
    pseudonymizer = Pseudonymizer(shared_role=PERSON)
    people = dict.fromkeys((*document.people, *document.names.values(), document.incident.lead or ""))
    owners = (item.owner for items in document.items.values() for item in items if item.owner)
    for name in (*people, *(each for each in owners if not is_role(each))):
        pseudonymizer.learn(name, name)
    for name in people:
        pseudonymizer.learn_parts(name)
    return _Redactor(pseudonymizer)


class _Redactor:
    """Redacts one notice, in which each host has one letter."""

    def __init__(self, pseudonymizer: Pseudonymizer) -> None:
        self.pseudonymizer = pseudonymizer
        self.hosts = HostNames(is_name=lambda word: words_of(word) in pseudonymizer.known)

    def __call__(self, text: str) -> str:
        return third_person(self.pseudonymizer.pseudonymize(self.hosts.replace(without_links(text))))


def _once(sentences: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for sentence in sentences if sentence))
