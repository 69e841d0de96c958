"""The workspace's people, as Slack last told of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from storage.models import members
from storage.values import Member


def find(connection: Connection, workspace_id: str, user_id: str) -> Member | None:
    """The member, if Slack ever told of them."""
    query = select(members.c.name, members.c.timezone).where(
        members.c.workspace_id == workspace_id, members.c.user_id == user_id
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return Member(workspace_id=workspace_id, user_id=user_id, name=row.name, timezone=row.timezone)


def keep(connection: Connection, people: Sequence[Member], *, at: datetime) -> None:
    """Remember the members as they are now, fetched at `at`."""
    for person in people:
        connection.execute(
            delete(members).where(
                members.c.workspace_id == person.workspace_id, members.c.user_id == person.user_id
            )
        )
    rows = [
        {
            "workspace_id": person.workspace_id,
            "user_id": person.user_id,
            "name": person.name,
            "timezone": person.timezone,
            "fetched_at": at,
        }
        for person in people
    ]
    if rows:
        connection.execute(insert(members), rows)
