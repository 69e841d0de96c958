import pytest
from sqlalchemy.exc import IntegrityError

from storage import receipts
from storage.database import Database
from tests.integration.storage.rows import NOW

ANSWER = {"text": "Detected · 14:02 \U0001f525 \u202e", "buttons": [{"label": "x"}], "form": None}


def test_an_answer_is_found_by_its_key_in_its_workspace(database: Database) -> None:
    with database.write() as connection:
        receipts.save(connection, "T1", "k", ANSWER, at=NOW)
    with database.read() as connection:
        assert receipts.find(connection, "T1", "k") == ANSWER
        assert receipts.find(connection, "T2", "k") is None
        assert receipts.find(connection, "T1", "K") is None


def test_a_key_is_answered_once(database: Database) -> None:
    with database.write() as connection:
        receipts.save(connection, "T1", "k", ANSWER, at=NOW)
    with pytest.raises(IntegrityError), database.write() as connection:
        receipts.save(connection, "T1", "k", {"text": "other"}, at=NOW)
    with database.read() as connection:
        assert receipts.find(connection, "T1", "k") == ANSWER
