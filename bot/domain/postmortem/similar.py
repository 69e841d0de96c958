"""Which earlier incidents are like one: by the words both tell, rare ones first, the kind of cause, and what is left.

Ranked by Okapi BM25 (https://doi.org/10.1561/1500000019) over what an incident is told by at first: its title and its
first detection, impact and cause. What is private counts nowhere.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.domain.incident.topics import is_private
from bot.domain.postmortem.causes import causes
from bot.domain.words import visible
from bot.vocabulary import CAUSE, DETECTED, IMPACT
from storage.values import PENDING, ActionItem, Incident, TimelineEntry

KINDS = (DETECTED, IMPACT, CAUSE)
"""The kinds of entry of which the first one tells what the incident is."""
SECTION = "similar"
"""The key of the section that tells them in a postmortem."""
MOST = 3
"""Similar incidents that are named."""
LEAST_SHARED = 2
"""Rare words that two incidents share at least: one alone is often chance."""
LEAST_WEIGHT = 0.2
"""The part of the words' weight, of whichever incident has less of it, that the shared ones are at least: two words of
long texts say little, and two of a title of four a lot."""
_RARE_SHARE, _ALWAYS_RARE = 0.25, 3
"""A word is rare that a quarter of the incidents have at most; while there are few, one that three have."""
_SATURATION, _LENGTH_SHARE = 1.2, 0.75
"""k1 and b of Okapi BM25."""
_SAME_CAUSE, _STILL_OPEN = 0.1, 0.05
"""What the same kind of cause, and open action items, add to a score: they order near equals, and are no likeness."""
_MOST_SHOWN = 4
"""Shared words that are named."""
_SHORTEST = 3
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_LINK = re.compile(r"https?://\S+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
"""Scripts without spaces between their words: Thai, Lao, Burmese, Khmer, kana, Han; two letters there are one word."""
_ENDING = re.compile(r"(?<=[a-z]{3}[^siu'\u2019])s$|['\u2019]s$")
"""The `s` of an English plural, and of an owner."""
_STOP_WORD_LIST = """
about after again all also and any are back because been before being between both but can could did does down
during each even few for found from get gone got had has have her here him his how into its just last left less like
made many may more most much nearly never new no none not now off old once one only other our out over own per same
see seen she should since some still such than that the their them then there these they this those three through
too two under until upon very was way we were what when where which while who whom whose why will with without would
yet you your alert alerts alarm broke broken caused cause customer customers degraded detected error errors fail
failed failing failure failures fails fault high hour hours impact incident incidents issue issues low minute
minutes monitoring noticed outage page paged people percent problem problems production request requests second
seconds service services slow slowly start started support system systems unavailable user users wrong der die das
und ist nicht ein eine einen mit von auf für bei dem den des war sind wurde les une dans pour par est avec sur pas
los las una por con del que para
"""
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())
"""The stop words: those of any sentence, and of any incident."""


def words_in(text: str) -> dict[str, str]:
    """The words that count in the text, each by its stem: as it is written, folded, and without a final `s`."""
    found: dict[str, str] = {}
    for match in _WORD.finditer(_LINK.sub(" ", visible(text)).casefold()):
        for word in _split(match[0]):
            if word not in _STOP_WORDS and not word.endswith(("n't", "n\u2019t")):
                found.setdefault(_ENDING.sub("", word), word)
    return found


def _split(word: str) -> Iterable[str]:
    if not _UNSPACED.search(word):
        return (word,) if len(word) >= _SHORTEST else ()
    runs = (match[0] for match in _UNSPACED.finditer(word))
    return (run[at : at + 2] for run in runs for at in range(len(run) - 1))


@dataclass(frozen=True, kw_only=True)
class Compared:
    """An incident, and what it is compared by: of its entries those of KINDS, and its action items."""

    incident: Incident
    entries: Sequence[TimelineEntry]
    items: Sequence[ActionItem] = ()

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The title, and the first detection, impact and cause; one that the title was made of is not said twice."""
        standing = [each for each in self.entries if not each.retracted and not is_private(each.text)]
        standing.sort(key=lambda each: (each.occurred_at, each.number))
        firsts = (next((each.text for each in standing if each.kind == kind and each.text), "") for kind in KINDS)
        told = [text for text in firsts if text]
        title = self.incident.title
        begins = title.rstrip("…").casefold()
        is_repeated = any(text.casefold().startswith(begins) for text in told) or is_private(title)
        return tuple(dict.fromkeys(told if is_repeated else [title, *told]))

    @cached_property
    def words(self) -> dict[str, str]:
        """The words that count, by stem, as they are written."""
        return {stem: word for text in reversed(self.texts) for stem, word in words_in(text).items()}

    @cached_property
    def counts(self) -> Counter[str]:
        """In how many of the texts each stem stands."""
        return Counter(stem for text in self.texts for stem in words_in(text))

    @cached_property
    def factors(self) -> frozenset[str]:
        """The kinds of its causes that somebody named."""
        told = (
            each for each in self.entries if each.kind == CAUSE and not each.retracted and not is_private(each.text)
        )
        return frozenset(cause.factor for each in told for cause in causes(each) if cause.factor is not None)

    @property
    def still_open(self) -> int:
        """How many of its action items are neither done nor dropped."""
        return sum(each.state in PENDING for each in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """A similar incident, and why it is one: `shared` words as the one it is like writes them, the rarest first."""

    incident: Incident
    shared: tuple[str, ...]
    same_cause: bool
    still_open: int
    score: float

    @property
    def why(self) -> str:
        """`same words: coupon, rounding; same cause kind; 2 action items still open`"""
        reasons = [f"same words: {', '.join(self.shared[:_MOST_SHOWN])}"]
        if self.same_cause:
            reasons.append("same cause kind")
        if self.still_open:
            reasons.append(f"{self.still_open} action {'item' if self.still_open == 1 else 'items'} still open")
        return "; ".join(reasons)


def rank(
    told: Compared, others: Iterable[Compared], *, holders: Mapping[str, int], counted: int, most: int = MOST
) -> list[Similar]:
    """Those of the others that are similar, the most similar first.

    `holders` says in how many of the `counted` incidents each stem of `told` is, itself included; a stem that is not in
    it is in too many.
    """
    compared = [each for each in others if each.incident.id != told.incident.id]
    lengths = [each.counts.total() for each in compared]
    usual = sum(lengths) / len(lengths) if lengths else 0.0
    found = []
    for other, length in zip(compared, lengths, strict=True):
        shared = [each for each in told.words if each in other.words and _is_rare(each, holders, counted)]
        weighed = sum(_inverse_frequency(each, holders, counted) for each in shared)
        least = min(_weight(told.words, holders, counted), _weight(other.words, holders, counted))
        if len(shared) < LEAST_SHARED or weighed < LEAST_WEIGHT * least:
            continue
        shared.sort(key=lambda stem: (holders[stem], stem))
        same_cause = bool(told.factors & other.factors)
        score = sum(
            _inverse_frequency(stem, holders, counted) * _saturated(other.counts[stem], length / usual)
            for stem in shared
        )
        found.append(
            Similar(
                incident=other.incident,
                shared=tuple(told.words[stem] for stem in shared),
                same_cause=same_cause,
                still_open=other.still_open,
                score=score * (1 + _SAME_CAUSE * same_cause + _STILL_OPEN * bool(other.still_open)),
            )
        )
    found.sort(key=lambda each: (round(each.score, 6), each.incident.began_at, each.incident.number), reverse=True)
    return found[:most]


def _is_rare(stem: str, holders: Mapping[str, int], counted: int) -> bool:
    return stem in holders and holders[stem] <= max(_ALWAYS_RARE, _RARE_SHARE * counted)


def _inverse_frequency(stem: str, holders: Mapping[str, int], counted: int) -> float:
    """The stem's inverse document frequency, as Lucene has it, which is never negative."""
    held = holders.get(stem, 1)
    return math.log(1 + (max(counted, held) - held + 0.5) / (held + 0.5))


def _weight(stems: Collection[str], holders: Mapping[str, int], counted: int) -> float:
    return sum(_inverse_frequency(each, holders, counted) for each in stems)


def _saturated(count: int, length: float) -> float:
    return count * (_SATURATION + 1) / (count + _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * length))
