"""The report's picture: everything inside it, nothing over anything else, and nothing invented."""

from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.documents.picture.png import png
from bot.documents.picture.report import MOST_DOTS, WIDTH, draw_report
from bot.domain.incident.lifecycle import DURATIONS
from bot.domain.report.on_time import OnTime
from bot.domain.report.period import parse_period
from bot.domain.report.report import Report, spread
from bot.vocabulary import SEVERITIES
from storage.values import DeclaredIncident
from tests.support.workplace import at

SVG = "{http://www.w3.org/2000/svg}"
NOW = at("2026-11-21T12:00:00Z")
PERIODS = ("7d", "30d", "12w", "1y", "10y", "2026-03-01..2026-03-31", "2026-11-21..2026-11-21")
TIMES = st.lists(st.none() | st.integers(0, 400 * 86400), min_size=1, max_size=40)


def made(
    times: list[float | None], period: str = "30d", items: OnTime | None = None, count: int | None = None
) -> Report:
    """A report on as many incidents as there are times, each of which is every duration of one."""
    stretch = parse_period(period, now=NOW, zone=ZoneInfo("Europe/Berlin"))
    number = len(times) if count is None else count
    step = (stretch.until - stretch.since) / (number + 1)
    declared = tuple(
        DeclaredIncident(
            id=n, severity=(*SEVERITIES, None)[n % 5], happened_at=stretch.since + step * (n + 1), open=n % 3 == 0
        )
        for n in range(number)
    )
    found = [each.severity for each in declared]
    return Report(
        period=stretch,
        declared=declared,
        severities=tuple((severity, found.count(severity)) for severity in (*SEVERITIES, None)),
        spreads=tuple(spread(rule.key, rule.label, rule.definition, times) for rule in DURATIONS),
        items=items or OnTime(),
        groups=(),
    )


def drawn(report: Report) -> ET.Element:
    return ET.fromstring(draw_report(report))  # noqa: S314 - our own


def words(root: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


@settings(max_examples=60, deadline=None)
@given(TIMES, st.sampled_from(PERIODS), st.tuples(*[st.integers(0, 50)] * 6))
def test_everything_lies_inside_the_picture(times: list[float | None], period: str, items: tuple[int, ...]) -> None:
    in_time, late, overdue, ahead, undated, dropped = items
    kept = OnTime(in_time=in_time, late=late, overdue=overdue, ahead=ahead, undated=undated, dropped=dropped)
    root = drawn(made(times, period, kept))
    height = float(root.get("height", 0))
    for each in root.iter(f"{SVG}rect"):
        x, y = float(each.get("x", 0)), float(each.get("y", 0))
        assert 0 <= x <= x + float(each.get("width", 0)) <= WIDTH
        assert 0 <= y <= y + float(each.get("height", 0)) <= height
    for each in root.iter(f"{SVG}text"):
        assert 0 <= float(each.get("x", -1)) <= WIDTH
        assert 0 < float(each.get("y", -1)) < height
    for each in root.iter(f"{SVG}circle"):
        assert 150 < float(each.get("cx", 0)) < 574
    assert len(list(root.iter(f"{SVG}circle"))) == 4 * sum(time is not None for time in times)


@settings(max_examples=40, deadline=None)
@given(TIMES)
def test_the_lines_of_the_axis_are_apart_from_each_other(times: list[float | None]) -> None:
    root = drawn(made(times))
    upright = [float(line.get("x1", 0)) for line in root.iter(f"{SVG}line") if line.get("x1") == line.get("x2")]
    axis = [x for x in upright if x]
    assert all(right - left >= 40 for left, right in pairwise(axis) if right > left)


def test_one_time_is_a_dot_without_median_or_range_and_none_is_said_to_be_unknown() -> None:
    root = drawn(made([600, None]))
    assert words(root).count("one known: 10 min · 1 unknown") == 4
    assert [each for each in root.iter(f"{SVG}rect") if each.get("class") == "mark"] == []
    assert words(drawn(made([None, None]))).count("none known · 2 unknown") == 4


def test_the_median_is_marked_with_its_range_and_sample_size() -> None:
    root = drawn(made([60, 600, 6000, None]))
    assert words(root).count("median 10 min") == 4
    assert words(root).count("1 min to 1 h 40 min · 3 known, 1 unknown") == 4
    dots = [float(each.get("cx", 0)) for each in root.iter(f"{SVG}circle")]
    marks = [float(each.get("x", 0)) + 1.5 for each in root.iter(f"{SVG}rect") if each.get("class") == "mark"]
    assert marks == [dots[1]] * 4


def test_of_very_many_incidents_so_many_are_drawn_and_the_picture_says_so() -> None:
    root = drawn(made(list(range(1, 10_001))))
    dots = [float(each.get("cx", 0)) for each in root.iter(f"{SVG}circle")]
    assert len(dots) == 4 * MOST_DOTS
    assert any(text.startswith(f"at most {MOST_DOTS} incidents drawn of each") for text in words(root))


@pytest.mark.parametrize("period", PERIODS)
def test_every_incident_is_in_a_bar_of_its_severity(period: str) -> None:
    root = drawn(made([None] * 40, period))
    tall = {"a": 0.0, "none edge": 0.0}
    for each in root.iter(f"{SVG}rect"):
        name = each.get("class", "")
        if name in tall and each.get("width") != "11":
            tall[name] += float(each.get("height", 0)) + 1
    assert tall["a"] == pytest.approx(tall["none edge"], rel=0.05)  # 8 of SEV1 and 8 of unknown severity
    assert {"SEV1: 8", "SEV4: 8", "severity unknown: 8"} <= set(words(root))


def test_a_week_begins_on_monday_in_the_zone_of_the_period() -> None:
    report = made([], count=1)
    first = report.period.since.astimezone(report.period.zone).date()
    monday = first - timedelta(days=first.weekday())
    assert monday == date(2026, 10, 19)
    assert "19 Oct" in words(drawn(report))


@pytest.mark.parametrize(
    ("period", "bar"),
    [("14d", "day"), ("15d", "week, from Monday"), ("1y", "week, from Monday"), ("2y", "month")],
)
def test_a_bar_is_a_day_a_week_or_a_month(period: str, bar: str) -> None:
    assert f"Declared per {bar}" in words(drawn(made([60], period)))


def test_a_report_of_nothing_is_a_picture_that_says_so() -> None:
    root = drawn(made([]))
    assert words(root) == ["Incidents of the last 30 days", "0 declared · no action item recorded"]


def test_the_picture_becomes_a_png() -> None:
    assert png(draw_report(made([60, 600])))[:8] == b"\x89PNG\r\n\x1a\n"
