from dataclasses import replace

import pytest

from bot.domain.check.checklist import KEYS, check
from bot.domain.check.document import COVERED, words
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
    drafted = "On Monday, from 12:00 to 12:25 UTC (**25 min**, SEV2): checkout is slow."
    told = replace(written, drafted=drafted, body=drafted.replace("is slow", "failed 1,200 times for 300 users"))
    assert found(*vague, rule="impact", text=version(told)) == []
    untold = replace(told, body=drafted.replace("is slow", "crawls"))
    assert places(found(*vague, rule="impact", text=version(untold))) == ["#2 Impact"]
    assert places(found(*but(without="impact"), rule="impact")) == ["Impact"]


def test_a_cause_may_stand_in_a_section_somebody_wrote() -> None:
    told = but(without="cause")
    assert places(found(*told, rule="cause")) == ["Cause"]
    written = Section(key="cause", heading="Root cause", body="The rounding divides by zero.", edited=True)
    assert found(*told, rule="cause", text=version(written)) == []
    assert places(found(*told, rule="cause", text=drafted(told, ITEMS))) == ["Cause"]


def test_what_is_still_open_is_one_finding_with_the_first_command() -> None:
    told = tuple(each for each in CLEAN if each.qualifier not in {"badly", "lucky"})
    [finding] = found(*told, text=drafted(told, ITEMS), rule="prompts")
    assert finding.place == "Still open"
    assert finding.reason == (
        "It still asks: What slowed the response down or made it harder? What could easily have been worse?"
    )
    assert finding.fix == "/lesson at 2026-03-02 13:00 UTC badly: what got in the way"


def test_of_many_open_questions_three_are_repeated_and_the_others_counted() -> None:
    [finding] = found(*CLEAN, text=drafted(CLEAN, ITEMS, "full"), rule="prompts")
    assert finding.reason.count("?") == 3
    assert finding.reason.endswith(" more.")


def test_what_another_rule_says_is_not_asked_again_unless_that_rule_is_off() -> None:
    told = but(without="acknowledged")
    text = drafted(told, ITEMS)
    everything = check(INCIDENT, told, ITEMS, text, now=NOW, off=frozenset({"length"}))
    assert [finding.rule for finding in everything] == ["milestones"]
    without = check(INCIDENT, told, ITEMS, text, now=NOW, off=frozenset({"length", "milestones"}))
    assert [(finding.rule, finding.place) for finding in without] == [("prompts", "Still open")]


def test_a_date_that_is_missing_is_said_once_though_the_form_asks_for_it() -> None:
    undated = tuple(replace(each, due_on=None) for each in ITEMS)
    said = check(INCIDENT, CLEAN, undated, drafted(CLEAN, undated, "full"), now=NOW)
    assert "dates" in {finding.rule for finding in said}
    (asked,) = (finding for finding in said if finding.rule == "prompts")
    assert "By when" not in asked.reason


def test_a_question_answered_since_the_draft_asks_for_a_new_draft() -> None:
    text = drafted(but(without="acknowledged"), ITEMS)
    [finding] = found(*CLEAN, text=text, rule="prompts")
    assert (finding.place, finding.fix) == ("Still open", "/postmortem draft")


def test_every_fact_with_a_rule_of_its_own_names_a_rule_that_exists() -> None:
    assert set(COVERED) <= set(FACTS)
    assert set(COVERED.values()) <= set(KEYS)


@pytest.mark.parametrize(
    ("written", "timeline", "said"),
    [
        (10, 10, False), (600, 900, False), (601, 399, False), (601, 400, True), (1001, 0, True), (599, 5000, False),
    ],
)  # fmt: skip
def test_a_classic_is_long_where_a_section_that_can_be_shortened_is_the_reason(
    written: int, timeline: int, *, said: bool
) -> None:
    text = version(
        Section(key="summary", heading="Summary", body=" ".join(["word"] * (written - 5))),
        Section(key="cause", heading="Cause", body="one two three four five"),
        Section(key="timeline", heading="Timeline", body=" ".join(["word"] * timeline)),
        Section(key="still-open", heading="Still open", body=PROSE * 3),
    )
    findings = found(*CLEAN, text=text, rule="length")
    assert [finding.reason for finding in findings] == (
        [
            f"{written + timeline} words, some 4 minutes of reading, of which “Summary” takes {written - 5}",
        ]
        if said
        else []
    )
    assert found(*CLEAN, text=replace(text, template="own"), rule="length") == []


def test_a_short_document_is_no_remark() -> None:
    assert found(*CLEAN, text=drafted(CLEAN, ITEMS), rule="length") == []


def test_a_reader_reads_tables_and_code_and_no_marks_of_them() -> None:
    body = "One two three.\n\n| a | b |\n| --- | --- |\n\n<!-- no --> [four](https://x.example/y)\n\n"
    body += "```text\nfive six\n```\n- seven, it's"
    assert words(body) == 10


FIRST = (
    "I noticed it on db1", "we restarted it", "our monitoring was blind", "my change went out", "it told me nothing",
    "I'm on it", "We've rolled back", "let us look again: we saw it before", "restarted by us",
    "mine was the last push",
    "bob and I looked", "i was paged", "our own outage had locked us out", "I think it is db1", "we'll wait",
)  # fmt: skip
THIRD = (
    "restarted db1", "an engineer noticed it", "`I` in code", "he said “we know”", "the US region", "US-east is down",
    "iOS users fail", "in phase I of the plan", "wein.example is down", "path /my/own", "the memory is full",
    "@me.bot said so", "company.me is down", "usual errors", "type I errors",
)  # fmt: skip


@pytest.mark.parametrize("text", FIRST)
def test_the_first_person_is_named_before_a_public_edition(text: str) -> None:
    [finding] = found(*CLEAN, entry(20, "note", after(5), text), rule="person")
    assert (finding.place, finding.fix) == ("#20 Note", "/postmortem show public")
    assert found(*CLEAN, entry(20, "note", after(5), f"private: {text}"), rule="person") == []


@pytest.mark.parametrize("text", THIRD)
def test_what_is_no_first_person_is_left_alone(text: str) -> None:
    assert found(*CLEAN, entry(20, "note", after(5), text), rule="person") == []


def test_several_entries_in_the_first_person_are_one_finding() -> None:
    told = (entry(20, "note", after(5), "I saw it"), entry(21, "did", after(6), "we restarted it"))
    [finding] = found(*CLEAN, *told, rule="person")
    assert finding.reason == (
        "A public edition tells it in the third person: An engineer saw it (1 more in the same way)"
    )
