"""The timeline's picture in a real browser, by Chromium's measures instead of our computed ones."""

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from bot.documents import rendering
from bot.documents.picture.tall import draw_tall
from bot.domain.incident.lifecycle import in_order, lifecycle
from bot.vocabulary import KINDS
from tests.support import casebook
from tests.support.timelines import HOSTILE, INCIDENT, ZONE, draw, synthetic, told

MEASURE = """() => [...document.querySelectorAll('svg text')].map(text => {
  const box = text.getBBox(); return [text.textContent, box.x, box.y, box.width, box.height] })"""
BACKGROUND = "() => getComputedStyle(document.querySelector('svg > rect')).fill"
LINE_SPACE = 0.2
"""The part of a box's height that a font leaves empty above, and below, its letters."""


def overlapping(page: Any) -> list[tuple[str, str]]:
    measured = page.evaluate(MEASURE)
    found = []
    for (one, x, y, w, h), (other, x2, y2, w2, h2) in combinations(measured, 2):
        space = LINE_SPACE * max(h, h2)
        if x < x2 + w2 - 1 and x2 < x + w - 1 and y + space < y2 + h2 - space and y2 + space < y + h - space:
            found.append((one, other))
    return found


def test_no_two_labels_overlap(browser: Any) -> None:
    page = browser.new_page()
    hostile = told(*(("did", 3.0 * place, text) for place, text in enumerate(HOSTILE)))
    real = in_order(casebook.entries(casebook.load("gitlab-2017-01-31-database")))
    for entries in (real, synthetic(500, timedelta(days=9)), hostile):
        page.set_content(draw(entries))
        assert overlapping(page) == []


SPREAD = """() => [...document.querySelectorAll('g[data-entries]')].map((group) => {
  const [icon] = group.querySelectorAll(':scope > path[transform], :scope > rect');
  const texts = [...group.querySelectorAll('text')].filter((each) => !each.textContent.startsWith('+'));
  const at = icon.getBoundingClientRect(), boxes = texts.map((each) => each.getBoundingClientRect());
  const line = group.querySelector(':scope > path:not([transform])')?.getBoundingClientRect();
  return { said: group.querySelector('title').textContent.slice(0, 40), y: at.top + at.height / 2,
    left: at.left, right: at.right, joined: line ? [line.left, line.right] : null,
    label: boxes.length ? [Math.min(...boxes.map(b => b.left)), Math.max(...boxes.map(b => b.right))] : null } })"""


def ambiguous(page: Any) -> list[str]:
    """Labels not joined to their mark that are not right beside it, or nearer than twice that to another mark."""
    marks = page.evaluate(SPREAD)
    found = []
    for mark in marks:
        if mark["label"] is None:
            continue
        start, end = mark["label"]
        if mark["joined"] is not None:
            first, last = mark["joined"]
            if abs(first - start) > 2 or last < mark["left"] - 4:
                found.append(mark["said"])
            continue
        gap = start - mark["right"]
        row = [other for other in marks if other is not mark and abs(other["y"] - mark["y"]) < 6]
        near = [
            other
            for other in row
            if start < other["left"] < end + max(2 * gap, 12) or other["left"] < start < other["right"] + gap
        ]
        if not 0 < gap < 10 or near:
            found.append(mark["said"])
    return found


@pytest.mark.parametrize("tall", [False, True])
def test_no_label_can_be_read_as_its_neighbours(browser: Any, tall: bool) -> None:  # noqa: FBT001
    page = browser.new_page()
    hostile = told(*(("did", 3.0 * place, text) for place, text in enumerate(HOSTILE)))
    dense = told(*((kind, 0.4 * place, "restarted api-7 again") for place, kind in enumerate(KINDS)), ("resolved", 600))
    real = [in_order(casebook.entries(casebook.load(name))) for name in casebook.NAMES]
    for entries in (*real, dense, synthetic(60, timedelta(hours=1)), synthetic(500, timedelta(days=9)), hostile):
        page.set_content(draw_tall(INCIDENT, entries, lifecycle(entries), zone=ZONE) if tall else draw(entries))
        assert overlapping(page) == []
        if not tall:
            assert ambiguous(page) == []


def test_the_picture_follows_the_readers_colour_scheme(browser: Any) -> None:
    svg = draw(told(("detected", 0, "disk full"), ("resolved", 9)))
    backgrounds, complaints = [], list[str]()
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.on("console", lambda message: complaints.append(message.text))
        page.set_content(rendering.page(INCIDENT, [], svg))
        backgrounds.append(page.evaluate(BACKGROUND))
    assert complaints == []
    assert backgrounds == ["rgb(255, 255, 255)", "rgb(20, 24, 30)"]
