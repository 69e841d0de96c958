"""Two changes of one text: what is taken, what is shown twice, and that no line anybody wrote goes missing."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.postmortem.conflict import HEAD, count_conflicts
from bot.domain.postmortem.diff3 import Matcher
from bot.domain.postmortem.merge import MergeOptions, merge

FACTS = MergeOptions(labels=("As edited", "From the timeline"), join=True)
PEOPLE = MergeOptions(labels=("As you wrote it", "As bob saved it"))

LINE = st.sampled_from(
    ["", "- one", "- two", "A paragraph.", "### Head", "| a | b |", "| c | d |", "```", "> said", "**x:**"]
)
TEXT = st.lists(LINE, max_size=8).map("\n".join)


def merged(base: str, mine: str, other: str, options: MergeOptions = FACTS) -> str:
    return merge(base, mine, other, options).text


def quoted(text: str) -> set[str]:
    """The lines of a text, and those of what it quotes, however deep."""
    lines = {line.strip() for line in text.split("\n")}
    found = set(lines)
    while lines:
        lines = {line[1:].strip() for line in lines if line.startswith(">")}
        found |= lines
    return found


def test_a_change_of_one_side_is_taken() -> None:
    assert merged("a\n\nb", "a, edited\n\nb", "a\n\nb\n\nc") == "a, edited\n\nb\n\nc"
    assert merged("a\nb\nc", "a\nc", "a\nb\nc\nd") == "a\nc\nd"


def test_neighbouring_lines_are_no_conflict() -> None:
    assert merged("- a\n- b", "- a\n- b, as I saw it", "- a\n- b\n- c") == "- a\n- b, as I saw it\n- c"
    assert merged("- a\n- b", "- a\n- b\n  so I said", "- a\n- b, later") == "- a\n- b, later\n  so I said"


def test_what_one_side_took_out_and_the_other_changed_is_as_the_other_has_it() -> None:
    assert merged("a\nold\nb", "a\nb", "a\nnew\nb") == "a\nnew\nb"
    assert merged("a\nold\nb", "a\nwords\nb", "a\nb") == "a\nwords\nb"


def test_an_answer_in_the_place_of_a_question_stays_and_the_question_stays_away() -> None:
    before = "### Well\n\n*Not known.* What helped? `/lesson well: …`"
    answered = "### Well\n\nThe runbook was right."
    assert merged(before, answered, before) == answered


def test_two_that_add_at_one_place_are_both_there_one_below_the_other() -> None:
    assert merged("a", "a\n\nWords.", "a\n- fact") == "a\n\nWords.\n\n- fact"
    assert merged("- a", "- a\n- b", "- a\n- c") == "- a\n- b\n- c"


def test_between_people_that_is_a_conflict() -> None:
    assert merge("a", "a\nmine", "a\ntheirs", PEOPLE).conflicts == 1


def test_a_conflict_shows_both_versions_in_a_quote_that_says_whose_they_are() -> None:
    result = merge(
        "Lead.\n\nThe disk was full.\n\nEnd.", "Lead.\n\nA log filled it.\n\nEnd.", "Lead.\n\nTwo disks.\n\nEnd.", FACTS
    )
    assert result.conflicts == 1
    assert result.text.split("\n") == [
        "Lead.",
        "",
        HEAD,
        ">",
        "> ***As edited***",
        ">",
        "> A log filled it.",
        ">",
        "> ***From the timeline***",
        ">",
        "> Two disks.",
        "",
        "End.",
    ]  # fmt: skip


def test_a_conflict_nobody_settled_is_not_shown_twice_when_the_facts_change_again() -> None:
    first = merged("The disk was full.", "A log filled it.", "Two disks.")
    second = merged("Two disks.", first, "Three disks.")
    assert count_conflicts(second) == 1
    assert quoted(second) >= {"A log filled it.", "Three disks."}
    assert "Two disks." not in second
    assert merged("Three disks.", second, "A log filled it.") == "A log filled it."


def test_words_somebody_wrote_into_the_quote_itself_stay() -> None:
    first = merged("The disk was full.", "A log filled it.", "Two disks.")
    written = first.replace("> Two disks.", "> Two disks, I believe.")
    assert quoted(merged("Two disks.", written, "Three disks.")) >= {"Two disks, I believe.", "Three disks."}


def test_a_label_somebody_typed_is_not_taken_for_the_quotes_own() -> None:
    first = merged("Impact.", "**Impact:**\n\nHalf of all users.", "**Impact:**\n\nA third.")
    again = merged("**Impact:**\n\nA third.", first, "**Impact:**\n\nTwo thirds.")
    assert count_conflicts(again) == 1
    assert quoted(again) >= {"Half of all users.", "Two thirds."}


def test_a_table_and_a_code_block_stay_whole_in_a_conflict() -> None:
    table, fence = "| m | t |\n| --- | --- |\n| x | {} |", "```text\n{}\n```"
    for whole in (table, fence):
        shown = merged(whole.format(1), whole.format(2), whole.format(3))
        assert count_conflicts(shown) == 1
        assert all(f"> {line}" in shown for line in whole.format(2).split("\n"))
    rows = "| m | t |\n| --- | --- |\n| x | {} |\n| y | 1 |\n| z | {} |"
    assert merged(rows.format(1, 1), rows.format(2, 1), rows.format(1, 2)) == rows.format(2, 2)


@given(base=TEXT, mine=TEXT, other=TEXT)
@example(base="a", mine="", other="b")
def test_every_line_that_either_wrote_is_there(base: str, mine: str, other: str) -> None:
    for options in (FACTS, PEOPLE):
        found = quoted(merged(base, mine, other, options))
        written = (quoted(mine) | quoted(other)) - quoted(base) - {""}
        assert written <= found


@pytest.mark.parametrize("options", [FACTS, PEOPLE])
@pytest.mark.parametrize(
    ("mine", "other"), [("a\nmine", "a\ntheirs"), ("mine", "theirs"), ("a\nb", "a\nb\nc"), ("", "a\nb")]
)
def test_the_same_change_brought_in_again_changes_nothing(mine: str, other: str, options: MergeOptions) -> None:
    once = merge("a", mine, other, options)
    assert merge("a", mine, once.text, options).text == once.text


@given(a=st.lists(LINE, max_size=30), b=st.lists(LINE, max_size=30))
def test_the_matcher_finds_runs_of_equal_lines_in_order(a: list[str], b: list[str]) -> None:
    at = (0, 0)
    blocks = Matcher(a, b).get_matching_blocks()
    for in_a, in_b, size in blocks:
        assert (in_a >= at[0], in_b >= at[1]) == (True, True)
        assert a[in_a : in_a + size] == b[in_b : in_b + size]
        at = (in_a + size, in_b + size)
    assert blocks[-1] == (len(a), len(b), 0)
    assert a != b or sum(size for _, _, size in blocks) == len(a)


@pytest.mark.parametrize("options", [FACTS, PEOPLE])
@given(
    base=st.lists(LINE, max_size=4),
    added=st.lists(LINE, min_size=1, max_size=6),
    kept=st.lists(st.booleans(), min_size=6, max_size=6),
    place=st.integers(0, 4),
)
@example(base=[], added=["- one"], kept=[True] * 6, place=0)
@example(base=[], added=["- one", "- two"], kept=[False, True] * 3, place=0)
@example(base=["A paragraph."], added=["", "- one", "- two"], kept=[True, True, False] * 2, place=0)
@example(base=["A paragraph."], added=["- one", "", "- two"], kept=[True, False, True] * 2, place=1)
def test_two_who_add_at_one_place_one_of_them_a_part_of_the_other_are_merged_to_all_of_it(
    options: MergeOptions, base: list[str], added: list[str], kept: list[bool], place: int
) -> None:
    part = [line for line, is_kept in zip(added, kept, strict=False) if is_kept]
    at = min(place, len(base))
    more, less = ("\n".join([*base[:at], *lines, *base[at:]]) for lines in (added, part))
    for mine, other in ((more, less), (less, more)):
        result = merge("\n".join(base), mine, other, options)
        assert quoted(more) - {""} <= quoted(result.text)
