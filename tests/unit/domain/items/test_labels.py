"""What an action item is for, and when it is done: read off its words, which keep them."""

from datetime import date

import pytest

from bot.domain.items.item import parse_item
from bot.domain.items.labels import PURPOSES, read_labels

TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("typed", "purpose", "done_when", "text"),
    [
        ("prevent: test backups", "prevent", None, "test backups"),
        ("Detection: alert on it", "detect", None, "alert on it"),
        ("[mitigate] kill switch", "mitigate", None, "kill switch"),
        ("process : say who pages", "process", None, "say who pages"),
        ("private: prevent: rotate keys", "prevent", None, "private: rotate keys"),
        ("test backups, done when: a restore passes", None, "a restore passes", "test backups"),
        ("test backups. Done when: one\ntwo", None, "one\ntwo", "test backups"),
        ("test backups (done when: a restore passes)", None, "a restore passes", "test backups"),
        ("prevent: test — done-when: (a) and (b)", "prevent", "(a) and (b)", "test"),
    ],
)
def test_labels_are_read_off_the_words(typed: str, purpose: str | None, done_when: str | None, text: str) -> None:
    labels = read_labels(typed)
    assert (labels.purpose, labels.done_when, labels.text) == (purpose, done_when, text)


@pytest.mark.parametrize(
    "typed",
    [
        "prevent the outage",
        "process: ",
        "prevent:this",
        "say when it is done when we know",
        "done when: it works",
        "preventing: no",
        "test it, undone when: never",
        "a prevent: in the middle",
    ],
)
def test_words_that_only_resemble_labels_stay_words(typed: str) -> None:
    labels = read_labels(typed)
    assert (labels.purpose, labels.done_when, labels.text) == (None, None, typed)


@pytest.mark.parametrize(
    ("typed", "owner", "kind", "due_on", "text"),
    [
        ("@alice prevent: test backups", "alice", None, None, "prevent: test backups"),
        ("prevent @alice short-term: test backups", "alice", "short-term", None, "prevent: test backups"),
        ("@alice detect short-term by friday: alert", "alice", "short-term", date(2026, 11, 27), "detect: alert"),
        ("short-term [process] @bob: say who pages", "bob", "short-term", None, "process: say who pages"),
        ("Mitigation: kill switch", None, None, None, "Mitigation: kill switch"),
        ("prevent @alice from deleting data", None, None, None, "prevent @alice from deleting data"),
        ("@alice detect slow disks", "alice", None, None, "detect slow disks"),
        ("process orders faster", None, None, None, "process orders faster"),
    ],
)
def test_the_purpose_is_typed_among_owner_term_and_date(
    typed: str, owner: str | None, kind: str | None, due_on: date | None, text: str
) -> None:
    item = parse_item(typed, today=TODAY)
    assert (item.owner, item.kind, item.due_on, item.text) == (owner, kind, due_on, text)


def test_every_purpose_is_understood_by_its_name() -> None:
    assert [read_labels(f"{name}: x").purpose for name in PURPOSES] == list(PURPOSES)
