"""What is out of date goes in portions, and what is kept is not walked past."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, delete, event, func, insert, select

from storage import models, outbox, receipts, retention
from storage.database import Database
from storage.items import digests, handovers
from tests.integration.storage.rows import NOW, declare, plan
from tests.support.reading import analyze, effort

OLD = NOW - timedelta(days=40)
BEFORE = NOW - timedelta(days=30)
MIDST = ("T1", "12-1800")
PERSON = {"workspace_id": "T1", "recipient_id": "U1"}
FILL: dict[Table, tuple[dict[str, Any], str]] = {
    models.outbox: (
        {"workspace_id": "T1", "lane": "C1", "action": "post", "content": {}, "state": "sent", "attempts": 1}
        | {"due_at": NOW, "written_at": NOW},
        "sent_at",
    ),
    models.receipts: ({"workspace_id": "T1", "answer": {}}, "answered_at"),
    models.digests: (
        PERSON | {"told_on": NOW.date(), "channel_id": "D1", "ts": "", "state": "replaced", "fingerprint": ""},
        "posted_at",
    ),
    models.handovers: (
        PERSON | {"incident_id": 1, "item_id": 1, "kind": "given", "by_id": "U9", "held": False},
        "recorded_at",
    ),
}
PRUNES = {models.outbox: outbox.prune, models.digests: digests.prune, models.handovers: handovers.prune}
NAMES: dict[str, Any] = {"ids": lambda table: table.name}


def fill(connection: Connection, table: Table, rows: int, at: datetime) -> None:
    values, column = FILL[table]
    values = values | {column: at}
    keyed = ({"key": f"{at:%d}-{number}"} if table is models.receipts else {} for number in range(rows))
    connection.execute(insert(table), [values | key for key in keyed])


def count(database: Database, table: Table) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.fixture
def kept(database: Database) -> Database:
    """A database with an incident and an item, for rows that refer to them."""
    with database.write() as connection:
        plan(connection, declare(connection))
    return database


@pytest.mark.parametrize("table", FILL, **NAMES)
def test_no_transaction_deletes_more_than_a_portion(kept: Database, table: Table) -> None:
    portion = retention.PORTION
    with kept.write() as connection:
        fill(connection, table, 2 * portion + 7, OLD)
        fill(connection, table, portion + 9, NOW)
    deleted: list[int] = []

    def hear(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("DELETE FROM") and statement.split()[2] == table.name:
            deleted.append(cursor.rowcount)

    event.listen(kept.engine, "after_cursor_execute", hear)
    retention.prune(kept, before=BEFORE, backfills_before=BEFORE)
    event.remove(kept.engine, "after_cursor_execute", hear)
    assert sum(deleted) == 2 * portion + 7
    assert max(deleted) <= portion
    assert count(kept, table) == portion + 9


@pytest.mark.parametrize("table", PRUNES, **NAMES)
def test_a_portion_reads_no_more_where_more_is_kept(kept: Database, table: Table) -> None:
    taken = {}
    for rows in (200, 20_000):
        with kept.write() as connection:
            fill(connection, table, rows, NOW)
            fill(connection, table, 40, OLD)
        analyze(kept)
        taken[rows] = effort(kept, lambda connection: PRUNES[table](connection, before=BEFORE, most=30))
        with kept.write() as connection:
            assert PRUNES[table](connection, before=BEFORE, most=30) == 30
            assert PRUNES[table](connection, before=BEFORE, most=30) == 10
    assert taken[20_000] <= 2 * taken[200], taken


def test_a_portion_of_receipts_is_found_by_their_key(kept: Database) -> None:
    taken = {}
    for rows in (2_000, 20_000):
        with kept.write() as connection:
            connection.execute(delete(models.receipts))
            fill(connection, models.receipts, rows, NOW)
        analyze(kept)
        taken[rows] = effort(kept, lambda each: receipts.find_old(each, after=MIDST, before=BEFORE, most=100))
    assert taken[20_000] <= 2 * taken[2_000], taken


def test_a_receipt_that_was_answered_anew_meanwhile_is_kept(kept: Database) -> None:
    with kept.write() as connection:
        receipts.save(connection, "T1", "again", {}, at=OLD)
        old, last = receipts.find_old(connection, after=receipts.FIRST, before=BEFORE, most=9)
        assert (old, last) == ([("T1", "again")], None)
        connection.execute(delete(models.receipts))
        receipts.save(connection, "T1", "again", {}, at=NOW)
        receipts.delete_old(connection, old, before=BEFORE)
        assert receipts.find(connection, "T1", "again") == {}
