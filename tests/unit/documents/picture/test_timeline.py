"""The whole picture, its colours and its shapes."""

import re
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.documents.picture import timeline
from bot.documents.picture.phases import PHASES
from bot.documents.picture.timeline import SHAPES
from bot.domain.incident.lifecycle import in_order, lifecycle
from bot.domain.incident.phases import phases
from bot.domain.postmortem import audiences
from bot.domain.postmortem.assemble import on_timeline
from bot.domain.postmortem.audiences import IncidentRecord
from bot.vocabulary import ENTRY_KINDS
from storage.values import TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry
from tests.support.timelines import (
    HOSTILE,
    INCIDENT,
    START,
    SVG,
    WORDS,
    ZONE,
    boxes,
    counted,
    draw,
    drawn,
    on_top_of_each_other,
    synthetic,
    told,
    words,
)

NINE_DAYS = timedelta(days=9)
SCHEMES = {"light": timeline.LIGHT, "dark": timeline.DARK}
PLACES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu")


def listed(entries: list[TimelineEntry]) -> int:
    split = phases(entries)
    parts = {"lead_up": split.lead_up, "during": split.during, "aftermath": split.aftermath}
    return sum(on_timeline(each, key) for key, part in parts.items() for each in part)


def flawless(root: ET.Element, entries: list[TimelineEntry]) -> None:
    """No two texts on top of each other, all of them inside, and every entry there."""
    assert on_top_of_each_other(root) == []
    right, bottom = float(root.get("width", 0)), float(root.get("height", 0))
    outside = [box for box in boxes(root) if box.left < 0 or box.top < 0 or box.right > right or box.bottom > bottom]
    assert outside == []
    assert counted(root) == listed(entries)


@settings(max_examples=60, deadline=None)
@given(
    count=st.one_of(st.integers(3, 40), st.integers(3, 500)),
    span=st.timedeltas(min_value=timedelta(minutes=3), max_value=NINE_DAYS),
    seed=st.integers(0, 1_000_000),
    said=st.lists(st.text(max_size=80), min_size=1, max_size=5).map(tuple),
    zone=st.sampled_from(PLACES),
)
def test_whatever_is_told_no_two_labels_overlap_and_every_entry_is_there(
    count: int, span: timedelta, seed: int, said: tuple[str, ...], zone: str
) -> None:
    entries = synthetic(count, span, seed, (*said, *WORDS))
    flawless(drawn(entries, zone), entries)


@settings(max_examples=40, deadline=None)
@example([("started", 0, WORDS[0]), ("started", 30, WORDS[0]), ("resolved", -1, WORDS[0])])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("started", "detected", "did", "mitigated", "resolved", "reopened", "note", "impact")),
            st.one_of(st.integers(0, 60), st.integers(-3000, 20_000)),
            st.sampled_from(WORDS),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_in_whatever_order_milestones_come_the_picture_is_flawless(rows: list[tuple[str, float, str]]) -> None:
    entries = in_order(told(*rows))
    flawless(drawn(entries), entries)


@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_real_incident_is_drawn_with_all_its_entries_labelled(name: str) -> None:
    case = casebook.load(name)
    entries = in_order(casebook.entries(case))
    svg = timeline.draw_timeline(casebook.incident(case), entries, lifecycle(entries), zone=casebook.zone(case))
    root = ET.fromstring(svg)  # noqa: S314 - our own
    flawless(root, entries)
    assert {group.get("data-entries", "1") for group in root.iter(f"{SVG}g")} == {"1"}


@pytest.mark.parametrize("span", [timedelta(days=90), timedelta(days=900), timedelta(days=20_000)])
def test_a_mistyped_year_is_drawn_as_well(span: timedelta) -> None:
    entries = [*synthetic(20, timedelta(hours=5)), entry(21, "note", START + span, "typed in the wrong year")]
    flawless(drawn(entries, "Europe/Berlin"), entries)
    going_on = in_order(told(("detected", 0), ("did", 90), ("note", span.total_seconds() / 60)))
    flawless(drawn(going_on, "Europe/Berlin"), going_on)


def test_hostile_words_are_only_words() -> None:
    entries = told(*(("did", 3.0 * number, text) for number, text in enumerate(HOSTILE)))
    root = drawn(entries)
    flawless(root, entries)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "defs", "pattern", "rect", "path", "text", "g",
    }  # fmt: skip
    assert any("<img src=x onerror=alert(1)>" in said for said in words(root))
    assert len(draw(entries)) < 40_000


def test_a_picture_of_nothing_says_so() -> None:
    root = drawn([])
    assert any("Nothing is on the timeline yet." in said for said in words(root))
    assert on_top_of_each_other(root) == []


def test_what_is_retracted_is_not_drawn() -> None:
    alarm, taken_back = told(("detected", 0, "alarm"), ("did", 1, "secret"))
    assert "secret" in draw([alarm, taken_back])
    assert "secret" not in draw([alarm, replace(taken_back, retracted=True)])


def test_the_same_timeline_gives_the_same_bytes() -> None:
    entries = synthetic(120, NINE_DAYS)
    assert draw(entries) == draw(list(entries))


def test_it_says_what_it_is_to_those_who_cannot_see_it() -> None:
    root = drawn(told(("started", 0), ("detected", 9, "alarm"), ("did", 12), ("mitigated", 30), ("resolved", 65)))
    assert root.get("role") == "img"
    described = root.findtext(f"{SVG}desc") or ""
    assert "5 entries on a time axis in UTC; time to resolve: 1 h 5 min." in described
    assert "Undetected, from the start to the detection: 9 min." in described


def test_what_lies_too_far_outside_for_the_incident_to_be_seen_is_counted() -> None:
    entries = told(("detected", 0), ("resolved", 30), *(("did", 1440.0 * day) for day in range(1, 12)))
    root = drawn(entries)
    flawless(root, entries)
    assert "11 later, not drawn" in words(root)


def test_times_are_of_the_incidents_zone_which_is_named_with_its_change() -> None:
    said = words(drawn(told(("detected", 0, "a"), ("did", 200), ("resolved", 900)), "Europe/Berlin"))
    assert "CET (UTC+1)" in said
    assert "23:00" in said
    over_the_change = told(("detected", 1200, "a"), ("did", 1600), ("resolved", 2400))
    assert "CET, then CEST" in words(drawn(over_the_change, "Europe/Berlin"))


def test_seconds_are_written_where_a_minute_is_long() -> None:
    assert "22:00:30" in words(drawn(told(("started", 0), ("detected", 0.5), ("resolved", 3))))


def test_the_world_sees_no_more_in_the_picture_than_it_may_read() -> None:
    whole = told(
        ("started", 0, "disk full"),
        ("detected", 5, "private: bob dropped it"),
        ("note", 6, "secret plan"),
        ("resolved", 30, "freed, see https://wiki.example/x"),
    )
    seen = audiences.public_record(IncidentRecord(incident=INCIDENT, entries=tuple(whole), items=()), {})
    shown = [each for each in seen.entries if audiences.is_public(each)]
    svg = timeline.draw_timeline(seen.incident, shown, lifecycle(whole), zone=ZONE)
    assert not [word for word in ("bob", "secret", "wiki", "private") if word in svg]
    assert "Undetected, from the start to the detection: 5 min." in svg


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mixed(over: str, under: str, share: float) -> str:
    pairs = [(int(over[place : place + 2], 16), int(under[place : place + 2], 16)) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_letters_and_signs_stand_out_from_whatever_is_behind_them(scheme: str) -> None:
    colours = SCHEMES[scheme]
    grounds = [colours["paper"], *(mixed(colours[phase], colours["paper"], timeline.TINT) for phase in PHASES)]
    for ground in grounds:
        assert all(contrast(colours[role], ground) >= 4.5 for role in ("ink", "soft")), ground
        assert all(contrast(colours[role], ground) >= 3 for role in ("mark", "milestone")), ground
    for phase in PHASES:
        assert contrast(colours[f"on-{phase}"], colours[phase]) >= 4.5, phase
    assert contrast(colours["ink"], colours["line"]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_phases_that_follow_each_other_differ_without_colour(scheme: str) -> None:
    colours = SCHEMES[scheme]
    neighbours = [
        ("undetected", "investigating"),
        ("investigating", "mitigating"),
        ("mitigating", "monitoring"),
        ("undetected", "monitoring"),
    ]
    for one, other in neighbours:
        assert contrast(colours[one], colours[other]) >= 1.8, (one, other)


def test_every_kind_has_a_shape_of_its_own_within_its_room() -> None:
    assert SHAPES.keys() == ENTRY_KINDS.keys()
    assert len({shape.path for shape in SHAPES.values()}) == len(SHAPES)
    for shape in SHAPES.values():
        assert all(abs(float(number)) <= 6 for number in re.findall(r"-?\d+(?:\.\d+)?", shape.path))


def test_dark_has_a_colour_for_everything_light_has() -> None:
    style = timeline.dark_style()
    assert all(f".scribe-picture .{role}{{fill:{colour}}}" in style for role, colour in timeline.DARK.items())
    assert timeline.LIGHT.keys() == timeline.DARK.keys()
