from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.items.references import (
    Reference,
    all_named,
    before_date,
    before_days,
    plainly_named,
    references,
)
from tests.unit.domain.texts import TEXTS

TODAY = date(2026, 3, 12)


def named(words: str) -> list[tuple[int | None, int]]:
    return [(each.incident, each.number) for each in references(words)]


@pytest.mark.parametrize(
    ("words", "found", "rest"),
    [
        ("3", [(None, 3)], ""),
        ("#3", [(None, 3)], ""),
        ("3.", [(None, 3)], ""),
        ("item 3", [(None, 3)], ""),
        ("action item #3: why", [(None, 3)], "why"),
        ("INC-1 3", [(1, 3)], ""),
        ("inc-1 #3", [(1, 3)], ""),
        ("INC-1#3 friday", [(1, 3)], "friday"),
        ("inc1/3", [(1, 3)], ""),
        ("[INC-1] 3 why", [(1, 3)], "why"),
        ("INC-1: 3", [(1, 3)], ""),
        ("INC-1 item 3", [(1, 3)], ""),
        ("INC-1 3. buy disks · bob", [(1, 3)], "buy disks · bob"),
        ("1 3 4", [(None, 1), (None, 3), (None, 4)], ""),
        ("1, 3 and 4", [(None, 1), (None, 3), (None, 4)], ""),
        ("#1 #3", [(None, 1), (None, 3)], ""),
        ("INC-1 3 4", [(1, 3), (1, 4)], ""),
        ("INC-1 3, INC-2 1 2", [(1, 3), (2, 1), (2, 2)], ""),
        ("3 INC-2 1", [(None, 3), (2, 1)], ""),
        ("1 3 @bob", [(None, 1), (None, 3)], "@bob"),
        ("3d", [], ""),
        ("friday", [], ""),
        ("INC-1", [], ""),
        ("INC-12", [], ""),
        ("", [], ""),
        ("12345678901", [], ""),
        ("2026-03-12", [], ""),
    ],
)
def test_items_are_named_as_people_write_them(words: str, found: list[tuple[int | None, int]], rest: str) -> None:
    assert named(words) == found
    assert (references(words)[-1].rest if found else "") == rest


@pytest.mark.parametrize(
    ("words", "dated", "snoozed", "plain"),
    [
        ("1 3 friday", 2, 1, 1),
        ("1, 3 friday", 2, 2, 2),
        ("3 12 december", 1, 1, 1),
        ("3 2026-04-01", 1, 1, 1),
        ("1 3 by friday", 2, 1, 1),
        ("1 3 3d", 2, 2, 1),
        ("1 3 days", 1, 1, 1),
        ("1 3 4 days", 2, 2, 1),
        ("3 2 of them are gone", 1, 1, 1),
        ("3, 2: they are gone", 2, 2, 2),
        ("3 #2 they are gone", 2, 2, 2),
    ],
)
def test_which_numbers_are_items_depends_on_what_follows(words: str, dated: int, snoozed: int, plain: int) -> None:
    found = references(words)
    counted = [count(found, TODAY) for count in (before_date, before_days, plainly_named)]
    assert counted == [dated, snoozed, plain]
    assert all_named(found, TODAY) == len(found)


@given(st.one_of(TEXTS, TEXTS.map(lambda text: f"INC-1 3 {text}"), TEXTS.map(lambda text: f"1, 3 and 4: {text}")))
def test_what_follows_is_the_end_of_the_words_as_typed(words: str) -> None:
    found: list[Reference] = references(words)
    for each in found:
        assert words.rstrip().endswith(each.rest.rstrip())
        assert str(each.number) in each.tail or each.number == 0
