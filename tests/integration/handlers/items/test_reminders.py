"""Simultaneous ticks and commands."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from bot.domain.items.cadence import Cadence
from bot.errors import UsageError
from bot.handlers.items.reminders import tick
from storage.database import Database
from storage.items import reminder_schedules, reminders
from storage.values import Reminder
from tests.integration.storage.rows import NOW
from tests.support.asking import ask
from tests.support.many_items import AT
from tests.support.together import together

PEOPLE = ("alice", "bob", "carol")
ROUNDS = 12


def test_ticks_and_commands_at_once_hinder_neither_and_each_item_has_one_next_time(database: Database) -> None:
    ask(database, "/detected disk full")
    for number in range(1, 9):
        ask(database, f"/actionitem @{PEOPLE[number % 3]} by 2026-03-13: item {number}", people=_people())

    def work(number: int) -> int:
        if number % 2:
            days = (timedelta(days=round_) for round_ in range(ROUNDS))
            return sum(tick(database, Cadence(), at=AT + day) for day in days)
        for round_ in range(ROUNDS):
            typed = (
                f"assign {number + 1} @{PEOPLE[round_ % 3]}", f"snooze {number + 1} {round_ + 1}d",
                f"due {number + 1} 2026-04-{round_ + 1:02}",
            )  # fmt: skip
            for each in typed:
                # Most assignments change the owner, some do not.
                with suppress(UsageError):
                    ask(database, f"/actionitem {each}", people=_people())
        return 0

    together(work)
    with database.read() as connection:
        rows = list(reminders.iterate(connection, page=3))
    assert sorted(each.item.number for each in rows if each.item and each.kind == "item") == list(range(1, 9))
    for each in rows:
        assert each.item is not None
        # Without a lead, who declared it is told of what others have not done.
        wanted = f"U{each.item.owner}" if each.kind == "item" else each.incident.declared_by_id
        assert each.recipient_id == wanted
        assert each.due_at is None or each.due_at > NOW
    for recipient_id, due_at in _earliest(rows).items():
        with database.write() as connection:
            assert recipient_id in {
                each.recipient_id for each in reminder_schedules.claim(connection, at=due_at, most=99)
            }


def _earliest(rows: Iterable[Reminder]) -> dict[str, datetime]:
    """The earliest due time of each recipient's reminders."""
    found: dict[str, datetime] = {}
    for each in rows:
        if each.due_at:
            found[each.recipient_id] = min(each.due_at, found.get(each.recipient_id, each.due_at))
    return found


def _people() -> dict[str, str]:
    return {name: f"U{name}" for name in PEOPLE}
