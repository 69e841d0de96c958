"""Search: the incidents that hold all the words in one place, ranked, each with the place that shows them best.

Words are found in any part of a word, in any order; what stands between quotation marks is found as it is. A place is
a title, an entry, an action item, or a part of a postmortem: see `storage.search.index`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, and_, func, select

from storage.incidents import COLUMNS, COUNTED, read, visible_from
from storage.models import incidents
from storage.search import index as search_index
from storage.search.index import ITEM, TITLE, IndexedText, folded, terms
from storage.values import Incident

_PAGE = 200
"""Ids of documents that are read at a time."""
_LOOKED_AT = 3
"""Documents of an incident that are looked at first, the newest."""
_CANDIDATES = 2
"""Incidents that are ranked for each that is asked for, the newest."""
_MOST_ROUNDS = 100
"""Rounds of candidates after which no older incident is looked for, where the user may see hardly any of them."""
_WEIGHTS = {TITLE: 3.0, ITEM: 1.2}
"""What makes a place count more than an entry."""
_SATURATION, _LENGTH_SHARE, _USUAL_LENGTH = 1.2, 0.75, 120
"""k1, b and the average length of Okapi BM25: https://doi.org/10.1561/1500000019"""
_COMMON_FROM = 100
"""A word that so many incidents have is too common to find similar ones by, and is left out."""

Condition = ColumnElement[bool]
"""A condition on incidents."""
Snippet = tuple[tuple[str, bool], ...]
"""A part of a text, in pieces, each with whether it was searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An incident, and the document of it that ranks highest."""

    incident: Incident
    document: IndexedText
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Incidents that may share words, those with the most and rarest ones first.

    `holders` says in how many incidents of the workspace each word may stand, without those that too many have;
    `counted` is how many incidents there are.
    """

    incidents: Sequence[Incident]
    holders: Mapping[str, int]
    counted: int


def sharing(connection: Connection, workspace_id: str, words: Sequence[str], seen: Condition, *, most: int) -> Sharing:
    """Those of the workspace's incidents with the condition `seen` that may share two of the folded words, `most`.

    Cancelled ones, duplicates and merged ones are left out, and what was recorded a moment ago, until it is indexed.
    """
    holders: dict[str, int] = {}
    weights: Counter[int] = Counter()
    held: Counter[int] = Counter()
    for word in words:
        newest, _ = _newest(connection, workspace_id, [word], None, _COMMON_FROM)
        if len(newest) < _COMMON_FROM:
            holders[word] = len(newest)
            held.update(newest.keys())
            weights.update(dict.fromkeys(newest, _COMMON_FROM - len(newest)))
    several = [each for each, _ in weights.most_common() if held[each] > 1]
    visible = _visible(connection, several, and_(incidents.c.workspace_id == workspace_id, COUNTED, seen))
    everywhere = select(func.count()).where(incidents.c.workspace_id == workspace_id, COUNTED)
    return Sharing(
        incidents=[visible[each] for each in several if each in visible][:most],
        holders=holders,
        counted=connection.execute(everywhere).scalar_one(),
    )


def search(
    connection: Connection, workspace_id: str, channel_id: str, words: str, *, standing: str, limit: int
) -> list[Found]:
    """Of the incidents that are listed in the channel for a person of that standing, those that hold the words.

    The best are first, of equals the last to happen. Of words that are in very many, the newest that hold them are
    found, twice as many as are asked for.
    """
    searched = terms(words)
    if not searched:
        return []
    seen = visible_from(workspace_id, channel_id, standing)
    best: dict[int, Found] = {}
    visible = _visible(connection, search_index.unindexed(connection), seen)
    _add(best, search_index.tail(connection, list(visible)), visible, searched)
    below: int | None = None
    for _ in range(_MOST_ROUNDS):
        newest, below = _newest(connection, workspace_id, searched, below, _CANDIDATES * limit)
        visible = _visible(connection, list(newest), seen)
        ids = [each for incident_id in visible for each in newest[incident_id]]
        held = _add(best, search_index.documents(connection, ids), visible, searched)
        for incident_id in visible.keys() - held:
            _add_of(connection, best, visible[incident_id], newest[incident_id], searched)
        if below is None or len(best) >= _CANDIDATES * limit:
            break
    return sorted(best.values(), key=_order, reverse=True)[:limit]


def _newest(
    connection: Connection, workspace_id: str, searched: Sequence[str], below: int | None, most: int
) -> tuple[dict[int, list[int]], int | None]:
    """The ids of documents that may hold the terms, some for each of `most` incidents; and where to go on, if at all.

    The documents of an incident are beside each other, so that what more there are of one is passed over.
    """
    found: dict[int, list[int]] = {}
    while len(found) < most:
        page = search_index.newest(connection, workspace_id, searched, below=below, most=_PAGE)
        for document_id in page:
            ids = found.setdefault(search_index.incident_of(document_id), [])
            if len(ids) < _LOOKED_AT:
                ids.append(document_id)
        if len(page) < _PAGE:
            return found, None
        below = search_index.first_id(search_index.incident_of(page[-1]))
    return found, below


def _add_of(
    connection: Connection, best: dict[int, Found], incident: Incident, ids: list[int], searched: Sequence[str]
) -> None:
    """Look at the rest of an incident's documents, where the first have all parts of the terms, and not the terms."""
    visible, first = {incident.id: incident}, search_index.first_id(incident.id)
    while len(ids) >= _LOOKED_AT:
        page = search_index.newest(connection, incident.workspace_id, searched, below=ids[-1], most=_PAGE)
        ids = [document_id for document_id in page if document_id >= first]
        if _add(best, search_index.documents(connection, ids), visible, searched):
            return


def _order(found: Found) -> tuple[float, datetime, int]:
    return round(found.score, 2), found.incident.began_at, found.incident.number


def _visible(connection: Connection, ids: Sequence[int], seen: ColumnElement[bool]) -> dict[int, Incident]:
    rows = connection.execute(select(*COLUMNS).where(incidents.c.id.in_(ids), seen)) if ids else ()
    return {incident.id: incident for incident in (read(connection, row) for row in rows)}


def _add(
    best: dict[int, Found], documents: Iterable[IndexedText], visible: Mapping[int, Incident], searched: Sequence[str]
) -> set[int]:
    """Add the documents that hold all the terms, of each incident the best; returns the incidents that have any."""
    held: set[int] = set()
    for document in documents:
        incident = visible.get(document.incident_id)
        if incident is None:
            continue
        text = folded(document.words)
        if not all(term in text for term in searched):
            continue
        held.add(incident.id)
        score = sum(_score(text, term) for term in searched) * _WEIGHTS.get(document.what, 1.0)
        if incident.id not in best or score > best[incident.id].score:
            best[incident.id] = Found(incident=incident, document=document, score=score)
    return held


def _score(text: str, term: str) -> float:
    """How much the folded text is about the term; all that is found has every term, so none is weighted as rare."""
    count = text.count(term)
    length = 1 - _LENGTH_SHARE + _LENGTH_SHARE * len(text) / _USUAL_LENGTH
    return count * (_SATURATION + 1) / (count + _SATURATION * length)


def snippet(text: str, searched: str, *, most: int) -> Snippet:
    """About `most` characters of the text around what was searched, with the words marked that hold it."""
    line = " ".join(text.split())
    letters = [(letter, at) for at, character in enumerate(line) for letter in folded(character) or character]
    plain = "".join(letter for letter, _ in letters)
    marked = set()
    for term in terms(searched):
        begin = plain.find(term)
        while begin >= 0:
            marked |= _word_around(line, letters[begin][1], letters[begin + len(term) - 1][1])
            begin = plain.find(term, begin + len(term))
    first = max(0, min(marked, default=0) - most // 3)
    shown = range(first, min(len(line), first + most))
    pieces = [
        ("".join(line[at] for at in places), is_marked)
        for is_marked, places in groupby(shown, key=lambda at: at in marked)
    ]
    before, after = ("…" if shown.start else ""), ("…" if shown.stop < len(line) else "")
    return tuple(piece for piece in ((before, False), *pieces, (after, False)) if piece[0])


def _word_around(line: str, first: int, last: int) -> set[int]:
    """The places of the characters from `first` to `last`, and of the rest of the words that they begin and end in."""
    while first and _is_of_word(line[first]) and _is_of_word(line[first - 1]):
        first -= 1
    while last + 1 < len(line) and _is_of_word(line[last]) and _is_of_word(line[last + 1]):
        last += 1
    return set(range(first, last + 1))


def _is_of_word(character: str) -> bool:
    """A digit, or a letter that is large or small: those are of scripts that have spaces between their words."""
    return character.isdigit() or character.lower() != character.upper()
