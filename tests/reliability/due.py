"""What only the clock would bring about, brought about at once, so that kills meet it too.

Whatever waits in the store for its time has a line in DUE.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, update

from bot.clock import now
from bot.handlers.review.reviews import REMINDER
from storage.database import Database
from storage.models import outbox


def _reviews(connection: Connection, at: datetime) -> None:
    """The reminder of a review, days before its time."""
    waiting = (outbox.c.action == REMINDER) & (outbox.c.state == "waiting")
    connection.execute(update(outbox).where(waiting).values(due_at=at))


DUE: tuple[Callable[[Connection, datetime], None], ...] = (_reviews,)


def bring(database: Database) -> None:
    """All that waits is due."""
    with database.write() as connection:
        for each in DUE:
            each(connection, now())
