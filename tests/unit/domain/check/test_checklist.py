from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.check.checklist import KEYS, RULES, check, grouped, parse_off
from bot.domain.check.finding import Finding
from storage.values import Section, TimelineEntry
from tests.support.casebook import entry, item
from tests.unit.domain.check.checking import (
    CLEAN,
    ENTRIES,
    INCIDENT,
    ITEMS,
    NOW,
    PROSE,
    TEXT,
    after,
    drafted,
    found,
    version,
)
from tests.unit.domain.texts import QUICK


def test_a_clean_timeline_has_no_finding() -> None:
    assert found(*CLEAN) == []


def test_a_clean_document_has_no_finding() -> None:
    text = drafted(CLEAN, ITEMS)
    text = replace(text, sections=(*text.sections, Section(key="more", heading="More", body=PROSE[:1500], edited=True)))
    assert found(*CLEAN, text=text) == []


def test_a_retracted_entry_and_an_empty_incident_are_read_too() -> None:
    assert found(*CLEAN, replace(CLEAN[0], number=40, id=40, text="human error", retracted=True)) == []
    rules = [finding.rule for finding in found(items=())]
    assert rules == ["impact", "cause", *["milestones"] * 4, "prevention"]


@pytest.mark.parametrize("key", KEYS)
def test_each_rule_can_be_switched_off(key: str) -> None:
    told = [
        entry(1, "detected", after(500), "human error"), entry(2, "resolved", after(0)),
        entry(3, "impact", after(1), "x"),
        entry(4, "escalated", after(100)), entry(5, "note", NOW + timedelta(days=2)),
        entry(6, "reopened", NOW + timedelta(days=2)), entry(7, "started", after(-5)),
    ]  # fmt: skip
    items = (item(1, "monitor the alert better"), item(2, "improve the dashboard"))
    text = drafted(tuple(told), items)
    every = {finding.rule for finding in check(INCIDENT, told, items, text, now=NOW)}
    assert every == set(KEYS)
    rest = {finding.rule for finding in check(INCIDENT, told, items, text, now=NOW, off=frozenset({key}))}
    assert rest >= every - {key}
    assert key not in rest


def test_rules_have_one_key_and_one_title_each() -> None:
    assert len({rule.key for rule in RULES}) == len({rule.title for rule in RULES}) == len(RULES)


def test_an_unknown_rule_is_answered_with_the_nearest_one() -> None:
    assert parse_off(" gaps, Length ,") == {"gaps", "length"}
    with pytest.raises(ValueError, match="'gap' is no rule; did you mean gaps"):
        parse_off("length,gap")
    with pytest.raises(ValueError, match="The rules are wording, order"):
        parse_off("zzz")


def finding(rule: str, number: int) -> Finding:
    return Finding(rule=rule, place=str(number), reason="", fix="")


def test_of_too_many_findings_every_rule_shows_its_first_before_any_its_second() -> None:
    many = [finding("wording", n) for n in range(50)] + [finding("gaps", n) for n in range(3)] + [finding("length", 1)]
    groups = grouped(many, most=6)
    assert [(group.title, len(group.findings), group.total) for group in groups] == [
        ("Wording", 3, 50), ("Gaps over 30 minutes", 2, 3), ("Length", 1, 1),
    ]  # fmt: skip
    assert [group.total for group in grouped(many)] == [50, 3, 1]
    assert sum(len(group.findings) for group in grouped(many)) == len(many)
    assert [group.title for group in grouped(many, most=1)] == ["Wording"]
    assert grouped([]) == ()


KEYED = st.sampled_from(["summary", "cause", "timeline", "x"])
SECTIONS = st.lists(st.builds(Section, key=KEYED, heading=TEXT, body=TEXT, edited=st.booleans()), max_size=4)


@given(ENTRIES, st.lists(TEXT, max_size=3), SECTIONS)
@QUICK
def test_any_incident_at_all_can_be_checked(
    told: list[TimelineEntry], items: list[str], sections: list[Section]
) -> None:
    agreed = [item(number, text) for number, text in enumerate(items, 1)]
    findings = check(INCIDENT, told, agreed, version(*sections), now=NOW)
    order = [KEYS.index(each.rule) for each in findings]
    assert order == sorted(order)
    assert all(each.place is not None and each.reason and each.fix for each in findings)
