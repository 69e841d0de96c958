"""Receipts: the answer to each request, by its idempotency key, so that a repeated request changes nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, bindparam, delete, insert, select, tuple_

from storage.dialects import Prepared
from storage.models import receipts

_FIND = select(receipts.c.answer).where(
    receipts.c.workspace_id == bindparam("workspace_id"), receipts.c.key == bindparam("key")
)
_INSERT: Prepared[Any] = Prepared(insert(receipts))


def find(connection: Connection, workspace_id: str, key: str) -> dict[str, Any] | None:
    """The answer saved under the key, if there is one."""
    answer: dict[str, Any] | None = connection.execute(_FIND, {"workspace_id": workspace_id, "key": key}).scalar()
    return answer


def save(connection: Connection, workspace_id: str, key: str, answer: dict[str, Any], *, at: datetime) -> None:
    """Save the answer. Raises sqlalchemy.exc.IntegrityError when another transaction has saved one under the key."""
    row = {"workspace_id": workspace_id, "key": key, "answer": answer, "answered_at": at}
    _INSERT.first(connection, row)


_ABSENT = "absent:"
_USE = "use:"


def is_absent(connection: Connection, workspace_id: str, channel_id: str) -> bool:
    """Whether somebody in the channel was told that the bot is no member of it, which it was not when last looked."""
    return find(connection, workspace_id, f"{_ABSENT}{channel_id}") is not None


def mark_absent(connection: Connection, workspace_id: str, channel_id: str, *, at: datetime) -> None:
    """Note that somebody is told of it. Raises sqlalchemy.exc.IntegrityError where that is noted."""
    save(connection, workspace_id, f"{_ABSENT}{channel_id}", {}, at=at)


def unmark_absent(connection: Connection, workspace_id: str, channel_id: str) -> None:
    """Forget it: the bot is a member now, or nobody could be told."""
    mark = (receipts.c.workspace_id == workspace_id, receipts.c.key == f"{_ABSENT}{channel_id}")
    connection.execute(delete(receipts).where(*mark))


def absent_channels(connection: Connection) -> list[tuple[str, str]]:
    """The channels of `mark_absent`, each with its workspace before it."""
    query = select(receipts.c.workspace_id, receipts.c.key).where(receipts.c.key.startswith(_ABSENT))
    return [(workspace_id, key.removeprefix(_ABSENT)) for workspace_id, key in connection.execute(query)]


def use(connection: Connection, workspace_id: str, key: str, *, most: int, at: datetime) -> int | None:
    """Note a use of what may be used so often; its number from 1, None when all uses are taken.

    Raises sqlalchemy.exc.IntegrityError when another transaction takes the same one.
    """
    taken = uses(connection, workspace_id, key)
    number = next((each for each in range(1, most + 1) if each not in taken), None)
    if number is not None:
        save(connection, workspace_id, f"{_USE}{key}:{number}", {}, at=at)
    return number


def unuse(connection: Connection, workspace_id: str, key: str, number: int) -> None:
    """Forget a use that came to nothing."""
    mark = (receipts.c.workspace_id == workspace_id, receipts.c.key == f"{_USE}{key}:{number}")
    connection.execute(delete(receipts).where(*mark))


def uses(connection: Connection, workspace_id: str, key: str) -> frozenset[int]:
    """The numbers of the uses that were noted."""
    prefix = f"{_USE}{key}:"
    query = select(receipts.c.key).where(receipts.c.workspace_id == workspace_id, receipts.c.key.startswith(prefix))
    return frozenset(int(each.removeprefix(prefix)) for each in connection.execute(query).scalars())


Key = tuple[str, str]
"""A receipt's workspace and key."""
FIRST: Key = ("", "")
"""Before the first receipt."""
_FOLLOWING = (
    select(receipts.c.workspace_id, receipts.c.key, receipts.c.answered_at)
    .where(
        tuple_(receipts.c.workspace_id, receipts.c.key)
        > tuple_(bindparam("workspace_id", type_=String()), bindparam("key", type_=String()))
    )
    .order_by(receipts.c.workspace_id, receipts.c.key)
    .limit(bindparam("most"))
)


def find_old(connection: Connection, *, after: Key, before: datetime, most: int) -> tuple[list[Key], Key | None]:
    """Look at the `most` receipts that follow on `after`: those answered before then, and the last; None at the end."""
    parameters = {"workspace_id": after[0], "key": after[1], "most": most}
    found = connection.execute(_FOLLOWING, parameters).all()
    old = [(workspace_id, key) for workspace_id, key, answered_at in found if answered_at < before]
    return old, (found[-1][0], found[-1][1]) if len(found) == most else None


def delete_old(connection: Connection, keys: Sequence[Key], *, before: datetime) -> None:
    """Delete these answers, unless answered anew; Slack repeats a delivery for some hours at most."""
    is_one = tuple_(receipts.c.workspace_id, receipts.c.key).in_(keys)
    connection.execute(delete(receipts).where(is_one, receipts.c.answered_at < before))
