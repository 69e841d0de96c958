"""The leads that were followed and ruled out, each paired with the entry that began it."""

import re
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from bot.vocabulary import INVESTIGATING, RESOLVED, RULED_OUT

_NOT_WORD = re.compile(r"[\W_]+")
_STOP_WORDS = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "do", "does", "for", "from", "had", "has", "have",
    "here", "in", "is", "it", "its", "maybe", "no", "not", "of", "on", "or", "our", "out", "ruled", "that", "the",
    "then", "there", "this", "to", "too", "was", "we", "were", "what", "why", "with",
})  # fmt: skip


MOST_OPEN = 50
"""Leads that are looked through for an answer; older ones that nobody ruled out are given up."""


class Told(Protocol):
    """What tells the leads of an incident: its entries, or the lines of its document."""

    @property
    def kind(self) -> str:
        """A name of the vocabulary."""
        ...


AnyTold = TypeVar("AnyTold", bound=Told)


def dead_ends(told: Iterable[AnyTold], words: Callable[[AnyTold], str]) -> list[tuple[AnyTold, AnyTold]]:
    """The pairs of an `/investigating` and the `/ruledout` that answers it; `told` is in order.

    A `/ruledout` answers the open `/investigating` that shares most words with it; where none does, the last one. One
    that has none before it since the last resolution is in no pair.
    """
    leads: list[tuple[AnyTold, frozenset[str]]] = []
    found: list[tuple[AnyTold, AnyTold]] = []
    for each in told:
        if each.kind == INVESTIGATING:
            leads = [*leads[1 - MOST_OPEN :], (each, _terms(words(each)))]
        elif each.kind == RESOLVED:
            leads = []
        elif each.kind == RULED_OUT and leads:
            terms = _terms(words(each))
            answered = max(range(len(leads)), key=lambda index: (len(leads[index][1] & terms), index))
            found.append((leads.pop(answered)[0], each))
    return found


def _terms(text: str) -> frozenset[str]:
    """The words that tell one lead from another, in the singular."""
    words = (word.removesuffix("s") for word in _NOT_WORD.split(text.lower()) if word not in _STOP_WORDS)
    return frozenset(word for word in words if len(word) > 1)
