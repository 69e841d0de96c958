"""The instants of a graph, the scale of its plot, and numbers with SI prefixes."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.documents.picture.graphs import si
from bot.domain.incident.grammar import graph_query
from bot.sources.prometheus import MOST_POINTS, range_between

START = datetime(2026, 3, 12, 10, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize("minutes", [-5, 0, 1, 59, 60, 61, 200, 1_000, 10_000, 100_000, 1_000_000, 10_000_000])
def test_any_length_of_time_has_few_points_on_whole_steps_from_its_start_to_its_end(minutes: int) -> None:
    end = START + timedelta(minutes=minutes)
    of = range_between(START, end)
    assert 1 <= of.count <= MOST_POINTS
    assert of.start_s % of.step_s == 0
    assert of.start_s <= START.timestamp() < of.start_s + of.step_s
    last_s = of.start_s + of.step_s * (of.count - 1)
    assert last_s <= max(end, START).timestamp() < last_s + of.step_s or minutes < 0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"), (1, "1"), (999.9, "1 k"), (1_250, "1.25 k"), (-950e-3, "\u2212950 m"), (2.5e-6, "2.5 µ"),
        (1e-12, "0.001 n"),
        (3e9, "3 G"), (4e21, "4000 E"), (12_345_678, "12.3 M"), (0.07, "70 m"), (100, "100"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_and_a_prefix(value: float, said: str) -> None:
    assert si(value) == said


@pytest.mark.parametrize(
    ("kind", "text", "query"),
    [
        ("note", "graph up", "up"), ("note", "Graph  `up`", "up"), ("note", 'graph x{a=“b”}', 'x{a="b"}'),
        ("note", "graph", None), ("note", "graphs look odd", None), ("did", "graph up", None),
        ("note", "graph " + "x" * 1001, None),
    ],
)  # fmt: skip
def test_a_note_that_begins_with_graph_has_a_query(kind: str, text: str, query: str | None) -> None:
    assert graph_query(kind, text) == query
