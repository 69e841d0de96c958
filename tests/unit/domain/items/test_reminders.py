from dataclasses import replace
from datetime import date, datetime, timedelta
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
    next_step,
    recipient,
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
    about = (
        None
        if kind == POSTMORTEM
        else item(1, "buy disks", **{"owner": "bob", "owner_id": "U2", "due_on": DUE, **facts})
    )
    return Reminder(
        id=1, kind=kind, recipient_id=recipient_id, due_at=None, told_on=told_on, incident=INCIDENT, item=about,
        since_at=at("2026-03-05T12:00:00Z"),
    )  # fmt: skip


def days(of: Reminder, count: int = 5) -> list[str]:
    """The first days on which it calls, on each of which it is told."""
    found: list[str] = []
    after = NEVER
    while len(found) < count and (day := next_step(of, POLICY, UTC, after=after)):
        found.append(f"{day:%m-%d}")
        after = day
    return found


@pytest.mark.parametrize("state", ["done", "dropped"])
def test_what_is_done_or_dropped_has_none(state: str) -> None:
    for kind in (ITEM, ESCALATION):
        assert days(reminder(kind, state=state)) == []


def test_without_a_date_there_is_none_but_for_a_proposal() -> None:
    assert days(reminder(due_on=None)) == []
    assert days(reminder(due_on=None, state="proposed")) == ["03-09", "03-16"]


def test_a_snoozed_item_is_silent_until_that_day_which_is_a_step() -> None:
    assert days(reminder(snoozed_until=date(2026, 3, 18)), 3) == ["03-18", "03-19", "03-23"]
    assert days(reminder(due_on=None, snoozed_until=date(2026, 3, 18))) == ["03-18"]


def test_the_lead_is_told_seven_and_thirty_days_after_the_date() -> None:
    assert days(reminder(ESCALATION)) == ["03-23", "04-15"]
    assert days(reminder(ESCALATION, owner=None, owner_id=None)) == []


def test_a_postmortem_is_asked_for_five_workdays_after_the_resolution() -> None:
    assert days(reminder(POSTMORTEM)) == ["03-12"]
    assert days(replace(reminder(POSTMORTEM), published=True)) == []
    assert days(replace(reminder(POSTMORTEM), incident=replace(INCIDENT, open=True))) == []


def decided(of: Reminder, when: str, told_on: date | None = None) -> Decision:
    return decide(of, at=at(when), zone=UTC, cadence=POLICY, told_on=told_on)


def test_a_reminder_is_sent_in_working_hours_once_and_then_at_its_next_step() -> None:
    sent_on = date(2026, 3, 13)
    assert decided(reminder(), "2026-03-13T09:00:00Z") == Decision(
        send=True, why="step", next_at=at("2026-03-16T09:00:00Z")
    )
    assert decided(reminder(), "2026-03-13T08:59:00Z").why == "hours"
    assert decided(reminder(), "2026-03-12T12:00:00Z").why == "later"
    assert decided(reminder(told_on=sent_on), "2026-03-13T12:00:00Z").why == "later"
    assert decided(reminder(), "2026-03-13T12:00:00Z", told_on=sent_on) == Decision(
        send=False, why="today", next_at=at("2026-03-16T09:00:00Z")
    )
    assert decided(reminder(due_on=None), "2026-03-13T12:00:00Z") == Decision(send=False, why="never", next_at=None)


def test_many_steps_missed_are_one_and_the_next_lies_ahead() -> None:
    assert decided(reminder(), "2026-04-21T12:00:00Z") == Decision(
        send=True, why="step", next_at=at("2026-04-28T09:00:00Z"), bundled=True
    )


def test_what_is_sent_once_has_no_next_time() -> None:
    found = decided(reminder(POSTMORTEM, recipient_id="C1"), "2026-03-23T12:00:00Z")
    assert (found.send, found.next_at) == (True, None)
    assert not still_due(replace(reminder(POSTMORTEM), published=True), POLICY, UTC, on=date(2026, 3, 23))
    assert decided(reminder(POSTMORTEM, told_on=date(2026, 3, 23)), "2026-03-30T12:00:00Z").why == "never"


@pytest.mark.parametrize(
    ("kind", "facts", "barred", "receiver"),
    [
        (ITEM, {}, set(), "U2"),
        (ITEM, {"owner_id": None}, set(), "U1"),
        (ITEM, {}, {"U2"}, "U1"),
        (ITEM, {}, {"U1", "U2"}, "C9"),
        (ITEM, {}, {"U1", "U2", "C9"}, "U3"),
        (ITEM, {}, {"U1", "U2", "U3", "C9"}, "C1"),
        (ITEM, {}, {"U1", "U2", "U3", "C1", "C9"}, "C1"),
        # The lead, in the channel; in a direct message where it is closed.
        (ESCALATION, {}, set(), "C1"),
        (ESCALATION, {}, {"C1"}, "U1"),
        (ESCALATION, {}, {"U1"}, "C9"),
        (ESCALATION, {}, {"U1", "C9"}, "U3"),
        (ESCALATION, {}, {"U1", "U3", "C9"}, "C1"),
        # Of their own items the lead and who declared hear in their own digests, and of nobody's in theirs.
        (ESCALATION, {"owner_id": "U1"}, set(), None),
        (ESCALATION, {"owner_id": "U3"}, {"U1", "C9"}, "C1"),
        (ESCALATION, {"owner_id": "U3"}, {"U1", "C9", "C1"}, None),
        (ESCALATION, {"owner_id": None}, set(), None),
        (ESCALATION, {}, {"U2"}, None),
        # Without a date it waits for a decision.
        (ESCALATION, {"due_on": None}, set(), "U1"),
        (ESCALATION, {"due_on": None, "owner_id": "U1"}, set(), "U1"),
        (ESCALATION, {"due_on": None}, {"U1"}, "C9"),
        (POSTMORTEM, None, set(), "U1"),
        (POSTMORTEM, None, {"U1"}, "C1"),
        (POSTMORTEM, None, {"U1", "C1"}, "U3"),
    ],
)
def test_each_reminder_reaches_somebody(
    kind: str, facts: dict[str, Any] | None, barred: set[str], receiver: str | None
) -> None:
    incident = replace(INCIDENT, declared_by_id="U3")
    about = None if facts is None else item(1, "x", **{"owner": "bob", "owner_id": "U2", "due_on": DUE, **facts})
    assert recipient(kind, incident, about, barred=barred, summary_channel="C9") == receiver


def test_a_private_incident_is_not_told_in_the_summarys_channel() -> None:
    hidden = replace(INCIDENT, declared_by_id="U3", private=True, lead_id=None)
    about = item(1, "x", owner="bob", owner_id="U2", due_on=DUE)
    for kind in (ITEM, ESCALATION):
        assert recipient(kind, hidden, about, barred={"U2"} if kind == ITEM else (), summary_channel="C9") == "U3"


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
        silent_until = snoozed_until if kind == ITEM else None
        assert not found.send or silent_until is None or silent_until <= moment.astimezone(zone).date()
