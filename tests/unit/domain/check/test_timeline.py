from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from bot.vocabulary import KINDS
from storage.values import TimelineEntry
from tests.support.casebook import entry
from tests.unit.domain.check.checking import CLEAN, ENTRIES, NOON, NOW, after, but, found, places
from tests.unit.domain.texts import QUICK


@pytest.mark.parametrize("kind", ["detected", "acknowledged", "mitigated"])
def test_a_missing_milestone_is_named_with_the_command_that_fills_it(kind: str) -> None:
    [finding] = found(*but(without=kind), rule="milestones", prefix="inc-")
    assert finding.place == KINDS[kind].label
    assert finding.fix.startswith(f"/inc-{kind} at ")


def test_of_an_open_incident_only_its_being_open_is_missing() -> None:
    told = [each for each in but(without="resolved") if each.kind != "mitigated"]
    [finding] = found(*told, rule="milestones")
    assert "still open" in finding.reason


def test_neither_a_start_nor_an_impact_means_no_start() -> None:
    told = [each for each in but(without="started") if each.kind != "impact"]
    assert places(found(*told, rule="milestones")) == ["Started"]
    assert found(*but(without="started"), rule="milestones") == []


@pytest.mark.parametrize(
    ("number", "minutes", "before"),
    [(3, 90, ["Detected"]), (7, 5, ["Detected"]), (8, -5, ["Started"]), (4, 8, ["Detected"]), (1, 300, ["Started"])],
)
def test_one_mistyped_time_is_one_finding_at_its_entry(number: int, minutes: int, before: list[str]) -> None:
    wrong = replace(CLEAN[number - 1], occurred_at=after(minutes))
    [finding] = found(*but(wrong), rule="order")
    assert finding.place.startswith(f"#{number} ")
    assert any(label in finding.reason for label in before)
    assert finding.fix == f"/incident edit {number} at TIME"


def test_an_incident_that_came_back_is_in_order() -> None:
    again = (entry(20, "reopened", after(80), "back"), entry(21, "resolved", after(90), "gone"))
    assert found(*CLEAN, *again, rule="order") == []
    [finding] = found(*but(without="resolved"), again[0], entry(21, "resolved", after(90)), rule="order")
    assert finding.place == "#20 Reopened"


def test_what_happened_at_one_instant_is_in_order() -> None:
    told = [replace(each, occurred_at=NOON) for each in CLEAN]
    assert found(*told, rule="order") == []


def test_an_entry_of_tomorrow_is_in_the_future_and_so_is_one_typed_too_early() -> None:
    [coming] = found(*but(replace(CLEAN[5], occurred_at=NOW + timedelta(hours=1))), rule="future")
    assert "still to come" in coming.reason
    [early] = found(*but(replace(CLEAN[5], recorded_at=after(1))), rule="future")
    assert (early.place, early.reason) == ("#6 Did", "It was recorded 30 min before it happened")


def test_a_detection_says_who_noticed() -> None:
    [finding] = found(*but(replace(CLEAN[2], qualifier=None)), rule="detection")
    assert finding.place == "#3 Detected"
    assert finding.fix.startswith("/incident edit 3 by monitoring")


@pytest.mark.parametrize(
    ("answer", "answered"),
    [
        (entry(6, "did", after(50), "here", author_id="U2"), True),
        (entry(6, "did", after(51), "here", author_id="U2"), False),
        (entry(6, "did", after(30), "still alone", author_id="U1"), False),
        (entry(6, "acknowledged", after(30), "Bob is on it", author_id="U1"), True),
        (entry(6, "impact", after(30), "2% of users", author_id="U2"), False),
        (entry(6, "note", after(20), "same minute", author_id="U2"), True),
    ],
)
def test_an_escalation_is_answered_by_somebody_else_within_half_an_hour(
    answer: TimelineEntry, *, answered: bool
) -> None:
    told = (entry(1, "detected", after(0)), entry(5, "escalated", after(20)), answer, entry(7, "note", after(300)))
    assert places(found(*told, rule="escalation")) == ([] if answered else ["#5 Escalated"])


def test_one_person_may_escalate_twice_and_neither_is_answered_by_the_other() -> None:
    told = [entry(n, "escalated", after(n)) for n in (1, 2)]
    assert places(found(*told, rule="escalation")) == ["#1 Escalated", "#2 Escalated"]


def test_gaps_over_thirty_minutes_come_longest_first() -> None:
    told = [entry(n, "note", after(at)) for n, at in enumerate((0, 30, 61, 200), 1)]
    assert places(found(entry(9, "started", after(0)), *told, rule="gaps")) == ["#3 to #4", "#2 to #3"]


@given(ENTRIES)
@QUICK
def test_the_milestones_left_after_the_findings_about_order_are_taken_out_are_in_order(
    told: list[TimelineEntry],
) -> None:
    numbered = [replace(each, number=number, id=number) for number, each in enumerate(told, 1)]
    named = {each.place.split()[0] for each in found(*numbered, rule="order")}
    first = {
        each.kind: each for each in sorted(numbered, key=lambda each: (each.occurred_at, each.number), reverse=True)
    }
    chain = [first[kind] for kind in ("started", "detected", "mitigated") if kind in first]
    kept = [each.occurred_at for each in chain if f"#{each.number}" not in named]
    assert kept == sorted(kept)
