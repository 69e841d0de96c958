"""What the bot says in whole conversations is what is kept."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from bot.clock import SetClock
from storage.database import Database
from storage.models import members, metadata, workspaces
from tests.conftest import NOON
from tests.slack.transcripts import NAMES, path, spoken
from tests.support.workplace import Workplace, workplace

MOST_LINES = 12
LISTS = re.compile(r"INC-\d+ · \d+ remarks on |INC-\d+ · (?:closed, .* · )?.*\n\d+\. ")
"""The beginnings of what is asked for and longer: the remarks of a check, a timeline."""


@pytest.mark.parametrize("name", NAMES)
def test_a_conversation_goes_as_it_is_kept(office: Workplace, clock: SetClock, name: str) -> None:
    """If the difference is meant: `python -m tests.slack.transcripts --write`."""
    kept = path(name).read_text(encoding="utf-8")
    assert spoken(office, clock, kept) == kept
    long = [text for text in said(office) if len(text.splitlines()) > MOST_LINES and not LISTS.match(text)]
    assert long == [], "a message is read in the middle of the night"


def said(office: Workplace) -> Iterator[str]:
    """The texts of all messages that the bot posted, answered or showed to one person."""
    for messages in office.slack.workspace.messages.values():
        yield from (each.text for each in messages.values() if each.user not in office.people.values())


@pytest.mark.parametrize(("name", "other"), [*zip(NAMES, (*NAMES[1:], NAMES[0]), strict=True)])
def test_another_workspace_with_the_same_people_channels_and_numbers_changes_no_word(
    sqlite: Database, name: str, other: str
) -> None:
    clock = SetClock(NOON)
    with workplace(sqlite, clock=clock) as office:
        spoken(office, clock, path(other).read_text(encoding="utf-8"))
        _move_all(sqlite, to="T2")
    clock.set(NOON)
    with workplace(sqlite, clock=clock) as office:
        kept = path(name).read_text(encoding="utf-8")
        assert spoken(office, clock, kept) == kept


def _move_all(database: Database, *, to: str) -> None:
    """Give all there is to another workspace, in which the people have other names."""
    with database.write() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.execute(update(workspaces).values(id=to))
        for table in metadata.sorted_tables:
            if "workspace_id" in table.c:
                connection.execute(update(table).values(workspace_id=to))
        connection.execute(update(members).values(name=members.c.name + " of the other"))
