import pytest
from hypothesis import given, settings

from bot.domain.words import (
    after_separator,
    capitalized,
    clipped,
    closest_match,
    misspelt,
    parse_number,
    quoted,
    take_incident,
    trimmed,
    visible,
    without_code_marks,
)
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


def test_a_slip_of_the_keys_is_told_from_another_word() -> None:
    assert misspelt("severty", ["status", "severity"]) == "severity"
    assert misspelt("opne", ["open"]) == "open"
    assert misspelt("close", ["cause", "clone"]) is None
    assert misspelt("list", ["last", "list-all"]) is None
    assert misspelt("", ["list"]) is None


@settings(QUICK, max_examples=300)
@given(words=TEXTS)
def test_no_text_raises_anything_but_a_usage_error(words: str) -> None:
    outcome(lambda: parse_number(words, what="entry"))
    closest_match(words, KINDS)
    misspelt(words, KINDS)


CLIPPED = (
    ("abc defghi", 20, "abc defghi"),
    ("abc defghi", 8, "abc def…"),
    ("abc `defghi` jkl", 8, "abc `de…`"),
    ("abc `defghi` jkl", 6, "abc…"),
    ("abc ```def\nghi``` jkl", 12, "abc ```def…```"),
    ("abc ```defghi``` jkl", 7, "abc…"),
    ("abc `defghi` jkl", 14, "abc `defghi`…"),
)


@pytest.mark.parametrize(("words", "length", "shown"), CLIPPED)
def test_what_is_cut_leaves_no_code_open(words: str, length: int, shown: str) -> None:
    assert clipped(words, length) == shown


def test_code_loses_its_marks_and_nothing_else() -> None:
    assert without_code_marks("ran `a` and ```\nb\n``` it`s ` ` that`s") == "ran a and b it`s ` ` that`s"


@pytest.mark.parametrize(
    ("words", "number", "rest"),
    [
        ("INC-1 disk full", 1, "disk full"),
        ("inc1: disk full", 1, "disk full"),
        ("INC 12: disk full", 12, "disk full"),
        ("INC 12", 12, ""),
        ("#INC-3 3 at 14:05", 3, "3 at 14:05"),
        ("[inc-3] disk full", 3, "disk full"),
        ("INC\u20137 -10m disk full", 7, "-10m disk full"),
        ("inc_7. over", 7, "over"),
        (" \u200bINC-1\ndisk full", 1, "disk full"),
        ("INC-1 :fire: on db1", 1, ":fire: on db1"),
        *(
            (words, None, words)
            for words in (
                "INC 12 servers are down", "INC-1's cause", "INC-1/2", "INC-1-2 x", "[INC-3 x",
                "INC-1 and INC-2 differ", "INC-1, inc-2: the same", "since 5", "incident 5",
                "INC-1234567890 x", "the INC-1", "inc", "",
            )
        ),
    ],
)  # fmt: skip
def test_the_incident_that_the_words_begin_with(words: str, number: int | None, rest: str) -> None:
    assert take_incident(words) == (number, rest)


@settings(QUICK)
@given(TEXTS)
def test_any_words_name_an_incident_or_stay_as_they_are(words: str) -> None:
    number, rest = take_incident(words)
    assert words.endswith(rest)
    assert number is not None or rest == words
    assert take_incident(f"about {words}") == (None, f"about {words}")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("checkout fails", "Checkout fails"),
        ("it's down", "It's down"),
        ("users' carts are empty", "Users' carts are empty"),
        ("sign-ups fail", "Sign-ups fail"),
        ("über die Hälfte", "Über die Hälfte"),
        ("checkout, cart and search", "Checkout, cart and search"),
        ("20% of users", "20% of users"),
        ("iOS app crashes", "iOS app crashes"),
        ("eBay orders", "eBay orders"),
        ("p99 rose", "p99 rose"),
        ("checkout-api is down", "checkout-api is down"),
        ("db1 is full", "db1 is full"),
        ("@bob restarted it", "@bob restarted it"),
        ("https://shop.example is down", "https://shop.example is down"),
        ("shop.example is down", "shop.example is down"),
        ("`rm -rf` ran", "`rm -rf` ran"),
        ("my_table is gone", "my_table is gone"),
        ("/var is full", "/var is full"),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital_unless_it_begins_with_a_name(typed: str, shown: str) -> None:
    assert capitalized(typed) == shown
