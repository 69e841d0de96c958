"""Erasing: the one exception to "nothing is overwritten". It replaces words that must not be kept, wherever they stand.

An erased entry or action item keeps its number, kind, times, people and revisions; its words become a mark. The same
words go from what was made of them: receipts, jobs of the outbox, titles, versions of the postmortem.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    null,
    or_,
    select,
    update,
)

from storage.database import Database
from storage.live_messages import LIVE, SHOW
from storage.models import (
    action_item_revisions,
    action_items,
    entry_revisions,
    incident_changes,
    incidents,
    live_messages,
    outbox,
    postmortem_versions,
    receipts,
    signals,
    timeline_entries,
)
from storage.outbox import DOCUMENT, POST
from storage.search import index as search_index
from storage.sources import backfills

Erase = Callable[[str], str]
"""The text without the words; the same text where it does not hold them."""

ENTRY, ITEM = "entry", "item"
"""What can be erased; both are numbered within their incident."""
BEFORE = timedelta(days=1)
"""How long before it was recorded something may have been typed: first attempts that were refused."""
_STRUCTURE = frozenset(
    {
        "type", "action", "action_id", "asked_by", "block_id", "callback_id", "channel", "channel_id", "form", "key",
        "reply_url", "style", "thread_ts", "user", "user_id", "workspace_id",
    }
)  # fmt: skip
"""Fields of stored JSON whose values are no words, and have a meaning that a mark would break."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An entry or an action item as it was written. `texts` are all of its words, those of its revisions included."""

    what: str
    kind: str | None
    id: int
    incident_id: int
    number: int
    texts: tuple[str, ...]
    people: frozenset[str]
    recorded_at: datetime
    source: str | None = None
    permalink: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """What held the words.

    `posted` are jobs whose messages Slack can be asked to change, `shared` those whose files it can be asked to delete;
    `told` counts the other messages that it showed to a channel; `versions` are numbers of the postmortem's; `titles`
    are names of incidents.
    """

    receipts: int
    waiting: int
    posted: tuple[int, ...]
    shared: tuple[int, ...]
    told: int
    versions: tuple[int, ...]
    titles: tuple[int, ...]


def find(connection: Connection, what: str, incident_id: int, number: int) -> Written | None:
    """The incident's entry or item of that number, with all that was ever written in it."""
    found = [each for each in written(connection, incident_id) if (each.what, each.number) == (what, number)]
    return found[0] if found else None


def written(connection: Connection, incident_id: int) -> list[Written]:
    """Everything that people wrote in the incident's timeline and action items, retracted and dropped ones included."""
    entries = select(timeline_entries).where(timeline_entries.c.incident_id == incident_id)
    items = select(action_items).where(action_items.c.incident_id == incident_id)
    of_entries = _revised_texts(connection, entry_revisions, "entry_id", timeline_entries, incident_id, "text")
    of_items = _revised_texts(
        connection, action_item_revisions, "item_id", action_items, incident_id, "reason", "ticket", "worked_why"
    )
    return [
        Written(
            what=ENTRY,
            kind=row["kind"],
            id=row["id"],
            incident_id=incident_id,
            number=row["number"],
            texts=(row["text"], *of_entries.get(row["id"], ())),
            people=frozenset({row["recorded_by_id"], row["author_id"]}),
            recorded_at=row["recorded_at"],
            source=row["source"],
            permalink=row["permalink"],
        )
        for row in connection.execute(entries.order_by(timeline_entries.c.number)).mappings()
    ] + [
        Written(
            what=ITEM,
            kind=None,
            id=row["id"],
            incident_id=incident_id,
            number=row["number"],
            texts=(row["text"], *filter(None, [row["done_when"]]), *of_items.get(row["id"], ())),
            people=frozenset({row["recorded_by_id"]}),
            recorded_at=row["recorded_at"],
        )
        for row in connection.execute(items.order_by(action_items.c.number)).mappings()
    ]


def _revised_texts(
    connection: Connection, revisions: Table, of: str, table: Table, incident_id: int, *columns: str
) -> dict[int, list[str]]:
    """The texts in these columns of the revisions, by the id of what was revised."""
    query = (
        select(revisions.c[of], *(revisions.c[name] for name in columns))
        .join(table, table.c.id == revisions.c[of])
        .where(table.c.incident_id == incident_id)
        .order_by(revisions.c[of], revisions.c.number)
    )
    texts: dict[int, list[str]] = {}
    for key, *values in connection.execute(query):
        texts.setdefault(key, []).extend(filter(None, values))
    return texts


def family(connection: Connection, incident_id: int) -> list[int]:
    """The incident, and those that were merged into it: they keep copies of its entries."""
    same = or_(incidents.c.id == incident_id, incidents.c.same_as_id == incident_id)
    return list(connection.execute(select(incidents.c.id).where(same).order_by(incidents.c.id)).scalars())


def of_instant(connection: Connection, entry: Written) -> list[int]:
    """The workspace's incidents with an entry recorded at the same instant: one that was moved keeps it."""
    workspace_id = select(incidents.c.workspace_id).where(incidents.c.id == entry.incident_id).scalar_subquery()
    query = (
        select(incidents.c.id)
        .join(timeline_entries, timeline_entries.c.incident_id == incidents.c.id)
        .where(incidents.c.workspace_id == workspace_id, timeline_entries.c.recorded_at == entry.recorded_at)
    )
    return list(connection.execute(query.distinct().order_by(incidents.c.id)).scalars())


def moved_items(connection: Connection, of: Written) -> dict[int, int]:
    """The ids of the same action item where it was moved from or to, with their incidents; none for an entry.

    A copy has the words of the one that was dropped for it, and is recorded at that instant.
    """
    if of.what != ITEM:
        return {}
    copy, there = action_items.alias(), incidents.alias()
    workspace_id = select(incidents.c.workspace_id).where(incidents.c.id == of.incident_id).scalar_subquery()
    query = (
        select(action_items.c.id, action_items.c.incident_id, copy.c.id, copy.c.incident_id)
        .join(incidents, incidents.c.id == action_items.c.incident_id)
        .join(action_item_revisions, action_item_revisions.c.item_id == action_items.c.id)
        .join(copy, and_(copy.c.text == action_items.c.text, copy.c.recorded_at == action_item_revisions.c.revised_at))
        .join(there, and_(there.c.id == copy.c.incident_id, there.c.workspace_id == incidents.c.workspace_id))
        .where(
            incidents.c.workspace_id == workspace_id, action_items.c.text == of.texts[0], there.c.id != incidents.c.id
        )
        .where(action_item_revisions.c.state == "dropped", action_item_revisions.c.reason.like("moved to INC-%"))
    )
    pairs = [{one: incident, other: of_other} for one, incident, other, of_other in connection.execute(query)]
    found = {of.id: of.incident_id}
    while more := {
        key: pair[key] for pair in pairs if pair.keys() & found.keys() for key in pair.keys() - found.keys()
    }:
        found |= more
    return found


def overwrite(connection: Connection, target: Written, mark: str) -> None:
    """Put the mark in place of the words, also in all earlier revisions. A revision that says so is the caller's."""
    if target.what == ENTRY:
        _update(connection, timeline_entries, timeline_entries.c.id == target.id, text=mark, people=null())
        _update(connection, entry_revisions, entry_revisions.c.entry_id == target.id, text=mark, people=null())
        said: dict[str, Any] = {"title": mark, "text": "", "service": None, "link": None, "labels": {}}
        _update(connection, signals, _same_signals(target.id), **said)
    else:
        _update(connection, action_items, action_items.c.id == target.id, text=mark, done_when=None, people=null())
        of_item = action_item_revisions.c.item_id == target.id
        _update(connection, action_item_revisions, of_item, ticket=None)
        for name in ("reason", "worked_why"):
            written_in = action_item_revisions.c[name].is_not(None)
            _update(connection, action_item_revisions, of_item & written_in, **{name: mark})
    _update(connection, incidents, incidents.c.id == target.incident_id, erasures=incidents.c.erasures + 1, stale=True)
    search_index.refresh(connection, target.incident_id, target.what, target.number)


def _same_signals(entry_id: int) -> ColumnElement[bool]:
    """What was told on the entry, and on no entry: the same alert comes again in the same words."""
    told = signals.alias()
    of_entry = told.c.entry_id == entry_id
    again = and_(
        signals.c.entry_id.is_(None),
        signals.c.workspace_id == select(told.c.workspace_id).where(of_entry).limit(1).scalar_subquery(),
        signals.c.identity.in_(select(told.c.identity).where(of_entry)),
    )
    return or_(signals.c.entry_id == entry_id, again)


def _update(connection: Connection, table: Table, where: Any, **values: Any) -> None:
    connection.execute(update(table).where(where).values(**values))


def rewrite(
    connection: Connection, workspace_id: str, incident_ids: Iterable[int], erase: Erase, *, recorded_at: datetime
) -> Rewritten:
    """Erase the words from what was made of them, in the workspace since they were recorded, and in these incidents."""
    ids, since = list(incident_ids), recorded_at - BEFORE
    backfills.forget(connection, workspace_id)
    of_incidents = postmortem_versions.c.incident_id.in_(ids)
    versions = _rewrite(connection, postmortem_versions, ("id", "number"), "sections", of_incidents, erase)
    titles = _rewrite(connection, incidents, ("id", "number"), "title", incidents.c.id.in_(ids), erase)
    _update(connection, incidents, incidents.c.id.in_(ids), stale=True)
    _rewrite(connection, incidents, ("id",), "first_title", incidents.c.id.in_(ids), erase)
    search_index.refresh_all(connection, ids)
    _rewrite(connection, incidents, ("id",), "closed_why", incidents.c.id.in_(ids), erase)
    _rewrite(connection, incident_changes, ("id",), "value", incident_changes.c.incident_id.in_(ids), erase)
    answers = (receipts.c.workspace_id == workspace_id) & (receipts.c.answered_at >= since)
    answered = _rewrite(connection, receipts, ("workspace_id", "key"), "answer", answers, erase)
    jobs = (outbox.c.workspace_id == workspace_id) & (outbox.c.written_at >= since)
    sent = _rewrite(connection, outbox, ("id", "state", "action", "sent_as"), "content", jobs, erase)
    reached = [
        row for row in sent if row["sent_as"] or (row["action"] in {POST, DOCUMENT} and row["state"] == "sending")
    ]
    return Rewritten(
        receipts=len(answered),
        waiting=sum(row["state"] == "waiting" for row in sent),
        posted=tuple(row["id"] for row in reached if row["action"] != DOCUMENT),
        shared=tuple(row["id"] for row in reached if row["action"] == DOCUMENT),
        told=sum(row["state"] == "sent" and row["action"] == POST and not row["sent_as"] for row in sent),
        versions=tuple(sorted({row["number"] for row in versions})),
        titles=tuple(sorted({row["number"] for row in titles})),
    )


def compact(database: Database) -> None:
    """Rewrite the index of words and an SQLite file, so that neither keeps what was erased.

    As `Database.compact`, which also tells what it raises.
    """
    with database.write() as connection:
        search_index.optimize(connection)
    database.compact()


def left_behind(connection: Connection, incident_id: int, text: str) -> list[int]:
    """The jobs that posted a live message of the incident which is edited no more, each with the text to show instead.

    What such a message holds is kept nowhere, so it may be the words.
    """
    columns = (live_messages.c.id, live_messages.c.channel_id, live_messages.c.ts, live_messages.c.state)
    known = connection.execute(select(*columns).where(live_messages.c.incident_id == incident_id)).all()
    edited = {f"{row.channel_id} {row.ts}" for row in known if row.state == LIVE and row.ts}
    lanes = [f"live:{row.id}" for row in known]
    query = select(outbox.c.id, outbox.c.content).where(
        outbox.c.action == SHOW,
        outbox.c.lane.in_(lanes),
        outbox.c.sent_as.is_not(None),
        outbox.c.sent_as.not_in(edited),
    )
    found = [row for row in connection.execute(query.order_by(outbox.c.id)) if row.content.get("text") != text]
    for row in found:
        _update(connection, outbox, outbox.c.id == row.id, content={**row.content, "text": text})
    return [row.id for row in found]


def _rewrite(
    connection: Connection, table: Table, names: tuple[str, ...], column: str, where: Any, erase: Erase
) -> list[Mapping[str, Any]]:
    """Erase the words from one column of the rows; returns the named columns of those that held them."""
    keys: list[Column[Any]] = list(table.primary_key.columns)
    query = select(*(table.c[name] for name in names), table.c[column].label("stored")).where(where)
    changed: list[Mapping[str, Any]] = []
    for row in _stored(connection, table, names, column, query):
        try:
            shown = scrub(row["stored"], erase)
        except RecursionError:
            shown = None
        if shown != row["stored"]:
            changed.append({**row, "shown": shown})
    if changed:
        statement = update(table).where(*(key == bindparam(f"of_{key.name}") for key in keys))
        statement = statement.values({column: bindparam("shown", type_=table.c[column].type)})
        of = [{f"of_{key.name}": row[key.name] for key in keys} | {"shown": row["shown"]} for row in changed]
        connection.execute(statement, of)
    return changed


def _stored(
    connection: Connection, table: Table, names: tuple[str, ...], column: str, query: Select[Any]
) -> list[Mapping[str, Any]]:
    """The rows. JSON that cannot be read, such as that of a job that was set aside, is given as its text."""
    try:
        return [dict(row) for row in connection.execute(query).mappings()]
    except (ValueError, RecursionError):
        as_text = query.with_only_columns(
            *(table.c[name] for name in names), cast(table.c[column], Text).label("stored")
        )
        return [{**row, "stored": _parsed(row["stored"])} for row in connection.execute(as_text).mappings()]


def _parsed(stored: Any) -> Any:
    try:
        return json.loads(stored)
    except (ValueError, TypeError, RecursionError):
        return stored


def scrub(value: Any, erase: Erase) -> Any:
    """The JSON value with the words erased from each of its texts, except those that are no words."""
    if isinstance(value, str):
        return erase(value)
    if isinstance(value, list):
        return [scrub(each, erase) for each in value]
    if isinstance(value, dict):
        return {name: each if name in _STRUCTURE else scrub(each, erase) for name, each in value.items()}
    return value
