"""The workspace's people, as Slack last told of them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, select, update

from storage.dialects import upsert
from storage.models import members
from storage.values import BOT, Member


def find(connection: Connection, workspace_id: str, user_id: str) -> Member | None:
    """The member, if Slack ever told of them."""
    query = select(members.c.name, members.c.timezone, members.c.barred).where(
        members.c.workspace_id == workspace_id, members.c.user_id == user_id
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return Member(workspace_id=workspace_id, user_id=user_id, name=row.name, timezone=row.timezone, barred=row.barred)


def find_many(connection: Connection, workspace_id: str, user_ids: Iterable[str]) -> dict[str, Member]:
    """Those of the users whom Slack ever told of, by their ids."""
    query = select(members).where(members.c.workspace_id == workspace_id, members.c.user_id.in_(sorted(user_ids)))
    return {
        row.user_id: Member(
            workspace_id=workspace_id, user_id=row.user_id, name=row.name, timezone=row.timezone, barred=row.barred
        )
        for row in connection.execute(query)
    }


def names(connection: Connection, workspace_id: str) -> dict[str, str]:
    """The workspace's people by user id, by the names they show."""
    query = select(members.c.user_id, members.c.name).where(members.c.workspace_id == workspace_id)
    return {row.user_id: row.name for row in connection.execute(query.order_by(members.c.user_id))}


def bot_ids(connection: Connection, workspace_id: str) -> frozenset[str]:
    """The user ids of the workspace's members that are programs."""
    query = select(members.c.user_id).where(members.c.workspace_id == workspace_id, members.c.barred == BOT)
    return frozenset(connection.execute(query).scalars())


def mark_barred(connection: Connection, workspace_id: str, user_id: str, why: str) -> None:
    """Remember that nothing can be theirs, until Slack tells of them anew."""
    mine = (members.c.workspace_id == workspace_id) & (members.c.user_id == user_id)
    connection.execute(update(members).where(mine).values(barred=why))


def save(connection: Connection, people: Sequence[Member], *, at: datetime) -> None:
    """Remember the members as they are now, fetched at `at`."""
    if not people:
        return
    insertion = upsert(connection)(members)
    statement = insertion.on_conflict_do_update(
        index_elements=["workspace_id", "user_id"],
        set_={name: insertion.excluded[name] for name in ("name", "timezone", "barred", "fetched_at")},
    )
    # In one order: two replicas that fetch everybody at once would else wait for each other for ever.
    rows = [asdict(person) | {"fetched_at": at} for person in sorted(people, key=_key)]
    connection.execute(statement, rows)


def _key(person: Member) -> tuple[str, str]:
    return person.workspace_id, person.user_id
