from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from bot.vocabulary import KINDS
from storage.values import TimelineEntry
from tests.support.casebook import entry
from tests.unit.domain.check.checking import CLEAN, ENTRIES, ITEMS, NOON, NOW, after, but, drafted, found, places
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
    time = finding.fix.removeprefix(f"/incident edit {number} at ").removesuffix(" UTC")
    fixed = replace(wrong, occurred_at=datetime.fromisoformat(f"{time}Z"))
    assert found(*but(fixed), rule="order") == []


def test_an_incident_that_came_back_is_in_order() -> None:
    again = (entry(20, "reopened", after(80), "back"), entry(21, "resolved", after(90), "gone"))
    assert found(*CLEAN, *again, rule="order") == []
    # It may come back while it is open.
    assert found(*but(without="resolved"), again[0], entry(21, "resolved", after(90)), rule="order") == []


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
    longest, other = found(entry(9, "started", after(0)), *told, rule="gaps")
    assert (longest.place, other.place) == ("#3 to #4", "#2 to #3")
    assert longest.fix == "/note at 2026-03-02 14:10 UTC what was tried or waited for"


@pytest.mark.parametrize(
    ("at", "more"),
    [
        ((0, 31, 63, 96), []),
        ((0, 31, 63, 96, 130), ["1 more gap of 31 min"]),
        ((0, 31, 63, 96, 130, 170), ["2 more gaps of 31 min to 32 min"]),
    ],
)
def test_more_than_three_gaps_are_counted(at: tuple[int, ...], more: list[str]) -> None:
    told = [entry(1, "started", after(0)), *(entry(n, "note", after(each)) for n, each in enumerate(at[1:], 2))]
    assert [each.reason for each in found(*told, rule="gaps")][3:] == more


NAMING = (
    "restarted db1 at 11:40", "restarted at 11:40", "rolled back about 11:40", "config pushed around 11:40",
    "bob joined at 11:40", "deploy 418 went out at 11:40", "failed over to db2 at 11:40 UTC", "first error at 11:40",
    "status page updated at 11:40 by carol", "at first all was fine, then the queue grew at 11:40",
    "switch replaced at 11:40, errors stayed", "caught a dip at 11:40", "pager rang at 11:40am", "alert fired @ 11:40",
    "the vendor called back at 11:40", "traffic dropped at 11:40",
)  # fmt: skip
NOT_NAMING = (
    "restarted db1", "errors since 11:40", "no errors from 11:40 on", "next update at 12:40", "backup runs at 11:40",
    "ETA 11:40", "restored the backup taken at 11:40", "rolled back the deploy of 11:40",
    "cron starts at 11:40 every day",
    "p99 11:40 ratio", "ran for 11:40 minutes", "see `log at 11:40`", "we will look at 11:40",
    "until 11:40 all was fine",
    "the 11:40 deploy is out", "restarted at 12:08", "standup at 11:40 tomorrow", "restored the snapshot from 11:40",
    "reverted the config released at 11:40", "on port 11:40",
)  # fmt: skip


@pytest.mark.parametrize("text", NAMING)
def test_an_entry_recorded_as_now_that_names_an_earlier_time_can_be_moved_there(text: str) -> None:
    [finding] = found(*CLEAN, entry(20, "did", after(10), text), rule="times")
    assert (finding.place, finding.fix) == ("#20 Did", "/incident edit 20 at 2026-03-02 11:40 UTC")
    assert "stands at 12:10 UTC" in finding.reason


@pytest.mark.parametrize("text", NOT_NAMING)
def test_a_time_that_is_another_things_or_to_come_moves_nothing(text: str) -> None:
    assert found(*CLEAN, entry(20, "did", after(10), text), rule="times") == []


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "investigating"}, {"kind": "impact"}, {"kind": "cause"}, {"kind": "lesson"}, {"revisions": 1},
        {"recorded_at": after(40)}, {"text": "p99 is 9 s, started at 11:40", "kind": "detected"},
    ],
)  # fmt: skip
def test_what_looks_back_was_edited_or_has_its_time_is_left_alone(other: dict[str, Any]) -> None:
    told = replace(entry(20, "did", after(10), "restarted db1 at 11:40"), **other)
    assert found(*CLEAN, told, rule="times") == []


UNDONE = (
    entry(1, "impact", after(0), "all uploads fail"), entry(2, "mitigated", after(20), "old bucket"),
    entry(3, "note", after(22), "quiet"), entry(4, "impact", after(25), "downloads broken"),
    entry(5, "mitigated", after(30), "disk grown"), entry(6, "resolved", after(40)),
)  # fmt: skip


def test_an_impact_after_a_mitigation_asks_whether_it_held_once() -> None:
    findings = [each for each in found(*UNDONE) if "held-2" in each.reason or "did not hold" in each.fix]
    [finding] = findings
    assert (finding.rule, finding.place) == ("held", "#2 Mitigated")
    assert finding.reason == ("Impact (#4) followed at 12:25 UTC: did it hold? If it did, /postmortem strike held-2")
    assert finding.fix == "/lesson at 2026-03-02 12:40 UTC badly: the mitigation at 12:20 UTC did not hold"
    told = entry(7, "lesson", after(50), "#2 broke the downloads", qualifier="badly")
    assert found(*UNDONE, told, rule="held") == []


@pytest.mark.parametrize(("minutes", "rules"), [(9, []), (30, ["offers"]), (31, ["deadends"])])
def test_a_dead_end_over_thirty_minutes_without_a_lesson_is_said_once(minutes: int, rules: list[str]) -> None:
    leads = (entry(20, "investigating", after(10), "the deploy"), entry(21, "ruledout", after(10 + minutes), "not it"))
    told = [each for each in CLEAN if each.kind != "lesson"]
    findings = [each for each in found(*told, *leads) if "ruled out" in each.fix]
    assert [each.rule for each in findings] == rules
    lesson = entry(22, "lesson", after(80), "from #20 to #21 we looked at the deploy", qualifier="badly")
    assert [each for each in found(*told, *leads, lesson) if "ruled out" in each.fix] == []


def test_lessons_are_offered_for_a_side_that_nobody_told_any_of() -> None:
    told = [each for each in CLEAN if each.kind != "lesson"]
    assert [each.fix for each in found(*told, rule="offers")] == [
        "/lesson at 2026-03-02 13:00 UTC well: somebody took it on after 2 min"
    ]
    assert found(*CLEAN, rule="offers") == []


def test_a_slip_is_met_with_one_question_and_no_other_remark() -> None:
    told = but(replace(CLEAN[8], text="operator error by alice", qualifier=None))
    [finding] = [each for each in found(*told, text=drafted(told, ITEMS)) if each.rule in {"slips", "wording"}]
    assert (finding.rule, finding.place) == ("slips", "#9 Cause")
    assert finding.reason.endswith("what made it look right at the time?")
    assert finding.fix == "/cause at 2026-03-02 13:00 UTC human: what made the step look right"
    # Switched off, the wording says it.
    assert {each.rule for each in found(*told, rule="wording")} == {"wording"}


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
    for pair in (("started", "mitigated"), ("detected", "mitigated")):
        chain = [first[kind] for kind in pair if kind in first]
        kept = [each.occurred_at for each in chain if f"#{each.number}" not in named]
        assert kept == sorted(kept)


def test_a_detection_before_the_start_is_a_first_sign_and_in_order() -> None:
    assert found(*but(replace(CLEAN[2], occurred_at=after(-180))), rule="order") == []


def test_a_lesson_that_is_not_sorted_is_named_with_what_sorts_it() -> None:
    told = (*CLEAN, entry(20, "lesson", after(72), "x"))
    assert [(each.place, each.fix) for each in found(*told) if each.rule == "unsorted"] == [
        ("#20 Lesson", "/incident edit 20 badly:"),
    ]
