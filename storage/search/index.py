"""The index of words: what is written of incidents, found by any part of a word, in every language's letters.

A text is indexed by its grams, the runs of one, two and three characters in it: a language needs no spaces between its
words, and what is searched may be short. Whoever searches asks for texts with all grams of the words, and looks at
each whether it holds the words. SQLite keeps the grams in an FTS5 table, PostgreSQL in a `tsvector`, without extension.

A document is an incident's title, an entry as it stands, an action item, or a part of the newest postmortem. Recording
writes none: an incident counts how far it is indexed, its mark `unindexed` is set in the UPDATE that counts its entries
anyway, and a job indexes the rest a moment later (`catch_up`). Until then `tail` reads what is not indexed yet, so that
nothing is missed. What changes words that are indexed changes the index in the same transaction.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    Connection,
    Row,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from storage.availability import is_away
from storage.database import Transactions
from storage.models import (
    UNINDEXED,
    action_items,
    entry_revisions,
    incidents,
    postmortem_versions,
    search_documents,
    timeline_entries,
)

TITLE, ENTRY, ITEM, PART = "title", "entry", "item", "part"
"""What a document can be."""
_PLACES = 1 << 22
"""The documents that an incident may have: an id is that of the incident times this, plus its place."""
_FIRST_ITEM, _FIRST_PART = 3_000_000, 4_000_000
"""Places of an incident's first action item and of the first part of its postmortem; 0 is its title's."""
_PART_LENGTH = 4_000
"""Characters of a section that are one document."""
_WRITTEN_BY_SCRIBE = frozenset({"timeline"})
"""Sections that repeat what is indexed by itself."""
_MOST_GRAMS = 48
"""Grams of the words searched that the index is asked for; the texts found are compared with the words themselves."""
_OVERLAP = 200
"""Characters that a piece of a section shares with the next one."""
_ALL = 1_000_000_000
_ABOVE_ALL = 1 << 62
PORTION = 100
"""Documents that are indexed in one transaction: some milliseconds."""
_NO_LETTER = {code: 0xE000 + code for code in range(128) if not chr(code).isalnum()}
"""FTS5's tokenizer and PostgreSQL's notation take ASCII's other characters for their own: letters stand for them."""
_WORDS = re.compile(r'["\u201c\u201d\u201e]([^"\u201c\u201d\u201e]+)["\u201c\u201d\u201e]|(\S+)')


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedText:
    """What was found: `what` it is, and the number of the entry or item in its incident, 0 for what has none."""

    incident_id: int
    what: str
    number: int
    words: str


def folded(written: str) -> str:
    """The text without differences of case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", written).casefold().split())


def terms(searched: str) -> list[str]:
    """What is searched, folded: each word, and what stands between quotation marks as one."""
    found = (folded(match[1] or match[2]) for match in _WORDS.finditer(searched))
    return list(dict.fromkeys(filter(None, found)))


def _grams(of: str, lengths: Iterable[int]) -> set[str]:
    return {of[at : at + length].translate(_NO_LETTER) for length in lengths for at in range(len(of) - length + 1)}


def _scope(workspace_id: str) -> str:
    """A gram that only the documents of the workspace have."""
    return f"\uf8ff{workspace_id}".casefold().translate(_NO_LETTER)


def _indexed(workspace_id: str, words: str) -> list[str]:
    return sorted(_grams(folded(words), (1, 2, 3)) | {_scope(workspace_id)})


def _searched(workspace_id: str, words: Sequence[str]) -> list[str]:
    of_words = {gram for word in words for gram in _grams(word, (min(len(word), 3),))}
    # The longest first: they are in the fewest documents.
    return [*sorted(of_words, key=lambda gram: (-len(gram), gram))[:_MOST_GRAMS], _scope(workspace_id)]


_FTS_NEWEST = text(
    "SELECT rowid FROM search_grams WHERE search_grams MATCH :grams AND rowid < :below ORDER BY rowid DESC LIMIT :most"
)
_FTS_ADD = text("INSERT INTO search_grams (rowid, grams) VALUES (:id, :grams)")
_FTS_REMOVE = text("INSERT INTO search_grams (search_grams, rowid, grams) VALUES ('delete', :id, :grams)")
_FTS_OPTIMIZE = text("INSERT INTO search_grams (search_grams) VALUES ('optimize')")
_RECENT = 300
"""Documents that PostgreSQL looks through before it asks its index, which collects all that hold a common word."""
_GRAMS = cast(bindparam("grams"), TSQUERY)
_BELOW = (
    select(search_documents.c.id, search_documents.c.grams)
    .where(search_documents.c.id < bindparam("below"))
    .order_by(search_documents.c.id.desc())
)
_LATEST = _BELOW.limit(bindparam("recent")).subquery("latest")
_NEWEST_OF_LATEST = (
    select(_LATEST.c.id)
    .where(_LATEST.c.grams.bool_op("@@")(_GRAMS))
    .order_by(_LATEST.c.id.desc())
    .limit(bindparam("most"))
)
_NEWEST = (
    _BELOW.where(search_documents.c.grams.bool_op("@@")(_GRAMS))
    .with_only_columns(search_documents.c.id)
    .limit(bindparam("most"))
)


def newest(
    connection: Connection, workspace_id: str, words: Sequence[str], *, below: int | None, most: int
) -> list[int]:
    """The ids of `most` documents that may hold all these terms: below that id, the newest incident's first."""
    grams = _searched(workspace_id, words)
    parameters: dict[str, Any] = {"below": below or _ABOVE_ALL, "most": most}
    if connection.dialect.name == "sqlite":
        parameters["grams"] = " AND ".join(f'"{gram}"' for gram in grams)
        return list(connection.execute(_FTS_NEWEST, parameters).scalars())
    parameters |= {"grams": " & ".join(f"'{gram}'" for gram in grams), "recent": _RECENT}
    found = list(connection.execute(_NEWEST_OF_LATEST, parameters).scalars())
    return found if len(found) == most else list(connection.execute(_NEWEST, parameters).scalars())


def documents(connection: Connection, ids: Sequence[int]) -> list[IndexedText]:
    """The documents with these ids, the highest first."""
    query = select(search_documents).where(search_documents.c.id.in_(ids)).order_by(search_documents.c.id.desc())
    return [_document(row.id, row.words) for row in connection.execute(query)]


def incident_of(document_id: int) -> int:
    """The id of the document's incident."""
    return document_id // _PLACES


def first_id(incident_id: int) -> int:
    """The lowest id of the incident's documents."""
    return incident_id * _PLACES


def _document(document_id: int, words: str) -> IndexedText:
    incident_id, place = divmod(document_id, _PLACES)
    if place >= _FIRST_PART:
        return IndexedText(incident_id=incident_id, what=PART, number=0, words=words)
    if place >= _FIRST_ITEM:
        return IndexedText(incident_id=incident_id, what=ITEM, number=place - _FIRST_ITEM, words=words)
    return IndexedText(incident_id=incident_id, what=ENTRY if place else TITLE, number=place, words=words)


def _put(connection: Connection, workspace_id: str, written: Mapping[int, str]) -> None:
    """Write documents by their ids, in place of what they held before; an empty text is no document."""
    is_sqlite = connection.dialect.name == "sqlite"
    known = select(search_documents.c.id, search_documents.c.words).where(search_documents.c.id.in_(list(written)))
    if before := connection.execute(known).all():
        if is_sqlite:
            # The index holds no texts: what is to be removed from it has to be told.
            rows = [{"id": row.id, "grams": " ".join(_indexed(workspace_id, row.words))} for row in before]
            connection.execute(_FTS_REMOVE, rows)
        connection.execute(delete(search_documents).where(search_documents.c.id.in_([row.id for row in before])))
    # SQLite lets a column hold what is no text.
    kept = {document_id: words for document_id, words in written.items() if isinstance(words, str) and words.strip()}
    if not kept:
        return
    grams = {document_id: _indexed(workspace_id, words) for document_id, words in kept.items()}
    rows = [{"id": document_id, "words": words} for document_id, words in kept.items()]
    if is_sqlite:
        connection.execute(insert(search_documents), rows)
        connection.execute(_FTS_ADD, [{"id": of, "grams": " ".join(each)} for of, each in grams.items()])
    else:
        connection.execute(_INSERT_VECTORS, [row | {"of_grams": grams[row["id"]]} for row in rows])


_INSERT_VECTORS = insert(search_documents).values(
    id=bindparam("id"),
    words=bindparam("words"),
    grams=func.array_to_tsvector(cast(bindparam("of_grams"), ARRAY(Text))),
)

_LAST = (
    select(func.max(entry_revisions.c.number))
    .where(entry_revisions.c.entry_id == timeline_entries.c.id)
    .correlate(timeline_entries)
    .scalar_subquery()
)
_ENTRIES = (
    select(
        timeline_entries.c.number,
        func.coalesce(entry_revisions.c.text, timeline_entries.c.text).label("words"),
        func.coalesce(entry_revisions.c.retracted, False).label("retracted"),
    )
    .select_from(timeline_entries)
    .outerjoin(
        entry_revisions, and_(entry_revisions.c.entry_id == timeline_entries.c.id, entry_revisions.c.number == _LAST)
    )
    .where(timeline_entries.c.incident_id == bindparam("incident_id"))
)
_ENTRY = _ENTRIES.where(timeline_entries.c.number == bindparam("number"))
_LATER_ENTRIES = (
    _ENTRIES.where(timeline_entries.c.number > bindparam("after"))
    .order_by(timeline_entries.c.number)
    .limit(bindparam("most"))
)
_ITEMS = select(action_items.c.number, action_items.c.text, action_items.c.done_when).where(
    action_items.c.incident_id == bindparam("incident_id")
)
_ITEM = _ITEMS.where(action_items.c.number == bindparam("number"))
_LATER_ITEMS = (
    _ITEMS.where(action_items.c.number > bindparam("after")).order_by(action_items.c.number).limit(bindparam("most"))
)
_VERSION = (
    select(postmortem_versions.c.number, postmortem_versions.c.sections)
    .where(postmortem_versions.c.incident_id == bindparam("incident_id"))
    .order_by(postmortem_versions.c.number.desc())
    .limit(1)
)
_COUNTS = ("indexed_entries", "indexed_items", "indexed_version")
_INCIDENT = (
    incidents.c.id,
    incidents.c.workspace_id,
    incidents.c.title,
    incidents.c.last_entry_number,
    incidents.c.last_item_number,
    *(incidents.c[name] for name in _COUNTS),
)
_UNINDEXED = select(*_INCIDENT).where(text(f"incidents.{UNINDEXED}"))
_ANY_UNINDEXED = _UNINDEXED.with_only_columns(incidents.c.id).order_by(incidents.c.id.desc()).limit(bindparam("most"))
_ONE_UNINDEXED = (
    select(*_INCIDENT)
    .where(incidents.c.id == bindparam("incident_id"), incidents.c.unindexed)
    .with_for_update(skip_locked=True)
)
_BEHIND = _UNINDEXED.where(incidents.c.workspace_id == bindparam("workspace_id")).with_only_columns(
    func.sum(
        incidents.c.last_entry_number
        - incidents.c.indexed_entries
        + incidents.c.last_item_number
        - incidents.c.indexed_items
    )
)
_BY_ID = select(*_INCIDENT).where(incidents.c.id == bindparam("incident_id"))


def _pending(connection: Connection, incident: Row[Any], most: int) -> tuple[dict[int, str], dict[str, int]]:
    """At most about `most` documents that are not indexed yet, by id, and the counts once they are."""
    first, counts = incident.id * _PLACES, {name: getattr(incident, name) for name in _COUNTS}
    of = {"incident_id": incident.id, "most": most}
    written: dict[int, str] = {}
    if counts["indexed_entries"] < 0:
        written[first] = incident.title
        counts["indexed_entries"] = 0
    for row in connection.execute(_LATER_ENTRIES, of | {"after": counts["indexed_entries"]}):
        written[first + row.number] = "" if row.retracted else row.words
        counts["indexed_entries"] = row.number
    for row in connection.execute(_LATER_ITEMS, of | {"after": counts["indexed_items"]}):
        written[first + _FIRST_ITEM + row.number] = _item_words(row)
        counts["indexed_items"] = row.number
    version = connection.execute(_VERSION, of).first()
    if version is not None and version.number != counts["indexed_version"]:
        written |= {first + _FIRST_PART + at: part for at, part in enumerate(_parts(version.sections))}
        counts["indexed_version"] = version.number
    return written, counts


def _item_words(row: Any) -> str:
    return f"{row.text}\n{row.done_when}" if row.done_when else str(row.text)


def _parts(sections: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The texts of the sections, in pieces that overlap, so that what stands across two is found."""
    for section in sections:
        if section["key"] not in _WRITTEN_BY_SCRIBE and section["body"]:
            body = f"{section['heading']}\n{section['body']}"
            for at in range(0, len(body), _PART_LENGTH):
                yield body[at : at + _PART_LENGTH + _OVERLAP]


def tail(connection: Connection, incident_ids: Sequence[int]) -> Iterator[IndexedText]:
    """What is not indexed yet of these incidents."""
    for incident_id in incident_ids:
        written, _ = _pending(connection, connection.execute(_BY_ID, {"incident_id": incident_id}).one(), _ALL)
        yield from (_document(document_id, words) for document_id, words in written.items() if words)


def catch_up(database: Transactions) -> bool:
    """Index what is not indexed yet, in transactions of about PORTION documents each; returns whether there was any.

    An incident that another transaction has locked is left to the next time.
    """
    with database.read() as connection:
        waiting = list(connection.execute(_ANY_UNINDEXED, {"most": PORTION}).scalars())
    found = False
    for incident_id in waiting:
        more: bool | None = True
        while more:
            try:
                with database.write() as connection:
                    more = _index_portion(connection, incident_id)
            except Exception as error:
                # One row that cannot be read would keep all others from the index.
                if is_away(error):
                    raise
                _log.warning(
                    "the incident with the row id %d is not indexed: %s",
                    incident_id,
                    type(error).__name__,
                )
                with database.write() as connection:
                    connection.execute(update(incidents).where(incidents.c.id == incident_id).values(unindexed=False))
                more = False
            found = found or more is not None
    return found


def _index_portion(connection: Connection, incident_id: int) -> bool | None:
    """Index a portion of the incident; returns whether there is more, None where it is locked or done."""
    incident = connection.execute(_ONE_UNINDEXED, {"incident_id": incident_id}).first()
    if incident is None:
        return None
    written, counts = _pending(connection, incident, PORTION)
    if counts["indexed_version"] != incident.indexed_version:
        _drop_parts(connection, incident)
    _put(connection, incident.workspace_id, written)
    # By what was found, not by how many there should be: a number may be missing after an import.
    more = len(written) >= PORTION
    connection.execute(update(incidents).where(incidents.c.id == incident.id).values(**counts, unindexed=more))
    return more


def _drop_parts(connection: Connection, incident: Row[Any]) -> None:
    first = incident.id * _PLACES
    parts = select(search_documents.c.id).where(
        search_documents.c.id >= first + _FIRST_PART, search_documents.c.id < first + _PLACES
    )
    _put(connection, incident.workspace_id, dict.fromkeys(connection.execute(parts).scalars(), ""))


def unindexed(connection: Connection) -> list[int]:
    """The ids of the incidents of which something is not indexed yet, of all workspaces: they are few."""
    return list(connection.execute(_ANY_UNINDEXED, {"most": _ALL}).scalars())


def behind(connection: Connection, workspace_id: str) -> int:
    """How many entries and items of the workspace are not indexed yet."""
    return int(connection.execute(_BEHIND, {"workspace_id": workspace_id}).scalar_one() or 0)


def note_missed(connection: Connection) -> None:
    """Mark the incidents whose entries or items a replica of an older release recorded, which marks none."""
    behind = or_(
        incidents.c.indexed_entries < incidents.c.last_entry_number,
        incidents.c.indexed_items < incidents.c.last_item_number,
    )
    connection.execute(update(incidents).where(incidents.c.unindexed.is_(False), behind).values(unindexed=True))


def refresh(connection: Connection, incident_id: int, what: str, number: int = 0) -> None:
    """Index the incident's title, or its entry or item of that number, as it stands now, if it was indexed before."""
    incident = connection.execute(_BY_ID, {"incident_id": incident_id}).one()
    of, first = {"incident_id": incident_id, "number": number}, incident.id * _PLACES
    if what == TITLE and incident.indexed_entries >= 0:
        _put(connection, incident.workspace_id, {first: incident.title})
    if what == ENTRY and number <= incident.indexed_entries:
        row = connection.execute(_ENTRY, of).one()
        _put(connection, incident.workspace_id, {first + number: "" if row.retracted else row.words})
    if what == ITEM and number <= incident.indexed_items:
        words = _item_words(connection.execute(_ITEM, of).one())
        _put(connection, incident.workspace_id, {first + _FIRST_ITEM + number: words})


def refresh_all(connection: Connection, incident_ids: Iterable[int]) -> None:
    """Index the titles and postmortems of these incidents anew: words were erased from them."""
    for incident_id in incident_ids:
        incident = connection.execute(_BY_ID, {"incident_id": incident_id}).one()
        refresh(connection, incident_id, TITLE)
        _drop_parts(connection, incident)
        values = {"indexed_version": 0, "unindexed": True}
        connection.execute(update(incidents).where(incidents.c.id == incident_id).values(**values))


def optimize(connection: Connection) -> None:
    """Have SQLite's index written anew, without what was removed from it. On a server, vacuuming does that."""
    if connection.dialect.name == "sqlite":
        connection.execute(_FTS_OPTIMIZE)
