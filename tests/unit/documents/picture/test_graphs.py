"""Graphs below the timeline: on its axis, legible whatever they hold, and nothing of it where there are none."""

from xml.etree import ElementTree as ET

import pytest

from bot.documents.picture import timeline as picture
from bot.domain.incident.lifecycle import lifecycle
from storage.values import EntryGraph, GraphSeries
from tests.support.timelines import HOSTILE, INCIDENT, SVG, ZONE, at, boxes, on_top_of_each_other, told, words

ENTRIES = told(("started", 0, "x"), ("note", 20, "graph up"), ("resolved", 40, "y"))


def graph(*lines: tuple[float | None, ...], query: str = "up", left_out: int = 0) -> EntryGraph:
    """A value for each minute from 30 minutes before the start on."""
    series = tuple(GraphSeries(labels={"a": HOSTILE[n % len(HOSTILE)], "n": str(n)}, values=line)
                   for n, line in enumerate(lines))  # fmt: skip
    return EntryGraph(entry_number=2, query=query, start_at=at(-30), step_s=60, series=series, left_out=left_out)


def drawn(*graphs: EntryGraph) -> ET.Element:
    svg = picture.draw_timeline(INCIDENT, ENTRIES, lifecycle(ENTRIES), zone=ZONE, graphs=graphs)
    return ET.fromstring(svg)  # noqa: S314 - our own


def curves(root: ET.Element) -> list[str]:
    return [path.get("d", "") for path in root.iter(f"{SVG}path") if path.get("stroke-linejoin")]


@pytest.mark.parametrize("query", HOSTILE)
def test_whatever_it_holds_no_text_lies_on_another(query: str) -> None:
    values = tuple((-1.0) ** minute * 10.0 ** (minute % 30 - 12) for minute in range(100))
    root = drawn(graph(*[values] * 6, query=query, left_out=12), graph((0.0,) * 100), graph((None, 7.0, None)))
    assert not on_top_of_each_other(root)
    assert all(box.left >= 0 and box.right <= picture.WIDTH for box in boxes(root))
    assert len(curves(root)) == 8


def test_it_is_on_the_axis_of_the_marks_and_breaks_where_there_is_no_value() -> None:
    root = drawn(graph((None,) * 30 + (1.0, None, *(2.0,) * 39)))
    (curve,) = curves(root)
    mark = root.find(f".//{SVG}g[@id='mark-1']/{SVG}path[@transform]")
    assert mark is not None
    x = mark.get("transform", "").removeprefix("translate(").split()[0]
    assert curve.startswith(f"M{x} ")
    assert curve.count("M") == 2


def test_the_time_around_it_takes_at_most_half_of_the_axis() -> None:
    long = graph((1.0,) * 240)
    found = drawn(long)
    marks = [each.get("transform", "").removeprefix("translate(").split()[0]
             for each in found.iter(f"{SVG}path") if each.get("transform", "").startswith("translate")]  # fmt: skip
    places = [float(each) for each in marks]
    assert max(places) - min(places) >= 0.48 * (picture.PLOT[1] - picture.PLOT[0])


def test_without_graphs_nothing_is_said_of_them() -> None:
    assert "Graph" not in words(drawn())
