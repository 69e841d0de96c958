"""Hand-overs: who is concerned by a change, when they are told, and what is left to say by then."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.items.cadence import Cadence
from bot.domain.items.handover import (
    CHANGED,
    DECLINED,
    GIVEN,
    LEFT,
    TAKEN,
    concerned,
    news,
    tell_at,
)
from storage.values import ActionItem, Handover, Incident

TOKYO, BERLIN = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
INCIDENT = Incident(
    id=1, workspace_id="T1", number=1, channel_id="C1", channel_name="incident", title="disk full", severity=None,
    lead=None, lead_id=None, declared_at=NOON, declared_by="alice", timezone="UTC", private=False, open=True,
)  # fmt: skip
ITEM = ActionItem(
    id=1, number=1, text="buy disks", owner="bob", owner_id="UB", kind=None, due_on=date(2026, 3, 20), state="open",
    snoozed_until=None, reason=None,
)  # fmt: skip
NOBODYS = replace(ITEM, owner=None, owner_id=None)
CAROLS = replace(ITEM, owner="carol", owner_id="UC")


@pytest.mark.parametrize(
    ("before", "after", "by", "told"),
    [
        (None, ITEM, "UA", {"UB": GIVEN}),
        (None, ITEM, "UB", {}),
        (None, NOBODYS, "UA", {}),
        (NOBODYS, ITEM, "UA", {"UB": GIVEN}),
        (ITEM, CAROLS, "UA", {"UB": TAKEN, "UC": GIVEN}),
        (ITEM, CAROLS, "UB", {"UC": GIVEN}),
        (ITEM, CAROLS, "UC", {"UB": TAKEN}),
        (ITEM, replace(ITEM, owner="dba", owner_id=None), "UA", {"UB": TAKEN}),
        (replace(ITEM, state="proposed"), ITEM, "UA", {"UB": GIVEN}),
        (replace(ITEM, state="proposed"), ITEM, "UB", {}),
        (ITEM, replace(ITEM, state="done"), "UA", {"UB": CHANGED}),
        (ITEM, replace(ITEM, state="done"), "UB", {}),
        (replace(ITEM, state="done"), replace(ITEM, state="dropped"), "UA", {"UB": CHANGED}),
        (replace(ITEM, state="dropped"), ITEM, "UA", {"UB": CHANGED}),
        (ITEM, replace(ITEM, due_on=None), "UA", {"UB": CHANGED}),
        (ITEM, replace(ITEM, snoozed_until=date(2026, 3, 16), ticket="https://t.example/1"), "UA", {}),
        (NOBODYS, replace(NOBODYS, state="done"), "UA", {}),
    ],
)
def test_who_is_concerned_by_a_change(
    before: ActionItem | None, after: ActionItem, by: str, told: dict[str, str]
) -> None:
    assert concerned(before, after, by=by) == told


def change(kind: str, item: ActionItem, **other: object) -> Handover:
    row = Handover(
        id=1, recipient_id="UB", kind=kind, by_id="UA", held=False, state="open", due_on=ITEM.due_on, recorded_at=NOON,
        due_at=NOON, told_on=None, incident=INCIDENT, item=item,
    )  # fmt: skip
    return replace(row, **other)  # type: ignore[arg-type]


def said(*changes: Handover) -> str | None:
    found = news(changes)
    return found.what if found else None


def test_what_is_said_is_the_difference_between_before_and_now() -> None:
    done, dropped = replace(ITEM, state="done"), replace(ITEM, state="dropped")
    assert said(change(GIVEN, ITEM)) == "given"
    # Given, and by then done, dropped, somebody else's, nobody's, or of an incident that was none.
    assert said(change(GIVEN, done)) is None
    assert said(change(GIVEN, dropped)) is None
    assert said(change(GIVEN, CAROLS)) is None
    assert said(change(GIVEN, NOBODYS)) is None
    assert said(change(GIVEN, ITEM, incident=replace(INCIDENT, closed_as="cancelled"))) is None
    # Theirs before: only what is different now.
    assert said(change(TAKEN, CAROLS, held=True)) == "taken"
    assert said(change(TAKEN, ITEM, held=True), change(GIVEN, ITEM)) is None
    assert said(change(CHANGED, done, held=True)) == "done"
    assert said(change(CHANGED, dropped, held=True)) == "dropped"
    assert said(change(CHANGED, ITEM, held=True)) is None
    assert said(change(CHANGED, ITEM, held=True, state="done")) == "reopened"
    assert said(change(CHANGED, done, held=True, state="done")) is None
    assert said(change(CHANGED, ITEM, held=True, due_on=None)) == "dated"
    assert said(change(CHANGED, CAROLS, held=True, due_on=None), change(TAKEN, CAROLS, held=True)) == "taken"
    # What asks for a decision, until somebody has decided.
    assert said(change(DECLINED, NOBODYS, by_id="UC")) == "declined"
    assert said(change(DECLINED, CAROLS, by_id="UD")) is None
    assert said(change(LEFT, CAROLS, by_id="UC")) == "left"
    assert said(change(LEFT, NOBODYS, by_id="UC")) is None
    assert said(change(LEFT, replace(CAROLS, state="done"), by_id="UC")) is None


def test_who_gave_it_is_who_did_so_last() -> None:
    changes = [change(GIVEN, ITEM, by_id="U1"), change(GIVEN, ITEM, by_id="U2"), change(CHANGED, ITEM, by_id="U3")]
    found = news(changes)
    assert found is not None
    assert found.change.by_id == "U2"


@pytest.mark.parametrize(
    ("local", "told"),
    [
        ("2026-03-12T09:00", "2026-03-12T09:00"),
        ("2026-03-12T16:47", "2026-03-12T16:47"),
        ("2026-03-12T16:59", "2026-03-12T16:59"),
        ("2026-03-12T17:00", "2026-03-13T09:00"),
        ("2026-03-13T08:55", "2026-03-13T09:00"),
        ("2026-03-13T20:00", "2026-03-16T09:00"),
        ("2026-03-15T12:00", "2026-03-16T09:00"),
        # The clocks of Berlin go forward on the 29th.
        ("2026-03-27T18:00", "2026-03-30T09:00"),
    ],
)
@pytest.mark.parametrize("zone", [TOKYO, BERLIN])
def test_one_is_told_at_once_or_on_the_next_working_morning(zone: ZoneInfo, local: str, told: str) -> None:
    at, expected = (datetime.fromisoformat(each).replace(tzinfo=zone) for each in (local, told))
    found = tell_at(at, Cadence(), zone)
    assert found == expected
    assert Cadence().is_working(found, zone)


def test_no_one_is_ever_told_outside_of_their_hours() -> None:
    holiday = Cadence(holidays=frozenset({date(2026, 3, 13)}))
    for minute in range(0, 4 * 24 * 60, 7):
        at = NOON + timedelta(minutes=minute)
        found = tell_at(at, holiday, TOKYO)
        assert at <= found
        assert holiday.is_working(found, TOKYO)
        assert found == at or not holiday.is_working(at, TOKYO)
