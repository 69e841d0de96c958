"""The timeline's picture in a real browser, by Chromium's measures instead of our computed ones."""

from datetime import timedelta
from itertools import combinations
from typing import Any

from bot.documents import rendering
from bot.domain.incident.lifecycle import in_order
from tests.support import casebook
from tests.support.timelines import HOSTILE, INCIDENT, draw, synthetic, told

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
