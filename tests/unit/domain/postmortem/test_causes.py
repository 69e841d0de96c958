from datetime import UTC, datetime

import pytest

from bot.domain.postmortem.causes import causes, slip, slips, sorting
from storage.values import TimelineEntry
from tests.support.casebook import entry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def cause(text: str, factor: str | None = None, number: int = 9, **other: object) -> TimelineEntry:
    return entry(number, "cause", NOON, text, qualifier=factor, **other)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("one cause", ["one cause"]),
        ("index rebuild at noon; no limit; nobody watches", ["index rebuild at noon", "no limit", "nobody watches"]),
        ("a;b ;  c;", ["a", "b", "c"]),
        (";", [";"]),
        ("ran `a; b`; no guard", ["ran `a; b`", "no guard"]),
        ('log says "x; y"; no retry', ['log says "x; y"', "no retry"]),
        ("log says “x; y”; no retry", ["log says “x; y”", "no retry"]),
        ("no limit (a; b (c; d)); no alert", ["no limit (a; b (c; d))", "no alert"]),
        ("see https://x.example/a;b; no alert", ["see https://x.example/a;b", "no alert"]),
        ("see <https://x.example/a;b|the; page>; no alert", ["see <https://x.example/a;b|the; page>", "no alert"]),
        ("it's late; don't", ["it's late", "don't"]),
        ("a; b\nmore; lines", ["a", "b\nmore; lines"]),
        ("```a; b```", ["```a; b```"]),
    ],
)  # fmt: skip
def test_a_semicolon_parts_causes_but_within_what_is_quoted(text: str, parts: list[str]) -> None:
    assert [each.text for each in causes(cause(text))] == parts
    assert {each.factor for each in causes(cause(text))} == {None}


@pytest.mark.parametrize(
    ("factor", "text", "factors"),
    [
        ("technical", "a; process: b; human: c", ["technical", "process", "human"]),
        ("technical", "a; b", ["technical", "technical"]),
        (None, "a; process: b; c", [None, "process", "process"]),
        (None, "a; tech: b", [None, "technical"]),
        (None, "a; processes hang: b", [None, None]),
        ("human", "a", ["human"]),
    ],
)
def test_a_factor_is_that_of_the_cause_after_it_and_of_those_that_follow(
    factor: str | None, text: str, factors: list[str | None]
) -> None:
    assert [each.factor for each in causes(cause(text, factor))] == factors


def test_the_example_that_sorts_labels_each_cause_and_falls_back_to_one_label() -> None:
    several = cause("rebuild at noon; nobody watches the queue; table dropped by mistake")
    assert sorting(several) == (
        "9 technical: rebuild at noon; process: nobody watches the queue; human: table dropped by mistake"
    )
    assert sorting(cause("a; process: b")) == "9 technical: a; process: b"
    for text in ("`rm`; b", "12:00 rebuild; b", "a\nb", "<!here> a; b"):
        assert sorting(cause(text)) == "9 technical:"


@pytest.mark.parametrize(
    "text",
    [
        "bob forgot to renew the certificate", "the certificate was forgotten", "operator error", "Human error",
        "typo by bob", "fat finger", "someone deleted the table", "alice deleted the table", "deleted by @bob",
        "data directory removed on the wrong host during a manual replica rebuild", "we missed the expiry date",
        "the wrong command was run by an engineer", "table dropped by mistake", "on-call overlooked the page",
        "a junior engineer ran the script in production", "I pushed to the wrong branch", "manual error",
        "copy-paste error in the zone file", "we didn't renew the certificate", "mistyped flag",
    ],
)  # fmt: skip
def test_what_names_a_person_and_their_step_alone_is_a_slip(text: str) -> None:
    assert slip(text, ["alice"])


@pytest.mark.parametrize(
    "text",
    [
        "human error rate model drifted", "a WAF rule held a regex that backtracks explosively", "disk full on db1",
        "the CPU guard had been dropped in a refactoring and rules ship without staging", "index rebuild at noon",
        "config named an invalid auth server address", "the script forgot the lock", "no limit on rebuilds",
        "someone deleted the table because both consoles looked alike", "the job removed the wrong file",
        "typo in the flag, and nothing checks it", "user error pages were cached", "the deploy removed the index",
        "the client forgot to close sockets", "backups had failed unnoticed or were never set up",
        "certificate expired", "the release tool lets anyone deploy to production", "cron deleted the data directory",
        "log says `human error`", "alicedb deleted the table",
    ],
)  # fmt: skip
def test_what_tells_of_a_system_or_goes_on_to_explain_is_no_slip(text: str) -> None:
    assert not slip(text, ["alice"])


def test_a_slip_stands_until_another_cause_says_what_made_it_look_right() -> None:
    slipped = cause("rm ran on the wrong host; no backup was tested")
    assert [each.text for _, each in slips([slipped])] == ["rm ran on the wrong host"]
    assert not slips([slipped, cause("both prompts show db", "human", 10)])
    assert not slips([slipped, cause("the two consoles look the same", None, 10)])
    assert slips([slipped, cause("bob mistyped it", "human", 10)])
    assert slips([slipped, entry(10, "note", NOON, "the two consoles look the same")])
