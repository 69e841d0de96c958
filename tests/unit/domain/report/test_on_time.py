from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.report.on_time import AHEAD, DROPPED, IN_TIME, LATE, OVERDUE, UNDATED, by_team, due_status, on_time
from storage.values import ItemOutcome
from tests.support.workplace import at

TODAY = date(2026, 3, 12)
DATES = st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31))
OWNERS = st.sampled_from([(None, None), ("bob", "U2"), ("Bob", None), ("database-team", None), ("Database-Team", None)])


def item(
    state: str = "open", due_on: date | None = None, done_at: datetime | None = None, zone: str = "UTC",
    owner: str | None = None, owner_id: str | None = None,
) -> ItemOutcome:  # fmt: skip
    return ItemOutcome(state=state, due_on=due_on, done_at=done_at, zone=zone, owner=owner, owner_id=owner_id)


@st.composite
def items(draw: st.DrawFn) -> ItemOutcome:
    state = draw(st.sampled_from(["open", "done", "dropped"]))
    done_at = draw(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31))) if state == "done" else None  # noqa: DTZ001
    owner, owner_id = draw(OWNERS)
    return item(state, draw(DATES), done_at and done_at.replace(tzinfo=UTC), owner=owner, owner_id=owner_id)


def test_an_item_is_done_in_time_on_its_due_day_by_the_incidents_own_calendar() -> None:
    done_at = at("2026-03-11T23:30:00Z")
    assert due_status(item("done", date(2026, 3, 11), done_at), TODAY) == IN_TIME
    assert due_status(item("done", date(2026, 3, 11), done_at, zone="Europe/Berlin"), TODAY) == LATE
    assert due_status(item("done", date(2026, 3, 12), done_at, zone="Europe/Berlin"), TODAY) == IN_TIME


def test_an_open_item_is_overdue_from_the_day_after() -> None:
    assert due_status(item(due_on=TODAY), TODAY) == AHEAD
    assert due_status(item(due_on=date(2026, 3, 11)), TODAY) == OVERDUE


def test_without_a_date_or_dropped_an_item_is_neither_in_time_nor_late() -> None:
    assert due_status(item("done", None, at("2026-03-11T23:30:00Z")), TODAY) == UNDATED
    assert due_status(item("dropped", date(2026, 1, 1)), TODAY) == DROPPED


@given(st.lists(items(), max_size=30))
def test_every_item_is_counted_once_in_all_and_once_in_its_group(told: list[ItemOutcome]) -> None:
    whole, groups = on_time(told, TODAY), by_team(told, TODAY, people={"bob"})
    assert whole.recorded == len(told) == sum(group.on_time.recorded for group in groups)
    assert whole.done == sum(each.state == "done" for each in told)
    assert whole.judged == sum(group.on_time.judged for group in groups)
    assert all(group.on_time.recorded for group in groups)


def test_a_team_is_an_owner_who_is_nobody_of_the_workspace() -> None:
    told = [
        item(owner="bob", owner_id="U2"),
        item(owner="Bob"),
        item(owner="database-team"),
        item(owner="Database-Team"),
        item(),
    ]
    groups = by_team(told, TODAY, people={"bob"})
    assert [(group.team, group.owned, group.on_time.recorded) for group in groups] == [
        ("database-team", True, 2),
        (None, True, 2),
        (None, False, 1),
    ]
