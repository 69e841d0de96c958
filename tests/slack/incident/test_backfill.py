"""A pasted chronology: previewed with ticks, then an entry for each ticked line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.clock import SetClock
from bot.fakeslack.objects import View
from tests.support.buttons import labels
from tests.support.ledger import entries, standing
from tests.support.workplace import Workplace, at

CHRONOLOGY = "2026-03-12\n11:40 detected: disk full\n11:45 restarted db1\n25:99 what\n11:50 resolved: freed"


@pytest.fixture
def declared(office: Workplace, clock: SetClock) -> Workplace:
    clock.set(at("2026-03-12T12:00:00Z"))
    office.say("/incident open SEV2 disk full")
    return office


def modal(office: Workplace) -> View:
    view = office.slack.modal(office.alice)
    assert view is not None
    return view


def ticks(view: View) -> list[str]:
    groups = [block["element"]["options"] for block in view.blocks if block.get("element", {}).get("options")]
    return [option["text"]["text"] for options in groups for option in options]


def test_the_box_is_previewed_and_the_ticked_lines_are_recorded(declared: Workplace) -> None:
    assert declared.ask("/incident backfill").ok
    assert modal(declared).title == "Backfill INC-1"
    declared.slack.submit(declared.alice, {"words": CHRONOLOGY})
    preview = modal(declared)
    assert ticks(preview) == ["11:40 UTC · Detected", "11:45 UTC · Note", "11:50 UTC · Resolved"]
    declared.slack.submit(declared.alice, {"lines-0": ["0", "2"]})
    told, drafted, version = declared.messages()[-3:]
    assert told.text.startswith("2 entries recorded on INC-1: #1 to #2, from 11:40 UTC to 11:50 UTC.")
    assert drafted.text.startswith("INC-1 · postmortem, version 1")
    assert version.thread_ts == drafted.ts
    assert standing(declared) == [("detected", "disk full"), ("resolved", "freed")]
    assert [entry.source for entry in entries(declared)] == ["backfill", "backfill"]


def test_a_range_keeps_its_end_and_what_is_approximate_stays_so(declared: Workplace) -> None:
    declared.ask("/incident backfill 11:30-11:40 slow\n~11:45 restarted db1")
    assert ticks(modal(declared)) == ["11:30 to 11:40 UTC · Note", "about 11:45 UTC · Note"]
    declared.slack.submit(declared.alice, {})
    slow, restarted = entries(declared)
    assert (slow.until_at, slow.approximate) == (at("2026-03-12T11:40:00Z"), False)
    assert (restarted.until_at, restarted.approximate) == (None, True)


@pytest.mark.parametrize(
    ("typed", "shown"), [("11:30-11:40", "11:30 to 11:40 UTC · Note"), ("~11:40", "about 11:40 UTC · Note")]
)
def test_a_note_that_is_split_keeps_what_its_time_said(declared: Workplace, typed: str, shown: str) -> None:
    answer = declared.ask(f"/note {typed} disk full\n11:45 restarted db1")
    declared.slack.click(declared.alice, answer, "entry_split")
    assert ticks(modal(declared)) == [shown, "11:45 UTC · Note"]


def test_words_changed_in_the_preview_are_previewed_again(declared: Workplace) -> None:
    declared.ask(f"/incident backfill {CHRONOLOGY}")
    preview = modal(declared)
    box = next(block["block_id"] for block in preview.blocks if block["block_id"].startswith("words"))
    declared.slack.submit(declared.alice, {box: "11:41 one\n11:42 two"})
    assert ticks(modal(declared)) == ["11:41 UTC · Note", "11:42 UTC · Note"]
    assert standing(declared) == []
    declared.slack.submit(declared.alice, {})
    assert standing(declared) == [("note", "one"), ("note", "two")]


def test_a_note_of_several_timed_lines_is_saved_and_can_be_split(declared: Workplace) -> None:
    answer = declared.ask("/note 11:40 disk full\n11:45 restarted db1\nit took a while\n11:50 fine")
    assert standing(declared) == [("note", "disk full\n11:45 restarted db1\nit took a while\n11:50 fine")]
    declared.slack.click(declared.alice, answer, "entry_split")
    assert ticks(modal(declared)) == ["11:40 UTC · Note", "11:45 UTC · Note", "11:50 UTC · Note"]
    declared.slack.submit(declared.alice, {})
    assert standing(declared) == [
        ("note", "disk full"), ("note", "restarted db1\nit took a while"), ("note", "fine"),
    ]  # fmt: skip


def test_what_is_not_ticked_stays_in_the_note_that_was_split(declared: Workplace) -> None:
    answer = declared.ask("/note 11:40 disk full\n11:45 restarted db1\n11:50 fine")
    declared.slack.click(declared.alice, answer, "entry_split")
    assert modal(declared)
    declared.slack.submit(declared.alice, {"lines-0": ["1"]})
    assert standing(declared) == [("note", "disk full\n11:50 fine"), ("note", "restarted db1")]


def test_a_detection_that_is_split_stays_a_detection(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T12:00:00Z"))
    answer = office.ask("/detected 11:40 disk full\n11:45 restarted db1")
    office.slack.click(office.alice, answer, "entry_split")
    assert modal(office)
    office.slack.submit(office.alice, {})
    assert standing(office) == [("detected", "disk full"), ("note", "restarted db1")]


def test_two_lines_of_which_one_has_a_time_are_a_note(declared: Workplace) -> None:
    assert labels(declared.ask("/note 11:40 disk full\nand more")) == []


def test_words_without_any_time_are_refused_with_what_to_do(declared: Workplace) -> None:
    assert declared.refused("/incident backfill one\ntwo").startswith("No line begins with a time.")


def test_nothing_ticked_records_nothing(declared: Workplace) -> None:
    declared.ask(f"/incident backfill {CHRONOLOGY}")
    assert modal(declared)
    answer = declared.slack.submit(declared.alice, {"lines-0": []})
    assert answer.body["response_action"] == "errors"
    assert standing(declared) == []


def test_a_file_is_recorded_from_a_terminal_once(declared: Workplace, clock: SetClock, tmp_path: Path) -> None:
    file = tmp_path / "chronology.txt"
    file.write_text(CHRONOLOGY)
    url = declared.database.url.render_as_string(hide_password=False)
    for _ in range(2):
        result = CliRunner().invoke(
            main, ["log", "INC-1", "--file", str(file), "--as", "ops"], env={"DATABASE_URL": url}
        )
        assert result.output.startswith("3 entries recorded on INC-1: #1 to #3, from 12 Mar 11:40 UTC")
    assert standing(declared) == [
        ("detected", "disk full"),
        ("note", "restarted db1\n25:99 what"),
        ("resolved", "freed"),
    ]
    # The terminal has the machine's clock.
    clock.set(at("2126-03-12T12:00:00Z"))
    said = [message.text for message in declared.messages()]
    assert sum(text.startswith("From a terminal, by ops: 3 entries recorded") for text in said) == 1


@pytest.mark.parametrize("arguments", [[], ["note x", "--file", "f"]])
def test_a_terminal_is_told_what_to_give(declared: Workplace, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "f").write_text("14:02 x")
    url = declared.database.url.render_as_string(hide_password=False)
    arguments = [str(tmp_path / "f") if each == "f" else each for each in arguments]
    result = CliRunner().invoke(main, ["log", "INC-1", *arguments], env={"DATABASE_URL": url})
    assert "Say what to record: scribe log INC-1" in result.output
    assert result.exit_code


def test_a_line_keeps_its_range_what_is_about_it_and_who_is_in_it(declared: Workplace) -> None:
    declared.ask("/incident backfill 2026-03-12\n11:40-11:45 UTC checked db1\n~11:50 UTC restarted it")
    assert ticks(modal(declared))
    declared.slack.submit(declared.alice, {})
    first, second = entries(declared)
    assert (f"{first.occurred_at:%H:%M}", first.until_at) == ("11:40", at("2026-03-12T11:45:00Z"))
    assert (second.approximate, first.approximate) == (True, False)


def test_lines_of_an_entry_that_was_split_stay_its_authors(declared: Workplace) -> None:
    answer = declared.ask("/lesson well: ~11:30 UTC @alice found it\n11:40 UTC @carol fixed it", user=declared.bob)
    declared.slack.click(declared.alice, answer, "entry_split")
    assert ticks(modal(declared))
    declared.slack.submit(declared.alice, {})
    _, first, second = entries(declared)
    assert (first.kind, first.qualifier, first.approximate) == ("lesson", "well", True)
    assert [(each.author_id, each.recorded_by_id) for each in (first, second)] == [(declared.bob, declared.alice)] * 2
    assert [dict(each.people) for each in (first, second)] == [{"alice": declared.alice}, {"carol": declared.carol}]
