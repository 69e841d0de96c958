from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.incident.lifecycle import DURATIONS, in_order, is_open, lifecycle
from bot.domain.incident.phases import gaps, phases
from bot.domain.time.format import duration
from bot.vocabulary import KINDS
from storage.values import TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def timeline(*milestones: tuple[str, float]) -> list[TimelineEntry]:
    return [entry(number, kind, after(minutes)) for number, (kind, minutes) in enumerate(milestones, 1)]


def instant(words: str | None) -> datetime | None:
    return datetime.fromisoformat(words) if words else None


@pytest.mark.parametrize("name", casebook.NAMES)
def test_every_fact_a_sample_case_expects_comes_out_of_its_commands(name: str) -> None:
    case = casebook.load(name)
    expected: dict[str, Any] = case["expected"]
    life = lifecycle(casebook.entries(case))
    assert life.status == "resolved"
    assert life.started_at == instant(expected["started_at"])
    assert life.detected_at == instant(expected["detected_at"])
    assert life.resolved_at == instant(expected["resolved_at"])
    assert life.detected_by == expected["detected_by"]
    assert life.misleading_paths == expected["misleading_paths"]
    assert life.escalations == expected["escalations"]
    for derived in ("time_to_detect_s", "time_to_resolve_s", "time_in_rounds_s"):
        assert getattr(life, derived) == expected.get(derived, getattr(life, derived))
    if "rounds" in expected:
        assert [[each.began_at, each.ended_at] for each in life.rounds] == [
            [instant(words) for words in each] for each in expected["rounds"]
        ]
    assert life.impact_began_at == instant(expected.get("impact_began_at")) or "impact_began_at" not in expected
    assert life.time_in_rounds_s == expected.get("impact_lasted_s", life.time_in_rounds_s)


def test_the_case_of_a_mitigation_that_did_not_hold_comes_out_as_it_expects() -> None:
    case = casebook.load("invented-undone-mitigation")
    life = lifecycle(casebook.entries(case))
    assert [f"{each.at:%FT%TZ}{'' if each.held else ' did not hold'}" for each in life.mitigations] == case["expected"][
        "mitigations"
    ]
    assert f"{duration(life.detected_before_impact_s)} before the impact" == case["expected"]["time_to_detect"]
    assert life.first_sign_at == life.detected_at
    assert life.mitigated_at == life.mitigations[-1].at


def rounds(*milestones: tuple[str, float]) -> list[tuple[float, float | None]]:
    """The rounds in minutes after noon."""
    return [
        (minute_of(each.began_at), minute_of(each.ended_at) if each.ended_at else None)
        for each in lifecycle(timeline(*milestones)).rounds
    ]


def minute_of(at: datetime) -> float:
    return (at - NOON).total_seconds() / 60


ONCE_AGAIN = (("detected", 0), ("resolved", 20), ("reopened", 60), ("resolved", 90))


@pytest.mark.parametrize(
    ("milestones", "expected"),
    [
        (ONCE_AGAIN, [(0, 20), (60, 90)]),
        ((*ONCE_AGAIN, ("reopened", 3000), ("resolved", 3010)), [(0, 20), (60, 90), (3000, 3010)]),
        ((*ONCE_AGAIN, ("reopened", 100)), [(0, 20), (60, 90), (100, None)]),
        ((("detected", 0),), [(0, None)]),
        # Where users were hurt, not at the first sign; a customer who noticed was hurt.
        ((("detected", 0), ("impact", 30), ("resolved", 90)), [(30, 90)]),
        ((("detected", 0), ("impact", 40), ("started", 30), ("resolved", 90)), [(30, 90)]),
        # A second resolution without a return moves the end; an entry between them changes nothing.
        ((("detected", 0), ("resolved", 20), ("impact", 25), ("resolved", 30)), [(0, 30)]),
        (
            (("detected", 0), ("resolved", 20), ("resolved", 30), ("reopened", 60), ("resolved", 70)),
            [(0, 30), (60, 70)],
        ),
        # A return without a resolution before it, as when that was taken back.
        ((("detected", 0), ("reopened", 60), ("resolved", 90)), [(0, 90)]),
        ((("detected", 0), ("resolved", 20), ("reopened", 20), ("resolved", 90)), [(0, 90)]),
        ((*ONCE_AGAIN[:3], ("reopened", 65), ("resolved", 90)), [(0, 20), (60, 90)]),
        # What tells the return more truly than the reopening; a summary of the first round does not.
        ((*ONCE_AGAIN, ("started", 50)), [(0, 20), (50, 90)]),
        ((*ONCE_AGAIN, ("detected", 55)), [(0, 20), (55, 90)]),
        ((*ONCE_AGAIN, ("impact", 45)), [(0, 20), (60, 90)]),
        ((*ONCE_AGAIN[:2], ("impact", 45), *ONCE_AGAIN[2:]), [(0, 20), (60, 90)]),
        # An impact of a later round does not say when the first one began.
        ((*ONCE_AGAIN, ("impact", 70)), [(0, 20), (60, 90)]),
        ((*ONCE_AGAIN, ("impact", 500)), [(0, 20), (60, 90)]),
        # The start is unknown, so how long the trouble lasted is.
        (ONCE_AGAIN[1:], []),
        ((("note", 0), ("did", 5)), []),
        ((), []),
    ],
)
def test_each_round_runs_from_the_trouble_to_its_resolution(
    milestones: tuple[tuple[str, float], ...], expected: list[tuple[float, float | None]]
) -> None:
    assert rounds(*milestones) == expected
    whole = None if not expected or expected[-1][1] is None else sum(60 * (end or 0) - 60 * at for at, end in expected)
    assert lifecycle(timeline(*milestones)).time_in_rounds_s == whole


def test_a_customer_who_noticed_before_the_recorded_impact_was_hurt_already() -> None:
    told = timeline(("detected", 0), ("impact", 30), ("resolved", 90))
    assert lifecycle(told).first_sign_at == after(0)
    life = lifecycle([replace(told[0], qualifier="customer"), *told[1:]])
    assert (life.first_sign_at, life.detected_before_impact_s) == (None, None)
    assert (life.impact_began_at, life.rounds[0].began_at) == (after(0), after(0))
    assert life.time_to_detect_s is None


def test_a_detection_of_the_same_minute_as_the_impact_is_no_first_sign() -> None:
    assert lifecycle(timeline(("detected", 0.1), ("impact", 0.9))).first_sign_at is None
    assert lifecycle(timeline(("detected", 0.9), ("impact", 1))).detected_before_impact_s == 6


def undone(*milestones: tuple[str, float]) -> list[int | None]:
    return [each.undone_by for each in lifecycle(timeline(*milestones)).mitigations]


@pytest.mark.parametrize(
    ("milestones", "expected", "mitigate_s"),
    [
        ((("detected", 0), ("mitigated", 30), ("resolved", 40)), [None], 1800),
        ((("detected", 0), ("mitigated", 30), ("impact", 40), ("mitigated", 50), ("resolved", 60)), [3, None], 3000),
        ((("detected", 0), ("mitigated", 30), ("mitigated", 35), ("impact", 40), ("resolved", 60)), [4, 4], None),
        ((("detected", 0), ("mitigated", 30), ("mitigated", 50), ("resolved", 60)), [None, None], 1800),
        ((("detected", 0), ("mitigated", 30), ("detected", 40), ("resolved", 60)), [3], None),
        ((("detected", 0), ("mitigated", 30), ("reopened", 40), ("mitigated", 50)), [3, None], 3000),
        # Within one minute nobody knows which came first, but who reopens says so.
        ((("detected", 0), ("mitigated", 30.1), ("impact", 30.9), ("resolved", 60)), [None], 1806),
        ((("detected", 0), ("mitigated", 30), ("reopened", 30), ("resolved", 60)), [3], None),
        # An impact of before, one after the end, and one of the quiet time sum up.
        ((("detected", 0), ("mitigated", 30), ("impact", 25), ("resolved", 60)), [None], 1800),
        ((("detected", 0), ("mitigated", 30), ("resolved", 40), ("impact", 41)), [None], 1800),
        ((("detected", 0), ("mitigated", 9), ("resolved", 10), ("impact", 15), ("reopened", 60), ("resolved", 90)),
         [None], None),
        # In the second round; and in both.
        ((*ONCE_AGAIN, ("mitigated", 80)), [None], 4800),
        ((*ONCE_AGAIN, ("mitigated", 10), ("mitigated", 80)), [None, None], 4800),
        ((*ONCE_AGAIN, ("mitigated", 30)), [3], None),
        # A mitigation before anything was seen, or after the end, is out of order, not undone.
        ((("mitigated", 0), ("detected", 10), ("resolved", 60)), [None], None),
        ((("detected", 0), ("resolved", 60), ("mitigated", 70), ("impact", 80)), [None], None),
    ],
)  # fmt: skip
def test_a_mitigation_holds_unless_trouble_follows_before_the_end_of_its_round(
    milestones: tuple[tuple[str, float], ...], expected: list[int | None], mitigate_s: float | None
) -> None:
    assert undone(*milestones) == expected
    assert lifecycle(timeline(*milestones)).time_to_mitigate_s == mitigate_s


def test_an_open_incident_is_mitigated_only_while_the_mitigation_holds() -> None:
    assert lifecycle(timeline(("detected", 0), ("mitigated", 30))).status == "mitigated"
    assert lifecycle(timeline(("detected", 0), ("mitigated", 30), ("impact", 40))).status == "open"
    again = timeline(("detected", 0), ("mitigated", 30), ("impact", 40), ("mitigated", 50))
    assert lifecycle(again).status == "mitigated"


def test_what_begins_a_later_round_does_not_begin_the_incident() -> None:
    life = lifecycle(timeline(*ONCE_AGAIN, ("started", 58), ("impact", 70)))
    assert (life.started_at, life.impact_began_at, life.first_sign_at) == (after(0), None, None)
    assert life.reopened == 1


def test_the_quiet_time_between_two_rounds_is_no_gap() -> None:
    silent = timeline(
        ("detected", 0), ("resolved", 20), ("did", 55), ("reopened", 160), ("did", 200), ("resolved", 201)
    )
    assert [gap.start_at for gap in gaps(silent)] == [after(160)]
    assert [gap.start_at for gap in gaps([*silent, entry(9, "detected", after(120))])] == [after(120), after(160)]


def test_an_incident_without_entries_is_open_and_knows_nothing() -> None:
    life = lifecycle([])
    assert (life.status, life.started_at, life.time_to_resolve_s) == ("open", None, None)
    assert is_open([])
    assert gaps([]) == []


def test_the_first_started_is_the_start_even_when_an_impact_was_earlier() -> None:
    life = lifecycle(timeline(("impact", 0), ("started", 5), ("detected", 7)))
    assert life.started_at == after(5)
    assert life.time_to_detect_s == 120


def test_without_started_or_impact_the_time_to_detect_is_unknown() -> None:
    life = lifecycle(timeline(("detected", 0), ("resolved", 10)))
    assert life.started_at == after(0)
    assert life.time_to_detect_s is None
    assert life.time_to_resolve_s == 600


def test_a_detection_before_any_known_impact_has_no_time_to_detect() -> None:
    life = lifecycle(timeline(("detected", 0), ("impact", 3)))
    assert life.started_at == after(0)
    assert life.time_to_detect_s is None


def test_the_four_times_run_between_their_milestones() -> None:
    life = lifecycle(
        timeline(("started", 0), ("detected", 2), ("acknowledged", 5), ("mitigated", 30), ("resolved", 45))
    )
    assert life.time_to_detect_s == 120
    assert life.time_to_acknowledge_s == 180
    assert life.time_to_mitigate_s == 1800
    assert life.time_to_resolve_s == 2700


def test_reopening_takes_the_resolution_back_until_the_next_one() -> None:
    recorded = timeline(("detected", 0), ("resolved", 10), ("reopened", 20))
    assert lifecycle(recorded).status == "open"
    assert lifecycle(recorded).resolved_at is None
    assert is_open(recorded)
    recorded += [entry(4, "mitigated", after(25))]
    assert lifecycle(recorded).status == "mitigated"
    recorded += [entry(5, "resolved", after(30))]
    assert lifecycle(recorded).resolved_at == after(30)
    assert lifecycle(recorded).time_to_resolve_s == 1800


def test_a_reopening_of_the_same_instant_counts_by_its_number() -> None:
    assert is_open(timeline(("detected", 0), ("resolved", 10), ("reopened", 10)))
    assert not is_open(timeline(("detected", 0), ("reopened", 10), ("resolved", 10)))


def test_a_milestone_out_of_order_gives_no_negative_time() -> None:
    life = lifecycle(timeline(("detected", 10), ("acknowledged", 5), ("started", 8), ("mitigated", 7)))
    assert life.acknowledged_at == after(5)
    assert life.time_to_acknowledge_s is None
    assert life.time_to_mitigate_s is None


def test_an_impact_recorded_only_after_the_end_starts_nothing() -> None:
    life = lifecycle(timeline(("resolved", 10), ("impact", 500)))
    assert life.started_at is None
    assert life.time_to_resolve_s is None


def test_milliseconds_are_kept_and_whole_seconds_are_integers() -> None:
    assert lifecycle(timeline(("started", 0), ("resolved", 0.0025))).time_to_resolve_s == 0.15
    assert isinstance(lifecycle(timeline(("started", 0), ("resolved", 1))).time_to_resolve_s, int)


def test_an_incident_over_midnight_and_days_is_measured_by_the_wall_clock() -> None:
    assert lifecycle(timeline(("detected", 0), ("resolved", 26 * 60))).time_to_resolve_s == 26 * 3600


def test_the_timeline_splits_into_lead_up_incident_and_aftermath() -> None:
    recorded = timeline(("resolved", 10), ("note", -5), ("detected", 0), ("did", 10), ("cause", 900))
    split = phases(recorded)
    assert [e.number for e in split.lead_up] == [2]
    assert [e.number for e in split.during] == [3, 1]
    assert [e.number for e in split.aftermath] == [4, 5]


def test_only_silences_of_the_incident_itself_are_gaps() -> None:
    recorded = timeline(("note", -300), ("detected", 0), ("did", 30), ("did", 61), ("resolved", 62), ("cause", 600))
    assert [(gap.start_at, gap.end_at, gap.seconds) for gap in gaps(recorded)] == [(after(30), after(61), 1860)]


kinds = st.sampled_from(sorted(KINDS))
minutes = st.integers(-3000, 12000)
entry_lists = st.lists(
    st.builds(
        lambda kind, at, late, gone: (kind, at, late, gone),
        kinds,
        minutes,
        st.integers(0, 600),
        st.booleans(),
    ),
    max_size=25,
).map(
    lambda rows: [
        entry(number, kind, after(at), recorded_at=after(at + late), retracted=gone)
        for number, (kind, at, late, gone) in enumerate(rows, 1)
    ]
)


def durations(entries: list[TimelineEntry]) -> list[float | None]:
    life = lifecycle(entries)
    return [getattr(life, f"{rule.key}_s") for rule in DURATIONS]


@given(entry_lists, st.randoms())
def test_the_order_of_the_input_changes_nothing(entries: list[TimelineEntry], random: Random) -> None:
    shuffled = entries[:]
    random.shuffle(shuffled)
    assert lifecycle(shuffled) == lifecycle(entries)
    assert gaps(shuffled) == gaps(entries)
    assert phases(shuffled) == phases(entries)


@given(entry_lists)
def test_a_retracted_entry_counts_as_absent(entries: list[TimelineEntry]) -> None:
    assert lifecycle(entries) == lifecycle([e for e in entries if not e.retracted])


@given(entry_lists)
def test_no_duration_is_negative(entries: list[TimelineEntry]) -> None:
    assert all(seconds is None or seconds >= 0 for seconds in durations(entries))


@given(entry_lists, st.lists(st.tuples(kinds, st.integers(1, 20000)), max_size=6))
def test_what_comes_after_the_last_resolution_changes_no_duration(
    entries: list[TimelineEntry], more: list[tuple[str, int]]
) -> None:
    end = lifecycle(entries).resolved_at
    if end is None:
        return
    late = [
        entry(100 + number, kind, end + timedelta(minutes=at))
        for number, (kind, at) in enumerate(more)
        if kind not in {"resolved", "reopened"}
    ]
    assert durations([*entries, *late]) == durations(entries)
    assert gaps([*entries, *late]) == gaps(entries)


@given(entry_lists)
def test_rounds_are_in_order_apart_and_within_the_incident(entries: list[TimelineEntry]) -> None:
    life = lifecycle(entries)
    instants = [at for each in life.rounds for at in (each.began_at, each.ended_at) if at]
    assert instants == sorted(instants)
    assert not life.rounds or (life.rounds[-1].ended_at, len(life.rounds)) == (life.resolved_at, life.reopened + 1)
    assert life.time_in_rounds_s is None or 0 <= life.time_in_rounds_s <= (life.time_to_resolve_s or 0)


@given(entry_lists)
def test_the_time_to_mitigate_is_that_of_a_mitigation_that_held(entries: list[TimelineEntry]) -> None:
    life = lifecycle(entries)
    assert (life.mitigated_at is None) == (not life.mitigations)
    if life.time_to_mitigate_s is not None:
        assert life.mitigated_at in {each.at for each in life.mitigations if each.held}


@given(entry_lists)
def test_a_status_fits_its_instants(entries: list[TimelineEntry]) -> None:
    life = lifecycle(entries)
    assert (life.status == "resolved") == (life.resolved_at is not None) == (not is_open(entries))


@given(entry_lists)
def test_the_phases_hold_every_entry_that_is_not_retracted_once_and_in_order(entries: list[TimelineEntry]) -> None:
    split = phases(entries)
    whole = [*split.lead_up, *split.during, *split.aftermath]
    assert whole == in_order(e for e in entries if not e.retracted)
