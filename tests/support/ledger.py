"""What the store holds after somebody typed: for tests that look behind the answer."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from typing import Any

from sqlalchemy import func, select, update

from bot.clock import now
from storage import incidents, timeline
from storage.database import Database
from storage.items import action_items
from storage.models import entry_revisions, metadata
from storage.models import incidents as incident_rows
from storage.models import outbox as jobs
from storage.values import ActionItem, Incident, TimelineEntry
from tests.integration.storage.rows import plan
from tests.support.workplace import Workplace

FROM_SLACK = {"members", "member_listings"}
"""Tables that hold what Slack told, whatever anybody typed."""


def counts(office: Workplace) -> dict[str, int]:
    """How many rows each table holds."""
    with office.database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
            if table.name not in FROM_SLACK
        }


@contextmanager
def rewound(database: Database) -> Iterator[None]:
    """Take back what is written into an SQLite file within the block: one world serves for many cases."""
    with closing(sqlite3.connect(str(database.url.database))) as file, closing(sqlite3.connect(":memory:")) as before:
        file.backup(before)
        yield
        before.backup(file)


def incident(office: Workplace, number: int = 1) -> Incident:
    """The incident of that number."""
    with office.database.read() as connection:
        found = incidents.numbered(connection, office.slack.team_id, number)
    assert found is not None, number
    return found


def overdue(office: Workplace, owner: str, text: str, number: int = 1) -> None:
    """An action item of a team, due for eleven days: no command takes a date in the past."""
    with office.database.write() as connection:
        plan(connection, incident(office, number), text, owner=owner, due_on=date(2026, 3, 1))


def entries(office: Workplace, number: int = 1) -> list[TimelineEntry]:
    """The incident's entries, retracted ones too, in the order of their numbers."""
    with office.database.read() as connection:
        return timeline.of_incident(connection, incident(office, number).id)


def standing(office: Workplace, number: int = 1) -> list[tuple[str, str]]:
    """(kind, words) of the entries that stand, in the order of their numbers."""
    return [(entry.kind, entry.text) for entry in entries(office, number) if not entry.retracted]


def items(office: Workplace, number: int = 1) -> list[ActionItem]:
    """The incident's action items as they stand."""
    with office.database.read() as connection:
        return action_items.of_incident(connection, incident(office, number).id)


def revisions(office: Workplace) -> list[Any]:
    """Every revision of any entry, oldest first."""
    with office.database.read() as connection:
        return list(connection.execute(select(entry_revisions).order_by(entry_revisions.c.id)))


def incident_count(office: Workplace) -> int:
    """How many incidents were ever declared."""
    with office.database.read() as connection:
        return connection.execute(select(func.count()).select_from(incident_rows)).scalar_one()


def outbox_states(office: Workplace) -> dict[str, int]:
    """How many jobs are in each state."""
    with office.database.read() as connection:
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        return {row[0]: row[1] for row in connection.execute(query)}


def expire_leases(database: Database) -> None:
    """End the leases of whatever is in hand, as if its process had died some time ago."""
    with database.write() as connection:
        connection.execute(update(jobs).where(jobs.c.state == "sending").values(due_at=now()))


def problems(office: Workplace) -> list[tuple[str, str]]:
    """(action, problem) of the parked jobs."""
    with office.database.read() as connection:
        query = select(jobs.c.action, jobs.c.problem).where(jobs.c.state == "parked").order_by(jobs.c.id)
        return [(row.action, row.problem) for row in connection.execute(query)]
