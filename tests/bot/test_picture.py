import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from bot import picture
from bot.domain.lifecycle import lifecycle
from bot.vocabulary import KINDS
from storage.values import TimelineEntry
from tests import casebook
from tests.casebook import entry

SVG = "{http://www.w3.org/2000/svg}"
START = datetime(2026, 3, 28, 22, tzinfo=UTC)
INCIDENT = casebook.incident(casebook.load(casebook.NAMES[0]))


def drawn(entries: list[TimelineEntry], zone: str = "UTC") -> ET.Element:
    svg = picture.draw(INCIDENT, entries, lifecycle(entries), zone=ZoneInfo(zone))
    return ET.fromstring(svg)  # noqa: S314 - our own


def words(root: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def signs(root: ET.Element) -> list[str]:
    marks = {kind.mark for kind in KINDS.values()}
    return [text for text in words(root) if text in marks]


def synthetic(count: int, span: timedelta) -> list[TimelineEntry]:
    chance = random.Random(7)  # noqa: S311 - no secret
    kinds = [kind for kind in KINDS if kind not in {"resolved", "reopened", "lesson"}]
    times = sorted(chance.random() * span for _ in range(count - 2))
    between = [
        entry(number, chance.choice(kinds), START + at, "something was seen there " * chance.randint(1, 6))
        for number, at in enumerate(times, 2)
    ]
    return [entry(1, "started", START), *between, entry(count, "resolved", START + span)]


def test_a_picture_of_nothing_says_so() -> None:
    root = drawn([])
    assert any("Nothing" in text for text in words(root))


@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_sample_case_is_drawn_with_title_description_and_zone(name: str) -> None:
    case = casebook.load(name)
    told = casebook.entries(case)
    svg = picture.draw(casebook.incident(case), told, lifecycle(told), zone=casebook.zone(case))
    root = ET.fromstring(svg)  # noqa: S314 - our own
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert case["title"] in (title.text or "")
    assert description is not None
    assert root.get("role") == "img"
    zone = "PDT" if case["timezone"] != "UTC" else "UTC"
    assert f"times in {zone}" in words(root)


@pytest.mark.parametrize(
    ("count", "span"),
    [(3, timedelta(minutes=3)), (40, timedelta(hours=5)), (60, timedelta(days=9)), (500, timedelta(days=9))],
)
def test_every_entry_has_its_mark_inside_the_picture(count: int, span: timedelta) -> None:
    root = drawn(synthetic(count, span), "Europe/Berlin")
    assert len(signs(root)) == count
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for text in root.iter(f"{SVG}text"):
        assert 0 < float(text.get("x", 0)) < width
        assert 0 < float(text.get("y", 0)) < height


@pytest.mark.parametrize("span", [timedelta(minutes=3), timedelta(hours=7), timedelta(days=9), timedelta(days=900)])
def test_the_axis_has_a_few_round_times_apart_from_each_other(span: timedelta) -> None:
    root = drawn(synthetic(20, span))
    places = [float(line.get("x1", 0)) for line in root.iter(f"{SVG}line") if line.get("x1") == line.get("x2")]
    assert 1 <= len(places) <= 10
    assert all(right - left > 60 for left, right in pairwise(places))


def test_each_labelled_entry_has_a_row_of_its_own_and_room_for_its_label() -> None:
    root = drawn(synthetic(60, timedelta(hours=9)))
    labels = [text for text in root.iter(f"{SVG}text") if text.find(f"{SVG}tspan") is not None]
    assert len({text.get("y") for text in labels}) == len(labels) == 60
    for text in labels:
        length, x = len("".join(text.itertext())) * 6.5, float(text.get("x", 0))
        assert (x - length if text.get("text-anchor") == "end" else picture.WIDTH - x - length) > 0


def test_one_entry_alone_and_many_of_one_instant_are_drawn() -> None:
    assert len(signs(drawn([entry(1, "detected", START)]))) == 1
    assert len(signs(drawn([entry(n, "did", START) for n in range(1, 9)]))) == 8


def test_what_lies_far_outside_the_incident_is_counted_instead_of_drawn() -> None:
    told = [
        entry(1, "detected", START),
        entry(2, "resolved", START + timedelta(minutes=30)),
        entry(3, "did", START + timedelta(days=10)),
        entry(4, "note", START - timedelta(days=2)),
    ]
    root = drawn(told)
    assert len(signs(root)) == 2
    assert "not drawn: 1 earlier, 1 later" in words(root)


def test_hostile_words_are_only_words() -> None:
    root = drawn([entry(1, "did", START, "</text><script>alert(1)</script> & \x00\x1b\ud800 \"'")])
    assert root.find(f".//{SVG}script") is None
    assert any("<script>alert(1)</script> & ␀␛" in text for text in words(root))


def test_retracted_entries_are_not_drawn() -> None:
    assert signs(drawn([entry(1, "did", START, retracted=True)])) == []


def test_five_hundred_entries_of_nine_days_are_drawn() -> None:
    assert signs(drawn(synthetic(500, timedelta(days=9))))
