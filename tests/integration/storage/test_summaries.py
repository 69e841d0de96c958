"""What a weekly summary covers while transactions are under way: each change is in exactly one."""

from datetime import date, timedelta

from sqlalchemy import Connection

from bot.domain.items.cadence import Cadence
from bot.handlers.items.summaries import begin_summary, summary
from storage.database import Database
from storage.items import action_items, summaries
from storage.values import ActionItem
from tests.integration.storage.rows import NOW, declare, plan

WORKSPACE = "T1"
WEEK = timedelta(days=7)


def said(database: Database, week: int) -> str:
    """The first line of the summary of that week, posted at once."""
    with database.write() as connection:
        content = begin_summary(connection, WORKSPACE, at=NOW + week * WEEK)
    return posted(database, content, week)


def posted(database: Database, content: dict[str, object], week: int) -> str:
    with database.read() as connection:
        text = summary(connection, WORKSPACE, content, at=NOW + week * WEEK, cadence=Cadence(), prefix="")
    assert text is not None
    return text.partition("\n")[0].partition(": ")[2]


def finish(connection: Connection, item: ActionItem) -> None:
    action_items.revise(connection, item, by="U1", at=NOW, state="done")


def test_what_is_committed_in_the_instant_of_a_summary_is_in_the_next_one(postgres: Database) -> None:
    with postgres.write() as connection:
        summaries.begin(connection, WORKSPACE, since_at=NOW)
        incident, other = declare(connection), declare(connection)
        slow, quick, late = (plan(connection, each, due_on=date(2026, 12, 1)) for each in (incident, other, other))
    assert said(postgres, 0) == "3 new · 3 to do, 0 of them late"
    with postgres.write() as waiting:
        # Its revision has an id; it is committed when the summary of that week has been written.
        finish(waiting, slow)
        with postgres.write() as connection:
            finish(connection, quick)
        with postgres.write() as connection:
            content = begin_summary(connection, WORKSPACE, at=NOW + WEEK)
    assert posted(postgres, content, 1) == "1 done in time · 1 to do, 0 of them late"
    with postgres.write() as connection:
        finish(connection, late)
    assert said(postgres, 2) == "2 done in time · 0 to do, 0 of them late"
    assert said(postgres, 3).startswith("nothing new")


def test_what_is_rolled_back_is_in_none(postgres: Database) -> None:
    with postgres.write() as connection:
        summaries.begin(connection, WORKSPACE, since_at=NOW)
        first, second = plan(connection, declare(connection)), plan(connection, declare(connection))
    connection = postgres.engine.connect()
    finish(connection, first)
    connection.rollback()
    connection.close()
    with postgres.write() as connection:
        finish(connection, second)
    assert said(postgres, 1) == "2 new · 1 done without a date · 1 to do, 0 of them late"
    assert said(postgres, 2).startswith("nothing new")
