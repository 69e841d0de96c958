"""The words of an erased entry are found in every shape that they come back in, and other words are left alone."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents import escaping
from bot.domain.incident.erasure import Eraser, is_erased, mark_of, repeats
from tests.unit.domain.texts import QUICK, TEXTS

MARK = mark_of("", by="alice", on=date(2026, 3, 12), why="it held a password")
LONG = "the login of the shop at the vendor is Tr0ub4dor-and-3!! <now>, as somebody wrote into the page of the runbook"
LINES = "two lines were pasted\nexport KEY=Zx81Qm4LpT7v\n  and a third of them"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (LONG, MARK),
        (f"Note · 12:00 UTC · INC-1 #2\n{escaping.slack(LONG)}", f"Note · 12:00 UTC · INC-1 #2\n{MARK}"),
        (f"- **12:00** Note: {escaping.markdown(LONG)} — alice", f"- **12:00** Note: {MARK} — alice"),
        (f"2. 12:00 UTC · Note: {LONG[:99].rstrip()}… (alice)", f"2. 12:00 UTC · Note: {MARK} (alice)"),
        (f"2. 12:00 UTC · Note: {LONG[:45]}… (alice)", f"2. 12:00 UTC · Note: {MARK} (alice)"),
        ("We found Tr0ub4dor-and-3 in a note.", f"We found {MARK} in a note."),
        ("> `Tr0ub4dor-and-3`", f"> {MARK}"),
        ("  ```text\n  two lines were pasted\n  export KEY=Zx81Qm4LpT7v\n  ```", f"  ```text\n  {MARK}\n  ```"),
        (" ".join(LINES.split()), MARK),
    ],
)
def test_the_words_are_replaced_in_every_shape(text: str, shown: str) -> None:
    eraser = Eraser([LONG, LINES], mark=MARK)
    assert eraser.holds(text)
    assert eraser.erased(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Note: db1 is full",
        "the login of the shop",
        "at the vendor",
        "somebody wrote",
        "INC-1 #2 · 12:00 UTC",
        "page",
    ],
)
def test_other_words_stay(text: str) -> None:
    eraser = Eraser([LONG, LINES, "at 12:00 on 2026-03-12 INC-1 was open"], mark=MARK)
    assert not eraser.holds(text)
    assert eraser.erased(text) == text


def test_what_others_wrote_stays_also_where_they_wrote_the_same() -> None:
    kept = "restarted db1 after the login of the shop at the vendor failed"
    eraser = Eraser([LONG, "restarted db1"], mark=MARK, kept=[kept])
    assert eraser.erased(f"- 12:00 {kept} — bob") == f"- 12:00 {kept} — bob"
    assert eraser.erased("- 12:00 restarted db1 — alice") == f"- 12:00 {MARK} — alice"


@pytest.mark.parametrize(("words", "text"), [("4711", "pin 4711, not 14711"), ("!?!?!?!?", "it is !?!?!?!? there")])
def test_short_words_and_signs_are_found_where_they_stand_alone(words: str, text: str) -> None:
    shown = Eraser([words], mark="M").erased(text)
    assert shown in {"pin M not 14711", "it is M there"}


@pytest.mark.parametrize(
    ("why", "text", "expected"),
    [
        ("it held a password", "the password is hunter2", False),
        ("it names a customer", "Acme, a customer, was cut off", False),
        ("hunter2", "the password is hunter2", True),
        ("somebody pasted hunter2 here", "the password is hunter2", True),
        ("swordfish", "the word is swordfish", True),
        ("password", "the password is hunter2", False),
        ("the password is hunter2", "the password is hunter2", True),
        ("token=4f9a8b7c6d5e", "anything", True),
    ],
)
def test_a_reason_must_not_repeat_what_goes(why: str, text: str, expected: bool) -> None:  # noqa: FBT001 - a case
    assert repeats(why, [text]) is expected


def test_a_mark_is_known_as_one_and_stays_private() -> None:
    assert is_erased([MARK, "", mark_of("[private] x", by="b", on=date(2026, 1, 2), why="w")])
    assert not is_erased([MARK, "disk full"])
    assert mark_of("private: x", by="<b>", on=date(2026, 1, 2), why="a *b*\n<!here>") == (
        "private: [erased by b on 2026-01-02: a b !here]"
    )


@QUICK
@given(TEXTS, st.lists(TEXTS, max_size=3), TEXTS)
def test_after_erasing_the_words_are_not_in_any_text(words: str, kept: list[str], around: str) -> None:
    eraser = Eraser([words], mark=MARK)
    shown = eraser.erased(f"{around} {words} {around}")
    long = [line for line in words.splitlines() if sum(each.isalnum() for each in line) > 5]
    # Where they are a part of a longer word, as `pass` of `passenger`, they are another word.
    assert not any(shown.count(line) > 2 * around.count(line) and line not in MARK for line in long)
    assert Eraser([words], mark=MARK, kept=kept).erased(around) is not None
    assert eraser.erased(shown) == shown or any(line.casefold() in MARK.casefold() for line in long)


def test_a_name_in_the_words_may_have_changed_since() -> None:
    eraser = Eraser(["@bob gave the shop's vendor the old login of the page", "ask @carol"], mark=MARK)
    assert eraser.erased("Note: @Robert Smith gave the shop's vendor the old login of the page — alice") == (
        f"Note: @Robert Smith {MARK} — alice"
    )
    assert eraser.erased("we ask @dave") == "we ask @dave"


def test_a_short_line_of_several_goes_where_it_stands_alone_and_a_common_word_stays() -> None:
    eraser = Eraser(["the login is\nswordfish\nend\n}"], mark=MARK)
    assert eraser.erased("Note: the login is — alice\n  ```text\n  swordfish\n  end\n  }\n  ```") == (
        f"Note: {MARK} — alice\n  ```text\n  {MARK}\n  }}\n  ```"
    )
    assert eraser.erased("the login is swordfish end") == MARK
    assert eraser.erased("in the end we had fish") == "in the end we had fish"
