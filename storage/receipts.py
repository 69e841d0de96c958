"""Receipts: what was answered to whom, so that a repeat gets the first answer and changes nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from storage.models import receipts

_FIND = select(receipts.c.answer).where(
    receipts.c.workspace_id == bindparam("workspace_id"), receipts.c.key == bindparam("key")
)
_KEEP = insert(receipts)


def find(connection: Connection, workspace_id: str, key: str) -> dict[str, Any] | None:
    """The first answer given under the key, if there was one."""
    answer: dict[str, Any] | None = connection.execute(_FIND, {"workspace_id": workspace_id, "key": key}).scalar()
    return answer


def prune(connection: Connection, *, before: datetime) -> None:
    """Forget the answers given before then: what Slack says again, it says within hours."""
    connection.execute(delete(receipts).where(receipts.c.answered_at < before))


def save(connection: Connection, workspace_id: str, key: str, answer: dict[str, Any], *, at: datetime) -> None:
    """Remember the answer. Raises sqlalchemy.exc.IntegrityError when the key was answered meanwhile."""
    row = {"workspace_id": workspace_id, "key": key, "answer": answer, "answered_at": at}
    connection.execute(_KEEP, row)
