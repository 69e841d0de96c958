"""Rows for tests of the store, with defaults for every column."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from storage import incidents, timeline
from storage.database import Database
from storage.items import action_items
from storage.values import ActionItem, Incident, TimelineEntry

# Not by tests.support.workplace, which imports the whole bot: four processes of a test import this module.
NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)


def declare(connection: Connection, workspace_id: str = "T1", channel_id: str = "C1", **other: Any) -> Incident:
    incidents.lock_workspace(connection, workspace_id)
    facts: dict[str, Any] = {
        "workspace_id": workspace_id, "number": incidents.next_number(connection, workspace_id),
        "channel_id": channel_id, "channel_name": "incident", "title": "disk full", "severity": None, "lead": None,
        "lead_id": None, "declared_at": NOW, "declared_by": "alice", "timezone": "UTC", "private": False,
    }  # fmt: skip
    return incidents.declare(connection, **{**facts, **other})


def say(connection: Connection, incident: Incident, text: str = "we look", **other: Any) -> TimelineEntry:
    facts: dict[str, Any] = {
        "kind": "note", "occurred_at": NOW, "recorded_at": NOW, "author": "alice", "author_id": "U1",
        "recorded_by_id": "U1", "text": text, "qualifier": None, "source": "slash", "permalink": None,
    }  # fmt: skip
    return timeline.append(connection, incident.id, **{**facts, **other})


def plan(connection: Connection, incident: Incident, text: str = "add an alert", **other: Any) -> ActionItem:
    facts: dict[str, Any] = {
        "text": text, "kind": None, "owner": None, "owner_id": None, "due_on": None, "by": "U1", "at": NOW,
    }  # fmt: skip
    return action_items.add(connection, incident.id, **{**facts, **other})


def resolve(connection: Connection, incident: Incident, minute: int, by: str = "U1") -> None:
    say(connection, incident, kind="resolved", occurred_at=later(minute), recorded_by_id=by)
    incidents.set_open(connection, incident, is_open=False)


def write_and_fail(database: Database, write: Callable[[Connection], object]) -> None:
    """Write, then raise before the transaction ends."""
    with database.write() as connection:
        write(connection)
        raise ZeroDivisionError


def later(minutes: int) -> datetime:
    return NOW.replace(minute=minutes)
