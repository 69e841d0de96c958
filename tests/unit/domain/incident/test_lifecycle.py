from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.incident.lifecycle import DURATIONS, gaps, in_order, is_open, lifecycle, phases
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
    assert life.time_to_detect_s == expected["time_to_detect_s"]
    assert life.time_to_resolve_s == expected["time_to_resolve_s"]
    assert life.detected_by == expected["detected_by"]
    assert life.misleading_paths == expected["misleading_paths"]
    assert life.escalations == expected["escalations"]


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
def test_a_status_fits_its_instants(entries: list[TimelineEntry]) -> None:
    life = lifecycle(entries)
    assert (life.status == "resolved") == (life.resolved_at is not None) == (not is_open(entries))


@given(entry_lists)
def test_the_phases_hold_every_entry_that_is_not_retracted_once_and_in_order(entries: list[TimelineEntry]) -> None:
    split = phases(entries)
    whole = [*split.lead_up, *split.during, *split.aftermath]
    assert whole == in_order(e for e in entries if not e.retracted)
