"""Retention: what is out of date is deleted, in portions.

SQLite has one writer at a time, so each portion is a transaction of its own, and others take their turn between two.
"""

from datetime import datetime

from storage import live_messages, outbox, receipts
from storage.database import Transactions
from storage.items import digests, handovers
from storage.sources import backfills, signals

PORTION = 500
"""Rows that are deleted in one transaction: a few milliseconds."""
LOOKED_THROUGH = 2_000
"""Receipts that are read in one transaction."""


def prune(database: Transactions, *, before: datetime, backfills_before: datetime) -> None:
    """Delete what is older than `before`: sent jobs, receipts, told hand-overs, old digests, signals of no entry."""
    for table in (outbox, digests, handovers, signals):
        deleted = PORTION
        while deleted == PORTION:
            with database.write() as connection:
                deleted = table.prune(connection, before=before, most=PORTION)
    with database.write() as connection:
        backfills.prune(connection, before=backfills_before)
    _prune_receipts(database, before)
    forgotten = PORTION
    while forgotten == PORTION:
        with database.write() as connection:
            forgotten = live_messages.forget_changes(connection, most=PORTION)


def _prune_receipts(database: Transactions, before: datetime) -> None:
    """Look through all receipts, and delete the old ones.

    They have no index by time: each answer would have to wait until that is written, too.
    """
    last: receipts.Key | None = receipts.FIRST
    while last is not None:
        with database.read() as connection:
            old, last = receipts.find_old(connection, after=last, before=before, most=LOOKED_THROUGH)
        for begin in range(0, len(old), PORTION):
            with database.write() as connection:
                receipts.delete_old(connection, old[begin : begin + PORTION], before=before)
