from dataclasses import replace

import pytest

from bot.domain.check.checklist import KEYS, check
from bot.domain.check.document import COVERED, WORDS, words
from bot.domain.postmortem.questions import FACTS
from storage.values import Section
from tests.support.casebook import entry, item
from tests.unit.domain.check.checking import (
    CLEAN,
    INCIDENT,
    ITEMS,
    NOW,
    PROSE,
    SOON,
    after,
    but,
    drafted,
    found,
    places,
    version,
)


def test_an_impact_needs_a_figure_on_the_timeline_or_in_the_edited_text() -> None:
    vague = but(entry(2, "impact", after(1), "checkout is slow"))
    assert places(found(*vague, rule="impact")) == ["#2 Impact"]
    written = Section(key="summary", heading="Summary", body="**Impact:** 1,200 orders failed.", edited=True)
    assert found(*vague, rule="impact", text=version(written)) == []
    untold = replace(written, body="It took 25 minutes.\n\n**Impact:** checkout is slow.\n\n**Root cause:** 3 hosts.")
    assert places(found(*vague, rule="impact", text=version(untold))) == ["#2 Impact"]
    assert places(found(*but(without="impact"), rule="impact")) == ["Impact"]


def test_a_cause_may_stand_in_a_section_somebody_wrote() -> None:
    told = but(without="cause")
    assert places(found(*told, rule="cause")) == ["Cause"]
    written = Section(key="cause", heading="Root cause", body="The rounding divides by zero.", edited=True)
    assert found(*told, rule="cause", text=version(written)) == []
    assert places(found(*told, rule="cause", text=drafted(told, ITEMS))) == ["Cause"]


def test_a_section_that_still_asks_is_named_with_the_commands_that_answer() -> None:
    told = tuple(each for each in CLEAN if each.qualifier not in {"badly", "lucky"})
    [finding] = found(*told, text=drafted(told, ITEMS), rule="prompts")
    assert finding.place == "Lessons learned"
    assert finding.fix == "/lesson badly: what got in the way · /lesson lucky: what could have been worse"


def test_what_another_rule_says_is_not_asked_again_unless_that_rule_is_off() -> None:
    told = but(without="acknowledged")
    text = drafted(told, ITEMS)
    everything = check(INCIDENT, told, ITEMS, text, now=NOW, off=frozenset({"length"}))
    assert [finding.rule for finding in everything] == ["milestones"]
    without = check(INCIDENT, told, ITEMS, text, now=NOW, off=frozenset({"length", "milestones"}))
    assert [(finding.rule, finding.place) for finding in without] == [("prompts", "How the response went")]


def test_a_date_that_is_missing_is_said_once_though_the_form_asks_for_it() -> None:
    undated = tuple(replace(each, due_on=None) for each in ITEMS)
    said = check(INCIDENT, CLEAN, undated, drafted(CLEAN, undated, "full"), now=NOW)
    assert "dates" in {finding.rule for finding in said}
    assert not [finding for finding in said if finding.rule == "prompts" and finding.place == "Action items"]


def test_a_question_answered_since_the_draft_asks_for_a_new_draft() -> None:
    text = drafted(but(without="acknowledged"), ITEMS)
    [finding] = found(*CLEAN, text=text, rule="prompts")
    assert (finding.place, finding.fix) == ("How the response went", "/postmortem draft")


@pytest.mark.parametrize(
    "words",
    [
        "logs: ```\npanic: should have failed to open\nobviously careless human error\n```",
        "the log:\n```\nobviously careless human error\n```\nand more",
        "the log:\n~~~\nobviously careless human error\n~~~",
    ],
)
def test_a_log_pasted_over_several_lines_is_no_blame_where_the_draft_fences_it(words: str) -> None:
    told = but(entry(30, "note", after(50), words))
    assert found(*told, text=drafted(told, ITEMS), rule="wording") == []


def test_what_a_person_writes_below_a_fence_is_read() -> None:
    written = Section(key="lessons", heading="Lessons", body="````\n```\nx\n````\nBob was careless.", drafted="x")
    assert places(found(*CLEAN, text=version(written), rule="wording")) == ["Lessons"]


def test_every_fact_with_a_rule_of_its_own_names_a_rule_that_exists() -> None:
    assert set(COVERED) <= set(FACTS)
    assert set(COVERED.values()) <= set(KEYS)


@pytest.mark.parametrize(("count", "said"), [(399, "fewest"), (400, ""), (600, ""), (601, "most")])
def test_a_classic_has_four_to_six_hundred_words_without_its_timeline(count: int, said: str) -> None:
    body = " ".join(["word"] * count)
    text = version(
        Section(key="summary", heading="Summary", body=body), Section(key="timeline", heading="Timeline", body=PROSE)
    )
    findings = found(*CLEAN, text=text, rule="length")
    assert [said in finding.fix for finding in findings] == ([True] if said else [])
    assert found(*CLEAN, text=replace(text, template="own"), rule="length") == []
    assert WORDS["classic"] == (400, 600)


def test_open_questions_tables_and_code_are_no_words_of_the_text() -> None:
    body = "One two three.\n\n| a | b |\n| --- | --- |\n\n*Not known.* Who? `/note x`\n\n"
    body += "```text\nfour five\n```\n- six, it's"
    assert words(body) == 5


def test_blame_is_told_once_where_it_was_said_though_the_draft_repeats_it() -> None:
    told = but(
        entry(9, "cause", after(70), "alice failed to check the _flag_ & the `host`; human error <again>"),
        entry(6, "did", after(31), "bob: flag off. I should have asked first", author="bob", author_id="U2"),
    )
    mine = (*ITEMS, item(3, "remind bob that he forgot the test", owner="ada", due_on=SOON))
    findings = found(*told, items=mine, text=drafted(told, mine), rule="wording")
    assert places(findings) == ["#6 Did", "#9 Cause", "#9 Cause", "Action item 3"]


def test_blame_in_a_section_is_told_there() -> None:
    written = Section(key="lessons", heading="Lessons", body="- Bob **should have** known better.", edited=True)
    [finding] = found(*CLEAN, text=version(written), rule="wording")
    assert finding.place == "Lessons"
    assert "Bob should have known" in finding.reason


def test_who_ended_it_is_no_cause() -> None:
    body = "### What led to it\n\n- a full disk.\n\n### How it ended\n\n- **Resolved** at 14:00: alice restarted db1."
    cause = Section(key="cause", heading="Root cause and resolution", body=body)
    assert found(*CLEAN, text=version(cause), rule="wording") == []
    acted = replace(cause, body=body.replace("a full disk", "alice restarted db2"))
    assert places(found(*CLEAN, text=version(acted), rule="wording")) == ["Root cause and resolution"]


def test_a_name_is_known_from_whoever_wrote_an_entry_but_not_from_a_bot() -> None:
    robot = entry(30, "note", after(45), "lark should have noticed", author="lark", author_id="B0123ABCDE")
    assert found(*CLEAN, robot, rule="wording") == []
    person = replace(robot, author_id="U9")
    assert places(found(*CLEAN, person, rule="wording")) == ["#30 Note"]
