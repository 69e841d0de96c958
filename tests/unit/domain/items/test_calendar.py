"""Plays of the calendar: on which mornings one recipient gets a digest, and what it lists, worked out by hand.

March 2026 begins on a Sunday. A row is the day and the items listed; `*` marks those that called for the digest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.items.cadence import DAY, Cadence
from bot.domain.items.reminders import ESCALATION, ITEM, decide, is_listed
from storage.values import Incident, Reminder
from tests.support.casebook import item
from tests.support.workplace import at

UTC = ZoneInfo("UTC")
THURSDAY = "2026-03-05T12:00:00Z"
INCIDENT = Incident(
    id=1, workspace_id="T1", number=1, channel_id="C1", channel_name="incident", title="disk full", severity=None,
    lead="lena", lead_id="U1", declared_at=at(THURSDAY), declared_by="lena", timezone="UTC", private=False, open=False,
)  # fmt: skip
Change = Callable[[Reminder], Reminder]


def owned(number: int, due: str | None, **facts: Any) -> Reminder:
    """The owner's reminder of an item due on that day of 2026."""
    return reminder(number, due, **{"owner": "lou", "owner_id": "U2", **facts})


def reminder(number: int, due: str | None, *, kind: str = ITEM, recipient_id: str = "U2", **facts: Any) -> Reminder:
    due_on = date.fromisoformat(f"2026-{due}") if due else None
    return Reminder(
        id=number, kind=kind, recipient_id=recipient_id, due_at=at(THURSDAY), told_on=None, incident=INCIDENT,
        item=item(number, "raise the limit", **{"due_on": due_on, **facts}), since_at=at(THURSDAY),
    )  # fmt: skip


def revised(**changes: Any) -> Change:
    """The change of an item to these values."""

    def change(before: Reminder) -> Reminder:
        assert before.item is not None
        return replace(before, item=replace(before.item, **changes))

    return change


@dataclass
class Play:
    """One recipient's mornings, from 6 March 2026 on."""

    reminders: list[Reminder]
    cadence: Cadence = field(default_factory=Cadence)
    changes: Mapping[str, tuple[int, Change]] = field(default_factory=dict)
    told_on: date | None = None
    bundled_on: date | None = None

    def rows(self, last: str) -> list[str]:
        """The digests up to that day. Changes are made in the evening of their day."""
        day, rows = date(2026, 3, 6), []
        while day <= date.fromisoformat(last):
            rows += self._morning(day)
            if change := self.changes.get(f"{day:%m-%d}"):
                number, made = change
                planned = [replace(made(each), due_at=at(f"{day}T17:00:00Z")) for each in self.reminders]
                self.reminders = [
                    after if after.id == number else before
                    for before, after in zip(self.reminders, planned, strict=True)
                ]
            day += DAY
        return rows

    def _morning(self, day: date) -> list[str]:
        now = at(f"{day}T09:00:00Z")
        facts: dict[str, Any] = {"zone": UTC, "cadence": self.cadence}
        facts |= {"told_on": self.told_on, "bundled_on": self.bundled_on}
        looked_at = [each for each in self.reminders if each.due_at and each.due_at <= now]
        decisions = {each.id: decide(each, at=now, **facts) for each in looked_at}
        dropped = [number for number, decision in decisions.items() if decision.why == "expired"]
        called = {number for number, decision in decisions.items() if decision.send}
        if any(decision.bundled for decision in decisions.values()):
            self.bundled_on = day
        self.reminders = [
            replace(each, due_at=decisions[each.id].next_at, told_on=day if each.id in called else each.told_on)
            if each.id in decisions
            else each
            for each in self.reminders
            if each.id not in dropped
        ]
        rows = [f"{day:%m-%d} drop {number}" for number in dropped]
        if not called:
            return rows
        self.told_on = day
        listed = [each for each in self.reminders if is_listed(each, self.cadence, UTC, on=day)]
        self.reminders = [replace(each, times=each.times + (each in listed)) for each in self.reminders]
        shown = " ".join(f"{each.id}{'*' if each.id in called else ''}" for each in listed)
        return [*rows, f"{day:%m-%d} {shown}"]


def played(*reminders: Reminder, last: str, **facts: Any) -> list[str]:
    return Play(list(reminders), **facts).rows(last)


def test_one_item_is_told_at_its_steps_and_then_once_a_week() -> None:
    assert played(owned(1, "03-16"), last="2026-04-13") == [
        "03-13 1*",  # three days before, a Friday
        "03-16 1*",
        "03-17 1*",
        "03-19 1*",
        "03-23 1*",
        "03-30 1*",
        "04-06 1*",
        "04-13 1*",
    ]


def test_five_items_due_on_five_days_are_nine_messages_up_to_the_third_week_after() -> None:
    week = [owned(number, f"03-{15 + number}") for number in range(1, 6)]
    assert played(*week, last="2026-04-06") == [
        "03-13 1*",
        "03-16 1* 2* 3* 4*",  # today; three days before Tuesday, Wednesday (both of the weekend) and Thursday
        "03-17 1* 2* 3 4 5*",
        "03-18 1 2* 3* 4 5",
        "03-19 1* 2 3* 4* 5",
        "03-20 1 2* 3 4* 5*",
        "03-23 1* 2 3* 4* 5*",  # the first is a week late, so Monday is the day of the bundle
        "03-30 1* 2* 3* 4* 5*",
        "04-06 1* 2* 3* 4* 5*",
    ]


def test_the_headline_is_of_all_and_one_that_is_done_is_on_no_list() -> None:
    week = [owned(1, "03-16"), owned(2, "03-17")]
    assert played(*week, last="2026-03-31", changes={"03-18": (1, revised(state="done"))}) == [
        "03-13 1*",
        "03-16 1* 2*",
        "03-17 1* 2*",
        "03-18 1 2*",
        "03-20 2*",
        "03-24 2*",
        "03-31 2*",
    ]


def test_what_becomes_a_week_late_within_six_days_of_a_bundle_waits_for_the_next_one() -> None:
    # Bundles on the 12th, 19th and 26th for the first; the second is a week late on the 18th, the third on the 20th.
    late = [owned(1, "03-05"), owned(2, "03-11"), owned(3, "03-13")]
    assert played(*late, last="2026-03-27") == [
        "03-06 1*",
        "03-09 1* 2*",  # of Sunday: three days late; three days before Wednesday, of Sunday
        "03-10 1 2 3*",
        "03-11 1 2* 3",
        "03-12 1* 2* 3",
        "03-13 1 2 3*",
        "03-16 1 2* 3*",  # of Saturday and Monday
        "03-19 1* 2* 3",
        "03-26 1* 2* 3*",
    ]


def test_what_is_due_on_a_free_day_is_told_on_the_workday_before() -> None:
    assert played(owned(1, "03-15"), last="2026-03-30") == [
        "03-12 1*",
        "03-13 1*",  # due on Sunday
        "03-16 1*",
        "03-18 1*",
        "03-23 1*",  # a week late on Sunday
        "03-30 1*",
    ]


def test_around_holidays_the_steps_move_to_the_next_workday_and_the_due_day_to_the_one_before() -> None:
    easter = Cadence(holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6)}))
    rows = played(owned(1, "04-05"), owned(2, "04-03"), last="2026-04-20", cadence=easter)
    assert rows == [
        "03-31 2*",
        "04-02 1* 2*",  # both are due on free days; three days before Easter Sunday
        "04-07 1* 2*",  # one and three days late, of the free days
        "04-08 1* 2",
        "04-10 1 2*",  # a week late: the first bundle
        "04-17 1* 2*",
    ]


def test_a_snooze_is_silent_and_ends_on_its_day_and_the_week_counts_from_there() -> None:
    snoozed = {"03-17": (1, revised(snoozed_until=date(2026, 3, 27)))}
    assert played(owned(1, "03-16"), last="2026-04-10", changes=snoozed) == [
        "03-13 1*",
        "03-16 1*",
        "03-17 1*",
        "03-27 1*",
        "04-03 1*",
        "04-10 1*",
    ]


def test_a_snoozed_item_is_on_no_list_that_others_call_for() -> None:
    snoozed = {"03-13": (1, revised(snoozed_until=date(2026, 3, 18)))}
    assert played(owned(1, "03-16"), owned(2, "03-17"), last="2026-03-20", changes=snoozed) == [
        "03-13 1*",
        "03-16 2*",
        "03-17 2*",
        "03-18 1* 2*",
        "03-19 1* 2",
        "03-20 1 2*",
    ]


def test_a_new_date_begins_anew_with_the_steps_of_that_date() -> None:
    redated = {"03-17": (1, revised(due_on=date(2026, 3, 25)))}
    assert played(owned(1, "03-16"), last="2026-04-01", changes=redated) == [
        "03-13 1*",
        "03-16 1*",
        "03-17 1*",
        "03-23 1*",  # three days before, of Sunday
        "03-25 1*",
        "03-26 1*",
        "03-30 1*",  # three days after, of Saturday
        "04-01 1*",
    ]


def test_the_lead_is_told_a_week_and_thirty_days_after_the_date_however_the_owner_snoozes() -> None:
    late = reminder(1, "03-16", kind=ESCALATION, recipient_id="C1", owner="lou", owner_id="U2")
    assert played(late, last="2026-06-30") == ["03-23 1*", "04-15 1*"]
    snoozed = revised(snoozed_until=date(2026, 6, 1))
    assert played(snoozed(late), last="2026-06-30") == ["03-23 1*", "04-15 1*"]
    early = Cadence(escalate=3)
    assert played(late, last="2026-06-30", cadence=early) == ["03-19 1*", "04-15 1*"]
    assert played(snoozed(late), last="2026-06-30", cadence=early) == ["03-23 1*", "04-15 1*"]


def test_the_leads_snooze_is_about_what_the_lead_is_told_alone() -> None:
    late = reminder(1, "03-16", kind=ESCALATION, recipient_id="C1", owner="lou", owner_id="U2")

    def silence(before: Reminder) -> Reminder:
        return replace(before, snoozed_until=date(2026, 3, 27))

    assert played(late, last="2026-06-30", changes={"03-23": (1, silence)}) == ["03-23 1*", "03-27 1*", "04-15 1*"]
    assert played(late, last="2026-06-30", changes={"03-18": (1, silence)}) == ["03-27 1*", "04-15 1*"]


def test_what_is_late_stays_on_the_leads_list_until_it_was_said_twice() -> None:
    late = {"kind": ESCALATION, "recipient_id": "C1", "owner": "lou", "owner_id": "U2"}
    rows = played(reminder(1, "03-16", **late), reminder(2, "04-06", **late), last="2026-06-30")
    assert rows == ["03-23 1*", "04-13 1 2*", "04-15 1* 2", "05-06 2*"]


def test_a_proposal_is_asked_about_twice_and_dropped_after_thirty_days() -> None:
    proposal = reminder(1, None, recipient_id="U1", state="proposed")
    assert played(proposal, last="2026-06-30") == [
        "03-09 1*",  # two workdays after Thursday
        "03-16 1*",
        "04-06 drop 1",  # of Saturday
    ]
    assert played(proposal, last="2026-06-30", cadence=Cadence(drop=None)) == ["03-09 1*", "03-16 1*"]


def test_a_proposal_stays_on_the_list_while_it_waits_and_a_confirmed_one_leaves_it() -> None:
    proposal, dated = reminder(1, None, recipient_id="U1", state="proposed"), owned(2, "03-20", recipient_id="U1")
    confirmed = revised(state="open", owner="lou", owner_id="U2")
    assert played(proposal, dated, last="2026-03-23", changes={"03-20": (1, confirmed)}) == [
        "03-09 1*",
        "03-16 1*",
        "03-17 1 2*",
        "03-20 1 2*",
        "03-23 2*",  # of Saturday and Monday
    ]


def test_a_proposal_that_nobody_was_asked_about_in_time_is_asked_about_first() -> None:
    away = Cadence(holidays=frozenset(date(2026, 3, 6) + timedelta(days=days) for days in range(40)))
    proposal = reminder(1, None, recipient_id="U1", state="proposed")
    assert played(proposal, last="2026-06-30", cadence=away) == [
        "04-16 1*",
        "04-23 1*",
        "04-30 drop 1",
    ]


def test_a_snoozed_proposal_is_not_dropped_within_a_week_after_the_snooze() -> None:
    proposal = reminder(1, None, recipient_id="U1", state="proposed", snoozed_until=date(2026, 5, 1))
    assert played(proposal, last="2026-06-30") == ["05-01 1*", "05-08 1*", "05-15 drop 1"]


def test_who_decides_is_told_weekly_what_has_no_owner_or_no_date_and_of_all_on_one_day() -> None:
    nobodys = reminder(1, None, recipient_id="U1")
    undated = reminder(2, None, kind=ESCALATION, recipient_id="U1", owner="lou", owner_id="U2")
    late = owned(3, "03-09", recipient_id="U1")
    assert played(nobodys, undated, late, last="2026-03-26") == [
        "03-06 3*",
        "03-09 3*",
        "03-10 3*",
        "03-12 1* 2* 3*",  # a week after Thursday: the first bundle
        "03-19 1* 2* 3*",  # the third is a week late since the 16th
        "03-26 1* 2* 3*",
    ]


def test_a_channel_hears_of_what_nobody_has_once_a_week() -> None:
    dated = reminder(1, "03-16", recipient_id="C1")
    assert played(dated, last="2026-04-06") == ["03-12 1*", "03-19 1*", "03-26 1*", "04-02 1*"]


def test_without_a_weekly_step_nothing_is_said_after_the_last_one() -> None:
    few = Cadence(steps=(-1, 1, 9), every=0)
    assert played(owned(1, "03-16"), owned(2, None), reminder(3, None), last="2026-06-30", cadence=few) == [
        "03-16 1*",  # the day before, of Sunday
        "03-17 1*",
        "03-25 1*",
    ]


def test_who_heard_of_an_item_by_a_hand_over_gets_no_digest_with_it_that_day() -> None:
    handed = replace(owned(1, "03-17"), handed_on=date(2026, 3, 17))
    assert played(handed, owned(2, "03-17"), last="2026-03-18") == ["03-16 2*", "03-17 2*", "03-18 1* 2*"]
