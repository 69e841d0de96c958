"""Graphs that notes ask a monitoring system for: the query of each, and its figures once they were fetched.

Figures are those of the query in their row. A note that has other words by now has no graph until it is fetched anew,
so that what is drawn is always what the timeline says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from storage import outbox
from storage.dialects import row_id
from storage.models import entry_graphs, entry_revisions, timeline_entries
from storage.timeline import IS_STANDING, LAST_REVISION
from storage.values import GraphSeries

FETCH = "fetch_graph"
"""The action of the job that fetches the figures."""
_OF_STANDING = (
    select(entry_graphs.c.id)
    .join(timeline_entries, timeline_entries.c.id == entry_graphs.c.entry_id)
    .outerjoin(entry_revisions, LAST_REVISION)
    .where(IS_STANDING)
    .order_by(timeline_entries.c.number)
)


def ask(
    connection: Connection,
    workspace_id: str,
    entry_id: int,
    query: str,
    *,
    at: datetime,
    tell: Mapping[str, Any] | None = None,
) -> None:
    """Note that the entry asks for a graph, unless that is known, and have a job fetch what its words ask for then.

    `tell` has the channel, the user and the `reply_url` of whoever is told where that fails.
    """
    row = connection.execute(select(entry_graphs.c.id).where(entry_graphs.c.entry_id == entry_id)).scalar()
    if row is None:
        facts = {"entry_id": entry_id, "query": query, "added_at": at}
        row = row_id(connection.execute(insert(entry_graphs), facts))
    content = {"graph": row, "tell": dict(tell) if tell else None}
    outbox.add(connection, workspace_id, lane=f"graph:{row}", action=FETCH, content=content, at=at)


def refresh(
    connection: Connection, workspace_id: str, incident_id: int, *, at: datetime, later_at: datetime | None = None
) -> None:
    """Have the graphs of the incident's standing notes fetched again, now and at `later_at`."""
    of_incident = _OF_STANDING.where(timeline_entries.c.incident_id == incident_id)
    for row in connection.execute(of_incident).scalars().all():
        content, action = {"graph": row, "tell": None}, FETCH
        outbox.add(connection, workspace_id, lane=f"graph:{row}", action=action, content=content, at=at)
        if later_at is not None:
            lane = f"graph:{row}:later"
            outbox.add(connection, workspace_id, lane=lane, action=action, content=content, at=at, due_at=later_at)


def entry_of(connection: Connection, row: int) -> int | None:
    """The row id of the entry that the graph is of; None where it was erased."""
    found: int | None = connection.execute(select(entry_graphs.c.entry_id).where(entry_graphs.c.id == row)).scalar()
    return found


def keep(connection: Connection, row: int, query: str, figures: Mapping[str, Any]) -> None:
    """Keep the figures of the query, as `figures_json` makes them, in place of those before."""
    kept = {"query": query, "figures": dict(figures), "problem": None}
    connection.execute(update(entry_graphs).where(entry_graphs.c.id == row).values(**kept))


def restore(connection: Connection, entry_id: int, query: str, figures: Mapping[str, Any], *, at: datetime) -> None:
    """Keep the figures of an entry's graph that were fetched elsewhere, and fetch nothing."""
    row = {"entry_id": entry_id, "query": query, "figures": dict(figures), "added_at": at}
    connection.execute(insert(entry_graphs), row)


def refuse(connection: Connection, row: int, problem: str) -> None:
    """Note why the figures could not be fetched, in a word; those of before stay."""
    connection.execute(update(entry_graphs).where(entry_graphs.c.id == row).values(problem=problem[:64]))


def figures_json(start_s: int, step_s: int, series: Iterable[GraphSeries], left_out: int) -> dict[str, Any]:
    """The figures as they are stored."""
    return {"start_s": start_s, "step_s": step_s, "series": [asdict(each) for each in series], "left_out": left_out}


def move(connection: Connection, workspace_id: str, entry_id: int, *, to: int, at: datetime) -> None:
    """Have the graph of an entry on the copy that takes its place, fetched for the incident that it is of now."""
    query = connection.execute(select(entry_graphs.c.query).where(entry_graphs.c.entry_id == entry_id)).scalar()
    if query is not None:
        ask(connection, workspace_id, to, query, at=at)


def erase(connection: Connection, entry_ids: Iterable[int]) -> None:
    """Forget the graphs of these entries."""
    connection.execute(delete(entry_graphs).where(entry_graphs.c.entry_id.in_(list(entry_ids))))
