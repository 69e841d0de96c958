"""Members of the workspace, as Slack last described them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, select, update

from storage.dialects import upsert
from storage.models import members
from storage.values import BOT, Member

_COLUMNS = (members.c.workspace_id, members.c.user_id, members.c.name, members.c.timezone, members.c.barred)
"""The columns of a Member, named as its fields."""


def find(connection: Connection, workspace_id: str, user_id: str) -> Member | None:
    """The member; None if Slack has not described them yet."""
    query = select(*_COLUMNS).where(members.c.workspace_id == workspace_id, members.c.user_id == user_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else Member(**row)


def find_many(connection: Connection, workspace_id: str, user_ids: Iterable[str]) -> dict[str, Member]:
    """The known members among the users, by user id."""
    query = select(*_COLUMNS).where(members.c.workspace_id == workspace_id, members.c.user_id.in_(sorted(user_ids)))
    return {row["user_id"]: Member(**row) for row in connection.execute(query).mappings()}


def names(connection: Connection, workspace_id: str) -> dict[str, str]:
    """The display names of all members of the workspace, by user id."""
    query = select(members.c.user_id, members.c.name).where(members.c.workspace_id == workspace_id)
    return {row.user_id: row.name for row in connection.execute(query.order_by(members.c.user_id))}


def bot_ids(connection: Connection, workspace_id: str) -> frozenset[str]:
    """The user ids of the workspace's bots."""
    query = select(members.c.user_id).where(members.c.workspace_id == workspace_id, members.c.barred == BOT)
    return frozenset(connection.execute(query).scalars())


def mark_barred(connection: Connection, workspace_id: str, user_id: str, why: str) -> None:
    """Record why the member cannot own anything, until `save` replaces it by Slack's next answer."""
    is_member = (members.c.workspace_id == workspace_id) & (members.c.user_id == user_id)
    connection.execute(update(members).where(is_member).values(barred=why))


def save(connection: Connection, people: Sequence[Member], *, at: datetime) -> None:
    """Insert or update the members, as fetched from Slack at `at`."""
    if not people:
        return
    insertion = upsert(connection)(members)
    statement = insertion.on_conflict_do_update(
        index_elements=["workspace_id", "user_id"],
        set_={name: insertion.excluded[name] for name in ("name", "timezone", "barred", "fetched_at")},
    )
    # Always in the same order: two replicas that save the same members at once would deadlock otherwise.
    ordered = sorted(people, key=lambda person: (person.workspace_id, person.user_id))
    connection.execute(statement, [asdict(person) | {"fetched_at": at} for person in ordered])
