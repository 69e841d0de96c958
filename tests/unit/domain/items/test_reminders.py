from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.items.cadence import Cadence
from bot.domain.items.reminders import (
    ESCALATION,
    ITEM,
    POSTMORTEM,
    Decision,
    decide,
    next_due_at,
    recipient,
    slots,
    still_due,
)
from storage.values import Incident, Reminder
from tests.support.casebook import item
from tests.support.workplace import at

UTC = ZoneInfo("UTC")
NEVER = date.min
DUE = date(2026, 3, 16)
POLICY = Cadence()
INCIDENT = Incident(
    id=1, workspace_id="T1", number=1, channel_id="C1", channel_name="incident", title="disk full", severity=None,
    lead="alice", lead_id="U1", declared_at=at("2026-03-02T12:00:00Z"), declared_by="alice", timezone="UTC",
    private=False, open=False,
)  # fmt: skip


def reminder(kind: str = ITEM, *, told_on: date | None = None, recipient_id: str = "U2", **facts: Any) -> Reminder:
    about = None if kind == POSTMORTEM else item(1, "buy disks", **{"owner_id": "U2", "due_on": DUE, **facts})
    return Reminder(
        id=1, kind=kind, recipient_id=recipient_id, due_at=None, told_on=told_on, incident=INCIDENT, item=about,
        since_at=at("2026-03-05T12:00:00Z"),
    )  # fmt: skip


def days(of: Reminder, count: int = 9) -> list[str]:
    return [f"{day:%m-%d}" for day in islice(slots(of, POLICY, UTC, after=NEVER), count)]


def test_the_slots_of_an_item_widen_to_a_week() -> None:
    assert days(reminder()) == ["03-13", "03-16", "03-17", "03-19", "03-23", "03-30", "04-06", "04-13", "04-20"]


@pytest.mark.parametrize("state", ["done", "dropped"])
def test_what_is_done_or_dropped_has_none(state: str) -> None:
    for kind in (ITEM, ESCALATION):
        assert days(reminder(kind, state=state)) == []


def test_without_a_date_there_is_none_but_for_a_proposal() -> None:
    assert days(reminder(due_on=None)) == []
    assert days(reminder(due_on=None, state="proposed"), 3) == ["03-09", "03-16", "03-23"]


def test_a_snoozed_item_is_silent_until_that_day_which_is_a_slot() -> None:
    assert days(reminder(snoozed_until=date(2026, 3, 18)), 3) == ["03-18", "03-19", "03-23"]
    assert days(reminder(due_on=None, snoozed_until=date(2026, 3, 18))) == ["03-18"]


def test_the_channel_is_reminded_once_seven_days_after_the_date_or_after_a_snooze() -> None:
    assert days(reminder(ESCALATION)) == ["03-23"]
    assert days(reminder(ESCALATION, snoozed_until=date(2026, 3, 25))) == ["03-25"]
    assert days(reminder(ESCALATION, due_on=None)) == []


def test_a_postmortem_is_asked_for_five_workdays_after_the_resolution() -> None:
    assert days(reminder(POSTMORTEM)) == ["03-12"]
    assert days(replace(reminder(POSTMORTEM), published=True)) == []
    assert days(replace(reminder(POSTMORTEM), incident=replace(INCIDENT, open=True))) == []


def decided(of: Reminder, when: str, told_on: date | None = None) -> Decision:
    return decide(of, at=at(when), zone=UTC, cadence=POLICY, told_on=told_on)


def test_a_reminder_is_sent_in_working_hours_once_and_then_at_its_next_slot() -> None:
    sent_on = date(2026, 3, 13)
    assert decided(reminder(), "2026-03-13T09:00:00Z") == Decision(
        send=True, why="slot", next_at=at("2026-03-16T09:00:00Z")
    )
    assert decided(reminder(), "2026-03-13T08:59:00Z").why == "hours"
    assert decided(reminder(), "2026-03-12T12:00:00Z").why == "later"
    assert decided(reminder(told_on=sent_on), "2026-03-13T12:00:00Z").why == "later"
    assert decided(reminder(), "2026-03-13T12:00:00Z", told_on=sent_on) == Decision(
        send=False, why="today", next_at=at("2026-03-16T09:00:00Z")
    )
    assert decided(reminder(due_on=None), "2026-03-13T12:00:00Z") == Decision(send=False, why="never", next_at=None)


def test_many_slots_missed_are_one_and_the_next_lies_ahead() -> None:
    assert decided(reminder(), "2026-04-21T12:00:00Z") == Decision(
        send=True, why="slot", next_at=at("2026-04-27T09:00:00Z")
    )


def test_what_is_sent_once_has_no_next_time() -> None:
    for kind in (ESCALATION, POSTMORTEM):
        found = decided(reminder(kind, recipient_id="C1"), "2026-03-23T12:00:00Z")
        assert (found.send, found.next_at) == (True, None)
        assert not still_due(reminder(kind, state="done") if kind == ESCALATION else replace(
            reminder(kind), published=True), POLICY, UTC, on=date(2026, 3, 23))  # fmt: skip
        assert decided(reminder(kind, told_on=date(2026, 3, 23)), "2026-03-30T12:00:00Z").why == "never"


def test_a_channel_is_reminded_of_an_item_once_a_week() -> None:
    reminded = reminder(told_on=date(2026, 3, 13), recipient_id="C1")
    assert next_due_at(reminded, POLICY, UTC, after=date(2026, 3, 13)) == at("2026-03-23T09:00:00Z")


@pytest.mark.parametrize(
    ("kind", "owner_id", "barred", "receiver"),
    [
        (ITEM, "U2", set(), "U2"),
        (ITEM, None, set(), "U1"),
        (ITEM, "U2", {"U2"}, "U1"),
        (ITEM, "U2", {"U1", "U2"}, "C1"),
        (ITEM, "U1", {"U1"}, "C1"),
        (ESCALATION, "U2", set(), "C1"),
    ],
)
def test_the_owner_receives_it_else_the_lead_else_the_channel(
    kind: str, owner_id: str | None, barred: set[str], receiver: str
) -> None:
    assert recipient(kind, INCIDENT, item(1, "x", owner_id=owner_id), barred) == receiver
    assert recipient(POSTMORTEM, INCIDENT, None, set()) == "U1"


@settings(max_examples=200, deadline=None)
@given(
    due_on=st.one_of(st.none(), st.dates()),
    snoozed_until=st.one_of(st.none(), st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))),
    now=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - made aware below
    state=st.sampled_from(["proposed", "open", "done"]),
    days_ago=st.one_of(st.none(), st.integers(-40, 3)),
    zone=st.sampled_from([UTC, ZoneInfo("Pacific/Apia"), ZoneInfo("America/Los_Angeles")]),
)
def test_the_next_look_always_lies_ahead_and_nothing_is_sent_at_night(
    *,
    due_on: date | None,
    snoozed_until: date | None,
    now: datetime,
    state: str,
    days_ago: int | None,
    zone: ZoneInfo,
) -> None:
    moment = now.replace(tzinfo=UTC)
    told_on = None if days_ago is None else moment.date() + timedelta(days=days_ago)
    for kind in (ITEM, ESCALATION):
        about = reminder(kind, due_on=due_on, snoozed_until=snoozed_until, state=state, told_on=told_on)
        found = decide(about, at=moment, zone=zone, cadence=POLICY, told_on=told_on)
        assert found.next_at is None or found.next_at > moment
        assert not found.send or POLICY.is_working(moment, zone)
        assert not found.send or snoozed_until is None or snoozed_until <= moment.astimezone(zone).date()
