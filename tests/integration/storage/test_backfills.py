"""Conversations that were read wait for a choice, for a day at most, and go with words that are erased."""

from datetime import UTC, datetime, timedelta

from storage.database import Database
from storage.sources import backfills
from tests.integration.storage.rows import declare

AT = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)


def test_one_is_found_by_its_token_until_it_is_settled_forgotten_or_too_old(database: Database) -> None:
    with database.write() as connection:
        first, second = (declare(connection, workspace_id=workspace_id).id for workspace_id in ("T1", "T2"))
        kept, settled, forgotten, old = (
            backfills.begin(connection, incident_id, user_id="U1", content={"messages": ["ä"]}, at=at)
            for incident_id, at in ((first, AT), (first, AT), (second, AT), (first, AT - timedelta(days=1)))
        )
        backfills.keep(connection, kept, {"proposals": [1]})
        backfills.settle(connection, settled)
        backfills.forget(connection, "T2")
        backfills.prune(connection, before=AT - timedelta(hours=23))
    with database.write() as connection:
        found = backfills.find(connection, kept, lock=True)
        assert found is not None
        assert (found.content, found.user_id, found.begun_at) == ({"proposals": [1]}, "U1", AT)
        assert [backfills.find(connection, each) for each in (settled, forgotten, old)] == [None] * 3
