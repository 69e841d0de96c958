import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.items.item import ME, ItemWords, names_new_item, parse_item
from bot.domain.words import INVISIBLE, MAX_CHARACTERS
from bot.errors import UsageError
from tests.unit.domain.cases import CASES, Case, typed_at
from tests.unit.domain.texts import QUICK, TEXTS, outcome

FRIDAY = date(2026, 11, 20)
BOB = "bob"


def item(
    text: str,
    *,
    owner: str | None = None,
    kind: str | None = None,
    due: str | None = None,
    priority: str | None = None,
    other_owner: str | None = None,
    others: tuple[str, ...] = (),
    problem: str | None = None,
) -> ItemWords:
    return ItemWords(
        owner=owner,
        kind=kind,
        due_on=date.fromisoformat(due) if due else None,
        text=text,
        text_with_owner="",
        priority=priority,
        other_owner=other_owner,
        other_dates=tuple(date.fromisoformat(each) for each in others),
        problem=problem,
    )


def read(words: str, today: date = FRIDAY) -> ItemWords:
    return replace(parse_item(words, today=today), text_with_owner="")


@pytest.mark.parametrize("case", [case for case in CASES.values() if "action_items" in case.expected])
def test_the_sample_incidents_items_come_out_as_stated(case: Case) -> None:
    commands = [command for command in case.commands if command["command"] == "/actionitem"]
    found = [parse_item(command["text"], today=typed_at(command).date()) for command in commands]
    assert [{name: getattr(each, name) for name in ("owner", "kind", "text")} for each in found] == [
        {name: expected[name] for name in ("owner", "kind", "text")} for expected in case.expected["action_items"]
    ]
    assert [each.due_on and each.due_on.isoformat() for each in found] == [
        expected["due"] for expected in case.expected["action_items"]
    ]


MONDAY, TUESDAY, XMAS = "2026-11-23", "2026-11-24", "2026-12-24"
IN_2_WEEKS = "2026-12-04"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("fix the thing", item("fix the thing")),
        (": fix it", item("fix it")),
        ("fix: the parser", item("fix: the parser")),
        # The owner, before the words and after them.
        ("@bob fix it", item("fix it", owner=BOB)),
        ("@bob: fix it", item("fix it", owner=BOB)),
        ("@bob:fix it", item("fix it", owner=BOB)),
        ("@bob. fix it", item("fix it", owner=BOB)),
        ("@bob :fire: alarm", item(":fire: alarm", owner=BOB)),
        ("@Zo\u00eb.o-k_1: fix it", item("fix it", owner="Zo\u00eb.o-k_1")),
        ("fix the alert @bob", item("fix the alert", owner=BOB)),
        ("fix the alert, @bob.", item("fix the alert", owner=BOB)),
        ("fix the alert (@bob)", item("fix the alert", owner=BOB)),
        ("for @bob: fix it", item("fix it", owner=BOB)),
        ("owner @bob fix it", item("fix it", owner=BOB)),
        ("fix it owner: @bob", item("fix it", owner=BOB)),
        ("assigned to @bob: fix it", item("fix it", owner=BOB)),
        ("@bob to fix it", item("fix it", owner=BOB)),
        ("- @bob fix it", item("- fix it", owner=BOB)),
        ("please @bob fix it", item("please fix it", owner=BOB)),
        ("@me fix it", item("fix it", owner=ME)),
        ("me: fix it", item("fix it", owner=ME)),
        ("fix it @me", item("fix it", owner=ME)),
        ("owner: me fix it", item("fix it", owner=ME)),
        # One who may be the owner, and is certainly in the sentence.
        ("@bob will fix it", item("@bob will fix it", owner=BOB)),
        ("order a laptop for @bob", item("order a laptop for @bob", owner=BOB)),
        ("@bob and @carol: fix it", item("@bob and @carol: fix it", owner=BOB, other_owner="carol")),
        ("@bob @carol: fix it", item("@carol: fix it", owner=BOB)),
        ("@bob ask @alice for the key", item("ask @alice for the key", owner=BOB)),
        ("@bob ask @alice by tomorrow", item("ask @alice", owner=BOB, due="2026-11-21")),
        ("ask @alice for the key", item("ask @alice for the key", other_owner="alice")),
        ("get the report signed by @alice", item("get the report signed by @alice", other_owner="alice")),
        ("reply to @alice", item("reply to @alice", other_owner="alice")),
        ("split it between @bob and @carol", item("split it between @bob and @carol", other_owner=BOB)),
        ("@bob is away, find another", item("@bob is away, find another", other_owner=BOB)),
        ("@bob's script: fix it", item("@bob's script: fix it", other_owner=BOB)),
        ("mail bob@example.com", item("mail bob@example.com")),
        # The date.
        ("@bob: alert by monday", item("alert", owner=BOB, due=MONDAY)),
        ("by tomorrow @bob fix", item("fix", owner=BOB, due="2026-11-21")),
        ("fix the alert @bob by monday", item("fix the alert", owner=BOB, due=MONDAY)),
        ("fix the alert by monday @bob", item("fix the alert", owner=BOB, due=MONDAY)),
        ("@bob by monday fix it", item("fix it", owner=BOB, due=MONDAY)),
        ("by 2026-11-23: fix it", item("fix it", due=MONDAY)),
        ("fix it EOD monday", item("fix it", due=MONDAY)),
        ("fix it eod", item("fix it", due="2026-11-20")),
        ("@bob eow: fix it", item("fix it", owner=BOB, due="2026-11-20")),
        ("fix it by 24.12.2026", item("fix it", due=XMAS)),
        ("@bob by 12/24/2026: fix it", item("fix it", owner=BOB, due=XMAS)),
        ("fix it in 2w", item("fix it", due=IN_2_WEEKS)),
        ("in 2w fix it", item("fix it", due=IN_2_WEEKS)),
        ("@bob 2w: fix it", item("fix it", owner=BOB, due=IN_2_WEEKS)),
        ("@bob 2w fix it", item("fix it", owner=BOB, due=IN_2_WEEKS)),
        ("due monday fix it", item("fix it", due=MONDAY)),
        ("fix it due monday", item("fix it", due=MONDAY)),
        ("fix it until monday", item("fix it", due=MONDAY)),
        ("deadline 1 Dec fix it", item("fix it", due="2026-12-01")),
        ("fix it (due 2026-12-24)", item("fix it", due=XMAS)),
        ("fix it, by monday!", item("fix it", due=MONDAY)),
        ("by December 1, 2026, @bob: x", item("x", owner=BOB, due="2026-12-01")),
        ("\u200e@bob\u00a0by monday: a\nb ", item("a\nb", owner=BOB, due=MONDAY)),
        ("@bob by monday: https://example.org", item("https://example.org", owner=BOB, due=MONDAY)),
        ("bis montag @bob alert bauen", item("alert bauen", owner=BOB, due=MONDAY)),
        ("@bob corriger avant lundi", item("corriger", owner=BOB, due=MONDAY)),
        ("@bob fix it ASAP", item("fix it ASAP", owner=BOB)),
        ("fix it @bob asap", item("fix it asap", owner=BOB)),
        # A date with a time: the item has a day, the words keep the time.
        ("@bob by monday 5pm: fix it", item("by monday 5pm: fix it", owner=BOB, due=MONDAY)),
        ("fix it by monday 17:00", item("fix it by monday 17:00", due=MONDAY)),
        # A date that is not the item's, or perhaps not: the words keep it.
        ("rotate certs issued by friday's job", item("rotate certs issued by friday's job")),
        ("fix what broke on 24.12.2026", item("fix what broke on 24.12.2026", others=(XMAS,))),
        ("fix it monday", item("fix it monday", others=(MONDAY,))),
        ("monday deploys are risky", item("monday deploys are risky", others=(MONDAY,))),
        ("keep the pods until monday", item("keep the pods until monday", others=(MONDAY,))),
        ("certs expire in 2w", item("certs expire in 2w", others=(IN_2_WEEKS,))),
        ("in 2w the certs expire", item("in 2w the certs expire", others=(IN_2_WEEKS,))),
        ("extend the lease by 2 weeks", item("extend the lease by 2 weeks", others=(IN_2_WEEKS,))),
        ("restore the backup (2026-12-24)", item("restore the backup (2026-12-24)", others=(XMAS,))),
        ("cut latency by 1.5", item("cut latency by 1.5")),
        ('rename "due monday"', item('rename "due monday"')),
        ("add alerts by monday: all of them", item("add alerts by monday: all of them")),
        ("by monday fix it by tuesday", item("fix it by tuesday", due=MONDAY)),
        ("by hand: restart it", item("by hand: restart it", problem="hand is no date I know.")),
        # One day is taken, another may be meant.
        ("by next monday: x", item("x", due=MONDAY, others=("2026-11-30",))),
        ("x by friday", item("x", due="2026-11-27", others=("2026-11-20",))),
        # Not taken, and said.
        ("@bob by someday: x", item("by someday: x", owner=BOB, problem="someday is no date I know.")),
        ("x by 2026-02-30", item("x by 2026-02-30", problem="2026-02-30 is no date I know.")),
        (
            "by 03/04/2026: x",
            item(
                "by 03/04/2026: x",
                others=("2026-03-04", "2026-04-03"),
                problem="03/04/2026 is read differently in different places.",
            ),
        ),
        (
            "@bob x by 2026-10-31",
            item(
                "x by 2026-10-31",
                owner=BOB,
                others=("2027-10-31",),
                problem="2026-10-31 is in the past; today is Friday 20 November 2026.",
            ),
        ),
        (
            "by 2426-01-01: x",
            item("by 2426-01-01: x", problem="2426-01-01 is more than 10 years ahead."),
        ),
        # Term and priority.
        ("long-term: fix it", item("fix it", kind="long-term")),
        ("Short Term: fix it", item("fix it", kind="short-term")),
        ("@bob short-term fix it", item("fix it", owner=BOB, kind="short-term")),
        ("fix it long-term", item("fix it", kind="long-term")),
        ("long term storage is full", item("long term storage is full")),
        ("@bob long-term storage is full", item("long-term storage is full", owner=BOB)),
        ("watch it over the long term", item("watch it over the long term")),
        ("@bob P1: fix it", item("fix it", owner=BOB, priority="high")),
        ("P2 fix it", item("fix it", priority="medium")),
        ("fix it [P3]", item("fix it", priority="low")),
        ("high: fix it", item("fix it", priority="high")),
        ("@bob high priority fix it", item("fix it", owner=BOB, priority="high")),
        ("fix it, prio low", item("fix it", priority="low")),
        ("high load must alert", item("high load must alert")),
        ("P1 alerts must page", item("P1 alerts must page")),
        ("page only on P1", item("page only on P1")),
        (
            "fix it @bob P1 long-term by end of month",
            item("fix it", owner=BOB, kind="long-term", due="2026-11-30", priority="high"),
        ),
    ],
)
def test_owner_date_term_and_priority_are_found_before_the_words_and_after_them(
    words: str, expected: ItemWords
) -> None:
    assert read(words) == expected


def test_the_words_for_one_who_can_own_nothing_name_them() -> None:
    assert parse_item("@bob by monday: fix it", today=FRIDAY).text_with_owner == "@bob fix it"
    assert parse_item("fix it @bob by monday", today=FRIDAY).text_with_owner == "fix it @bob"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("", "Say what has to be done. Try: @alice"),
        ("@bob long-term: ", "Say what has to be done"),
        ("@bob by monday", "Say what has to be done"),
        ("x" * (MAX_CHARACTERS + 1), "10,001 characters, and 10,000 fit"),
        ("a\0b", "NUL"),
    ],
)
def test_an_item_without_words_or_with_words_that_cannot_be_kept_is_refused(words: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_item(words, today=FRIDAY)


@pytest.mark.parametrize(
    ("words", "new"),
    [
        ("3 friday", False), ("3 1 December", False), ("3", False), ("#3: eow", False), ("3 someday", False),
        ("", False), ("friday: fix it", True), ("friday fix it", True), ("24.12.2026 @bob fix it", True),
        ("1 December fix it", True), ("date of the review", True),
    ],
)  # fmt: skip
def test_due_begins_a_new_item_unless_a_number_follows(words: str, *, new: bool) -> None:
    assert names_new_item(words, today=FRIDAY) is new


PARTS = st.sampled_from(
    ["@bob", "@alice", "by monday", "due 24.12.2026", "in 2w", "friday", "P1", "long-term", "high", ":", ",", "fix",
     "the alert", "until tuesday", "for", "and", "(", ")", "by 3/4/2027", "by someday", "asap", "-", "me:"]
)  # fmt: skip


def shown(words: str) -> str:
    """The characters that are seen."""
    return re.sub(rf"[\s{INVISIBLE}]", "", words)


@QUICK
@given(words=st.one_of(TEXTS, st.lists(PARTS, max_size=8).map(" ".join)))
@example(words="MONITORING:\r0")
@example(words=":\u200b0")
def test_words_that_are_not_taken_keep_every_character(words: str) -> None:
    found = outcome(lambda: parse_item(words, today=FRIDAY))
    if not isinstance(found, ItemWords):
        return
    assert found.text
    remaining = iter(shown(words))
    # A label that comes first is followed by a space, whatever was typed there.
    assert all(character in remaining for character in shown(found.text))
    if (found.owner, found.kind, found.due_on, found.priority) == (None,) * 4:
        follows = re.sub(rf"[{INVISIBLE}]", " ", words).lstrip()[1:2]
        assert shown(found.text) == (shown(words).removeprefix(":") if follows.isspace() else shown(words))
    assert not found.due_on or found.due_on >= FRIDAY
    assert found.due_on not in found.other_dates


@pytest.mark.parametrize("words", ["by " + "x " * 4_000 + ": y", "@" + "a" * 9_000 + ": y"])
def test_a_long_head_is_no_head(words: str) -> None:
    assert parse_item(words, today=FRIDAY).text == words
