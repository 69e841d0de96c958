"""What is executed by the driver itself is what SQLAlchemy would execute."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, column, insert, select, table, update
from sqlalchemy.exc import DBAPIError, IntegrityError, NoResultFound, StatementError

from storage.database import Database
from storage.dialects import Prepared
from storage.models import receipts, timeline_entries
from tests.integration.storage.rows import NOW, declare, say

ANSWER = {"text": "ünï 🔥 50 % :x", "rows": [1, None, {"a": True}]}
_INSERT: Prepared[Any] = Prepared(insert(receipts))
_ENTRIES = select(*timeline_entries.c).where(timeline_entries.c.number == bindparam("number"))
_RENUMBER: Prepared[tuple[int, bool]] = Prepared(
    update(timeline_entries)
    .where(timeline_entries.c.number == bindparam("of"))
    .values(number=timeline_entries.c.number + 10, approximate=True)
    .returning(timeline_entries.c.number, timeline_entries.c.approximate)
)


def receipt(key: str = "k") -> dict[str, Any]:
    return {"workspace_id": "T1", "key": key, "answer": ANSWER, "answered_at": NOW + timedelta(milliseconds=1)}


def test_values_of_every_type_go_there_and_back_as_with_sqlalchemy(database: Database) -> None:
    prepared: Prepared[Any] = Prepared(_ENTRIES)
    with database.write() as connection:
        say(
            connection, declare(connection), "50 % :x ?", people={"bob": "U2"}, approximate=True, until_at=NOW,
            occurred_at=NOW - timedelta(microseconds=1000), permalink=None,
        )  # fmt: skip
        assert _INSERT.first(connection, receipt()) is None
        kept = connection.execute(select(receipts)).one()
        assert (kept.answer, kept.answered_at) == (ANSWER, receipt()["answered_at"])
        for number in (1, 2):
            wanted = connection.execute(_ENTRIES, {"number": number}).first()
            assert prepared.first(connection, {"number": number}) == wanted
        assert wanted is None
        assert tuple(_RENUMBER.one(connection, {"of": 1})) == (11, True)
        with pytest.raises(NoResultFound):
            _RENUMBER.one(connection, {"of": 1})


def test_what_the_database_refuses_is_the_same_error_and_repeats_no_words(database: Database) -> None:
    with database.write() as connection:
        _INSERT.first(connection, receipt())
    with pytest.raises(IntegrityError) as refused, database.write() as connection:
        _INSERT.first(connection, receipt())
    assert "50 %" not in str(refused.value)
    absent: Prepared[Any] = Prepared(insert(table("nowhere", column("key"))).values(key=bindparam("key")))
    with pytest.raises(DBAPIError, match="nowhere"), database.write() as connection:
        absent.first(connection, {"key": "k"})


def test_a_parameter_that_is_missing_is_refused(database: Database) -> None:
    prepared: Prepared[Any] = Prepared(_ENTRIES)
    with pytest.raises((KeyError, StatementError), match="number"), database.read() as connection:
        prepared.first(connection, {})
