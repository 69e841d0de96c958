from dataclasses import replace

import pytest

from bot.domain.check.checklist import KEYS, check
from bot.domain.check.document import COVERED, WORDS, words
from bot.domain.postmortem.questions import FACTS
from storage.values import Section
from tests.support.casebook import entry
from tests.unit.domain.check.checking import (
    CLEAN,
    INCIDENT,
    ITEMS,
    NOW,
    PROSE,
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
