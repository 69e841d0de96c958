"""Sections by their headings, and the keys that they get."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents.markup import headings
from bot.domain.postmortem.headings import heading_key, split_by_headings


def sections(text: str) -> list[tuple[str, str, str]]:
    return [(each.key, each.heading, each.body.strip()) for each in split_by_headings(text, headings(text))]


@pytest.mark.parametrize(
    ("heading", "key"),
    [
        ("Summary", "summary"), ("Issue summary", "summary"), ("SUMMARY:", "summary"), ("1. Summary", "summary"),
        ("1.2 Root Causes", "cause"), ("Root  cause", "cause"), ("Trigger", "trigger"), ("Action Items", "measures"),
        ("Corrective actions", "measures"), ("Lessons Learned", "lessons"), ("What went well", "what-went-well"),
        ("What didn't go so well?", "what-didn-t-go-so-well"), ("Where we got lucky", "where-we-got-lucky"),
        ("Five whys", "five-whys"), ("5 whys", "section-5-whys"), ("Leadup", "leadup"), ("Recovery", "resolution"),
        ("Supporting information", "supporting-information"), ("Résumé", "resume"), ("概要", "section"),
        ("🔥", "section"),
        ("x" * 80, "x" * 40), ("2026", "section-2026"),
    ],
)  # fmt: skip
def test_a_heading_makes_its_key(heading: str, key: str) -> None:
    assert heading_key(heading, ()) == key


def test_a_key_that_is_taken_gives_way_to_the_headings_own_words_and_then_to_a_number() -> None:
    assert heading_key("Recovery", {"resolution"}) == "recovery"
    assert heading_key("Recovery", {"resolution", "recovery"}) == "recovery-2"
    assert heading_key("x" * 80, {"x" * 40}) == f"{'x' * 38}-2"


@given(st.lists(st.text(max_size=60), max_size=12))
def test_keys_are_valid_distinct_and_the_same_each_time(words: list[str]) -> None:
    taken: list[str] = []
    for heading in words:
        key = heading_key(heading, taken)
        assert re.fullmatch(r"[a-z][a-z0-9-]{0,39}", key)
        assert key not in taken
        assert key == heading_key(heading, taken)
        taken.append(key)


def test_a_title_is_left_out_and_what_stands_below_it_is_kept() -> None:
    text = "# Postmortem of it\n\nDate: today\n\n## Summary\n\nx\n\n### More\n\ny\n\n## Trigger\n\nz\n"
    assert sections(text) == [
        ("about", "About this incident", "Date: today"),
        ("summary", "Summary", "x\n\n### More\n\ny"),
        ("trigger", "Trigger", "z"),
    ]


def test_top_headings_of_one_mark_begin_sections_and_lower_ones_go_one_level_down() -> None:
    text = "# Summary\n\nx\n\n## Impact\n\n    ## code\n\ny\n\n# Timeline\n\nz"
    assert sections(text) == [
        ("summary", "Summary", "x\n\n### Impact\n\n    ## code\n\ny"),
        ("timeline", "Timeline", "z"),
    ]
    assert sections("# Summary\nx") == [("summary", "Summary", "x")]


def test_underlined_headings_count_and_those_in_code_lists_and_quotes_do_not() -> None:
    text = "Summary\n-------\n\n```\n## code\n```\n\n> ## quoted\n\n- ## listed\n\n## *Impact* of `x` & 5\\* #\n\nz"
    found = sections(text)
    assert [(key, heading) for key, heading, _ in found] == [
        ("summary", "Summary"),
        ("impact-of-x-5", "Impact of x & 5*"),
    ]
    assert found[0][2] == "```\n## code\n```\n\n> ## quoted\n\n- ## listed"


def test_without_a_heading_there_is_no_section() -> None:
    assert sections("only words\n\n### and a small heading") == []
    assert sections("") == []
