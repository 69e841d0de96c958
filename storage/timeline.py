"""The timeline: append entries, add revisions, read entries with their last revision applied and the names of now.

It is append-only: nothing is overwritten or deleted, with one exception that is itself on record. `storage.erasure`
puts a mark that says who, when and why in place of an entry's words, in all of its revisions; the entry keeps its
number, kind, times and author, and the erasure adds a revision.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from storage import live_messages, nudges
from storage.dialects import Prepared, upsert
from storage.members import NAME, fill_in
from storage.models import (
    entry_files,
    entry_graphs,
    entry_revisions,
    incidents,
    members,
    revised_entries,
    timeline_entries,
)
from storage.search import index as search_index
from storage.values import EntryFile, EntryGraph, GraphSeries, Milestone, TimelineEntry

PIN = "pin"
"""The source of an entry that was made by pinning its message."""
_OWN = tuple(column for column in timeline_entries.c if column.name != "incident_id")
_NAMES = tuple(column.name for column in _OWN)
_AUTHOR = func.coalesce(NAME, timeline_entries.c.author).label("author")
_ENTRIES = (
    select(incidents.c.workspace_id, *(_AUTHOR if column is timeline_entries.c.author else column for column in _OWN))
    .select_from(timeline_entries)
    .join(incidents, incidents.c.id == timeline_entries.c.incident_id)
    .outerjoin(
        members,
        and_(
            members.c.workspace_id == incidents.c.workspace_id,
            members.c.user_id == timeline_entries.c.author_id,
        ),
    )
)
"""The entries with their workspace and the names of now; the author's is the stored one where Slack knows none."""
_NOBODY: dict[str, str] = {}
_REVISABLE = ("occurred_at", "text", "qualifier", "retracted", "approximate", "until_at", "next_at")
_UNREVISED: dict[str, Any] = {"retracted": False, "revisions": 0}

_LAST_REVISION_NUMBER = (
    select(func.max(entry_revisions.c.number))
    .where(entry_revisions.c.entry_id == timeline_entries.c.id)
    .correlate(timeline_entries)
    .scalar_subquery()
)
LAST_REVISION = and_(
    entry_revisions.c.entry_id == timeline_entries.c.id, entry_revisions.c.number == _LAST_REVISION_NUMBER
)
"""Join condition between `timeline_entries` and the last of its `entry_revisions`; an entry may have none."""
RETRACTED = exists().where(LAST_REVISION, entry_revisions.c.retracted.is_(True))
"""Whether an entry is retracted by its last revision."""
IS_STANDING = func.coalesce(entry_revisions.c.retracted, False).is_(False)
"""The same of an entry that is joined to its last revision: whether it is not retracted."""
_MILESTONE_COLUMNS = (
    timeline_entries.c.incident_id,
    timeline_entries.c.number,
    timeline_entries.c.kind,
    func.coalesce(entry_revisions.c.occurred_at, timeline_entries.c.occurred_at),
    case((entry_revisions.c.id.is_(None), timeline_entries.c.qualifier), else_=entry_revisions.c.qualifier),
    func.coalesce(entry_revisions.c.approximate, timeline_entries.c.approximate),
)
"""The columns of a Milestone, of an entry that is joined to its last revision."""

# Built once: SQLAlchemy takes longer to build a statement than SQLite to execute it.
_NEXT_NUMBER: Prepared[tuple[int, datetime | None]] = Prepared(
    update(incidents)
    .where(incidents.c.id == bindparam("incident_id"))
    .values(last_entry_number=incidents.c.last_entry_number + 1, stale=True, unindexed=True)
    .returning(incidents.c.last_entry_number, incidents.c.happened_at)
)
_DATING = frozenset({"started", "detected", "impact", "resolved"})
"""The kinds of entry that say when an incident happened, before all others."""
_UNDATING = frozenset({"severity", "lead", "title", "private", "update", "change"})
"""The kinds that say nothing of it."""
_PROMISING = "update"
"""The kind that may promise when the next of its kind comes."""
_HAPPENED_AT = func.coalesce(entry_revisions.c.occurred_at, timeline_entries.c.occurred_at)
_STANDING = (
    select(_HAPPENED_AT)
    .select_from(timeline_entries)
    .outerjoin(entry_revisions, LAST_REVISION)
    .where(timeline_entries.c.incident_id == bindparam("incident_id"), IS_STANDING)
)
_BEFORE = _STANDING.where(
    timeline_entries.c.kind == bindparam("kind"), timeline_entries.c.number < bindparam("number")
).limit(1)
_AT = bindparam("at", type_=timeline_entries.c.occurred_at.type)
_NO_LATER: Prepared[tuple[datetime]] = Prepared(_BEFORE.where(_HAPPENED_AT <= _AT))
_NO_EARLIER: Prepared[tuple[datetime]] = Prepared(_BEFORE.where(_HAPPENED_AT >= _AT))
"""An entry of the kind before `number` that happened no later, or no earlier, than `at`."""
_OF_INCIDENT = timeline_entries.c.incident_id == bindparam("incident_id")
_OF_KIND = bindparam("kind", type_=String())


@dataclass(frozen=True, slots=True, kw_only=True)
class _StandingPart:
    """One of the two parts of an incident's standing entries: each has indexes by when they happened, `at`."""

    id: Column[int]
    at: Column[datetime]
    number: Column[int]
    kind: Column[str]
    where: tuple[ColumnElement[bool], ...]


_PARTS = (
    _StandingPart(
        id=timeline_entries.c.id,
        at=timeline_entries.c.occurred_at,
        number=timeline_entries.c.number,
        kind=timeline_entries.c.kind,
        where=(_OF_INCIDENT, ~exists().where(revised_entries.c.entry_id == timeline_entries.c.id)),
    ),
    _StandingPart(
        id=revised_entries.c.entry_id,
        at=revised_entries.c.stands_at,
        number=revised_entries.c.number,
        kind=revised_entries.c.kind,
        where=(revised_entries.c.incident_id == bindparam("incident_id"), revised_entries.c.stands_at.is_not(None)),
    ),
)
"""Those without revisions, and those that have some."""


def _bound(*kinds: str, last: bool = False, apart_from: Collection[str] = ()) -> list[ScalarSelect[Any]]:
    """When the first, or the last, of the standing entries of the kinds happened, of each part.

    Sorted, not the least of all: beside another table PostgreSQL looks for a least one without an index.
    """
    return [
        select(part.at)
        .where(*part.where, *(part.kind == kind for kind in kinds), *(part.kind != kind for kind in apart_from))
        .order_by(part.at.desc() if last else part.at)
        .limit(1)
        .scalar_subquery()
        for part in _PARTS
    ]


_BOUNDS = select(
    *_bound("started"),
    *_bound("impact"),
    *_bound("detected"),
    *_bound("resolved", last=True),
    *_bound(apart_from=_UNDATING),
)
"""When the first `/started`, impact, detection and the last `/resolved` happened, and the first of all that say it."""
_DATES = select(incidents.c.declared_at, incidents.c.happened_at).where(incidents.c.id == bindparam("incident_id"))
_INSERT: Prepared[tuple[int]] = Prepared(
    insert(timeline_entries)
    .values(dict.fromkeys(column.name for column in timeline_entries.c if column.name != "id") | {"approximate": False})
    .returning(timeline_entries.c.id)
)


def _reading(*conditions: ColumnElement[bool], by: ColumnElement[int]) -> tuple[Select[Any], Select[Any]]:
    """The queries for the entries that meet the conditions, in the order of a column, and for their revisions."""
    revisions = select(entry_revisions).join(timeline_entries, timeline_entries.c.id == entry_revisions.c.entry_id)
    return (
        _ENTRIES.where(*conditions).order_by(by),
        revisions.where(*conditions).order_by(entry_revisions.c.number),
    )


_EVERY = _reading(_OF_INCIDENT, by=timeline_entries.c.number)


@cache
def _of_kinds(kinds: tuple[str, ...]) -> tuple[Select[Any], Select[Any]]:
    """The queries for an incident's entries of the kinds. No IN: SQLAlchemy would write its list anew each time."""
    of_kinds = or_(*(timeline_entries.c.kind == kind for kind in kinds))
    # Sorted by a sum: in the order of the column itself SQLite would rather read all entries than sort a few.
    return _reading(_OF_INCIDENT, of_kinds, by=timeline_entries.c.number + literal_column("0", Integer))


@cache
def _any_of_kinds(kinds: tuple[str, ...]) -> Select[Any]:
    of_kinds = or_(*(timeline_entries.c.kind == kind for kind in kinds))
    return select(timeline_entries.c.id).where(_OF_INCIDENT, of_kinds).limit(1).offset(bindparam("count"))


_REVISED = select(*_MILESTONE_COLUMNS).select_from(timeline_entries).outerjoin(entry_revisions, LAST_REVISION)
_MILESTONES = _REVISED.where(
    timeline_entries.c.incident_id.in_(bindparam("incident_ids", expanding=True)),
    timeline_entries.c.kind.in_(bindparam("kinds", expanding=True)),
    IS_STANDING,
)
_COUNT = select(
    incidents.c.last_entry_number
    - select(func.count())
    .where(revised_entries.c.incident_id == incidents.c.id, revised_entries.c.stands_at.is_(None))
    .scalar_subquery()
).where(incidents.c.id == bindparam("incident_id"))


def _in_order(*, of_kind: bool = False) -> Select[Any]:
    """The ids of the standing entries, the last to happen first; `until` of each part are read."""
    parts = [
        select(part.id.label("id"), part.at.label("at"), part.number.label("number"))
        .where(*part.where, *([part.kind == _OF_KIND] if of_kind else []))
        .order_by(part.at.desc(), part.number.desc())
        .limit(bindparam("until"))
        .subquery()
        for part in _PARTS
    ]
    merged = union_all(*(select(part) for part in parts)).subquery()
    ordered = select(merged.c.id).order_by(merged.c.at.desc(), merged.c.number.desc())
    return ordered.limit(bindparam("limit")).offset(bindparam("skip"))


_LATEST, _LATEST_OF_KIND = _in_order(), _in_order(of_kind=True)
_BEFORE_ALL = datetime(1, 1, 2, tzinfo=UTC)
_NEXT_OF_KIND = select(
    *(
        select(part.at)
        .where(*part.where, part.kind == _OF_KIND, part.at > bindparam("after", type_=part.at.type))
        .order_by(part.at)
        .limit(1)
        .scalar_subquery()
        for part in _PARTS
    )
)
"""When the next of the kind happened, of each part."""
_OF_KIND_AT = union_all(
    *(
        select(part.id).where(*part.where, part.kind == _OF_KIND, part.at.in_(bindparam("instants", expanding=True)))
        for part in _PARTS
    )
)
_BY_IDS = _reading(timeline_entries.c.id.in_(bindparam("ids", expanding=True)), by=timeline_entries.c.number)
_FILES = (
    select(
        timeline_entries.c.number.label("entry_number"),
        *(entry_files.c[name] for name in ("name", "kind", "size", "sha256", "permalink")),
    )
    .join(timeline_entries, timeline_entries.c.id == entry_files.c.entry_id)
    .outerjoin(entry_revisions, LAST_REVISION)
    .where(timeline_entries.c.incident_id == bindparam("incident_id"), entry_files.c.sha256.is_not(None), IS_STANDING)
    .order_by(timeline_entries.c.number, entry_files.c.id)
)
_GRAPHS = (
    select(timeline_entries.c.number.label("entry_number"), entry_graphs.c.query, entry_graphs.c.figures)
    .join(timeline_entries, timeline_entries.c.id == entry_graphs.c.entry_id)
    .outerjoin(entry_revisions, LAST_REVISION)
    .where(timeline_entries.c.incident_id == bindparam("incident_id"), IS_STANDING)
    .order_by(timeline_entries.c.number)
)
_HAS: Prepared[tuple[int]] = Prepared(
    select(timeline_entries.c.id)
    .where(
        _OF_INCIDENT,
        timeline_entries.c.kind == bindparam("kind"),
        ~RETRACTED,
    )
    .limit(1)
)
_NO_PARAMETERS: Mapping[str, Any] = {}
_SAME_WORDS = select(func.max(timeline_entries.c.number)).where(
    _OF_INCIDENT,
    timeline_entries.c.number < bindparam("number"),
    timeline_entries.c.number >= bindparam("from_number"),
    timeline_entries.c.recorded_at >= bindparam("since"),
    timeline_entries.c.recorded_by_id == bindparam("user_id"),
    timeline_entries.c.kind == bindparam("kind"),
    timeline_entries.c.text == bindparam("text"),
    ~RETRACTED,
)
_SAME_WORDS_THEN = _SAME_WORDS.where(
    timeline_entries.c.occurred_at == bindparam("at", type_=timeline_entries.c.occurred_at.type)
)
_SAID_BEFORE: Prepared[tuple[int | None]] = Prepared(_SAME_WORDS)
_SAID_THEN: Prepared[tuple[int | None]] = Prepared(_SAME_WORDS_THEN)
_LOOKED_BACK = 20
"""How many entries back is looked at most, so that the time it takes does not grow with the timeline."""


def append(connection: Connection, incident_id: int, **facts: Any) -> TimelineEntry:
    """Insert an entry under the incident's next number; `facts` are its other columns.

    `people` may be left out. `{}` says that no id in the text is anybody's; None that it was not looked.
    """
    facts.setdefault("people", None)
    facts["number"], happened_at = _NEXT_NUMBER.one(connection, {"incident_id": incident_id})
    (entry_id,) = _INSERT.one(connection, facts | {"incident_id": incident_id})
    if happened_at is None or _may_date(connection, incident_id, facts, happened_at):
        _date(connection, incident_id)
    if facts.get("next_at") is not None:
        nudges.save(connection, incident_id, due_at=facts["next_at"])
    named = _named(connection, incident_id, facts["text"], facts["people"]) if "@" in facts["text"] else {"people": {}}
    return TimelineEntry(id=entry_id, retracted=False, revisions=0, **facts | named)


def _may_date(connection: Connection, incident_id: int, facts: Mapping[str, Any], happened_at: datetime) -> bool:
    """Whether the entry of these facts, just inserted, may change when its incident happened.

    What is neither the first of its kind nor, being a resolution, the last changes nothing: so the thousandth
    detection costs no more than the second.
    """
    kind, at = facts["kind"], facts["occurred_at"]
    if kind not in _DATING:
        return kind not in _UNDATING and at < happened_at
    outdone = _NO_EARLIER if kind == "resolved" else _NO_LATER
    parameters = {"incident_id": incident_id, "kind": kind, "number": facts["number"], "at": at}
    return outdone.first(connection, parameters) is None


def _date(connection: Connection, incident_id: int) -> None:
    """Set when the incident happened: at its start, else at its first impact or detection, else at its first entry.

    One that was declared before the first of all other entries happened when it was declared. An impact told after the
    resolution sums up, and says nothing of it.
    """
    of_incident = {"incident_id": incident_id}
    bounds = connection.execute(_BOUNDS, of_incident).one()
    # Of each pair one is of entries without revisions, the other of those that have some.
    started, impact, detected, resolved, first = ([at for at in bounds[n : n + 2] if at] for n in range(0, 10, 2))
    signs = [min(each) for each in (impact, detected) if each]
    declared_at, happened_at = connection.execute(_DATES, of_incident).one()
    at = min(started or signs, default=None)
    if at is None or (not started and resolved and at > max(resolved)):
        at = min([*first, declared_at])
    if at != happened_at:
        # PostgreSQL locks the workspace when a row is updated twice in one transaction: not without need.
        connection.execute(update(incidents).where(incidents.c.id == incident_id).values(happened_at=at))


def has_more_than(connection: Connection, incident_id: int, count: int) -> bool:
    """Whether the incident has more than `count` entries, which are numbered without gaps."""
    query = select(timeline_entries.c.id).where(
        timeline_entries.c.incident_id == incident_id, timeline_entries.c.number > count
    )
    return connection.execute(query.limit(1)).first() is not None


def of_incident(
    connection: Connection, incident_id: int, *, kinds: Collection[str] | None = None
) -> list[TimelineEntry]:
    """All entries of the incident with their last revisions applied, retracted ones included, by number.

    `kinds` limits them to entries of these kinds.
    """
    queries = _EVERY if kinds is None else _of_kinds(tuple(kinds))
    return _revised(connection, *queries, {"incident_id": incident_id})


def milestones(
    connection: Connection, incident_ids: Collection[int], kinds: Collection[str]
) -> dict[int, list[Milestone]]:
    """The entries of each of the incidents that are of these kinds, with their last revisions applied.

    Without retracted ones. What is read of each is little, however long the incident.
    """
    found: dict[int, list[Milestone]] = {incident_id: [] for incident_id in incident_ids}
    for row in connection.execute(_MILESTONES, {"incident_ids": list(incident_ids), "kinds": list(kinds)}):
        found[row.incident_id].append(Milestone(*row))
    return found


def last_happened(
    connection: Connection, incident_id: int, *, limit: int, kind: str | None = None, skip: int = 0
) -> list[TimelineEntry]:
    """The standing entries, of one kind if it is given, that happened last, the last one first, after `skip` others.

    What is read of the others is an index, as far as these.
    """
    query = _LATEST if kind is None else _LATEST_OF_KIND
    page = {"incident_id": incident_id, "kind": kind, "limit": limit, "skip": skip, "until": limit + skip}
    ids = list(connection.execute(query, page).scalars())
    found = {entry.id: entry for entry in _revised(connection, *_BY_IDS, {"ids": ids})} if ids else {}
    return [found[entry_id] for entry_id in ids]


def firsts(
    connection: Connection, incident_id: int, kinds: tuple[str, ...], *, after: Collection[datetime]
) -> list[TimelineEntry]:
    """Of the standing entries of each kind the first, the first after each instant, and those at it.

    With each come all that happened at the same time. They are in no order.
    """
    ids: list[int] = []
    for kind in kinds:
        of_kind = {"incident_id": incident_id, "kind": kind}
        found = [connection.execute(_NEXT_OF_KIND, {**of_kind, "after": at}).one() for at in (_BEFORE_ALL, *after)]
        instants = {*after, *(at for parts in found for at in parts if at is not None)}
        ids += connection.execute(_OF_KIND_AT, {**of_kind, "instants": sorted(instants)}).scalars()
    return _revised(connection, *_BY_IDS, {"ids": ids})


def has_more_of(connection: Connection, incident_id: int, kinds: tuple[str, ...], count: int) -> bool:
    """Whether more than `count` entries of these kinds were recorded."""
    return connection.execute(_any_of_kinds(kinds), {"incident_id": incident_id, "count": count}).first() is not None


def count(connection: Connection, incident_id: int) -> int:
    """How many entries the incident has, without retracted ones."""
    return int(connection.execute(_COUNT, {"incident_id": incident_id}).scalar_one())


def has(connection: Connection, incident_id: int, kind: str) -> bool:
    """Whether the incident has an entry of the kind that is not retracted."""
    return _HAS.first(connection, {"incident_id": incident_id, "kind": kind}) is not None


def numbered(connection: Connection, incident_id: int, number: int) -> TimelineEntry | None:
    """The incident's entry of that number."""
    return _newest(connection, timeline_entries.c.incident_id == incident_id, timeline_entries.c.number == number)


def by_id(connection: Connection, entry_id: int) -> TimelineEntry:
    """The entry with that row id, which must exist."""
    found = _newest(connection, timeline_entries.c.id == entry_id)
    if found is None:
        raise LookupError(f"no entry {entry_id}")
    return found


def revised_by(connection: Connection, entry: TimelineEntry) -> set[str]:
    """The ids of those who revised the entry."""
    query = select(entry_revisions.c.revised_by_id).where(entry_revisions.c.entry_id == entry.id)
    return set(connection.execute(query).scalars())


def last_by(connection: Connection, incident_id: int, user_id: str) -> TimelineEntry | None:
    """The newest entry that the user recorded and that is not retracted."""
    return _newest(
        connection,
        timeline_entries.c.incident_id == incident_id,
        timeline_entries.c.recorded_by_id == user_id,
        ~RETRACTED,
    )


def by_permalink(connection: Connection, incident_id: int, permalink: str, kind: str) -> TimelineEntry | None:
    """The newest entry of that kind that was made from the message with the permalink."""
    return _made_from(connection, incident_id, permalink, kind=kind)


def said_before(
    connection: Connection,
    incident_id: int,
    entry: TimelineEntry,
    *,
    text: str,
    since: datetime,
    at: datetime | None = None,
) -> int | None:
    """The number of an entry of the same kind and words that the same person recorded since then, None without one.

    `text` are the words as stored, before the names of now; `at` is when it happened, where that was typed.
    """
    same_words = _SAID_BEFORE if at is None else _SAID_THEN
    (number,) = same_words.one(
        connection,
        {
            "incident_id": incident_id,
            "number": entry.number,
            "from_number": entry.number - _LOOKED_BACK,
            "since": since,
            "user_id": entry.recorded_by_id,
            "kind": entry.kind,
            "text": text,
            **({} if at is None else {"at": at}),
        },
    )
    return number


def of_message(connection: Connection, workspace_id: str, permalinks: Collection[str]) -> list[TimelineEntry]:
    """The entries of all incidents that were made from the message with these permalinks, oldest first."""
    ours = timeline_entries.c.incident_id.in_(select(incidents.c.id).where(incidents.c.workspace_id == workspace_id))
    from_it = timeline_entries.c.permalink.in_(sorted(permalinks))
    return _revised(connection, *_reading(from_it, ours, by=timeline_entries.c.id))


def said(connection: Connection, incident_id: int) -> list[tuple[int, str | None, datetime, str, bool]]:
    """Of each entry its number, the address of its message, time and words as recorded, and whether it is retracted."""
    columns = (
        timeline_entries.c.number,
        timeline_entries.c.permalink,
        timeline_entries.c.occurred_at,
        timeline_entries.c.text,
    )
    query = select(*columns, RETRACTED).where(timeline_entries.c.incident_id == incident_id)
    return [(number, link, at, text, bool(gone)) for number, link, at, text, gone in connection.execute(query)]


def incident_id(connection: Connection, entry: TimelineEntry) -> int:
    """The row id of the entry's incident."""
    query = select(timeline_entries.c.incident_id).where(timeline_entries.c.id == entry.id)
    found: int = connection.execute(query).scalar_one()
    return found


def texts(connection: Connection, entry: TimelineEntry) -> set[str]:
    """Every text that the entry has had."""
    first = select(timeline_entries.c.text).where(timeline_entries.c.id == entry.id)
    later = select(entry_revisions.c.text).where(entry_revisions.c.entry_id == entry.id)
    return {row.text for query in (first, later) for row in connection.execute(query)}


def _made_from(connection: Connection, incident_id: int, permalink: str, **facts: str) -> TimelineEntry | None:
    """The newest entry with these facts that was made from the message; its permalink may name its thread or not."""
    message = permalink.partition("?")[0]
    column = timeline_entries.c.permalink
    # The lower bound lets the index leave out all earlier messages, in any collation.
    is_it = and_(column >= message, or_(column == message, column.startswith(f"{message}?", autoescape=True)))
    columns = (timeline_entries.c.number, *(timeline_entries.c[name] for name in facts))
    # The facts are compared here: a condition on them would have the database read another index.
    query = select(*columns).where(timeline_entries.c.incident_id == incident_id, is_it)
    found = [number for number, *told in connection.execute(query) if told == [*facts.values()]]
    return numbered(connection, incident_id, max(found)) if found else None


def involves(incident_id: Any, user_id: Any) -> ColumnElement[bool]:
    """Whether the user recorded an entry of the incident, or is the author of one."""
    rows = timeline_entries.alias()
    another = rows.c.author_id != rows.c.recorded_by_id
    of_user = (rows.c.recorded_by_id == user_id, and_(another, rows.c.author_id == user_id))
    # Two questions with an index each, in its order: for one, or for any row, all entries might be read.
    newest = (
        select(rows.c.number)
        .where(rows.c.incident_id == incident_id, each)
        .order_by(rows.c.number.desc())
        .limit(1)
        .correlate(incidents)
        .scalar_subquery()
        for each in of_user
    )
    return or_(*(each.is_not(None) for each in newest))


def is_participant(connection: Connection, incident_id: int, user_id: str) -> bool:
    """Whether the user recorded an entry of the incident, or is the author of one."""
    return bool(connection.execute(select(involves(incident_id, user_id))).scalar_one())


def by_reaction(connection: Connection, incident_id: int, permalink: str, user_id: str) -> TimelineEntry | None:
    """The newest entry that the user made by a reaction to the message with the permalink."""
    return _made_from(connection, incident_id, permalink, recorded_by_id=user_id, source="reaction")


def by_pin(connection: Connection, incident_id: int, permalink: str) -> TimelineEntry | None:
    """The newest entry that anybody made by pinning the message with the permalink."""
    return _made_from(connection, incident_id, permalink, source=PIN)


def revise(connection: Connection, entry: TimelineEntry, *, by: str, at: datetime, **changes: Any) -> TimelineEntry:
    """Add a revision with other values of any fact that can be corrected.

    Returns the revised entry. With another text come the `people` in it.
    """
    people = changes.get("people") if "text" in changes else dict(entry.people) or None
    revised = replace(entry, revisions=entry.revisions + 1, **changes | {"people": people or {}})
    connection.execute(
        insert(entry_revisions),
        {
            "entry_id": entry.id,
            "number": revised.revisions,
            "people": people,
            **{name: getattr(revised, name) for name in _REVISABLE},
            "revised_at": at,
            "revised_by_id": by,
            "message_state": revised.message_state,
        },
    )
    of = incident_id(connection, entry)
    stands_at = None if revised.retracted else revised.occurred_at
    place = {"entry_id": entry.id, "incident_id": of, "number": entry.number, "kind": entry.kind}
    insertion = upsert(connection)(revised_entries).values(**place, stands_at=stands_at)
    connection.execute(insertion.on_conflict_do_update(index_elements=["entry_id"], set_={"stands_at": stands_at}))
    live_messages.note_change(connection, of)
    if (revised.text, revised.retracted) != (entry.text, entry.retracted):
        search_index.refresh(connection, of, search_index.ENTRY, entry.number)
    if revised.retracted != entry.retracted or revised.occurred_at != entry.occurred_at:
        _date(connection, of)
    if entry.kind == _PROMISING:
        # Taken back, it may leave the promise of an earlier one.
        nudges.save(connection, of, due_at=at)
    if "@" not in revised.text:
        return revised
    of_entry = select(timeline_entries.c.incident_id).where(timeline_entries.c.id == entry.id).scalar_subquery()
    return replace(revised, **_named(connection, of_entry, revised.text, people))


def _named(connection: Connection, incident_id: Any, text: str, people: Any) -> dict[str, Any]:
    """The text and the people of an entry that was just written, with the names of now."""
    row = {"text": text, "people": people}
    of_incident = select(incidents.c.workspace_id).where(incidents.c.id == incident_id).scalar_subquery()
    fill_in(connection, of_incident, [row], "text")
    return row | {"people": row["people"] or {}}


def _newest(connection: Connection, *conditions: Any) -> TimelineEntry | None:
    """The matching entry with the highest number."""
    entry = _ENTRIES.where(*conditions).order_by(timeline_entries.c.number.desc()).limit(1)
    row = connection.execute(entry).first()
    if row is None:
        return None
    revisions = select(entry_revisions).where(entry_revisions.c.entry_id == row.id)
    return _revised(connection, entry, revisions.order_by(entry_revisions.c.number))[0]


def _revised(
    connection: Connection, entries: Select[Any], revisions: Select[Any], parameters: Mapping[str, Any] = _NO_PARAMETERS
) -> list[TimelineEntry]:
    """The entries with their last revisions applied."""
    last = {
        row["entry_id"]: {
            "people": row["people"],
            **{name: row[name] for name in _REVISABLE},
            "revisions": row["number"],
            "message_state": row["message_state"],
        }
        for row in connection.execute(revisions, parameters).mappings()
    }
    rows: list[dict[str, Any]] = []
    mentioning: list[dict[str, Any]] = []
    workspace_id = ""
    for workspace_id, *values in connection.execute(entries, parameters):  # noqa: B007 - all are of one workspace
        row = dict(zip(_NAMES, values, strict=True))
        row.update(last.get(row["id"], _UNREVISED))
        rows.append(row)
        if "@" in row["text"] or "#" in row["text"]:
            mentioning.append(row)
        elif row["people"] is None:
            row["people"] = _NOBODY
    if mentioning:
        fill_in(connection, workspace_id, mentioning, "text")
        for row in mentioning:
            row["people"] = row["people"] or _NOBODY
    return [TimelineEntry(**row) for row in rows]


def files(connection: Connection, incident_id: int) -> list[EntryFile]:
    """The kept files of the incident's standing entries, by the entries' numbers, in the order of the message."""
    return [EntryFile(**row) for row in connection.execute(_FILES, {"incident_id": incident_id}).mappings()]


def graphs(connection: Connection, incident_id: int) -> list[EntryGraph]:
    """The graphs of the incident's standing notes that have figures, by the notes' numbers."""
    rows = connection.execute(_GRAPHS, {"incident_id": incident_id}).mappings()
    return [_graph(row["entry_number"], row["query"], row["figures"]) for row in rows if row["figures"]]


def _graph(entry_number: int, query: str, figures: Mapping[str, Any]) -> EntryGraph:
    lines = (GraphSeries(labels=each["labels"], values=tuple(each["values"])) for each in figures["series"])
    return EntryGraph(
        entry_number=entry_number,
        query=query,
        start_at=datetime.fromtimestamp(figures["start_s"], UTC),
        step_s=figures["step_s"],
        series=tuple(lines),
        left_out=figures["left_out"],
    )


def characters(connection: Connection, *, most: int = 10_000) -> str:
    """Every character, once, of what is written in the newest entries, in their revisions and in incidents' titles."""
    found: set[str] = set()
    columns = (timeline_entries.c.text, timeline_entries.c.author, entry_revisions.c.text, incidents.c.title)
    for column in columns:
        newest = select(column).order_by(column.table.c.id.desc()).limit(most)
        for (words,) in connection.execute(newest):
            found.update(words)
    return "".join(sorted(found))
