import pytest
from hypothesis import given, settings

from bot.domain.words import after_separator, closest_match, parse_number, quoted, trimmed, visible
from bot.errors import UsageError
from bot.vocabulary import KINDS
from tests.unit.domain.texts import QUICK, TEXTS, outcome


@pytest.mark.parametrize(
    ("tail", "rest"),
    [
        (": disk full", "disk full"),
        (" \u2014 disk full", "disk full"),
        (": : disk full", ": disk full"),
        (" - disk full", "disk full"),
        (" -5% traffic", "-5% traffic"),
        (" :fire: on db1", ":fire: on db1"),
        (" \u200bdisk full", "disk full"),
        ("", ""),
    ],
)
def test_one_separator_is_left_out_and_no_more(tail: str, rest: str) -> None:
    assert after_separator(tail) == rest


def test_what_is_invisible_is_left_out_and_alone_is_nothing() -> None:
    assert visible("14\u200b:02\u200f") == "14:02"
    assert trimmed(" a\u200b ") == "a\u200b"
    assert trimmed(" \u200b ") == ""


def test_a_quote_is_one_line_of_forty_characters() -> None:
    assert quoted("a\n b") == "a b"
    assert quoted("x" * 41) == "x" * 40 + "…"


@pytest.mark.parametrize(
    ("words", "number", "rest"),
    [("3", 3, ""), ("#3 at 14:05", 3, "at 14:05"), ("3 -10m", 3, "-10m"), ("3: new words", 3, "new words")],
)
def test_a_number_comes_off_the_words(words: str, number: int, rest: str) -> None:
    assert parse_number(words, what="entry") == (number, rest)


@pytest.mark.parametrize("words", ["", "x", "0", "-3", "3rd", "1" * 10, "9" * 5000, "\u0663"])
def test_what_is_no_number_is_refused_by_the_things_name(words: str) -> None:
    with pytest.raises(UsageError, match="action item"):
        parse_number(words, what="action item")


def test_a_mistyped_word_finds_its_neighbour() -> None:
    assert closest_match("Statsu", ["status", "list"]) == "status"
    assert closest_match("mitgated", KINDS) == "mitigated"
    assert closest_match("banana", ["status", "list"]) is None


@settings(QUICK, max_examples=300)
@given(words=TEXTS)
def test_no_text_raises_anything_but_a_usage_error(words: str) -> None:
    outcome(lambda: parse_number(words, what="entry"))
    closest_match(words, KINDS)
