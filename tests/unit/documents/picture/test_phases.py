"""Which phases an incident went through."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents.picture.phases import spans
from bot.domain.incident.lifecycle import in_order, lifecycle
from tests.support.timelines import told

MOVES = ("started", "detected", "acknowledged", "did", "impact", "mitigated", "resolved", "reopened", "note")
Rows = list[tuple[str, float]]


def lived(rows: Rows) -> list[tuple[str, float]]:
    """The phases with how many minutes each took."""
    entries = told(*rows)
    return [(span.phase.key, span.seconds / 60) for span in spans(entries, lifecycle(entries))]


@pytest.mark.parametrize(
    ("rows", "phases"),
    [
        (
            [("started", 0), ("detected", 9), ("did", 20), ("mitigated", 40), ("resolved", 65)],
            [("undetected", 9), ("investigating", 11), ("mitigating", 20), ("monitoring", 25)],
        ),
        ([("impact", 0), ("detected", 9), ("resolved", 20)], [("undetected", 9), ("investigating", 11)]),
        ([("detected", 0), ("did", 5), ("resolved", 20)], [("investigating", 5), ("mitigating", 15)]),
        ([("started", 0), ("acknowledged", 7), ("resolved", 9)], [("unrecorded", 7), ("investigating", 2)]),
        (
            [("detected", 0), ("mitigated", 5), ("resolved", 9), ("reopened", 30), ("did", 31), ("resolved", 40)],
            [("investigating", 5), ("monitoring", 4), ("closed", 21), ("investigating", 1), ("mitigating", 9)],
        ),
        ([("detected", 0), ("did", 0), ("mitigated", 5), ("reopened", 6), ("note", 9)],
         [("mitigating", 6), ("investigating", 3)]),
        # A mitigation that did not hold ended nothing; a corrected resolution neither.
        ([("detected", 0), ("did", 1), ("mitigated", 5), ("detected", 7), ("mitigated", 9), ("resolved", 10)],
         [("investigating", 1), ("mitigating", 8), ("monitoring", 1)]),
        ([("detected", 0), ("resolved", 5), ("note", 6), ("resolved", 9)], [("investigating", 9)]),
        # The first sign of what hurt users later; work began before it did.
        ([("detected", 0), ("impact", 30), ("did", 40), ("resolved", 50)],
         [("signs", 30), ("investigating", 10), ("mitigating", 10)]),
        ([("detected", 0), ("did", 9), ("impact", 30), ("resolved", 50)], [("signs", 30), ("mitigating", 20)]),
        # It came back before somebody reopened it.
        ([("detected", 0), ("resolved", 5), ("reopened", 30), ("started", 25), ("resolved", 40)],
         [("investigating", 5), ("closed", 20), ("investigating", 15)]),
        ([("note", 0), ("did", 5)], []),
        ([("detected", 5)], []),
        ([("did", -5), ("started", 0), ("detected", 3), ("resolved", 6)], [("undetected", 3), ("investigating", 3)]),
    ],
)  # fmt: skip
def test_milestones_make_phases(rows: Rows, phases: list[tuple[str, float]]) -> None:
    assert lived(rows) == phases


def test_the_last_phase_of_an_open_incident_goes_on() -> None:
    entries = told(("detected", 0), ("did", 5), ("did", 9))
    assert [span.going_on for span in spans(entries, lifecycle(entries))] == [False, True]


def test_what_others_may_not_read_still_bounds_the_phases() -> None:
    whole = told(("started", 0), ("detected", 4, "private: a name"), ("mitigated", 9), ("resolved", 12))
    shown = [each for each in whole if each.kind != "detected"]
    assert spans(shown, lifecycle(whole)) == spans(whole, lifecycle(whole))


@given(st.lists(st.tuples(st.sampled_from(MOVES), st.integers(-50, 300).map(float)), max_size=20))
def test_the_phases_add_up_to_the_time_from_start_to_end(rows: Rows) -> None:
    entries = in_order(told(*rows))
    life = lifecycle(entries)
    found = spans(entries, life)
    assert all(before.end == after.start for before, after in pairwise(found))
    if found:
        assert found[0].start == life.started_at
    if found and life.time_to_resolve_s is not None:
        assert sum(span.seconds for span in found) == life.time_to_resolve_s
