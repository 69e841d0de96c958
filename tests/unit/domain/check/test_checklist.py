from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.check.checklist import KEYS, RULES, check, grouped, parse_off
from bot.domain.check.finding import Finding
from storage.values import ActionItem, Postmortem, Section, TimelineEntry
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
    untold = [
        entry(1, "detected", after(500), "human error"), entry(2, "resolved", after(0)),
        entry(3, "impact", after(1), "x"),
        entry(4, "escalated", after(100)), entry(5, "note", NOW + timedelta(days=2)),
        entry(6, "reopened", NOW + timedelta(days=2)), entry(7, "started", after(-5)),
        entry(8, "lesson", after(500), "x"),
    ]  # fmt: skip
    told = [
        entry(1, "impact", after(0), "x"), entry(2, "detected", after(1), "I saw it", qualifier="customer"),
        entry(3, "investigating", after(2), "the deploy"), entry(4, "ruledout", after(40), "not the deploy"),
        entry(5, "mitigated", after(50), "x"), entry(6, "impact", after(60), "y"),
        entry(7, "note", after(70), "restarted at 12:40"), entry(8, "cause", after(80), "bob forgot the flag"),
        entry(9, "resolved", after(90)),
    ]  # fmt: skip
    incidents = [
        (untold, (item(1, "monitor the alert better"), item(2, "improve the dashboard"))),
        (told, (item(1, "runbook for restores"), item(2, "make it faster"))),
    ]

    def rules(off: frozenset[str]) -> set[str]:
        return {
            finding.rule
            for entries, items in incidents
            for finding in check(INCIDENT, entries, items, wordy(tuple(entries), items), now=NOW, off=off)
        }

    every = rules(frozenset())
    assert every == set(KEYS)
    rest = rules(frozenset({key}))
    assert rest >= every - {key}
    assert key not in rest


def wordy(told: tuple[TimelineEntry, ...], items: tuple[ActionItem, ...]) -> Postmortem:
    """A draft with so much more in it that it is long."""
    text = drafted(told, items)
    more = Section(key="more", heading="More", body=f"{PROSE} {PROSE} {PROSE}", edited=True)
    return replace(text, sections=(*text.sections, more))


def test_rules_have_one_key_and_one_title_each() -> None:
    assert len({rule.key for rule in RULES}) == len({rule.title for rule in RULES}) == len(RULES)


def test_an_unknown_rule_is_answered_with_the_nearest_one() -> None:
    assert parse_off(" gaps, Length ,") == {"gaps", "length"}
    with pytest.raises(ValueError, match="'gap' is no rule; did you mean gaps"):
        parse_off("length,gap")
    with pytest.raises(ValueError, match="The rules are order, future"):
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
