"""The workspace's people, as Slack last told of them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, select

from storage.dialects import upsert
from storage.models import members
from storage.values import Member


def find(connection: Connection, workspace_id: str, user_id: str) -> Member | None:
    """The member, if Slack ever told of them."""
    query = select(members.c.name, members.c.timezone, members.c.bot).where(
        members.c.workspace_id == workspace_id, members.c.user_id == user_id
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return Member(workspace_id=workspace_id, user_id=user_id, name=row.name, timezone=row.timezone, bot=row.bot)


def names(connection: Connection, workspace_id: str) -> dict[str, str]:
    """The workspace's people by user id, by the names they show."""
    query = select(members.c.user_id, members.c.name).where(members.c.workspace_id == workspace_id)
    return {row.user_id: row.name for row in connection.execute(query.order_by(members.c.user_id))}


def bots(connection: Connection, workspace_id: str) -> frozenset[str]:
    """The user ids of the workspace's members that are programs."""
    query = select(members.c.user_id).where(members.c.workspace_id == workspace_id, members.c.bot.is_(True))
    return frozenset(connection.execute(query).scalars())


def keep(connection: Connection, people: Sequence[Member], *, at: datetime) -> None:
    """Remember the members as they are now, fetched at `at`."""
    if not people:
        return
    insertion = upsert(connection)(members)
    statement = insertion.on_conflict_do_update(
        index_elements=["workspace_id", "user_id"],
        set_={name: insertion.excluded[name] for name in ("name", "timezone", "bot", "fetched_at")},
    )
    # In one order: two replicas that fetch everybody at once would else wait for each other for ever.
    rows = [asdict(person) | {"fetched_at": at} for person in sorted(people, key=_key)]
    connection.execute(statement, rows)


def _key(person: Member) -> tuple[str, str]:
    return person.workspace_id, person.user_id
