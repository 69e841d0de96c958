"""No first person: told in the third where that is certain, else quoted."""

import re
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.postmortem.third_person import first_person, third_person


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("I noticed I ran it on db1", "An engineer noticed they ran it on db1"),
        ("i restarted it", "An engineer restarted it"),
        ("I'm on it; I\u2019ve paged bob", "An engineer is on it; they have paged bob"),
        ("we rolled back", "The team rolled back"),
        ("then we lost quorum", "then the team lost quorum"),
        ("we're still looking", "The team is still looking"),
        ("We also see errors", "The team also sees errors"),
        ("we don't know why", "The team doesn't know why"),
        ("our monitoring blocks", "The team's monitoring blocks"),
        ("our own outage had locked us out", "The team's own outage had locked the team out"),
        ("my laptop died. I rebooted my laptop", "An engineer's laptop died. The engineer rebooted their laptop"),
        ("it paged me", "it paged an engineer"),
        ("Bob and I restarted it", "Bob and another engineer restarted it"),
        ("as I was restarting it I was paged", "as an engineer was restarting it they were paged"),
    ],
)
def test_a_pronoun_is_replaced_where_the_verb_stays_right(typed: str, told: str) -> None:
    assert third_person(typed) == told
    assert first_person(typed)
    assert not first_person(told)


@pytest.mark.parametrize(
    "typed",
    ["should we roll back?", "let's roll back", "I too saw it", "we both think so", "WE ARE DOWN", "what do I do"],
)
def test_what_cannot_be_told_surely_is_quoted(typed: str) -> None:
    assert third_person(typed) == f"An engineer reported: “{typed}”"


def test_a_quotation_takes_its_line_alone_and_no_code() -> None:
    typed = "rolled back\nshould we wait?\n```\nI am code\n```"
    assert third_person(typed) == "rolled back\nAn engineer reported: “should we wait?”\n```\nI am code\n```"


@pytest.mark.parametrize(
    "typed",
    [
        "restarted db1",
        "I/O errors",
        "phase I failed",
        "us-east-1 and the us region, US traffic",
        "for i in 1 2 3",
        "ran `echo I am` and ```we are```",
        "a customer wrote “we cannot log in”",
        'a customer wrote "I cannot log in"',
        "my.cnf and me@x.example",
        "weather, web, mystery, ourselfs, USA",
        "",
    ],
)
def test_words_that_are_no_first_person_stay(typed: str) -> None:
    assert third_person(typed) == typed
    assert first_person(typed) == ()


WORDS = st.sampled_from(
    [
        "I",
        "we",
        "We",
        "our",
        "my",
        "me",
        "us",
        "ours",
        "myself",
        "i",
        "restarted",
        "was",
        "are",
        "have",
        "need",
        "too",
        ".",
        ",",
        ";",
        "and",
        "`code`",
        "“",
        "”",
        "\n",
        "should",
        "db1",
        "it's",
        "I'm",
        "we'd",
        "don't",
        "also",
        "the",
        "that",
        "Alice",
        "US",
    ]
)


@given(st.lists(WORDS, max_size=25).map(" ".join))
def test_nothing_is_left_in_the_first_person_but_in_code_and_quotations(text: str) -> None:
    told = third_person(text)
    assert not first_person(told)
    assert re.findall(r"db1|Alice|restarted", told) == re.findall(r"db1|Alice|restarted", text)
    if not first_person(text):
        assert told == text


@pytest.mark.parametrize("text", ["I " * 5000, "we and " * 1400, "“" * 9000, "my " * 3000 + "`" * 999, "a-" * 5000])
def test_the_longest_text_takes_seconds_at_most(text: str) -> None:
    begun = perf_counter()
    third_person(text)
    assert perf_counter() - begun < 20
