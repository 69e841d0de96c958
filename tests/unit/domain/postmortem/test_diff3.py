"""diff3: the laws that hold for any three texts, and two changes of known places brought together."""

from difflib import SequenceMatcher
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.postmortem.diff3 import Conflict, diff3

LINE = st.sampled_from(["", "a", "b", "c", "d", "- a", "- b", "### c"])
TEXT = st.lists(LINE, max_size=20)
Chunks = list[list[str] | Conflict]


def decided(chunks: Chunks) -> list[str]:
    """The merged lines, where no conflict is expected."""
    assert not conflicts(chunks)
    return [line for chunk in chunks if not isinstance(chunk, Conflict) for line in chunk]


def conflicts(chunks: Chunks) -> list[Conflict]:
    return [chunk for chunk in chunks if isinstance(chunk, Conflict)]


@pytest.mark.parametrize(
    ("base", "mine", "other", "expected"),
    [
        ("", "", "", []),
        ("abc", "abc", "abc", [["a", "b", "c"]]),
        ("abc", "aXc", "abc", [["a"], ["X"], ["c"]]),
        ("abcd", "Xbcd", "abcdY", [["X"], ["b", "c", "d"], ["Y"]]),
        ("abc", "ac", "abc", [["a"], [], ["c"]]),
        ("abc", "aXc", "aXc", [["a"], ["X"], ["c"]]),
        ("abc", "aXc", "aYc", [["a"], Conflict(["b"], ["X"], ["Y"]), ["c"]]),
        ("abc", "aXc", "ac", [["a"], Conflict(["b"], ["X"], []), ["c"]]),
        ("", "X", "Y", [Conflict([], ["X"], ["Y"])]),
        ("abcd", "aXcd", "aYcZ", [["a"], Conflict(["b"], ["X"], ["Y"]), ["c"], ["Z"]]),
    ],
)
def test_what_one_side_changed_is_taken_and_what_both_changed_differently_is_a_conflict(
    base: str, mine: str, other: str, expected: Chunks
) -> None:
    assert list(diff3(base, mine, other)) == expected


@given(base=TEXT, text=TEXT)
def test_a_change_of_one_side_alone_is_the_merged_text(base: list[str], text: list[str]) -> None:
    assert decided(list(diff3(base, base, text))) == text
    assert decided(list(diff3(base, text, base))) == text


@given(base=TEXT, text=TEXT)
def test_the_same_change_by_both_sides_is_the_merged_text(base: list[str], text: list[str]) -> None:
    assert decided(list(diff3(base, text, text))) == text


@given(base=TEXT, mine=TEXT, other=TEXT)
def test_the_sides_exchanged_give_the_same_chunks_with_their_conflicts_exchanged(
    base: list[str], mine: list[str], other: list[str]
) -> None:
    exchanged = [
        Conflict(chunk.base, chunk.other, chunk.mine) if isinstance(chunk, Conflict) else chunk
        for chunk in diff3(base, other, mine)
    ]
    assert exchanged == list(diff3(base, mine, other))


@given(base=TEXT, mine=TEXT, other=TEXT)
def test_in_a_conflict_the_three_texts_differ_and_beside_it_are_lines_of_all_three(
    base: list[str], mine: list[str], other: list[str]
) -> None:
    chunks = list(diff3(base, mine, other))
    for each in conflicts(chunks):
        assert each.base != each.mine != each.other != each.base
    for pair in pairwise(chunks):
        if conflicts(list(pair)):
            (between,) = (chunk for chunk in pair if not isinstance(chunk, Conflict))
            assert between
            assert set(between) <= set(base) & set(mine) & set(other)


@given(base=TEXT, mine=TEXT, other=TEXT)
def test_no_line_that_a_side_added_is_lost_and_none_is_invented(
    base: list[str], mine: list[str], other: list[str]
) -> None:
    chunks = list(diff3(base, mine, other))
    merged = {line for chunk in chunks if not isinstance(chunk, Conflict) for line in chunk}
    of_mine = {line for each in conflicts(chunks) for line in each.mine}
    of_other = {line for each in conflicts(chunks) for line in each.other}
    assert set(mine) - set(base) <= merged | of_mine
    assert set(other) - set(base) <= merged | of_other
    assert merged <= set(mine) | set(other)
    assert (of_mine <= set(mine), of_other <= set(other)) == (True, True)


EDIT = st.lists(st.sampled_from(["x", "y", "z"]), max_size=3)
PLACE = st.tuples(st.sampled_from(["neither", "mine", "other", "both"]), EDIT)


@given(places=st.lists(PLACE, max_size=12))
def test_edits_of_different_places_are_all_in_the_merged_text(places: list[tuple[str, list[str]]]) -> None:
    """Each place is a line to be edited, below a line that is kept: so it is known what the merge has to be."""
    texts: dict[str, list[str]] = {"base": [], "mine": [], "other": [], "merged": []}
    for number, (editor, edit) in enumerate(places):
        kept, line = f"kept {number}", [f"line {number}"]
        texts["base"] += [kept, *line]
        texts["mine"] += [kept, *(edit if editor in {"mine", "both"} else line)]
        texts["other"] += [kept, *(edit if editor in {"other", "both"} else line)]
        texts["merged"] += [kept, *(line if editor == "neither" else edit)]
    assert decided(list(diff3(texts["base"], texts["mine"], texts["other"]))) == texts["merged"]


@given(edits=st.lists(st.tuples(EDIT, EDIT).filter(lambda pair: pair[0] != pair[1]), max_size=12))
def test_different_edits_of_one_place_are_a_conflict_each(edits: list[tuple[list[str], list[str]]]) -> None:
    base = [line for number in range(len(edits)) for line in (f"kept {number}", "line")]
    mine = [line for number, (edit, _) in enumerate(edits) for line in (f"kept {number}", *edit)]
    other = [line for number, (_, edit) in enumerate(edits) for line in (f"kept {number}", *edit)]
    expected = [Conflict(["line"], first, second) for first, second in edits]
    assert conflicts(list(diff3(base, mine, other))) == expected


def test_only_small_gaps_are_compared_line_with_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison of two long texts without a common line would take minutes."""
    compared: list[int] = []

    def compare(_junk: object, a: list[str], b: list[str], **how: bool) -> SequenceMatcher[str]:
        compared.append(max(len(a), len(b)))
        return SequenceMatcher(None, a, b, **how)

    monkeypatch.setattr("bot.domain.postmortem.diff3.SequenceMatcher", compare)
    for lines, is_compared in ((100, True), (128, True), (129, False), (5_000, False)):
        compared.clear()
        base, mine = ([f"{name}{number % 7}" for number in range(lines)] for name in ("a", "b"))
        assert list(diff3(base, mine, base)) == [mine]
        assert bool(compared) == is_compared, lines
        assert max(compared, default=0) <= 128
