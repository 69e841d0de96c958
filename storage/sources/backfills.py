"""Backfills: conversations that were read for an incident, until somebody has chosen what goes onto its timeline.

They hold people's words, so they are kept for a day at most, and go as soon as words are erased in the workspace.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from storage.models import backfills, incidents


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """One of them. `token` is its name in buttons and jobs, `content` what its reader and its form keep there."""

    token: str
    incident_id: int
    user_id: str
    content: Mapping[str, Any]
    begun_at: datetime


def begin(connection: Connection, incident_id: int, *, user_id: str, content: Mapping[str, Any], at: datetime) -> str:
    """Keep a new one; returns its token."""
    token = uuid4().hex
    facts = {"incident_id": incident_id, "token": token, "user_id": user_id, "content": content, "begun_at": at}
    connection.execute(insert(backfills).values(**facts))
    return token


def find(connection: Connection, token: str, *, lock: bool = False) -> Backfill | None:
    """The one of that token, locked against other transactions on request; None once it is settled or too old."""
    query = select(backfills).where(backfills.c.token == token)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    return None if row is None else Backfill(**{name: value for name, value in row.items() if name != "id"})


def keep(connection: Connection, token: str, content: Mapping[str, Any]) -> None:
    """Keep this in place of what it held."""
    connection.execute(update(backfills).where(backfills.c.token == token).values(content=content))


def settle(connection: Connection, token: str) -> None:
    """Delete it: all that was chosen is on the timeline."""
    connection.execute(delete(backfills).where(backfills.c.token == token))


def forget(connection: Connection, workspace_id: str) -> None:
    """Delete those of the workspace, which may hold words that were erased.

    What was read for one incident may be what was said in another one's channel, and is as Slack or a paste has it.
    """
    there = select(incidents.c.id).where(incidents.c.workspace_id == workspace_id).scalar_subquery()
    connection.execute(delete(backfills).where(backfills.c.incident_id.in_(there)))


def prune(connection: Connection, *, before: datetime) -> None:
    """Delete those that were begun before then."""
    connection.execute(delete(backfills).where(backfills.c.begun_at < before))
