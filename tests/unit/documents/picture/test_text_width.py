"""Letters, shapes and colours."""

import re

import pytest

from bot.documents.picture import timeline
from bot.documents.picture.phases import PHASES
from bot.documents.picture.text_width import cut, has_all, one_line, simple, width
from bot.documents.picture.timeline import SHAPES
from bot.vocabulary import KINDS

SCHEMES = {"light": timeline.LIGHT, "dark": timeline.DARK}


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
    assert SHAPES.keys() == KINDS.keys()
    assert len({shape.path for shape in SHAPES.values()}) == len(SHAPES)
    for shape in SHAPES.values():
        assert all(abs(float(number)) <= 6 for number in re.findall(r"-?\d+(?:\.\d+)?", shape.path))


def test_widths_are_those_of_arial() -> None:
    """Arial's advances at 2,048 units an em: A is 1366, i 455, a space 569; bold i 569."""
    assert width("A i", 2048) == 1366 + 569 + 455
    assert width("i", 2048, bold=True) == 569
    assert width("長", 10) == 10
    assert width("\u200b", 10) == 0


def test_a_text_is_cut_to_its_room() -> None:
    text = "restarting all API servers step by step"
    assert cut(text, 1000, 12) == text
    for room in range(5, 200, 5):
        shown = cut(text, room, 12)
        assert width(shown, 12) <= room
        assert shown in {"", text} or shown.endswith("…")
    assert one_line("a\n\tb" + "c" * 999, 5) == "a bcc…"


def test_what_is_one_picture_of_several_signs_is_made_simple() -> None:
    assert simple("👩\u200d👧 🇩🇪 1\ufe0f\u20e3 👍🏽 e\u0301") == "👩👧 DE 1 👍 é"
    assert has_all("Grüße, Привет, שלום …")
    assert not has_all("長")


def test_dark_has_a_colour_for_everything_light_has() -> None:
    style = timeline.dark_style()
    assert all(f".scribe-picture .{role}{{fill:{colour}}}" in style for role, colour in timeline.DARK.items())
    assert timeline.LIGHT.keys() == timeline.DARK.keys()
