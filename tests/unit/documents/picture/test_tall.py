"""The picture from top to bottom: every entry is in it, in order, joined to its time, and no two labels overlap."""

from datetime import timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.documents.picture import timeline
from bot.documents.picture.tall import MOST_ROWS, WIDTH, TallRow, draw_tall, spread
from bot.documents.picture.text_width import width, wrapped
from bot.domain.incident.lifecycle import in_order, lifecycle
from bot.vocabulary import KINDS
from storage.values import TimelineEntry
from tests.support import casebook
from tests.support.timelines import (
    HOSTILE,
    INCIDENT,
    SVG,
    ZONE,
    boxes,
    counted,
    drawn,
    on_top_of_each_other,
    synthetic,
    told,
    words,
)  # fmt: skip


def tall(entries: list[TimelineEntry]) -> ET.Element:
    return ET.fromstring(draw_tall(INCIDENT, entries, lifecycle(entries), zone=ZONE))  # noqa: S314 - our own


def flawless(entries: list[TimelineEntry]) -> ET.Element:
    root = tall(entries)
    height = float(root.get("height", 0))
    assert counted(root) == len(timeline.shown(entries))
    assert on_top_of_each_other(root) == []
    assert [box for box in boxes(root) if box.left < 0 or box.right > WIDTH or box.bottom > height] == []
    return root


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(KINDS)), st.floats(0, 3000), st.sampled_from(HOSTILE)), max_size=25))
def test_whatever_is_told_every_entry_is_there_and_no_two_labels_overlap(rows: list[tuple[str, float, str]]) -> None:
    flawless(in_order(told(*rows)))


@pytest.mark.parametrize("count", [2, MOST_ROWS, MOST_ROWS + 1, 500])
def test_a_long_timeline_is_counted_in_few_rows(count: int) -> None:
    root = flawless(synthetic(count, timedelta(days=2)))
    rows = [each for each in root.iter(f"{SVG}g") if each.get("data-entries")]
    assert len(rows) <= min(count, 2 * MOST_ROWS)


@pytest.mark.parametrize("name", casebook.NAMES)
def test_it_has_the_entries_and_phases_of_the_wide_one(name: str) -> None:
    entries = in_order(casebook.entries(casebook.load(name)))
    root, wide = flawless(entries), drawn(entries)
    assert counted(root) == counted(wide)
    ids = {each.get("id") for each in root.iter(f"{SVG}g")} - {None}
    assert ids == {f"tall-{each.get('id')}" for each in wide.iter(f"{SVG}g") if each.get("id")}


def test_of_a_picture_of_nothing_it_says_so() -> None:
    assert "Nothing is on the timeline yet." in words(tall([]))


def test_what_lies_too_far_outside_is_counted() -> None:
    root = flawless(told(("note", -60 * 24 * 365), ("started", 0), ("resolved", 30), ("note", 60 * 24 * 365)))
    assert {"1 earlier, not drawn", "1 later, not drawn"} <= set(words(root))


def test_a_row_is_as_near_to_its_time_as_its_neighbours_allow() -> None:
    rows = [TallRow(entries=(), at=at, parts=(), lines=1) for at in (100.0, 300.0, 300.0, 301.0, 700.0)]
    placed = spread(rows, 50)
    assert (placed[0].top, placed[-1].top) == (91.5, 691.5)
    assert all(one.top + one.height <= other.top + 0.2 for one, other in pairwise(placed))
    assert abs(sum(each.top - each.at for each in placed[1:4]) / 3 + 8.5) < 0.5


@pytest.mark.parametrize("text", ["", "a b", "word " * 60, "x" * 500, "長い文章です。" * 40])
def test_words_are_wrapped_within_their_room(text: str) -> None:
    lines = wrapped(text, 200, 13, 3)
    assert len(lines) <= 3
    assert all(width(line, 13) <= 200 for line in lines)
    assert "".join(lines).replace(" ", "").startswith(text[:10].replace(" ", ""))
