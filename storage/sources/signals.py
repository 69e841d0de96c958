"""Signals: alerts and changes as sources told them, each kept once, and what became of it.

A signal is *fresh* until a tick has looked at it. It is *pending* until an incident takes it, or somebody says that it
is none: then it is *dismissed*. A repeat is known by source, fingerprint and start; it counts, and ends what was
firing, in any order.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    text,
    update,
)

from storage.dialects import upsert
from storage.models import FIRING, FRESH, OPEN, PENDING_SIGNAL, incidents, signals, timeline_entries
from storage.timeline import RETRACTED
from storage.values import ALERT, Signal, whole_milliseconds

PENDING, TAKEN, DISMISSED = "pending", "taken", "dismissed"
"""The states of a signal."""
EVERYWHERE = "*"
"""In place of a channel: a change that may concern the incidents of any."""
NEW_WITHIN = timedelta(minutes=15)
"""How young an incident is to which what came before is offered."""

Place = tuple[str, str]
"""A workspace and a channel."""
_STORED = tuple(each.name for each in fields(Signal) if each.name not in {"id", "fingerprint", "once"})
_COLUMNS = (signals.c.id, signals.c.identity.label("fingerprint"), *(signals.c[name] for name in _STORED))
_INSTANT = signals.c.occurred_at.type
_IS_FRESH = and_(text(FRESH), signals.c.fresh.is_(True))
_HERE = and_(signals.c.workspace_id == bindparam("of_workspace"), signals.c.channel_id == bindparam("of_channel"))
_IS_PENDING = text(PENDING_SIGNAL)
_PLACES = select(signals.c.workspace_id, signals.c.channel_id).where(_IS_FRESH).distinct()
_END = (
    update(signals)
    .where(
        _HERE,
        text(FIRING),
        signals.c.identity == bindparam("of_identity"),
        signals.c.kind == ALERT,
        signals.c.occurred_at <= bindparam("at", type_=_INSTANT),
    )
    .values(ended_at=bindparam("at", type_=_INSTANT), fresh=True)
)
_TO_TELL = and_(_HERE, _IS_FRESH, signals.c.fired, _IS_PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Several alerts: how many there are, how many still fire, the first start, the last end, their names by number.

    `labels` are those that all of them have in common, as far as was looked; `sources` are where they came from.
    """

    count: int
    firing: int
    first_at: datetime
    quiet_at: datetime | None
    titles: tuple[tuple[str, int], ...]
    sources: tuple[str, ...]
    labels: Mapping[str, str]
    example: Signal


_MOST_TITLES, _MOST_COMPARED = 6, 200
"""Names of a group that are told, and alerts whose labels are compared."""


def _hash(*facts: str) -> str:
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _identity(signal: Signal) -> str:
    """What all alerts of the same thing have in common, whenever they began."""
    return _hash(signal.source, signal.fingerprint)


def _key(signal: Signal) -> str:
    """What a repeat of the signal has too."""
    since = "" if signal.once else whole_milliseconds(signal.occurred_at).isoformat()
    return _hash(signal.source, signal.fingerprint, since)


def add(connection: Connection, workspace_id: str, channel_id: str, told: Sequence[Signal], *, at: datetime) -> None:
    """Keep each signal once, in the order of their keys, so that two transactions with the same ones do not deadlock.

    An alert that is over ends all of the same identity that still fire: not every source says when one began.
    """
    rows = [
        {
            **{each: getattr(signal, each) for each in _STORED},
            "labels": dict(signal.labels),
            "workspace_id": workspace_id,
            "channel_id": channel_id,
            "identity": _identity(signal),
            "key": _key(signal),
            "occurred_at": whole_milliseconds(signal.occurred_at),
            "ended_at": None if signal.ended_at is None else whole_milliseconds(signal.ended_at),
            "received_at": at,
            "repeats": 0,
            # Changes wait to be offered; nothing is done about them as they come.
            "fresh": signal.kind == ALERT,
            "state": PENDING,
        }
        for signal in told
    ]
    new = upsert(connection)(signals)
    ends = and_(signals.c.ended_at.is_(None), new.excluded.ended_at.is_not(None))
    begins = and_(signals.c.fired.is_(False), new.excluded.fired)
    statement = new.on_conflict_do_update(
        index_elements=[signals.c.workspace_id, signals.c.channel_id, signals.c.key],
        set_={
            "repeats": signals.c.repeats + 1,
            "ended_at": func.coalesce(signals.c.ended_at, new.excluded.ended_at),
            "fired": or_(signals.c.fired, new.excluded.fired),
            "fresh": or_(signals.c.fresh, ends, begins),
        },
    )
    if rows:
        connection.execute(statement, sorted(rows, key=lambda row: row["key"]))
    for row in rows:
        if row["ended_at"] is not None:
            of = {"of_workspace": workspace_id, "of_channel": channel_id, "of_identity": row["identity"]}
            connection.execute(_END, of | {"at": row["ended_at"]})


def fresh_places(connection: Connection, workspace_id: str | None = None) -> list[Place]:
    """The channels with alerts that were not looked at yet."""
    query = _PLACES if workspace_id is None else _PLACES.where(signals.c.workspace_id == workspace_id)
    return [(row.workspace_id, row.channel_id) for row in connection.execute(query)]


def has_to_tell(connection: Connection, place: Place) -> bool:
    """Whether alerts of the channel fired that are on no incident yet."""
    return connection.execute(select(signals.c.id).where(_TO_TELL).limit(1), _of(place)).first() is not None


def take(connection: Connection, place: Place, *, incident_id: int, entry_id: int, at: datetime) -> None:
    """Write what `has_to_tell` finds on the entry."""
    connection.execute(update(signals).where(_TO_TELL).values(**_taken(incident_id, entry_id, at)), _of(place))


def take_some(connection: Connection, ids: Collection[int], *, incident_id: int, entry_id: int, at: datetime) -> None:
    """Write these signals on the entry."""
    taken = update(signals).where(signals.c.id.in_(sorted(ids)))
    connection.execute(taken.values(**_taken(incident_id, entry_id, at)))


def _taken(incident_id: int, entry_id: int, at: datetime) -> dict[str, Any]:
    return {"state": TAKEN, "incident_id": incident_id, "entry_id": entry_id, "told_at": at, "fresh": False}


def ask(connection: Connection, place: Place, *, at: datetime | None) -> None:
    """Note that what `has_to_tell` finds was looked at; with `at`, that its channel was asked about it."""
    asked = {} if at is None else {"asked_at": at}
    connection.execute(update(signals).where(_TO_TELL).values(fresh=False, **asked), _of(place))


def look_at_ends(connection: Connection, place: Place) -> list[int]:
    """Note that all fresh alerts of the channel but those to tell were looked at; the ids of the entries of these."""
    rest = and_(_HERE, _IS_FRESH, ~and_(signals.c.fired, signals.c.state == PENDING))
    found = connection.execute(select(signals.c.entry_id).where(rest).distinct(), _of(place)).scalars().all()
    connection.execute(update(signals).where(rest).values(fresh=False), _of(place))
    return sorted(each for each in found if each is not None)


def last_asked(connection: Connection, place: Place) -> datetime | None:
    """When the channel was last asked about alerts that still wait for an answer; None where none do."""
    query = select(func.max(signals.c.asked_at, type_=_INSTANT)).where(_HERE, _IS_PENDING)
    found: datetime | None = connection.execute(query, _of(place)).scalar()
    return found


def asked(connection: Connection, place: Place) -> list[int]:
    """The ids of the alerts that the channel was asked about and that still wait for an answer."""
    query = select(signals.c.id).where(_HERE, _IS_PENDING, signals.c.asked_at.is_not(None)).order_by(signals.c.id)
    return list(connection.execute(query, _of(place)).scalars())


def dismiss(connection: Connection, ids: Collection[int]) -> None:
    """Note that these are no incident."""
    connection.execute(update(signals).where(signals.c.id.in_(sorted(ids))).values(state=DISMISSED, fresh=False))


def renew(connection: Connection, ids: Collection[int]) -> None:
    """Have these looked at anew: their channel has an incident now."""
    connection.execute(update(signals).where(signals.c.id.in_(sorted(ids))).values(fresh=True))


def last_told(connection: Connection, incident_id: int) -> tuple[int, datetime, datetime] | None:
    """The id of the incident's last entry with alerts, when the first of them came, and when the last was written."""
    query = (
        select(signals.c.entry_id, func.min(signals.c.received_at, type_=_INSTANT), func.max(signals.c.told_at))
        .where(signals.c.incident_id == incident_id, signals.c.entry_id.is_not(None), signals.c.kind == ALERT)
        .group_by(signals.c.entry_id)
        .order_by(signals.c.entry_id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (row[0], row[1], row[2])


def group_of_entry(connection: Connection, entry_id: int) -> Group | None:
    """The alerts of the entry."""
    return _group(connection, signals.c.entry_id == entry_id, {})


def group_of_incident(connection: Connection, incident_id: int) -> Group | None:
    """The alerts of the incident, as far as entries that stand have them; None where there are none."""
    standing = select(timeline_entries.c.id).where(timeline_entries.c.incident_id == incident_id, ~RETRACTED)
    return _group(connection, and_(signals.c.entry_id.in_(standing), signals.c.kind == ALERT), {})


def group_to_tell(connection: Connection, place: Place) -> Group | None:
    """What `has_to_tell` finds."""
    return _group(connection, _TO_TELL, _of(place))


def group_of(connection: Connection, ids: Collection[int]) -> Group | None:
    """These signals together."""
    return _group(connection, signals.c.id.in_(sorted(ids)), {})


def _group(connection: Connection, where: ColumnElement[bool], of: Mapping[str, Any]) -> Group | None:
    firing = func.sum(case((signals.c.ended_at.is_(None), 1), else_=0))
    first_at = func.min(signals.c.occurred_at, type_=_INSTANT)
    quiet_at = func.max(signals.c.ended_at, type_=_INSTANT)
    counted = select(func.count(), firing, first_at, quiet_at).where(where)
    count, fires, began_at, ended_at = connection.execute(counted, of).one()
    if not count:
        return None
    number = func.count().label("number")
    titles = select(signals.c.title, number).where(where).group_by(signals.c.title)
    titles = titles.order_by(number.desc(), signals.c.title).limit(_MOST_TITLES)
    sources = select(signals.c.source).where(where).distinct().order_by(signals.c.source)
    first = select(*_COLUMNS).where(where).order_by(signals.c.occurred_at, signals.c.id).limit(_MOST_COMPARED)
    found = [Signal(**row) for row in connection.execute(first, of).mappings()]
    return Group(
        count=count,
        firing=int(fires),
        first_at=began_at,
        quiet_at=None if fires else ended_at,
        titles=tuple((row.title, row.number) for row in connection.execute(titles, of)),
        sources=tuple(connection.execute(sources, of).scalars()),
        labels=_common([each.labels for each in found]),
        example=found[0],
    )


def _common(labels: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {name: value for name, value in labels[0].items() if all(each.get(name) == value for each in labels[1:])}


def _of(place: Place) -> dict[str, str]:
    return {"of_workspace": place[0], "of_channel": place[1]}


def before(
    connection: Connection, workspace_id: str, channel_ids: Collection[str], *, since: datetime, until: datetime
) -> list[Signal]:
    """The pending alerts of the channels and the changes that may concern them, from then until then, oldest first."""
    return _oldest_first(
        connection,
        and_(_IS_PENDING),
        signals.c.workspace_id == workspace_id,
        signals.c.channel_id.in_(sorted({*channel_ids, EVERYWHERE})),
        signals.c.occurred_at >= since,
        signals.c.occurred_at <= until,
        signals.c.fired,
        # What is fresh is about to be told.
        signals.c.fresh.is_(False),
    )


def _oldest_first(connection: Connection, *where: ColumnElement[bool]) -> list[Signal]:
    query = select(*_COLUMNS).where(*where).order_by(signals.c.occurred_at, signals.c.id)
    return [Signal(**row) for row in connection.execute(query).mappings()]


def by_ids(connection: Connection, workspace_id: str, ids: Collection[int]) -> list[Signal]:
    """These signals of the workspace that are pending, oldest first."""
    return _oldest_first(
        connection,
        signals.c.workspace_id == workspace_id,
        signals.c.id.in_(sorted(ids)),
        signals.c.state == PENDING,
    )


def move(connection: Connection, entry_id: int, *, to: int, incident_id: int) -> None:
    """What was written on the entry is written on the entry `to`, of another incident, from now on."""
    moved = update(signals).where(signals.c.entry_id == entry_id)
    connection.execute(moved.values(entry_id=to, incident_id=incident_id))


def services(connection: Connection, incident_id: int) -> frozenset[str]:
    """The services, case-folded, that the alerts on the incident name."""
    named = and_(signals.c.incident_id == incident_id, signals.c.kind == ALERT, signals.c.service.is_not(None))
    found = connection.execute(select(signals.c.service).where(named).distinct()).scalars()
    return frozenset(each.casefold() for each in found if each is not None)


def young_incidents(connection: Connection, *, at: datetime, workspace_id: str | None = None) -> list[int]:
    """The ids of the open incidents that were declared within NEW_WITHIN; reads the few open ones alone."""
    query = select(incidents.c.id).where(text(OPEN), incidents.c.declared_at > at - NEW_WITHIN)
    if workspace_id is not None:
        query = query.where(incidents.c.workspace_id == workspace_id)
    return list(connection.execute(query.order_by(incidents.c.id)).scalars())


def prune(connection: Connection, *, before: datetime, most: int) -> int:
    """Delete up to `most` of the older ones that are on no entry; return how many it were."""
    old = select(signals.c.id).where(signals.c.received_at < before, signals.c.entry_id.is_(None)).limit(most)
    return connection.execute(delete(signals).where(signals.c.id.in_(old.scalar_subquery()))).rowcount
