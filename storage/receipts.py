"""Receipts: the answer to each request, by its idempotency key, so that a repeated request changes nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from storage.models import receipts

_FIND = select(receipts.c.answer).where(
    receipts.c.workspace_id == bindparam("workspace_id"), receipts.c.key == bindparam("key")
)
_INSERT = insert(receipts)


def find(connection: Connection, workspace_id: str, key: str) -> dict[str, Any] | None:
    """The answer saved under the key, if there is one."""
    answer: dict[str, Any] | None = connection.execute(_FIND, {"workspace_id": workspace_id, "key": key}).scalar()
    return answer


def save(connection: Connection, workspace_id: str, key: str, answer: dict[str, Any], *, at: datetime) -> None:
    """Save the answer. Raises sqlalchemy.exc.IntegrityError when another transaction has saved one under the key."""
    row = {"workspace_id": workspace_id, "key": key, "answer": answer, "answered_at": at}
    connection.execute(_INSERT, row)


def prune(connection: Connection, *, before: datetime) -> None:
    """Delete older answers; Slack repeats a delivery for some hours at most."""
    connection.execute(delete(receipts).where(receipts.c.answered_at < before))
