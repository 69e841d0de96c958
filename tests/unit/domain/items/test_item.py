from datetime import date
from typing import Any

import pytest
from hypothesis import given

from bot.domain.items.item import ItemWords, parse_item
from bot.domain.words import MAX_CHARACTERS
from bot.errors import UsageError
from tests.unit.domain.cases import CASES, Case, typed_at
from tests.unit.domain.texts import QUICK, TEXTS, outcome

FRIDAY = date(2026, 11, 20)
BOB = "bob"


def item(
    text: str, *, owner: str | None = None, kind: str | None = None, due: str | None = None, guessed: bool = False
) -> ItemWords:
    due_on = date.fromisoformat(due) if due else None
    return ItemWords(owner=owner, kind=kind, due_on=due_on, text=text, guessed=guessed)


def stated(expected: dict[str, Any]) -> ItemWords:
    return item(expected["text"], owner=expected["owner"], kind=expected["kind"], due=expected["due"])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_sample_incidents_items_come_out_as_stated(case: Case) -> None:
    commands = [command for command in case.commands if command["command"] == "/actionitem"]
    read = [parse_item(command["text"], today=typed_at(command).date()) for command in commands]
    assert read == [stated(expected) for expected in case.expected["action_items"]]


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("fix the thing", item("fix the thing")),
        (": fix it", item("fix it")),
        ("fix: the parser", item("fix: the parser")),
        ("@bob fix it", item("fix it", owner=BOB)),
        ("@bob's script: fix it", item("@bob's script: fix it")),
        ("https://example.org/1: read it", item("https://example.org/1: read it")),
        ("add alerts by friday: all of them", item("add alerts by friday: all of them")),
        ("@bob: fix it", item("fix it", owner=BOB)),
        ("@bob:fix it", item("fix it", owner=BOB)),
        ("@Zoë.o-k_1: fix it", item("fix it", owner="Zoë.o-k_1")),
        ("long-term: fix it", item("fix it", kind="long-term")),
        ("Short Term: fix it", item("fix it", kind="short-term")),
        ("by friday: fix it", item("fix it", due="2026-11-27")),
        ("by 2019-07-31: fix it", item("fix it", due="2019-07-31")),
        ("@bob long-term by friday: a: b", item("a: b", owner=BOB, kind="long-term", due="2026-11-27")),
        ("by next friday @bob short-term: x", item("x", owner=BOB, kind="short-term", due="2026-11-27", guessed=True)),
        ("by December 1, 2026, @bob: x", item("x", owner=BOB, due="2026-12-01")),
        ("\u200e@bob\u00a0by friday: a\nb ", item("a\nb", owner=BOB, due="2026-11-27")),
        ("@bob by friday: https://example.org", item("https://example.org", owner=BOB, due="2026-11-27")),
    ],
)
def test_the_head_comes_in_any_order_and_other_words_are_text(words: str, read: ItemWords) -> None:
    assert parse_item(words, today=FRIDAY) == read


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("", "Say what has to be done. Try: @alice"),
        ("@bob long-term: ", "Say what has to be done"),
        ("@bob @carol: fix it", "two owners"),
        ("short-term long-term: fix it", "two kinds"),
        ("by friday by monday: fix it", "two dates"),
        ("@bob by someday: fix it", "someday is no date I know"),
        ("by 03/04/2026: fix it", "2026-03-04 or 2026-04-03"),
        ("x" * (MAX_CHARACTERS + 1), "10,001 characters, and 10,000 fit"),
        ("a\0b", "NUL"),
    ],
)
def test_an_item_that_cannot_be_kept_is_refused(words: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_item(words, today=FRIDAY)


@QUICK
@given(words=TEXTS)
def test_no_text_raises_anything_but_a_usage_error(words: str) -> None:
    read = outcome(lambda: parse_item(words, today=FRIDAY))
    if isinstance(read, ItemWords):
        assert read.text
        assert words.rstrip().endswith(read.text)


@pytest.mark.parametrize("words", ["by " + "x " * 4_000 + ": y", "@" + "a" * 9_000 + ": y"])
def test_a_long_head_is_no_head(words: str) -> None:
    assert parse_item(words, today=FRIDAY).text == words
